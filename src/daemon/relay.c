/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay: start, stop and what both kinds share; relay_tcp.c and relay_udp.c do the carrying.
 */
#include "daemon/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/relay_kind.h"
#include "host/sockets.h"
#include "host/netns.h"

void relay_unref(struct relay *relay)
{
	if (--relay->references == 0)
		free(relay);
}

static void on_handle_closed(uv_handle_t *handle)
{
	relay_unref(handle->data);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct relay *relay = poll->data;
	(void)events;

	relay->kind->on_client(relay);
	if (status < 0) /* libuv stops polling at POLLERR, which on_client has read by now */
		relay_listen(relay);
}

static void on_timer(uv_timer_t *timer)
{
	struct relay *relay = timer->data;

	relay->kind->on_timer(relay);
}

void relay_listen(struct relay *relay)
{
	uv_poll_start(&relay->listener, UV_READABLE, on_listener);
}

void relay_timer_start(struct relay *relay, uint64_t delay_ms)
{
	uv_timer_start(&relay->timer, on_timer, delay_ms, 0);
}

static int connect_to(const struct relay *relay, int type, const struct sockaddr_storage *address)
{
	const int netns = relay->settings.target_netns;
	const socklen_t size = address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
							     : sizeof(struct sockaddr_in6);
	int fd;

	if (netns >= 0) {
		fd = netns_socket(netns, address->ss_family, type, 0);
		if (fd < 0)
			return fd;
	} else {
		fd = socket(address->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return -errno;
	}
	if (connect(fd, (const struct sockaddr *)address, size) < 0 && errno != EINPROGRESS) {
		const int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int relay_connect(
	struct relay *relay, int type, const struct relay_client *client, unsigned *attempt)
{
	const struct relay_settings *settings = &relay->settings;
	struct sockaddr_storage address = {0};
	int fd = -EHOSTUNREACH;

	while (fd < 0 && settings->target(settings->context, client, (*attempt)++, &address))
		fd = connect_to(relay, type, &address);
	return fd;
}

bool relay_socket_is(int fd, const struct sockaddr_storage *local)
{
	struct sockaddr_storage own = {0};
	socklen_t size = sizeof(own);
	union addr own_address, wanted;
	uint16_t own_port, wanted_port;

	if (getsockname(fd, (struct sockaddr *)&own, &size) < 0 ||
		own.ss_family != local->ss_family)
		return false;
	socket_address_read(&own, &own_address, &own_port);
	socket_address_read(local, &wanted, &wanted_port);
	return own_port == wanted_port && addr_equal(&own_address, &wanted);
}

bool relay_find(
	const struct relay *relay, const struct sockaddr_storage *peer, struct relay_client *client)
{
	return relay->kind->find(relay, peer, client);
}

int relay_start(uv_loop_t *loop, const struct log *log, const struct relay_settings *settings,
	struct relay **relay)
{
	struct relay *new = NULL;
	int type = 0, err;
	socklen_t size = sizeof(type);

	if (getsockopt(settings->listen_fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) {
		err = -errno;
		goto fail;
	}
	new = type == SOCK_STREAM ? relay_tcp_new(settings) : relay_udp_new(settings);
	if (!new) {
		err = -ENOMEM;
		goto fail;
	}
	err = uv_poll_init(loop, &new->listener, settings->listen_fd);
	if (err < 0)
		goto fail;
	new->loop = loop;
	new->log = log;
	new->settings = *settings;
	new->listener.data = new->timer.data = new;
	uv_timer_init(loop, &new->timer);
	new->references = 2;
	relay_listen(new);
	*relay = new;
	return 0;

fail:
	log_error(log, "relay: cannot serve a listening socket: %s", strerror(-err));
	free(new);
	return err;
}

void relay_stop(struct relay *relay)
{
	relay->kind->close_clients(relay);
	uv_close((uv_handle_t *)&relay->listener, on_handle_closed);
	uv_close((uv_handle_t *)&relay->timer, on_handle_closed);
	close(relay->settings.listen_fd);
}
