/* SPDX-License-Identifier: BSD-2-Clause */
/* rule: the language of rules: what each word means, and which rules are refused with which reason.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rule.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config *config;

static void networks_make(void)
{
	struct config_errors errors;

	config = config_parse("test",
		"[network lab]\nsubnet = 10.77.0.0/24\n[network work]\nsubnet = 10.78.0.0/24\n"
		"[sets]\npeers = 192.0.2.1, 2001:db8::/32\nweb = 80, 443\nnothing =\n"
		"[link db]\nnetwork = lab\nnetns = db\naddress = 10.77.0.2\n"
		"[link any-address]\nnetwork = lab\nnetns = x\n"
		"[chain a]\n[chain b]\n",
		&errors);
	cr_assert_not_null(config);
}

static void networks_free(void)
{
	config_free(config);
}

TestSuite(rule, .init = networks_make, .fini = networks_free);

static struct rule parse_in(enum rule_place place, const char *text)
{
	char error[SENTENCE_SIZE] = "";
	const struct sentence why = {error, sizeof(error)};
	struct rule rule;

	cr_assert(rule_parse(config, place, text, &rule, &why), "%s: %s", text, error);
	cr_assert_str_eq(rule.text, text);
	return rule;
}

static struct rule parse(const char *text)
{
	return parse_in(PLACE_FORWARD, text);
}

Test(rule, an_action_alone_matches_everything)
{
	static const char *const actions[] = {
		"accept", "drop", "reject", "log", "jump a", "return"};

	for (unsigned i = 0; i < COUNT(actions); i++) {
		const struct rule rule = parse(actions[i]);

		cr_expect_eq(rule.action, i); /* the order of enum rule_action */
		cr_expect_eq(rule.words, 0);
	}
}

Test(rule, sides_are_lan_uplink_or_a_network)
{
	struct rule rule = parse("accept in lan out uplink");

	cr_expect_eq(rule.in.kind, SIDE_LAN);
	cr_expect_eq(rule.out.kind, SIDE_UPLINK);
	rule = parse("accept in work out any");
	cr_expect_eq(rule.in.kind, SIDE_NETWORK);
	cr_expect_eq(rule.in.network, 1);
	cr_expect_eq(rule.words, RULE_WORD(WORD_IN));
}

Test(rule, states_add_up)
{
	cr_expect_eq(parse("accept state established,related").states,
		RULE_STATE_ESTABLISHED | RULE_STATE_RELATED);
	cr_expect_eq(parse("drop state new , invalid").states, RULE_STATE_NEW | RULE_STATE_INVALID);
}

static void expect_range(const struct addr_range *range, const char *text)
{
	char buffer[ADDR_RANGE_TEXT_SIZE];

	cr_expect_str_eq(addr_range_format(range, buffer), text);
}

Test(rule, prefixes_of_both_families_share_a_list)
{
	const struct rule rule = parse("reject from 10.0.0.0/8, fe80::/10 to any");

	cr_expect_eq(rule.from.count, 2);
	expect_range(&rule.from.range[0], "10.0.0.0/8");
	expect_range(&rule.from.range[1], "fe80::/10");
	cr_expect_eq(rule.words, RULE_WORD(WORD_FROM));
}

Test(rule, ports_belong_to_the_side_that_names_them)
{
	static const struct {
		const char *text;
		uint16_t from, to; /* first port; 0: none */
	} rows[] = {
		{"accept proto tcp port 25", 0, 25},
		{"accept proto tcp to port 25", 0, 25},
		{"accept proto tcp to any port 25", 0, 25},
		{"accept proto tcp to 10.0.0.1 port 25", 0, 25},
		{"accept to 10.0.0.1 proto tcp port 25", 0, 25},
		{"accept proto udp from port 53", 53, 0},
		{"accept proto udp from 10.0.0.1 port 53", 53, 0},
		{"accept proto udp from 10.0.0.1 port 53 to 10.0.0.2 port 54", 53, 54},
		{"accept from port 53 to port 54 proto udp", 53, 54},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		const struct rule rule = parse(rows[i].text);

		cr_expect_eq(rule.from_ports.count, rows[i].from != 0, "%s", rows[i].text);
		cr_expect_eq(rule.to_ports.count, rows[i].to != 0, "%s", rows[i].text);
		cr_expect_eq(rule.from_ports.range[0].first, rows[i].from, "%s", rows[i].text);
		cr_expect_eq(rule.to_ports.range[0].last, rows[i].to, "%s", rows[i].text);
	}
}

Test(rule, ports_come_in_lists_and_ranges)
{
	const struct rule rule = parse("accept proto tcp to any port 80, 443,8000-8100");

	cr_assert_eq(rule.to_ports.count, 3);
	cr_expect_eq(rule.to_ports.range[1].first, 443);
	cr_expect_eq(rule.to_ports.range[1].last, 443);
	cr_expect_eq(rule.to_ports.range[2].first, 8000);
	cr_expect_eq(rule.to_ports.range[2].last, 8100);
}

Test(rule, protocols_have_names_and_numbers)
{
	static const struct {
		const char *text;
		uint8_t protocol;
		bool any;
	} rows[] = {
		{"accept proto tcp", IPPROTO_TCP, false},
		{"accept proto udp", IPPROTO_UDP, false},
		{"accept proto icmp", IPPROTO_ICMP, false},
		{"accept proto icmp6", IPPROTO_ICMPV6, false},
		{"accept proto gre", IPPROTO_GRE, false},
		{"accept proto dccp", IPPROTO_DCCP, false},
		{"accept proto 0", 0, false},
		{"accept proto 253", 253, false},
		{"accept proto any", 0, true},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		const struct rule rule = parse(rows[i].text);

		cr_expect(rule_has_protocol(&rule, rows[i].protocol), "%s", rows[i].text);
		cr_expect_eq(rule_has_protocol(&rule, 254), rows[i].any, "%s", rows[i].text);
	}
}

Test(rule, an_icmp_name_means_its_type_in_each_family)
{
	struct rule rule = parse("accept icmp-type echo-request proto icmp");

	cr_assert_eq(rule.icmp_count, 2);
	cr_expect_eq(rule.icmp[0].family, AF_INET);
	cr_expect_eq(rule.icmp[0].type, 8);
	cr_expect(rule.icmp[0].any_code);
	cr_expect_eq(rule.icmp[1].family, AF_INET6);
	cr_expect_eq(rule.icmp[1].type, 128);

	rule = parse("accept proto icmp6 icmp-type echo-reply");
	cr_assert_eq(rule.icmp_count, 1);
	cr_expect_eq(rule.icmp[0].family, AF_INET6);
	cr_expect_eq(rule.icmp[0].type, 129);

	rule = parse("accept proto icmp icmp-type packet-too-big"); /* IPv6 alone has it */
	cr_assert_eq(rule.icmp_count, 1);
	cr_expect_eq(rule.icmp[0].family, AF_INET6);
	cr_expect_eq(rule.icmp[0].type, 2);
}

Test(rule, an_icmp_number_is_of_the_protocol_that_is_named)
{
	struct rule rule = parse("accept proto icmp icmp-type 3/4,11");

	cr_assert_eq(rule.icmp_count, 2);
	cr_expect_eq(rule.icmp[0].family, AF_INET);
	cr_expect_eq(rule.icmp[0].type, 3);
	cr_expect_eq(rule.icmp[0].code, 4);
	cr_expect_not(rule.icmp[0].any_code);
	cr_expect(rule.icmp[1].any_code);
	rule = parse("accept proto icmp6 icmp-type 1/0");
	cr_expect_eq(rule.icmp[0].family, AF_INET6);
	cr_expect_not(rule.icmp[0].any_code);
}

Test(rule, the_order_of_words_is_free)
{
	struct rule a = parse("accept in lan out uplink proto tcp to 192.0.2.1 port 80");
	struct rule b = parse("accept to 192.0.2.1 port 80 proto tcp out uplink in lan");

	memset(a.text, 0, sizeof(a.text));
	memset(b.text, 0, sizeof(b.text));
	cr_expect_arr_eq(&a, &b, sizeof(a));
}

Test(rule, nat_lines_are_matches_alone)
{
	const struct rule rule = parse_in(PLACE_NAT, "in lab out uplink to 192.0.2.0/24 proto udp");

	cr_expect_eq(rule.action, RULE_ACCEPT);
	cr_expect_eq(rule.in.network, 0);
	cr_expect_eq(rule.in.kind, SIDE_NETWORK);
	cr_expect_eq(rule.to.count, 1);
	parse_in(PLACE_NAT, ""); /* everything */
}

Test(rule, the_output_chain_does_not_know_forwarded)
{
	char error[SENTENCE_SIZE];
	struct rule rule;

	cr_expect_eq(parse("accept forwarded").words, RULE_WORD(WORD_FORWARDED));
	cr_expect_not(config_parse_rule(
		config, CHAIN_OUTPUT, "accept forwarded", &rule, error, sizeof(error)));
}

Test(rule, not_is_for_lists_and_sides)
{
	struct rule rule = parse("drop in not lan out not work from not 10.0.0.0/8 to not @peers");

	cr_expect_eq(rule.negated, rule.words);
	rule = parse("drop proto not tcp,udp");
	cr_expect_not(rule_has_protocol(&rule, IPPROTO_TCP));
	cr_expect_not(rule_has_protocol(&rule, IPPROTO_UDP));
	cr_expect(rule_has_protocol(&rule, IPPROTO_SCTP));
	cr_expect_eq(rule.negated, 0, "the list is the others");
	rule = parse("drop proto tcp from port not 80 to port not 81 tcp-flags not syn/syn");
	cr_expect_eq(rule.negated, rule.words & ~RULE_WORD(WORD_PROTO));
}

Test(rule, elements_are_ranges_sets_and_links)
{
	const struct rule rule =
		parse("drop from 10.0.0.3-10.0.0.9, @peers, db to @nothing,10.0.0.8-10.0.0.15");

	cr_assert_eq(rule.from.count, 2);
	expect_range(&rule.from.range[0], "10.0.0.3-10.0.0.9");
	expect_range(&rule.from.range[1], "10.77.0.2");
	cr_assert_eq(rule.from.set_count, 1);
	cr_expect_str_eq(config->sets[rule.from.set[0]].name, "peers");
	cr_assert_eq(rule.to.count, 1);
	expect_range(&rule.to.range[0], "10.0.0.8/29");
	cr_expect_eq(parse("drop proto udp port 53,@web").to_ports.set_count, 1);
}

Test(rule, words_about_packets)
{
	struct rule rule = parse("drop proto tcp tcp-flags syn/syn,ack,fin,rst length 0-100 ttl 1 "
				 "dscp af41 family ipv6 helper sip");

	cr_expect_eq(rule.tcp_flags.set, 0x02);
	cr_expect_eq(rule.tcp_flags.mask, 0x17);
	cr_expect_eq(rule.length.last, 100);
	cr_expect_eq(rule.ttl.first, 1);
	cr_expect_eq(rule.ttl.last, 1);
	cr_expect_eq(rule.dscp, 34);
	cr_expect_eq(rule.family, AF_INET6);
	cr_expect_eq(rule.helper, 3);
	rule = parse("drop proto tcp tcp-flags none/all");
	cr_expect_eq(rule.tcp_flags.set, 0);
	cr_expect_eq(rule.tcp_flags.mask, 0x3f);
}

Test(rule, limits_and_connections)
{
	struct rule rule = parse("drop limit over 7/minute burst 9 per source");

	cr_expect(rule.limit.over);
	cr_expect_eq(rule.limit.packets, 7);
	cr_expect_eq(rule.limit.seconds, 60);
	cr_expect_eq(rule.limit.burst, 9);
	cr_expect_eq(rule.limit.per, PER_SOURCE);
	rule = parse("accept limit 1/day connections over 3 per destination");
	cr_expect_not(rule.limit.over);
	cr_expect_eq(rule.limit.burst, 5);
	cr_expect_eq(rule.limit.per, PER_RULE);
	cr_expect_eq(rule.connections.max, 3);
	cr_expect_eq(rule.connections.per, PER_DESTINATION);
}

static void expect_span(const struct rule *rule, struct text_span span, const char *text)
{
	cr_expect_eq(span.length, strlen(text));
	cr_expect_eq(memcmp(rule->text + span.at, text, span.length), 0, "%s", rule->text);
}

Test(rule, quotes_hold_any_text)
{
	struct rule rule = parse("drop log \"a, -> b \" comment \"not in lan\" in lan");

	expect_span(&rule, rule.log, "a, -> b ");
	expect_span(&rule, rule.comment, "not in lan");
	cr_expect_eq(rule.in.kind, SIDE_LAN);
	rule = parse("log \"seen: \" in lan");
	cr_expect_eq(rule.action, RULE_LOG);
	expect_span(&rule, rule.log, "seen: ");
	rule = parse("log in lan log \"\"");
	cr_expect_eq(rule.log.length, 0);
}

Test(rule, actions_with_arguments)
{
	static const char *const answers[] = {"tcp-reset", "port-unreachable", "host-unreachable",
		"net-unreachable", "proto-unreachable", "prohibited"};
	char text[64];

	for (unsigned i = 0; i < COUNT(answers); i++) {
		snprintf(text, sizeof(text), "reject with %s proto tcp", answers[i]);
		cr_expect_eq(parse(text).reject, i + 1); /* the order of enum rule_reject */
	}
	cr_expect_eq(parse("jump b proto tcp").jump, 1);
	parse_in(PLACE_CHAIN, "return in lan out uplink forwarded state new");
}

Test(rule, matches_end_at_an_arrow)
{
	char error[SENTENCE_SIZE] = "";
	const struct sentence why = {error, sizeof(error)};
	const char *text = "in lab proto tcp port 80  -> 10.0.0.1:8080";
	struct rule rule;

	cr_assert(rule_match_parse(config, PLACE_DNAT, &text, &rule, &why), "%s", error);
	cr_expect_str_eq(text, "-> 10.0.0.1:8080");
	cr_expect_eq(rule.to_ports.range[0].first, 80);
	text = "-> :80";
	cr_assert(rule_match_parse(config, PLACE_NAT, &text, &rule, &why), "%s", error);
	cr_expect_str_eq(text, "-> :80");
	cr_expect_eq(rule.words, 0);
	text = "port 5060"; /* a helper has protocols of its own */
	cr_assert(rule_match_parse(config, PLACE_HELPER, &text, &rule, &why), "%s", error);
	cr_expect_str_eq(text, "");
}

/* Rules that must be refused, and a part of the reason that must be told. */
static const struct {
	enum rule_place place;
	const char *text;
	const char *reason;
} refused[] = {
	{PLACE_FORWARD, "", "an empty rule"},
	{PLACE_FORWARD, "  ", "an empty rule"},
	{PLACE_FORWARD, "acept", "unknown action `acept`: did you mean `accept`?"},
	{PLACE_FORWARD, "accept form 10.0.0.1", "`form`: did you mean `from`?"},
	{PLACE_FORWARD, "accept in", "nothing behind `in`"},
	{PLACE_FORWARD, "accept in loom", "allowed: lan, uplink, any, lab, work"},
	{PLACE_FORWARD, "accept in lab in work", "`in` is said twice"},
	{PLACE_FORWARD, "accept forwarded forwarded", "`forwarded` is said twice"},
	{PLACE_FORWARD, "accept proto tcp to port 1 port 2", "`to port` is said twice"},
	{PLACE_FORWARD, "accept proto tcp from port 1 from port 2", "`from port` is said twice"},
	{PLACE_FORWARD, "accept from 10.0.0.1 from 10.0.0.2", "`from` is said twice"},
	{PLACE_FORWARD, "accept state", "nothing behind `state`"},
	{PLACE_FORWARD, "accept state nwe", "unknown state `nwe`: did you mean `new`?"},
	{PLACE_FORWARD, "accept state new,", "unknown state ``"},
	{PLACE_FORWARD, "accept state new, ", "unknown state ``"},
	{PLACE_FORWARD, "accept from 10.0.0.1/8", "host bits"},
	{PLACE_FORWARD, "accept from 10.0.0.0/8,", "bad address ``"},
	{PLACE_FORWARD, "accept to lab", "unknown link `lab`"},
	{PLACE_FORWARD, "accept to domain", "nothing behind `to domain`"},
	{PLACE_FORWARD, "accept to domain not", "nothing behind `to domain`"},
	{PLACE_FORWARD, "accept to domain a.org to domain b.org", "`to domain` is said twice"},
	{PLACE_FORWARD, "accept to domain a.org,", "bad domain ``: allowed: names between"},
	{PLACE_FORWARD, "accept to domain a.org,,b.org", "bad domain ``"},
	{PLACE_FORWARD, "accept to domain a.org, proto tcp", "unknown word for this chain `tcp`"},
	{PLACE_FORWARD, "accept to domain www.*.org", "bad domain `www.*.org`: allowed: `*` as"},
	{PLACE_FORWARD, "accept to domain 10.0.0.1", "bad domain `10.0.0.1`: allowed: names, not"},
	{PLACE_FORWARD, "accept to domain a.org.", "bad domain `a.org.`"},
	{PLACE_FORWARD, "accept to domain a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "too many domains"},
	{PLACE_FORWARD, "accept to domain @nowhere", "unknown set `nowhere`"},
	{PLACE_FORWARD, "accept to domain a.org port 443", "ports need"},
	{PLACE_INPUT, "accept to domain a.org", "allowed: in [filter forward] and in chains"},
	{PLACE_OUTPUT, "accept to domain a.org", "allowed: in [filter forward] and in chains"},
	{PLACE_DNAT, "in lab to domain a.org", "allowed: in [filter forward] and in chains"},
	{PLACE_FORWARD, "accept proto", "nothing behind `proto`"},
	{PLACE_FORWARD, "accept proto tpc", "did you mean `tcp`?"},
	{PLACE_FORWARD, "accept proto 256", "unknown protocol `256`"},
	{PLACE_FORWARD, "accept port 25", "ports need"},
	{PLACE_FORWARD, "accept proto icmp port 25", "ports need"},
	{PLACE_FORWARD, "accept proto any port 25", "ports need"},
	{PLACE_FORWARD, "accept proto tcp port 0", "bad port `0`"},
	{PLACE_FORWARD, "accept proto tcp port 65536", "bad port `65536`"},
	{PLACE_FORWARD, "accept proto tcp port 5-", "bad port `5-`"},
	{PLACE_FORWARD, "accept proto tcp port 9-5", "ends before it begins"},
	{PLACE_FORWARD, "accept proto tcp port 80,,81", "bad port ``"},
	{PLACE_FORWARD, "accept proto tcp port", "nothing behind `port`"},
	{PLACE_FORWARD, "accept icmp-type echo-request", "`icmp-type` needs"},
	{PLACE_FORWARD, "accept proto tcp icmp-type 8", "`icmp-type` needs"},
	{PLACE_FORWARD, "accept proto icmp icmp-type", "nothing behind `icmp-type`"},
	{PLACE_FORWARD, "accept proto icmp icmp-type 256", "unknown ICMP type `256`"},
	{PLACE_FORWARD, "accept proto icmp icmp-type 3/x", "bad ICMP type `3/x`"},
	{PLACE_FORWARD, "accept proto icmp icmp-type 3/256", "bad ICMP type `3/256`"},
	{PLACE_FORWARD, "accept proto icmp icmp-type 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
		"too many ICMP types"},
	{PLACE_FORWARD, "accept proto icmp6 icmp-type timestamp-request", "none of ICMPv6"},
	{PLACE_FORWARD, "accept from 10.0.0.0/8 to fd00::/8", "can never match"},
	{PLACE_FORWARD, "accept proto icmp6 from 10.0.0.0/8", "can never match"},
	{PLACE_FORWARD, "accept proto icmp icmp-type 8 from fd00::/8", "can never match"},
	{PLACE_FORWARD, "accept in not any", "can never match"},
	{PLACE_FORWARD, "accept in not", "nothing behind `in`"},
	{PLACE_FORWARD, "accept from not any", "can never match"},
	{PLACE_FORWARD, "accept to not", "nothing behind `to`"},
	{PLACE_FORWARD, "accept from 10.0.0.9-10.0.0.3", "ends before it begins"},
	{PLACE_FORWARD, "accept from 10.0.0.9-fd00::1", "different families"},
	{PLACE_FORWARD, "accept from 10.0.0.9-", "not two addresses"},
	{PLACE_FORWARD, "accept to any-address", "has no address: give it one in [link any-addr"},
	{PLACE_FORWARD, "accept to bd", "unknown link `bd`: did you mean `db`?"},
	{PLACE_FORWARD, "accept to @pears", "unknown set `pears`: did you mean `peers`?"},
	{PLACE_FORWARD, "accept to @web", "set `web` has ports: allowed: a set of addresses"},
	{PLACE_FORWARD, "accept proto tcp port @peers", "set `peers` has addresses"},
	{PLACE_FORWARD, "accept to @peers,@peers,@peers,@peers,@peers", "too many sets"},
	{PLACE_FORWARD, "accept proto tcp,", "unknown protocol ``"},
	{PLACE_FORWARD, "accept proto tcp,icmp port 80", "no other beside them"},
	{PLACE_FORWARD, "accept proto not tcp port 80", "ports need"},
	{PLACE_FORWARD, "accept proto not any", "unknown protocol `any`"},
	{PLACE_FORWARD, "accept proto icmp,tcp icmp-type 8", "`icmp-type` needs"},
	{PLACE_FORWARD, "accept proto icmp icmp-type ecoh-request", "did you mean `echo-request`"},
	{PLACE_FORWARD, "accept family ipv5", "did you mean `ipv4`?"},
	{PLACE_FORWARD, "accept family ipv6 from 10.0.0.0/8", "can never match"},
	{PLACE_FORWARD, "accept family ipv4 proto icmp6", "can never match"},
	{PLACE_FORWARD, "accept tcp-flags syn/syn", "`tcp-flags` needs `proto tcp`"},
	{PLACE_FORWARD, "accept proto tcp,udp tcp-flags syn/syn", "`tcp-flags` needs"},
	{PLACE_FORWARD, "accept proto tcp tcp-flags syn", "allowed: SET/MASK"},
	{PLACE_FORWARD, "accept proto tcp tcp-flags syn,fin/syn", "a MASK that has all"},
	{PLACE_FORWARD, "accept proto tcp tcp-flags none/none", "a MASK"},
	{PLACE_FORWARD, "accept proto tcp tcp-flags sny/syn", "did you mean `syn`?"},
	{PLACE_FORWARD, "accept length 70000", "up to 65535"},
	{PLACE_FORWARD, "accept length 5-2", "ends before it begins"},
	{PLACE_FORWARD, "accept ttl 256", "bad ttl `256`"},
	{PLACE_FORWARD, "accept ttl x", "bad ttl `x`"},
	{PLACE_FORWARD, "accept dscp 64", "unknown dscp `64`"},
	{PLACE_FORWARD, "accept helper fpt", "did you mean `ftp`?"},
	{PLACE_FORWARD, "accept limit 5", "bad rate `5`"},
	{PLACE_FORWARD, "accept limit 0/second", "bad rate `0/second`"},
	{PLACE_FORWARD, "accept limit 5/secnod", "did you mean `second`?"},
	{PLACE_FORWARD, "accept limit over", "nothing behind `limit`"},
	{PLACE_FORWARD, "accept limit 5/second burst 0", "bad number `0` behind `burst`"},
	{PLACE_FORWARD, "accept limit 5/second per guest", "unknown per `guest`"},
	{PLACE_FORWARD, "accept connections 5", "allowed: connections over N"},
	{PLACE_FORWARD, "accept connections over", "nothing behind `connections over`"},
	{PLACE_FORWARD, "accept log", "nothing in quotes behind `log`"},
	{PLACE_FORWARD, "accept log x", "nothing in quotes"},
	{PLACE_FORWARD, "accept log \"x", "does not end"},
	{PLACE_FORWARD, "accept log \"x\"y", "right behind a quote"},
	{PLACE_FORWARD, "accept log \"x\ty\"", "no text"},
	{PLACE_FORWARD, "accept comment \"x\" comment \"y\"", "`comment` is said twice"},
	{PLACE_FORWARD, "log \"x\" log \"y\"", "`log` is said twice"},
	{PLACE_FORWARD, "reject with tcp-rest", "did you mean `tcp-reset`?"},
	{PLACE_FORWARD, "reject with tcp-reset", "`reject with tcp-reset` needs `proto tcp`"},
	{PLACE_FORWARD, "reject with", "nothing behind `with`"},
	{PLACE_FORWARD, "drop with prohibited", "unknown word for this chain `with`"},
	{PLACE_FORWARD, "jump", "nothing behind `jump`"},
	{PLACE_FORWARD, "jump c", "unknown chain `c`"},
	{PLACE_FORWARD, "jump input", "unknown chain `input`"},
	{PLACE_FORWARD, "accept -> 10.0.0.1", "unknown word"},
	{PLACE_NAT, "in lan -> :80", "`-> :80`: allowed: matches alone"},
	{PLACE_NAT, "limit 5/second", "unknown word `limit`"},
	{PLACE_DNAT, "out uplink", "unknown word `out`"},
	{PLACE_DNAT, "port 80", "ports need"},
	{PLACE_INPUT, "accept out uplink", "unknown word for this chain `out`"},
	{PLACE_OUTPUT, "accept in lan", "unknown word for this chain `in`"},
	{PLACE_NAT, "accept in lan", "unknown word `accept`"},
	{PLACE_NAT, "in uplink", "`in uplink`"},
	{PLACE_NAT, "in lan out work", "allowed: `out uplink`"},
	{PLACE_NAT, "in lan state new", "unknown word `state`"},
};

Test(rule, refuses_what_makes_no_sense_and_says_why)
{
	for (unsigned i = 0; i < COUNT(refused); i++) {
		char error[SENTENCE_SIZE] = "";
		const struct sentence why = {error, sizeof(error)};
		struct rule rule;

		cr_expect_not(rule_parse(config, refused[i].place, refused[i].text, &rule, &why),
			"accepted: %s", refused[i].text);
		cr_expect_not_null(
			strstr(error, refused[i].reason), "`%s`: %s", refused[i].text, error);
	}
}

/* "accept" WORD and `count` elements. */
static void list_make(
	char text[CONFIG_TEXT_SIZE], const char *head, const char *element, unsigned count)
{
	strcpy(text, head);
	for (unsigned i = 0; i < count; i++) {
		strcat(text, i > 0 ? "," : " ");
		strcat(text, element);
	}
}

Test(rule, lists_are_full_at_their_limit)
{
	static const struct {
		const char *head, *element, *reason;
		unsigned max;
	} rows[] = {
		{"accept from", "10.0.0.1", "too many addresses", CONFIG_ELEMENTS_MAX},
		{"accept proto tcp port", "80", "too many ports", CONFIG_ELEMENTS_MAX},
		{"accept proto icmp6 icmp-type", "1", "too many ICMP types", CONFIG_ICMP_MAX},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		char text[CONFIG_TEXT_SIZE], error[SENTENCE_SIZE] = "";
		struct rule rule;

		list_make(text, rows[i].head, rows[i].element, rows[i].max);
		cr_expect(
			config_parse_rule(config, CHAIN_FORWARD, text, &rule, error, sizeof(error)),
			"%s", error);
		list_make(text, rows[i].head, rows[i].element, rows[i].max + 1);
		cr_expect_not(config_parse_rule(
			config, CHAIN_FORWARD, text, &rule, error, sizeof(error)));
		cr_expect_not_null(strstr(error, rows[i].reason), "%s", error);
	}
}

Test(rule, a_text_is_as_long_as_its_field_at_most)
{
	char text[CONFIG_TEXT_SIZE + 1], error[SENTENCE_SIZE];
	struct rule rule;

	memset(text, ' ', sizeof(text));
	memcpy(text, "accept", 6);
	text[CONFIG_TEXT_SIZE - 1] = '\0';
	cr_expect(config_parse_rule(config, CHAIN_OUTPUT, text, &rule, error, sizeof(error)));
	text[CONFIG_TEXT_SIZE - 1] = ' ';
	text[CONFIG_TEXT_SIZE] = '\0';
	cr_expect_not(config_parse_rule(config, CHAIN_OUTPUT, text, &rule, error, sizeof(error)));
}

Test(rule, an_explanation_is_cut_where_there_is_no_room)
{
	char error[8] = "1234567";
	struct rule rule;

	cr_expect_not(config_parse_rule(config, CHAIN_FORWARD, "nonsense", &rule, error, 4));
	cr_expect_str_eq(error, "unk");
	cr_expect_eq(error[4], '5');
}
