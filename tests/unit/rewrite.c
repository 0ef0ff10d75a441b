/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite: random packets, rewritten, against packet_fault()'s second opinion on every checksum;
 * and the packets quoted in ICMP errors, rewritten there and back.
 */
#include "wire/rewrite.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/packets.h"
#include "base/cksum.h"
#include "wire/gso.h"

static uint64_t seed = 7;

static uint32_t pick(uint32_t below)
{
	return (uint32_t)(test_random(&seed) % below);
}

/* Often one that sums to a special value. */
static union addr random_address(uint8_t family)
{
	union addr address = {0};
	const uint32_t bytes = family == AF_INET ? 4 : 16;

	for (uint32_t i = 0; i < bytes; i++)
		address.bytes[i] = (uint8_t)test_random(&seed);
	if (pick(4) == 0)
		memset(address.bytes, pick(2) ? 0xff : 0, bytes / 2);
	return address;
}

static be16 random_port(void)
{
	return pick(8) ? (be16)(1 + pick(65535)) : 0xffff;
}

static struct packet *random_packet(uint8_t protocol, bool partial)
{
	static uint8_t payload[2000];
	const uint8_t family = pick(2) ? AF_INET : AF_INET6;
	struct packet *packet = packet_with_room(PACKET_BYTES_MAX);
	struct build build = {
		.family = family,
		.protocol =
			protocol == IPPROTO_ICMP && family == AF_INET6 ? IPPROTO_ICMPV6 : protocol,
		.source = random_address(family),
		.destination = random_address(family),
		.source_port = random_port(),
		.destination_port = random_port(),
		.tcp_flags = TCP_ACK,
		.scale = -1,
		.icmp_type = family == AF_INET ? ICMP4_ECHO : ICMP6_ECHO,
		.payload = payload,
		.payload_bytes = pick(sizeof(payload)),
		.partial_checksum = partial,
	};

	if (protocol == IPPROTO_ICMP && pick(2))
		build.icmp_type = family == AF_INET ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
	for (uint32_t i = 0; i < build.payload_bytes; i++)
		payload[i] = (uint8_t)test_random(&seed);
	cr_assert(build_packet(packet, &build));
	cr_assert(packet_parse(packet));
	return packet;
}

/* New addresses and ports for a packet, prepared; queries have one identifier. */
struct target {
	union addr source, destination;
	struct rewrite rewrite;
};

static void prepare(struct target *target, const struct headers *headers)
{
	target->source = random_address(headers->family);
	target->destination = random_address(headers->family);
	if (pick(3) == 0)
		target->destination = headers->destination;
	target->rewrite = (struct rewrite){
		.source = &target->source,
		.destination = &target->destination,
		.source_port = headers->source_port ? random_port() : 0,
		.destination_port = headers->destination_port ? random_port() : 0,
	};
	rewrite_prepare(&target->rewrite, headers->family, &headers->source, &headers->destination,
		headers->source_port, headers->destination_port);
}

static void expect_rewritten(struct packet *packet)
{
	struct target target;

	prepare(&target, &packet->headers);
	packet_rewrite(packet, &target.rewrite);
	const char *fault = packet_fault(packet);
	cr_assert_null(fault, "%s", fault);

	struct packet *again = packet_copy(packet);
	cr_assert(packet_parse(again), "%u", again->drop);
	cr_assert_eq(memcmp(&again->headers, &packet->headers, sizeof(again->headers)), 0);
	cr_assert(addr_equal(&again->headers.source, &target.source));
	cr_assert(addr_equal(&again->headers.destination, &target.destination));
	cr_assert_eq(again->headers.source_port, target.rewrite.source_port);
	cr_assert_eq(again->headers.destination_port, target.rewrite.destination_port);
	if (again->offload.flags & OFFLOAD_NEEDS_CSUM) {
		gso_complete_checksum(again);
		cr_assert_null(packet_fault(again));
	}
	packet_dispose(again);
	packet_dispose(packet);
}

Test(rewrite, random_packets)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};

	for (unsigned i = 0; i < 20000; i++)
		expect_rewritten(random_packet(protocols[i % 3], false));
}

Test(rewrite, random_partial_packets)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

	for (unsigned i = 0; i < 20000; i++)
		expect_rewritten(random_packet(protocols[i % 2], true));
}

/* A partial sum, where addresses do not change, must not move at all. */
Test(rewrite, ports_do_not_touch_partial_sums)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct packet *packet = random_packet(IPPROTO_TCP, true);
		const struct tcp_header *tcp = packet_l4(packet);
		const union addr source = packet->headers.source;
		const union addr destination = packet->headers.destination;
		const be16 before = tcp->checksum;
		struct rewrite rewrite = {
			&source, &destination, random_port(), random_port(), 0, 0};

		rewrite_prepare(&rewrite, packet->headers.family, &source, &destination,
			packet->headers.source_port, packet->headers.destination_port);
		cr_assert_eq(rewrite.address_delta, 0);
		packet_rewrite(packet, &rewrite);
		cr_assert_eq(tcp->checksum, before);
		cr_assert_null(packet_fault(packet));
		packet_dispose(packet);
	}
}

Test(rewrite, nothing_changed_is_nothing)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct packet *packet = random_packet(IPPROTO_UDP, i % 2);
		const struct headers old = packet->headers;
		struct packet *before = packet_copy(packet);
		struct rewrite rewrite = {
			&old.source, &old.destination, old.source_port, old.destination_port, 0, 0};

		rewrite_prepare(&rewrite, old.family, &old.source, &old.destination,
			old.source_port, old.destination_port);
		cr_expect_eq(rewrite.address_delta, 0);
		cr_expect_eq(rewrite.port_delta, 0);
		packet_rewrite(packet, &rewrite);
		cr_expect_eq(memcmp(packet->data, before->data, packet->length), 0);
		packet_dispose(before);
		packet_dispose(packet);
	}
}

Test(rewrite, udp_without_checksum_stays_without)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct packet *packet = random_packet(IPPROTO_UDP, false);
		struct udp_header *udp = packet_l4(packet);
		struct target target;

		udp->checksum = 0;
		prepare(&target, &packet->headers);
		packet_rewrite(packet, &target.rewrite);
		cr_assert_eq(udp->checksum, 0);
		cr_assert_eq(udp->source_port, target.rewrite.source_port);
		packet_dispose(packet);
	}
}

/* Of all ports, one makes the sum come out as 0; UDP must send ffff. */
Test(rewrite, udp_sum_of_zero_is_ffff)
{
	struct packet *packet = random_packet(IPPROTO_UDP, false);
	const struct udp_header *udp = packet_l4(packet);
	const struct headers old = packet->headers;
	unsigned zeros = 0;

	for (unsigned port = 1; port < 65536; port++) {
		struct packet *copy = packet_copy(packet);
		struct rewrite rewrite = {
			&old.source, &old.destination, (be16)port, old.destination_port, 0, 0};

		rewrite_prepare(&rewrite, old.family, &old.source, &old.destination,
			old.source_port, old.destination_port);
		packet_rewrite(copy, &rewrite);
		udp = packet_l4(copy);
		zeros += udp->checksum == 0xffff;
		cr_assert_neq(udp->checksum, 0);
		cr_assert_null(packet_fault(copy));
		packet_dispose(copy);
	}
	cr_expect_geq(zeros, 1);
	packet_dispose(packet);
}

/* A wrong sum must not become right on its way: the receiver is to drop it. */
Test(rewrite, wrong_sums_stay_wrong)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct packet *packet = random_packet(i % 2 ? IPPROTO_TCP : IPPROTO_UDP, false);
		struct target target;

		packet->data[packet->headers.l4 + 7] ^= 0x40;
		if (i % 2 == 0) { /* not the length, for UDP */
			packet->data[packet->headers.l4 + 7] ^= 0x40;
			((struct udp_header *)packet_l4(packet))->length ^= htons(0x4000);
		}
		prepare(&target, &packet->headers);
		packet_rewrite(packet, &target.rewrite);
		cr_assert_not_null(packet_fault(packet));
		packet_dispose(packet);
	}
}

/* A tunnelled partial sum leaves the outer one complete. */
Test(rewrite, tunnelled_partial_sums)
{
	struct packet *packet = random_packet(IPPROTO_UDP, false);
	const uint16_t inner = packet->headers.payload;
	struct target target;

	packet->offload = (struct offload){
		.flags = OFFLOAD_NEEDS_CSUM, .csum_start = inner, .csum_offset = 2};
	prepare(&target, &packet->headers);
	packet_rewrite(packet, &target.rewrite);
	cr_expect_eq(packet->offload.csum_start, inner);
	packet->offload = (struct offload){0};
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
}

Test(rewrite, later_fragments_change_addresses_only)
{
	struct packet *packet = UDP_PACKET("10.77.0.5:4000", "192.0.2.1:80", .payload_bytes = 16);
	struct ipv4_header *ip = packet_ipv4(packet);
	struct target target;
	uint8_t before[24];

	ip->fragment = htons(100);
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, 20));
	cr_assert(packet_parse(packet));
	memcpy(before, packet->data + 20, sizeof(before));
	prepare(&target, &packet->headers);
	packet_rewrite(packet, &target.rewrite);
	cr_expect_null(packet_fault(packet));
	cr_expect_eq(ip->source, target.source.v4);
	cr_expect_eq(memcmp(packet->data + 20, before, sizeof(before)), 0);
	packet_dispose(packet);
}

/* Types without an identifier have nothing of a port, whatever the rewrite says. */
Test(rewrite, icmp_without_identifier_changes_addresses_only)
{
	struct packet *packet = ICMP_PACKET("fd00::5", "2001:db8::1",
		.icmp_type = ICMP6_UNREACHABLE, .icmp_rest = 0x12345678, .payload_bytes = 60);
	struct target target;

	cr_assert(packet_parse(packet));
	prepare(&target, &packet->headers);
	target.rewrite.source_port = htons(4000);
	target.rewrite.port_delta = htons(4000);
	packet_rewrite(packet, &target.rewrite);
	cr_expect_null(packet_fault(packet));
	cr_expect_eq(packet->data[44], 0x12);
	cr_expect_eq(packet->headers.source_port, 0);
	packet_dispose(packet);
}

Test(rewrite, addresses_alone)
{
	for (unsigned i = 0; i < 200; i++) {
		struct packet *packet = random_packet(IPPROTO_ICMP, false);
		const union addr source = random_address(packet->headers.family);
		const union addr destination = random_address(packet->headers.family);

		packet_rewrite_addresses(packet, &source, &destination);
		cr_expect(addr_equal(&packet->headers.source, &source));
		cr_expect(addr_equal(&packet->headers.destination, &destination));
		packet_icmp_checksum(packet);
		cr_expect_null(packet_fault(packet));
		packet_dispose(packet);
	}
}

/* ---- errors ---- */

/*
 * A guest's packet goes out rewritten; a router quotes the first `bytes` of it; the error comes
 * back: the quote must then be what the guest sent, byte by byte, and the error a good packet.
 */
static void expect_error_translated(struct packet *sent, uint32_t bytes)
{
	const bool v4 = sent->headers.family == AF_INET;
	const union addr guest = sent->headers.source,
			 router = random_address(sent->headers.family);
	struct packet *outside = packet_copy(sent);
	struct target target;
	struct headers inner;

	prepare(&target, &sent->headers);
	packet_rewrite(outside, &target.rewrite);
	struct packet *made = packet_with_room(2200);
	cr_assert(build_packet(
		made, &(struct build){.family = sent->headers.family,
			      .protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
			      .source = router,
			      .destination = target.source,
			      .icmp_type = v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED,
			      .payload = outside->data,
			      .payload_bytes = bytes}));
	/* Of the exact size: nothing may be written behind the quote. */
	struct packet *error = packet_from_bytes(made->data, made->length, made->length);
	packet_dispose(made);
	cr_assert(packet_parse(error));
	cr_assert(packet_parse_quoted(error, &inner));

	struct rewrite back = {&sent->headers.source, &sent->headers.destination,
		sent->headers.source_port, sent->headers.destination_port, 0, 0};
	rewrite_prepare(&back, inner.family, &inner.source, &inner.destination, inner.source_port,
		inner.destination_port);
	packet_rewrite_quoted(error, &inner, &back);
	packet_rewrite_addresses(error, &router, &guest);
	packet_icmp_checksum(error);
	cr_assert_null(packet_fault(error), "%s", packet_fault(error));
	cr_assert_eq(memcmp(error->data + error->headers.payload, sent->data, bytes), 0);
	cr_assert(addr_equal(&error->headers.destination, &guest));

	packet_dispose(error);
	packet_dispose(outside);
	packet_dispose(sent);
}

Test(rewrite, errors_come_back_as_sent)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};

	for (unsigned i = 0; i < 5000; i++) {
		struct packet *sent = random_packet(protocols[i % 3], false);
		const uint32_t least = sent->headers.l4 + 8U;
		const uint32_t bytes = least + pick(sent->length - least + 1);

		switch (pick(3)) {
		case 0: /* what RFC 792 promises, or little more: TCP's checksum is not in it */
			expect_error_translated(
				sent, least + (sent->headers.kind == L4_TCP ? pick(9) : 0));
			break;
		case 1: /* up to TCP's checksum; half of it cannot be kept right */
			expect_error_translated(
				sent, sent->headers.kind == L4_TCP ? least + 10 : least);
			break;
		default:
			expect_error_translated(sent, bytes == least + 9 ? least : bytes);
		}
	}
}

Test(rewrite, icmp_checksum_ends_offload)
{
	struct packet *packet = ICMP_PACKET("fd00::5", "2001:db8::1",
		.icmp_type = ICMP6_UNREACHABLE, .payload_bytes = 60, .partial_checksum = true);

	cr_assert(packet_parse(packet));
	packet_icmp_checksum(packet);
	cr_expect_eq(packet->offload.flags, 0);
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
}

/* ---- single fields ---- */

Test(rewrite, ttl_from_255_to_0)
{
	for (unsigned i = 0; i < 40; i++) {
		struct packet *packet = random_packet(IPPROTO_UDP, false);
		const bool v4 = packet->headers.family == AF_INET;
		uint8_t *field = &packet->data[v4 ? 8 : 7];

		*field = 255;
		packet->headers.ttl = 255;
		if (v4) {
			struct ipv4_header *ip = packet_ipv4(packet);

			ip->id = (be16)test_random(&seed);
			ip->checksum = 0;
			ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, 20));
		}
		for (unsigned ttl = 255; ttl-- > 0;) {
			packet_decrement_ttl(packet);
			cr_assert_eq(*field, ttl);
			cr_assert_eq(packet->headers.ttl, ttl);
			cr_assert_null(packet_fault(packet));
		}
		packet_dispose(packet);
	}
}

/* A SYN whose MSS option starts `shift` no-ops into the options. */
static struct packet *syn(uint32_t shift, uint16_t mss, bool partial)
{
	uint8_t options[8] = {1, 1, 1, 1, 1, 1, 1, 1};
	struct packet *packet;

	memcpy(options + shift, (uint8_t[]){2, 4, (uint8_t)(mss >> 8), (uint8_t)mss}, 4);
	packet = TCP_PACKET("10.77.0.5:4000", "192.0.2.1:80", .tcp_flags = TCP_SYN,
		.payload = options, .payload_bytes = 8, .partial_checksum = true);
	packet->data[32] = 0x70;
	cr_assert(packet_parse(packet));
	if (!partial)
		gso_complete_checksum(packet);
	return packet;
}

Test(rewrite, mss_is_lowered)
{
	for (unsigned i = 0; i < 2000; i++) {
		const uint32_t shift = pick(5);
		const uint16_t old = (uint16_t)(1 + pick(65535)), new = (uint16_t)pick(65536);
		struct packet *packet = syn(shift, old, i % 2);
		const uint16_t expected = old > new ? new : old;

		cr_assert_eq(packet_clamp_mss(packet, new), old > new);
		cr_assert_eq(packet->data[42 + shift] << 8 | packet->data[43 + shift], expected);
		cr_assert_null(packet_fault(packet), "%u to %u at %u", old, new, shift);
		packet_dispose(packet);
	}
}

Test(rewrite, without_mss_nothing_is_clamped)
{
	struct packet *packet =
		TCP_PACKET("10.77.0.5:4000", "192.0.2.1:80", .tcp_flags = TCP_SYN, .scale = 3);

	cr_assert(packet_parse(packet));
	cr_expect_not(packet_clamp_mss(packet, 536));
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
}
