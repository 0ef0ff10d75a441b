/* SPDX-License-Identifier: BSD-2-Clause */
/* splice: payloads that grow and shrink, of every kind of packet. */
#include <criterion/criterion.h>
#include <string.h>

#include "../support/packets.h"
#include "wire/gso.h"
#include "wire/splice.h"

static struct packet *roomy(struct packet *exact)
{
	struct packet *packet = packet_from_bytes(exact->data, exact->length, exact->length + 100);

	packet->offload = exact->offload;
	packet_dispose(exact);
	cr_assert(packet_parse(packet));
	return packet;
}

static void expect_spliced(struct packet *packet)
{
	static const char text[] = "an odd text";

	cr_assert(packet_checksum_is_sound(packet));
	cr_assert(splice_has_room(packet, 20));
	const uint32_t length = packet->length;
	splice(packet, 5, 2, text, 11);
	splice(packet, 1, 4, "", 0);
	splice_finish(packet);
	cr_expect_eq(packet->length, length + 5);
	cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
	cr_expect_eq(memcmp(packet->data + packet->headers.payload + 1, text, 11), 0);
	struct packet *again = packet_copy(packet);
	again->parsed = false;
	cr_expect(packet_parse(again), "%s", drop_name(again->drop));
	packet_dispose(again);
	packet_dispose(packet);
}

Test(splice, grows_and_shrinks)
{
	static const char *const ends[][2] = {
		{"10.0.0.1:1000", "10.0.0.2:2000"}, {"[fd00::1]:1000", "[fd00::2]:2000"}};

	for (unsigned v6 = 0; v6 < 2; v6++)
		for (unsigned partial = 0; partial < 2; partial++) {
			expect_spliced(
				roomy(TCP_PACKET(ends[v6][0], ends[v6][1], .tcp_flags = TCP_ACK,
					.payload_bytes = 33, .partial_checksum = partial)));
			expect_spliced(roomy(UDP_PACKET(ends[v6][0], ends[v6][1],
				.payload_bytes = 33, .partial_checksum = partial)));
		}
}

/* UDP without a checksum has none afterwards. */
Test(splice, no_checksum_stays_none)
{
	struct packet *packet =
		roomy(UDP_PACKET("10.0.0.1:1000", "10.0.0.2:2000", .payload_bytes = 9));
	struct udp_header *udp = packet_l4(packet);

	udp->checksum = 0;
	cr_expect(packet_checksum_is_sound(packet));
	splice(packet, 0, 1, "abc", 3);
	splice_finish(packet);
	cr_expect_eq(udp->checksum, 0);
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
}

Test(splice, a_super_packet_of_one_segment_is_none)
{
	struct packet *packet =
		roomy(TCP_PACKET("10.0.0.1:1000", "10.0.0.2:2000", .tcp_flags = TCP_ACK,
			.payload_bytes = 1005, .partial_checksum = true, .gso_size = 1000));

	splice(packet, 0, 4, "", 0);
	splice_finish(packet);
	cr_expect_eq(packet->offload.gso_type, OFFLOAD_GSO_TCPV4);
	splice(packet, 0, 1, "", 0);
	splice_finish(packet);
	cr_expect_eq(packet->offload.gso_type, OFFLOAD_GSO_NONE);
	cr_expect_eq(packet->offload.flags, OFFLOAD_NEEDS_CSUM);
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
}

/* A full segment that has grown leaves as two, whose sums are right. */
Test(splice, too_large_for_the_mtu)
{
	for (unsigned partial = 0; partial < 2; partial++) {
		struct packet *packet = roomy(TCP_PACKET("[fd00::1]:1000", "[fd00::2]:2000",
			.tcp_flags = TCP_ACK | TCP_PSH, .sequence = 7, .payload_bytes = 1440,
			.partial_checksum = partial));
		splice_fit(packet, 1500);
		cr_expect_eq(packet->offload.gso_type, OFFLOAD_GSO_NONE);
		splice(packet, 10, 0, "0123456789", 10);
		splice_finish(packet);
		splice_fit(packet, 1500);
		cr_expect_eq(packet->offload.gso_type, OFFLOAD_GSO_TCPV6);
		cr_expect_eq(packet->offload.gso_size, 1440);
		cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
		cr_assert_eq(gso_segment_count(packet), 2);
		for (uint32_t i = 0; i < 2; i++) {
			struct packet *part = packet_with_room(2000);
			cr_expect_eq(gso_segment(packet, i, part), i == 0 ? 1500 : 70);
			cr_expect_null(packet_fault(part), "%s", packet_fault(part));
			packet_dispose(part);
		}
		packet_dispose(packet);
	}
}

Test(splice, no_room)
{
	struct packet *packet =
		roomy(UDP_PACKET("10.0.0.1:1000", "10.0.0.2:2000", .payload_bytes = 9));

	cr_expect(splice_has_room(packet, 100));
	cr_expect_not(splice_has_room(packet, 101));
	packet_dispose(packet);
	packet = TCP_PACKET("10.0.0.1:1000", "10.0.0.2:2000", .tcp_flags = TCP_ACK,
		.payload_bytes = 65490, .partial_checksum = true, .gso_size = 1000);
	cr_assert(packet_parse(packet));
	packet->capacity += 1000; /* not looked at */
	cr_expect(splice_has_room(packet, 5));
	cr_expect_not(splice_has_room(packet, 6));
	packet_dispose(packet);
}
