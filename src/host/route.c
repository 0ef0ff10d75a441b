/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route: the FIB's answer for one destination (RTM_GETROUTE), policy rules and multipath included.
 *
 * The kernel answers as if a process of the host sent the packet.  IPv4 tells "no route" as an
 * error; IPv6 as an error, or as a route whose type says so.  A path MTU that the kernel has
 * learned comes with the answer.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include "host/handle.h"
#include "host/request.h"

struct answer {
	enum route_result result;
	struct host_route route;
};

static void read_addr(union addr *address, uint8_t family, const struct nlattr *attribute)
{
	const size_t bytes = addr_bits(family) / 8;

	if ((size_t)nla_len(attribute) >= bytes)
		memcpy(address, nla_data(attribute), bytes);
}

/* RTA_VIA: a gateway of the other family. */
static void read_via(struct host_route *route, const struct nlattr *attribute)
{
	const struct rtvia *via = nla_data(attribute);
	const size_t bytes = (size_t)nla_len(attribute) - sizeof(*via);

	if (nla_len(attribute) < (int)sizeof(*via) || bytes > sizeof(route->gateway))
		return;
	route->has_gateway = true;
	route->gateway_family = (uint8_t)via->rtvia_family;
	memcpy(&route->gateway, via->rtvia_addr, bytes);
}

static uint32_t metrics_mtu(struct nlattr *metrics)
{
	struct nlattr *attributes[RTAX_MAX + 1];

	if (!metrics || nla_parse_nested(attributes, RTAX_MAX, metrics, NULL) < 0)
		return 0;
	return attributes[RTAX_MTU] ? nla_get_u32(attributes[RTAX_MTU]) : 0;
}

static enum route_result result_of_type(uint8_t type)
{
	switch (type) {
	case RTN_UNICAST:
		return ROUTE_UPLINK;
	case RTN_LOCAL:
	case RTN_ANYCAST:
		return ROUTE_LOCAL;
	case RTN_PROHIBIT:
	case RTN_BLACKHOLE:
		return ROUTE_PROHIBITED;
	default: /* broadcast, multicast, unreachable: nothing that one guest may send to */
		return ROUTE_NONE;
	}
}

static enum route_result result_of_error(int error)
{
	/* fib_props[] of the kernel's IPv4: a blackhole route answers EINVAL. */
	return error == -EACCES || error == -EINVAL ? ROUTE_PROHIBITED : ROUTE_NONE;
}

static void on_route(void *context, struct nlmsghdr *message)
{
	const struct rtmsg *info = nlmsg_data(message);
	struct nlattr *attributes[RTA_MAX + 1];
	struct answer *answer = context;
	struct host_route *route = &answer->route;

	if (message->nlmsg_type != RTM_NEWROUTE ||
		nlmsg_parse(message, sizeof(*info), attributes, RTA_MAX, NULL) < 0)
		return;
	answer->result = result_of_type(info->rtm_type);
	if (attributes[RTA_OIF])
		route->ifindex = (int)nla_get_u32(attributes[RTA_OIF]);
	if (attributes[RTA_PREFSRC])
		read_addr(&route->source, info->rtm_family, attributes[RTA_PREFSRC]);
	if (attributes[RTA_GATEWAY]) {
		route->has_gateway = true;
		route->gateway_family = info->rtm_family;
		read_addr(&route->gateway, info->rtm_family, attributes[RTA_GATEWAY]);
	} else if (attributes[RTA_VIA]) {
		read_via(route, attributes[RTA_VIA]);
	}
	route->mtu = metrics_mtu(attributes[RTA_METRICS]);
}

/* An IPv6 default route without a global address of the host's: what left would carry a link-local
 * source, and nothing could ever come back. */
static bool has_no_source(
	uint8_t family, const union addr *destination, const struct host_route *route)
{
	if (addr_is_zero(&route->source))
		return true;
	return family == AF_INET6 && addr_is_link_local(family, &route->source) &&
	       !addr_is_link_local(family, destination);
}

enum route_result host_route_get(struct host_netlink *netlink, uint8_t family,
	const union addr *destination, struct host_route *route)
{
	const struct rtmsg info = {.rtm_family = family, .rtm_dst_len = addr_bits(family)};
	struct answer answer = {.result = ROUTE_NONE};
	struct request request;

	request_start(&request, RTM_GETROUTE, 0, &info, sizeof(info));
	request_put_addr(&request, RTA_DST, family, destination);
	const int error = request_run(netlink->requests, &request, on_route, &answer);
	if (error)
		return result_of_error(error);
	if (answer.result != ROUTE_UPLINK)
		return answer.result;
	if (has_no_source(family, destination, &answer.route))
		return ROUTE_NONE;
	if (answer.route.mtu == 0)
		answer.route.mtu = interface_mtu(netlink, answer.route.ifindex);
	*route = answer.route;
	return ROUTE_UPLINK;
}
