/* SPDX-License-Identifier: BSD-2-Clause */
/* build: ICMP errors, resets, and the packets that other tests are made of. */
#include "wire/build.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/packets.h"
#include "wire/gso.h"

#define GUEST4  "10.77.0.5:4000"
#define SERVER4 "192.0.2.1:80"
#define GUEST6  "[fd00::5]:4000"
#define SERVER6 "[2001:db8::1]:80"

static union addr address(const char *text)
{
	union addr parsed;
	uint8_t family;

	cr_assert(addr_parse(text, &parsed, &family));
	return parsed;
}

static struct packet *parsed(struct packet *packet)
{
	cr_assert(packet_parse(packet));
	return packet;
}

/* ---- ICMP errors ---- */

static struct packet *make_error(
	struct packet *about, uint8_t type, uint8_t code, uint32_t mtu, uint32_t length)
{
	const bool v4 = about->headers.family == AF_INET;
	const union addr gateway = address(v4 ? "10.77.0.1" : "fd00::1");
	struct packet *error = packet_with_room(BUILD_ERROR_BYTES_MAX);

	error->offload = about->offload; /* what the buffer was used for before */
	error->parsed = true;
	cr_assert(build_icmp_error(error, about, &gateway, type, code, mtu));
	cr_expect_not(error->parsed);
	cr_expect_eq(error->offload.flags, 0);
	cr_expect_eq(error->length, length);
	cr_expect_null(packet_fault(error), "%s", packet_fault(error));
	cr_assert(packet_parse(error));
	cr_expect_eq(error->headers.kind, L4_ICMP_ERROR);
	cr_expect_eq(error->headers.icmp_type, type);
	cr_expect_eq(error->headers.icmp_code, code);
	cr_expect(addr_equal(&error->headers.source, &gateway));
	cr_expect(addr_equal(&error->headers.destination, &about->headers.source));
	return error;
}

/* An error that quotes `quoted` bytes of `about` unchanged; disposes of it. */
static void expect_error(struct packet *about, uint8_t type, uint8_t code, uint32_t quoted)
{
	const uint32_t headers = about->headers.family == AF_INET ? 28 : 48;
	struct packet *error = make_error(about, type, code, 0, headers + quoted);
	struct headers inner;

	cr_expect_eq(memcmp(error->data + headers, about->data, quoted), 0);
	cr_expect(packet_parse_quoted(error, &inner));
	cr_expect(addr_equal(&inner.destination, &about->headers.destination));
	packet_dispose(error);
	packet_dispose(about);
}

Test(build, icmp_errors)
{
	expect_error(parsed(UDP_PACKET(GUEST4, SERVER4)), ICMP4_TIME_EXCEEDED, 0, 28);
	expect_error(parsed(UDP_PACKET(GUEST6, SERVER6)), ICMP6_TIME_EXCEEDED, 0, 48);
	expect_error(parsed(UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 520)), ICMP4_UNREACHABLE,
		ICMP4_PORT_UNREACHABLE, 548);
	expect_error(parsed(UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 521)), ICMP4_UNREACHABLE,
		ICMP4_PORT_UNREACHABLE, 548);
	expect_error(parsed(UDP_PACKET(GUEST6, SERVER6, .payload_bytes = 1400)), ICMP6_UNREACHABLE,
		ICMP6_PORT_UNREACHABLE, 1232);
	expect_error(parsed(ECHO_PACKET("10.77.0.5", "192.0.2.1", .payload_bytes = 9)),
		ICMP4_TIME_EXCEEDED, 0, 37);
}

/* RFC 1812 4.3.2.5, RFC 6864 4.1. */
Test(build, icmp_errors_are_control_traffic)
{
	struct packet *about = parsed(UDP_PACKET(GUEST4, SERVER4));
	struct packet *error = make_error(about, ICMP4_TIME_EXCEEDED, 0, 0, 56);

	cr_expect_eq(packet_ipv4(error)->tos, 0xc0);
	cr_expect_eq(packet_ipv4(error)->ttl, 64);
	cr_expect_eq(packet_ipv4(error)->fragment, htons(IPV4_DF));
	packet_dispose(error);
	packet_dispose(about);

	about = parsed(UDP_PACKET(GUEST6, SERVER6));
	error = make_error(about, ICMP6_TIME_EXCEEDED, 0, 0, 96);
	cr_expect_eq(packet_ipv6(error)->hop_limit, 64);
	packet_dispose(error);
	packet_dispose(about);
}

Test(build, path_mtu_errors)
{
	struct packet *about = parsed(UDP_PACKET(GUEST4, SERVER4));
	struct packet *error =
		make_error(about, ICMP4_UNREACHABLE, ICMP4_FRAGMENT_NEEDED, 1280, 56);
	const struct icmp_header *icmp = packet_l4(error);

	cr_expect_eq(ntohs(icmp->too_big4.mtu), 1280);
	cr_expect_eq(icmp->too_big4.unused, 0);
	packet_dispose(error);
	error = make_error(about, ICMP4_UNREACHABLE, ICMP4_PORT_UNREACHABLE, 1280, 56);
	icmp = packet_l4(error);
	cr_expect_eq(icmp->rest, 0);
	packet_dispose(error);
	packet_dispose(about);

	about = parsed(UDP_PACKET(GUEST6, SERVER6));
	error = make_error(about, ICMP6_TOO_BIG, 0, 1280, 96);
	icmp = packet_l4(error);
	cr_expect_eq(ntohl(icmp->mtu6), 1280);
	packet_dispose(error);
	packet_dispose(about);
}

/* No half-made sum leaves; the packet itself keeps its partial one. */
Test(build, quotes_have_complete_sums)
{
	for (uint32_t bytes = 0; bytes < 2000; bytes += 333) {
		struct packet *about = parsed(TCP_PACKET(GUEST4, SERVER4, .tcp_flags = TCP_ACK,
			.payload_bytes = bytes, .partial_checksum = true));
		const uint32_t quoted = about->length < 548 ? about->length : 548;
		struct packet *before = packet_copy(about);
		struct packet *error = make_error(about, ICMP4_TIME_EXCEEDED, 0, 0, 28 + quoted);

		cr_expect_eq(memcmp(about->data, before->data, about->length), 0);
		gso_complete_checksum(before);
		cr_expect_eq(memcmp(error->data + 28, before->data, quoted), 0);
		packet_dispose(error);
		packet_dispose(before);
		packet_dispose(about);
	}
}

Test(build, quotes_of_super_packets)
{
	struct packet *about = parsed(TCP_PACKET(GUEST6, SERVER6, .tcp_flags = TCP_ACK,
		.payload_bytes = 30000, .partial_checksum = true, .gso_size = 1428));
	struct packet *error = make_error(about, ICMP6_TOO_BIG, 0, 1280, 1280);
	struct packet *whole = packet_copy(about);

	gso_complete_checksum(whole);
	cr_expect_eq(memcmp(error->data + 48, whole->data, 1232), 0);
	packet_dispose(whole);
	packet_dispose(error);
	packet_dispose(about);
}

/* A partial field that ends with the quote is completed, one that is cut is left. */
Test(build, partial_sums_at_the_end_of_the_quote)
{
	for (uint16_t field = 546; field <= 550; field++) {
		struct packet *about = UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 600);

		about->data[600] = 1; /* so that the complete sum is another one */
		about->offload = (struct offload){.flags = OFFLOAD_NEEDS_CSUM,
			.csum_start = 100,
			.csum_offset = (uint16_t)(field - 100)};
		struct packet *error =
			make_error(parsed(about), ICMP4_TIME_EXCEEDED, 0, 0, 28 + 548);
		const bool same = memcmp(error->data + 28, about->data, 548) == 0;
		cr_expect_eq(same, field > 546, "%u", field);
		packet_dispose(error);
		packet_dispose(about);
	}
}

static void expect_no_error(struct packet *about, const char *what)
{
	const bool v4 = about->data[0] >> 4 == 4;
	const union addr gateway = address(v4 ? "10.77.0.1" : "fd00::1");
	struct packet *error = packet_with_room(BUILD_ERROR_BYTES_MAX);

	cr_assert(packet_parse(about), "%s", what);
	cr_expect_not(build_icmp_error(error, about, &gateway,
			      v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0, 0),
		"%s", what);
	cr_expect_eq(error->length, 0);
	packet_dispose(error);
	packet_dispose(about);
}

Test(build, no_errors_about)
{
	expect_no_error(ICMP_PACKET("10.77.0.5", "192.0.2.1", .icmp_type = ICMP4_UNREACHABLE,
				.payload_bytes = 28),
		"an error");
	expect_no_error(ICMP_PACKET("fd00::5", "2001:db8::1", .icmp_type = ICMP6_TOO_BIG,
				.payload_bytes = 48),
		"an error");
	expect_no_error(ICMP_PACKET("10.77.0.5", "192.0.2.1", .icmp_type = ICMP4_REDIRECT,
				.payload_bytes = 28),
		"a redirect");
	expect_no_error(ICMP_PACKET("fd00::5", "2001:db8::1", .icmp_type = 135), "a solicitation");
	expect_no_error(UDP_PACKET("0.0.0.0:68", "192.0.2.1:67"), "from nobody");
	expect_no_error(UDP_PACKET("[::]:68", SERVER6), "from nobody");
	expect_no_error(UDP_PACKET("127.0.0.1:68", SERVER4), "from loopback");
	expect_no_error(UDP_PACKET("224.0.0.1:68", SERVER4), "from a group");
	expect_no_error(UDP_PACKET("255.255.255.255:68", SERVER4), "from everybody");
	expect_no_error(UDP_PACKET(GUEST4, "224.0.0.251:5353"), "to a group");
	expect_no_error(UDP_PACKET(GUEST6, "[ff02::fb]:5353"), "to a group");
	expect_no_error(UDP_PACKET(GUEST4, "255.255.255.255:67"), "to everybody");
	expect_no_error(UDP_PACKET(GUEST4, "0.0.0.0:67"), "to nobody");
	struct packet *later = UDP_PACKET(GUEST6, SERVER6, .payload_bytes = 8);
	memcpy(later->data + 40, (uint8_t[]){IPPROTO_UDP, 0, 8, 0, 1, 2, 3, 4}, 8);
	packet_ipv6(later)->next_header = IPPROTO_FRAGMENT;
	expect_no_error(later, "a later fragment");
}

Test(build, error_needs_room)
{
	struct packet *about = parsed(UDP_PACKET(GUEST4, SERVER4));
	struct packet *error = packet_with_room(55);
	const union addr gateway = address("10.77.0.1");

	cr_expect_not(build_icmp_error(error, about, &gateway, ICMP4_TIME_EXCEEDED, 0, 0));
	packet_dispose(error);
	packet_dispose(about);
}

/* ---- resets ---- */

Test(build, resets)
{
	/* RFC 9293, 3.10.7.1: what answers what. */
	static const struct {
		const char *what;
		uint8_t flags;
		uint32_t payload_bytes;
		uint8_t answer;
		uint32_t sequence, acknowledgment;
	} rows[] = {
		{"SYN", TCP_SYN, 0, TCP_RST | TCP_ACK, 0, 1001},
		{"SYN with data", TCP_SYN, 9, TCP_RST | TCP_ACK, 0, 1010},
		{"SYN+ACK", TCP_SYN | TCP_ACK, 0, TCP_RST, 2000, 0},
		{"ACK", TCP_ACK, 9, TCP_RST, 2000, 0},
		{"FIN+ACK", TCP_FIN | TCP_ACK, 9, TCP_RST, 2000, 0},
	};
	static const char *const ends[][2] = {{GUEST4, SERVER4}, {GUEST6, SERVER6}};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		const unsigned row = (unsigned)i / 2, family = i % 2;
		struct packet *about = parsed(TCP_PACKET(ends[family][0], ends[family][1],
			.tcp_flags = rows[row].flags, .sequence = 1000, .acknowledgment = 2000,
			.payload_bytes = rows[row].payload_bytes));
		struct packet *reset = packet_with_room(60);

		cr_assert(build_tcp_reset(reset, about), "%s", rows[row].what);
		cr_expect_null(packet_fault(reset), "%s", packet_fault(reset));
		cr_assert(packet_parse(reset));
		const struct tcp_header *tcp = packet_l4(reset);
		cr_expect_eq(tcp->flags, rows[row].answer, "%s", rows[row].what);
		cr_expect_eq(ntohl(tcp->sequence), rows[row].sequence, "%s", rows[row].what);
		cr_expect_eq(
			ntohl(tcp->acknowledgment), rows[row].acknowledgment, "%s", rows[row].what);
		cr_expect_eq(ntohs(tcp->source_port), 80);
		cr_expect_eq(ntohs(tcp->destination_port), 4000);
		cr_expect(addr_equal(&reset->headers.source, &about->headers.destination));
		cr_expect(addr_equal(&reset->headers.destination, &about->headers.source));
		packet_dispose(reset);
		packet_dispose(about);
	}
}

Test(build, reset_needs_room)
{
	struct packet *about = parsed(TCP_PACKET(GUEST6, SERVER6, .tcp_flags = TCP_ACK));
	struct packet *reset = packet_with_room(59);

	cr_expect_not(build_tcp_reset(reset, about));
	packet_dispose(reset);
	packet_dispose(about);
}

Test(build, no_reset_about_a_reset_or_another_protocol)
{
	struct packet *reset = packet_with_room(60);
	struct packet *about = parsed(TCP_PACKET(GUEST4, SERVER4, .tcp_flags = TCP_RST | TCP_ACK));

	cr_expect_not(build_tcp_reset(reset, about));
	packet_dispose(about);
	about = parsed(UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 20));
	cr_expect_not(build_tcp_reset(reset, about));
	packet_dispose(about);
	packet_dispose(reset);
}

/* ---- any packet ---- */

Test(build, packets_are_right)
{
	static const char *const ends[][2] = {{GUEST4, SERVER4}, {GUEST6, SERVER6}};
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	uint8_t payload[70];

	for (uint8_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(37 * i);
	for (unsigned i = 0; i < 2 * 3 * sizeof(payload); i++) {
		const struct build build = {.protocol = protocols[i % 3],
			.tcp_flags = TCP_ACK,
			.icmp_type = ICMP4_ECHO,
			.scale = i % 5 ? -1 : 3,
			.mss = i % 7 ? 0 : 1460,
			.sack_permitted = i % 4 == 0,
			.payload = payload,
			.payload_bytes = i / 6};
		struct packet *packet = packet_make(ends[i / 3 % 2][0], ends[i / 3 % 2][1], &build);

		cr_expect_null(packet_fault(packet), "%u: %s", i, packet_fault(packet));
		cr_assert(packet_parse(packet));
		cr_expect_eq(packet_payload_bytes(packet), build.payload_bytes);
		cr_expect_eq(memcmp(packet->data + packet->headers.payload, payload,
				     build.payload_bytes),
			0);
		packet_dispose(packet);
	}
}

Test(build, options_of_a_syn)
{
	static const uint8_t all[] = {2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 0};
	struct packet *packet = TCP_PACKET(GUEST4, SERVER4, .tcp_flags = TCP_SYN, .mss = 1460,
		.sack_permitted = true, .scale = 0);

	cr_assert_eq(packet->length, 20 + 20 + sizeof(all));
	cr_expect_eq(memcmp(packet->data + 40, all, sizeof(all)), 0);
	cr_expect_eq(packet->data[32], 8 << 4);
	packet_dispose(packet);
}

Test(build, fields_of_icmp)
{
	struct packet *packet = ECHO_PACKET(
		"10.77.0.5", "192.0.2.1", .source_port = 0x1234, .destination_port = 0x5678);

	cr_expect_eq(memcmp(packet->data + 24, "\x12\x34\x56\x78", 4), 0);
	packet_dispose(packet);
	packet = ICMP_PACKET("fd00::5", "2001:db8::1", .icmp_type = ICMP6_TOO_BIG, .icmp_code = 7,
		.icmp_rest = 0x12345678);
	cr_expect_eq(memcmp(packet->data + 40, "\x02\x07", 2), 0);
	cr_expect_eq(memcmp(packet->data + 44, "\x12\x34\x56\x78", 4), 0);
	packet_dispose(packet);
}

Test(build, super_packets)
{
	struct packet *packet = UDP_PACKET(GUEST6, SERVER6, .payload_bytes = 100, .ttl = 9,
		.partial_checksum = true, .gso_size = 30);
	const struct offload expected = {.flags = OFFLOAD_NEEDS_CSUM,
		.gso_type = OFFLOAD_GSO_UDP_L4,
		.header_size = 48,
		.gso_size = 30,
		.csum_start = 40,
		.csum_offset = 6};

	cr_expect_eq(memcmp(&packet->offload, &expected, sizeof(expected)), 0);
	cr_expect_eq(packet_ipv6(packet)->hop_limit, 9);
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
}

Test(build, no_payload_means_zeros)
{
	struct packet *packet = packet_with_room(60);
	const struct build build = {
		.family = AF_INET, .protocol = IPPROTO_UDP, .payload_bytes = 32};

	memset(packet->data, 0xff, 60);
	cr_assert_eq(build_packet(packet, &build), 60);
	for (unsigned i = 28; i < 60; i++)
		cr_expect_eq(packet->data[i], 0);
	packet_dispose(packet);
}

Test(build, what_does_not_fit_is_not_made)
{
	struct packet *packet = packet_with_room(PACKET_BYTES_MAX + 100);
	struct build build = {.family = AF_INET, .protocol = IPPROTO_UDP};

	build.payload_bytes = 65535 - 28;
	cr_expect_eq(build_packet(packet, &build), 65535);
	build.payload_bytes++;
	cr_expect_eq(build_packet(packet, &build), 0);
	build.family = AF_INET6;
	build.payload_bytes = 65535 - 8;
	cr_expect_eq(build_packet(packet, &build), PACKET_BYTES_MAX);
	build.payload_bytes++;
	cr_expect_eq(build_packet(packet, &build), 0);
	packet_dispose(packet);

	packet = packet_with_room(100);
	build.payload_bytes = 52;
	cr_expect_eq(build_packet(packet, &build), 100);
	build.payload_bytes++;
	cr_expect_eq(build_packet(packet, &build), 0);
	packet_dispose(packet);
}
