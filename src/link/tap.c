/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap: a TAP interface of the gateway's in its own namespace, whose other side is the host's to
 * use: joined to a bridge of the host's, or given away, to a container for example.
 */
#include <errno.h>
#include <string.h>
#include "host/request.h"
#include "link/setup.h"
#include "link/tundev.h"
#include "wire/headers.h"

static int bridge_join(
	const struct log *log, struct nl_sock *socket, int ifindex, const char *bridge)
{
	const int master = setup_find(socket, bridge);
	int error = master < 0 ? master : setup_join(socket, ifindex, master);

	if (master == -ENODEV)
		log_error(log, "there is no bridge %s: make it first (ip link add %s type bridge)",
			bridge, bridge);
	else if (error == -EOPNOTSUPP)
		log_error(log, "%s is no bridge: name one by `bridge =`", bridge);
	else if (error)
		log_error(log, "cannot join bridge %s: %s", bridge, strerror(-error));
	return error;
}

static int configure(const struct log *log, struct nl_sock *socket,
	const struct link_settings *settings, const char *device)
{
	const int ifindex = setup_find(socket, device);
	int error = ifindex < 0 ? ifindex : setup_tune(socket, ifindex, settings->mtu);

	if (!error && settings->bridge[0]) {
		error = bridge_join(log, socket, ifindex, settings->bridge);
		if (error)
			return error;
	}
	if (!error)
		error = setup_up(socket, ifindex);
	if (error)
		log_error(log, "cannot set interface %s up: %s", device, strerror(-error));
	return error;
}

int link_tap_open(const struct log *log, const struct link_settings *settings, struct link **link)
{
	struct nl_sock *socket;
	int error = request_open(NETLINK_ROUTE, &socket);

	if (error) {
		log_error(log, "cannot open a netlink socket: %s", strerror(-error));
		return error;
	}
	error = tundev_open(
		log, "tap", settings->device, sizeof(struct ethernet_header), settings, link);
	if (error)
		goto close_socket;
	error = configure(log, socket, settings, (*link)->device);
	if (error)
		(*link)->ops->close(*link);
close_socket:
	request_close(socket);
	return error;
}
