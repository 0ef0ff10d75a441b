/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parsing: six good packets, surgery on them, and what packet_parse() is expected to say.
 *
 * Surgery keeps IP lengths and the IPv4 header checksum right, and nothing else.  What takes a
 * packet and returns one returns it in place of the old, which may be gone.
 */
#ifndef TUNGATE_TESTS_PARSING_H
#define TUNGATE_TESTS_PARSING_H

#include "packets.h"

#define GUEST4  "10.77.0.5:4000"
#define SERVER4 "192.0.2.1:80"
#define GUEST6  "[fd00::5]:4000"
#define SERVER6 "[2001:db8::1]:80"

/* TCP (a bare ACK), UDP, echo requests with identifier 7, each with 16 bytes of payload. */
enum good { TCP4, TCP6, UDP4, UDP6, ECHO4, ECHO6 };
struct packet *make_good(enum good good);

/* Parse, and dispose of the packet; `what` names the row. */
void expect_drop(struct packet *packet, enum drop drop, const char *what);
void expect_parsed(struct packet *packet, const char *what);

/* As addr_port_format() prints them. */
void expect_addresses(const struct packet *packet, const char *source, const char *destination);

void fix_ipv4_checksum(struct packet *packet);
/* IPv4 options; `count` is a multiple of four. */
struct packet *with_options(struct packet *packet, const uint8_t *options, uint32_t count);
/* An extension header of `count` bytes in front of all others; bytes[0] is filled in. */
struct packet *extend(struct packet *packet, uint8_t type, const uint8_t *bytes, uint32_t count);
/* Say that the packet is a fragment, with id FRAGMENT4_ID or FRAGMENT6_ID. */
struct packet *fragment(struct packet *packet, uint32_t offset, bool more);
#define FRAGMENT4_ID 0x1234
#define FRAGMENT6_ID 0x12345678

#endif
