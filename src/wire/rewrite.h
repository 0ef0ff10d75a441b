/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite: change addresses, ports, hop limit and MSS of a parsed packet in place, checksums kept
 * right by deltas: complete ones per RFC 1624, partial ones (OFFLOAD_NEEDS_CSUM) by the address
 * delta alone, since a partial field holds the pseudo-header's sum and nothing else.
 */
#ifndef TUNGATE_WIRE_REWRITE_H
#define TUNGATE_WIRE_REWRITE_H

#include "wire/parse.h"

/*
 * One direction's ready-made translation.  `address_delta` covers both addresses, `port_delta`
 * both ports; both are 0 where nothing changes.  Computed once per flow by rewrite_prepare().
 */
struct rewrite {
	const union addr *source;
	const union addr *destination;
	be16 source_port;
	be16 destination_port;
	uint16_t address_delta;
	uint16_t port_delta;
};

/* The deltas of replacing one set of addresses and ports by another, both of `family`. */
void rewrite_prepare(struct rewrite *rewrite, uint8_t family, const union addr *old_source,
	const union addr *old_destination, be16 old_source_port, be16 old_destination_port);

/*
 * Apply to the packet; also keeps packet->headers in step.  Ports are written according to
 * headers.kind (ICMP queries: the identifier, from whichever port is not the zero one); for
 * L4_FRAGMENT and L4_OTHER only addresses change, the TCP/UDP/ICMPv6 checksum being in the first
 * fragment.  UDP over IPv4 with checksum 0 stays 0, and a result of 0 becomes ffff.
 */
void packet_rewrite(struct packet *packet, const struct rewrite *rewrite);

/*
 * Apply the inverse translation to the packet quoted in an ICMP error (RFC 5508 REQ-4): new
 * inner addresses and ports, inner IP checksum, inner L4 checksum where its field is inside the
 * quote and is not a UDP zero.  The caller then fixes the outer addresses with
 * packet_rewrite_addresses() and calls packet_icmp_checksum().
 */
void packet_rewrite_quoted(
	struct packet *packet, const struct headers *inner, const struct rewrite *rewrite);

/* Replace the outer addresses only; the L4 checksum is not touched (ICMP errors: recomputed
 * whole afterwards by packet_icmp_checksum()). */
void packet_rewrite_addresses(
	struct packet *packet, const union addr *source, const union addr *destination);

/* Compute the whole ICMP or ICMPv6 checksum anew, and clear OFFLOAD_NEEDS_CSUM. */
void packet_icmp_checksum(struct packet *packet);

/* Decrement TTL (with the IPv4 checksum) or hop limit.  It must be at least 1. */
void packet_decrement_ttl(struct packet *packet);

/* Lower the MSS option of a SYN to at most `mss`, never raise it.  True if it changed. */
bool packet_clamp_mss(struct packet *packet, uint16_t mss);

#endif
