/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap: a TAP interface of the gateway's in its own namespace, whose other side is the host's to
 * use: joined to a bridge of the host's, or given away, to a container for example.
 *
 * The gateway advertises itself as a router to whoever is there.  Before it is given away that is
 * the host, and on a bridge the host is there, too: it must not take what it hears for a router of
 * its own, since its routes are where the gateway sends.  So neither TAP nor bridge takes
 * advertisements; the bridge gets its switch back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "host/request.h"
#include "link/setup.h"
#include "link/sysctl.h"
#include "link/tundev.h"
#include "wire/headers.h"

/* The device carries the frames; what is ours is what was changed besides. */
struct tap {
	struct link link;
	struct link *device;
	char bridge[16];
	int bridge_accepts; /* net.ipv6.conf.BRIDGE.accept_ra, as it was; 0: it is so still */
};

static struct tap *tap_of(struct link *link)
{
	return (struct tap *)link;
}

static int tap_read(struct link *link, struct packet *packets, unsigned max)
{
	struct link *device = tap_of(link)->device;

	return device->ops->read(device, packets, max);
}

static int tap_write(struct link *link, struct packet *const *packets, unsigned count)
{
	struct link *device = tap_of(link)->device;

	return device->ops->write(device, packets, count);
}

static void tap_close(struct link *link)
{
	struct tap *tap = tap_of(link);

	tap->device->ops->close(tap->device);
	if (tap->bridge_accepts > 0)
		sysctl_ipv6_set(tap->bridge, "accept_ra", tap->bridge_accepts);
	free(tap);
}

static const struct link_ops tap_ops = {
	.read = tap_read,
	.write = tap_write,
	.close = tap_close,
};

/* What the interface's accept_ra was. */
static int advertisements_refuse(const struct log *log, const char *device)
{
	const int before = sysctl_ipv6_set(device, "accept_ra", 0);

	if (before < 0 && before != -ENOENT)
		log_warning(log,
			"the host may take the gateway for its own IPv6 router on %s: set "
			"net.ipv6.conf.%s.accept_ra to 0 (%s)",
			device, device, strerror(-before));
	return before > 0 ? before : 0;
}

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

/* Make it, in its namespace, as it is to be. */
static int device_open(
	const struct log *log, const struct link_settings *settings, struct link **device)
{
	struct nl_sock *socket;
	int error = request_open(NETLINK_ROUTE, &socket);

	if (error) {
		log_error(log, "cannot open a netlink socket: %s", strerror(-error));
		return error;
	}
	error = tundev_open(
		log, "tap", settings->device, sizeof(struct ethernet_header), settings, device);
	if (error)
		goto close_socket;
	advertisements_refuse(log, (*device)->device);
	error = configure(log, socket, settings, (*device)->device);
	if (error)
		(*device)->ops->close(*device);
close_socket:
	request_close(socket);
	return error;
}

int link_tap_open(const struct log *log, const struct link_settings *settings, struct link **link)
{
	struct tap *tap = calloc(1, sizeof(*tap));

	if (!tap)
		return -ENOMEM;
	const int error = device_open(log, settings, &tap->device);
	if (error) {
		free(tap);
		return error;
	}
	tap->link = *tap->device;
	tap->link.ops = &tap_ops;
	snprintf(tap->bridge, sizeof(tap->bridge), "%s", settings->bridge);
	if (tap->bridge[0])
		tap->bridge_accepts = advertisements_refuse(log, tap->bridge);
	*link = &tap->link;
	return 0;
}
