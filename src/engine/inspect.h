/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect: put a packet of a flow to the filter, and remember what it said.
 *
 * A flow caches the rule that decided, per direction, while the generation of the ruleset holds.
 * The first reply moves the flow from new to established, so it forgets what was said before.
 */
#ifndef TUNGATE_ENGINE_INSPECT_H
#define TUNGATE_ENGINE_INSPECT_H

#include "engine/state.h"

/* Describe a packet of `flow` in `direction` to the filter, with guests' own addresses. */
void inspect_query(const struct engine *engine, const struct flow *flow, enum direction direction,
	uint8_t state, const struct packet *packet, struct filter_query *query);
/* The first packet: fills the draft's cache.  False where it was refused and dropped. */
bool inspect_first(struct engine *engine, struct packet *packet, struct flow *draft,
	const struct filter_query *query, uint32_t segments);
/* A packet of a live flow. */
bool inspect_packet(struct engine *engine, struct packet *packet, struct flow *flow,
	enum direction direction, uint32_t segments);
/* A packet related to a flow (ICMP error about it). */
bool inspect_related(struct engine *engine, struct packet *packet, const struct flow *flow,
	enum direction direction);

#endif
