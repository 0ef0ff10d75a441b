/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndp: neighbour solicitations and advertisements (RFC 4861) on Ethernet, as whole IPv6 packets.
 */
#ifndef TUNGATE_WIRE_NDP_H
#define TUNGATE_WIRE_NDP_H

#include <stddef.h>
#include "wire/headers.h"

/* Flags of an advertisement. */
#define NDP_ROUTER    0x80 /* whoever sends it is a router */
#define NDP_SOLICITED 0x40 /* it answers a solicitation */
#define NDP_OVERRIDE  0x20 /* it replaces what was known */

struct ndp {
	uint8_t type; /* ICMP6_NEIGHBOUR_SOLICITATION or ICMP6_NEIGHBOUR_ADVERTISEMENT */
	uint8_t flags;
	union addr source; /* of the packet; unspecified: duplicate address detection */
	union addr destination;
	union addr target;
	bool has_mac; /* the sender's of a solicitation, the target's of an advertisement */
	uint8_t mac[6];
};

/* What ndp_build() makes: header, message and one option. */
#define NDP_BYTES                                                                                  \
	(sizeof(struct ipv6_header) + sizeof(struct ndp_header) + sizeof(struct ndp_mac_option))

/* False where the IPv6 packet is neither of the two, or invalid (RFC 4861, 7.1.1 and 7.1.2): then
 * it must be ignored. */
bool ndp_parse(const uint8_t *packet, size_t length, struct ndp *ndp);
/* Returns the packet's length, at most NDP_BYTES. */
size_t ndp_build(const struct ndp *ndp, uint8_t packet[NDP_BYTES]);

/* The advertisement that says `mac` has what is asked for; `flags`: NDP_ROUTER or 0. */
struct ndp ndp_answer(const struct ndp *solicitation, const uint8_t mac[6], uint8_t flags);
/* "I have this address", unasked, to all nodes (RFC 4861, 7.2.6). */
struct ndp ndp_announcement(const union addr *address, const uint8_t mac[6], uint8_t flags);

/* Where solicitations for an address are sent to (RFC 4291, 2.7.1). */
union addr ndp_solicited_node(const union addr *address);
/* The Ethernet address of an IPv6 multicast group (RFC 2464, 7). */
void ndp_group_mac(const union addr *group, uint8_t mac[6]);

#endif
