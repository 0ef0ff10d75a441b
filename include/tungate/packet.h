/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet: an IP packet on its way through the gateway, possibly a super-packet of 64 KiB.
 *
 * The caller owns the buffer and the struct; the engine rewrites both in place and keeps neither.
 * `data` is the first byte of the IP header on every kind of link: a link strips its own framing
 * on receipt and writes it into the headroom on sending, so the payload never moves.  Where the
 * engine puts another IP header in front of it (NAT64), it is `data` that moves, and `capacity`
 * with it; so whoever uses a buffer again sets both.
 */
#ifndef TUNGATE_PACKET_H
#define TUNGATE_PACKET_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/addr.h"
#include "tungate/verdict.h"

/* Where a packet comes from or goes to: the index of a link, or the uplink side. */
typedef uint16_t zone_id;
#define ZONE_UPLINK ((zone_id)0xffff)
#define ZONE_NONE   ((zone_id)0xfffe)
/* The gateway's own services on a network are a place of their own. */
#define ZONE_SERVICE(network) ((zone_id)(0x8000 | (network)))
#define ZONE_IS_LINK(z)       ((z) < 0x8000)
#define ZONE_IS_SERVICE(z)    ((z) >= 0x8000 && (z) < ZONE_NONE)

/* Bytes before `data` that a link may use: virtio-net header (12) and Ethernet with VLAN (18); and
 * the engine, for a longer header (28). */
#define PACKET_HEADROOM 64
/* The largest IP packet that a link hands over in one piece (IPv4 total length; IPv6 payload). */
#define PACKET_BYTES_MAX (65535 + 40)

/*
 * Segmentation and checksum work that somebody behind us still has to do: the virtio-net header
 * (VIRTIO 1.2, 5.1.6.2) in host byte order, offsets from `data`.  All zero: nothing is left to
 * do, the packet is a plain one with a complete checksum.
 */
struct offload {
	uint8_t flags;        /* OFFLOAD_NEEDS_CSUM, OFFLOAD_DATA_VALID */
	uint8_t gso_type;     /* VIRTIO_NET_HDR_GSO_*, OFFLOAD_GSO_ECN or-ed in */
	uint16_t header_size; /* bytes of all headers, from `data`; 0 where gso_type is none */
	uint16_t gso_size;    /* payload bytes per segment */
	uint16_t csum_start;  /* where the checksum begins, bytes from `data` */
	uint16_t csum_offset; /* where its field lies, bytes from csum_start */
};
/* The values of <linux/virtio_net.h>, asserted in wire/vnet.c. */
#define OFFLOAD_NEEDS_CSUM 1
#define OFFLOAD_DATA_VALID 2
#define OFFLOAD_GSO_NONE   0
#define OFFLOAD_GSO_TCPV4  1
#define OFFLOAD_GSO_UDP    3 /* UFO: IP fragments; never offered by us */
#define OFFLOAD_GSO_TCPV6  4
#define OFFLOAD_GSO_UDP_L4 5
#define OFFLOAD_GSO_ECN    0x80

/* What the L4 part is to the engine: decides which fields are "ports" and how it is checksummed. */
enum l4_kind {
	L4_OTHER,      /* no ports; tracked per address pair */
	L4_TCP,        /* ports at +0 and +2 */
	L4_UDP,        /* UDP and UDP-Lite-free: ports at +0 and +2, checksum may be zero (v4) */
	L4_GRE_CALL,   /* GRE of a PPTP call: the receiver's call id stands for its port */
	L4_ICMP_QUERY, /* echo, timestamp ...: the identifier stands for one port */
	L4_ICMP_ERROR, /* quotes a packet */
	L4_ICMP_OTHER, /* redirect, router and neighbour discovery, unknown types */
	L4_FRAGMENT,   /* a fragment that is not the first: no L4 header */
};

/* What is no port stands where a call's packet would have its sender's (GRE's type of PPP). */
#define PACKET_CALL_PORT htons(0x880b)

/* Filled by packet_parse(); all lengths have been checked against packet->length. */
struct headers {
	uint8_t family;   /* AF_INET, AF_INET6 */
	uint8_t protocol; /* IPPROTO_* of the L4 header, after IPv6 extension headers */
	uint8_t kind;     /* enum l4_kind */
	uint8_t ttl;      /* TTL or hop limit */
	uint16_t l4;      /* offset of the L4 header from `data` */
	uint16_t payload; /* offset of the L4 payload; == l4 where kind has no known header */
	uint32_t end;     /* offset past the last byte of the IP packet (trailing padding cut) */
	union addr source;
	union addr destination;
	/* TCP and UDP ports.  ICMP query: a request has its identifier in source_port and in
	 * destination_port what it asks (0: echo, 13: timestamp), a reply the other way round.  A
	 * call's packet has the receiver's call id alone; PACKET_CALL_PORT is in the place of the
	 * sender's.  0 for all other kinds. */
	be16 source_port;
	be16 destination_port;
	uint8_t icmp_type;   /* ICMP only */
	uint8_t icmp_code;   /* ICMP only */
	uint8_t tcp_flags;   /* TCP only: the low eight flag bits, TCP_FIN ... */
	bool more_fragments; /* first of several fragments (kind is the L4's) */
	bool may_fragment;   /* IPv4 with DF clear */
};

struct packet {
	/* Set by whoever received it. */
	uint8_t *data;   /* first byte of the IP header; PACKET_HEADROOM bytes before it are free */
	uint32_t length; /* bytes from `data` on */
	uint32_t capacity; /* bytes that the buffer has from `data` on */
	struct offload offload;
	zone_id in_zone; /* link it came in by, or ZONE_UPLINK */
	/* Set by the engine. */
	zone_id out_zone; /* VERDICT_SEND: link it leaves by, or ZONE_UPLINK */
	uint16_t path;    /* VERDICT_SEND to the uplink: the route's path (engine.h) */
	uint16_t network; /* VERDICT_LOCAL: network whose gateway address was meant */
	uint8_t drop;     /* VERDICT_DROP: enum drop */
	bool parsed;      /* `headers` is filled: packet_parse() */
	bool hashed;      /* `hash` is: the engine's, of the flow key; packet_parse() clears it */
	uint32_t hash;
	struct headers headers;
};

#endif
