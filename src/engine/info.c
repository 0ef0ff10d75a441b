/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info: looking inside the engine, and the small adjustments of its policy.
 */
#include <netinet/in.h>
#include "engine/helper.h"
#include "engine/nat.h"
#include "engine/state.h"

/* In host order; what stands for the port that a call has not is none. */
static uint16_t port_of(const struct flow *flow, be16 port)
{
	return flow->protocol == IPPROTO_GRE && port == PACKET_CALL_PORT ? 0 : ntohs(port);
}

static void flow_describe(
	const struct engine *engine, const struct flow *flow, struct flow_info *info)
{
	const int32_t left = (int32_t)(flow->timer.deadline_ms - (uint32_t)engine->now_ms);
	const uint16_t from = topology_network_of_zone(&engine->topology, flow->zone[ORIGINAL]);
	const uint16_t to = topology_network_of_zone(&engine->topology, flow->zone[REPLY]);
	const struct extra *extra = extra_of(engine, flow);

	*info = (struct flow_info){
		.id = flow_id(engine, flow),
		.family = flow->family,
		.protocol = flow->protocol,
		.state = flow_state_name(flow),
		.replied = flow->flags & FLOW_REPLIED,
		.forwarded = nat_changes_destination(flow),
		.redirected = flow->flags & FLOW_REDIRECTED,
		.link = {flow->zone[ORIGINAL], flow->zone[REPLY]},
		.network = from != NETWORK_NONE ? from : to,
		.networks = {from, to},
		.expires_ms = left > 0 ? (uint64_t)left : 0,
		.expected = flow->flags & FLOW_EXPECTED,
		.master = FLOW_NONE,
	};
	if (extra != NULL) {
		info->helper = helper_name(
			engine, extra->helper != HELPER_NONE ? extra->helper : extra->announced_by);
		info->master = extra->master;
	}
	for (enum direction d = ORIGINAL; d <= REPLY; d++) {
		info->direction[d].family = flow_family(flow, d);
		info->direction[d].source = flow->address[d][SOURCE];
		info->direction[d].destination = flow->address[d][DESTINATION];
		info->direction[d].source_port = port_of(flow, flow->port[d][SOURCE]);
		info->direction[d].destination_port = port_of(flow, flow->port[d][DESTINATION]);
		info->direction[d].counter = flow_counter(flow, d);
	}
}

void engine_flow_event(struct engine *engine, enum flow_event event, const struct flow *flow)
{
	struct flow_info info;

	if (!engine->watched || engine->host.event == NULL)
		return;
	flow_describe(engine, flow, &info);
	engine->host.event(engine->host.context, event, &info);
}

void engine_watch(struct engine *engine, bool on)
{
	engine->watched = on;
}

bool engine_flow_look(
	const struct engine *engine, uint32_t *cursor, struct flow_info *info, bool *found)
{
	if (*cursor >= engine->untouched)
		return false;
	const struct flow *flow = flow_at(engine, (*cursor)++);
	*found = flow->flags & FLOW_LIVE;
	if (*found)
		flow_describe(engine, flow, info);
	return true;
}

bool engine_flow_next(const struct engine *engine, uint32_t *cursor, struct flow_info *info)
{
	bool found = false;

	while (!found && engine_flow_look(engine, cursor, info, &found))
		;
	return found;
}

bool engine_flow_find(
	const struct engine *engine, const struct flow_ends *ends, struct flow_info *info)
{
	const struct flow_key key = {
		.source = ends->source,
		.destination = ends->destination,
		.source_port = htons(ends->source_port),
		.destination_port = htons(ends->destination_port),
		.zone = ends->zone,
		.family = ends->family,
		.protocol = ends->protocol,
	};
	enum direction direction;
	const struct flow *flow = flow_find(engine, &key, flow_hash(engine, &key), &direction);

	if (flow == NULL)
		return false;
	flow_describe(engine, flow, info);
	return true;
}

bool engine_flow_end(struct engine *engine, uint32_t id)
{
	if (id >= engine->untouched || !(flow_at(engine, id)->flags & FLOW_LIVE))
		return false;
	flow_end(engine, flow_at(engine, id));
	return true;
}

bool engine_expectation_next(
	const struct engine *engine, uint32_t *cursor, struct expectation_info *info)
{
	while (*cursor < engine->expectations.max) {
		const struct expectation *expectation = &engine->expectations.records[(*cursor)++];
		const int32_t left =
			(int32_t)(expectation->age.deadline_ms - (uint32_t)engine->now_ms);
		if (!expectation->live)
			continue;
		*info = (struct expectation_info){
			.helper = helper_name(engine, expectation->helper),
			.family = expectation->family,
			.protocol = expectation->protocol,
			.permanent = expectation->permanent,
			.network = topology_network_of_zone(
				&engine->topology, expectation->guest_zone),
			.from = expectation->zone,
			.source = expectation->source,
			.destination = expectation->destination,
			.port = ntohs(expectation->port),
			.to = expectation->listener_zone,
			.listener = expectation->listener,
			.listener_port = ntohs(expectation->listener_port),
			.master = expectation->master,
			.expires_ms = left > 0 ? (uint64_t)left : 0,
		};
		return true;
	}
	return false;
}

const struct engine_status *engine_status(const struct engine *engine)
{
	struct engine_status *status = &((struct engine *)engine)->status;

	status->fragments = engine->fragments->count;
	status->fragments_max = engine->fragments->max;
	status->expectations = engine->expectations.count;
	status->expectations_max = engine->expectations.max;
	status->helped = engine->extras.count;
	status->helped_max = engine->extras.max;
	status->ports_used = 0;
	for (unsigned i = 0; i < engine->ports.count; i++)
		for (int protocol = 0; protocol < PORTS_PROTOCOLS; protocol++)
			if (engine->ports.address[i].used[protocol] > status->ports_used)
				status->ports_used = engine->ports.address[i].used[protocol];
	return status;
}

void engine_count_drop(struct engine *engine, enum drop drop)
{
	engine->status.drops[drop]++;
}
