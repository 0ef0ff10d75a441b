/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat64: flows with two families: how they begin, what their packets become, what rules see.
 */
#include <netinet/in.h>
#include "base/embed.h"
#include "engine/nat64.h"
#include "wire/translate.h"

/* The direction in which packets are IPv6: that in which the guest sends. */
static enum direction ipv6_direction(const struct flow *flow)
{
	return flow_family(flow, ORIGINAL) == AF_INET6 ? ORIGINAL : REPLY;
}

/* ---- beginning ---- */

bool nat64_stands_for_ipv4(
	const struct topology *topology, uint8_t family, const union addr *address)
{
	if (!topology->has_nat64 || family != AF_INET6)
		return false;
	for (unsigned i = 0; i < topology->network_count; i++) {
		const struct prefix *prefix = &topology->networks[i].nat64;
		if (prefix->family != 0 && prefix_contains(prefix, family, address))
			return true;
	}
	return false;
}

bool nat64_is_meant(const struct topology *topology, const struct flow *draft)
{
	const struct prefix *prefix;

	if (!topology->has_nat64 || !ZONE_IS_LINK(draft->zone[ORIGINAL]))
		return false;
	prefix =
		topology_nat64(topology, topology_network_of_zone(topology, draft->zone[ORIGINAL]));
	return prefix != NULL &&
	       prefix_contains(prefix, draft->family, &draft->address[ORIGINAL][DESTINATION]);
}

bool nat64_bind_destination(const struct engine *engine, const struct packet *packet,
	struct flow *draft, struct refusal *refusal)
{
	const struct topology *topology = &engine->topology;
	const uint16_t network = topology_network_of_zone(topology, draft->zone[ORIGINAL]);
	const struct prefix *prefix = topology_nat64(topology, network);
	union addr v4;
	enum drop drop;

	if (!packet_may_translate(packet, &drop))
		return refusal_silent(refusal, drop);
	if (!embed_extract(prefix, &draft->address[ORIGINAL][DESTINATION], &v4))
		return refusal_unreachable(refusal, packet, DROP_NO_ROUTE, 0, ICMP6_NO_ROUTE);
	if (addr_is_martian(AF_INET, &v4) || topology_is_broadcast(topology, network, AF_INET, &v4))
		return refusal_silent(refusal, DROP_MARTIAN);
	if (topology_external(topology, AF_INET, &v4) >= 0)
		return refusal_prohibited(refusal, packet, DROP_HOST);
	if (topology_network_of(topology, NETWORK_NONE, AF_INET, &v4) != NETWORK_NONE)
		return refusal_prohibited(refusal, packet, DROP_NO_LINK);
	draft->address[REPLY][SOURCE] = v4;
	draft->flags |= FLOW_FAMILIES;
	return true;
}

/* ---- packets ---- */

void nat64_translate(struct packet *packet, const struct flow *flow, enum direction direction)
{
	struct rewrite rewrite;

	flow_rewrite(flow, direction, &rewrite);
	packet_translate(packet, rewrite.source, rewrite.destination);
	rewrite.address_delta = 0;
	packet_rewrite(packet, &rewrite);
}

/* What the way carries that the packet in an error took, in bytes of the error's new family. */
static uint32_t way_mtu(
	const struct engine *engine, const struct flow *flow, enum direction direction)
{
	const enum direction v6 = ipv6_direction(flow);
	const uint32_t link = engine->topology.links[flow->zone[v6]].link.mtu;
	uint32_t way = engine->path_mtu[flow->path];

	if (way != 0)
		way += TRANSLATE_WHOLE;
	if (way == 0 || (link != 0 && link < way))
		way = link;
	return direction != v6 || way == 0 ? way : way - TRANSLATE_WHOLE;
}

/* Whose the error appears to be.  Towards the guest every router has an address; towards IPv4 all
 * that is behind us has ours. */
static union addr error_source(const struct engine *engine, const struct packet *packet,
	const struct flow *flow, enum direction direction)
{
	const enum direction v6 = ipv6_direction(flow), quoted = direction_opposite(direction);
	const struct prefix *prefix = topology_nat64(
		&engine->topology, topology_network_of_zone(&engine->topology, flow->zone[v6]));

	if (packet->headers.family == AF_INET && prefix != NULL)
		return embed_address(prefix, &packet->headers.source);
	return flow->address[quoted][DESTINATION];
}

bool nat64_translate_error(const struct engine *engine, struct packet *packet,
	struct headers *inner, const struct flow *flow, enum direction direction)
{
	const enum direction quoted = direction_opposite(direction);
	const union addr source = error_source(engine, packet, flow, direction);
	struct rewrite ports = {
		.source = &inner->source,
		.destination = &inner->destination,
		.source_port = flow->port[quoted][SOURCE],
		.destination_port = flow->port[quoted][DESTINATION],
	};
	const struct translate_error error = {
		.source = &source,
		.destination = &flow->address[quoted][SOURCE],
		.quoted_source = &flow->address[quoted][SOURCE],
		.quoted_destination = &flow->address[quoted][DESTINATION],
		.mtu = way_mtu(engine, flow, direction),
	};

	rewrite_prepare(&ports, inner->family, &inner->source, &inner->destination,
		inner->source_port, inner->destination_port);
	packet_rewrite_quoted(packet, inner, &ports);
	return packet_translate_error(packet, inner, &error);
}

/* ---- rules ---- */

void nat64_query(const struct flow *flow, enum direction direction, struct filter_query *query)
{
	const enum direction v6 = ipv6_direction(flow), v4 = direction_opposite(v6);

	query->family = AF_INET6;
	if (direction == v6) {
		query->destination = &flow->address[v6][DESTINATION];
		query->destination4 = &flow->address[v4][SOURCE];
	} else {
		query->source = &flow->address[v6][DESTINATION];
		query->source4 = &flow->address[v4][SOURCE];
	}
}

void nat64_query_packet(const struct packet *packet, struct filter_query *query)
{
	if (packet->headers.family == AF_INET6)
		return;
	query->protocol = translate_protocol(query->protocol);
	if (query->is_icmp)
		translate_icmp_type(AF_INET, &query->icmp_type, &query->icmp_code);
}
