/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve_tcp: questions that come by TCP connections (RFC 7766).
 *
 * Several may be on their way on one connection; answers go out as they come, in any order.  A
 * connection with as many as it may have is not read from until some are answered.  One on which
 * nothing happens ends after a while; where a guest has too many, the one that it has not used for
 * longest ends, and likewise of all guests.  Sending only queues: a connection never ends within.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "dns/parts.h"
#include "host/sockets.h"

#define CONNECTIONS_MAX 256 /* of one listening socket */
#define OF_CLIENT_MAX   32
#define PIPELINE_MAX    64 /* questions that wait and answers not sent, of one connection */
#define OUT_BYTES_MAX                                                                              \
	(128 * 1024) /* of those answers; a client that does not read gets no more                 \
		      */
#define IDLE_MS      10000
#define LENGTH_BYTES 2

struct chunk {
	STAILQ_ENTRY(chunk) link;
	size_t length, sent;
	uint8_t bytes[];
};

struct tcp_listener {
	struct dns_channel channel; /* for no questions: those are the connections' */
	uv_poll_t poll;
	int fd;
	unsigned references; /* itself, and its connections */
	unsigned count;
	TAILQ_HEAD(, connection) connections; /* longest unused first */
};

struct connection {
	struct dns_channel channel;
	TAILQ_ENTRY(connection) link;
	struct tcp_listener *listener;
	struct sockaddr_storage peer;
	zone_id zone;
	union addr address;
	int fd;
	bool ended; /* the client sends no more */
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles; /* still closing */
	int events;
	STAILQ_HEAD(, chunk) out;
	unsigned out_count;
	size_t out_bytes;
	size_t got;
	uint8_t in[LENGTH_BYTES + DNS_QUERY_MAX];
};

/* ---- end ---- */

static void listener_unref(struct tcp_listener *listener)
{
	if (--listener->references == 0)
		free(listener);
}

static void on_connection_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;

	if (--connection->handles > 0)
		return;
	listener_unref(connection->listener);
	free(connection);
}

static void connection_close(struct connection *connection)
{
	struct chunk *chunk;

	dns_channel_forget(&connection->channel);
	while ((chunk = STAILQ_FIRST(&connection->out)) != NULL) {
		STAILQ_REMOVE_HEAD(&connection->out, link);
		free(chunk);
	}
	TAILQ_REMOVE(&connection->listener->connections, connection, link);
	connection->listener->count--;
	connection->handles = 2;
	uv_close((uv_handle_t *)&connection->poll, on_connection_closed);
	uv_close((uv_handle_t *)&connection->timer, on_connection_closed);
	close(connection->fd);
}

/* ---- a connection ---- */

static void on_event(uv_poll_t *poll, int status, int events);

static bool is_busy(const struct connection *connection)
{
	return connection->channel.request_count + connection->out_count >= PIPELINE_MAX ||
	       connection->out_bytes >= OUT_BYTES_MAX;
}

static void watch(struct connection *connection)
{
	const int events = (connection->ended || is_busy(connection) ? 0 : UV_READABLE) |
			   (connection->out_count > 0 ? UV_WRITABLE : 0);

	if (events == connection->events)
		return;
	connection->events = events;
	if (events != 0)
		uv_poll_start(&connection->poll, events, on_event);
	else
		uv_poll_stop(&connection->poll);
}

/* What was asked for before there was too much to send may be lost, as in a full queue. */
static void tcp_send(struct dns_channel *channel, const struct sockaddr_storage *peer,
	const uint8_t *bytes, size_t length)
{
	struct connection *connection = (struct connection *)channel;
	struct chunk *chunk = NULL;

	(void)peer;
	if (connection->out_bytes < 2 * OUT_BYTES_MAX && length <= DNS_MESSAGE_MAX)
		chunk = malloc(sizeof(*chunk) + LENGTH_BYTES + length);
	if (chunk == NULL)
		return;
	chunk->length = LENGTH_BYTES + length;
	chunk->sent = 0;
	dns_put16(chunk->bytes, (unsigned)length);
	memcpy(chunk->bytes + LENGTH_BYTES, bytes, length);
	STAILQ_INSERT_TAIL(&connection->out, chunk, link);
	connection->out_count++;
	connection->out_bytes += chunk->length;
	watch(connection);
}

/* Write what there is.  0 or -errno. */
static int drain(struct connection *connection)
{
	struct chunk *chunk;

	while ((chunk = STAILQ_FIRST(&connection->out)) != NULL) {
		const ssize_t sent = send(connection->fd, chunk->bytes + chunk->sent,
			chunk->length - chunk->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		chunk->sent += (size_t)sent;
		if (chunk->sent < chunk->length)
			return 0;
		STAILQ_REMOVE_HEAD(&connection->out, link);
		connection->out_count--;
		connection->out_bytes -= chunk->length;
		free(chunk);
	}
	return 0;
}

/* Take the whole questions out of what was read.  0, or -EMSGSIZE for one that is too long. */
static int questions_take(struct connection *connection)
{
	size_t at = 0;

	while (connection->got - at >= LENGTH_BYTES && !is_busy(connection)) {
		const size_t length = dns_get16(connection->in + at);

		if (length > DNS_QUERY_MAX)
			return -EMSGSIZE;
		if (connection->got - at < LENGTH_BYTES + length)
			break;
		dns_question(&connection->channel, &connection->peer,
			connection->in + at + LENGTH_BYTES, length);
		at += LENGTH_BYTES + length;
	}
	connection->got -= at;
	memmove(connection->in, connection->in + at, connection->got);
	return 0;
}

static int fill(struct connection *connection)
{
	const ssize_t got = recv(connection->fd, connection->in + connection->got,
		sizeof(connection->in) - connection->got, MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	connection->ended = got == 0;
	connection->got += (size_t)got;
	return 0;
}

static void touch(struct connection *connection)
{
	struct tcp_listener *listener = connection->listener;

	TAILQ_REMOVE(&listener->connections, connection, link);
	TAILQ_INSERT_TAIL(&listener->connections, connection, link);
	uv_timer_again(&connection->timer);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct connection *connection = poll->data;
	int error = status < 0 ? -EIO : 0;

	touch(connection);
	if (error == 0 && (events & UV_READABLE) && connection->got < sizeof(connection->in))
		error = fill(connection);
	if (error == 0)
		error = questions_take(connection);
	if (error == 0)
		error = drain(connection);
	/* What was held back while there was too much. */
	if (error == 0)
		error = questions_take(connection);
	if (error != 0 || (connection->ended && connection->channel.request_count == 0 &&
				  connection->out_count == 0))
		connection_close(connection);
	else
		watch(connection);
}

static void on_idle(uv_timer_t *timer)
{
	struct connection *connection = timer->data;

	if (connection->channel.request_count == 0)
		connection_close(connection);
}

/* ---- the listening socket ---- */

/* Who goes for a new connection of this client, if anybody has to.  A client is its link and its
 * address: copies of one machine have the same one. */
static struct connection *one_too_many(
	const struct tcp_listener *listener, zone_id zone, const union addr *address)
{
	struct connection *connection, *oldest = NULL;
	unsigned count = 0;

	TAILQ_FOREACH(connection, &listener->connections, link)
	{
		if (connection->zone != zone || !addr_equal(&connection->address, address))
			continue;
		if (oldest == NULL)
			oldest = connection;
		count++;
	}
	if (count >= OF_CLIENT_MAX)
		return oldest;
	return listener->count >= CONNECTIONS_MAX ? TAILQ_FIRST(&listener->connections) : NULL;
}

static void connection_open(
	struct tcp_listener *listener, int fd, const struct sockaddr_storage *peer, zone_id zone)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	uv_loop_t *loop = listener->channel.forwarder->settings.loop;
	const int on = 1;
	uint16_t port;

	if (connection == NULL || uv_poll_init(loop, &connection->poll, fd) != 0) {
		free(connection);
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	connection->channel = listener->channel;
	connection->channel.send = tcp_send;
	TAILQ_INIT(&connection->channel.requests);
	STAILQ_INIT(&connection->out);
	connection->listener = listener;
	connection->peer = *peer;
	connection->zone = zone;
	socket_address_read(peer, &connection->address, &port);
	connection->fd = fd;
	connection->poll.data = connection->timer.data = connection;
	uv_timer_init(loop, &connection->timer);
	uv_timer_start(&connection->timer, on_idle, IDLE_MS, IDLE_MS);
	TAILQ_INSERT_TAIL(&listener->connections, connection, link);
	listener->count++;
	listener->references++;
	watch(connection);
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct tcp_listener *listener = poll->data;
	struct sockaddr_storage peer = {0};
	socklen_t size = sizeof(peer);
	union addr address;
	uint16_t port;
	const int fd = accept4(
		listener->fd, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (status < 0) /* libuv stops polling at POLLERR */
		uv_poll_start(poll, UV_READABLE, on_client);
	if (fd < 0) {
		/* Without descriptors the event would come again and again: make room. */
		if ((errno == EMFILE || errno == ENFILE) && !TAILQ_EMPTY(&listener->connections))
			connection_close(TAILQ_FIRST(&listener->connections));
		return;
	}
	socket_address_read(&peer, &address, &port);
	const struct dns_forwarder_settings *settings = &listener->channel.forwarder->settings;
	const zone_id zone = settings->client(settings->context, listener->channel.network,
		IPPROTO_TCP, (uint8_t)peer.ss_family, &address, port);
	struct connection *oldest = one_too_many(listener, zone, &address);
	if (oldest != NULL) {
		dns_count(listener->channel.forwarder, listener->channel.network)->dropped++;
		connection_close(oldest);
	}
	connection_open(listener, fd, &peer, zone);
}

static void on_listener_closed(uv_handle_t *handle)
{
	listener_unref(handle->data);
}

static void tcp_close(struct dns_channel *channel)
{
	struct tcp_listener *listener = (struct tcp_listener *)channel;

	while (!TAILQ_EMPTY(&listener->connections))
		connection_close(TAILQ_FIRST(&listener->connections));
	uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
	close(listener->fd);
}

int dns_serve_tcp(
	struct dns_forwarder *forwarder, uint16_t network, int fd, struct dns_channel **result)
{
	struct tcp_listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		return -ENOMEM;
	listener->channel = (struct dns_channel){.forwarder = forwarder,
		.network = network,
		.protocol = IPPROTO_TCP,
		.close = tcp_close};
	TAILQ_INIT(&listener->channel.requests);
	TAILQ_INIT(&listener->connections);
	listener->fd = fd;
	listener->references = 1;
	const int error = uv_poll_init(forwarder->settings.loop, &listener->poll, fd);
	if (error != 0) {
		free(listener);
		return error;
	}
	listener->poll.data = listener;
	uv_poll_start(&listener->poll, UV_READABLE, on_client);
	*result = &listener->channel;
	return 0;
}
