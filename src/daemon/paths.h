/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paths: next hops by number, and the routes that were asked for.
 *
 * A path is (interface, next hop, MTU); the engine's flows keep its number.  There is room for
 * ENGINE_PATHS_MAX of them; when it is full the oldest gives way and every flow asks for its
 * route again.  Routes are cached by destination until something about routes changes, so a new
 * flow to a known destination costs no system call.  Packets to a next hop whose MAC is not known
 * yet wait, a few per path, as in the kernel's own neighbour table.
 */
#ifndef TUNGATE_DAEMON_PATHS_H
#define TUNGATE_DAEMON_PATHS_H

#include "daemon/daemon.h"
#include "host/netlink.h"
#include "link/afpacket.h"

#define PATH_PENDING_MAX  16
#define ROUTE_CACHE_SLOTS 4096

struct path {
	bool used;
	bool on_link; /* the interface has no neighbours: nothing to resolve */
	bool resolved;
	uint8_t family;
	int ifindex;
	uint16_t mtu;
	union addr next_hop;
	struct next_hop hop;
	struct afpacket *afpacket;
	uint64_t asked_ms; /* when the kernel was last asked for the neighbour */
	unsigned pending_count;
	struct packet *pending[PATH_PENDING_MAX];
};

struct cached_route {
	uint32_t generation; /* valid while it is the table's; 0: never filled */
	uint8_t family;
	uint8_t result;
	union addr destination;
	struct route route;
};

struct paths {
	struct path path[ENGINE_PATHS_MAX];
	uint16_t next; /* the one that gives way next */
	uint16_t count;
	uint32_t generation;
	struct cached_route cache[ROUTE_CACHE_SLOTS];
};

/* The cache slot of a destination, whether filled for it or not. */
struct cached_route *paths_cached(
	struct paths *paths, uint8_t family, const union addr *destination);
static inline bool paths_cache_holds(const struct paths *paths, const struct cached_route *cached,
	uint8_t family, const union addr *destination)
{
	return cached->generation == paths->generation && cached->family == family &&
	       addr_equal(&cached->destination, destination);
}
/* Forget all cached routes. */
void paths_invalidate(struct paths *paths);

/* The number of the path (made if it is new).  *reused: another one gave way for it. */
uint16_t paths_get(struct paths *paths, const struct path *wanted, bool *reused);
/* Drop the paths of an interface. */
void paths_drop_interface(struct paths *paths, int ifindex);

/* Keep a copy of a packet until the next hop is known; false where no more may wait. */
bool path_hold(struct path *path, const struct packet *packet);
/* Forget what waits. */
void path_pending_free(struct path *path);

#endif
