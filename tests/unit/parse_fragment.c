/* SPDX-License-Identifier: BSD-2-Clause */
/* parse: IPv6 extension headers, and fragments of both families. */
#include "wire/parse.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/parsing.h"

/* ---- IPv6 extension headers ---- */

static const uint8_t options8[8] = {0, 0, 1, 4}; /* PadN */
static const uint8_t options16[16] = {0, 1, 1, 12};

Test(parse_fragment, extension_headers)
{
	struct packet *packet = make_good(TCP6);

	packet = extend(packet, IPPROTO_DSTOPTS, options8, 8);
	packet = fragment(packet, 0, false); /* atomic, RFC 6946: whole */
	packet = extend(packet, IPPROTO_ROUTING, (uint8_t[8]){0, 0, 2, 0}, 8);
	packet = extend(packet, IPPROTO_HOPOPTS, options16, 16);
	expect_parsed(packet, "chain");
	cr_expect_eq(packet->headers.kind, L4_TCP);
	cr_expect_eq(packet->headers.l4, 80);
	cr_expect_not(packet->headers.more_fragments);
	expect_addresses(packet, GUEST6, SERVER6);
	packet_dispose(packet);
}

/* RFC 8200, 4.7: no next header, and nothing behind the one before. */
Test(parse_fragment, headers_up_to_the_end)
{
	struct packet *packet =
		packet_make("fd00::5", "2001:db8::1", &(struct build){.protocol = IPPROTO_NONE});

	expect_parsed(packet, "IPv6 alone");
	cr_expect_eq(packet->headers.kind, L4_OTHER);
	cr_expect_eq(packet->headers.end, 40);
	packet = extend(packet, IPPROTO_DSTOPTS, options8, 8);
	expect_parsed(packet, "an extension header alone");
	cr_expect_eq(packet->headers.protocol, IPPROTO_NONE);
	cr_expect_eq(packet->headers.l4, 48);
	cr_expect_eq(packet->headers.end, 48);
	packet_dispose(packet);
}

Test(parse_fragment, bad_extension_headers)
{
	struct packet *packet = make_good(UDP6);

	for (unsigned i = 0; i < 9; i++)
		packet = extend(packet, IPPROTO_DSTOPTS, options8, 8);
	expect_drop(packet, DROP_BAD_HEADER, "nine of them");

	packet = extend(make_good(UDP6), IPPROTO_HOPOPTS, options8, 8);
	packet = extend(packet, IPPROTO_DSTOPTS, options8, 8);
	expect_drop(packet, DROP_BAD_HEADER, "hop-by-hop not the first");

	packet = extend(make_good(UDP6), IPPROTO_DSTOPTS, (uint8_t[8]){0, 255}, 8);
	expect_drop(packet, DROP_TRUNCATED, "longer than the packet");

	packet = extend(make_good(UDP6), IPPROTO_ROUTING, (uint8_t[8]){0, 0, 0, 0}, 8);
	expect_drop(packet, DROP_SOURCE_ROUTE, "routing type 0");

	packet = extend(make_good(UDP6), IPPROTO_ROUTING, (uint8_t[8]){0, 0, 4, 1}, 8);
	expect_drop(packet, DROP_SOURCE_ROUTE, "segments left");

	packet = fragment(fragment(make_good(UDP6), 0, true), 0, true);
	expect_drop(packet, DROP_BAD_HEADER, "fragments of fragments");
}

Test(parse_fragment, every_truncation_of_extension_headers)
{
	struct packet *packet = extend(make_good(TCP6), IPPROTO_DSTOPTS, options8, 8);

	packet = extend(packet, IPPROTO_HOPOPTS, options16, 16);
	for (uint32_t length = 40; length < 84; length++) {
		struct packet *cut = packet_from_bytes(packet->data, length, length);

		packet_ipv6(cut)->payload_length = htons((uint16_t)(length - 40));
		expect_drop(cut, DROP_TRUNCATED, "cut");
	}
	packet_dispose(packet);
}

/* ---- fragments ---- */

static void expect_position(const struct packet *packet, uint32_t id, uint32_t offset, bool more)
{
	struct fragment_position position;

	packet_fragment_position(packet, &position);
	cr_expect_eq(position.id, id);
	cr_expect_eq(position.offset, offset);
	cr_expect_eq(position.more, more);
}

Test(parse_fragment, first_fragments)
{
	struct packet *packet = fragment(make_good(UDP4), 0, true);

	/* The length is that of the whole datagram. */
	((struct udp_header *)(packet->data + 20))->length = htons(3000);
	expect_parsed(packet, "UDP");
	cr_expect_eq(packet->headers.kind, L4_UDP);
	cr_expect(packet->headers.more_fragments);
	expect_addresses(packet, GUEST4, SERVER4);
	expect_position(packet, FRAGMENT4_ID, 0, true);
	packet_dispose(packet);

	packet = extend(make_good(ECHO6), IPPROTO_DSTOPTS, options8, 8);
	packet = fragment(packet, 0, true);
	packet = extend(packet, IPPROTO_HOPOPTS, options8, 8);
	packet->data[70] ^= 1; /* the sum is the whole message's */
	expect_parsed(packet, "ICMPv6");
	cr_expect_eq(packet->headers.kind, L4_ICMP_QUERY);
	cr_expect(packet->headers.more_fragments);
	expect_position(packet, FRAGMENT6_ID, 0, true);
	packet_dispose(packet);
}

Test(parse_fragment, later_fragments)
{
	struct packet *packet = fragment(make_good(UDP4), 1480, false);

	expect_parsed(packet, "IPv4");
	cr_expect_eq(packet->headers.kind, L4_FRAGMENT);
	cr_expect_eq(packet->headers.protocol, IPPROTO_UDP);
	cr_expect_eq(packet->headers.l4, 20);
	cr_expect_eq(packet->headers.payload, 20);
	cr_expect_eq(packet->headers.source_port, 0);
	cr_expect_not(packet->headers.more_fragments);
	expect_position(packet, FRAGMENT4_ID, 1480, false);
	packet_dispose(packet);

	packet = fragment(make_good(UDP6), 1448, true);
	expect_parsed(packet, "IPv6");
	cr_expect_eq(packet->headers.kind, L4_FRAGMENT);
	cr_expect_eq(packet->headers.l4, 48);
	expect_position(packet, FRAGMENT6_ID, 1448, true);
	packet_dispose(packet);
}

/* What is next to what is refused. */
Test(parse_fragment, fragments_just_in_bounds)
{
	static const struct {
		const char *what;
		uint32_t payload_bytes, offset;
		uint8_t protocol;
	} rows[] = {
		{"UDP from its ninth byte on", 8, 8, IPPROTO_UDP},
		{"TCP from its 17th byte on", 8, 16, IPPROTO_TCP},
		{"up to byte 65535", 7, 65528, 254},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct packet *packet = packet_make(GUEST4, SERVER4,
			&(struct build){.protocol = rows[i].protocol,
				.scale = -1,
				.payload_bytes = rows[i].payload_bytes});

		packet = fragment(packet, rows[i].offset, false);
		expect_parsed(packet, rows[i].what);
		cr_expect_eq(packet->headers.kind, L4_FRAGMENT);
		packet_dispose(packet);
	}
	expect_drop(fragment(packet_make(GUEST4, SERVER4,
				     &(struct build){.protocol = 254, .payload_bytes = 8}),
			    65528, false),
		DROP_BAD_HEADER, "up to byte 65536");
}

Test(parse_fragment, bad_fragments)
{
	expect_drop(
		fragment(TCP_PACKET(GUEST4, SERVER4, .tcp_flags = TCP_SYN, .mss = 1460), 8, false),
		DROP_FRAGMENT, "RFC 1858: offset 1");
	expect_drop(fragment(make_good(TCP6), 8, false), DROP_FRAGMENT, "RFC 1858: offset 1");

	struct packet *packet = fragment(make_good(TCP4), 0, true);
	packet_ipv4(packet)->total_length = htons(36);
	fix_ipv4_checksum(packet);
	expect_drop(packet, DROP_FRAGMENT, "16 bytes of TCP header");
	packet = fragment(make_good(TCP4), 0, true);
	packet->data[32] = 0xf0;
	packet_ipv4(packet)->total_length = htons(52);
	fix_ipv4_checksum(packet);
	expect_drop(packet, DROP_FRAGMENT, "TCP options beyond the fragment");

	packet = fragment(make_good(TCP6), 0, true);
	packet_ipv6(packet)->payload_length = htons(24);
	expect_drop(packet, DROP_FRAGMENT, "16 bytes of TCP header");
	packet = extend(make_good(UDP6), IPPROTO_DSTOPTS, (uint8_t[8]){0, 9}, 8);
	expect_drop(fragment(packet, 0, true), DROP_FRAGMENT, "RFC 7112: chain cut");

	expect_drop(fragment(UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 9), 0, true),
		DROP_BAD_HEADER, "17 bytes, and more to come");
	expect_drop(fragment(UDP_PACKET(GUEST6, SERVER6, .payload_bytes = 9), 800, true),
		DROP_BAD_HEADER, "17 bytes, and more to come");
	expect_drop(fragment(make_good(UDP4), 65528, false), DROP_BAD_HEADER, "past 65535");
	expect_drop(fragment(make_good(UDP6), 65528, false), DROP_BAD_HEADER, "past 65535");
	packet = fragment(make_good(UDP4), 800, false);
	packet_ipv4(packet)->total_length = htons(20);
	fix_ipv4_checksum(packet);
	expect_drop(packet, DROP_BAD_HEADER, "a fragment of nothing");

	packet = ICMP_PACKET(
		"10.77.0.5", "192.0.2.1", .icmp_type = ICMP4_UNREACHABLE, .payload_bytes = 48);
	expect_drop(fragment(packet, 0, true), DROP_FRAGMENT, "an ICMP error in fragments");
}
