/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect: packets of flows through the filter.
 */
#include <netinet/in.h>
#include "engine/connections.h"
#include "engine/inspect.h"
#include "engine/limiter.h"
#include "engine/nat64.h"
#include "engine/rule_log.h"
#include "wire/gso.h"

enum chain inspect_chain(const struct flow *flow, enum direction direction)
{
	if (ZONE_IS_SERVICE(flow->zone[direction]))
		return CHAIN_OUTPUT;
	if (ZONE_IS_SERVICE(flow->zone[!direction]))
		return CHAIN_INPUT;
	return CHAIN_FORWARD;
}

uint8_t inspect_state(const struct flow *flow)
{
	if (flow->flags & FLOW_REPLIED)
		return RULE_STATE_ESTABLISHED;
	return flow->flags & (FLOW_EXPECTED | FLOW_INBOUND) ? RULE_STATE_RELATED : RULE_STATE_NEW;
}

/* ---- what is asked ---- */

/* Protocols that the parser knows no ports of leave them zero. */
static bool has_ports(const struct flow *flow)
{
	switch (flow->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return true;
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_UDPLITE:
		return flow->port[ORIGINAL][DESTINATION] != 0;
	default:
		return false;
	}
}

static void flow_query(const struct engine *engine, const struct flow *flow,
	enum direction direction, uint8_t state, struct filter_query *query)
{
	const enum direction back = direction_opposite(direction);
	const struct extra *extra = extra_of(engine, flow);

	/* The originator as it calls itself, the other end as it calls itself. */
	*query = (struct filter_query){
		.in_network = topology_network_of_zone(&engine->topology, flow->zone[direction]),
		.out_network = topology_network_of_zone(&engine->topology, flow->zone[back]),
		.family = flow->family,
		.protocol = flow->protocol,
		.state = state,
		.helper = extra != NULL ? extra->announced_by : NO_HELPER,
		.forwarded = flow->flags & (FLOW_FORWARDED | FLOW_REDIRECTED),
		.has_ports = has_ports(flow),
		.source_port = ntohs(flow->port[direction][SOURCE]),
		.destination_port = ntohs(flow->port[back][SOURCE]),
		.source = &flow->address[direction][SOURCE],
		.destination = &flow->address[back][SOURCE],
		.engine = engine,
		.flow = flow,
		.direction = (uint8_t)direction,
		.source_zone = flow->zone[direction],
		.destination_zone = flow->zone[back],
	};
	if (nat64_is(flow))
		nat64_query(flow, direction, query);
}

/* Bytes of IP that the packet, or each segment of a super-packet, has. */
static uint16_t wire_length(const struct packet *packet)
{
	if (packet->offload.gso_type == OFFLOAD_GSO_NONE)
		return packet->length > UINT16_MAX ? UINT16_MAX : (uint16_t)packet->length;
	return (uint16_t)(packet->headers.payload + packet->offload.gso_size);
}

void inspect_query(const struct engine *engine, const struct flow *flow, enum direction direction,
	uint8_t state, const struct packet *packet, struct filter_query *query)
{
	const struct headers *headers = &packet->headers;

	flow_query(engine, flow, direction, state, query);
	query->protocol = headers->protocol; /* of an ICMP error, not that of its flow */
	query->has_ports = query->has_ports && headers->protocol == flow->protocol;
	query->has_packet = true;
	query->is_icmp = headers->protocol == IPPROTO_ICMP || headers->protocol == IPPROTO_ICMPV6;
	query->icmp_type = headers->icmp_type;
	query->icmp_code = headers->icmp_code;
	query->is_tcp = headers->kind == L4_TCP;
	query->tcp_flags = headers->tcp_flags;
	query->ttl = headers->ttl;
	query->dscp = packet_dscp(packet);
	query->length = wire_length(packet);
	if (nat64_is(flow))
		nat64_query_packet(packet, query);
}

/* ---- the verdict ---- */

bool inspect_verdict(const struct packet *packet, const struct filter_query *query,
	const struct filter_outcome *outcome, struct refusal *refusal)
{
	const struct chain_rules *chain = outcome->chain;
	const enum rule_reject reject =
		outcome->rule < chain->count ? chain->rule[outcome->rule].reject : REJECT_DEFAULT;

	switch (filter_action(chain, outcome->rule)) {
	case RULE_ACCEPT:
		return true;
	case RULE_REJECT:
		if (reject == REJECT_DEFAULT)
			return refusal_reject(refusal, packet, DROP_REJECT);
		return refusal_answer(refusal, packet, DROP_REJECT, reject, query->flow->path);
	default:
		return refusal_silent(refusal, DROP_FILTER);
	}
}

/* ---- what a packet leaves behind ---- */

#define TAKEN_MAX 16

/* A walk that has effects. */
struct passage {
	struct engine *engine;
	const struct packet *packet;
	const struct filter_query *query;
	uint32_t segments;
	uint32_t tables; /* of connections */
	/* Limits whose tokens it takes when it is through, so that a rule that is met twice says
	 * the same. */
	unsigned taken_count;
	struct limiter *taken[TAKEN_MAX];
};

static void count(struct counter *counter, const struct packet *packet, uint32_t segments)
{
	counter->packets += segments;
	counter->bytes += packet->length;
}

static void limit_take(struct passage *passage, struct limiter *limiter)
{
	if (passage->taken_count < TAKEN_MAX)
		passage->taken[passage->taken_count++] = limiter;
	else
		limiter_take(limiter, passage->engine, passage->query, passage->segments);
}

static void step_apply(void *context, const struct filter_step *step)
{
	const struct chain_rules *chain = step->chain;
	struct passage *passage = context;
	const bool matched = step->missed == RULE_WORDS;

	if (matched)
		count(&chain->counter[step->rule], passage->packet, passage->segments);
	if (step->rule == chain->count)
		return;
	const struct rule *rule = &chain->rule[step->rule];
	struct rule_state *state = &chain->state[step->rule];
	if (matched && state->log != NULL)
		rule_log(passage->engine, chain, step->rule, passage->packet, passage->query);
	/* Packets within the rate have a token each, whichever of both the rule is for. */
	if (state->limiter != NULL && (matched || step->missed == WORD_LIMIT) &&
		matched != rule->limit.over)
		limit_take(passage, state->limiter);
	if ((rule->words & RULE_WORD(WORD_CONNECTIONS)) && step->missed >= WORD_CONNECTIONS)
		passage->tables |= 1u << state->connections;
}

static void passage_end(struct passage *passage)
{
	for (unsigned i = 0; i < passage->taken_count; i++)
		limiter_take(passage->taken[i], passage->engine, passage->query, passage->segments);
}

uint32_t inspect_apply(struct engine *engine, const struct packet *packet, enum chain chain,
	const struct filter_query *query, const struct filter_outcome *outcome, uint32_t segments)
{
	struct passage passage = {
		.engine = engine, .packet = packet, .query = query, .segments = segments};
	struct filter_outcome same;

	if (outcome->lasting) {
		count(&outcome->chain->counter[outcome->rule], packet, segments);
		return 0;
	}
	filter_walk(engine, chain, query, step_apply, &passage, &same);
	passage_end(&passage);
	return passage.tables;
}

/* Decide and apply at once. */
static uint32_t inspect(struct engine *engine, const struct packet *packet, enum chain chain,
	const struct filter_query *query, struct filter_outcome *outcome, uint32_t segments)
{
	struct passage passage = {
		.engine = engine, .packet = packet, .query = query, .segments = segments};

	filter_walk(engine, chain, query, step_apply, &passage, outcome);
	passage_end(&passage);
	return passage.tables;
}

/* ---- packets ---- */

static void cache_set(
	const struct engine *engine, struct flow *flow, enum direction direction, uint16_t rule)
{
	if (flow->generation != engine->generation)
		flow->flags &= (uint16_t) ~(FLOW_VERDICT(ORIGINAL) | FLOW_VERDICT(REPLY));
	flow->generation = engine->generation;
	flow->rule[direction] = rule;
	flow->flags |= (uint16_t)FLOW_VERDICT(direction);
}

enum chain inspect_first(const struct engine *engine, struct flow *draft,
	const struct filter_query *query, struct filter_outcome *outcome)
{
	const enum chain chain = inspect_chain(draft, ORIGINAL);

	filter_walk(engine, chain, query, NULL, NULL, outcome);
	if (outcome->lasting)
		cache_set(engine, draft, ORIGINAL, outcome->rule);
	return chain;
}

static bool refuse(struct engine *engine, struct packet *packet, const struct filter_query *query,
	const struct filter_outcome *outcome)
{
	struct refusal refusal;

	if (inspect_verdict(packet, query, outcome, &refusal))
		return true;
	packet_refuse(engine, packet, &refusal);
	return false;
}

/* By the rules, because nothing that was said before holds. */
static __attribute__((noinline)) bool inspect_anew(struct engine *engine, struct packet *packet,
	struct flow *flow, enum direction direction, uint32_t segments)
{
	const enum chain chain = inspect_chain(flow, direction);
	struct filter_query query;
	struct filter_outcome outcome;

	inspect_query(engine, flow, direction, inspect_state(flow), packet, &query);
	const uint32_t tables = inspect(engine, packet, chain, &query, &outcome, segments);
	if (outcome.lasting)
		cache_set(engine, flow, direction, outcome.rule);
	if (!refuse(engine, packet, &query, &outcome))
		return false;
	if (tables != 0)
		connections_add(engine, flow, tables);
	return true;
}

bool inspect_packet(struct engine *engine, struct packet *packet, struct flow *flow,
	enum direction direction, uint32_t segments)
{
	if (flow->generation != engine->generation || !(flow->flags & FLOW_VERDICT(direction)))
		return inspect_anew(engine, packet, flow, direction, segments);
	const struct filter_outcome outcome = {
		.chain = &engine->ruleset->chain[inspect_chain(flow, direction)],
		.rule = flow->rule[direction],
	};
	count(&outcome.chain->counter[outcome.rule], packet, segments);
	if (filter_action(outcome.chain, outcome.rule) == RULE_ACCEPT)
		return true;
	const struct filter_query query = {.flow = flow};
	return refuse(engine, packet, &query, &outcome);
}

bool inspect_related(struct engine *engine, struct packet *packet, const struct flow *flow,
	enum direction direction)
{
	struct filter_query query;
	struct filter_outcome outcome;

	inspect_query(engine, flow, direction, RULE_STATE_RELATED, packet, &query);
	inspect(engine, packet, inspect_chain(flow, direction), &query, &outcome, 1);
	return refuse(engine, packet, &query, &outcome);
}

/* ---- connections of flows that live ---- */

static void step_collect(void *context, const struct filter_step *step)
{
	uint32_t *tables = context;

	if (step->rule == step->chain->count)
		return;
	const struct rule *rule = &step->chain->rule[step->rule];
	if ((rule->words & RULE_WORD(WORD_CONNECTIONS)) && step->missed > WORD_HELPER)
		*tables |= 1u << step->chain->state[step->rule].connections;
}

uint32_t inspect_connections(const struct engine *engine, const struct flow *flow)
{
	const uint8_t state = flow->flags & FLOW_EXPECTED ? RULE_STATE_RELATED : RULE_STATE_NEW;
	struct filter_query query;
	struct filter_outcome outcome;
	uint32_t tables = 0;

	flow_query(engine, flow, ORIGINAL, state, &query);
	query.flow = NULL; /* nobody is over */
	filter_walk(engine, inspect_chain(flow, ORIGINAL), &query, step_collect, &tables, &outcome);
	return tables;
}
