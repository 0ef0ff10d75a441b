/* SPDX-License-Identifier: BSD-2-Clause */
/* embed: the table of RFC 6052, 2.4, both ways. */
#include "base/embed.h"

#include <criterion/criterion.h>

static union addr address(const char *text)
{
	union addr parsed;
	uint8_t family;

	cr_assert(addr_parse(text, &parsed, &family), "%s", text);
	return parsed;
}

Test(embed, rows)
{
	static const struct {
		const char *prefix, *v6;
	} rows[] = {
		{"2001:db8::/32", "2001:db8:c000:221::"},
		{"2001:db8:100::/40", "2001:db8:1c0:2:21::"},
		{"2001:db8:122::/48", "2001:db8:122:c000:2:2100::"},
		{"2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"},
		{"2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"},
		{"2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"},
		{"64:ff9b::/96", "64:ff9b::192.0.2.33"},
	};
	const union addr v4 = address("192.0.2.33");

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const union addr v6 = address(rows[i].v6);
		struct prefix prefix;
		union addr back;

		cr_assert_null(prefix_parse(rows[i].prefix, &prefix));
		cr_assert(embed_length_is_valid(prefix.length));
		const union addr made = embed_address(&prefix, &v4);
		cr_expect(addr_equal(&made, &v6), "%s", rows[i].prefix);
		cr_expect(embed_extract(&prefix, &v6, &back), "%s", rows[i].prefix);
		cr_expect(addr_equal(&back, &v4), "%s", rows[i].prefix);
	}
	cr_expect_eq(embed_well_known.length, 96);
	const union addr well_known = embed_address(&embed_well_known, &v4);
	const union addr expected = address("64:ff9b::192.0.2.33");
	cr_expect(addr_equal(&well_known, &expected));
}

Test(embed, what_is_not_zero_is_no_such_address)
{
	static const char *const texts[] = {
		"2001:db8:122:344:1c0:2:2100::", "2001:db8:122:344:c0:2:2100:1",
		"2001:db8:122:344:c0:2:2101::", "2001:db8:122:345:c0:2:2100::"};
	struct prefix prefix;
	union addr v4;

	cr_assert_null(prefix_parse("2001:db8:122:344::/64", &prefix));
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const union addr v6 = address(texts[i]);
		cr_expect_not(embed_extract(&prefix, &v6, &v4), "%s", texts[i]);
	}
}

Test(embed, lengths)
{
	for (unsigned length = 0; length <= 128; length++) {
		const bool valid = length == 32 || length == 40 || length == 48 || length == 56 ||
				   length == 64 || length == 96;
		cr_expect_eq(embed_length_is_valid(length), valid, "/%u", length);
	}
}
