/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netns: a TUN interface inside a container's network namespace.
 *
 * A TUN descriptor holds a reference to the namespace that it was opened in, for good.  So the
 *device is made in the gateway's service namespace and moved: the guest's namespace can die, its
 *interface dies with it, and read() says so.
 *
 *	maker's namespace: open, name tg%d -> move to the guest's, as `device`
 *	guest's namespace: lo up; MTU, up; addresses; default routes
 *
 * Closing the descriptor undoes all of it wherever the device is, so that is the whole of every
 * failure's cleaning up.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <stdio.h>
#include <string.h>
#include "host/netns.h"
#include "host/request.h"
#include "link/setup.h"
#include "link/sysctl.h"
#include "link/tundev.h"

/* A guest's interface being set up. */
struct guest {
	const struct log *log;
	const struct link_settings *settings;
	struct nl_sock *socket; /* of the guest's namespace */
	int netns_fd;
	int ifindex;
};

/* One family of the settings. */
struct family {
	const char *name;
	uint8_t family;
	uint8_t prefix_length;
	const union addr *address, *gateway;
};

static int ipv6_enable(const struct guest *guest)
{
	const int previous = netns_enter(guest->netns_fd);

	if (previous < 0)
		return previous;
	const int before = sysctl_ipv6_set(guest->settings->device, "disable_ipv6", 0);
	netns_leave(previous);
	return before < 0 ? before : 0;
}

static int address_add(const struct guest *guest, const struct family *family)
{
	const int error = setup_address(guest->socket, guest->ifindex, family->family,
		family->address, family->prefix_length, IFA_F_NODAD);

	/* Container engines switch IPv6 off in namespaces that they gave no IPv6 to. */
	if (error != -EACCES || family->family != AF_INET6 || ipv6_enable(guest) != 0)
		return error;
	return setup_address(guest->socket, guest->ifindex, family->family, family->address,
		family->prefix_length, IFA_F_NODAD);
}

static int default_route_add(const struct guest *guest, const struct family *family)
{
	const struct prefix everything = {.family = family->family};
	const int error = setup_route(guest->socket, guest->ifindex, &everything, family->gateway);

	if (error == -EEXIST)
		log_error(guest->log,
			"the guest has an %s default route already: delete it first "
			"(`ip route del default` in its namespace)",
			family->name);
	else if (error)
		log_error(guest->log, "cannot add the guest's %s default route: %s", family->name,
			strerror(-error));
	return error;
}

static bool is_switched_off(int error)
{
	return error == -EACCES || error == -EAFNOSUPPORT || error == -EOPNOTSUPP;
}

static int family_configure(const struct guest *guest, const struct family *family)
{
	char text[ADDR_TEXT_SIZE];

	if (family->prefix_length == 0)
		return 0;
	const int error = address_add(guest, family);
	if (error && family->family == AF_INET6 && is_switched_off(error)) {
		log_warning(guest->log, "the guest has IPv6 switched off: going on without");
		return 0;
	}
	if (error) {
		log_error(guest->log, "cannot give the guest the address %s: %s",
			addr_format(family->family, family->address, text), strerror(-error));
		return error;
	}
	return default_route_add(guest, family);
}

static int guest_up(struct guest *guest)
{
	const int loopback = setup_find(guest->socket, "lo");
	int error;

	if (loopback > 0)
		setup_up(guest->socket, loopback);
	guest->ifindex = setup_find(guest->socket, guest->settings->device);
	if (guest->ifindex < 0)
		return guest->ifindex;
	error = setup_tune(guest->socket, guest->ifindex, guest->settings->mtu);
	return error ? error : setup_up(guest->socket, guest->ifindex);
}

static int guest_configure(struct guest *guest)
{
	const struct link_settings *settings = guest->settings;
	const struct family families[] = {
		{"IPv4", AF_INET, settings->prefix_length4, &settings->address4,
			&settings->gateway4},
		{"IPv6", AF_INET6, settings->prefix_length6, &settings->address6,
			&settings->gateway6},
	};
	int error = guest_up(guest);

	if (error) {
		log_error(guest->log, "cannot set the guest's interface %s up: %s",
			settings->device, strerror(-error));
		return error;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(*families) && !error; i++)
		error = family_configure(guest, &families[i]);
	return error;
}

/* Move the device out of the maker's namespace, which `maker` is a socket of. */
static int device_move(const struct guest *guest, struct nl_sock *maker, const char *made)
{
	const char *device = guest->settings->device;
	int error;

	if (setup_find(guest->socket, device) > 0) {
		log_error(guest->log,
			"the guest has an interface %s already: choose another name by `device =`",
			device);
		return -EEXIST;
	}
	error = setup_find(maker, made);
	if (error > 0)
		error = setup_move(maker, error, guest->netns_fd, device);
	if (error)
		log_error(guest->log, "cannot move interface %s into the guest's namespace: %s",
			device, strerror(-error));
	return error;
}

/* In the maker's namespace: the device, and a netlink socket to move it with. */
static int device_make(struct guest *guest, struct link **link)
{
	struct nl_sock *maker;
	int error = request_open(NETLINK_ROUTE, &maker);

	if (error) {
		log_error(guest->log, "cannot open a netlink socket: %s", strerror(-error));
		return error;
	}
	error = tundev_open(guest->log, "netns", "tg%d", 0, guest->settings, link);
	if (error)
		goto close_maker;
	error = device_move(guest, maker, (*link)->device);
	if (error)
		(*link)->ops->close(*link);
	else
		snprintf((*link)->device, sizeof((*link)->device), "%s", guest->settings->device);
close_maker:
	request_close(maker);
	return error;
}

/* Run inside another namespace. */
static int guest_socket_open(struct guest *guest)
{
	const int previous = netns_enter(guest->netns_fd);

	if (previous < 0)
		return previous;
	const int error = request_open(NETLINK_ROUTE, &guest->socket);
	netns_leave(previous);
	return error;
}

static int device_make_in(int maker_fd, struct guest *guest, struct link **link)
{
	const int previous = netns_enter(maker_fd);

	if (previous < 0) {
		log_error(
			guest->log, "cannot enter the service namespace: %s", strerror(-previous));
		return previous;
	}
	const int error = device_make(guest, link);
	netns_leave(previous);
	return error;
}

int link_netns_open(const struct log *log, const struct link_settings *settings, int netns_fd,
	int maker_fd, struct link **link)
{
	struct guest guest = {.log = log, .settings = settings, .netns_fd = netns_fd};
	int error = guest_socket_open(&guest);

	if (error) {
		log_error(log,
			"cannot enter the guest's network namespace: %s; run as root, or as "
			"its owner inside the same user namespace",
			strerror(-error));
		return error;
	}
	error = device_make_in(maker_fd, &guest, link);
	if (error)
		goto close_socket;
	error = guest_configure(&guest);
	if (error)
		(*link)->ops->close(*link);
close_socket:
	request_close(guest.socket);
	return error;
}
