/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admit: the way of a first packet, step by step:
 *
 *	source        is the address its own? (spoof protection)
 *	tracking      may such a packet begin a connection?
 *	destination   published port -> guest (nat_bind_destination)
 *	route         which link, the gateway itself, or which path of the uplink?
 *	filter        chain forward, input or output
 *	egress        may it leave at all: hop limit, size
 *	source NAT    masquerade (nat_bind_source)
 *	confirm       only now is there a flow
 *
 * Every step either fills a part of the draft or drops the packet; nothing is changed outside the
 * draft before the last two.
 */
#include <netinet/in.h>
#include "engine/admit.h"
#include "engine/egress.h"
#include "engine/inspect.h"
#include "engine/nat.h"
#include "engine/path.h"

static bool from_uplink(const struct packet *packet)
{
	return packet->in_zone == ZONE_UPLINK;
}

/* Tell a guest why, with an ICMP error from the gateway's address on its network. */
static void tell_guest(
	struct engine *engine, const struct packet *packet, uint8_t code4, uint8_t code6)
{
	const uint8_t family = packet->headers.family;
	const uint16_t network = topology_network_of_zone(&engine->topology, packet->in_zone);

	if (!ZONE_IS_LINK(packet->in_zone) || network == NETWORK_NONE)
		return;
	outbox_icmp_error(engine->outbox, engine->now_ms, packet,
		topology_gateway(&engine->topology, network, family), 0,
		family == AF_INET ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
		family == AF_INET ? code4 : code6, 0);
}

void admit_refuse(struct engine *engine, struct packet *packet, enum drop drop)
{
	packet_drop(engine, packet, drop);
	if (from_uplink(packet))
		return;
	if (packet->headers.kind == L4_TCP)
		outbox_tcp_reset(engine->outbox, packet);
	else
		tell_guest(engine, packet, ICMP4_ADMIN_PROHIBITED, ICMP6_ADMIN_PROHIBITED);
}

bool admit_source(struct engine *engine, struct packet *packet)
{
	const struct topology *topology = &engine->topology;
	const struct headers *headers = &packet->headers;
	const union addr *source = &headers->source;

	if (addr_is_martian_source(headers->family, source)) {
		packet_drop(engine, packet, DROP_MARTIAN);
		return false;
	}
	bool own;
	if (from_uplink(packet))
		own = topology_network_of(topology, NETWORK_NONE, headers->family, source) ==
			      NETWORK_NONE &&
		      topology_external(topology, headers->family, source) < 0;
	else if (ZONE_IS_SERVICE(packet->in_zone))
		own = true;
	else
		own = topology_source_is_own(topology, packet->in_zone, headers->family, source);
	if (!own)
		packet_drop(engine, packet, DROP_SPOOFED);
	return own;
}

static bool admit_destination_address(struct engine *engine, struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	const union addr *destination = &headers->destination;

	if (!addr_is_multicast(headers->family, destination) &&
		!addr_is_loopback(headers->family, destination) && !addr_is_zero(destination) &&
		!topology_is_broadcast(&engine->topology, headers->family, destination))
		return true;
	packet_drop(engine, packet, DROP_MARTIAN);
	return false;
}

/* The identifier's place does not tell: 0 is one like any other. */
static bool is_icmp_request(const struct headers *headers)
{
	if (headers->family == AF_INET6)
		return headers->icmp_type == ICMP6_ECHO;
	return headers->icmp_type == ICMP4_ECHO || headers->icmp_type == ICMP4_TIMESTAMP;
}

/* May this packet begin a connection?  A guest in the middle of one that we do not know is told at
 * once, so that it recovers quickly after a restart of the gateway. */
static bool admit_tracking(struct engine *engine, struct packet *packet, struct flow *draft)
{
	switch (packet->headers.kind) {
	case L4_TCP:
		if (track_tcp_new(&draft->tcp, packet))
			return true;
		packet_drop(engine, packet, DROP_NO_FLOW);
		if (!from_uplink(packet))
			outbox_tcp_reset(engine->outbox, packet);
		return false;
	case L4_ICMP_QUERY:
		if (is_icmp_request(&packet->headers))
			return true;
		packet_drop(engine, packet, DROP_NO_FLOW);
		return false;
	default:
		return true;
	}
}

static void draft_begin(const struct packet *packet, struct flow *draft)
{
	const struct headers *headers = &packet->headers;

	*draft = (struct flow){
		.address = {{headers->source, headers->destination},
			{headers->destination, headers->source}},
		.port = {{headers->source_port, headers->destination_port},
			{headers->destination_port, headers->source_port}},
		.zone = {packet->in_zone, ZONE_NONE},
		.family = headers->family,
		.protocol = headers->protocol,
	};
}

/* To one of our addresses or a network's gateway address: a published port, or nothing at all. */
static bool admit_destination(struct engine *engine, struct packet *packet, struct flow *draft)
{
	const struct topology *topology = &engine->topology;
	const bool to_external = topology_external(topology, draft->family,
					 &draft->address[ORIGINAL][DESTINATION]) >= 0;

	if (to_external && nat_bind_destination(engine, draft))
		return true;
	if (from_uplink(packet)) {
		packet_drop(engine, packet, to_external ? DROP_NOT_FOR_US : DROP_BOUNCE);
		return false;
	}
	if (!to_external)
		return true;
	packet_drop(engine, packet, DROP_HOST);
	tell_guest(engine, packet, ICMP4_ADMIN_PROHIBITED, ICMP6_ADMIN_PROHIBITED);
	return false;
}

static bool route_lan(
	struct engine *engine, struct packet *packet, struct flow *draft, uint16_t network)
{
	const zone_id zone = topology_locate(
		&engine->topology, network, draft->family, &draft->address[REPLY][SOURCE]);

	/* Neighbours on one link need no gateway, unless they meet through a published port. */
	if (zone == ZONE_NONE ||
		(zone == draft->zone[ORIGINAL] && !(draft->flags & FLOW_FORWARDED))) {
		packet_drop(engine, packet, DROP_NO_LINK);
		tell_guest(engine, packet, ICMP4_HOST_UNREACHABLE, ICMP6_ADDR_UNREACHABLE);
		return false;
	}
	draft->zone[REPLY] = zone;
	return true;
}

static bool route_uplink(
	struct engine *engine, struct packet *packet, struct flow *draft, union addr *external)
{
	switch (path_find(engine, draft, &draft->address[REPLY][SOURCE], external)) {
	case ROUTE_UPLINK:
		draft->zone[REPLY] = ZONE_UPLINK;
		return true;
	case ROUTE_LOCAL:
		packet_drop(engine, packet, DROP_HOST);
		tell_guest(engine, packet, ICMP4_ADMIN_PROHIBITED, ICMP6_ADMIN_PROHIBITED);
		return false;
	case ROUTE_PROHIBITED:
		packet_drop(engine, packet, DROP_NO_ROUTE);
		tell_guest(engine, packet, ICMP4_ADMIN_PROHIBITED, ICMP6_ADMIN_PROHIBITED);
		return false;
	default:
		packet_drop(engine, packet, DROP_NO_ROUTE);
		tell_guest(engine, packet, ICMP4_NET_UNREACHABLE, ICMP6_NO_ROUTE);
		return false;
	}
}

/* Where the (translated) destination is; towards the uplink also as whom we appear there. */
static bool admit_route(
	struct engine *engine, struct packet *packet, struct flow *draft, union addr *external)
{
	const struct topology *topology = &engine->topology;
	const uint16_t in = topology_network_of_zone(topology, packet->in_zone);
	const uint16_t network =
		topology_network_of(topology, in, draft->family, &draft->address[REPLY][SOURCE]);

	if (!from_uplink(packet))
		return network == NETWORK_NONE ? route_uplink(engine, packet, draft, external)
					       : route_lan(engine, packet, draft, network);
	/* The answers need a way back. */
	if (network == NETWORK_NONE || path_find(engine, draft, &draft->address[ORIGINAL][SOURCE],
					       external) != ROUTE_UPLINK) {
		packet_drop(engine, packet, DROP_NO_ROUTE);
		return false;
	}
	return route_lan(engine, packet, draft, network);
}

static struct flow *admit_confirm(struct engine *engine, struct packet *packet, struct flow *draft,
	const struct filter_query *query, const union addr *external)
{
	if (!flow_make_room(engine)) {
		packet_drop(engine, packet, DROP_FLOWS_FULL);
		tell_guest(engine, packet, ICMP4_ADMIN_PROHIBITED, ICMP6_ADMIN_PROHIBITED);
		return NULL;
	}
	if (!nat_bind_source(engine, draft, query, external)) {
		packet_drop(engine, packet, DROP_NO_PORT);
		tell_guest(engine, packet, ICMP4_ADMIN_PROHIBITED, ICMP6_ADMIN_PROHIBITED);
		return NULL;
	}
	struct flow *flow = flow_confirm(engine, draft);
	engine_flow_event(engine, FLOW_NEW, flow);
	return flow;
}

struct flow *admit(struct engine *engine, struct packet *packet, uint32_t segments)
{
	struct flow draft;
	struct filter_query query;
	union addr external = {0};

	if (!admit_source(engine, packet) || !admit_destination_address(engine, packet))
		return NULL;
	draft_begin(packet, &draft);
	if (!admit_tracking(engine, packet, &draft) || !admit_destination(engine, packet, &draft) ||
		!admit_route(engine, packet, &draft, &external))
		return NULL;
	inspect_query(engine, &draft, ORIGINAL, RULE_STATE_NEW, packet, &query);
	if (!inspect_first(engine, packet, &draft, &query, segments) ||
		!egress_may_leave(engine, packet, &draft, ORIGINAL))
		return NULL;
	return admit_confirm(engine, packet, &draft, &query, &external);
}
