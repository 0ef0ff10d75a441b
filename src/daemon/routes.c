/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * routes: from a destination to a path, and from a path out of the interface.
 */
#include <string.h>
#include "daemon/uplinks_state.h"

/* Ask the kernel again about a next hop in use: it keeps entries alive by itself where it knows
 * NTF_EXT_MANAGED; where it does not, this does. */
#define NEIGHBOUR_CONFIRM_MS 20000
/* ... and about one that did not answer. */
#define NEIGHBOUR_RETRY_MS 1000

void routes_changed(struct uplinks *uplinks)
{
	paths_invalidate(uplinks->paths);
	engine_path_invalidate(uplinks->daemon->engine);
}

/* ---- neighbours ---- */

static void path_release_pending(struct uplinks *uplinks, struct path *path)
{
	const struct next_hop *hop = &path->hop;

	for (unsigned i = 0; i < path->pending_count; i++)
		if (afpacket_write(path->afpacket, &path->pending[i], &hop, 1) != 1)
			engine_count_drop(uplinks->daemon->engine, DROP_SEND);
	path_pending_free(path);
}

static void path_fail_pending(struct uplinks *uplinks, struct path *path)
{
	for (unsigned i = 0; i < path->pending_count; i++)
		engine_count_drop(uplinks->daemon->engine, DROP_NEIGHBOUR);
	path_pending_free(path);
}

void neighbour_changed(struct uplinks *uplinks, const struct host_event *event)
{
	for (uint16_t i = 0; i < uplinks->paths->count; i++) {
		struct path *path = &uplinks->paths->path[i];
		if (!path->used || path->on_link || path->ifindex != event->ifindex ||
			path->family != event->family ||
			!addr_equal(&path->next_hop, &event->address))
			continue;
		path->resolved = event->resolved;
		if (event->resolved) {
			memcpy(path->hop.mac, event->mac, sizeof(path->hop.mac));
			path_release_pending(uplinks, path);
		} else {
			path_fail_pending(uplinks, path);
		}
	}
}

/* Is the next hop's MAC at hand? Ask the kernel where it is time to. */
static bool path_is_ready(struct uplinks *uplinks, struct path *path)
{
	const uint64_t now_ms = uv_now(uplinks->daemon->loop), since_ms = now_ms - path->asked_ms;

	if (path->on_link ||
		since_ms < (path->resolved ? NEIGHBOUR_CONFIRM_MS : NEIGHBOUR_RETRY_MS))
		return path->on_link || path->resolved;
	path->asked_ms = now_ms;
	path->resolved = host_neighbour_get(uplinks->netlink, path->ifindex, path->family,
				 &path->next_hop, path->hop.mac) == 0;
	if (path->resolved)
		path_release_pending(uplinks, path);
	return path->resolved;
}

/* ---- routes ---- */

static enum route_result route_ask(
	struct uplinks *uplinks, uint8_t family, const union addr *destination, struct route *route)
{
	struct host_route found = {0};
	bool reused;
	const enum route_result result =
		host_route_get(uplinks->netlink, family, destination, &found);

	if (result != ROUTE_UPLINK)
		return result;
	struct uplink *uplink = uplink_find(uplinks, found.ifindex);
	if (uplink == NULL)
		uplink = uplink_open(uplinks, found.ifindex);
	if (uplink == NULL)
		return ROUTE_PROHIBITED;
	const struct path wanted = {
		.on_link = !uplink->interface.ethernet,
		.family = found.has_gateway ? found.gateway_family : family,
		.ifindex = found.ifindex,
		.mtu = (uint16_t)(found.mtu > UINT16_MAX ? UINT16_MAX : found.mtu),
		.next_hop = found.has_gateway ? found.gateway : *destination,
		.afpacket = uplink->afpacket,
	};
	route->path = paths_get(uplinks->paths, &wanted, &reused);
	route->mtu = wanted.mtu;
	route->source = found.source;
	if (reused)
		routes_changed(uplinks);
	return ROUTE_UPLINK;
}

enum route_result uplinks_route(
	void *context, uint8_t family, const union addr *destination, struct route *route)
{
	struct daemon *daemon = context;
	struct uplinks *uplinks = daemon->uplinks;
	struct cached_route *cached = paths_cached(uplinks->paths, family, destination);

	if (!paths_cache_holds(uplinks->paths, cached, family, destination)) {
		struct route fresh = {0};
		const enum route_result result = route_ask(uplinks, family, destination, &fresh);
		*cached = (struct cached_route){
			.generation = uplinks->paths->generation,
			.family = family,
			.result = (uint8_t)result,
			.destination = *destination,
			.route = fresh,
		};
	}
	*route = cached->route;
	return cached->result;
}

/* ---- sending ---- */

static void uplink_write(struct uplinks *uplinks, struct afpacket *afpacket,
	struct packet *const *packets, const struct next_hop *const *hops, unsigned count)
{
	const int sent = count == 0 ? 0 : afpacket_write(afpacket, packets, hops, count);

	for (unsigned lost = sent < 0 ? 0 : (unsigned)sent; lost < count; lost++)
		engine_count_drop(uplinks->daemon->engine, DROP_SEND);
}

void uplinks_send(struct uplinks *uplinks, struct packet *const *packets, unsigned count)
{
	struct packet *batch[LINK_BURST];
	const struct next_hop *hops[LINK_BURST];
	struct afpacket *afpacket = NULL;
	unsigned gathered = 0;

	for (unsigned i = 0; i < count; i++) {
		struct path *path = &uplinks->paths->path[packets[i]->path];
		if (!path->used) {
			engine_count_drop(uplinks->daemon->engine, DROP_SEND);
			continue;
		}
		if (!path_is_ready(uplinks, path)) {
			if (!path_hold(path, packets[i]))
				engine_count_drop(uplinks->daemon->engine, DROP_NEIGHBOUR);
			continue;
		}
		if (path->afpacket != afpacket) {
			uplink_write(uplinks, afpacket, batch, hops, gathered);
			gathered = 0;
			afpacket = path->afpacket;
		}
		batch[gathered] = packets[i];
		hops[gathered++] = &path->hop;
	}
	uplink_write(uplinks, afpacket, batch, hops, gathered);
}
