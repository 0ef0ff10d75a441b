/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_kind: what the TCP and the UDP relay share; private to relay*.c.
 *
 * A kind embeds struct relay first.  Each of its clients holds a reference; the last one that is
 * let go, by the close callback of a handle, frees the whole.
 */
#ifndef TUNGATE_DAEMON_RELAY_KIND_H
#define TUNGATE_DAEMON_RELAY_KIND_H

#include "daemon/relay.h"

struct relay_kind {
	void (*on_client)(struct relay *relay); /* the listening socket is readable */
	void (*on_timer)(struct relay *relay);
	void (*close_clients)(struct relay *relay);
	bool (*find)(const struct relay *relay, const struct sockaddr_storage *peer,
		struct relay_client *client);
};

struct relay {
	const struct relay_kind *kind;
	uv_loop_t *loop;
	const struct log *log;
	struct relay_settings settings;
	uv_poll_t listener;
	uv_timer_t timer;
	unsigned references;
	unsigned client_count;
};

/* Allocate; the caller fills in nothing.  NULL: out of memory. */
struct relay *relay_tcp_new(const struct relay_settings *settings);
struct relay *relay_udp_new(const struct relay_settings *settings);

/* A socket of this type on its way to the client's target: the descriptor, or -errno when there
 * is none (left).  *attempt counts those that were tried. */
int relay_connect(
	struct relay *relay, int type, const struct relay_client *client, unsigned *attempt);
/* Does the socket have this local address? */
bool relay_socket_is(int fd, const struct sockaddr_storage *local);
/* Watch the listening socket (again). */
void relay_listen(struct relay *relay);
/* Call kind->on_timer once. */
void relay_timer_start(struct relay *relay, uint64_t delay_ms);
void relay_unref(struct relay *relay);

#endif
