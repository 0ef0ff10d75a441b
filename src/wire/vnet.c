/* SPDX-License-Identifier: BSD-2-Clause */
/* vnet: move the offsets of a virtio-net header between the link's frame and the IP packet. */
#include "wire/vnet.h"

#include <linux/virtio_net.h>

static_assert(OFFLOAD_NEEDS_CSUM == VIRTIO_NET_HDR_F_NEEDS_CSUM, "virtio_net.h");
static_assert(OFFLOAD_DATA_VALID == VIRTIO_NET_HDR_F_DATA_VALID, "virtio_net.h");
static_assert(OFFLOAD_GSO_NONE == VIRTIO_NET_HDR_GSO_NONE, "virtio_net.h");
static_assert(OFFLOAD_GSO_TCPV4 == VIRTIO_NET_HDR_GSO_TCPV4, "virtio_net.h");
static_assert(OFFLOAD_GSO_UDP == VIRTIO_NET_HDR_GSO_UDP, "virtio_net.h");
static_assert(OFFLOAD_GSO_TCPV6 == VIRTIO_NET_HDR_GSO_TCPV6, "virtio_net.h");
static_assert(OFFLOAD_GSO_ECN == VIRTIO_NET_HDR_GSO_ECN, "virtio_net.h");
#ifdef VIRTIO_NET_HDR_GSO_UDP_L4 /* Linux 6.2 */
static_assert(OFFLOAD_GSO_UDP_L4 == VIRTIO_NET_HDR_GSO_UDP_L4, "virtio_net.h");
#endif

/* 0, an offset that no IP packet has a checksum or the end of its headers at, stands for whatever
 * lies before the IP header. */
static uint16_t strip(uint16_t offset, uint16_t l2_bytes)
{
	return offset > l2_bytes ? (uint16_t)(offset - l2_bytes) : 0;
}

void vnet_decode(const struct vnet_header *header, uint16_t l2_bytes, struct offload *offload)
{
	*offload = (struct offload){.flags = header->flags, .gso_type = header->gso_type};
	if (header->flags & OFFLOAD_NEEDS_CSUM) {
		offload->csum_start = strip(header->csum_start, l2_bytes);
		offload->csum_offset = header->csum_offset;
	}
	if (header->gso_type != OFFLOAD_GSO_NONE) {
		offload->header_size = strip(header->header_size, l2_bytes);
		offload->gso_size = header->gso_size;
	}
}

void vnet_encode(const struct offload *offload, uint16_t l2_bytes, struct vnet_header *header)
{
	*header = (struct vnet_header){.flags = offload->flags, .gso_type = offload->gso_type};
	if (offload->flags & OFFLOAD_NEEDS_CSUM) {
		header->csum_start = (uint16_t)(offload->csum_start + l2_bytes);
		header->csum_offset = offload->csum_offset;
	}
	if (offload->gso_type != OFFLOAD_GSO_NONE) {
		header->header_size = (uint16_t)(offload->header_size + l2_bytes);
		header->gso_size = offload->gso_size;
	}
}
