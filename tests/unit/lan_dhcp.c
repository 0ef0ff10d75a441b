/* SPDX-License-Identifier: BSD-2-Clause */
/* lan_dhcp: what the guest of a link of one is told, and what it may ask. */
#include <criterion/criterion.h>
#include <string.h>

#include "../support/dhcp_talk.h"
#include "wire/build.h"

static struct dhcp_talk talk;
#define segment talk.segment
#define reply   talk

#define ask(...)           dhcp_talk_ask(&talk, (struct ask){__VA_ARGS__})
#define expect(...)        dhcp_talk_expect(&talk, __VA_ARGS__)
#define take()             dhcp_talk_take(&talk)
#define lease(guest)       dhcp_talk_lease(&talk, guest)
#define expect_option(...) dhcp_talk_expect_option(&talk, __VA_ARGS__)

static void start(void)
{
	dhcp_talk_init(&talk, false);
	segment_start(&segment);
}

static void stop(void)
{
	segment_stop(&segment);
}

TestSuite(dhcp_one, .init = start, .fini = stop);

static void expect_silence(void)
{
	cr_expect_not(segment_take(&segment));
}

Test(dhcp_one, guest_gets_the_address_of_its_link)
{
	ask(.from = 2, .type = DHCP_DISCOVER);
	expect(DHCP_OFFER, "10.77.0.2");
	cr_expect_str_eq(reply.to, "10.77.0.2");
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(2).byte, 6), 0);
	cr_expect_eq(segment.lease_changes, 0);
	ask(.from = 2, .type = DHCP_REQUEST, .requested = "10.77.0.2", .server = "10.77.0.1",
		.host_name = "Guest-7.example");
	expect(DHCP_ACK, "10.77.0.2");
	cr_expect_eq(segment.lease_changes, 1);
	cr_expect_eq(segment.lease.expires_ms, segment.now_ms + DHCP_TALK_LEASE_S * 1000);
	cr_expect_str_eq(segment.lease.name, "guest-7");
	cr_expect_str_eq(segment.name, "web", "it is called as its link");
}

Test(dhcp_one, what_it_is_told)
{
	ask(.from = 2, .type = DHCP_DISCOVER);
	cr_assert(take());
	expect_option(1, "\xff\xff\xff\x00", 4);
	expect_option(3, "\x0a\x4d\x00\x01", 4);
	expect_option(6, "\x0a\x4d\x00\x01", 4);
	expect_option(12, "web", 3);
	expect_option(15, "lab.example", 11);
	expect_option(26, "\x05\xdc", 2);
	expect_option(28, "\x0a\x4d\x00\xff", 4);
	expect_option(51, "\x00\x00\x0e\x10", 4);
	expect_option(58, "\x00\x00\x07\x08", 4);
	expect_option(59, "\x00\x00\x0c\x4e", 4);
	expect_option(119,
		"\x03lab\x07"
		"example",
		13);
	uint8_t length;
	cr_expect_null(dhcp_talk_option(&talk, 121, &length), "no routes, no option of routes");
}

Test(dhcp_one, it_is_told_what_it_asks_for)
{
	uint8_t length;

	ask(.from = 2, .type = DHCP_DISCOVER, .parameters = "\x01\x03\x0f");
	cr_assert(take());
	cr_expect_not_null(dhcp_talk_option(&talk, 15, &length));
	cr_expect_null(dhcp_talk_option(&talk, 6, &length));
	cr_expect_null(dhcp_talk_option(&talk, 26, &length));
	cr_expect_not_null(dhcp_talk_option(&talk, 51, &length));
}

/* RFC 3442: with the default route in it. */
Test(dhcp_one, routes)
{
	segment.network.route_count = 2;
	cr_assert_null(prefix_parse("192.0.2.128/25", &segment.network.routes[0].prefix));
	cr_assert_null(prefix_parse("172.16.0.0/12", &segment.network.routes[1].prefix));
	segment.network.routes[1].via = address_of("10.77.0.9");
	dhcp_talk_again(&talk);
	ask(.from = 2, .type = DHCP_DISCOVER);
	cr_assert(take());
	expect_option(121,
		"\x19\xc0\x00\x02\x80\x0a\x4d\x00\x01"
		"\x0c\xac\x10\x0a\x4d\x00\x09"
		"\x00\x0a\x4d\x00\x01",
		21);
}

/* RFC 2131, 4.1. */
Test(dhcp_one, answers_are_broadcast_where_that_is_asked_for)
{
	ask(.from = 2, .type = DHCP_DISCOVER, .broadcast = true);
	expect(DHCP_OFFER, "10.77.0.2");
	cr_expect_str_eq(reply.to, "255.255.255.255");
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_everybody, 6), 0);
	ask(.from = 2, .type = DHCP_REQUEST, .client = "10.77.0.2", .broadcast = true);
	expect(DHCP_ACK, "10.77.0.2");
	cr_expect_str_eq(reply.to, "10.77.0.2", "who has an address is answered there");
}

/* RFC 4039. */
Test(dhcp_one, rapid_commit)
{
	ask(.from = 2, .type = DHCP_DISCOVER, .rapid = true);
	expect(DHCP_ACK, "10.77.0.2");
	expect_option(80, "", 0);
	cr_expect_eq(segment.lease_changes, 1);
}

Test(dhcp_one, foreign_lease_is_refused_at_once)
{
	ask(.from = 2, .type = DHCP_REQUEST, .requested = "192.168.1.7");
	expect(DHCP_NAK, "0.0.0.0");
	cr_expect_str_eq(reply.to, "255.255.255.255");
	ask(.from = 2, .type = DHCP_REQUEST, .requested = "10.77.0.3");
	expect(DHCP_NAK, "0.0.0.0");
	ask(.from = 2, .type = DHCP_REQUEST, .client = "10.77.0.3");
	expect(DHCP_NAK, "0.0.0.0");
	ask(.from = 2, .type = DHCP_REQUEST, .requested = "10.77.0.2");
	expect(DHCP_ACK, "10.77.0.2");
}

Test(dhcp_one, request_to_another_server_is_none_of_ours)
{
	ask(.from = 2, .type = DHCP_REQUEST, .requested = "10.77.0.2", .server = "10.77.0.9");
	expect_silence();
}

Test(dhcp_one, release_ends_the_lease)
{
	ask(.from = 2, .type = DHCP_REQUEST, .requested = "10.77.0.2");
	expect(DHCP_ACK, "10.77.0.2");
	ask(.from = 2, .type = DHCP_RELEASE, .client = "10.77.0.2", .server = "10.77.0.1");
	expect_silence();
	cr_expect_eq(segment.lease_changes, 2);
	cr_expect_eq(segment.lease.expires_ms, segment.now_ms);
}

Test(dhcp_one, inform_is_answered_without_a_lease)
{
	uint8_t length;

	ask(.from = 2, .type = DHCP_INFORM, .client = "10.77.0.2");
	expect(DHCP_ACK, "0.0.0.0");
	cr_expect_str_eq(reply.to, "10.77.0.2");
	cr_expect_null(dhcp_talk_option(&talk, 51, &length));
	cr_expect_not_null(dhcp_talk_option(&talk, 15, &length));
	ask(.from = 2, .type = DHCP_INFORM, .client = "10.77.0.3");
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 1);
}

/* RFC 6842. */
Test(dhcp_one, client_identifier_is_returned)
{
	ask(.from = 2, .type = DHCP_DISCOVER, .id = "\xff identifier");
	cr_assert(take());
	expect_option(61, "\xff identifier", 12);
}

Test(dhcp_one, hardware_address_and_relay)
{
	ask(.from = 2, .type = DHCP_DISCOVER, .mac = 3);
	expect_silence();
	ask(.from = 2, .type = DHCP_DISCOVER, .relay = "10.77.0.9");
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MAC_SPOOFED), 2);
	ask(.from = 2, .type = DHCP_OFFER);
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ROGUE), 1);
}

/* What each byte less, and each wrong one in what is fixed, comes to: nothing. */
Test(dhcp_one, malformed_messages_are_dropped_and_counted)
{
	const struct ask good = {.from = 2, .type = DHCP_DISCOVER, .requested = "10.77.0.2"};
	uint8_t bytes[1024];
	const size_t length = dhcp_talk_make(&good, bytes);

	for (size_t cut = 0; cut < length - 7; cut++)
		dhcp_talk_send(&talk, mac_of(2).byte, bytes, cut);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MALFORMED), 243);
	for (size_t i = 0; i < 3; i++) {
		bytes[i] ^= 0xff;
		dhcp_talk_send(&talk, mac_of(2).byte, bytes, length);
		bytes[i] ^= 0xff;
	}
	bytes[238] = 0; /* the cookie */
	dhcp_talk_send(&talk, mac_of(2).byte, bytes, length);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MALFORMED), 247);
	expect_silence();
}

/* RFC 2132, 9.3. */
Test(dhcp_one, overloaded_fields_have_options)
{
	const struct ask plain = {.from = 2, .type = DHCP_DISCOVER};
	uint8_t bytes[1024];
	size_t length = dhcp_talk_make(&plain, bytes);

	length += dhcp_talk_option_put(bytes + length - 1, 52, "\x03", 1);
	bytes[length - 1] = 255;
	dhcp_talk_option_put(bytes + 108, 80, "", 0); /* in `file` */
	bytes[110] = 255;
	dhcp_talk_option_put(bytes + 44, 61, "id-in-sname", 11);
	bytes[57] = 255;
	dhcp_talk_send(&talk, mac_of(2).byte, bytes, length);
	expect(DHCP_ACK, "10.77.0.2");
	expect_option(61, "id-in-sname", 11);
}

Test(dhcp_one, without_dhcp_it_is_the_engines)
{
	uint8_t bytes[1024];
	const struct ask plain = {.from = 2, .type = DHCP_DISCOVER};
	struct build build = {.family = AF_INET,
		.protocol = IPPROTO_UDP,
		.destination_port = 67,
		.destination.v4 = UINT32_MAX,
		.payload = bytes};
	struct packet packet = {.data = segment.in_buffer + PACKET_HEADROOM, .capacity = 2048};

	segment.network.dhcp = false;
	dhcp_talk_again(&talk);
	build.payload_bytes = (uint32_t)dhcp_talk_make(&plain, bytes);
	build_packet(&packet, &build);
	cr_expect_eq(segment_in(&segment, mac_of(2).byte, mac_everybody, 0x0800, packet.data,
			     packet.length),
		LAN_PASS);
}
