/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npt: the examples of RFC 6296, and what holds for every address: there and back is where one
 * was, and the sum stays the same.
 */
#include "engine/npt.h"

#include <criterion/criterion.h>

#include "../support/packets.h"
#include "base/cksum.h"

static struct prefix prefix(const char *text)
{
	struct prefix parsed;

	cr_assert_null(prefix_parse(text, &parsed));
	return parsed;
}

struct row {
	const char *inside, *outside; /* prefixes */
	const char *address, *mapped; /* NULL: there is none */
};

/* clang-format off */
static const struct row rows[] = {
	/* RFC 6296, 2.1 and appendix B */
	{"fd01:203:405::/48", "2001:db8:1::/48", "fd01:203:405:1::1234", "2001:db8:1:d550::1234"},
	/* the word that is added to becomes 0, never ffff */
	{"fd00:0:1::/48", "fd00:0:2::/48", "fd00:0:1:1::5", "fd00:0:2:0::5"},
	{"fd00:0:1::/48", "fd00:0:2::/48", "fd00:0:1:0::5", "fd00:0:2:fffe::5"},
	/* one word cannot be told from zero */
	{"fd00:0:1::/48", "fd00:0:2::/48", "fd00:0:1:ffff::5", NULL},
	/* /64: the first word of the identifier, or the next that is not ffff */
	{"fd77:7467:0:1::/64", "2001:db8:5::/64", "fd77:7467:0:1::2", "2001:db8:5:0:4422::2"},
	{"fd00:0:0:1::/64", "fd00:0:0:2::/64", "fd00:0:0:1:ffff:5::", "fd00:0:0:2:ffff:4::"},
	{"fd00:0:0:1::/64", "fd00:0:0:2::/64", "fd00:0:0:1:ffff:ffff:ffff:9", "fd00:0:0:2:ffff:ffff:ffff:8"},
	{"fd00:0:0:1::/64", "fd00:0:0:2::/64", "fd00:0:0:1:ffff:ffff:ffff:ffff", NULL},
	/* between words, and inside the identifier */
	{"fd00:0:0:10::/60", "fd00:0:0:20::/60", "fd00:0:0:1f::", "fd00:0:0:2f:ffef::"},
	{"fd00::100:0:0:0/80", "fd00::200:0:0:0/80", "fd00::100:5:0:0", "fd00::200:ff04:0:0"},
	{"fd00::/32", "fd01::/32", "fd00:0:7:8:9::1", "fd01:0:7:7:9::1"},
};
/* clang-format on */

Test(npt, rows)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct prefix inside = prefix(rows[i].inside),
				    outside = prefix(rows[i].outside);
		char text[ADDR_TEXT_SIZE];
		union addr address;
		uint8_t family;

		cr_assert(addr_parse(rows[i].address, &address, &family));
		cr_assert(prefix_contains(&inside, AF_INET6, &address), "row %u", i);
		const bool mapped = npt_map(&inside, &outside, &address);
		cr_expect_eq(mapped, rows[i].mapped != NULL, "row %u", i);
		if (!mapped)
			continue;
		union addr expected;
		cr_assert(addr_parse(rows[i].mapped, &expected, &family));
		cr_expect(addr_equal(&address, &expected), "row %u: %s", i,
			addr_format(AF_INET6, &address, text));
		cr_assert(npt_map(&outside, &inside, &address));
		cr_assert(addr_parse(rows[i].address, &expected, &family));
		cr_expect(addr_equal(&address, &expected), "row %u back: %s", i,
			addr_format(AF_INET6, &address, text));
	}
}

static union addr random_address(uint64_t *seed)
{
	union addr address = {.halves = {test_random(seed), test_random(seed)}};

	if (test_random(seed) % 2)
		address.words[4 + test_random(seed) % 4] = test_random(seed) % 2 ? 0xffff : 0;
	return address;
}

static struct prefix random_prefix(uint64_t *seed, uint8_t length)
{
	struct prefix made = {.family = AF_INET6, .length = length};
	const union addr bits = random_address(seed);

	for (unsigned bit = 0; bit < length; bit++)
		made.base.bytes[bit / 8] |= (uint8_t)(bits.bytes[bit / 8] & 0x80 >> bit % 8);
	return made;
}

Test(npt, there_and_back_with_the_same_sum)
{
	uint64_t seed = 11;
	unsigned mapped = 0;

	for (unsigned i = 0; i < 100000; i++) {
		const uint8_t length = (uint8_t)(1 + test_random(&seed) % NPT_PREFIX_MAX);
		const struct prefix a = random_prefix(&seed, length);
		const struct prefix b = random_prefix(&seed, length);
		union addr address = random_address(&seed);

		for (unsigned bit = 0; bit < length; bit++) {
			const uint8_t mask = (uint8_t)(0x80 >> bit % 8);
			address.bytes[bit / 8] = (uint8_t)((address.bytes[bit / 8] & ~mask) |
							   (a.base.bytes[bit / 8] & mask));
		}
		union addr there = address;
		if (!npt_map(&a, &b, &there))
			continue;
		mapped++;
		cr_assert(prefix_contains(&b, AF_INET6, &there), "/%u", length);
		/* ffff and 0 are the same sum */
		cr_assert_eq(cksum_fold(cksum_address(AF_INET6, &address)) % 0xffff,
			cksum_fold(cksum_address(AF_INET6, &there)) % 0xffff, "/%u", length);
		cr_assert(npt_map(&b, &a, &there));
		cr_assert(addr_equal(&address, &there), "/%u", length);
	}
	cr_expect_gt(mapped, 90000);
}
