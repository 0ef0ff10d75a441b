/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * siphash: SipHash-1-3 over 64-bit words (Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF"), the keyed hash of every table that an outsider can choose the keys of, and the source
 * of unguessable ports.
 */
#ifndef TUNGATE_BASE_SIPHASH_H
#define TUNGATE_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

#define SIPHASH_ROTATE(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define SIPHASH_ROUND(v0, v1, v2, v3)                                                              \
	do {                                                                                       \
		v0 += v1;                                                                          \
		v1 = SIPHASH_ROTATE(v1, 13);                                                       \
		v1 ^= v0;                                                                          \
		v0 = SIPHASH_ROTATE(v0, 32);                                                       \
		v2 += v3;                                                                          \
		v3 = SIPHASH_ROTATE(v3, 16);                                                       \
		v3 ^= v2;                                                                          \
		v0 += v3;                                                                          \
		v3 = SIPHASH_ROTATE(v3, 21);                                                       \
		v3 ^= v0;                                                                          \
		v2 += v1;                                                                          \
		v1 = SIPHASH_ROTATE(v1, 17);                                                       \
		v1 ^= v2;                                                                          \
		v2 = SIPHASH_ROTATE(v2, 32);                                                       \
	} while (0)

/* Hash `count` words.  Inline, so that a constant count unrolls. */
static inline uint64_t siphash_words(
	const struct siphash_key *key, const uint64_t *words, size_t count)
{
	uint64_t v0 = key->k0 ^ 0x736f6d6570736575ULL, v1 = key->k1 ^ 0x646f72616e646f6dULL;
	uint64_t v2 = key->k0 ^ 0x6c7967656e657261ULL, v3 = key->k1 ^ 0x7465646279746573ULL;

	for (size_t i = 0; i < count; i++) {
		v3 ^= words[i];
		SIPHASH_ROUND(v0, v1, v2, v3);
		v0 ^= words[i];
	}
	const uint64_t last = (uint64_t)count << 59; /* byte length modulo 256 in the top byte */
	v3 ^= last;
	SIPHASH_ROUND(v0, v1, v2, v3);
	v0 ^= last;
	v2 ^= 0xff;
	SIPHASH_ROUND(v0, v1, v2, v3);
	SIPHASH_ROUND(v0, v1, v2, v3);
	SIPHASH_ROUND(v0, v1, v2, v3);
	return v0 ^ v1 ^ v2 ^ v3;
}

#endif
