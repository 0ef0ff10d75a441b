/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate_parts: what packets and ICMP errors have in common on their way into the other family;
 * private to translate*.c.
 */
#ifndef TUNGATE_WIRE_TRANSLATE_PARTS_H
#define TUNGATE_WIRE_TRANSLATE_PARTS_H

#include "wire/translate.h"

/* What an IP header says, in either family. */
struct translate_fields {
	uint8_t tos, ttl;
	uint8_t protocol;  /* in the new family */
	bool fragment;     /* a part, or an IPv6 packet that came as its only one */
	bool may_fragment; /* IPv4: DF is clear */
	struct fragment_position position;
	uint32_t l4_bytes; /* of the whole packet, also where only its start is quoted */
};

/* Read the header at `at`, which `headers` describes. */
void translate_read(const uint8_t *data, uint32_t at, const struct headers *headers,
	struct translate_fields *fields);
/* Bytes of the header that makes of it in the other family. */
uint32_t translate_header_bytes(uint8_t old_family, const struct translate_fields *fields);
void translate_write(uint8_t old_family, uint8_t *to, const struct translate_fields *fields,
	const union addr *source, const union addr *destination);

/* The L4 header at `l4`, of which `bytes` are there and which `old` describes.  TCP and UDP differ
 * in the addresses of their pseudo-header alone.  A UDP checksum of 0 is left. */
void translate_l4(void *l4, uint32_t bytes, const struct headers *old, uint32_t l4_bytes,
	bool partial, const union addr *source, const union addr *destination);
/* Does the number of an L4 protocol mean the same in both families? */
bool translate_is_common(uint8_t family, uint8_t protocol);

/* Let the packet begin `bytes` earlier; what is there then is to be written. */
void translate_shift(struct packet *packet, int32_t bytes);
/* Let `headers` describe the same L4 part behind a header that is `shift` bytes longer. */
void translate_describe(struct headers *headers, const struct translate_fields *fields,
	int32_t shift, const union addr *source, const union addr *destination);

static inline bool translate_refuse(struct packet *packet, enum drop drop)
{
	packet->drop = (uint8_t)drop;
	return false;
}

#endif
