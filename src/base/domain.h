/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain: patterns of domain names, as allow-lists have them:
 *
 *	example.org	this name
 *	*.example.org	every name below it, at any depth, but not itself
 *	*		every name
 *
 * Letters count regardless of their case (RFC 4343).  Names are in their ASCII form, without the
 * final dot.
 */
#ifndef TUNGATE_BASE_DOMAIN_H
#define TUNGATE_BASE_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#define DOMAIN_NAME_SIZE 254 /* 253 characters (RFC 1035, section 2.3.4) and NUL */

/* What is wrong with a pattern: "allowed: ..."; NULL where it is one. */
const char *domain_pattern_fault(const char *pattern, size_t length);
/* Does a pattern without faults match a name? */
bool domain_matches(const char *pattern, size_t length, const char *name);
/* Copy up to size - 1 characters in lower case; false, and an empty text, where there are more. */
bool domain_copy(char *target, size_t size, const char *name, size_t length);

#endif
