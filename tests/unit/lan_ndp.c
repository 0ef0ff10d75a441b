/* SPDX-License-Identifier: BSD-2-Clause */
/* lan_ndp: neighbour discovery, router advertisements, and the gateway's link-local address. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../support/segment.h"
#include "wire/build.h"
#include "wire/ndp.h"
#include "wire/parse.h"

static struct segment segment;

static void prepare(bool many)
{
	segment_init(&segment, many);
	segment.network.ra = true;
	strcpy(segment.network.domain, "lab.example");
	segment.settings.mtu = 1400;
	segment.settings.dns6[segment.settings.dns6_count++] = address_of("fd77::1");
}

/* The first advertisement is out of the way. */
static void quiet(void)
{
	segment_start(&segment);
	segment_wait(&segment, 0);
	while (segment_take(&segment))
		;
}

static void one(void)
{
	prepare(false);
	quiet();
}

static void many(void)
{
	prepare(true);
	quiet();
}

static void stop(void)
{
	segment_stop(&segment);
}

TestSuite(ndp_one, .init = one, .fini = stop);
TestSuite(ndp_many, .init = many, .fini = stop);
TestSuite(ra, .init = one, .fini = stop);

static enum lan_verdict ndp_put(uint8_t from, const struct ndp *ndp)
{
	uint8_t bytes[NDP_BYTES];
	const size_t length = ndp_build(ndp, bytes);

	return segment_in(&segment, mac_of(from).byte, LAN_GATEWAY_MAC, 0x86dd, bytes, length);
}

/* A solicitation; source NULL: duplicate address detection. */
static void solicit(uint8_t from, const char *source, const char *target)
{
	struct ndp ndp = {
		.type = ICMP6_NEIGHBOUR_SOLICITATION,
		.source = address_of(source),
		.target = address_of(target),
		.has_mac = source != NULL,
	};

	ndp.destination = ndp_solicited_node(&ndp.target);
	memcpy(ndp.mac, mac_of(from).byte, 6);
	cr_expect_eq(ndp_put(from, &ndp), LAN_CONSUMED);
}

static void advertise(uint8_t from, const char *target, uint8_t flags)
{
	const struct ndp ndp = {
		.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
		.flags = flags,
		.source = address_of(target),
		.destination = address_of("fe80::1"),
		.target = address_of(target),
	};

	cr_expect_eq(ndp_put(from, &ndp), LAN_CONSUMED);
}

static void take(struct ndp *ndp)
{
	cr_assert(segment_take(&segment), "nothing is sent");
	cr_expect_eq(segment_header(&segment)->type, htons(0x86dd));
	cr_expect_eq(memcmp(segment_header(&segment)->source, LAN_GATEWAY_MAC, 6), 0);
	cr_assert(ndp_parse(segment.out.data, segment.out.length, ndp));
	cr_expect(ndp->has_mac && memcmp(ndp->mac, LAN_GATEWAY_MAC, 6) == 0);
}

static void expect_answer(const char *target, const char *to, uint8_t flags)
{
	const union addr wanted = address_of(target), destination = address_of(to);
	struct ndp ndp;

	take(&ndp);
	cr_expect_eq(ndp.type, ICMP6_NEIGHBOUR_ADVERTISEMENT);
	cr_expect_eq(ndp.flags, flags, "%s: flags %02x", target, ndp.flags);
	cr_expect(addr_equal(&ndp.target, &wanted));
	cr_expect(addr_equal(&ndp.destination, &destination));
}

static void expect_question(const char *target)
{
	const union addr wanted = address_of(target), source = address_of("fe80::1");
	struct ndp ndp;

	take(&ndp);
	cr_expect_eq(ndp.type, ICMP6_NEIGHBOUR_SOLICITATION);
	cr_expect(addr_equal(&ndp.target, &wanted));
	cr_expect(addr_equal(&ndp.source, &source));
}

static void expect_silence(void)
{
	cr_expect_not(segment_take(&segment));
}

static bool is_learnt(const char *text)
{
	const union addr address = address_of(text);

	for (unsigned i = 0; i < segment.learnt_count; i++)
		if (addr_equal(&segment.learnt[i], &address))
			return true;
	return false;
}

#define OWN (NDP_ROUTER | NDP_SOLICITED | NDP_OVERRIDE)

/* ---- one guest ---- */

Test(ndp_one, gateway_is_answered)
{
	solicit(2, "fe80::2", "fe80::1");
	expect_answer("fe80::1", "fe80::2", OWN);
	solicit(2, "fd77::2", "fd77::1");
	expect_answer("fd77::1", "fd77::2", OWN);
	cr_expect(is_learnt("fd77::2"), "by its own question");
}

/* RFC 4861, 7.2.8. */
Test(ndp_one, all_others_of_the_subnet_are_behind_the_gateway)
{
	solicit(2, "fe80::2", "fd77::99");
	expect_answer("fd77::99", "fe80::2", NDP_ROUTER | NDP_SOLICITED);
	solicit(2, "fe80::2", "2001:db8::1");
	solicit(2, "fe80::2", "fe80::99");
	expect_silence();
}

/* RFC 4862, 5.4: silence means that it is its own. */
Test(ndp_one, address_is_learnt_from_its_detection)
{
	solicit(2, NULL, "fd77::a");
	expect_silence();
	cr_expect(is_learnt("fd77::a"));
	solicit(2, "fe80::2", "fd77::a");
	expect_silence();
	solicit(2, NULL, "fe80::2");
	expect_silence();
}

Test(ndp_one, anothers_address_is_defended)
{
	segment.elsewhere = address_of("fd77::b");
	solicit(2, NULL, "fd77::b");
	expect_answer("fd77::b", "ff02::1", NDP_ROUTER);
	solicit(2, NULL, "fd77::1");
	expect_answer("fd77::1", "ff02::1", NDP_ROUTER | NDP_OVERRIDE);
	solicit(2, NULL, "fe80::1");
	expect_answer("fe80::1", "ff02::1", NDP_ROUTER | NDP_OVERRIDE);
	cr_expect_eq(segment.learnt_count, 0);
}

Test(ndp_one, address_is_learnt_from_an_advertisement_or_a_packet)
{
	advertise(2, "fd77::a", NDP_OVERRIDE);
	cr_expect(is_learnt("fd77::a"));
	cr_expect_eq(segment_packet(&segment, 2, "fd77::b", "2001:db8::1"), LAN_PASS);
	cr_expect(is_learnt("fd77::b"));
	cr_expect_eq(segment_packet(&segment, 2, "fd78::b", "2001:db8::1"), LAN_CONSUMED);
	cr_expect_eq(segment_packet(&segment, 2, "fd77::1", "2001:db8::1"), LAN_CONSUMED);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 2);
	cr_expect_eq(segment_packet(&segment, 2, "fe80::2", "2001:db8::1"), LAN_CONSUMED);
	cr_expect_eq(segment_packet(&segment, 2, "fd77::b", "fe80::3"), LAN_CONSUMED);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_LINK_LOCAL), 2);
}

Test(ndp_one, eight_addresses_and_the_one_longest_unused_gives_way)
{
	char text[ADDR_TEXT_SIZE];

	for (unsigned i = 0; i < LAN_ADDRESSES6; i++) {
		snprintf(text, sizeof(text), "fd77::a%u", i);
		cr_expect_eq(segment_packet(&segment, 2, text, "2001:db8::1"), LAN_PASS);
		segment_wait(&segment, 1);
	}
	solicit(2, NULL, "fd77::b");
	expect_answer("fd77::b", "ff02::1", NDP_ROUTER);
	cr_expect_eq(segment_packet(&segment, 2, "fd77::b", "2001:db8::1"), LAN_CONSUMED);
	segment_wait(&segment, 30000);
	segment_packet(&segment, 2, "fd77::a0", "2001:db8::1");
	segment_wait(&segment, 30000);
	while (segment_take(&segment))
		;
	cr_expect_eq(segment_packet(&segment, 2, "fd77::b", "2001:db8::1"), LAN_PASS);
	cr_expect(is_learnt("fd77::a0"));
	cr_expect_not(is_learnt("fd77::a1"));
	cr_expect_eq(segment.learnt_count, LAN_ADDRESSES6);
	lan_reset(segment.lan, segment.now_ms);
	cr_expect_eq(segment.learnt_count, 0);
}

/* RFC 4861, 7.2.5, and nobody is the router but the router. */
Test(ndp_one, claim_of_the_gateways_address_is_defended_not_too_often)
{
	advertise(2, "fe80::1", NDP_OVERRIDE);
	expect_answer("fe80::1", "ff02::1", NDP_ROUTER | NDP_OVERRIDE);
	advertise(2, "fd77::1", NDP_OVERRIDE);
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 2);
}

Test(ndp_one, message_with_another_mac_than_its_frame_is_refused)
{
	struct ndp ndp = {
		.type = ICMP6_NEIGHBOUR_SOLICITATION,
		.source = address_of("fe80::2"),
		.destination = address_of("fe80::1"),
		.target = address_of("fe80::1"),
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, 9},
	};

	ndp_put(2, &ndp);
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MAC_SPOOFED), 1);
}

static enum lan_verdict icmp6_put(
	const char *source, const char *destination, uint8_t type, uint8_t hops)
{
	uint8_t *data = segment.in_buffer + PACKET_HEADROOM;
	struct packet packet = {.data = data, .capacity = 2048};
	struct build build = {.family = AF_INET6,
		.protocol = IPPROTO_ICMPV6,
		.source = address_of(source),
		.destination = address_of(destination),
		.ttl = hops,
		.icmp_type = type,
		.source_port = 77,
		.destination_port = 5,
		.payload = "hello",
		.payload_bytes = 5};

	build_packet(&packet, &build);
	if (type == ICMP6_ROUTER_SOLICITATION) {
		build.payload_bytes = 0;
		build_packet(&packet, &build);
	}
	return segment_in(&segment, mac_of(2).byte, LAN_GATEWAY_MAC, 0x86dd, data, packet.length);
}

Test(ndp_one, link_local_echo_is_answered)
{
	const union addr guest = address_of("fe80::2"), gateway = address_of("fe80::1");

	cr_expect_eq(icmp6_put("fe80::2", "fe80::1", ICMP6_ECHO, 64), LAN_CONSUMED);
	cr_assert(segment_take(&segment));
	cr_assert(packet_parse(&segment.out));
	cr_expect_eq(segment.out.headers.icmp_type, ICMP6_ECHO_REPLY);
	cr_expect(addr_equal(&segment.out.headers.source, &gateway));
	cr_expect(addr_equal(&segment.out.headers.destination, &guest));
	cr_expect_eq(segment.out.headers.destination_port, htons(77));
	cr_expect_eq(memcmp(segment.out.data + segment.out.headers.payload, "hello", 5), 0);
	cr_expect_eq(icmp6_put("fd77::a", "fd77::1", ICMP6_ECHO, 64), LAN_PASS, "the engine's");
}

Test(ndp_one, guests_are_no_routers)
{
	icmp6_put("fe80::2", "ff02::1", ICMP6_ROUTER_ADVERTISEMENT, 255);
	icmp6_put("fe80::2", "fe80::1", ICMP6_NEIGHBOUR_REDIRECT, 255);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ROGUE), 2);
}

Test(ndp_one, multicast_listeners_say_nothing_to_us)
{
	cr_expect_eq(icmp6_put("fe80::2", "ff02::16", ICMP6_MLD2_REPORT, 1), LAN_CONSUMED);
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_LINK_LOCAL), 0);
}

Test(ndp_one, packet_waits_for_the_guests_mac)
{
	segment_send(&segment, "2001:db8::1", "fd77::2");
	expect_question("fd77::2");
	advertise(2, "fd77::2", NDP_SOLICITED | NDP_OVERRIDE);
	cr_assert(segment_take(&segment));
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(2).byte, 6), 0);
	cr_expect_eq(segment_send(&segment, "2001:db8::1", "fd77::2"), LAN_SEND);
}

/* ---- many guests ---- */

Test(ndp_many, only_the_gateway_and_what_is_elsewhere_is_answered)
{
	segment.elsewhere = address_of("fd77::50");
	solicit(2, "fd77::2", "fd77::1");
	expect_answer("fd77::1", "fd77::2", OWN);
	solicit(2, "fd77::2", "fd77::50");
	expect_answer("fd77::50", "fd77::2", NDP_ROUTER | NDP_SOLICITED);
	solicit(2, "fd77::2", "fd77::3");
	expect_silence();
}

Test(ndp_many, address_is_pinned_to_the_first_mac)
{
	cr_expect_eq(segment_packet(&segment, 2, "fd77::2", "2001:db8::1"), LAN_PASS);
	cr_expect_eq(segment_packet(&segment, 3, "fd77::2", "2001:db8::1"), LAN_CONSUMED);
	advertise(3, "fd77::2", NDP_OVERRIDE);
	solicit(3, "fd77::2", "fd77::1");
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 3);
	solicit(3, NULL, "fd77::2");
	expect_answer("fd77::2", "ff02::1", NDP_ROUTER);
	solicit(2, NULL, "fd77::2");
	expect_silence();
}

Test(ndp_many, holder_of_a_contested_address_is_asked)
{
	segment_packet(&segment, 2, "fd77::2", "2001:db8::1");
	segment_wait(&segment, 5000);
	advertise(3, "fd77::2", NDP_OVERRIDE);
	expect_question("fd77::2");
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(2).byte, 6), 0);
	segment_wait(&segment, 3000);
	cr_expect_eq(segment_packet(&segment, 3, "fd77::2", "2001:db8::1"), LAN_PASS);
}

Test(ndp_many, unresolved_guest_is_asked_for_at_its_group)
{
	segment_send(&segment, "2001:db8::1", "fd77::12:3456");
	expect_question("fd77::12:3456");
	cr_expect_eq(
		memcmp(segment_header(&segment)->destination, "\x33\x33\xff\x12\x34\x56", 6), 0);
}

/* ---- router advertisements ---- */

static const uint8_t *ra_option(uint8_t type, unsigned *length)
{
	const uint8_t *message = segment.out.data + segment.out.headers.l4;
	const uint8_t *end = segment.out.data + segment.out.headers.end;

	for (const uint8_t *at = message + 16; at < end; at += at[1] * 8) {
		cr_assert_neq(at[1], 0);
		if (at[0] == type) {
			*length = at[1] * 8U;
			return at;
		}
	}
	return NULL;
}

/* Take an advertisement; returns its first bytes behind type, code and checksum. */
static const uint8_t *ra_take(const char *to)
{
	const union addr destination = address_of(to), source = address_of("fe80::1");

	cr_assert(segment_take(&segment), "nothing is sent");
	cr_assert(packet_parse(&segment.out));
	cr_expect_eq(segment.out.headers.icmp_type, ICMP6_ROUTER_ADVERTISEMENT);
	cr_expect_eq(segment.out.headers.ttl, 255);
	cr_expect(addr_equal(&segment.out.headers.source, &source));
	cr_expect(addr_equal(&segment.out.headers.destination, &destination), "to %s", to);
	return segment.out.data + segment.out.headers.l4 + 4;
}

static void expect_ra_option(uint8_t type, const void *wanted, unsigned wanted_length)
{
	unsigned length;
	const uint8_t *option = ra_option(type, &length);

	cr_assert_not_null(option, "option %u is not there", type);
	cr_expect_eq(length, wanted_length, "option %u has %u bytes", type, length);
	cr_expect_eq(memcmp(option, wanted, wanted_length), 0, "option %u", type);
}

Test(ra, what_it_says)
{
	icmp6_put("fe80::2", "ff02::2", ICMP6_ROUTER_SOLICITATION, 255);
	const uint8_t *start = ra_take("fe80::2");
	cr_expect_eq(memcmp(start, "\x40\x00\x07\x08\0\0\0\0\0\0\0\0", 12), 0);
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(2).byte, 6), 0);
	expect_ra_option(1, "\x01\x01\x02\x74\x67\x00\x00\x01", 8);
	expect_ra_option(5, "\x05\x01\0\0\0\0\x05\x78", 8);
	/* autonomous, and not on link: there is nobody else */
	expect_ra_option(3,
		"\x03\x04\x40\x40\x00\x00\x15\x18\x00\x00\x0a\x8c\0\0\0\0"
		"\xfd\x77\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		32);
	expect_ra_option(
		25, "\x19\x03\0\0\x00\x00\x07\x08\xfd\x77\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 24);
	expect_ra_option(31,
		"\x1f\x03\0\0\x00\x00\x07\x08\x03lab\x07"
		"example\0\0\0\0",
		24);
	unsigned length;
	cr_expect_null(ra_option(38, &length));
	expect_silence();
}

Test(ra, with_nat64_and_dhcp6_and_another_length)
{
	segment_stop(&segment);
	prepare(true);
	cr_assert_null(prefix_parse("64:ff9b::/96", &segment.network.nat64));
	cr_assert_null(prefix_parse("fd77::/80", &segment.network.subnet6));
	segment.network.dhcp6 = true;
	segment_start(&segment);
	segment_wait(&segment, 0);
	const uint8_t *start = ra_take("ff02::1");
	cr_expect_eq(start[1], 0xc0, "managed and other");
	cr_expect_eq(memcmp(segment_header(&segment)->destination, "\x33\x33\0\0\0\x01", 6), 0);
	/* 1800 s in units of eight, and the code of /96 */
	expect_ra_option(38, "\x26\x02\x07\x08\x00\x64\xff\x9b\0\0\0\0\0\0\0\0", 16);
	unsigned length;
	const uint8_t *prefix = ra_option(3, &length);
	cr_assert_not_null(prefix);
	cr_expect_eq(prefix[2], 80);
	cr_expect_eq(prefix[3], 0x80, "on link, and nobody makes itself an address");
}

/* RFC 4861, 6.2.4: three soon, then one in three to ten minutes. */
Test(ra, times)
{
	uint64_t before = segment.now_ms, gap[6];

	for (unsigned i = 0; i < 6; i++) {
		segment_wait(&segment, lan_deadline(segment.lan) - segment.now_ms);
		ra_take("ff02::1");
		expect_silence();
		gap[i] = segment.now_ms - before;
		before = segment.now_ms;
	}
	cr_expect(gap[0] == 16000 && gap[1] == 16000);
	for (unsigned i = 2; i < 6; i++)
		cr_expect(gap[i] >= 200000 && gap[i] <= 600000, "%lu", gap[i]);
	cr_expect_neq(gap[3], gap[4]);
}

Test(ra, who_has_no_address_is_answered_to_all_and_not_too_often)
{
	segment_wait(&segment, 3000);
	icmp6_put("::", "ff02::2", ICMP6_ROUTER_SOLICITATION, 255);
	ra_take("ff02::1");
	icmp6_put("::", "ff02::2", ICMP6_ROUTER_SOLICITATION, 255);
	expect_silence();
	segment_wait(&segment, 3000);
	ra_take("ff02::1");
	expect_silence();
}

Test(ra, answers_are_limited)
{
	unsigned answers = 0;

	for (unsigned i = 0; i < 100; i++) {
		icmp6_put("fe80::2", "ff02::2", ICMP6_ROUTER_SOLICITATION, 255);
		while (segment_take(&segment))
			answers++;
	}
	cr_expect_eq(answers, 16);
	segment_wait(&segment, 1000);
	icmp6_put("fe80::2", "ff02::2", ICMP6_ROUTER_SOLICITATION, 255);
	ra_take("fe80::2");
}

Test(ra, solicitation_from_afar_is_ignored)
{
	icmp6_put("fe80::2", "ff02::2", ICMP6_ROUTER_SOLICITATION, 254);
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MALFORMED), 1);
}

Test(ra, last_one_takes_the_route_back)
{
	lan_say_goodbye(segment.lan, segment.now_ms);
	const uint8_t *start = ra_take("ff02::1");
	cr_expect_eq(memcmp(start + 2, "\0\0", 2), 0, "no router any more");
	cr_expect_eq(lan_deadline(segment.lan), UINT64_MAX);
}

Test(ra, none_where_none_are_wanted)
{
	segment_stop(&segment);
	prepare(false);
	segment.network.ra = false;
	segment_start(&segment);
	cr_expect_eq(lan_deadline(segment.lan), UINT64_MAX);
	icmp6_put("fe80::2", "ff02::2", ICMP6_ROUTER_SOLICITATION, 255);
	lan_say_goodbye(segment.lan, segment.now_ms);
	expect_silence();
}

/* The network's keys have changed. */
Test(ra, changes_are_told_at_once)
{
	segment.network.subnet6.base.bytes[15] = 0;
	strcpy(segment.network.domain, "new");
	cr_expect(lan_configure(segment.lan, &segment.settings, segment.now_ms));
	segment_wait(&segment, 0);
	ra_take("ff02::1");
	expect_ra_option(31, "\x1f\x02\0\0\x00\x00\x07\x08\x03new\0\0\0", 16);
}
