/* SPDX-License-Identifier: BSD-2-Clause */
/* addr: texts of addresses and prefixes, membership, kinds of addresses. */
#include "base/addr.h"

#include <criterion/criterion.h>
#include <string.h>

static union addr must_parse(const char *text, uint8_t *family)
{
	union addr address;

	cr_assert(addr_parse(text, &address, family), "%s", text);
	return address;
}

Test(addr, reads_back_what_it_prints)
{
	static const char *const texts[] = {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1",
		"2001:db8::1", "fe80::1:2:3:4", "::ffff:192.0.2.1"};
	char buffer[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		uint8_t family;
		const union addr address = must_parse(texts[i], &family);

		cr_expect_eq(family, strchr(texts[i], ':') ? AF_INET6 : AF_INET);
		cr_expect_str_eq(addr_format(family, &address, buffer), texts[i]);
	}
}

Test(addr, refuses_what_is_no_address)
{
	static const char *const texts[] = {"", " ", "1.2.3", "1.2.3.4 ", " 1.2.3.4", "1.2.3.256",
		"1.2.3.4.5", "01.2.3.4x", ":::", "2001:db8::1::2", "fe80::1%eth0", "localhost"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		union addr address = addr_v4(9, 9, 9, 9);
		uint8_t family = 77;

		cr_expect_not(addr_parse(texts[i], &address, &family), "%s", texts[i]);
		cr_expect_eq(family, 77);
		cr_expect_eq(address.bytes[0], 9);
	}
}

Test(addr, ipv4_fills_the_rest_with_zeros)
{
	union addr address;
	uint8_t family;

	memset(&address, 0xff, sizeof(address));
	cr_assert(addr_parse("192.0.2.1", &address, &family));
	const union addr same = addr_v4(192, 0, 2, 1);
	cr_expect(addr_equal(&address, &same));
}

Test(addr, prints_ports)
{
	char buffer[ADDR_TEXT_SIZE];
	uint8_t family;
	union addr address = must_parse("192.0.2.1", &family);

	cr_expect_str_eq(addr_port_format(family, &address, 80, buffer), "192.0.2.1:80");
	address = must_parse("2001:db8::1", &family);
	cr_expect_str_eq(addr_port_format(family, &address, 65535, buffer), "[2001:db8::1]:65535");
	address = must_parse("2001:db8:1111:2222:3333:4444:5555:6666", &family);
	cr_expect_str_eq(addr_port_format(family, &address, 65535, buffer),
		"[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
}

Test(prefix, reads_back_what_it_prints)
{
	static const char *const texts[] = {"0.0.0.0/0", "10.0.0.0/8", "10.77.0.4/30",
		"192.0.2.1/32", "::/0", "2001:db8::/32", "fd00:0:0:8000::/49", "::1/128"};
	char buffer[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct prefix prefix;

		cr_expect_null(prefix_parse(texts[i], &prefix), "%s", texts[i]);
		cr_expect_str_eq(prefix_format(&prefix, buffer), texts[i]);
	}
}

Test(prefix, says_what_is_wrong)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{"10.0.0.0/33", "over 32"},
		{"::/129", "over 128"},
		{"10.0.0.0/", "not a number"},
		{"10.0.0.0/x", "not a number"},
		{"10.0.0.0/-1", "not a number"},
		{"10.0.0.0/+8", "not a number"},
		{"10.0.0.0/0008", "not a number"},
		{"10.0.0.0/8/8", "not a number"},
		{"10.0.0/8", "not an IPv4"},
		{"/8", "not an IPv4"},
		{"10.0.0.1/8", "host bits"},
		{"2001:db8::1/64", "host bits"},
		{"2001:db8:1111:2222:3333:4444:5555:6666/128 and then some", "too long"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct prefix prefix;
		const char *problem = prefix_parse(rows[i].text, &prefix);

		cr_assert_not_null(problem, "%s", rows[i].text);
		cr_expect_not_null(strstr(problem, rows[i].word), "%s: %s", rows[i].text, problem);
	}
}

Test(prefix, address_with_its_network)
{
	struct prefix prefix;
	union addr address;
	char buffer[ADDR_TEXT_SIZE];

	cr_assert_null(prefix_parse_address("10.77.0.5/23", &prefix, &address));
	cr_expect_str_eq(addr_format(AF_INET, &address, buffer), "10.77.0.5");
	cr_expect_str_eq(prefix_format(&prefix, buffer), "10.77.0.0/23");
	cr_assert_null(prefix_parse_address("fd00::ff05/121", &prefix, &address));
	cr_expect_str_eq(prefix_format(&prefix, buffer), "fd00::ff00/121");
}

static bool contains(const char *prefix_text, const char *address_text)
{
	struct prefix prefix;
	uint8_t family;
	const union addr address = must_parse(address_text, &family);

	cr_assert_null(prefix_parse(prefix_text, &prefix));
	return prefix_contains(&prefix, family, &address);
}

Test(prefix, contains)
{
	cr_expect(contains("0.0.0.0/0", "255.1.2.3"));
	cr_expect(contains("10.0.0.0/8", "10.255.255.255"));
	cr_expect_not(contains("10.0.0.0/8", "11.0.0.0"));
	cr_expect(contains("10.77.0.4/30", "10.77.0.7"));
	cr_expect_not(contains("10.77.0.4/30", "10.77.0.8"));
	cr_expect_not(contains("10.77.0.4/30", "10.77.0.3"));
	cr_expect(contains("192.0.2.1/32", "192.0.2.1"));
	cr_expect_not(contains("192.0.2.1/32", "192.0.2.0"));
	cr_expect(contains("fd00:0:0:8000::/49", "fd00::ffff:1:2:3:4"));
	cr_expect_not(contains("fd00:0:0:8000::/49", "fd00::7fff:1:2:3:4"));
	cr_expect_not(contains("::/0", "10.0.0.1"), "families are apart");
	cr_expect_not(contains("0.0.0.0/0", "::1"), "families are apart");
}

static bool overlaps(const char *a_text, const char *b_text)
{
	struct prefix a, b;

	cr_assert_null(prefix_parse(a_text, &a));
	cr_assert_null(prefix_parse(b_text, &b));
	cr_expect_eq(prefix_overlaps(&a, &b), prefix_overlaps(&b, &a));
	return prefix_overlaps(&a, &b);
}

Test(prefix, overlaps)
{
	cr_expect(overlaps("10.0.0.0/8", "10.77.0.0/24"));
	cr_expect(overlaps("10.77.0.0/24", "10.77.0.0/24"));
	cr_expect_not(overlaps("10.77.0.0/24", "10.77.1.0/24"));
	cr_expect(overlaps("::/0", "2001:db8::/32"));
	cr_expect_not(overlaps("::/0", "0.0.0.0/0"));
}

static void expect_nth(const char *prefix_text, uint64_t n, const char *expected)
{
	struct prefix prefix;
	char buffer[ADDR_TEXT_SIZE];

	cr_assert_null(prefix_parse(prefix_text, &prefix));
	const union addr address = prefix_address(&prefix, n);
	cr_expect_str_eq(addr_format(prefix.family, &address, buffer), expected);
}

Test(prefix, nth_address)
{
	expect_nth("10.77.0.0/24", 0, "10.77.0.0");
	expect_nth("10.77.0.0/24", 255, "10.77.0.255");
	expect_nth("10.0.0.0/8", 0x10203, "10.1.2.3");
	expect_nth("192.0.2.252/30", 3, "192.0.2.255");
	expect_nth("0.0.0.0/0", 0xffffffff, "255.255.255.255");
	expect_nth("fd00::/64", 0xffffffffffffffff, "fd00::ffff:ffff:ffff:ffff");
	expect_nth("fd00::ff00/120", 0x10, "fd00::ff10");
}

#define MULTICAST  1
#define LOOPBACK   2
#define LINK_LOCAL 4
#define MARTIAN    8

static unsigned kinds(uint8_t family, const union addr *address)
{
	return (addr_is_multicast(family, address) ? MULTICAST : 0) |
	       (addr_is_loopback(family, address) ? LOOPBACK : 0) |
	       (addr_is_link_local(family, address) ? LINK_LOCAL : 0) |
	       (addr_is_martian(family, address) ? MARTIAN : 0);
}

Test(addr, kinds)
{
	static const struct {
		const char *text;
		unsigned kinds;
	} rows[] = {
		{"0.0.0.0", MARTIAN},
		{"0.0.0.1", 0}, /* unicast_extensions: the rest of 0/8 is ordinary */
		{"10.0.0.1", 0},
		{"126.255.255.255", 0},
		{"127.0.0.1", LOOPBACK | MARTIAN},
		{"127.255.255.255", LOOPBACK | MARTIAN},
		{"128.0.0.1", 0},
		{"169.253.255.255", 0},
		{"169.254.169.254", LINK_LOCAL},
		{"169.255.0.0", 0},
		{"223.255.255.255", 0},
		{"224.0.0.1", MULTICAST | MARTIAN},
		{"239.255.255.255", MULTICAST | MARTIAN},
		{"240.0.0.1", 0}, /* and so is 240/4 */
		{"255.255.255.254", 0},
		{"255.255.255.255", MARTIAN},
		{"::", MARTIAN},
		{"::1", LOOPBACK | MARTIAN},
		{"::2", MARTIAN},
		{"::127.0.0.1", MARTIAN},
		{"::ffff:10.77.0.2", MARTIAN},
		{"::1:0:0", 0},
		{"::ffff:0:0:0", 0},
		{"64:ff9b::1", 0},
		{"2001:db8::1", 0},
		{"fe7f::1", 0},
		{"fe80::1", LINK_LOCAL},
		{"febf::1", LINK_LOCAL},
		{"fec0::1", 0},
		{"ff02::1", MULTICAST | MARTIAN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t family;
		const union addr address = must_parse(rows[i].text, &family);

		cr_expect_eq(kinds(family, &address), rows[i].kinds, "%s", rows[i].text);
	}
}

Test(addr, lists_of_ports)
{
	const struct port_list list = {3, {{80, 80}, {1000, 1009}, {65535, 65535}}}, none = {0};
	char text[PORT_LIST_TEXT_SIZE];

	cr_expect_str_eq(port_list_format(&list, text), "80,1000-1009,65535");
	cr_expect_str_eq(port_list_format(&none, text), "");
	cr_expect_eq(port_list_size(&list), 12);
	cr_expect_eq(port_list_size(&none), 0);
	cr_expect_eq(port_list_at(&list, 0), 80);
	cr_expect_eq(port_list_at(&list, 1), 1000);
	cr_expect_eq(port_list_at(&list, 10), 1009);
	cr_expect_eq(port_list_at(&list, 11), 65535);
	cr_expect(port_list_has(&list, 1009));
	cr_expect_not(port_list_has(&list, 1010));
	cr_expect_not(port_list_has(&none, 80));
	cr_expect(port_list_overlaps(&list, (struct port_range){81, 1000}));
	cr_expect_not(port_list_overlaps(&list, (struct port_range){81, 999}));

	struct port_list longest = {.count = PORT_RANGES_MAX};
	for (unsigned i = 0; i < PORT_RANGES_MAX; i++)
		longest.range[i] =
			(struct port_range){(uint16_t)(20000 + 10 * i), (uint16_t)(20005 + 10 * i)};
	cr_expect_eq(strlen(port_list_format(&longest, text)), PORT_LIST_TEXT_SIZE - 1);
}

Test(addr, a_list_of_ports_without_others)
{
	static const struct {
		struct port_list list, other, left;
	} rows[] = {
		{{1, {{10, 19}}}, {0}, {1, {{10, 19}}}},
		{{1, {{10, 19}}}, {1, {{20, 29}}}, {1, {{10, 19}}}},
		{{1, {{10, 19}}}, {1, {{0, 9}}}, {1, {{10, 19}}}},
		{{1, {{10, 19}}}, {1, {{10, 19}}}, {0}},
		{{1, {{10, 19}}}, {1, {{5, 12}}}, {1, {{13, 19}}}},
		{{1, {{10, 19}}}, {1, {{15, 25}}}, {1, {{10, 14}}}},
		{{1, {{10, 19}}}, {2, {{12, 12}, {14, 15}}}, {3, {{10, 11}, {13, 13}, {16, 19}}}},
		{{2, {{10, 19}, {30, 39}}}, {1, {{15, 34}}}, {2, {{10, 14}, {35, 39}}}},
		{{1, {{0, 65535}}}, {1, {{65535, 65535}}}, {1, {{0, 65534}}}},
	};
	char text[PORT_LIST_TEXT_SIZE], wanted[PORT_LIST_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct port_list list = rows[i].list;

		cr_expect(port_list_subtract(&list, &rows[i].other));
		cr_expect_str_eq(
			port_list_format(&list, text), port_list_format(&rows[i].left, wanted));
	}
	struct port_list full = {PORT_RANGES_MAX, {{0}}};
	for (uint16_t i = 0; i < PORT_RANGES_MAX; i++)
		full.range[i] = (struct port_range){(uint16_t)(i * 10), (uint16_t)(i * 10 + 5)};
	cr_expect_not(port_list_subtract(&full, &(const struct port_list){1, {{2, 2}}}));
}
