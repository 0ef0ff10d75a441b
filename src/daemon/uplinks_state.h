/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uplinks_state: what uplinks.c (interfaces) and routes.c (paths) share.
 */
#ifndef TUNGATE_DAEMON_UPLINKS_STATE_H
#define TUNGATE_DAEMON_UPLINKS_STATE_H

#include "daemon/owned.h"
#include "daemon/paths.h"
#include "daemon/uplinks.h"
#include "host/guard.h"
#include "host/netlink.h"

struct uplink_presence;

struct uplink {
	struct uplinks *owner;
	struct host_interface interface;
	struct afpacket *afpacket;
	uv_poll_t poll;
	unsigned address_count;
	struct claimed_address address[ENGINE_EXTERNALS_MAX];
	struct uplink_presence *presence; /* NULL: there is nothing to answer for */
	uint32_t seen; /* addresses that a look around has found: bit per index */
};

struct uplinks {
	struct daemon *daemon;
	struct host_netlink *netlink;
	struct guard *guard;
	int port_lock;
	uv_poll_t netlink_poll;
	uv_timer_t guard_filler;
	unsigned count;
	struct uplink *uplink[CONFIG_UPLINKS_MAX];
	struct paths *paths;
	/* What the claims point to. */
	struct published *published;
	unsigned published_count;
	struct claimed_address claimed[CLAIMS_ADDRESSES_MAX];
	struct owned owned;
};

/* The open uplink of an interface, or NULL. */
struct uplink *uplink_find(const struct uplinks *uplinks, int ifindex);
/* Open it; NULL where that fails (logged) or the config does not allow it. */
struct uplink *uplink_open(struct uplinks *uplinks, int ifindex);
/* What the kernel's routes say may have changed: forget cached ones, have flows ask again. */
void routes_changed(struct uplinks *uplinks);
/* A neighbour was resolved or lost. */
void neighbour_changed(struct uplinks *uplinks, const struct host_event *event);

#endif
