/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect: packets of flows through the filter.
 */
#include <netinet/in.h>
#include "engine/admit.h"
#include "engine/inspect.h"

static enum chain chain_of(const struct flow *flow, enum direction direction)
{
	if (ZONE_IS_SERVICE(flow->zone[direction]))
		return CHAIN_OUTPUT;
	if (ZONE_IS_SERVICE(flow->zone[!direction]))
		return CHAIN_INPUT;
	return CHAIN_FORWARD;
}

void inspect_query(const struct engine *engine, const struct flow *flow, enum direction direction,
	uint8_t state, const struct packet *packet, struct filter_query *query)
{
	const enum direction back = direction_opposite(direction);
	const struct headers *headers = &packet->headers;

	/* The originator as it calls itself, the other end as it calls itself. */
	*query = (struct filter_query){
		.in_network = topology_network_of_zone(&engine->topology, flow->zone[direction]),
		.out_network = topology_network_of_zone(&engine->topology, flow->zone[back]),
		.family = flow->family,
		.protocol = headers->protocol,
		.state = state,
		.forwarded = flow->flags & FLOW_FORWARDED,
		.has_ports = headers->protocol == IPPROTO_TCP || headers->protocol == IPPROTO_UDP,
		.is_icmp = headers->protocol == IPPROTO_ICMP || headers->protocol == IPPROTO_ICMPV6,
		.icmp_type = headers->icmp_type,
		.icmp_code = headers->icmp_code,
		.source_port = ntohs(flow->port[direction][SOURCE]),
		.destination_port = ntohs(flow->port[back][SOURCE]),
		.source = &flow->address[direction][SOURCE],
		.destination = &flow->address[back][SOURCE],
	};
}

/* Count on the rule, and refuse the packet if that is what it says. */
static bool rule_apply(struct engine *engine, struct packet *packet, struct chain_rules *chain,
	uint16_t rule, uint32_t segments)
{
	chain->counter[rule].packets += segments;
	chain->counter[rule].bytes += packet->length;
	switch (filter_action(chain, rule)) {
	case RULE_ACCEPT:
		return true;
	case RULE_REJECT:
		admit_refuse(engine, packet, DROP_REJECT);
		return false;
	default:
		packet_drop(engine, packet, DROP_FILTER);
		return false;
	}
}

static void cache_set(
	struct engine *engine, struct flow *flow, enum direction direction, uint16_t rule)
{
	if (flow->generation != engine->generation)
		flow->flags &= (uint16_t) ~(FLOW_VERDICT(ORIGINAL) | FLOW_VERDICT(REPLY));
	flow->generation = engine->generation;
	flow->rule[direction] = rule;
	flow->flags |= (uint16_t)FLOW_VERDICT(direction);
}

bool inspect_first(struct engine *engine, struct packet *packet, struct flow *draft,
	const struct filter_query *query, uint32_t segments)
{
	if (engine->ruleset == NULL) {
		packet_drop(engine, packet, DROP_FILTER);
		return false;
	}
	struct chain_rules *chain = &engine->ruleset->chain[chain_of(draft, ORIGINAL)];
	const uint16_t rule = filter_run(chain, query);

	cache_set(engine, draft, ORIGINAL, rule);
	return rule_apply(engine, packet, chain, rule, segments);
}

bool inspect_packet(struct engine *engine, struct packet *packet, struct flow *flow,
	enum direction direction, uint32_t segments)
{
	struct chain_rules *chain = &engine->ruleset->chain[chain_of(flow, direction)];

	if (flow->generation != engine->generation || !(flow->flags & FLOW_VERDICT(direction))) {
		struct filter_query query;
		const uint8_t state =
			flow->flags & FLOW_REPLIED ? RULE_STATE_ESTABLISHED : RULE_STATE_NEW;
		inspect_query(engine, flow, direction, state, packet, &query);
		cache_set(engine, flow, direction, filter_run(chain, &query));
	}
	return rule_apply(engine, packet, chain, flow->rule[direction], segments);
}

bool inspect_related(struct engine *engine, struct packet *packet, const struct flow *flow,
	enum direction direction)
{
	struct chain_rules *chain = &engine->ruleset->chain[chain_of(flow, direction)];
	struct filter_query query;

	inspect_query(engine, flow, direction, RULE_STATE_RELATED, packet, &query);
	return rule_apply(engine, packet, chain, filter_run(chain, &query), 1);
}
