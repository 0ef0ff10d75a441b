/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect: put a packet of a flow to the filter, and remember what it said.
 *
 * A flow caches the rule that decided, per direction, while the generation of the ruleset holds,
 * where that rule is all that was met and stands for every packet: no jump, no log, no word about
 * single packets.  Else each packet goes through the chain.  The first reply moves the flow from
 * new to established, so it forgets what was said before.
 *
 * To decide is one thing, to apply another: counters, tokens of limits, lines in the log and counts
 * of connections change with what is applied only.
 */
#ifndef TUNGATE_ENGINE_INSPECT_H
#define TUNGATE_ENGINE_INSPECT_H

#include "engine/refusal.h"
#include "engine/state.h"

/* Which chain is asked about a flow's packets of this direction. */
enum chain inspect_chain(const struct flow *flow, enum direction direction);
/* Describe a packet of `flow` in `direction` to the filter, with guests' own addresses. */
void inspect_query(const struct engine *engine, const struct flow *flow, enum direction direction,
	uint8_t state, const struct packet *packet, struct filter_query *query);
/* What a flow is to `state`: new, related, established. */
uint8_t inspect_state(const struct flow *flow);
/* The first packet: which rule decides, in the draft's cache where it lasts.  Nothing is counted.
 */
enum chain inspect_first(const struct engine *engine, struct flow *draft,
	const struct filter_query *query, struct filter_outcome *outcome);
/* What that rule says: false, and a refusal, where it does not let the packet pass. */
bool inspect_verdict(const struct packet *packet, const struct filter_query *query,
	const struct filter_outcome *outcome, struct refusal *refusal);
/* Count the packet on the rules that it met, and what else they do.  Returns the tables of
 * connections_add() for its flow. */
uint32_t inspect_apply(struct engine *engine, const struct packet *packet, enum chain chain,
	const struct filter_query *query, const struct filter_outcome *outcome, uint32_t segments);
/* A packet of a live flow. */
bool inspect_packet(struct engine *engine, struct packet *packet, struct flow *flow,
	enum direction direction, uint32_t segments);
/* A packet related to a flow (ICMP error about it). */
bool inspect_related(struct engine *engine, struct packet *packet, const struct flow *flow,
	enum direction direction);

/* The tables of rules with `connections` that a flow comes to, as far as its own words tell. */
uint32_t inspect_connections(const struct engine *engine, const struct flow *flow);

#endif
