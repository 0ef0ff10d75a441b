/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse: bytes to struct headers, with every length checked once, here.
 */
#ifndef TUNGATE_WIRE_PARSE_H
#define TUNGATE_WIRE_PARSE_H

#include "tungate/packet.h"
#include "wire/headers.h"

/*
 * Fill packet->headers from packet->data, cut padding behind the IP packet (packet->length
 * becomes headers.end) and check packet->offload against what was found: header_size is set from
 * the packet, which is the better witness, and what is unknown or unused is cleared.  Returns true
 * and sets packet->parsed, or false with packet->drop set:
 *
 * TRUNCATED     a length reaches past the end
 * BAD_HEADER    version, header length, IPv4 options, TCP offset, UDP length, port 0, IPv6
 *               extension headers out of order or more than eight
 * BAD_CHECKSUM  of the IPv4 header, and of whole ICMP messages (RFC 5508 REQ-3a)
 * BAD_OFFLOAD   an offload that the packet contradicts, or on a fragment
 * BAD_FLAGS     TCP flags of no connection: none, SYN+FIN, SYN+RST, FIN+RST, FIN without ACK ...
 * SOURCE_ROUTE  IPv4 source and record route, IPv6 routing type 0 or with segments left
 * FRAGMENT      a first fragment without its whole L4 header (RFC 7112), a TCP fragment that
 *               starts inside the header (RFC 1858, 3128), an ICMP error in fragments
 *
 * TCP and UDP checksums are not verified: a wrong one stays wrong under incremental update and
 * the receiver drops it.  An IPv6 fragment that is whole (RFC 6946) is not a fragment here.
 */
bool packet_parse(struct packet *packet);

/*
 * The packet quoted in an ICMP error (headers.kind L4_ICMP_ERROR).  As much as RFC 792 promises is
 * enough (IP header and eight bytes), lengths inside may exceed what is there, its IPv4 header
 * checksum must be right, its L4 checksum is never looked at (RFC 5508 REQ-3).  Offsets in
 * `inner` count from packet->data, so that it can be rewritten in place; inner->end is where the
 * quote ends, inner->payload is inner->l4, and tcp_flags are 0 where the quote is too short for
 * them.  Returns false where it cannot be understood.
 */
bool packet_parse_quoted(const struct packet *packet, struct headers *inner);

/* Where a fragment (headers.more_fragments, or kind L4_FRAGMENT) belongs. */
struct fragment_position {
	uint32_t id;     /* host order; IPv4 has 16 bits */
	uint16_t offset; /* bytes into the L4 part, a multiple of 8 */
	bool more;       /* not the last one */
};
void packet_fragment_position(const struct packet *packet, struct fragment_position *position);
/* Where an IPv6 fragment has its fragment header, bytes from packet->data. */
uint32_t packet_fragment_header(const struct packet *packet);

/* What an ICMP or ICMPv6 type is to us, by the family of the packet it is in: L4_ICMP_QUERY,
 * L4_ICMP_ERROR or L4_ICMP_OTHER.  Source quench is deprecated (RFC 6633) and counts as other. */
uint8_t icmp_kind(uint8_t family, uint8_t type);
/* Of a query type: is it the answer? */
bool icmp_is_reply(uint8_t family, uint8_t type);

/* Where the checksum field lies in an L4 header, or 0 for protocols that we know of none. */
uint16_t l4_checksum_offset(uint8_t protocol);

/* TCP options that tracking and clamping need; offsets from packet->data, 0 where absent. */
struct tcp_options {
	uint16_t mss_offset; /* of the two value bytes of MSS */
	uint16_t mss;        /* host order */
	bool has_scale;
	uint8_t scale; /* 0 to 14; larger ones count as 14, RFC 7323 2.3 */
	bool sack_permitted;
	uint8_t sack_count;
	uint32_t sack_highest; /* highest right edge of the SACK blocks, host order */
};
/* packet->headers.kind must be L4_TCP.  Malformed options end the walk quietly, as kernels do. */
void packet_tcp_options(const struct packet *packet, struct tcp_options *options);

/* Pointers into a parsed packet. */
static inline struct ipv4_header *packet_ipv4(const struct packet *packet)
{
	return (struct ipv4_header *)packet->data;
}
static inline struct ipv6_header *packet_ipv6(const struct packet *packet)
{
	return (struct ipv6_header *)packet->data;
}
/* The differentiated services code point (RFC 2474). */
static inline uint8_t packet_dscp(const struct packet *packet)
{
	const uint8_t *data = packet->data;

	return packet->headers.family == AF_INET ? data[1] >> 2
						 : (uint8_t)((data[0] & 0xf) << 2 | data[1] >> 6);
}

static inline void *packet_l4(const struct packet *packet)
{
	return packet->data + packet->headers.l4;
}
/* Is the L4 checksum field partial?  A partial sum further in (of a tunnelled packet) leaves the
 * outer one complete. */
static inline bool packet_checksum_is_partial(const struct packet *packet)
{
	return (packet->offload.flags & OFFLOAD_NEEDS_CSUM) &&
	       packet->offload.csum_start == packet->headers.l4;
}
/* Bytes of L4 payload, headers excluded; for a GSO packet that of all its segments. */
static inline uint32_t packet_payload_bytes(const struct packet *packet)
{
	return packet->headers.end - packet->headers.payload;
}

#endif
