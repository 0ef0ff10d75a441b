/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat64: IPv6 guests reach IPv4 (RFC 6146), and are reached from there.
 *
 * A network may have a prefix whose addresses stand for IPv4's (RFC 6052).  What a guest sends
 * there is a flow like any other, but that its two sides are of different families:
 *
 *	ORIGINAL  fd00::5 > 64:ff9b::c000:221        REPLY  192.0.2.33 > our IPv4 address
 *
 * and so is a published port's, where a guest without IPv4 is reached over IPv4:
 *
 *	ORIGINAL  192.0.2.33 > our address           REPLY  fd00::5 > 64:ff9b::c000:221
 *
 * The IPv4 side has ports of ours out of the same tables as masquerading: RFC 6146's binding
 * information base is the engine's mappings, its session table the flows.
 *
 * The filter sees the IPv6 side, as guests know it.  The other end it sees under both of its
 * addresses: a rule about 10.0.0.0/8 holds as well for who goes there through the prefix.
 */
#ifndef TUNGATE_ENGINE_NAT64_H
#define TUNGATE_ENGINE_NAT64_H

#include "engine/refusal.h"

static inline bool nat64_is(const struct flow *flow)
{
	return flow->flags & FLOW_FAMILIES;
}

/* Is the address one of a network's prefix?  Nobody has it as his own. */
bool nat64_stands_for_ipv4(
	const struct topology *topology, uint8_t family, const union addr *address);

/* Is the destination of a first packet in the prefix of the guest's network? */
bool nat64_is_meant(const struct topology *topology, const struct flow *draft);
/*
 * Then give the draft the IPv4 address that it stands for.  False where that is none to be sent to:
 * what is not to be reached over IPv4 is not to be reached so either (loopback, multicast, the
 * host), neighbours are not reached by a detour, and what cannot be translated begins nothing.
 */
bool nat64_bind_destination(const struct engine *engine, const struct packet *packet,
	struct flow *draft, struct refusal *refusal);

/* Translate a packet of the flow, which packet_may_translate(): addresses and ports. */
void nat64_translate(struct packet *packet, const struct flow *flow, enum direction direction);

/* Translate an ICMP error that travels in `direction`, with the packet that it quotes.  False, with
 * packet->drop set, where there is no such error in the other family. */
bool nat64_translate_error(const struct engine *engine, struct packet *packet,
	struct headers *inner, const struct flow *flow, enum direction direction);

/* Correct what the filter is told of such a flow, and of a packet, to what the guest sees. */
void nat64_query(const struct flow *flow, enum direction direction, struct filter_query *query);
void nat64_query_packet(const struct packet *packet, struct filter_query *query);

#endif
