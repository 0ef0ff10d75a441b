/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segments: write a super-packet piece by piece where the other side does not take it whole.
 */
#ifndef TUNGATE_LINK_SEGMENTS_H
#define TUNGATE_LINK_SEGMENTS_H

#include "tungate/packet.h"

/* Where one segment is built at a time.  Large: part of a link, not of a stack frame. */
struct segments {
	uint8_t bytes[PACKET_HEADROOM + PACKET_BYTES_MAX];
};

/* Hand each segment of `packet` to `write`, in order, all of them whatever becomes of one; each has
 * the `l2_bytes` in front of `packet` in front of it, too.  Returns 0 or the first -errno. */
typedef int segment_writer(void *context, struct packet *segment);
int segments_write(struct segments *segments, struct packet *packet, unsigned l2_bytes,
	segment_writer *write, void *context);

/* Whether a GSO type means TCP: those that every kernel with virtio-net headers knows. */
static inline bool segments_are_tcp(uint8_t gso_type)
{
	const uint8_t type = gso_type & (uint8_t)~OFFLOAD_GSO_ECN;

	return type == OFFLOAD_GSO_TCPV4 || type == OFFLOAD_GSO_TCPV6;
}

#endif
