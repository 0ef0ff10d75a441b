/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet: struct offload to and from the virtio-net header, whose offsets count from the start of
 * the link's frame (IP header on TUN, Ethernet header on AF_PACKET and TAP).
 */
#ifndef TUNGATE_WIRE_VNET_H
#define TUNGATE_WIRE_VNET_H

#include "tungate/packet.h"
#include "wire/headers.h"

/* `l2_bytes`: length of the link-layer header in front of the IP header.  A header whose offsets
 * lie before the IP header gives an offload that packet_parse() refuses. */
void vnet_decode(const struct vnet_header *header, uint16_t l2_bytes, struct offload *offload);
void vnet_encode(const struct offload *offload, uint16_t l2_bytes, struct vnet_header *header);

#endif
