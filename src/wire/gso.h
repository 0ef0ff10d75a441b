/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gso: software fallbacks for links and devices that cannot segment or checksum: cut a
 * super-packet into plain packets, complete a partial checksum.
 */
#ifndef TUNGATE_WIRE_GSO_H
#define TUNGATE_WIRE_GSO_H

#include "wire/parse.h"

/* The complete checksum of a packet with OFFLOAD_NEEDS_CSUM, of a super-packet as if it were one
 * packet; nothing is changed. */
be16 gso_checksum(const struct packet *packet);

/* Complete a partial checksum in place; what is left of packet->offload is DATA_VALID.  Only for
 * packets without GSO. */
void gso_complete_checksum(struct packet *packet);

/* Number of segments that the super-packet stands for (1 for a plain packet). */
uint32_t gso_segment_count(const struct packet *packet);

/*
 * Build segment `index` (from 0) of a parsed super-packet into `out` (capacity at least
 * header_size + gso_size): headers copied, lengths, IPv4 id (RFC 6864: counted up), TCP sequence
 * and flags (FIN and PSH on the last only, CWR on the first only), UDP length, checksums complete.
 * out->headers is the segment's.  Returns its length.
 */
uint32_t gso_segment(const struct packet *packet, uint32_t index, struct packet *out);

#endif
