/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path: asking the host for routes.
 */
#include "engine/nat.h"
#include "engine/path.h"

enum route_result path_find(
	struct engine *engine, struct flow *flow, const union addr *peer, union addr *source)
{
	const enum direction from_uplink = flow->zone[ORIGINAL] == ZONE_UPLINK ? ORIGINAL : REPLY;
	struct route route = {0};
	const enum route_result result = engine->host.route(
		engine->host.context, flow_family(flow, from_uplink), peer, &route);

	if (result != ROUTE_UPLINK)
		return result;
	flow->path = route.path;
	engine->path_mtu[route.path] = route.mtu;
	*source = route.source;
	return result;
}

/* Also without a port: the protocol may have none. */
static bool flow_is_masqueraded(const struct flow *flow)
{
	return flow->zone[REPLY] == ZONE_UPLINK &&
	       !addr_equal(&flow->address[REPLY][DESTINATION], &flow->address[ORIGINAL][SOURCE]);
}

enum path_result path_renew(struct engine *engine, struct flow *flow)
{
	const enum direction from_uplink = flow->zone[ORIGINAL] == ZONE_UPLINK ? ORIGINAL : REPLY;
	union addr source;

	if (path_find(engine, flow, &flow->address[from_uplink][SOURCE], &source) != ROUTE_UPLINK)
		return PATH_MISSING;
	flow->flags &= (uint16_t)~FLOW_PATH_CHECK;
	const union addr *external = &flow->address[REPLY][DESTINATION];
	if (flow_is_masqueraded(flow) && !addr_equal(&source, external) &&
		!nat_owns(engine, flow_family(flow, REPLY), external))
		return PATH_CHANGED;
	return PATH_HOLDS;
}

void engine_path_invalidate(struct engine *engine)
{
	for (uint32_t id = 0; id < engine->untouched; id++) {
		struct flow *flow = flow_at(engine, id);
		const bool crosses =
			flow->zone[ORIGINAL] == ZONE_UPLINK || flow->zone[REPLY] == ZONE_UPLINK;
		if ((flow->flags & FLOW_LIVE) && crosses)
			flow->flags |= FLOW_PATH_CHECK;
	}
}
