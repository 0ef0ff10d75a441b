/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan: reading a message from its front, never past its end.
 */
#ifndef TUNGATE_HELPER_SCAN_H
#define TUNGATE_HELPER_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/addr.h"

struct scan {
	const char *text;
	uint32_t length;
	uint32_t at; /* what has been read; at most `length` */
};

static inline struct scan scan_begin(const char *text, uint32_t length)
{
	return (struct scan){text, length, 0};
}

/* The next byte, or -1 at the end; it stays. */
static inline int scan_peek(const struct scan *scan)
{
	return scan->at < scan->length ? (uint8_t)scan->text[scan->at] : -1;
}

/* Is this the next byte?  Then it is read. */
bool scan_byte(struct scan *scan, char byte);
/* Are these letters next, in any case?  Then they are read. */
bool scan_word(struct scan *scan, const char *word);
/* Pass over blanks and tabs; how many. */
uint32_t scan_blanks(struct scan *scan);
/* Pass over all up to one of these bytes, or the end; whether there is one. */
bool scan_until(struct scan *scan, const char *bytes);
/* A decimal number of up to ten digits that is at most `max`. */
bool scan_number(struct scan *scan, uint32_t max, uint32_t *number);
/* An address of this family in its usual text, up to a byte that cannot belong to it. */
bool scan_address(struct scan *scan, uint8_t family, union addr *address);
/* Nothing but blanks and the end of a line is left. */
bool scan_line_ends(struct scan *scan);

#endif
