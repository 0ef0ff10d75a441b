/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_id: a counter under a keyed permutation: four Feistel rounds (Luby and Rackoff, "How to
 * construct pseudorandom permutations", 1988) over the low bits, the high ones being part of the
 * key, so that each turn of the counter has an order of its own.
 */
#include "engine/ip_id.h"

#include <sys/socket.h>

#define ROUNDS 4

static uint32_t permute(const struct siphash_key *key, uint64_t pair, uint64_t count, unsigned bits)
{
	const uint32_t mask = (1U << bits) - 1;
	const uint64_t turn = count >> 2 * bits;
	uint32_t left = (uint32_t)(count >> bits) & mask, right = (uint32_t)count & mask;

	for (unsigned round = 0; round < ROUNDS; round++) {
		const uint64_t words[] = {pair + turn, (uint64_t)round << 32 | right};
		const uint32_t mixed = left ^ ((uint32_t)siphash_words(key, words, 2) & mask);

		left = right;
		right = mixed;
	}
	return left << bits | right;
}

uint32_t ip_id_next(struct ip_ids *ids, uint8_t family, const union addr *source,
	const union addr *destination, uint8_t protocol)
{
	const uint64_t words[] = {source->halves[0], source->halves[1], destination->halves[0],
		destination->halves[1], protocol};
	const uint64_t pair = siphash_words(&ids->key, words, 5);
	const uint64_t count = ids->counter[pair % IP_ID_COUNTERS]++;

	return permute(&ids->key, pair, count, family == AF_INET ? 8 : 16);
}
