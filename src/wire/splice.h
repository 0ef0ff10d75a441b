/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splice: change the length of a packet's payload.
 */
#ifndef TUNGATE_WIRE_SPLICE_H
#define TUNGATE_WIRE_SPLICE_H

#include "wire/parse.h"

/* Is the L4 checksum right, or still to be made?  Changing bytes makes a new one, which must not
 * make a damaged packet a sound one. */
bool packet_checksum_is_sound(const struct packet *packet);

/* Bytes more that a splice needs. */
static inline uint32_t splice_growth(uint32_t old_length, uint32_t length)
{
	return length > old_length ? length - old_length : 0;
}
/* Is there room for so many bytes more? */
bool splice_has_room(const struct packet *packet, uint32_t bytes);
/* Put `length` bytes of `text` in the place of `old_length` bytes at `offset` of the payload. There
 * must be room; lengths and checksums are wrong until splice_finish(). */
void splice(struct packet *packet, uint32_t offset, uint32_t old_length, const void *text,
	uint32_t length);
/* Make lengths, checksum and offload right again for a packet of TCP or UDP. */
void splice_finish(struct packet *packet);

/* Make a TCP segment that is longer than `mtu` a super-packet of segments that fit. */
void splice_fit(struct packet *packet, uint32_t mtu);

#endif
