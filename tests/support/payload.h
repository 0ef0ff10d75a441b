/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * payload: the text in `data "..."` of a step, which names places and variables as headers do:
 *
 *	{guest}     an address in its text          {guest,}   10,77,0,2
 *	{#guest}    one decimal number              {$a}       a port, learnt at its first mention
 *	{$a,}       the same as two numbers         {4|6}      one digit for IPv4, another for IPv6
 *
 * Escapes are those of C: \r \n \0 \1 \".
 */
#ifndef TUNGATE_TESTS_PAYLOAD_H
#define TUNGATE_TESTS_PAYLOAD_H

#include <stdio.h>
#include "lab.h"

/* Where ` data "` begins in a description, or NULL. */
char *payload_find(const char *text);
/* Write a pattern, in which every variable is known, as text with escapes. */
void payload_write(const struct lab *lab, const char *pattern, FILE *to);
/* Write bytes as text with escapes, in quotes. */
void payload_escape(const uint8_t *bytes, size_t length, FILE *to);
/* Does the escaped text fit the pattern?  Learns variables. */
bool payload_matches(struct lab *lab, const char *pattern, const char *text);

#endif
