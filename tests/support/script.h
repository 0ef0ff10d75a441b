/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script: what goes into a gateway and what comes out, one packet a line:
 *
 *	MILLISECONDS LINK|uplink in|out DESCRIPTION        (describe.h)
 *
 * Blank lines and lines that begin with # are for people.  `in` is towards the gateway.
 */
#ifndef TUNGATE_TESTS_SCRIPT_H
#define TUNGATE_TESTS_SCRIPT_H

#include "gateway.h"
#include "trace.h"

/* The whole of a file as a string, or NULL; free() it.  `length` may be NULL. */
char *file_read(const char *path, size_t *length);

/* Make the two traces that a script describes; the gateway knows the names of its links.  Aborts on
 * a line that it does not understand.  Both go to trace_free(). */
void script_compile(
	const char *text, const struct gateway *gateway, struct trace *in, struct trace *out);

#endif
