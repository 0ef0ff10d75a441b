/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path: a flow's way over the uplink, as the host's routes give it.
 *
 * It is asked for once per flow.  When routes change every flow is marked, and asks again with its
 * next packet: it follows the new route where that leaves it the address that it
 * is masqueraded as, and ends otherwise, as netfilter's MASQUERADE does.
 */
#ifndef TUNGATE_ENGINE_PATH_H
#define TUNGATE_ENGINE_PATH_H

#include "engine/state.h"

/* Ask for the route to `peer`: fills flow->path, and `source`, for ROUTE_UPLINK only. */
enum route_result path_find(
	struct engine *engine, struct flow *flow, const union addr *peer, union addr *source);
enum path_result {
	PATH_HOLDS,
	PATH_MISSING, /* no route now: the flow waits for one */
	PATH_CHANGED, /* the route means another address: the flow cannot go on */
};
/* Ask again for a marked flow, one of whose sides is the uplink. */
enum path_result path_renew(struct engine *engine, struct flow *flow);

#endif
