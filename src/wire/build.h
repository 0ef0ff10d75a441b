/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build: the packets that the gateway makes itself: ICMP errors, TCP resets, and (for tests and
 * benchmarks) plain TCP, UDP and ICMP packets.  All with complete checksums.
 */
#ifndef TUNGATE_WIRE_BUILD_H
#define TUNGATE_WIRE_BUILD_H

#include "wire/parse.h"

/* What an ICMP error may quote: IPv4 up to 576 bytes in all (RFC 1812 4.3.2.3), IPv6 up to the
 * minimum MTU of 1280 (RFC 4443 2.4 c). */
#define BUILD_ERROR_BYTES_MAX  1280
#define BUILD_ERROR4_BYTES_MAX 576

/*
 * An ICMP or ICMPv6 error about `about` (parsed, its headers unmodified since) from `source` to
 * its sender, into out->data with out->capacity >= BUILD_ERROR_BYTES_MAX.  `mtu` is written for
 * fragmentation-needed and too-big, else ignored; an ICMPv6 parameter problem points at the field
 * that names the L4 protocol.  A partial checksum of the quoted packet is
 * completed in the quote where the whole packet is at hand, so no half-made sum leaves.  Returns
 * false, having made nothing, where RFC 1122 3.2.2 / RFC 4443 2.4 e forbid an answer: about an ICMP
 * error or other non-query ICMP, a non-first fragment, a multicast, broadcast or unspecified
 * address.
 */
bool build_icmp_error(struct packet *out, const struct packet *about, const union addr *source,
	uint8_t type, uint8_t code, uint32_t mtu);

/*
 * A TCP reset that answers `about` (RFC 9293, 3.10.7.1), addresses and ports swapped, into
 * out->data (60 bytes at most).  Returns false about a segment with RST.
 */
bool build_tcp_reset(struct packet *out, const struct packet *about);

/* A description of a packet to make, for tests, golden files and benchmarks. */
struct build {
	uint8_t family;
	uint8_t protocol; /* IPPROTO_TCP, UDP, ICMP, ICMPV6, or any other: payload alone */
	union addr source;
	union addr destination;
	uint16_t source_port;      /* host order; ICMP: identifier */
	uint16_t destination_port; /* host order; ICMP: sequence */
	uint8_t ttl;               /* 0 means 64 */
	uint8_t tcp_flags;
	uint32_t sequence;       /* host order */
	uint32_t acknowledgment; /* host order */
	uint16_t window;
	uint16_t mss; /* 0: no option */
	int8_t scale; /* window scale option, -1: none */
	bool sack_permitted;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint32_t icmp_rest;  /* errors: host order word after the checksum */
	const void *payload; /* may be NULL: `payload_bytes` zeros */
	uint32_t payload_bytes;
	bool partial_checksum; /* leave the L4 sum partial, as a kernel with offload does */
	uint16_t gso_size;     /* with partial_checksum: a super-packet */
};
/* Make the packet in out->data; returns its length, or 0 where out->capacity is too small. */
uint32_t build_packet(struct packet *out, const struct build *build);

#endif
