/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paths: the tables of paths and cached routes.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/paths.h"

struct cached_route *paths_cached(
	struct paths *paths, uint8_t family, const union addr *destination)
{
	const uint64_t mixed =
		(destination->halves[0] ^ destination->halves[1] ^ family) * 0x9e3779b97f4a7c15;

	return &paths->cache[(mixed >> 40) % ROUTE_CACHE_SLOTS];
}

void paths_invalidate(struct paths *paths)
{
	/* 0 marks slots that were never filled. */
	if (++paths->generation == 0)
		paths->generation = 1;
}

static bool path_equal(const struct path *a, const struct path *b)
{
	return a->used && a->ifindex == b->ifindex && a->family == b->family && a->mtu == b->mtu &&
	       a->on_link == b->on_link && addr_equal(&a->next_hop, &b->next_hop);
}

static void path_drop(struct path *path)
{
	path_pending_free(path);
	path->used = false;
}

uint16_t paths_get(struct paths *paths, const struct path *wanted, bool *reused)
{
	uint16_t free_one = ENGINE_PATHS_MAX;

	*reused = false;
	for (uint16_t i = 0; i < paths->count; i++) {
		if (path_equal(&paths->path[i], wanted))
			return i;
		if (!paths->path[i].used)
			free_one = i;
	}
	if (free_one == ENGINE_PATHS_MAX && paths->count < ENGINE_PATHS_MAX)
		free_one = paths->count++;
	if (free_one == ENGINE_PATHS_MAX) {
		free_one = paths->next;
		paths->next = (uint16_t)((paths->next + 1) % ENGINE_PATHS_MAX);
		path_drop(&paths->path[free_one]);
		*reused = true;
	}
	paths->path[free_one] = *wanted;
	paths->path[free_one].used = true;
	return free_one;
}

void paths_drop_interface(struct paths *paths, int ifindex)
{
	for (uint16_t i = 0; i < paths->count; i++)
		if (paths->path[i].used && paths->path[i].ifindex == ifindex)
			path_drop(&paths->path[i]);
}

bool path_hold(struct path *path, const struct packet *packet)
{
	if (path->pending_count == PATH_PENDING_MAX)
		return false;
	struct packet *copy = malloc(sizeof(*copy) + PACKET_HEADROOM + packet->length);
	if (copy == NULL)
		return false;
	*copy = *packet;
	copy->data = (uint8_t *)(copy + 1) + PACKET_HEADROOM;
	copy->capacity = packet->length;
	memcpy(copy->data, packet->data, packet->length);
	path->pending[path->pending_count++] = copy;
	return true;
}

void path_pending_free(struct path *path)
{
	for (unsigned i = 0; i < path->pending_count; i++)
		free(path->pending[i]);
	path->pending_count = 0;
}
