/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink: the host kernel's routes, addresses, links and neighbours (libnl-3, libnl-route-3).
 *
 * The kernel's FIB is the authority: the gateway asks it per new destination and is told when
 * anything changes.  One handle holds a socket for requests (synchronous) and one for
 * notifications (for polling).
 */
#ifndef TUNGATE_HOST_NETLINK_H
#define TUNGATE_HOST_NETLINK_H

#include <stdbool.h>
#include <stdint.h>
#include "base/addr.h"
#include "base/log.h"
#include "tungate/engine.h"

struct host_netlink;

/* A route as RTM_GETROUTE answers it. */
struct host_route {
	int ifindex;
	bool has_gateway;
	uint8_t gateway_family; /* may differ from the destination's (RTA_VIA) */
	union addr gateway;
	union addr source; /* preferred source address */
	uint32_t mtu;      /* of route or interface, bytes */
};

struct host_interface {
	int ifindex;
	char name[16];
	bool up;       /* IFF_UP and IFF_LOWER_UP (or operstate unknown) */
	bool ethernet; /* has an Ethernet header */
	bool loopback;
	uint32_t mtu;
	uint8_t mac[6];
};

enum host_change {
	HOST_ROUTES_CHANGED, /* any route or rule */
	HOST_ADDRESS_ADDED,  /* ifindex, family, address */
	HOST_ADDRESS_REMOVED,
	HOST_INTERFACE_CHANGED, /* ifindex: flags, MTU, name or MAC changed, or it appeared */
	HOST_INTERFACE_REMOVED,
	HOST_NEIGHBOUR, /* ifindex, family, address: resolved (mac) or failed */
	HOST_OVERRUN,   /* notifications were lost: everything may have changed */
};
struct host_event {
	enum host_change change;
	int ifindex;
	uint8_t family;
	union addr address;
	bool resolved; /* HOST_NEIGHBOUR: mac is valid */
	uint8_t mac[6];
};
typedef void host_event_handler(void *context, const struct host_event *event);

/* Open in the calling thread's network namespace.  0 or -errno, logged. */
int host_netlink_open(const struct log *log, host_event_handler *handler, void *context,
	struct host_netlink **netlink);
void host_netlink_close(struct host_netlink *netlink);
/* For polling; host_netlink_dispatch() when readable: calls the handler per event. */
int host_netlink_fd(const struct host_netlink *netlink);
void host_netlink_dispatch(struct host_netlink *netlink);

/* The FIB's answer for a destination, out any interface.  `host_route` is filled for ROUTE_UPLINK
 * only. */
enum route_result host_route_get(struct host_netlink *netlink, uint8_t family,
	const union addr *destination, struct host_route *route);

/* 0 or -ENODEV. */
int host_interface_get(struct host_netlink *netlink, int ifindex, struct host_interface *interface);
/* All unicast, non-tentative global or link-scope addresses of all interfaces (`lo` included), one
 * call each. */
int host_addresses_each(struct host_netlink *netlink,
	void (*each)(void *context, int ifindex, uint8_t family, const struct prefix *prefix,
		const union addr *address),
	void *context);

/*
 * The MAC of a neighbour: 0 and `mac` when the kernel knows one (also a stale one, which is asked
 * to be confirmed); -EINPROGRESS when resolution was started (a HOST_NEIGHBOUR event follows);
 * other -errno.  The entry is kept fresh by the kernel from then on: NTF_EXT_MANAGED, where
 * missing NTF_USE again each time this is called.
 */
int host_neighbour_get(struct host_netlink *netlink, int ifindex, uint8_t family,
	const union addr *address, uint8_t mac[6]);
/* No longer keep it fresh. */
void host_neighbour_release(
	struct host_netlink *netlink, int ifindex, uint8_t family, const union addr *address);

#endif
