/* SPDX-License-Identifier: BSD-2-Clause */
/* parse: which offloads a packet may have. */
#include "wire/parse.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/parsing.h"

Test(parse_offload, offload_of_super_packets)
{
	static const struct {
		const char *from, *to;
		uint8_t protocol, gso_type, header_size, csum_offset;
	} rows[] = {
		{GUEST4, SERVER4, IPPROTO_TCP, OFFLOAD_GSO_TCPV4, 40, 16},
		{GUEST6, SERVER6, IPPROTO_TCP, OFFLOAD_GSO_TCPV6, 60, 16},
		{GUEST4, SERVER4, IPPROTO_UDP, OFFLOAD_GSO_UDP_L4, 28, 6},
		{GUEST6, SERVER6, IPPROTO_UDP, OFFLOAD_GSO_UDP_L4, 48, 6},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct packet *packet = packet_make(rows[i].from, rows[i].to,
			&(struct build){.protocol = rows[i].protocol,
				.tcp_flags = TCP_ACK,
				.scale = -1,
				.payload_bytes = 5000,
				.partial_checksum = true,
				.gso_size = 1000});

		packet->offload.header_size = 9; /* a hint, and a wrong one */
		packet->offload.flags |= 4;      /* RSC_INFO: unknown to us */
		expect_parsed(packet, "super-packet");
		cr_expect_eq(packet->offload.flags, OFFLOAD_NEEDS_CSUM);
		cr_expect_eq(packet->offload.gso_type, rows[i].gso_type);
		cr_expect_eq(packet->offload.gso_size, 1000);
		cr_expect_eq(packet->offload.header_size, rows[i].header_size);
		cr_expect_eq(packet->offload.csum_start, packet->headers.l4);
		cr_expect_eq(packet->offload.csum_offset, rows[i].csum_offset);
		cr_expect(packet_checksum_is_partial(packet));
		packet_dispose(packet);
	}
}

Test(parse_offload, unused_offload_is_cleared)
{
	struct packet *packet = make_good(TCP4);

	packet->offload = (struct offload){.flags = OFFLOAD_DATA_VALID | 4,
		.header_size = 54,
		.gso_size = 9,
		.csum_start = 1,
		.csum_offset = 2};
	expect_parsed(packet, "plain");
	const struct offload clear = {.flags = OFFLOAD_DATA_VALID};
	cr_expect_eq(memcmp(&packet->offload, &clear, sizeof(clear)), 0);
	cr_expect_not(packet_checksum_is_partial(packet));
	packet_dispose(packet);
}

Test(parse_offload, congestion_notification)
{
	struct packet *packet = make_good(TCP4);

	packet->offload = (struct offload){.flags = OFFLOAD_NEEDS_CSUM,
		.gso_type = OFFLOAD_GSO_TCPV4 | OFFLOAD_GSO_ECN,
		.gso_size = 8,
		.csum_start = 20,
		.csum_offset = 16};
	expect_parsed(packet, "IPv4");
	packet_dispose(packet);

	packet = make_good(TCP6);
	packet->offload = (struct offload){.flags = OFFLOAD_NEEDS_CSUM,
		.gso_type = OFFLOAD_GSO_TCPV6 | OFFLOAD_GSO_ECN,
		.gso_size = 8,
		.csum_start = 40,
		.csum_offset = 16};
	expect_parsed(packet, "IPv6");
	packet_dispose(packet);
}

/* A partial sum inside a tunnel: legal, and none of the outer header's business. */
Test(parse_offload, tunnelled_packets)
{
	/* Anywhere in the payload, from its first byte to its last. */
	static const struct offload offloads[] = {
		{.flags = OFFLOAD_NEEDS_CSUM, .csum_start = 28, .csum_offset = 0},
		{.flags = OFFLOAD_NEEDS_CSUM, .csum_start = 78, .csum_offset = 16},
		{.flags = OFFLOAD_NEEDS_CSUM, .csum_start = 78, .csum_offset = 48},
	};

	for (unsigned i = 0; i < 3; i++) {
		struct packet *packet = UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 100);

		packet->offload = offloads[i];
		expect_parsed(packet, "in UDP");
		cr_expect_not(packet_checksum_is_partial(packet));
		packet_dispose(packet);
	}
}

static const struct {
	const char *what;
	enum good good;
	struct offload offload;
} bad_offloads[] = {
#define CSUM(start, offset)                                                                        \
	.flags = OFFLOAD_NEEDS_CSUM, .csum_start = (start), .csum_offset = (offset)
	{"sum in the IP header", TCP4, {CSUM(0, 16)}},
	{"sum before the IP header", TCP4, {CSUM(0, 0)}},
	{"sum in the TCP header", TCP4, {CSUM(24, 12)}},
	{"another field", TCP4, {CSUM(20, 6)}},
	{"another field", UDP4, {CSUM(20, 16)}},
	{"another field", ECHO6, {CSUM(40, 4)}},
	{"field past the end", UDP4, {CSUM(28, 15)}},
	{"field far past the end", UDP6, {CSUM(65535, 65535)}},
	{"ICMPv4 has no pseudo-header", ECHO4, {CSUM(20, 2)}},
	{"in a TCP stream", TCP6, {CSUM(60, 2)}},
	{"GSO without a partial sum", TCP4, {.gso_type = OFFLOAD_GSO_TCPV4, .gso_size = 8}},
	{"GSO of size 0", TCP4, {CSUM(20, 16), .gso_type = OFFLOAD_GSO_TCPV4}},
	{"GSO of the other family", TCP4,
		{CSUM(20, 16), .gso_type = OFFLOAD_GSO_TCPV6, .gso_size = 8}},
	{"GSO of the other family", TCP6,
		{CSUM(40, 16), .gso_type = OFFLOAD_GSO_TCPV4, .gso_size = 8}},
	{"GSO of the other protocol", UDP4,
		{CSUM(20, 6), .gso_type = OFFLOAD_GSO_TCPV4, .gso_size = 8}},
	{"GSO of the other protocol", TCP6,
		{CSUM(40, 16), .gso_type = OFFLOAD_GSO_UDP_L4, .gso_size = 8}},
	{"UFO", UDP4, {CSUM(20, 6), .gso_type = OFFLOAD_GSO_UDP, .gso_size = 8}},
	{"unknown GSO", UDP4, {CSUM(20, 6), .gso_type = 7, .gso_size = 8}},
	{"ECN of UDP", UDP4,
		{CSUM(20, 6), .gso_type = OFFLOAD_GSO_UDP_L4 | OFFLOAD_GSO_ECN, .gso_size = 8}},
	{"ECN alone", TCP4, {CSUM(20, 16), .gso_type = OFFLOAD_GSO_ECN, .gso_size = 8}},
	{"GSO of a tunnelled packet", UDP4,
		{CSUM(30, 6), .gso_type = OFFLOAD_GSO_UDP_L4, .gso_size = 8}},
#undef CSUM
};

Test(parse_offload, bad_offload)
{
	for (size_t i = 0; i < sizeof(bad_offloads) / sizeof(*bad_offloads); i++) {
		struct packet *packet = make_good(bad_offloads[i].good);

		packet->offload = bad_offloads[i].offload;
		expect_drop(packet, DROP_BAD_OFFLOAD, bad_offloads[i].what);
	}
	struct packet *packet = fragment(make_good(UDP4), 0, true);
	packet->offload =
		(struct offload){.flags = OFFLOAD_NEEDS_CSUM, .csum_start = 20, .csum_offset = 6};
	expect_drop(packet, DROP_BAD_OFFLOAD, "of a first fragment");
	packet = fragment(make_good(UDP4), 800, false);
	packet->offload =
		(struct offload){.flags = OFFLOAD_NEEDS_CSUM, .csum_start = 20, .csum_offset = 6};
	expect_drop(packet, DROP_BAD_OFFLOAD, "of a later fragment");
}
