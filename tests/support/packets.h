/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packets: packets for tests, one line each, and a second opinion on their checksums.
 *
 *     struct packet *syn = TCP_PACKET("10.77.0.5:4000", "192.0.2.1:80", .tcp_flags = TCP_SYN);
 *     struct packet *ask = UDP_PACKET("[fd00::5]:4000", "[2001:db8::1]:53", .payload_bytes = 20);
 *     struct packet *ping = ECHO_PACKET("10.77.0.5", "192.0.2.1", .source_port = 7);
 *
 * A packet's buffer ends where the packet does, so that AddressSanitizer sees every byte read too
 * many.  Whoever makes a packet gives it to packet_dispose().
 */
#ifndef TUNGATE_TESTS_PACKETS_H
#define TUNGATE_TESTS_PACKETS_H

#include "wire/build.h"

/* The macros give defaults that a test may set again. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* Endpoints are "10.0.0.1:80", "[2001:db8::1]:80", or an address alone, where `build` has the
 * ports.  in_zone is ZONE_NONE; nothing is parsed. */
struct packet *packet_make(const char *source, const char *destination, const struct build *build);

#define TCP_PACKET(from, to, ...)                                                                  \
	packet_make(from, to,                                                                      \
		&(struct build){                                                                   \
			.protocol = IPPROTO_TCP, .scale = -1, .window = 0xffff, __VA_ARGS__})
#define UDP_PACKET(from, to, ...)                                                                  \
	packet_make(from, to, &(struct build){.protocol = IPPROTO_UDP, __VA_ARGS__})
/* .source_port is the identifier, .destination_port the sequence number; icmp_type, where it is
 * not set, is that of an echo request. */
#define ECHO_PACKET(from, to, ...)                                                                 \
	packet_make(from, to,                                                                      \
		&(struct build){.protocol = IPPROTO_ICMP, .icmp_type = ICMP4_ECHO, __VA_ARGS__})
/* Any other type; `protocol` becomes ICMPv6 where the addresses are IPv6. */
#define ICMP_PACKET(from, to, ...)                                                                 \
	packet_make(from, to, &(struct build){.protocol = IPPROTO_ICMP, __VA_ARGS__})

/* A packet of these bytes, with `capacity` (at least `length`) bytes of room from data on. */
struct packet *packet_from_bytes(const void *bytes, uint32_t length, uint32_t capacity);
/* An empty packet to build into. */
struct packet *packet_with_room(uint32_t capacity);
/* The packet in a larger buffer, as those that are translated grow. */
struct packet *packet_with_more_room(struct packet *packet, uint32_t more);
/* TTL or hop limit, as its bytes say. */
uint8_t packet_ttl(const struct packet *packet);
struct packet *packet_copy(const struct packet *packet);
void packet_dispose(struct packet *packet);

/*
 * What is wrong with a packet's lengths and checksums, or NULL: worked out byte by byte by code
 * that shares nothing with src/.  A partial checksum must be the pseudo-header's sum.  Knows
 * IPv4 with options, IPv6 without extension headers, TCP, UDP, ICMP, ICMPv6.
 */
const char *packet_fault(const struct packet *packet);

/* The next number of a fixed sequence (splitmix64). */
uint64_t test_random(uint64_t *state);

#endif
