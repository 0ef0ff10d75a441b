/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace: decisions without consequences.  All parts that decide do so without side effects; here
 * they are asked, and nothing is applied.
 */
#include "tungate/trace.h"
#include "engine/admit.h"
#include "engine/domains.h"
#include "engine/egress.h"
#include "engine/inspect.h"

struct walk {
	trace_visit *visit;
	void *context;
	const struct trace *trace;
};

static void step_show(void *context, const struct filter_step *step)
{
	const struct chain_rules *chain = step->chain;
	const struct walk *walk = context;
	const struct trace_rule rule = {
		.chain = chain->name,
		.rule = step->rule < chain->count ? &chain->rule[step->rule] : NULL,
		.index = step->rule,
		.action = filter_action(chain, step->rule),
		.missed = step->missed,
	};

	walk->visit(walk->context, &rule, walk->trace);
}

/* Show the rules, and what they come to. */
static void trace_filter(const struct engine *engine, enum chain chain,
	const struct filter_query *query, struct trace *trace, struct walk *walk,
	struct filter_outcome *outcome)
{
	trace->asked = true;
	trace->query = (struct trace_query){
		.in = query->source_zone,
		.out = query->destination_zone,
		.in_network = query->in_network,
		.out_network = query->out_network,
		.family = query->family,
		.protocol = query->protocol,
		.state = query->state,
		.has_ports = query->has_ports,
		.source_port = query->source_port,
		.destination_port = query->destination_port,
		.source = *query->source,
		.destination = *query->destination,
		.icmp_type = query->icmp_type,
		.icmp_code = query->icmp_code,
		.tcp_flags = query->tcp_flags,
		.ttl = query->ttl,
		.dscp = query->dscp,
		.length = query->length,
	};
	trace->query.domain = domains_name(query, &trace->query.domain_holds);
	filter_walk(engine, chain, query, step_show, walk, outcome);
}

static void trace_refusal(struct trace *trace, const struct refusal *refusal)
{
	static const uint8_t answers[] = {
		[ANSWER_NONE] = TRACE_SILENT,
		[ANSWER_RESET] = TRACE_RESET,
		[ANSWER_ERROR] = TRACE_ICMP,
	};

	trace->passes = false;
	trace->drop = refusal->drop;
	trace->answer = answers[refusal->answer];
	trace->icmp_type = refusal->type;
	trace->icmp_code = refusal->code;
}

/* ---- a first packet ---- */

static void trace_first(
	struct engine *engine, const struct packet *packet, struct trace *trace, struct walk *walk)
{
	struct admission admission;
	struct filter_outcome outcome;

	trace->passes = admit_decide(engine, packet, &admission);
	if (!trace->passes)
		trace_refusal(trace, &admission.refusal);
	if (admission.chain == ADMIT_UNASKED)
		return;
	trace->forwarded = admission.draft.flags & FLOW_FORWARDED;
	if (admission.destination.rule != NAT_RULE_NONE)
		trace->destination_rule = &engine->ruleset->nat.rule[admission.destination.rule];
	trace_filter(engine, (enum chain)admission.chain, &admission.query, trace, walk, &outcome);
	if (!trace->passes)
		return;
	const struct chain_rules *nat = &engine->ruleset->nat;
	trace->source_decided = true;
	trace->translated = admission.source.kind != SOURCE_STAYS;
	trace->source = admission.source.address;
	if (admission.source.rule < nat->count)
		trace->nat_rule = &nat->rule[admission.source.rule];
}

/* ---- a packet of a flow ---- */

static void trace_flow(const struct engine *engine, const struct packet *packet,
	const struct flow *flow, enum direction direction, struct trace *trace, struct walk *walk)
{
	struct filter_query query;
	struct filter_outcome outcome;
	struct refusal refusal;
	const uint8_t state = direction == REPLY ? RULE_STATE_ESTABLISHED : inspect_state(flow);

	inspect_query(engine, flow, direction, state, packet, &query);
	trace_filter(engine, inspect_chain(flow, direction), &query, trace, walk, &outcome);
	trace->passes = inspect_verdict(packet, &query, &outcome, &refusal) &&
			egress_may_leave(engine, packet, flow, direction, &refusal);
	if (!trace->passes)
		trace_refusal(trace, &refusal);
}

/* What the segment would be to its connection; false where it begins another. */
static bool trace_track(const struct flow *flow, const struct packet *packet,
	enum direction direction, struct trace *trace)
{
	struct tcp_track copy = flow->tcp;

	trace->passes = true;
	if (packet->headers.kind != L4_TCP)
		return true;
	switch (track_tcp_update(&copy, direction, packet)) {
	case TCP_REOPEN:
		return false;
	case TCP_ACCEPT:
	case TCP_ACCEPT_QUIET:
		return true;
	default:
		trace->passes = false;
		trace->drop = DROP_INVALID;
		return true;
	}
}

void engine_trace(struct engine *engine, struct packet *packet, uint64_t now_ms, trace_visit *visit,
	void *context, struct trace *trace)
{
	struct walk walk = {visit, context, trace};
	enum direction direction;
	struct flow_key key;

	*trace = (struct trace){0};
	engine->now_ms = now_ms;
	if (!packet_parse(packet)) {
		trace->drop = packet->drop;
		return;
	}
	if (packet->headers.kind == L4_ICMP_ERROR || packet->headers.kind == L4_ICMP_OTHER) {
		trace->drop = DROP_ICMP_TYPE;
		return;
	}
	flow_key_of_packet(packet, &key);
	const struct flow *flow = flow_find(engine, &key, flow_hash(engine, &key), &direction);
	if (flow == NULL || !trace_track(flow, packet, direction, trace)) {
		trace_first(engine, packet, trace, &walk);
		return;
	}
	trace->known = true;
	trace->flow = flow_id(engine, flow);
	trace->reply = direction == REPLY;
	trace->state = flow_state_name(flow);
	if (trace->passes)
		trace_flow(engine, packet, flow, direction, trace, &walk);
}
