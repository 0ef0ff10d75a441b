/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cksum: sums over bytes, eight at a time.
 *
 * A one's complement sum may be taken over wider words and folded later (RFC 1071, 2 C).  Each
 * 64-bit word is split into halves that are added to two accumulators: no carry to look after,
 * and nothing can overflow below 32 GiB.
 */
#include "base/cksum.h"

#include <arpa/inet.h>
#include <string.h>

static inline uint64_t load64(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

uint64_t cksum_add(const void *data, size_t length, uint64_t start)
{
	const uint8_t *bytes = data;
	uint64_t low = (uint32_t)start, high = start >> 32;
	uint64_t rest = 0;

	for (; length >= 32; length -= 32, bytes += 32) {
		const uint64_t a = load64(bytes), b = load64(bytes + 8);
		const uint64_t c = load64(bytes + 16), d = load64(bytes + 24);

		low += (a & 0xffffffff) + (b & 0xffffffff) + (c & 0xffffffff) + (d & 0xffffffff);
		high += (a >> 32) + (b >> 32) + (c >> 32) + (d >> 32);
	}
	for (; length >= 8; length -= 8, bytes += 8) {
		low += load64(bytes) & 0xffffffff;
		high += load64(bytes) >> 32;
	}
	memcpy(&rest, bytes, length);
	return low + high + (rest & 0xffffffff) + (rest >> 32);
}

uint64_t cksum_address(uint8_t family, const union addr *address)
{
	if (family == AF_INET)
		return address->v4;
	return (address->halves[0] & 0xffffffff) + (address->halves[0] >> 32) +
	       (address->halves[1] & 0xffffffff) + (address->halves[1] >> 32);
}

uint64_t cksum_pseudo(uint8_t family, const union addr *source, const union addr *destination,
	uint8_t protocol, uint32_t length)
{
	return cksum_address(family, source) + cksum_address(family, destination) +
	       htons(protocol) + htonl(length);
}
