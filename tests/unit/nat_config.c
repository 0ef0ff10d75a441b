/* SPDX-License-Identifier: BSD-2-Clause */
/* nat_config: the lines of [nat], what they mean and what is wrong with them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tungate/config.h"

#define BASE                                                                                       \
	"[network lab]\nsubnet = 10.1.0.0/24, fd01::/64\n[link web]\nnetns = a\nnetwork = lab\n"   \
	"address = 10.1.0.5, fd01::5\n[link four]\nnetns = b\nnetwork = lab\naddress = 10.1.0.6\n" \
	"[link none]\nnetns = c\nnetwork = lab\n[nat]\n"

static struct config *must_parse(const char *lines)
{
	struct config_errors errors;
	char text[4096];

	snprintf(text, sizeof(text), BASE "%s\n", lines);
	struct config *config = config_parse("t", text, &errors);
	cr_assert_not_null(config, "%s", errors.count > 0 ? errors.text[0] : "memory");
	return config;
}

static void expect_range(
	const struct addr_range *range, uint8_t family, const char *first, const char *last)
{
	char text[ADDR_TEXT_SIZE];

	cr_expect_eq(range->family, family);
	cr_expect_str_eq(addr_format(family, &range->first, text), first);
	cr_expect_str_eq(addr_format(family, &range->last, text), last);
}

Test(nat_config, sources)
{
	struct config *config = must_parse(
		"masquerade = in lab out uplink proto udp -> :61000-61499,63000-63499\n"
		"snat = in lab -> 192.0.2.5-192.0.2.8:2048-4095,1024-1500,[2001:db8::5]:5000\n"
		"snat = -> 2001:db8::6, 192.0.2.9");
	const struct nat_rule *rule = config->nat.rule;

	cr_assert_eq(config->nat.count, 3);
	cr_expect_eq(rule[0].target_count, 1);
	cr_expect_eq(rule[0].target[0].ports.count, 2);
	cr_expect_eq(rule[0].target[0].ports.range[1].last, 63499);
	cr_expect_str_eq(
		rule[0].match.text, "in lab out uplink proto udp -> :61000-61499,63000-63499");
	cr_assert_eq(rule[1].target_count, 2);
	expect_range(&rule[1].target[0].addresses, AF_INET, "192.0.2.5", "192.0.2.8");
	cr_expect_eq(rule[1].target[0].ports.count, 2);
	cr_expect_eq(rule[1].target[0].ports.range[0].first, 1024, "sorted");
	expect_range(&rule[1].target[1].addresses, AF_INET6, "2001:db8::5", "2001:db8::5");
	cr_expect_eq(rule[1].target[1].ports.range[0].first, 5000);
	cr_assert_eq(rule[2].target_count, 2);
	cr_expect_eq(rule[2].target[0].ports.count, 0);
	config_free(config);
}

Test(nat_config, destinations)
{
	struct config *config = must_parse(
		"no-dnat = from 198.51.100.0/24\n"
		"dnat = in uplink proto tcp port 80,443 -> web, four, 10.1.0.20-10.1.0.29:8080\n"
		"dnat = in uplink proto udp port 5000-5009 -> four:7000-7009\n"
		"dnat = to 192.0.2.7 -> [fd01::7]-[fd01::9]");
	const struct nat_rule *rule = config->nat.rule;

	cr_assert_eq(config->nat.count, 4);
	cr_expect_eq(rule[0].kind, NAT_NO_DNAT);
	cr_assert_eq(rule[1].target_count, 4, "a name is both its addresses");
	expect_range(&rule[1].target[0].addresses, AF_INET, "10.1.0.5", "10.1.0.5");
	expect_range(&rule[1].target[1].addresses, AF_INET6, "fd01::5", "fd01::5");
	expect_range(&rule[1].target[3].addresses, AF_INET, "10.1.0.20", "10.1.0.29");
	cr_expect_eq(rule[1].target[3].ports.range[0].first, 8080);
	cr_expect_eq(rule[2].target[0].ports.range[0].last, 7009);
	expect_range(&rule[3].target[0].addresses, AF_INET6, "fd01::7", "fd01::9");
	config_free(config);
}

Test(nat_config, redirects)
{
	struct config *config = must_parse("redirect = in lab proto tcp port 80 -> :3128\n"
					   "redirect = in lan proto tcp port 443 -> host:3129 "
					   "proxy-protocol\n"
					   "redirect = proto tcp port 25 -> web:2525\n"
					   "redirect = in lab proto udp port 53 -> 10.1.0.1:5353");
	const struct nat_rule *rule = config->nat.rule;

	cr_expect_eq(rule[0].target[0].addresses.family, 0);
	cr_expect_eq(rule[0].target[0].ports.range[0].first, 3128);
	cr_expect_not(rule[0].proxy_protocol);
	cr_expect_eq(rule[1].target[0].addresses.family, 0);
	cr_expect(rule[1].proxy_protocol);
	cr_expect_eq(rule[2].target_count, 2);
	cr_expect_eq(rule[2].target[0].addresses.family, AF_INET);
	cr_expect_eq(rule[3].target[0].addresses.family, 0, "the gateway's own address");
	config_free(config);
}

Test(nat_config, maps_and_what_is_owned)
{
	struct config *config =
		must_parse("map = 10.1.0.32/28 <-> 192.0.2.32/28\n"
			   "snat = -> 192.0.2.1,192.0.2.9:5000-5001\n"
			   "npt = fd01::/64 <-> 2001:db8:0:1::/64\n"
			   "dnat = in uplink to 192.0.2.7 proto tcp port 80,90-91 -> web\n"
			   "dnat = in uplink proto tcp port 81 -> web\n"
			   "dnat = to 192.0.2.7 -> web\n"
			   "dnat = in lab proto tcp port 82 -> web\n"
			   "dnat = in uplink to not 192.0.2.7 -> web\n"
			   "masquerade =");
	static const struct {
		const char *first, *last;
		bool whole;
		uint16_t port;
	} expected[] = {{"192.0.2.32", "192.0.2.47", true, 0},
		{"192.0.2.1", "192.0.2.1", false, 61000}, {"192.0.2.9", "192.0.2.9", false, 5000},
		{"2001:db8:0:1::", "2001:db8:0:1:ffff:ffff:ffff:ffff", true, 0},
		{"192.0.2.7", "192.0.2.7", false, 80}, {NULL, NULL, false, 81},
		{"192.0.2.7", "192.0.2.7", false, 1}};
	struct nat_owned owned;
	unsigned cursor = 0, n = 0;

	while (config_nat_owned(config, &cursor, &owned)) {
		cr_assert_lt(n, 7);
		cr_expect_eq(owned.host_only, n == 6);
		if (expected[n].first != NULL)
			expect_range(&owned.addresses, n == 3 ? AF_INET6 : AF_INET,
				expected[n].first, expected[n].last);
		else
			cr_expect_eq(owned.addresses.family, 0);
		cr_expect_eq(owned.whole, expected[n].whole);
		cr_expect(owned.whole || owned.ports.range[0].first == expected[n].port);
		n++;
	}
	cr_expect_eq(n, 7);
	config_free(config);
}

/* One mistake each, and what is said about it. */
static const struct {
	const char *line, *said;
} rows[] = {
	{"masquerade = in lab -> 192.0.2.1", "allowed: :PORTS"},
	{"masquerade = in lab -> :80", "port 80: allowed: some of 61000-65535"},
	{"masquerade = in lab ->", "nothing behind `->`: allowed: :PORTS"},
	{"masquerade = in lab -> :61000 :61001", "behind the targets: allowed: nothing"},
	{"masquerade = in lab -> :61000,61000", "each port once"},
	{"masquerade = in uplink", "masquerading is for what guests send"},
	{"masquerade = out lan", "`out uplink`"},
	{"no-masquerade = in lab -> :1", "allowed: a match alone"},
	{"snat = in lab", "no target: allowed: `->`"},
	{"snat = in lab -> web", "bad target `web`: allowed: ADDRESS"},
	{"snat = in lab -> 10.1.0.9", "is of a network of guests"},
	{"snat = in lab -> 127.0.0.1", "others can answer to"},
	{"snat = in lab -> 192.0.2.9-192.0.2.1", "the lower first"},
	{"snat = in lab -> 192.0.2.9-2001:db8::1", "bad target"},
	{"snat = in lab -> 192.0.2.0-192.0.2.32", "at most 32 addresses"},
	{"snat = in lab -> 192.0.2.1:1-2-3", "bad port"},
	{"snat = in lab -> 192.0.2.1:1,3,5,7,9,11,13,15,17", "at most 8 ranges"},
	{"snat = in lab -> 192.0.2.1:80\n[forwards]\ntcp 80 = web",
		"`snat = in lab -> 192.0.2.1:80`"},
	{"snat = -> 192.0.2.1:80\n[forwards]\ntcp 192.0.2.1:70-90 = web", "gives away"},
	{"dnat = in uplink proto tcp port 80 -> 192.0.2.9", "allowed: a guest's address"},
	{"dnat = in uplink proto tcp port 80 -> 10.1.0.1", "is the gateway itself"},
	{"dnat = in uplink proto tcp port 80 -> 10.1.0.255", "is no guest's"},
	{"dnat = in uplink proto tcp port 80 -> 10.1.0.9-10.2.0.1", "target 10.2.0.1"},
	{"dnat = in uplink proto tcp port 80 -> 10.1.0.9-10.1.0.8", "the lower address first"},
	{"dnat = in uplink proto tcp port 80 -> wbe", "did you mean `web`?"},
	{"dnat = in uplink proto tcp port 80 -> none", "link `none` has no address"},
	{"dnat = in uplink proto tcp port 80 -> :80", "bad target `:80`"},
	{"dnat = in uplink proto tcp port 80 -> web:0", "bad port"},
	{"dnat = in uplink proto tcp port 80 -> web:80-81", "as many as the one range"},
	{"dnat = in uplink proto tcp port 80,90 -> web:80-81", "as many as the one range"},
	{"dnat = in uplink proto tcp port 1-3 -> web:1-2", "as many as the one range"},
	{"dnat = in uplink -> web:80", "needs `proto tcp`"},
	{"dnat = in uplink out lan -> web", "unknown word `out`"},
	{"dnat = in uplink -> web, web, web, web, web, web, web, web, web", "too many targets"},
	{"dnat = in uplink -> [10.1.0.5]", "unknown guest"},
	{"dnat = in uplink -> [fd01::5]x", "bad target"},
	{"redirect = in lab proto tcp -> web", "allowed: :PORT, host:PORT"},
	{"redirect = in lab -> :80", "`redirect` needs `proto tcp`"},
	{"redirect = proto tcp -> :80", "allowed: `in lan` or a network's name"},
	{"redirect = in not lan proto tcp -> host:80", "allowed: `in lan` or a network's name"},
	{"dnat = in uplink proto tcp port not 1-3 -> web:1-3", "as many as the one range"},
	{"redirect = in uplink proto tcp -> host:80", "allowed: `in lan` or a network's name"},
	{"redirect = in lab proto tcp -> :80,:81", "one program of the host"},
	{"redirect = in lab proto udp -> :80 proxy-protocol", "needs `proto tcp`"},
	{"redirect = in lab proto tcp -> web:80 proxy-protocol", "the client's own address"},
	{"redirect = in lab proto tcp -> :80 proxy", "allowed: proxy-protocol"},
	{"redirect = in lab proto tcp -> :80 proxy-protocol x", "behind `proxy-protocol`"},
	{"map = 10.1.0.5", "INSIDE <-> OUTSIDE"},
	{"map = 10.1.0.5 -> 192.0.2.5", "INSIDE <-> OUTSIDE"},
	{"map = 10.1.0.5 <-> 192.0.2.5 x", "INSIDE <-> OUTSIDE"},
	{"map = 10.1.0.5 <-> x", "bad prefix `x`"},
	{"map = 10.1.0.5 <-> 2001:db8::5", "of one family and of equal length"},
	{"map = 10.1.0.0/28 <-> 192.0.2.0/29", "equal length"},
	{"map = 10.1.0.1 <-> 192.0.2.1", "is the gateway itself"},
	{"map = 10.0.0.0/8 <-> 11.0.0.0/8", "addresses of one of the networks"},
	{"map = 192.0.2.5 <-> 10.1.0.5", "first the inside"},
	{"map = 10.1.0.5 <-> 10.1.0.6", "of a network of guests"},
	{"map = 10.1.0.5 <-> 224.0.0.1", "others can answer to"},
	{"map = 10.1.0.5 <-> 192.0.2.5\nmap = 10.1.0.0/28 <-> 192.0.2.16/28", "each address once"},
	{"map = 10.1.0.5 <-> 192.0.2.5\nmap = 10.1.0.6 <-> 192.0.2.5", "each address once"},
	{"map = 10.1.0.5 <-> 192.0.2.5\nsnat = -> 192.0.2.1-192.0.2.9", "to its guest alone"},
	{"npt = 10.1.0.0/24 <-> 192.0.2.0/24", "IPv6 prefixes of at most /112"},
	{"npt = fd01::/120 <-> 2001:db8::/120", "IPv6 prefixes of at most /112"},
	{"masquerade = in lab\n[network b]\nsubnet = 10.9.0.0/16\nport-block = 4",
		"blocks of 4 ports for 65536 addresses"},
	{"masquerade = in lab\n[network b]\nsubnet = 10.9.0.0/29\nport-block = 4\n"
	 "[network c]\nsubnet = 10.9.1.0/29\nport-block = 8",
		"blocks of one size"},
};

Test(nat_config, mistakes)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_errors errors;
		char text[4096];

		snprintf(text, sizeof(text), BASE "%s\n", rows[i].line);
		struct config *config = config_parse("t", text, &errors);
		cr_expect_null(config, "`%s` is accepted", rows[i].line);
		config_free(config);
		cr_expect_eq(errors.count, 1, "`%s`: %u errors", rows[i].line, errors.count);
		if (errors.count > 0)
			cr_expect(strstr(errors.text[0], rows[i].said), "`%s`\nsaid: %s",
				rows[i].line, errors.text[0]);
		config_errors_free(&errors);
	}
}
