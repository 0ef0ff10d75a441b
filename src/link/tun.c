/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tun: a TUN interface in the gateway's own namespace, for a host that routes a subnet to it.
 *
 * The interface carries the gateway's address without the kernel's own prefix route; the one route
 * to the subnet is made here, unless the host has one: then the guests are behind another
 * interface, the host forwards between the two, and a policy route leads their packets to us.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>
#include "host/request.h"
#include "link/setup.h"
#include "link/tundev.h"

static const char *family_name(uint8_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static int address_and_route(const struct log *log, struct nl_sock *socket, int ifindex,
	const struct prefix *subnet, const union addr *address, uint8_t prefix_length)
{
	char text[ADDR_TEXT_SIZE];
	const uint8_t family = subnet->family;

	if (prefix_length == 0 || family == 0)
		return 0;
	int error = setup_address(
		socket, ifindex, family, address, prefix_length, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
	if (error) {
		log_error(log, "cannot set %s address %s: %s", family_name(family),
			addr_format(family, address, text), strerror(-error));
		return error;
	}
	error = setup_route(socket, ifindex, subnet, NULL);
	if (error == -EEXIST) {
		log_info(log, "the host has a route to %s already: that is where its guests are",
			prefix_format(subnet, text));
		return 0;
	}
	if (error)
		log_error(log, "cannot add a route to %s: %s", prefix_format(subnet, text),
			strerror(-error));
	return error;
}

static int configure(const struct log *log, struct nl_sock *socket,
	const struct link_settings *settings, const char *device)
{
	const int ifindex = setup_find(socket, device);
	int error = ifindex < 0 ? ifindex : setup_tune(socket, ifindex, settings->mtu);

	if (!error)
		error = setup_up(socket, ifindex);
	if (error) {
		log_error(log, "cannot set interface %s up: %s", device, strerror(-error));
		return error;
	}
	error = address_and_route(log, socket, ifindex, &settings->subnet4, &settings->gateway4,
		settings->prefix_length4);
	if (error)
		return error;
	return address_and_route(log, socket, ifindex, &settings->subnet6, &settings->gateway6,
		settings->prefix_length6);
}

int link_tun_open(const struct log *log, const struct link_settings *settings, struct link **link)
{
	struct nl_sock *socket;
	int error = request_open(NETLINK_ROUTE, &socket);

	if (error) {
		log_error(log, "cannot open a netlink socket: %s", strerror(-error));
		return error;
	}
	error = tundev_open(log, "tun", settings->device, 0, settings, link);
	if (error)
		goto close_socket;
	error = configure(log, socket, settings, (*link)->device);
	if (error)
		(*link)->ops->close(*link);
close_socket:
	request_close(socket);
	return error;
}
