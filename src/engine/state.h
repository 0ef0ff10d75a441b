/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state: struct engine, the one place that holds what the engine's files share.
 *
 * The arena (flows, index slots, port tables) is the caller's memory and holds no pointer; this
 * struct does, and is made anew at every start.
 */
#ifndef TUNGATE_ENGINE_STATE_H
#define TUNGATE_ENGINE_STATE_H

#include "engine/expect.h"
#include "engine/extra.h"
#include "engine/account.h"
#include "engine/filter.h"
#include "engine/flow.h"
#include "engine/fragment.h"
#include "engine/index.h"
#include "engine/outbox.h"
#include "engine/ports.h"
#include "engine/topology.h"
#include "tungate/engine.h"

struct domains;

struct engine {
	struct engine_host host;
	uint64_t now_ms;
	bool polices; /* some guest's packets or bytes have a rate */
	struct timeouts_config timeouts;
	struct port_timeouts *port_timeouts;

	/* The arena. */
	struct flow *flows;
	struct index by_key;     /* id = flow << 1 | direction */
	struct index by_mapping; /* id = a flow of the mapping's ring */
	struct ports ports;

	struct port_list external_ports; /* of masquerading */
	uint32_t flows_max;
	uint32_t free_head; /* freed records, linked through timer.next */
	uint32_t untouched; /* records from here on were never used */
	struct wheel wheel;
	struct wheel_slab slab;
	struct wheel_list finished[2]; /* TCP flows in TIME_WAIT, in CLOSE: oldest first */
	struct siphash_key hash_key;

	struct topology topology;
	struct ruleset *ruleset;
	uint16_t generation; /* of ruleset, topology and forwards together */
	uint16_t path_mtu[ENGINE_PATHS_MAX];
	struct outbox *outbox;
	const struct helper *const *helpers; /* some of them may be NULL */
	unsigned helper_count;
	struct extras extras;
	struct expectations expectations;
	struct fragments *fragments;
	struct accounts *accounts;
	struct domains *domains;
	bool watched;
	struct engine_status status;
};

/* Count, name and forget: how every refused packet ends. */
static inline enum verdict packet_drop(struct engine *engine, struct packet *packet, enum drop drop)
{
	packet->drop = (uint8_t)drop;
	engine->status.drops[drop]++;
	account_drop(engine, packet, drop);
	return VERDICT_DROP;
}

/* Tell the host of a flow, if it wants to know. */
void engine_flow_event(struct engine *engine, enum flow_event event, const struct flow *flow);

#endif
