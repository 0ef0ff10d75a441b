/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cksum: the Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * A "sum" is a one's complement sum, folded to 16 bits or not yet folded, over 16-bit words as
 * they lie in memory (network byte order, so the result can be stored as it is).  A "delta" is
 * the sum that takes an old value out and puts a new one in: delta = ~old + new.
 */
#ifndef TUNGATE_BASE_CKSUM_H
#define TUNGATE_BASE_CKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/addr.h"

/* Fold a sum to 16 bits. */
static inline uint16_t cksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	uint32_t low = (uint32_t)sum;
	low = (low & 0xffff) + (low >> 16);
	low = (low & 0xffff) + (low >> 16);
	return (uint16_t)low;
}

/* Sum over `length` bytes (an odd last byte is padded with zero), added to `start`. */
uint64_t cksum_add(const void *data, size_t length, uint64_t start);

/* Sum over an IPv4 header of `length` bytes, 20 or more: five words and, rarely, options. */
static inline uint64_t cksum_ipv4_header(const void *header, size_t length)
{
	uint32_t words[5];

	memcpy(words, header, sizeof(words));
	const uint64_t sum = (uint64_t)words[0] + words[1] + words[2] + words[3] + words[4];
	if (length == sizeof(words))
		return sum;
	return cksum_add((const uint8_t *)header + sizeof(words), length - sizeof(words), sum);
}

/* Sum of one word and of an address of either family (v4: its two words). */
static inline uint64_t cksum_word(be16 word)
{
	return word;
}
uint64_t cksum_address(uint8_t family, const union addr *address);

/* The pseudo-header's sum: addresses, protocol and length (host order) of the L4 part. */
uint64_t cksum_pseudo(uint8_t family, const union addr *source, const union addr *destination,
	uint8_t protocol, uint32_t length);

/* The delta that replaces `old` by `new`, folded.  "Nothing changed" has two spellings in one's
 * complement; ours is 0, so that it leaves a field exactly as it was. */
static inline uint16_t cksum_delta(uint64_t old_sum, uint64_t new_sum)
{
	const uint16_t delta = cksum_fold((uint64_t)(uint16_t)~cksum_fold(old_sum) + new_sum);

	return delta == 0xffff ? 0 : delta;
}

/* The delta that undoes another; that of "nothing changed", 0, is itself. */
static inline uint16_t cksum_delta_inverse(uint16_t delta)
{
	return delta == 0 ? 0 : (uint16_t)~delta;
}

/* Apply a delta to a complete checksum field: c' = ~(~c + delta).  RFC 1624 equation 3. */
static inline be16 cksum_apply(be16 field, uint16_t delta)
{
	return (be16)~cksum_fold((uint64_t)(uint16_t)~field + delta);
}

/* Apply a delta to a partial field, which holds the uncomplemented pseudo-header sum. */
static inline be16 cksum_apply_partial(be16 field, uint16_t delta)
{
	return cksum_fold((uint64_t)field + delta);
}

#endif
