/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admit: the way of a first packet, step by step:
 *
 *	source        is the address its own? (spoof protection)
 *	tracking      may such a packet begin a connection?
 *	expected?     another connection may have announced it (expect_bind)
 *	destination   published port, rule or mapping -> guest (nat_decide_destination)
 *	route         which link, the gateway itself, or which path of the uplink?
 *	filter        chain forward, input or output
 *	egress        may it leave at all: hop limit, size
 *	source NAT    which translation (nat_decide_source)
 *	apply         count, charge the guest (account_admit), take a port (nat_bind_source), and
 *only now is there a flow
 *
 * Every step but the last either fills a part of the admission or refuses the packet, and changes
 * nothing else (the host is asked for a route, which it may remember).
 */
#include <netinet/in.h>
#include "engine/admit.h"
#include "engine/connections.h"
#include "engine/egress.h"
#include "engine/helper.h"
#include "engine/inspect.h"
#include "engine/nat64.h"
#include "engine/path.h"

static bool from_uplink(const struct packet *packet)
{
	return packet->in_zone == ZONE_UPLINK;
}

bool admit_source(const struct engine *engine, const struct packet *packet, struct refusal *refusal)
{
	const struct topology *topology = &engine->topology;
	const struct headers *headers = &packet->headers;
	const union addr *source = &headers->source;

	if (addr_is_martian(headers->family, source) ||
		nat64_stands_for_ipv4(topology, headers->family, source))
		return refusal_silent(refusal, DROP_MARTIAN);
	bool own;
	if (from_uplink(packet))
		own = topology_network_of(topology, NETWORK_NONE, headers->family, source) ==
			      NETWORK_NONE &&
		      !nat_is_ours(engine, headers->family, source);
	else if (ZONE_IS_SERVICE(packet->in_zone))
		own = true;
	else
		own = topology_source_is_own(topology, packet->in_zone, headers->family, source);
	return own || refusal_silent(refusal, DROP_SPOOFED);
}

static bool admit_destination_address(
	const struct engine *engine, const struct packet *packet, struct admission *admission)
{
	const struct headers *headers = &packet->headers;
	const union addr *destination = &headers->destination;

	if (!addr_is_martian(headers->family, destination) &&
		!topology_is_broadcast(&engine->topology,
			topology_network_of_zone(&engine->topology, packet->in_zone),
			headers->family, destination))
		return true;
	return refusal_silent(&admission->refusal, DROP_MARTIAN);
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
static bool admit_tracking(const struct packet *packet, struct admission *admission)
{
	switch (packet->headers.kind) {
	case L4_TCP:
		return track_tcp_new(&admission->draft.tcp, packet) ||
		       refusal_reject(&admission->refusal, packet, DROP_NO_FLOW);
	case L4_ICMP_QUERY:
		return is_icmp_request(&packet->headers) ||
		       refusal_silent(&admission->refusal, DROP_NO_FLOW);
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
static bool admit_destination(
	struct engine *engine, const struct packet *packet, struct admission *admission)
{
	struct flow *draft = &admission->draft;
	const bool ours =
		nat_is_ours(engine, draft->family, &draft->address[ORIGINAL][DESTINATION]);

	admission->expectation = expect_bind(engine, draft);
	if (admission->expectation != EXPECT_NONE
			? ours
			: nat_decide_destination(engine, packet, draft, &admission->destination))
		return true;
	if (nat64_is_meant(&engine->topology, draft))
		return nat64_bind_destination(engine, packet, draft, &admission->refusal);
	if (from_uplink(packet))
		return refusal_silent(&admission->refusal, ours ? DROP_NOT_FOR_US : DROP_BOUNCE);
	return !ours || refusal_prohibited(&admission->refusal, packet, DROP_HOST);
}

static bool route_lan(const struct engine *engine, const struct packet *packet,
	struct admission *admission, uint16_t network)
{
	struct flow *draft = &admission->draft;
	const union addr *to = &draft->address[REPLY][SOURCE];
	zone_id zone = draft->zone[REPLY]; /* a mapping's is known */

	if (zone == ZONE_NONE)
		zone = topology_locate(&engine->topology, network, flow_family(draft, REPLY), to);
	/* Nothing outside is led to the gateway itself, by a map of the whole subnet. */
	if (from_uplink(packet) &&
		(ZONE_IS_SERVICE(zone) || topology_is_broadcast(&engine->topology, network,
						  flow_family(draft, REPLY), to)))
		return refusal_silent(&admission->refusal, DROP_NOT_FOR_US);
	/* Each network's gateway is for its own guests. */
	if (ZONE_IS_SERVICE(zone) && ZONE_IS_LINK(packet->in_zone) &&
		network != topology_network_of_zone(&engine->topology, packet->in_zone))
		return refusal_prohibited(&admission->refusal, packet, DROP_HOST);
	/* Neighbours on one link need no gateway, unless they meet by an external address. */
	if (zone == ZONE_NONE || (zone == draft->zone[ORIGINAL] && !nat_changes_destination(draft)))
		return refusal_unreachable(&admission->refusal, packet, DROP_NO_LINK,
			ICMP4_HOST_UNREACHABLE, ICMP6_ADDR_UNREACHABLE);
	draft->zone[REPLY] = zone;
	return true;
}

static bool route_uplink(
	struct engine *engine, const struct packet *packet, struct admission *admission)
{
	struct flow *draft = &admission->draft;

	switch (path_find(engine, draft, &draft->address[REPLY][SOURCE], &admission->external)) {
	case ROUTE_UPLINK:
		draft->zone[REPLY] = ZONE_UPLINK;
		return true;
	case ROUTE_LOCAL:
		return refusal_prohibited(&admission->refusal, packet, DROP_HOST);
	case ROUTE_PROHIBITED:
		return refusal_prohibited(&admission->refusal, packet, DROP_NO_ROUTE);
	default:
		return refusal_unreachable(&admission->refusal, packet, DROP_NO_ROUTE,
			ICMP4_NET_UNREACHABLE, ICMP6_NO_ROUTE);
	}
}

/* Who decided on the destination knows its network; else the originator's own goes before others
 * with such an address. */
static uint16_t destination_network(
	const struct topology *topology, const struct admission *admission)
{
	const struct flow *draft = &admission->draft;

	if (draft->zone[REPLY] != ZONE_NONE)
		return topology_network_of_zone(topology, draft->zone[REPLY]);
	if (admission->destination.network != NETWORK_NONE)
		return admission->destination.network;
	return topology_network_of(topology,
		topology_network_of_zone(topology, draft->zone[ORIGINAL]),
		flow_family(draft, REPLY), &draft->address[REPLY][SOURCE]);
}

/* Where the (translated) destination is; towards the uplink also as whom we appear there. */
static bool admit_route(
	struct engine *engine, const struct packet *packet, struct admission *admission)
{
	const struct topology *topology = &engine->topology;
	struct flow *draft = &admission->draft;
	const uint16_t network = destination_network(topology, admission);

	if (!from_uplink(packet))
		return network == NETWORK_NONE ? route_uplink(engine, packet, admission)
					       : route_lan(engine, packet, admission, network);
	/* The answers need a way back. */
	if (network == NETWORK_NONE || path_find(engine, draft, &draft->address[ORIGINAL][SOURCE],
					       &admission->external) != ROUTE_UPLINK)
		return refusal_silent(&admission->refusal, DROP_NO_ROUTE);
	return route_lan(engine, packet, admission, network);
}

static bool admit_filter(
	const struct engine *engine, const struct packet *packet, struct admission *admission)
{
	struct flow *draft = &admission->draft;

	if (engine->ruleset == NULL)
		return refusal_silent(&admission->refusal, DROP_FILTER);
	inspect_query(engine, draft, ORIGINAL, inspect_state(draft), packet, &admission->query);
	if (admission->expectation != EXPECT_NONE)
		admission->query.helper = expect_helper(engine, admission->expectation);
	admission->chain =
		(uint8_t)inspect_first(engine, draft, &admission->query, &admission->outcome);
	return inspect_verdict(packet, &admission->query, &admission->outcome, &admission->refusal);
}

/* AH signs the addresses.  DCCP sums them, and nobody has spoken it since Linux gave it up. */
static bool survives_translation(uint8_t protocol)
{
	return protocol != IPPROTO_AH && protocol != IPPROTO_DCCP;
}

bool admit_decide(struct engine *engine, const struct packet *packet, struct admission *admission)
{
	admission->expectation = EXPECT_NONE;
	admission->destination =
		(struct nat_destination){.rule = NAT_RULE_NONE, .network = NETWORK_NONE};
	admission->chain = ADMIT_UNASKED;
	admission->external = (union addr){0};
	if (!admit_source(engine, packet, &admission->refusal) ||
		!admit_destination_address(engine, packet, admission))
		return false;
	draft_begin(packet, &admission->draft);
	if (!admit_tracking(packet, admission) || !admit_destination(engine, packet, admission) ||
		!admit_route(engine, packet, admission) ||
		!admit_filter(engine, packet, admission) ||
		!egress_may_leave(engine, packet, &admission->draft, ORIGINAL, &admission->refusal))
		return false;
	nat_decide_source(engine, &admission->draft, &admission->query, &admission->external,
		&admission->source);
	const union addr *known = expect_source(engine, admission->expectation);
	if (known != NULL && admission->draft.zone[REPLY] == ZONE_UPLINK)
		nat_force_source(engine, &admission->draft, known, &admission->source);
	if (admission->source.kind != SOURCE_STAYS &&
		!survives_translation(packet->headers.protocol))
		return refusal_unreachable(&admission->refusal, packet, DROP_PROTOCOL,
			ICMP4_PROTO_UNREACHABLE, ICMP6_ADMIN_PROHIBITED);
	return true;
}

/* What can still be short when all is decided: what its guest may have, a record, and a port. */
static bool admit_room(struct engine *engine, const struct packet *packet,
	struct admission *admission, uint32_t segments)
{
	if (engine->polices &&
		!account_police(engine, &admission->draft, ORIGINAL, segments, packet->length))
		return refusal_silent(&admission->refusal, DROP_RATE);
	if (!account_admit(engine, &admission->draft))
		return refusal_prohibited(&admission->refusal, packet, DROP_GUEST_LIMIT);
	if (!flow_make_room(engine) && !account_give_way(engine, &admission->draft))
		return refusal_prohibited(&admission->refusal, packet, DROP_FLOWS_FULL);
	nat_bind_destination(engine, &admission->destination);
	if (nat_bind_source(engine, &admission->draft, &admission->source))
		return true;
	return refusal_prohibited(&admission->refusal, packet,
		account_lacks_port(engine, &admission->draft) ? DROP_GUEST_LIMIT : DROP_NO_PORT);
}

struct flow *admit(struct engine *engine, struct packet *packet, uint32_t segments)
{
	struct admission admission;
	const bool admitted = admit_decide(engine, packet, &admission);
	uint32_t tables = 0;

	if (admission.chain != ADMIT_UNASKED)
		tables = inspect_apply(engine, packet, (enum chain)admission.chain,
			&admission.query, &admission.outcome, segments);
	if (!admitted || !admit_room(engine, packet, &admission, segments)) {
		packet_refuse(engine, packet, &admission.refusal);
		return NULL;
	}
	struct flow *flow = flow_confirm(engine, &admission.draft);
	if (tables != 0)
		connections_add(engine, flow, tables);
	if (admission.expectation != EXPECT_NONE)
		expect_claim(engine, admission.expectation, flow);
	helper_attach(engine, flow, &admission.query);
	engine_flow_event(engine, FLOW_NEW, flow);
	return flow;
}
