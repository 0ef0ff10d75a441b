/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate: packets into the other family and back: what their headers say, with every length and
 * checksum worked out anew by packet_fault().
 */
#include "wire/translate.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/packets.h"
#include "base/cksum.h"

#define GUEST4  "192.0.2.1:61000"
#define SERVER4 "198.51.100.2:53"
#define GUEST6  "[fd00::5]:4000"
#define SERVER6 "[64:ff9b::c633:6402]:53"

static union addr address(const char *text)
{
	union addr parsed;
	uint8_t family;

	cr_assert(addr_parse(text, &parsed, &family));
	return parsed;
}

/* Into the other family, where the guest is fd00::5 or 192.0.2.1. */
static bool translate(struct packet *packet)
{
	const bool v4 = packet->headers.family == AF_INET;
	const union addr source = address(v4 ? "64:ff9b::c633:6402" : "192.0.2.1");
	const union addr destination = address(v4 ? "fd00::5" : "198.51.100.2");
	const uint32_t length = packet->length;
	const int32_t growth = packet_translated_growth(packet);
	enum drop drop;

	if (!packet_may_translate(packet, &drop)) {
		packet->drop = (uint8_t)drop;
		return false;
	}
	packet_translate(packet, &source, &destination);
	cr_expect_eq(packet->length, (uint32_t)((int32_t)length + growth));
	return true;
}

/* The packet describes itself as its bytes do, and its sums are right. */
static void expect_sound(const struct packet *packet)
{
	struct packet *copy = packet_copy(packet);
	const struct headers *a = &copy->headers, *b = &packet->headers;
	const char *fault = packet_fault(copy);

	cr_expect_null(fault, "%s", fault);
	cr_assert(packet_parse(copy), "%s", drop_name(copy->drop));
	cr_expect_eq(a->family, b->family);
	cr_expect_eq(a->kind, b->kind);
	cr_expect_eq(a->protocol, b->protocol);
	cr_expect_eq(a->ttl, b->ttl);
	cr_expect_eq(a->l4, b->l4);
	cr_expect_eq(a->payload, b->payload);
	cr_expect_eq(a->end, b->end);
	cr_expect(addr_equal(&a->source, &b->source));
	cr_expect(addr_equal(&a->destination, &b->destination));
	cr_expect_eq(a->source_port, b->source_port);
	cr_expect_eq(a->destination_port, b->destination_port);
	cr_expect_eq(a->icmp_type, b->icmp_type);
	cr_expect_eq(a->more_fragments, b->more_fragments);
	cr_expect_eq(memcmp(&copy->offload, &packet->offload, sizeof(copy->offload)), 0);
	if (a->family == AF_INET)
		cr_expect_eq(a->may_fragment, b->may_fragment);
	packet_dispose(copy);
}

static void translate_and_back(struct packet *packet)
{
	cr_assert(packet_parse(packet), "%s", drop_name(packet->drop));
	struct packet *before = packet_copy(packet);
	const uint8_t family = packet->headers.family;
	const int32_t grown = family == AF_INET ? TRANSLATE_WHOLE : -TRANSLATE_WHOLE;

	cr_assert(translate(packet), "%s", drop_name(packet->drop));
	cr_expect_neq(packet->headers.family, family);
	cr_expect_eq(packet->length, (uint32_t)((int32_t)before->length + grown));
	expect_sound(packet);
	cr_assert(translate(packet), "%s", drop_name(packet->drop));
	cr_expect_eq(packet->length, before->length);
	expect_sound(packet);
	cr_expect_arr_eq(
		packet_l4(packet), packet_l4(before), offsetof(struct udp_header, checksum));
	packet_dispose(before);
	packet_dispose(packet);
}

Test(translate, there_and_back)
{
	for (unsigned partial = 0; partial < 2; partial++)
		for (uint32_t bytes = 0; bytes < 1500; bytes += 211) {
			translate_and_back(TCP_PACKET(GUEST4, SERVER4, .tcp_flags = TCP_ACK,
				.payload_bytes = bytes, .partial_checksum = partial));
			translate_and_back(TCP_PACKET(GUEST6, SERVER6, .tcp_flags = TCP_ACK,
				.payload_bytes = bytes, .partial_checksum = partial));
			translate_and_back(UDP_PACKET(GUEST4, SERVER4, .payload_bytes = bytes,
				.partial_checksum = partial));
			translate_and_back(UDP_PACKET(GUEST6, SERVER6, .payload_bytes = bytes,
				.partial_checksum = partial));
		}
	translate_and_back(ECHO_PACKET(GUEST4, SERVER4, .payload_bytes = 57));
	translate_and_back(ECHO_PACKET(GUEST6, SERVER6, .payload_bytes = 57));
	translate_and_back(ICMP_PACKET("192.0.2.1", "198.51.100.2", .icmp_type = ICMP4_ECHO_REPLY,
		.source_port = 7, .payload_bytes = 8));
	translate_and_back(packet_make("192.0.2.1", "198.51.100.2",
		&(struct build){.protocol = IPPROTO_GRE, .payload_bytes = 100}));
}

Test(translate, super_packets)
{
	struct packet *packet = TCP_PACKET(GUEST6, SERVER6, .tcp_flags = TCP_ACK,
		.payload_bytes = 60000, .partial_checksum = true, .gso_size = 1400);

	cr_assert(packet_parse(packet));
	packet->offload.gso_type |= OFFLOAD_GSO_ECN;
	cr_assert(translate(packet));
	cr_expect_eq(packet->offload.gso_type, OFFLOAD_GSO_TCPV4 | OFFLOAD_GSO_ECN);
	cr_expect_eq(packet->offload.csum_start, 20);
	cr_expect_eq(packet->offload.header_size, 40);
	cr_expect_eq(packet->offload.gso_size, 1400);
	cr_expect_not(packet->headers.may_fragment);
	expect_sound(packet);
	cr_assert(translate(packet));
	cr_expect_eq(packet->offload.gso_type, OFFLOAD_GSO_TCPV6 | OFFLOAD_GSO_ECN);
	cr_expect_eq(packet->offload.csum_start, 40);
	cr_expect_eq(packet->offload.header_size, 60);
	expect_sound(packet);
	packet_dispose(packet);

	packet = UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 30000, .partial_checksum = true,
		.gso_size = 1200);
	cr_assert(packet_parse(packet));
	cr_assert(translate(packet));
	cr_expect_eq(packet->offload.gso_type, OFFLOAD_GSO_UDP_L4);
	expect_sound(packet);
	packet_dispose(packet);
}

Test(translate, a_partial_sum_further_in_moves_along)
{
	struct packet *packet = UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 100);

	packet->offload = (struct offload){
		.flags = OFFLOAD_NEEDS_CSUM, .csum_start = 20 + 8 + 40, .csum_offset = 16};
	cr_assert(packet_parse(packet), "%s", drop_name(packet->drop));
	cr_assert(translate(packet));
	cr_expect_eq(packet->offload.csum_start, 40 + 8 + 40);
	packet_dispose(packet);
}

/* RFC 7915, 4.1 and 5.1: traffic class, hop limit, flow label. */
Test(translate, header_fields)
{
	struct packet *packet = UDP_PACKET(GUEST6, SERVER6, .ttl = 77, .payload_bytes = 8);
	struct ipv6_header *ip6 = packet_ipv6(packet);

	ip6->version_class_flow = htonl(6U << 28 | 0xb9U << 20 | 0x54321);
	cr_assert(packet_parse(packet));
	cr_assert(translate(packet));
	const struct ipv4_header *ip = packet_ipv4(packet);
	cr_expect_eq(ip->tos, 0xb9);
	cr_expect_eq(ip->ttl, 77);
	cr_expect_eq(ip->version_length, 0x45);
	cr_expect_eq(ip->protocol, IPPROTO_UDP);
	cr_assert(translate(packet));
	cr_expect_eq(ntohl(packet_ipv6(packet)->version_class_flow), 6U << 28 | 0xb9U << 20);
	cr_expect_eq(packet_ipv6(packet)->hop_limit, 77);
	packet_dispose(packet);
}

/* RFC 7915, 5.1: small packets may be cut on their way, others are told to be smaller. */
Test(translate, dont_fragment)
{
	static const struct {
		uint32_t bytes; /* of the IPv4 packet */
		bool may_fragment;
	} rows[] = {{100, true}, {1260, true}, {1261, false}, {1480, false}};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet *packet =
			UDP_PACKET(GUEST6, SERVER6, .payload_bytes = rows[i].bytes - 28);
		cr_assert(packet_parse(packet));
		cr_assert(translate(packet));
		cr_expect_eq(packet->headers.may_fragment, rows[i].may_fragment);
		cr_expect_eq(
			ntohs(packet_ipv4(packet)->fragment), rows[i].may_fragment ? 0 : IPV4_DF);
		expect_sound(packet);
		packet_dispose(packet);
	}
}

/* Into IPv6, where only we may cut: DF decides whether we do. */
Test(translate, what_may_be_cut_still_may)
{
	for (unsigned df = 0; df < 2; df++) {
		struct packet *packet = UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 8);
		struct ipv4_header *ip = packet_ipv4(packet);

		ip->fragment = df ? htons(IPV4_DF) : 0;
		ip->checksum = 0;
		ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, sizeof(*ip)));
		cr_assert(packet_parse(packet));
		cr_assert(translate(packet));
		cr_expect_eq(packet->headers.may_fragment, !df);
		cr_expect_eq(packet_ipv6(packet)->next_header, IPPROTO_UDP, "no atomic fragments");
		packet_dispose(packet);
	}
}

static struct packet *fragment4(uint16_t field, uint32_t bytes)
{
	struct packet *packet = UDP_PACKET(GUEST4, SERVER4, .payload_bytes = bytes - 8);
	struct ipv4_header *ip = packet_ipv4(packet);

	ip->id = htons(0xbeef);
	ip->fragment = htons(field);
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, sizeof(*ip)));
	cr_assert(packet_parse(packet), "%s", drop_name(packet->drop));
	return packet;
}

Test(translate, fragments)
{
	static const uint16_t fields[] = {IPV4_MF, IPV4_MF | 10, 10};

	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct packet *packet = fragment4(fields[i], 64);
		struct fragment_position position;

		cr_assert(translate(packet));
		cr_expect_eq(packet->length, 40 + 8 + 64);
		expect_sound(packet);
		packet_fragment_position(packet, &position);
		cr_expect_eq(position.id, 0xbeef);
		cr_expect_eq(position.offset, (fields[i] & IPV4_OFFSET_MASK) * 8);
		cr_expect_eq(position.more, !!(fields[i] & IPV4_MF));
		/* and back: the low half of the identification, no DF */
		((struct ipv6_fragment *)(packet->data + 40))->id = htonl(0x1234beef);
		cr_assert(translate(packet));
		cr_expect_eq(packet->length, 20 + 64);
		cr_expect_eq(ntohs(packet_ipv4(packet)->fragment), fields[i]);
		cr_expect_eq(ntohs(packet_ipv4(packet)->id), 0xbeef);
		cr_expect(packet->headers.may_fragment);
		expect_sound(packet);
		packet_dispose(packet);
	}
}

/* Extension headers are left out; a fragment header around all of a packet (RFC 6946) makes one
 * that may be cut. */
Test(translate, extension_headers)
{
	struct packet *plain = UDP_PACKET(GUEST6, SERVER6, .payload_bytes = 1400);
	struct packet *packet = packet_with_room(plain->length + 24);

	memcpy(packet->data, plain->data, 40);
	memset(packet->data + 40, 0, 24);
	memcpy(packet->data + 64, plain->data + 40, plain->length - 40);
	packet->length = plain->length + 24;
	packet_ipv6(packet)->payload_length = htons((uint16_t)(packet->length - 40));
	packet_ipv6(packet)->next_header = IPPROTO_HOPOPTS;
	packet->data[40] = IPPROTO_DSTOPTS;
	packet->data[48] = IPPROTO_FRAGMENT;
	packet->data[56] = IPPROTO_UDP;
	packet->data[62] = 0xca;
	packet->data[63] = 0xfe;
	cr_assert(packet_parse(packet), "%s", drop_name(packet->drop));
	cr_assert(translate(packet));
	cr_expect_eq(packet->length, plain->length - 20);
	cr_expect_eq(ntohs(packet_ipv4(packet)->id), 0xcafe);
	cr_expect(packet->headers.may_fragment);
	expect_sound(packet);
	packet_dispose(packet);
	packet_dispose(plain);
}

/* ... unless fragments share them, which would move all that follows. */
Test(translate, extension_headers_in_fragments)
{
	struct packet *packet = fragment4(IPV4_MF, 64);

	cr_assert(translate(packet));
	packet->data[40] = IPPROTO_DSTOPTS;
	packet->data[48] = IPPROTO_UDP;
	packet->data[49] = 0;
	packet->data[56 + 5] = 20; /* a length for the datagram behind */
	packet->data[57] = packet->data[59] = 1;
	cr_assert(packet_parse(packet), "%s", drop_name(packet->drop));
	cr_assert_eq(packet->headers.l4, 56);
	cr_expect_not(translate(packet));
	cr_expect_eq(packet->drop, DROP_FRAGMENT);
	packet_dispose(packet);
}

Test(translate, options_are_left_out)
{
	struct packet *plain = UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 20);
	struct packet *packet = packet_with_room(plain->length + 8);
	struct ipv4_header *ip = packet_ipv4(packet);

	memcpy(packet->data, plain->data, 20);
	memset(packet->data + 20, 1, 8);
	memcpy(packet->data + 28, plain->data + 20, plain->length - 20);
	packet->length = plain->length + 8;
	ip->version_length = 0x47;
	ip->total_length = htons((uint16_t)packet->length);
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, 28));
	cr_assert(packet_parse(packet), "%s", drop_name(packet->drop));
	cr_assert(translate(packet));
	cr_expect_eq(packet->length, plain->length + 20);
	expect_sound(packet);
	packet_dispose(packet);
	packet_dispose(plain);
}

/* RFC 7915, 4.5: IPv6 wants a checksum; of a whole datagram one can be made. */
Test(translate, udp_without_checksum)
{
	struct packet *packet = UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 21);

	((struct udp_header *)(packet->data + 20))->checksum = 0;
	cr_assert(packet_parse(packet));
	cr_assert(translate(packet));
	expect_sound(packet);
	packet_dispose(packet);

	packet = fragment4(IPV4_MF, 64);
	((struct udp_header *)packet_l4(packet))->checksum = 0;
	cr_expect_not(translate(packet));
	cr_expect_eq(packet->drop, DROP_FRAGMENT);
	cr_expect_eq(packet->headers.family, AF_INET);
	packet_dispose(packet);
}

static void expect_refused(struct packet *packet, enum drop drop)
{
	cr_assert(packet_parse(packet), "%s", drop_name(packet->drop));
	const struct packet before = *packet;

	cr_expect_not(translate(packet));
	cr_expect_eq(packet->drop, drop, "%s", drop_name(packet->drop));
	cr_expect_eq(packet->data, before.data);
	cr_expect_eq(packet->length, before.length);
	packet_dispose(packet);
}

Test(translate, what_has_no_counterpart)
{
	static const uint8_t only4[] = {0, 2, 43, 44, 58, 59, 60, 135};
	static const uint8_t only6[] = {1, 2, 59, 135};

	for (unsigned i = 0; i < sizeof(only4); i++)
		expect_refused(packet_make("192.0.2.1", "198.51.100.2",
				       &(struct build){.protocol = only4[i], .payload_bytes = 40}),
			DROP_BAD_HEADER);
	for (unsigned i = 0; i < sizeof(only6); i++) {
		struct packet *packet = packet_make("fd00::5", "64:ff9b::1",
			&(struct build){.protocol = IPPROTO_GRE, .payload_bytes = 40});
		packet_ipv6(packet)->next_header = only6[i];
		expect_refused(packet, DROP_BAD_HEADER);
	}
	expect_refused(ICMP_PACKET("192.0.2.1", "198.51.100.2", .icmp_type = ICMP4_TIMESTAMP,
			       .payload_bytes = 12),
		DROP_ICMP_TYPE);
	expect_refused(ICMP_PACKET("192.0.2.1", "198.51.100.2", .icmp_type = 17), DROP_ICMP_TYPE);
	expect_refused(ICMP_PACKET("fd00::5", "64:ff9b::1", .icmp_type = 130), DROP_ICMP_TYPE);
}

/* RFC 7915, 1.2: their checksum covers a length that no part of them tells. */
Test(translate, icmp_in_fragments)
{
	struct packet *packet = ECHO_PACKET("192.0.2.1", "198.51.100.2", .payload_bytes = 56);
	struct ipv4_header *ip = packet_ipv4(packet);

	ip->fragment = htons(IPV4_MF);
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, sizeof(*ip)));
	expect_refused(packet, DROP_FRAGMENT);
}

Test(translate, longer_than_ipv4_can_say)
{
	struct packet *packet = TCP_PACKET(GUEST6, SERVER6, .tcp_flags = TCP_ACK,
		.payload_bytes = 65510, .partial_checksum = true, .gso_size = 1400);

	expect_refused(packet, DROP_TOO_BIG);
}

/* Of nothing but zeros the sum is the other zero. */
Test(translate, an_echo_of_zeros)
{
	struct packet *packet = ICMP_PACKET(
		"fd00::5", "64:ff9b::1", .icmp_type = ICMP6_ECHO_REPLY, .payload_bytes = 56);

	cr_assert(packet_parse(packet));
	cr_assert(translate(packet));
	cr_expect_eq(((struct icmp_header *)packet_l4(packet))->checksum, 0xffff);
	expect_sound(packet);
	packet_dispose(packet);
}
