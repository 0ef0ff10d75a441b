/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment: cut packets for a smaller MTU (RFC 791, 3.2), and give datagrams another
 * identification.  IPv6 packets are cut only by who sent them, which a translator did (RFC 7915,
 * 4).
 */
#ifndef TUNGATE_WIRE_FRAGMENT_H
#define TUNGATE_WIRE_FRAGMENT_H

#include "wire/parse.h"

/* A part of a datagram, its first one included. */
static inline bool packet_is_fragment(const struct packet *packet)
{
	return packet->headers.kind == L4_FRAGMENT || packet->headers.more_fragments;
}

/* Where the part that is divided among fragments begins: behind the IPv4 header, or the IPv6
 * fragment header.  Bytes from packet->data. */
uint32_t fragment_start(const struct packet *packet);

/* How many pieces `bytes` make behind headers of `header_bytes` for `mtu`: 1 where they fit, 0
 * where nothing does. */
uint32_t fragment_pieces(uint32_t header_bytes, uint32_t bytes, uint32_t mtu);
/* How many pieces a packet makes: IPv4, or IPv6 with a fragment header and no other. */
uint32_t fragment_count(const struct packet *packet, uint32_t mtu);

/* Give an IPv6 packet without extension headers a fragment header, in eight bytes of headroom: it
 * is to be cut. */
void fragment_wrap(struct packet *packet, uint32_t id);

/*
 * Build piece `index` (from 0) of such a parsed packet, which may be a fragment itself, into `out`
 * (capacity at least `mtu`): offset, flags and length set, header checksum complete; in all but
 * the first piece only the options that RFC 791 has copied.  The packet's L4 checksum must be
 * complete.  out->headers is not filled.  Returns its length.
 */
uint32_t fragment_piece(
	const struct packet *packet, uint32_t index, uint32_t mtu, struct packet *out);
/* Make the packet its own first piece, the others having been built. */
void fragment_truncate(struct packet *packet, uint32_t mtu);

/* Another identification (host order; 16 bits of it in IPv4), the IPv4 header's sum kept right.
 * In IPv6 only a fragment has one. */
void fragment_id_set(struct packet *packet, uint32_t id);

#endif
