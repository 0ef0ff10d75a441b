/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * headers: the wire formats, and nothing else.  Fields are in network byte order.  Packets may lie
 * at any address (a TUN packet follows a ten-byte virtio-net header), so every struct is packed.
 */
#ifndef TUNGATE_WIRE_HEADERS_H
#define TUNGATE_WIRE_HEADERS_H

#include <assert.h>
#include <netinet/in.h> /* IPPROTO_* */
#include <stdint.h>
#include "base/addr.h"

#define WIRE __attribute__((packed, may_alias))

/* RFC 791 */
struct ipv4_header {
	uint8_t version_length; /* version << 4 | header length in 32-bit words */
	uint8_t tos;
	be16 total_length;
	be16 id;
	be16 fragment; /* flags and offset in units of 8 bytes: IPV4_* */
	uint8_t ttl;
	uint8_t protocol;
	be16 checksum;
	be32 source;
	be32 destination;
} WIRE;
static_assert(sizeof(struct ipv4_header) == 20, "RFC 791");
#define IPV4_DF          0x4000
#define IPV4_MF          0x2000
#define IPV4_OFFSET_MASK 0x1fff

/* RFC 8200 */
struct ipv6_header {
	be32 version_class_flow;
	be16 payload_length;
	uint8_t next_header;
	uint8_t hop_limit;
	uint8_t source[16];
	uint8_t destination[16];
} WIRE;
static_assert(sizeof(struct ipv6_header) == 40, "RFC 8200");

/* RFC 8200, 4.2: what hop-by-hop, destination and routing headers share */
struct ipv6_extension {
	uint8_t next_header;
	uint8_t length; /* in units of 8 bytes, not counting the first 8 */
	uint8_t type;   /* routing header: routing type */
	uint8_t rest[5];
} WIRE;
static_assert(sizeof(struct ipv6_extension) == 8, "RFC 8200");

/* RFC 8200, 4.5 */
struct ipv6_fragment {
	uint8_t next_header;
	uint8_t reserved;
	be16 offset; /* offset in units of 8 bytes << 3 | M flag */
	be32 id;
} WIRE;
static_assert(sizeof(struct ipv6_fragment) == 8, "RFC 8200");

/* RFC 9293 */
struct tcp_header {
	be16 source_port;
	be16 destination_port;
	be32 sequence;
	be32 acknowledgment;
	uint8_t offset; /* header length in 32-bit words << 4 */
	uint8_t flags;
	be16 window;
	be16 checksum;
	be16 urgent;
} WIRE;
static_assert(sizeof(struct tcp_header) == 20, "RFC 9293");

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

#define TCP_OPTION_END            0
#define TCP_OPTION_NOP            1
#define TCP_OPTION_MSS            2
#define TCP_OPTION_WINDOW_SCALE   3
#define TCP_OPTION_SACK_PERMITTED 4
#define TCP_OPTION_SACK           5

/* RFC 768 */
struct udp_header {
	be16 source_port;
	be16 destination_port;
	be16 length;
	be16 checksum;
} WIRE;
static_assert(sizeof(struct udp_header) == 8, "RFC 768");

/* RFC 792 and RFC 4443: the first eight bytes of every ICMP and ICMPv6 message */
struct icmp_header {
	uint8_t type;
	uint8_t code;
	be16 checksum;
	union {
		struct {
			be16 id;
			be16 sequence;
		} WIRE query;
		struct {
			be16 unused;
			be16 mtu; /* RFC 1191 */
		} WIRE too_big4;
		be32 mtu6; /* RFC 4443, 3.2 */
		be32 rest;
	} WIRE;
} WIRE;
static_assert(sizeof(struct icmp_header) == 8, "RFC 792");

#define ICMP4_ECHO_REPLY              0
#define ICMP4_UNREACHABLE             3
#define ICMP4_SOURCE_QUENCH           4
#define ICMP4_REDIRECT                5
#define ICMP4_ECHO                    8
#define ICMP4_TIME_EXCEEDED           11
#define ICMP4_PARAMETER               12
#define ICMP4_TIMESTAMP               13
#define ICMP4_TIMESTAMP_REPLY         14
#define ICMP4_NET_UNREACHABLE         0 /* codes of ICMP4_UNREACHABLE */
#define ICMP4_HOST_UNREACHABLE        1
#define ICMP4_PROTO_UNREACHABLE       2
#define ICMP4_PORT_UNREACHABLE        3
#define ICMP4_FRAGMENT_NEEDED         4
#define ICMP4_ADMIN_PROHIBITED        13
#define ICMP6_UNREACHABLE             1
#define ICMP6_TOO_BIG                 2
#define ICMP6_TIME_EXCEEDED           3
#define ICMP6_PARAMETER               4
#define ICMP6_ECHO                    128
#define ICMP6_ECHO_REPLY              129
#define ICMP6_MLD_QUERY               130
#define ICMP6_MLD_REPORT              131
#define ICMP6_MLD_DONE                132
#define ICMP6_ROUTER_SOLICITATION     133
#define ICMP6_ROUTER_ADVERTISEMENT    134
#define ICMP6_NEIGHBOUR_SOLICITATION  135
#define ICMP6_NEIGHBOUR_ADVERTISEMENT 136
#define ICMP6_NEIGHBOUR_REDIRECT      137
#define ICMP6_MLD2_REPORT             143
#define ICMP6_NO_ROUTE                0 /* codes of ICMP6_UNREACHABLE */
#define ICMP6_ADMIN_PROHIBITED        1
#define ICMP6_ADDR_UNREACHABLE        3
#define ICMP6_PORT_UNREACHABLE        4
#define ICMP6_NEXT_HEADER             1 /* code of ICMP6_PARAMETER: unrecognized */

/* RFC 4861, 4.3 and 4.4: a neighbour solicitation or advertisement; options follow */
struct ndp_header {
	uint8_t type;
	uint8_t code;
	be16 checksum;
	be32 flags; /* advertisement: NDP_* << 24 */
	uint8_t target[16];
} WIRE;
static_assert(sizeof(struct ndp_header) == 24, "RFC 4861");

/* RFC 4861, 4.6.1: the link-layer address options for Ethernet */
struct ndp_mac_option {
	uint8_t type;
	uint8_t length; /* in units of 8 bytes */
	uint8_t mac[6];
} WIRE;
static_assert(sizeof(struct ndp_mac_option) == 8, "RFC 4861");
#define NDP_OPTION_SOURCE_MAC 1
#define NDP_OPTION_TARGET_MAC 2

/* RFC 826, for IPv4 over Ethernet */
struct arp_header {
	be16 hardware; /* 1: Ethernet */
	be16 protocol; /* 0x0800: IPv4 */
	uint8_t hardware_bytes;
	uint8_t protocol_bytes;
	be16 operation;
	uint8_t sender_mac[6];
	be32 sender;
	uint8_t target_mac[6];
	be32 target;
} WIRE;
static_assert(sizeof(struct arp_header) == 28, "RFC 826");

/* RFC 2637, 4.1: the enhanced GRE header, up to what every packet of a PPTP call has */
struct gre_call_header {
	be16 flags; /* GRE_CALL_FLAGS, of which some may vary */
	be16 protocol;
	be16 payload_length;
	be16 call; /* the receiver's call id */
} WIRE;
static_assert(sizeof(struct gre_call_header) == 8, "RFC 2637, 4.1");
#define GRE_CALL_FLAGS    0x2001 /* a key (length and call id), version 1 */
#define GRE_CALL_VARIABLE 0x1080 /* a sequence number follows, an acknowledgment */
#define GRE_PPP           0x880b

/* VIRTIO 1.2, 5.1.6.2: the ten-byte header of TUN and AF_PACKET, fields in host byte order */
struct vnet_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t header_size;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
} WIRE;
static_assert(sizeof(struct vnet_header) == 10, "VIRTIO 1.2, 5.1.6.2");

struct ethernet_header {
	uint8_t destination[6];
	uint8_t source[6];
	be16 type; /* ETH_P_* */
} WIRE;
static_assert(sizeof(struct ethernet_header) == 14, "IEEE 802.3");

#endif
