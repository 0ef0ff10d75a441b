/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect: put a packet of a flow to the filter, and remember what it said.
 *
 * A flow caches the rule that decided, per direction, while the generation of the ruleset holds.
 * The first reply moves the flow from new to established, so it forgets what was said before.
 */
#ifndef TUNGATE_ENGINE_INSPECT_H
#define TUNGATE_ENGINE_INSPECT_H

#include "engine/refusal.h"
#include "engine/state.h"

/* Describe a packet of `flow` in `direction` to the filter, with guests' own addresses. */
void inspect_query(const struct engine *engine, const struct flow *flow, enum direction direction,
	uint8_t state, const struct packet *packet, struct filter_query *query);
/* The first packet: which rule of which chain decides, in the draft's cache and as returned.
 * Nothing is counted. */
enum chain inspect_first(
	const struct engine *engine, struct flow *draft, const struct filter_query *query);
/* What that rule says: false, and a refusal, where it does not let the packet pass. */
bool inspect_verdict(const struct engine *engine, const struct packet *packet, enum chain chain,
	uint16_t rule, struct refusal *refusal);
/* Count the packet on the rule. */
void inspect_count(struct engine *engine, const struct packet *packet, enum chain chain,
	uint16_t rule, uint32_t segments);
/* A packet of a live flow. */
bool inspect_packet(struct engine *engine, struct packet *packet, struct flow *flow,
	enum direction direction, uint32_t segments);
/* A packet related to a flow (ICMP error about it). */
bool inspect_related(struct engine *engine, struct packet *packet, const struct flow *flow,
	enum direction direction);

#endif
