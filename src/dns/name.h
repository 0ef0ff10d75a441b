/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name: domain names (RFC 1035, section 3.1), and the reverse names of addresses.
 *
 * A struct dns_name is in wire format without compression and in lower case, so that names compare
 * as bytes (RFC 4343).
 */
#ifndef TUNGATE_DNS_NAME_H
#define TUNGATE_DNS_NAME_H

#include "base/addr.h"

#define DNS_NAME_BYTES_MAX 255
#define DNS_TEXT_SIZE      1024 /* of any name's text with NUL: four characters for each byte */

struct dns_name {
	uint8_t length; /* at least 1: the root */
	uint8_t bytes[DNS_NAME_BYTES_MAX];
};

/* Read the name at *offset of a message and step over it.  Pointers lead backwards only, so that
 * there are no loops.  False where there is no whole name. */
bool dns_name_read(const uint8_t *message, size_t length, size_t *offset, struct dns_name *name);
/* Without the final dot; "." for the root.  Other bytes than letters, digits, `-` and `_` are
 * escaped as in zone files.  Returns `text` of DNS_TEXT_SIZE bytes. */
char *dns_name_format(const struct dns_name *name, char *text);
/* From text without escapes; a final dot may be missing.  False where it is none. */
bool dns_name_parse(const char *text, struct dns_name *name);

static inline bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}
/* Is it the zone's own name or below it? */
bool dns_name_within(const struct dns_name *name, const struct dns_name *zone);
/* Labels but the root. */
unsigned dns_name_labels(const struct dns_name *name);
/* Put one name before another; false where that is too long. */
bool dns_name_join(const struct dns_name *first, const struct dns_name *rest, struct dns_name *all);

/* The name under in-addr.arpa or ip6.arpa; prefixes are cut to whole octets or nibbles. */
void dns_name_of_prefix(const struct prefix *prefix, struct dns_name *name);
/* What a reverse name stands for: an address, or the prefix that its labels give; false where it
 * is none. */
bool dns_name_prefix(const struct dns_name *name, struct prefix *prefix);

#endif
