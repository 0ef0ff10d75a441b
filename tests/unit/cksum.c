/* SPDX-License-Identifier: BSD-2-Clause */
/* cksum: sums against a slow one, deltas against recomputing. */
#include "base/cksum.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../support/packets.h"

/* RFC 1071 word by word, in the order of memory. */
static uint16_t slow_sum(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return htons((uint16_t)sum);
}

static uint64_t seed = 1;

static void fill(uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)test_random(&seed);
}

Test(cksum, rfc1071_example)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	cr_expect_eq(cksum_fold(cksum_add(bytes, sizeof(bytes), 0)), htons(0xddf2));
}

Test(cksum, any_length_at_any_address)
{
	for (size_t length = 0; length < 300; length++) {
		for (size_t at = 0; at < 8; at++) {
			uint8_t *bytes = malloc(at + length); /* of the exact size, for ASan */

			fill(bytes, at + length);
			cr_expect_eq(cksum_fold(cksum_add(bytes + at, length, 0)),
				slow_sum(bytes + at, length), "%zu at %zu", length, at);
			free(bytes);
		}
	}
}

Test(cksum, carries_are_not_lost)
{
	static uint8_t bytes[PACKET_BYTES_MAX];

	memset(bytes, 0xff, sizeof(bytes));
	cr_expect_eq(cksum_fold(cksum_add(bytes, sizeof(bytes) - 1, UINT64_MAX)), 0xffff);
	fill(bytes, sizeof(bytes));
	cr_expect_eq(
		cksum_fold(cksum_add(bytes, sizeof(bytes), 0)), slow_sum(bytes, sizeof(bytes)));
}

Test(cksum, starts_from_a_sum)
{
	uint8_t bytes[64];

	fill(bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut += 2) {
		const uint64_t head = cksum_add(bytes, cut, 0);

		cr_expect_eq(cksum_fold(cksum_add(bytes + cut, sizeof(bytes) - cut, head)),
			slow_sum(bytes, sizeof(bytes)));
	}
}

Test(cksum, folds_everything)
{
	cr_expect_eq(cksum_fold(0), 0);
	cr_expect_eq(cksum_fold(0x10000), 1);
	cr_expect_eq(cksum_fold(UINT32_MAX), 0xffff);
	cr_expect_eq(cksum_fold(UINT64_MAX), 0xffff);
	cr_expect_eq(cksum_fold(0xffffffff00000001), 1);
	cr_expect_eq(cksum_fold(0xfffffffe0001ffff), 0xffff);
}

Test(cksum, ipv4_header_with_and_without_options)
{
	uint8_t header[60];

	fill(header, sizeof(header));
	for (size_t length = 20; length <= sizeof(header); length += 4)
		cr_expect_eq(cksum_fold(cksum_ipv4_header(header, length)),
			slow_sum(header, length), "%zu", length);
}

Test(cksum, pseudo_headers)
{
	union addr source, destination;
	uint8_t family;

	addr_parse("192.0.2.1", &source, &family);
	addr_parse("198.51.100.7", &destination, &family);
	static const uint8_t v4[] = {192, 0, 2, 1, 198, 51, 100, 7, 0, 6, 0x12, 0x34};
	cr_expect_eq(cksum_fold(cksum_pseudo(family, &source, &destination, 6, 0x1234)),
		slow_sum(v4, sizeof(v4)));

	addr_parse("2001:db8::1", &source, &family);
	addr_parse("fd00:1:2:3:4:5:6:7", &destination, &family);
	uint8_t v6[40] = {[33] = 1, [34] = 0x12, [35] = 0x34, [39] = 58};
	memcpy(v6, &source, 16);
	memcpy(v6 + 16, &destination, 16);
	cr_expect_eq(cksum_fold(cksum_pseudo(family, &source, &destination, 58, 0x11234)),
		slow_sum(v6, sizeof(v6)));
}

/* Replace a random word of a random block many times: the updated checksum stays the computed one.
 */
Test(cksum, deltas_equal_recomputing)
{
	be16 words[20];

	fill((uint8_t *)words, sizeof(words));
	words[0] |= 1; /* a sum of zero has two spellings; no packet sums to zero */
	be16 complete = (be16)~slow_sum((uint8_t *)words, sizeof(words));
	be16 partial = slow_sum((uint8_t *)words, sizeof(words));
	for (unsigned i = 0; i < 200000; i++) {
		const size_t at = 1 + test_random(&seed) % 19;
		/* Often the special values. */
		const be16 value = i % 3 ? (be16)test_random(&seed) : (be16)(0 - i / 3 % 2);
		const uint16_t delta = cksum_delta(words[at], value);

		words[at] = value;
		complete = cksum_apply(complete, delta);
		partial = cksum_apply_partial(partial, delta);
		cr_assert_eq(complete, (be16)~slow_sum((uint8_t *)words, sizeof(words)));
		cr_assert_eq(partial, slow_sum((uint8_t *)words, sizeof(words)));
	}
}
