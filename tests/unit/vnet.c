/* SPDX-License-Identifier: BSD-2-Clause */
/* vnet: offsets of a virtio-net header, moved over the link's own header. */
#include "wire/vnet.h"

#include <criterion/criterion.h>
#include <string.h>

#include "../support/packets.h"

static const struct vnet_header tso4 = {
	.flags = OFFLOAD_NEEDS_CSUM,
	.gso_type = OFFLOAD_GSO_TCPV4 | OFFLOAD_GSO_ECN,
	.header_size = 54,
	.gso_size = 1448,
	.csum_start = 34,
	.csum_offset = 16,
};

Test(vnet, decodes_behind_ethernet)
{
	struct offload offload;

	vnet_decode(&tso4, 14, &offload);
	cr_expect_eq(offload.flags, OFFLOAD_NEEDS_CSUM);
	cr_expect_eq(offload.gso_type, OFFLOAD_GSO_TCPV4 | OFFLOAD_GSO_ECN);
	cr_expect_eq(offload.header_size, 40);
	cr_expect_eq(offload.gso_size, 1448);
	cr_expect_eq(offload.csum_start, 20);
	cr_expect_eq(offload.csum_offset, 16);
}

Test(vnet, encodes_what_it_decoded)
{
	struct offload offload;
	struct vnet_header header;

	for (uint16_t l2_bytes = 0; l2_bytes <= 18; l2_bytes += 2) {
		vnet_decode(&tso4, l2_bytes, &offload);
		vnet_encode(&offload, l2_bytes, &header);
		cr_expect_eq(memcmp(&header, &tso4, sizeof(header)), 0);
	}
}

Test(vnet, moves_from_one_link_to_another)
{
	struct offload offload;
	struct vnet_header header;

	vnet_decode(&tso4, 14, &offload);
	vnet_encode(&offload, 0, &header);
	cr_expect_eq(header.header_size, 40);
	cr_expect_eq(header.csum_start, 20);
	cr_expect_eq(header.csum_offset, 16);
}

Test(vnet, plain_packets_have_no_offsets)
{
	const struct vnet_header noise = {.flags = OFFLOAD_DATA_VALID,
		.header_size = 54,
		.gso_size = 9,
		.csum_start = 34,
		.csum_offset = 6};
	const struct offload valid = {.flags = OFFLOAD_DATA_VALID};
	const struct vnet_header plain = {.flags = OFFLOAD_DATA_VALID};
	struct offload offload;
	struct vnet_header header;

	vnet_decode(&noise, 14, &offload);
	cr_expect_eq(memcmp(&offload, &valid, sizeof(valid)), 0);
	vnet_encode(&valid, 14, &header);
	cr_expect_eq(memcmp(&header, &plain, sizeof(plain)), 0);
}

Test(vnet, offsets_before_the_ip_header_are_refused)
{
	struct packet *packet = TCP_PACKET("10.77.0.5:4000", "192.0.2.1:80", .tcp_flags = TCP_ACK);

	for (uint16_t start = 0; start < 34; start++) {
		struct vnet_header header = tso4;

		header.csum_start = start;
		vnet_decode(&header, 14, &packet->offload);
		cr_expect_not(packet_parse(packet), "%u", start);
		cr_expect_eq(packet->drop, DROP_BAD_OFFLOAD);
	}
	packet_dispose(packet);
}
