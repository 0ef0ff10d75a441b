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
 * becomes headers.end) and check packet->offload against what was found.  Returns true and sets
 * packet->parsed, or false with packet->drop set: TRUNCATED, BAD_HEADER, BAD_CHECKSUM (IPv4
 * header always; ICMP messages without NEEDS_CSUM too, RFC 5508 REQ-3a), BAD_OFFLOAD, BAD_FLAGS
 * (TCP null, SYN+FIN, SYN+RST, FIN without ACK ...; port 0), SOURCE_ROUTE, FRAGMENT (tiny first
 * fragments, RFC 1858 and 3128).  TCP and UDP checksums are not verified: a wrong one stays wrong
 * under incremental update and the receiver drops it.
 */
bool packet_parse(struct packet *packet);

/*
 * The packet quoted in an ICMP error, from `offset` to `end` of packet->data.  As much as RFC 792
 * promises is enough (IP header and eight bytes), lengths inside may exceed what is there, its
 * IPv4 header checksum must be right, its L4 checksum is never looked at (RFC 5508 REQ-3).
 * Offsets in `inner` count from packet->data, so that it can be rewritten in place; inner->end is
 * `end`.  Returns false where it cannot be understood.
 */
bool packet_parse_quoted(const struct packet *packet, struct headers *inner);

/* TCP options that tracking and clamping need; offsets from packet->data, 0 where absent. */
struct tcp_options {
	uint16_t mss_offset;  /* of the two value bytes of MSS */
	uint16_t mss;         /* host order */
	bool has_scale;
	uint8_t scale;        /* 0 to 14; larger ones count as 14, RFC 7323 2.3 */
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
static inline void *packet_l4(const struct packet *packet)
{
	return packet->data + packet->headers.l4;
}
/* Bytes of L4 payload, headers excluded; for a GSO packet that of all its segments. */
static inline uint32_t packet_payload_bytes(const struct packet *packet)
{
	return packet->headers.end - packet->headers.payload;
}

#endif
