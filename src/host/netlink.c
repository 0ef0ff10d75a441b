/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink: the host's interfaces and addresses, and the notifications about everything.
 *
 * Two sockets: an answer must not be looked for among notifications.  A dispatch reads what is
 * there and calls the handler per event, route changes excepted: they come in hundreds (one `ip
 * link set down` is many), mean "ask again" all together, and are told once at the end.
 *
 * The kernel removes IPv4 routes without a word when their interface goes down or their source
 * address goes.  So such an event is a change of routes too; the flags and the MTU last seen of an
 * interface tell it from the many notifications that change nothing about them.
 */
#include <errno.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include "host/handle.h"
#include "host/request.h"

#define NOTIFICATION_BUFFER_BYTES (4 * 1024 * 1024)
/* Datagrams per dispatch: a flood of route changes must not keep packets waiting. */
#define DISPATCH_MAX 256

/* The flags that routes depend on. */
#define FLAGS_OF_ROUTES (IFF_UP | IFF_RUNNING | IFF_LOWER_UP)

/* ---- interfaces ---- */

static void read_interface(struct nlmsghdr *message, struct host_interface *interface)
{
	const struct ifinfomsg *info = nlmsg_data(message);
	struct nlattr *attributes[IFLA_MAX + 1];

	*interface = (struct host_interface){
		.ifindex = info->ifi_index,
		.up = (info->ifi_flags & (IFF_UP | IFF_LOWER_UP)) == (IFF_UP | IFF_LOWER_UP),
		.ethernet = info->ifi_type == ARPHRD_ETHER,
		.loopback = info->ifi_flags & IFF_LOOPBACK,
	};
	if (nlmsg_parse(message, sizeof(*info), attributes, IFLA_MAX, NULL) < 0)
		return;
	if (attributes[IFLA_IFNAME])
		nla_strlcpy(interface->name, attributes[IFLA_IFNAME], sizeof(interface->name));
	if (attributes[IFLA_MTU])
		interface->mtu = nla_get_u32(attributes[IFLA_MTU]);
	if (attributes[IFLA_ADDRESS] && nla_len(attributes[IFLA_ADDRESS]) == sizeof(interface->mac))
		memcpy(interface->mac, nla_data(attributes[IFLA_ADDRESS]), sizeof(interface->mac));
}

/* Remember; true if routes may have changed with it. */
static bool remember(struct host_netlink *netlink, struct nlmsghdr *message)
{
	const struct ifinfomsg *info = nlmsg_data(message);
	struct seen_interface *seen = seen_slot(netlink, info->ifi_index);
	struct host_interface interface;

	read_interface(message, &interface);
	const struct seen_interface now = {
		.ifindex = interface.ifindex,
		.mtu = interface.mtu,
		.flags = info->ifi_flags & FLAGS_OF_ROUTES,
	};
	const bool same =
		seen->ifindex == now.ifindex && seen->mtu == now.mtu && seen->flags == now.flags;
	*seen = now;
	return !same;
}

struct interface_answer {
	struct host_netlink *netlink;
	struct host_interface *interface;
};

static void on_interface(void *context, struct nlmsghdr *message)
{
	const struct interface_answer *answer = context;

	if (message->nlmsg_type != RTM_NEWLINK)
		return;
	read_interface(message, answer->interface);
	remember(answer->netlink, message);
}

int host_interface_get(struct host_netlink *netlink, int ifindex, struct host_interface *interface)
{
	const struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct interface_answer answer = {netlink, interface};
	struct request request;

	interface->ifindex = 0;
	request_start(&request, RTM_GETLINK, 0, &info, sizeof(info));
	request_put_u32(&request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	request_run(netlink->requests, &request, on_interface, &answer);
	return interface->ifindex == ifindex ? 0 : -ENODEV;
}

uint32_t interface_mtu(struct host_netlink *netlink, int ifindex)
{
	const struct seen_interface *seen = seen_slot(netlink, ifindex);
	struct host_interface interface;

	if (seen->ifindex == ifindex)
		return seen->mtu;
	return host_interface_get(netlink, ifindex, &interface) ? 0 : interface.mtu;
}

/* ---- addresses ---- */

/* An address as one message tells it. */
struct told_address {
	int ifindex;
	uint8_t family;
	union addr address;
	struct prefix prefix;
	bool usable; /* not waiting for duplicate address detection, and not failed in it */
};

static struct prefix prefix_around(uint8_t family, const union addr *address, uint8_t length)
{
	struct prefix prefix = {.base = *address, .family = family, .length = length};

	for (unsigned bit = length; bit < addr_bits(family); bit++)
		prefix.base.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return prefix;
}

/* False: not an address that we could deal with. */
static bool read_address(struct nlmsghdr *message, struct told_address *told)
{
	const struct ifaddrmsg *info = nlmsg_data(message);
	struct nlattr *attributes[IFA_MAX + 1];
	union addr peer = {0};

	*told = (struct told_address){.ifindex = (int)info->ifa_index, .family = info->ifa_family};
	if (told->family != AF_INET && told->family != AF_INET6)
		return false;
	const uint8_t bits = addr_bits(told->family);
	if (info->ifa_prefixlen > bits ||
		nlmsg_parse(message, sizeof(*info), attributes, IFA_MAX, NULL) < 0)
		return false;
	/* IFA_ADDRESS is the other end of a point-to-point link, where IFA_LOCAL differs. */
	struct nlattr *address = attributes[IFA_ADDRESS];
	struct nlattr *local = attributes[IFA_LOCAL] ? attributes[IFA_LOCAL] : address;
	if (!address || nla_len(address) != bits / 8 || nla_len(local) != bits / 8)
		return false;
	memcpy(&told->address, nla_data(local), bits / 8);
	memcpy(&peer, nla_data(address), bits / 8);
	told->prefix = prefix_around(told->family, &peer, info->ifa_prefixlen);
	const uint32_t flags =
		attributes[IFA_FLAGS] ? nla_get_u32(attributes[IFA_FLAGS]) : info->ifa_flags;
	told->usable = !(flags & IFA_F_DADFAILED) &&
		       (!(flags & IFA_F_TENTATIVE) || flags & IFA_F_OPTIMISTIC);
	return true;
}

struct addresses_answer {
	void (*each)(void *context, int ifindex, uint8_t family, const struct prefix *prefix,
		const union addr *address);
	void *context;
};

static void on_address(void *context, struct nlmsghdr *message)
{
	const struct addresses_answer *answer = context;
	struct told_address told;

	if (message->nlmsg_type == RTM_NEWADDR && read_address(message, &told) && told.usable)
		answer->each(
			answer->context, told.ifindex, told.family, &told.prefix, &told.address);
}

int host_addresses_each(struct host_netlink *netlink,
	void (*each)(void *context, int ifindex, uint8_t family, const struct prefix *prefix,
		const union addr *address),
	void *context)
{
	const struct ifaddrmsg info = {.ifa_family = AF_UNSPEC};
	struct addresses_answer answer = {each, context};
	struct request request;

	request_start(&request, RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
	return request_run(netlink->requests, &request, on_address, &answer);
}

/* ---- notifications ---- */

static void tell(struct host_netlink *netlink, const struct host_event *event)
{
	netlink->handler(netlink->context, event);
}

static void link_changed(struct host_netlink *netlink, struct nlmsghdr *message)
{
	const struct ifinfomsg *info = nlmsg_data(message);
	struct host_event event = {.ifindex = info->ifi_index};

	if (info->ifi_family != AF_UNSPEC)
		return; /* a bridge speaks of its ports, which are interfaces still */
	if (message->nlmsg_type == RTM_DELLINK) {
		seen_slot(netlink, info->ifi_index)->ifindex = 0;
		netlink->routes_changed = true;
		event.change = HOST_INTERFACE_REMOVED;
	} else {
		netlink->routes_changed |= remember(netlink, message);
		event.change = HOST_INTERFACE_CHANGED;
	}
	tell(netlink, &event);
}

static void address_changed(struct host_netlink *netlink, struct nlmsghdr *message)
{
	const bool removed = message->nlmsg_type == RTM_DELADDR;
	struct told_address told;

	if (!read_address(message, &told) || (!told.usable && !removed))
		return;
	netlink->routes_changed = true;
	tell(netlink, &(struct host_event){
			      .change = removed ? HOST_ADDRESS_REMOVED : HOST_ADDRESS_ADDED,
			      .ifindex = told.ifindex,
			      .family = told.family,
			      .address = told.address,
		      });
}

static void neighbour_changed(struct host_netlink *netlink, struct nlmsghdr *message)
{
	const struct ndmsg *info = nlmsg_data(message);
	struct nlattr *attributes[NDA_MAX + 1];
	struct host_event event = {
		.change = HOST_NEIGHBOUR,
		.ifindex = info->ndm_ifindex,
		.family = info->ndm_family,
	};

	if ((event.family != AF_INET && event.family != AF_INET6) ||
		nlmsg_parse(message, sizeof(*info), attributes, NDA_MAX, NULL) < 0)
		return;
	const struct nlattr *address = attributes[NDA_DST], *mac = attributes[NDA_LLADDR];
	if (!address || nla_len(address) != addr_bits(event.family) / 8)
		return;
	memcpy(&event.address, nla_data(address), (size_t)nla_len(address));
	if (message->nlmsg_type == RTM_NEWNEIGH && info->ndm_state & NUD_USABLE && mac &&
		nla_len(mac) == sizeof(event.mac)) {
		event.resolved = true;
		memcpy(event.mac, nla_data(mac), sizeof(event.mac));
	} else if (message->nlmsg_type == RTM_NEWNEIGH && !(info->ndm_state & NUD_FAILED)) {
		return; /* on its way */
	}
	tell(netlink, &event);
}

/* Not a route that nothing of ours takes: the kernel renews ff00::/8 at every breath of an
 * interface. */
static bool leads_anywhere(struct nlmsghdr *message)
{
	const struct rtmsg *info = nlmsg_data(message);

	return info->rtm_type != RTN_MULTICAST && info->rtm_type != RTN_BROADCAST;
}

static int on_notification(struct nl_msg *message, void *context)
{
	struct host_netlink *netlink = context;
	struct nlmsghdr *header = nlmsg_hdr(message);

	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		link_changed(netlink, header);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		address_changed(netlink, header);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neighbour_changed(netlink, header);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		netlink->routes_changed |= leads_anywhere(header);
		break;
	default: /* rules, nexthops */
		netlink->routes_changed = true;
		break;
	}
	return NL_OK;
}

void host_netlink_dispatch(struct host_netlink *netlink)
{
	bool overrun = false;

	netlink->routes_changed = false;
	for (unsigned i = 0; i < DISPATCH_MAX; i++) {
		const int status = nl_recvmsgs_default(netlink->notifications);

		if (status == -NLE_NOMEM)
			overrun = true; /* ENOBUFS */
		else if (status < 0)
			break;
	}
	if (overrun) {
		memset(netlink->seen, 0, sizeof(netlink->seen));
		tell(netlink, &(struct host_event){.change = HOST_OVERRUN});
	} else if (netlink->routes_changed) {
		tell(netlink, &(struct host_event){.change = HOST_ROUTES_CHANGED});
	}
}

int host_netlink_fd(const struct host_netlink *netlink)
{
	return nl_socket_get_fd(netlink->notifications);
}

/* ---- life ---- */

static int groups_join(struct nl_sock *socket)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV6_RULE};

	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (nl_socket_add_membership(socket, groups[i]) < 0)
			return -EOPNOTSUPP;
	nl_socket_add_membership(socket, RTNLGRP_NEXTHOP); /* Linux 5.3 */
	return 0;
}

static int listen_open(struct host_netlink *netlink)
{
	const int bytes = NOTIFICATION_BUFFER_BYTES;
	int error = request_open(NETLINK_ROUTE, &netlink->notifications);

	if (error)
		return error;
	nl_socket_disable_seq_check(netlink->notifications);
	nl_socket_modify_cb(
		netlink->notifications, NL_CB_VALID, NL_CB_CUSTOM, on_notification, netlink);
	error = groups_join(netlink->notifications);
	if (error || nl_socket_set_nonblocking(netlink->notifications) < 0) {
		request_close(netlink->notifications);
		return error ? error : -EIO;
	}
	const int fd = nl_socket_get_fd(netlink->notifications);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return 0;
}

int host_netlink_open(const struct log *log, host_event_handler *handler, void *context,
	struct host_netlink **netlink)
{
	struct host_netlink *opened = calloc(1, sizeof(*opened));
	int error = -ENOMEM;

	if (!opened)
		goto fail;
	opened->handler = handler;
	opened->context = context;
	error = request_open(NETLINK_ROUTE, &opened->requests);
	if (error)
		goto free_opened;
	error = listen_open(opened);
	if (error)
		goto close_requests;
	*netlink = opened;
	return 0;

close_requests:
	request_close(opened->requests);
free_opened:
	free(opened);
fail:
	log_error(log, "cannot listen to the kernel's routes and addresses (rtnetlink): %s",
		strerror(-error));
	return error;
}

void host_netlink_close(struct host_netlink *netlink)
{
	request_close(netlink->notifications);
	request_close(netlink->requests);
	free(netlink);
}
