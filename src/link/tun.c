/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tun: a TUN interface in the gateway's own namespace, for a host that routes a subnet to it.
 *
 * The interface carries the gateway's address without the kernel's own prefix route; the one route
 * to the subnet is made here, unless the host has one: then the guests are behind another
 * interface, the host forwards between the two, and a policy route leads their packets to us.
 *
 * Or for the host itself as one of the guests (kind "host"): then the interface carries a guest's
 * address.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>
#include "host/request.h"
#include "link/setup.h"
#include "link/tundev.h"

/* An interface being set up. */
struct device {
	const struct log *log;
	const struct link_settings *settings;
	bool guest; /* the host's own end of it: a guest's addresses, nobody else's route */
	struct nl_sock *socket;
	int ifindex;
};

static const char *family_name(uint8_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static int route_add(const struct device *device, const struct prefix *subnet)
{
	const struct log *log = device->log;
	char text[ADDR_TEXT_SIZE];
	const int error = setup_route(device->socket, device->ifindex, subnet, NULL);

	prefix_format(subnet, text);
	if (error == -EEXIST && !device->guest) {
		log_info(log, "the host has a route to %s already: that is where its guests are",
			text);
		return 0;
	}
	if (error == -EEXIST)
		log_error(log,
			"the host has a route to %s already: give the network another "
			"subnet, or remove the route",
			text);
	else if (error)
		log_error(log, "cannot add a route to %s: %s", text, strerror(-error));
	return error;
}

static int address_and_route(const struct device *device, const struct prefix *subnet,
	const union addr *address, uint8_t prefix_length)
{
	char text[ADDR_TEXT_SIZE];
	const uint8_t family = subnet->family;

	if (prefix_length == 0 || family == 0)
		return 0;
	const int error = setup_address(device->socket, device->ifindex, family, address,
		prefix_length, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
	if (error) {
		log_error(device->log, "cannot set %s address %s: %s", family_name(family),
			addr_format(family, address, text), strerror(-error));
		return error;
	}
	return route_add(device, subnet);
}

static int configure(struct device *device, const char *name)
{
	const struct link_settings *settings = device->settings;
	const bool guest = device->guest;

	device->ifindex = setup_find(device->socket, name);
	int error = device->ifindex < 0
			    ? device->ifindex
			    : setup_tune(device->socket, device->ifindex, settings->mtu);

	if (!error)
		error = setup_up(device->socket, device->ifindex);
	if (error) {
		log_error(device->log, "cannot set interface %s up: %s", name, strerror(-error));
		return error;
	}
	error = address_and_route(device, &settings->subnet4,
		guest ? &settings->address4 : &settings->gateway4, settings->prefix_length4);
	if (error)
		return error;
	return address_and_route(device, &settings->subnet6,
		guest ? &settings->address6 : &settings->gateway6, settings->prefix_length6);
}

static int device_open(struct device *device, const char *kind, struct link **link)
{
	int error = request_open(NETLINK_ROUTE, &device->socket);

	if (error) {
		log_error(device->log, "cannot open a netlink socket: %s", strerror(-error));
		return error;
	}
	error = tundev_open(device->log, kind, device->settings->device, 0, device->settings, link);
	if (error)
		goto close_socket;
	error = configure(device, (*link)->device);
	if (error)
		(*link)->ops->close(*link);
close_socket:
	request_close(device->socket);
	return error;
}

int link_tun_open(const struct log *log, const struct link_settings *settings, struct link **link)
{
	struct device device = {.log = log, .settings = settings};

	return device_open(&device, "tun", link);
}

int link_host_open(const struct log *log, const struct link_settings *settings, struct link **link)
{
	struct device device = {.log = log, .settings = settings, .guest = true};

	return device_open(&device, "host", link);
}
