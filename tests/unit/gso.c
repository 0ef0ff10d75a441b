/* SPDX-License-Identifier: BSD-2-Clause */
/* gso: segments put together again are the super-packet; every segment is a good packet. */
#include "wire/gso.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/packets.h"

static const char *const ends[][2] = {
	{"10.77.0.5:4000", "192.0.2.1:80"},
	{"[fd00::5]:4000", "[2001:db8::1]:80"},
};

static uint8_t payload[65000];

/* A parsed super-packet, or a plain one where gso_size is 0. */
static struct packet *make(unsigned family, uint8_t protocol, uint32_t bytes, uint16_t gso_size)
{
	uint64_t seed = bytes;

	for (uint32_t i = 0; i < bytes; i++)
		payload[i] = (uint8_t)test_random(&seed);
	struct packet *packet = packet_make(ends[family][0], ends[family][1],
		&(struct build){.protocol = protocol,
			.sequence = 0xfffffff0,
			.mss = 1460,
			.scale = -1,
			.tcp_flags = TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR,
			.payload = payload,
			.payload_bytes = bytes,
			.partial_checksum = true,
			.gso_size = gso_size});
	cr_assert(packet_parse(packet));
	return packet;
}

static void expect_tcp(const struct packet *segment, uint32_t offset, bool last)
{
	const struct tcp_header *tcp = packet_l4(segment);
	const uint8_t expected =
		(uint8_t)(TCP_ACK | (last ? TCP_FIN | TCP_PSH : 0) | (offset == 0 ? TCP_CWR : 0));

	cr_expect_eq(ntohl(tcp->sequence), 0xfffffff0 + offset);
	cr_expect_eq(tcp->flags, expected);
	cr_expect_eq(segment->headers.tcp_flags, expected);
}

/* Segment a super-packet and hold the segments against it. */
static void expect_segments(struct packet *packet, uint32_t count)
{
	const uint32_t capacity = packet->headers.payload + packet->offload.gso_size;
	uint32_t offset = 0;

	cr_assert_eq(gso_segment_count(packet), count);
	for (uint32_t i = 0; i < count; i++) {
		struct packet *segment = packet_with_room(capacity);

		segment->offload = packet->offload;
		const uint32_t length = gso_segment(packet, i, segment);
		const uint32_t bytes = length - packet->headers.payload;

		cr_expect_eq(length, segment->length);
		cr_expect_null(packet_fault(segment), "%u: %s", i, packet_fault(segment));
		cr_expect_eq(memcmp(segment->data + segment->headers.payload,
				     packet->data + packet->headers.payload + offset, bytes),
			0);
		if (packet->headers.family == AF_INET)
			cr_expect_eq(packet_ipv4(segment)->id,
				htons((uint16_t)(ntohs(packet_ipv4(packet)->id) + i)));
		if (packet->headers.kind == L4_TCP)
			expect_tcp(segment, offset, i + 1 == count);

		const struct headers claimed = segment->headers;
		cr_expect(segment->parsed);
		cr_expect_eq(segment->offload.flags, 0);
		cr_expect(packet_parse(segment));
		cr_expect_eq(memcmp(&claimed, &segment->headers, sizeof(claimed)), 0);
		offset += bytes;
		packet_dispose(segment);
	}
	cr_expect_eq(offset, packet_payload_bytes(packet));
	packet_dispose(packet);
}

Test(gso, segments)
{
	for (unsigned family = 0; family < 2; family++) {
		for (unsigned i = 0; i < 2; i++) {
			const uint8_t protocol = i ? IPPROTO_TCP : IPPROTO_UDP;

			expect_segments(make(family, protocol, 64000, 1448), 45);
			expect_segments(make(family, protocol, 2897, 1448), 3);
			expect_segments(make(family, protocol, 2896, 1448), 2);
			expect_segments(make(family, protocol, 1448, 1448), 1);
			expect_segments(make(family, protocol, 1, 1448), 1);
			expect_segments(make(family, protocol, 9, 1), 9);
		}
	}
}

Test(gso, ipv4_id_wraps)
{
	struct packet *packet = make(0, IPPROTO_TCP, 3000, 1000);

	packet_ipv4(packet)->id = 0xffff;
	expect_segments(packet, 3);
}

Test(gso, a_super_packet_without_payload_is_one_segment)
{
	expect_segments(make(0, IPPROTO_TCP, 0, 1000), 1);
}

Test(gso, plain_packets_are_one_segment)
{
	struct packet *packet = make(0, IPPROTO_TCP, 3000, 0);

	cr_expect_eq(gso_segment_count(packet), 1);
	packet_dispose(packet);
}

Test(gso, completes_partial_sums)
{
	for (unsigned family = 0; family < 2; family++) {
		for (uint32_t bytes = 0; bytes < 40; bytes++) {
			struct packet *packet =
				make(family, bytes % 2 ? IPPROTO_TCP : IPPROTO_UDP, bytes, 0);

			cr_expect_null(packet_fault(packet));
			gso_complete_checksum(packet);
			cr_expect_eq(packet->offload.flags, 0);
			cr_expect_eq(packet->offload.csum_start, 0);
			cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
			packet_dispose(packet);
		}
	}
}

Test(gso, complete_sums_are_left_alone)
{
	struct packet *packet = UDP_PACKET(ends[0][0], ends[0][1], .payload_bytes = 9);
	struct packet *before = packet_copy(packet);

	packet->offload.flags = OFFLOAD_DATA_VALID;
	gso_complete_checksum(packet);
	cr_expect_eq(memcmp(packet->data, before->data, packet->length), 0);
	cr_expect_eq(packet->offload.flags, OFFLOAD_DATA_VALID);
	packet_dispose(before);
	packet_dispose(packet);
}

/* A UDP sum that comes out as 0 would say "none": it is sent as ffff. */
Test(gso, udp_never_says_none)
{
	uint8_t word[2];
	struct packet *packet = make(1, IPPROTO_UDP, 2, 0);

	gso_complete_checksum(packet);
	const struct udp_header *udp = packet_l4(packet);
	const uint16_t sum = ntohs(udp->checksum);
	/* A payload that is larger by the checksum makes it zero. */
	const uint32_t whole = (uint32_t)(packet->data[48] << 8 | packet->data[49]) + sum;
	word[0] = (uint8_t)(((whole & 0xffff) + (whole >> 16)) >> 8);
	word[1] = (uint8_t)((whole & 0xffff) + (whole >> 16));
	packet_dispose(packet);

	packet = UDP_PACKET(ends[1][0], ends[1][1], .payload = word, .payload_bytes = 2);
	udp = (void *)(packet->data + 40);
	cr_expect_eq(udp->checksum, 0xffff);
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
}
