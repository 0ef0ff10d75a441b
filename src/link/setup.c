/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setup: give an interface its addresses, routes and MTU over netlink.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/msg.h>
#include "host/request.h"
#include "link/setup.h"

/*
 * The TUN's queue towards us, in packets: a guest's burst of small datagrams while we are busy with
 * another link.  It holds pointers; the packets are charged to the sender's socket.
 */
#define QUEUE_PACKETS 4096

#define CHANGE (NLM_F_ACK)
#define CREATE (NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

static void store_index(void *context, struct nlmsghdr *message)
{
	const struct ifinfomsg *info = nlmsg_data(message);
	int *ifindex = context;

	*ifindex = info->ifi_index;
}

int setup_find(struct nl_sock *socket, const char *name)
{
	const struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct request request;
	int ifindex = -ENODEV;

	request_start(&request, RTM_GETLINK, 0, &info, sizeof(info));
	request_put_text(&request, IFLA_IFNAME, name);
	const int error = request_run(socket, &request, store_index, &ifindex);
	return error ? error : ifindex;
}

int setup_move(struct nl_sock *socket, int ifindex, int netns_fd, const char *name)
{
	const struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct request request;

	request_start(&request, RTM_SETLINK, CHANGE, &info, sizeof(info));
	request_put_u32(&request, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	request_put_text(&request, IFLA_IFNAME, name);
	return request_run(socket, &request, NULL, NULL);
}

int setup_address_mode(struct nl_sock *socket, int ifindex, uint8_t mode)
{
	const struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct request request;

	request_start(&request, RTM_SETLINK, CHANGE, &info, sizeof(info));
	struct nlattr *families = request_nest(&request, IFLA_AF_SPEC);
	struct nlattr *inet6 = request_nest(&request, AF_INET6);
	request_put_u8(&request, IFLA_INET6_ADDR_GEN_MODE, mode);
	request_nest_end(&request, inet6);
	request_nest_end(&request, families);
	return request_run(socket, &request, NULL, NULL);
}

int setup_tune(struct nl_sock *socket, int ifindex, uint16_t mtu)
{
	const struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct request request;

	/* A kernel without IPv6 refuses, and has no link-local addresses either. */
	setup_address_mode(socket, ifindex, IN6_ADDR_GEN_MODE_NONE);
	request_start(&request, RTM_SETLINK, CHANGE, &info, sizeof(info));
	if (mtu)
		request_put_u32(&request, IFLA_MTU, mtu);
	request_put_u32(&request, IFLA_TXQLEN, QUEUE_PACKETS);
	return request_run(socket, &request, NULL, NULL);
}

static int up_set(struct nl_sock *socket, int ifindex, unsigned flag)
{
	const struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = ifindex,
		.ifi_flags = flag,
		.ifi_change = IFF_UP,
	};
	struct request request;

	request_start(&request, RTM_SETLINK, CHANGE, &info, sizeof(info));
	return request_run(socket, &request, NULL, NULL);
}

int setup_up(struct nl_sock *socket, int ifindex)
{
	return up_set(socket, ifindex, IFF_UP);
}

int setup_down(struct nl_sock *socket, int ifindex)
{
	return up_set(socket, ifindex, 0);
}

int setup_join(struct nl_sock *socket, int ifindex, int master)
{
	const struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct request request;

	request_start(&request, RTM_SETLINK, CHANGE, &info, sizeof(info));
	request_put_u32(&request, IFLA_MASTER, (uint32_t)master);
	return request_run(socket, &request, NULL, NULL);
}

static void address_start(struct request *request, uint16_t type, uint16_t how, int ifindex,
	uint8_t family, const union addr *address, uint8_t prefix_length)
{
	const struct ifaddrmsg info = {
		.ifa_family = family,
		.ifa_prefixlen = prefix_length,
		.ifa_index = (unsigned)ifindex,
		.ifa_scope = RT_SCOPE_UNIVERSE,
	};

	request_start(request, type, how, &info, sizeof(info));
	request_put_addr(request, IFA_LOCAL, family, address);
	request_put_addr(request, IFA_ADDRESS, family, address);
}

int setup_address_remove(struct nl_sock *socket, int ifindex, uint8_t family,
	const union addr *address, uint8_t prefix_length)
{
	struct request request;

	address_start(&request, RTM_DELADDR, CHANGE, ifindex, family, address, prefix_length);
	return request_run(socket, &request, NULL, NULL);
}

int setup_address(struct nl_sock *socket, int ifindex, uint8_t family, const union addr *address,
	uint8_t prefix_length, uint32_t flags)
{
	struct request request;

	address_start(&request, RTM_NEWADDR, CREATE, ifindex, family, address, prefix_length);
	request_put_u32(&request, IFA_FLAGS, flags);
	return request_run(socket, &request, NULL, NULL);
}

int setup_route(struct nl_sock *socket, int ifindex, const struct prefix *destination,
	const union addr *gateway)
{
	const struct rtmsg info = {
		.rtm_family = destination->family,
		.rtm_dst_len = destination->length,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	struct request request;

	request_start(&request, RTM_NEWROUTE, CREATE, &info, sizeof(info));
	if (destination->length)
		request_put_addr(&request, RTA_DST, destination->family, &destination->base);
	if (gateway)
		request_put_addr(&request, RTA_GATEWAY, destination->family, gateway);
	request_put_u32(&request, RTA_OIF, (uint32_t)ifindex);
	return request_run(socket, &request, NULL, NULL);
}
