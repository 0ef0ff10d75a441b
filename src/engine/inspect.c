/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect: packets of flows through the filter.
 */
#include <netinet/in.h>
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

void inspect_count(struct engine *engine, const struct packet *packet, enum chain chain,
	uint16_t rule, uint32_t segments)
{
	struct counter *counter = &engine->ruleset->chain[chain].counter[rule];

	counter->packets += segments;
	counter->bytes += packet->length;
}

bool inspect_verdict(const struct engine *engine, const struct packet *packet, enum chain chain,
	uint16_t rule, struct refusal *refusal)
{
	switch (filter_action(&engine->ruleset->chain[chain], rule)) {
	case RULE_ACCEPT:
		return true;
	case RULE_REJECT:
		return refusal_reject(refusal, packet, DROP_REJECT);
	default:
		return refusal_silent(refusal, DROP_FILTER);
	}
}

/* Count on the rule, and refuse the packet if that is what it says. */
static bool rule_apply(struct engine *engine, struct packet *packet, enum chain chain,
	uint16_t rule, uint32_t segments)
{
	struct refusal refusal;

	inspect_count(engine, packet, chain, rule, segments);
	if (inspect_verdict(engine, packet, chain, rule, &refusal))
		return true;
	packet_refuse(engine, packet, &refusal);
	return false;
}

static void cache_set(
	const struct engine *engine, struct flow *flow, enum direction direction, uint16_t rule)
{
	if (flow->generation != engine->generation)
		flow->flags &= (uint16_t) ~(FLOW_VERDICT(ORIGINAL) | FLOW_VERDICT(REPLY));
	flow->generation = engine->generation;
	flow->rule[direction] = rule;
	flow->flags |= (uint16_t)FLOW_VERDICT(direction);
}

enum chain inspect_first(
	const struct engine *engine, struct flow *draft, const struct filter_query *query)
{
	const enum chain chain = chain_of(draft, ORIGINAL);

	cache_set(engine, draft, ORIGINAL, filter_run(&engine->ruleset->chain[chain], query));
	return chain;
}

bool inspect_packet(struct engine *engine, struct packet *packet, struct flow *flow,
	enum direction direction, uint32_t segments)
{
	const enum chain chain = chain_of(flow, direction);

	if (flow->generation != engine->generation || !(flow->flags & FLOW_VERDICT(direction))) {
		struct filter_query query;
		const uint8_t state =
			flow->flags & FLOW_REPLIED ? RULE_STATE_ESTABLISHED : RULE_STATE_NEW;
		inspect_query(engine, flow, direction, state, packet, &query);
		cache_set(engine, flow, direction,
			filter_run(&engine->ruleset->chain[chain], &query));
	}
	return rule_apply(engine, packet, chain, flow->rule[direction], segments);
}

bool inspect_related(struct engine *engine, struct packet *packet, const struct flow *flow,
	enum direction direction)
{
	const enum chain chain = chain_of(flow, direction);
	struct filter_query query;

	inspect_query(engine, flow, direction, RULE_STATE_RELATED, packet, &query);
	return rule_apply(
		engine, packet, chain, filter_run(&engine->ruleset->chain[chain], &query), 1);
}
