/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handle: the inside of struct host_netlink, shared by the sources of this directory that ask the
 * kernel about its network.
 */
#ifndef TUNGATE_HOST_HANDLE_H
#define TUNGATE_HOST_HANDLE_H

#include "host/netlink.h"

struct nl_sock;

/* States of a neighbour whose MAC the kernel itself would send to. */
#define NUD_USABLE (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

/*
 * What was last heard of an interface, so that a route look-up need not ask for its MTU and a
 * notification that changes nothing about the routes can be told from one that does.  A
 * direct-mapped cache: an interface that is pushed out is asked for again.
 */
struct seen_interface {
	int ifindex; /* 0: free */
	uint32_t mtu;
	uint32_t flags; /* those of IFF_* that routes depend on */
};
#define SEEN_INTERFACES 16 /* a power of two */

struct host_netlink {
	struct nl_sock *requests;
	struct nl_sock *notifications;
	host_event_handler *handler;
	void *context;
	bool routes_changed; /* during a dispatch: told once, at its end */
	struct seen_interface seen[SEEN_INTERFACES];
};

static inline struct seen_interface *seen_slot(struct host_netlink *netlink, int ifindex)
{
	return &netlink->seen[(unsigned)ifindex % SEEN_INTERFACES];
}

/* The MTU of an interface, asked for if not known; 0 if there is no such interface. */
uint32_t interface_mtu(struct host_netlink *netlink, int ifindex);

#endif
