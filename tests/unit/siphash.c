/* SPDX-License-Identifier: BSD-2-Clause */
/* siphash: against the paper's algorithm with its published vector. */
#include "base/siphash.h"

#include <criterion/criterion.h>
#include <string.h>

#include "../support/packets.h"

static uint64_t rotate(uint64_t x, unsigned b)
{
	return x << b | x >> (64 - b);
}

static void rounds(uint64_t v[4], unsigned count)
{
	while (count-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

/* SipHash-c-d over bytes, as the paper has it. */
static uint64_t reference(
	const struct siphash_key *key, const uint8_t *bytes, size_t length, unsigned c, unsigned d)
{
	uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d,
		key->k0 ^ 0x6c7967656e657261, key->k1 ^ 0x7465646279746573};

	for (size_t at = 0; at <= length; at += 8) {
		uint64_t word = 0;

		if (length - at >= 8)
			memcpy(&word, bytes + at, 8);
		else
			memcpy(&word, bytes + at, length - at);
		if (length - at < 8)
			word |= (uint64_t)length << 56;
		v[3] ^= word;
		rounds(v, c);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	rounds(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

Test(siphash, the_reference_is_right)
{
	/* Appendix A of the paper. */
	const struct siphash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t bytes[15];

	for (uint8_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	cr_expect_eq(reference(&key, bytes, sizeof(bytes), 2, 4), 0xa129ca6149be45e5);
}

Test(siphash, words_equal_the_reference)
{
	uint64_t words[9], seed = 2;

	for (unsigned count = 0; count <= 9; count++) {
		for (unsigned i = 0; i < 1000; i++) {
			const struct siphash_key key = {test_random(&seed), test_random(&seed)};

			for (unsigned j = 0; j < count; j++)
				words[j] = test_random(&seed);
			cr_expect_eq(siphash_words(&key, words, count),
				reference(&key, (const uint8_t *)words, 8UL * count, 1, 3));
		}
	}
}
