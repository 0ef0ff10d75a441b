/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_tcp: accept a client, connect to the target, copy both ways.
 *
 * A connection has two sides and two pumps; pump[i] carries what side[i] sends to the other side.
 * A pump reads only when its buffer is empty, so each side is held back by how fast the other
 * reads.  The end of one direction is passed on as a shutdown while the other direction goes on;
 * when both have ended the connection closes.  An error on either side resets both, so that neither
 * takes a cut-off stream for a whole one.
 *
 * What the target is to be told about the client lies in the client's pump before anything is read
 * from it, so it is written first.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/relay_kind.h"
#include "host/sockets.h"

#define PUMP_BYTES       (64 * 1024)
#define ACCEPT_PAUSE_MS  100 /* when descriptors are short */
#define KEEPALIVE_IDLE_S 120 /* then a vanished peer is noticed */
#define KEEPALIVE_STEP_S 30

enum { CLIENT, TARGET };

struct pump {
	size_t start, end; /* of what was read and not yet written */
	bool ended;        /* the reading side sent its last byte */
	bool passed_on;    /* and the writing side has been told */
	char bytes[PUMP_BYTES];
};

struct side {
	struct connection *connection;
	int fd;
	int events;    /* that are polled for */
	bool pollable; /* `poll` is known to libuv */
	uv_poll_t poll;
};

struct connection {
	struct tcp_relay *relay;
	LIST_ENTRY(connection) link;
	uv_timer_t connect_timer;
	unsigned handles; /* still closing */
	bool connected;
	unsigned attempt; /* targets that were tried */
	struct relay_client client;
	struct side side[2];
	struct pump pump[2];
};

struct tcp_relay {
	struct relay relay;
	LIST_HEAD(, connection) connections;
};

/* ---- end ---- */

static void on_connection_handle_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;
	struct relay *relay = &connection->relay->relay;

	if (--connection->handles > 0)
		return;
	free(connection);
	relay_unref(relay);
}

/* Close so that the peer is told by a reset. */
static void close_reset(int fd)
{
	const struct linger linger = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void connection_close(struct connection *connection, bool reset)
{
	LIST_REMOVE(connection, link);
	connection->relay->relay.client_count--;
	connection->handles = 1;
	uv_close((uv_handle_t *)&connection->connect_timer, on_connection_handle_closed);
	for (unsigned i = CLIENT; i <= TARGET; i++) {
		struct side *side = &connection->side[i];
		if (side->pollable) {
			connection->handles++;
			side->poll.data = connection;
			uv_close((uv_handle_t *)&side->poll, on_connection_handle_closed);
		}
		if (reset)
			close_reset(side->fd);
		else
			close(side->fd);
	}
}

/* ---- copying ---- */

/* Read; reading is polled for only when the buffer is empty.  0, or -errno. */
static int pump_fill(struct pump *pump, int fd)
{
	const ssize_t got = recv(fd, pump->bytes, sizeof(pump->bytes), 0);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	pump->end = (size_t)got;
	pump->ended = got == 0;
	return 0;
}

/* Write what is there, then the end.  0, or -errno. */
static int pump_drain(struct pump *pump, int fd)
{
	if (pump->end > 0) {
		const ssize_t sent =
			send(fd, pump->bytes + pump->start, pump->end - pump->start, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		pump->start += (size_t)sent;
		if (pump->start < pump->end)
			return 0;
		pump->start = pump->end = 0;
	}
	if (pump->ended && !pump->passed_on) {
		pump->passed_on = true;
		if (shutdown(fd, SHUT_WR) < 0)
			return -errno;
	}
	return 0;
}

static void on_side(uv_poll_t *poll, int status, int events);

static void side_watch(struct side *side, int events)
{
	if (events == side->events)
		return;
	side->events = events;
	if (events)
		uv_poll_start(&side->poll, events, on_side);
	else
		uv_poll_stop(&side->poll);
}

static void connection_watch(struct connection *connection)
{
	for (unsigned i = CLIENT; i <= TARGET; i++) {
		const struct pump *from = &connection->pump[i], *to = &connection->pump[!i];
		side_watch(
			&connection->side[i], (from->end == 0 && !from->ended ? UV_READABLE : 0) |
						      (to->end > 0 ? UV_WRITABLE : 0));
	}
}

/* ---- connecting ---- */

static void on_connect_timeout(uv_timer_t *timer)
{
	connection_close(timer->data, true);
}

static void socket_tune(int fd)
{
	const int on = 1, idle = KEEPALIVE_IDLE_S, step = KEEPALIVE_STEP_S;

	/* Bytes leave as they came: whether to wait for more was the sender's decision. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &step, sizeof(step));
}

/* The connect has come to an end.  0 or -errno. */
static int connection_connected(const struct connection *connection)
{
	int err = 0;
	socklen_t size = sizeof(err);

	if (getsockopt(connection->side[TARGET].fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
		return -errno;
	return -err;
}

/* Refused: is there another target?  Its socket takes the place of the one that failed, so that
 * the handle that polls it need not change.  0 or -errno. */
static int connection_retry(struct connection *connection)
{
	struct side *side = &connection->side[TARGET];
	const int fd = relay_connect(
		&connection->relay->relay, SOCK_STREAM, &connection->client, &connection->attempt);

	if (fd < 0)
		return fd;
	side_watch(side, 0);
	const int err = dup3(fd, side->fd, O_CLOEXEC) < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	socket_tune(side->fd);
	side_watch(side, UV_WRITABLE);
	return 0;
}

/* The target's socket is polled for nothing else until it is connected. */
static void on_target_connected(struct connection *connection)
{
	if (connection_connected(connection) == 0) {
		uv_timer_stop(&connection->connect_timer);
		connection->connected = true;
		connection_watch(connection);
	} else if (connection_retry(connection) < 0) {
		connection_close(connection, true);
	}
}

static void on_side(uv_poll_t *poll, int status, int events)
{
	struct side *side = poll->data;
	struct connection *connection = side->connection;
	const unsigned i = side == &connection->side[TARGET];
	int err = 0;

	if (!connection->connected) {
		on_target_connected(connection);
		return;
	}
	if (status < 0)
		err = -EIO;
	if (err == 0 && (events & UV_READABLE))
		err = pump_fill(&connection->pump[i], side->fd);
	for (unsigned from = CLIENT; err == 0 && from <= TARGET; from++)
		err = pump_drain(&connection->pump[from], connection->side[!from].fd);

	if (err < 0)
		connection_close(connection, true);
	else if (connection->pump[CLIENT].passed_on && connection->pump[TARGET].passed_on)
		connection_close(connection, false);
	else
		connection_watch(connection);
}

static int side_open(struct side *side, struct connection *connection, int fd)
{
	side->connection = connection;
	side->fd = fd;
	side->poll.data = side;
	socket_tune(fd);
	const int err = uv_poll_init(connection->relay->relay.loop, &side->poll, fd);
	side->pollable = err == 0;
	return err;
}

/* Who it is, and what the target is to be told about it. */
static void connection_introduce(struct connection *connection, const struct relay_client *client)
{
	const struct relay_settings *settings = &connection->relay->relay.settings;
	struct pump *pump = &connection->pump[CLIENT];

	static_assert(RELAY_GREETING_BYTES <= PUMP_BYTES, "it fits in front of the stream");
	connection->client = *client;
	if (settings->greeting)
		pump->end = settings->greeting(settings->context, client, (uint8_t *)pump->bytes);
}

/* Takes over the client's socket: a connection comes of it, or a reset. */
static void connection_open(struct tcp_relay *tcp, int client_fd, const struct relay_client *client)
{
	struct relay *relay = &tcp->relay;
	struct connection *connection;
	unsigned attempt = 0;
	int target_fd;

	target_fd = relay_connect(relay, SOCK_STREAM, client, &attempt);
	if (target_fd < 0)
		goto close_client;
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		goto close_target;
	connection->relay = tcp;
	connection->attempt = attempt;
	connection_introduce(connection, client);
	connection->connect_timer.data = connection;
	uv_timer_init(relay->loop, &connection->connect_timer);
	uv_timer_start(
		&connection->connect_timer, on_connect_timeout, relay->settings.tcp_connect_ms, 0);
	LIST_INSERT_HEAD(&tcp->connections, connection, link);
	relay->client_count++;
	relay->references++;

	const int client_err = side_open(&connection->side[CLIENT], connection, client_fd);
	const int target_err = side_open(&connection->side[TARGET], connection, target_fd);
	if (client_err < 0 || target_err < 0)
		connection_close(connection, true);
	else
		side_watch(&connection->side[TARGET], UV_WRITABLE);
	return;

close_target:
	close(target_fd);
close_client:
	close_reset(client_fd);
}

/* ---- the listening side ---- */

static bool client_read(int fd, const struct sockaddr_storage *peer, struct relay_client *client)
{
	struct sockaddr_storage local = {0};
	socklen_t size = sizeof(local);

	if (getsockname(fd, (struct sockaddr *)&local, &size) < 0)
		return false;
	*client = (struct relay_client){.family = (uint8_t)peer->ss_family};
	socket_address_read(peer, &client->peer, &client->peer_port);
	socket_address_read(&local, &client->local, &client->local_port);
	return true;
}

static void tcp_on_client(struct relay *relay)
{
	struct relay_client client;
	struct sockaddr_storage peer = {0};
	socklen_t size = sizeof(peer);
	const int fd = accept4(relay->settings.listen_fd, (struct sockaddr *)&peer, &size,
		SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno != EMFILE && errno != ENFILE)
			return;
		log_warning(relay->log, "relay: no file descriptor is left for a new connection");
		uv_poll_stop(&relay->listener);
		relay_timer_start(relay, ACCEPT_PAUSE_MS);
		return;
	}
	if (relay->client_count >= relay->settings.connections_max ||
		!client_read(fd, &peer, &client))
		close_reset(fd);
	else
		connection_open((struct tcp_relay *)relay, fd, &client);
}

static bool tcp_find(
	const struct relay *relay, const struct sockaddr_storage *peer, struct relay_client *client)
{
	const struct connection *connection;

	LIST_FOREACH(connection, &((const struct tcp_relay *)relay)->connections, link)
	{
		if (!relay_socket_is(connection->side[TARGET].fd, peer))
			continue;
		*client = connection->client;
		return true;
	}
	return false;
}

static void tcp_close_clients(struct relay *relay)
{
	struct tcp_relay *tcp = (struct tcp_relay *)relay;

	while (!LIST_EMPTY(&tcp->connections))
		connection_close(LIST_FIRST(&tcp->connections), true);
}

struct relay *relay_tcp_new(const struct relay_settings *settings)
{
	static const struct relay_kind kind = {
		.on_client = tcp_on_client,
		.on_timer = relay_listen,
		.close_clients = tcp_close_clients,
		.find = tcp_find,
	};
	struct tcp_relay *tcp = calloc(1, sizeof(*tcp));

	(void)settings;
	if (!tcp)
		return NULL;
	tcp->relay.kind = &kind;
	LIST_INIT(&tcp->connections);
	return &tcp->relay;
}
