/* SPDX-License-Identifier: BSD-2-Clause */
/* parse: what is found in good packets, and the reason for which each bad one is dropped. */
#include "wire/parse.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/parsing.h"

/* ---- good packets ---- */

Test(parse, tcp_over_ipv4)
{
	struct packet *packet = TCP_PACKET(GUEST4, SERVER4, .tcp_flags = TCP_SYN | TCP_ECE,
		.mss = 1460, .ttl = 17, .payload_bytes = 5);
	const struct headers *headers = &packet->headers;

	expect_parsed(packet, "TCP");
	expect_addresses(packet, GUEST4, SERVER4);
	cr_expect_eq(headers->family, AF_INET);
	cr_expect_eq(headers->protocol, IPPROTO_TCP);
	cr_expect_eq(headers->kind, L4_TCP);
	cr_expect_eq(headers->ttl, 17);
	cr_expect_eq(headers->l4, 20);
	cr_expect_eq(headers->payload, 44);
	cr_expect_eq(headers->end, 49);
	cr_expect_eq(headers->tcp_flags, TCP_SYN | TCP_ECE);
	cr_expect_not(headers->may_fragment);
	cr_expect_not(headers->more_fragments);
	cr_expect_eq(packet_payload_bytes(packet), 5);

	packet->hashed = true; /* what is parsed anew is to be hashed anew */
	expect_parsed(packet, "again");
	cr_expect_not(packet->hashed);
	packet_dispose(packet);
}

Test(parse, udp_over_ipv6)
{
	struct packet *packet = UDP_PACKET(GUEST6, SERVER6, .payload_bytes = 5, .ttl = 3);
	const struct headers *headers = &packet->headers;

	expect_parsed(packet, "UDP");
	expect_addresses(packet, GUEST6, SERVER6);
	cr_expect_eq(headers->family, AF_INET6);
	cr_expect_eq(headers->protocol, IPPROTO_UDP);
	cr_expect_eq(headers->kind, L4_UDP);
	cr_expect_eq(headers->ttl, 3);
	cr_expect_eq(headers->l4, 40);
	cr_expect_eq(headers->payload, 48);
	cr_expect_eq(headers->end, 53);
	packet_dispose(packet);
}

Test(parse, udp_without_payload)
{
	struct packet *packet = UDP_PACKET(GUEST4, SERVER4);

	expect_parsed(packet, "eight bytes of UDP");
	cr_expect_eq(packet_payload_bytes(packet), 0);
	packet_dispose(packet);
}

Test(parse, padding_is_cut)
{
	static const char *const ends[][2] = {{GUEST4, SERVER4}, {GUEST6, SERVER6}};

	for (unsigned i = 0; i < 2; i++) {
		struct packet *packet = UDP_PACKET(ends[i][0], ends[i][1], .payload_bytes = 1);
		uint8_t padded[100] = {0};
		const uint32_t length = packet->length;

		memcpy(padded, packet->data, length);
		packet_dispose(packet);
		packet = packet_from_bytes(padded, sizeof(padded), sizeof(padded));
		expect_parsed(packet, "padded");
		cr_expect_eq(packet->length, length);
		cr_expect_eq(packet->headers.end, length);
		packet_dispose(packet);
	}
}

Test(parse, don_t_fragment_and_its_absence)
{
	struct packet *packet = UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 8);

	packet_ipv4(packet)->fragment = 0;
	fix_ipv4_checksum(packet);
	expect_parsed(packet, "DF clear");
	cr_expect(packet->headers.may_fragment);
	cr_expect_not(packet->headers.more_fragments);
	packet_dispose(packet);
}

Test(parse, other_protocols_have_no_ports)
{
	struct packet *packet =
		packet_make("10.77.0.5", "192.0.2.1", &(struct build){.protocol = 47});

	expect_parsed(packet, "GRE without a byte");
	cr_expect_eq(packet->headers.kind, L4_OTHER);
	cr_expect_eq(packet->headers.payload, 20);
	cr_expect_eq(packet->headers.source_port, 0);
	packet_dispose(packet);
}

Test(parse, an_icmp_of_the_other_family_is_any_protocol)
{
	struct packet *packet = packet_make("10.77.0.5", "192.0.2.1",
		&(struct build){.protocol = IPPROTO_ICMPV6, .icmp_type = ICMP6_ECHO});

	expect_parsed(packet, "ICMPv6 over IPv4");
	cr_expect_eq(packet->headers.kind, L4_OTHER);
	packet_dispose(packet);
}

Test(parse, icmp_identifiers_are_the_asker_s_port)
{
	static const struct {
		const char *from, *to;
		uint8_t type;
		uint16_t source_port, destination_port;
	} rows[] = {
		{"10.77.0.5", "192.0.2.1", ICMP4_ECHO, 7, 0},
		{"10.77.0.5", "192.0.2.1", ICMP4_ECHO_REPLY, 0, 7},
		{"10.77.0.5", "192.0.2.1", ICMP4_TIMESTAMP, 7, 13},
		{"10.77.0.5", "192.0.2.1", ICMP4_TIMESTAMP_REPLY, 13, 7},
		{"fd00::5", "2001:db8::1", ICMP6_ECHO, 7, 0},
		{"fd00::5", "2001:db8::1", ICMP6_ECHO_REPLY, 0, 7},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct packet *packet = ICMP_PACKET(rows[i].from, rows[i].to,
			.icmp_type = rows[i].type, .source_port = 7, .payload_bytes = 12);

		expect_parsed(packet, "query");
		cr_expect_eq(packet->headers.kind, L4_ICMP_QUERY);
		cr_expect_eq(packet->headers.icmp_type, rows[i].type);
		cr_expect_eq(ntohs(packet->headers.source_port), rows[i].source_port);
		cr_expect_eq(ntohs(packet->headers.destination_port), rows[i].destination_port);
		packet_dispose(packet);
	}
}

Test(parse, icmp_type_and_code)
{
	struct packet *packet = ICMP_PACKET(
		"fd00::5", "2001:db8::1", .icmp_type = 135, .icmp_code = 3, .payload_bytes = 16);

	expect_parsed(packet, "ICMPv6");
	cr_expect_eq(packet->headers.kind, L4_ICMP_OTHER);
	cr_expect_eq(packet->headers.icmp_type, 135);
	cr_expect_eq(packet->headers.icmp_code, 3);
	packet_dispose(packet);
}

Test(parse, icmp_kinds)
{
	static const uint8_t queries4[] = {0, 8, 13, 14}, errors4[] = {3, 11, 12};
	static const uint8_t queries6[] = {128, 129}, errors6[] = {1, 2, 3, 4};

	for (unsigned type = 0; type < 256; type++) {
		const uint8_t kind4 = memchr(queries4, (int)type, sizeof(queries4)) ? L4_ICMP_QUERY
				      : memchr(errors4, (int)type, sizeof(errors4)) ? L4_ICMP_ERROR
										    : L4_ICMP_OTHER;
		const uint8_t kind6 = memchr(queries6, (int)type, sizeof(queries6)) ? L4_ICMP_QUERY
				      : memchr(errors6, (int)type, sizeof(errors6)) ? L4_ICMP_ERROR
										    : L4_ICMP_OTHER;

		cr_expect_eq(icmp_kind(AF_INET, (uint8_t)type), kind4, "ICMP %u", type);
		cr_expect_eq(icmp_kind(AF_INET6, (uint8_t)type), kind6, "ICMPv6 %u", type);
	}
}

/* ---- bad packets: one good one, a few bytes changed ---- */

struct patch {
	uint8_t at, value;
};

static const struct bad {
	const char *what;
	enum good good;
	struct patch patch[2]; /* { 0, 0 }: none */
	uint8_t cut;           /* bytes cut off the end */
	enum drop drop;
} bad_packets[] = {
	{"nothing", UDP4, {{0}}, 44, DROP_TRUNCATED},
	{"one byte", UDP4, {{0}}, 43, DROP_TRUNCATED},
	{"19 bytes", UDP4, {{0}}, 25, DROP_TRUNCATED},
	{"39 bytes of IPv6", UDP6, {{0}}, 25, DROP_TRUNCATED},
	{"the last byte missing", UDP4, {{0}}, 1, DROP_TRUNCATED},
	{"the last byte missing", UDP6, {{0}}, 1, DROP_TRUNCATED},
	{"version 5", UDP4, {{0, 0x55}}, 0, DROP_BAD_HEADER},
	{"version 0", UDP4, {{0, 0x05}}, 0, DROP_BAD_HEADER},
	{"header of 16 bytes", UDP4, {{0, 0x44}}, 0, DROP_BAD_HEADER},
	{"header longer than the packet", UDP4, {{0, 0x4c}}, 0, DROP_BAD_HEADER},
	{"total length of 0", UDP4, {{2, 0}, {3, 0}}, 0, DROP_BAD_HEADER},
	{"total length of 19", UDP4, {{2, 0}, {3, 19}}, 0, DROP_BAD_HEADER},
	{"total length of more", UDP4, {{2, 1}}, 0, DROP_TRUNCATED},
	{"payload length of more", UDP6, {{4, 1}}, 0, DROP_TRUNCATED},
	{"payload length of 0", UDP6, {{5, 0}}, 0, DROP_TRUNCATED},
	{"no room for UDP", UDP4, {{3, 27}}, 0, DROP_TRUNCATED},
	{"no room for UDP", UDP6, {{5, 7}}, 0, DROP_TRUNCATED},
	{"no room for TCP", TCP4, {{3, 39}}, 0, DROP_TRUNCATED},
	{"no room for TCP's ports", TCP4, {{3, 27}}, 0, DROP_TRUNCATED},
	{"no room for TCP", TCP6, {{5, 19}}, 0, DROP_TRUNCATED},
	{"no room for ICMP", ECHO4, {{3, 27}}, 0, DROP_TRUNCATED},
	{"no room for ICMPv6", ECHO6, {{5, 7}}, 0, DROP_TRUNCATED},
	{"TCP offset of 16 bytes", TCP4, {{32, 0x40}}, 0, DROP_BAD_HEADER},
	{"TCP offset past the end", TCP4, {{32, 0xa0}}, 0, DROP_TRUNCATED},
	{"TCP source port 0", TCP4, {{20, 0}, {21, 0}}, 0, DROP_BAD_HEADER},
	{"TCP destination port 0", TCP6, {{42, 0}, {43, 0}}, 0, DROP_BAD_HEADER},
	{"UDP source port 0", UDP6, {{40, 0}, {41, 0}}, 0, DROP_BAD_HEADER},
	{"UDP destination port 0", UDP4, {{22, 0}, {23, 0}}, 0, DROP_BAD_HEADER},
	{"UDP length of 0", UDP4, {{25, 0}}, 0, DROP_BAD_HEADER},
	{"UDP length of 7", UDP6, {{45, 7}}, 0, DROP_BAD_HEADER},
	{"UDP length of one too many", UDP4, {{25, 25}}, 0, DROP_TRUNCATED},
	{"UDP length of one too many", UDP6, {{45, 25}}, 0, DROP_TRUNCATED},
	{"ICMP sum", ECHO4, {{30, 1}}, 0, DROP_BAD_CHECKSUM},
	{"ICMPv6 sum", ECHO6, {{50, 1}}, 0, DROP_BAD_CHECKSUM},
	{"ICMPv6 sum, by an address", ECHO6, {{9, 1}}, 0, DROP_BAD_CHECKSUM},
};

Test(parse, bad_packets)
{
	for (size_t i = 0; i < sizeof(bad_packets) / sizeof(*bad_packets); i++) {
		const struct bad *bad = &bad_packets[i];
		struct packet *whole = make_good(bad->good);

		for (unsigned j = 0; j < 2; j++)
			if (bad->patch[j].at || bad->patch[j].value)
				whole->data[bad->patch[j].at] = bad->patch[j].value;
		fix_ipv4_checksum(whole);
		const uint32_t length = whole->length - bad->cut;
		expect_drop(packet_from_bytes(whole->data, length, length), bad->drop, bad->what);
		packet_dispose(whole);
	}
}

/* The good packets of the table are good, and every cut of them is truncated, never read past. */
Test(parse, every_truncation)
{
	for (enum good good = TCP4; good <= ECHO6; good++) {
		struct packet *whole = make_good(good);

		for (uint32_t length = 0; length < whole->length; length++)
			expect_drop(packet_from_bytes(whole->data, length, length), DROP_TRUNCATED,
				"cut");
		expect_parsed(whole, "good");
		packet_dispose(whole);
	}
}

Test(parse, big_tcp_is_refused)
{
	struct packet *small = make_good(TCP4);
	struct packet *packet = packet_with_room(70000);

	memset(packet->data, 0, 70000);
	memcpy(packet->data, small->data, small->length);
	packet->length = 70000;
	packet_ipv4(packet)->total_length = 0;
	fix_ipv4_checksum(packet);
	expect_drop(packet, DROP_BAD_HEADER, "IPv4 of more than 64 KiB");
	packet_dispose(small);
}

Test(parse, every_bit_of_the_ipv4_header_is_summed)
{
	for (unsigned bit = 8; bit < 160; bit++) {
		struct packet *packet = make_good(UDP4);

		packet->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_expect_not(packet_parse(packet), "bit %u", bit);
		packet_dispose(packet);
	}
}

Test(parse, tcp_flags)
{
	/* The combinations that Linux's conntrack takes, besides PSH, ECE and CWR. */
	static const uint8_t valid[] = {TCP_SYN, TCP_SYN | TCP_URG, TCP_SYN | TCP_ACK, TCP_RST,
		TCP_RST | TCP_ACK, TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK | TCP_URG, TCP_ACK,
		TCP_ACK | TCP_URG,
		/* Harmless to us. */
		TCP_SYN | TCP_ACK | TCP_URG, TCP_RST | TCP_URG, TCP_RST | TCP_ACK | TCP_URG};

	for (unsigned flags = 0; flags < 256; flags++) {
		struct packet *packet = TCP_PACKET(GUEST6, SERVER6, .tcp_flags = (uint8_t)flags);
		const uint8_t core = flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK | TCP_URG);

		if (core && memchr(valid, core, sizeof(valid))) {
			expect_parsed(packet, "flags");
			cr_expect_eq(packet->headers.tcp_flags, flags);
			packet_dispose(packet);
		} else {
			expect_drop(packet, DROP_BAD_FLAGS, "flags");
		}
	}
}

/* ---- IPv4 options ---- */

Test(parse, ipv4_options)
{
	static const struct {
		const char *what;
		uint8_t options[8];
		enum drop drop; /* DROP_COUNT: parsed */
	} rows[] = {
		{"nothing but no-ops", {1, 1, 1, 1, 1, 1, 1, 1}, DROP_COUNT},
		{"an end, and anything", {1, 0, 131, 0, 7, 3, 137, 1}, DROP_COUNT},
		{"router alert", {148, 4, 0, 0, 0, 0, 0, 0}, DROP_COUNT},
		{"an option to the end", {1, 1, 68, 6, 5, 0, 0, 0}, DROP_COUNT},
		{"two bytes to the end", {1, 1, 1, 1, 1, 1, 148, 2}, DROP_COUNT},
		{"loose source route", {131, 7, 4, 192, 0, 2, 9, 0}, DROP_SOURCE_ROUTE},
		{"strict source route", {1, 137, 7, 4, 192, 0, 2, 9}, DROP_SOURCE_ROUTE},
		{"record route", {7, 7, 4, 0, 0, 0, 0, 0}, DROP_SOURCE_ROUTE},
		{"behind another", {148, 4, 0, 0, 131, 3, 4, 0}, DROP_SOURCE_ROUTE},
		{"size 0", {148, 0, 0, 0, 0, 0, 0, 0}, DROP_BAD_HEADER},
		{"size 1", {148, 1, 0, 0, 0, 0, 0, 0}, DROP_BAD_HEADER},
		{"past the end", {148, 9, 0, 0, 0, 0, 0, 0}, DROP_BAD_HEADER},
		{"far past the end", {148, 16, 0, 0, 0, 0, 0, 0}, DROP_BAD_HEADER},
		{"without a size", {1, 1, 1, 1, 1, 1, 1, 148}, DROP_BAD_HEADER},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct packet *packet = with_options(make_good(UDP4), rows[i].options, 8);

		if (rows[i].drop != DROP_COUNT) {
			expect_drop(packet, rows[i].drop, rows[i].what);
			continue;
		}
		expect_parsed(packet, rows[i].what);
		cr_expect_eq(packet->headers.l4, 28);
		cr_expect_eq(packet->headers.payload, 36);
		packet_dispose(packet);
	}
}
