/* SPDX-License-Identifier: BSD-2-Clause */
/* ask: one question to one server, once. */
#include "dns/ask.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUERY_BYTES_MAX 512 /* header, question, OPT */
#define DATAGRAMS_MAX   16  /* looked at in one turn of the loop */

struct dns_ask {
	uv_loop_t *loop;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles; /* still closing */
	int fd;
	bool tcp, over;
	uint8_t *scratch;
	dns_ask_done *done;
	void *context;
	size_t query_length, sent; /* over TCP with the length in front */
	uint8_t query[2 + QUERY_BYTES_MAX];
	/* The stream so far: the length, then the answer. */
	uint8_t *stream;
	size_t got;
	uint8_t prefix[2];
};

/* ---- end ---- */

static void on_closed(uv_handle_t *handle)
{
	struct dns_ask *ask = handle->data;

	if (--ask->handles > 0)
		return;
	free(ask->stream);
	free(ask);
}

void dns_ask_cancel(struct dns_ask *ask)
{
	if (ask->over)
		return;
	ask->over = true;
	ask->handles = 2;
	uv_close((uv_handle_t *)&ask->poll, on_closed);
	uv_close((uv_handle_t *)&ask->timer, on_closed);
	close(ask->fd);
}

static void finish(struct dns_ask *ask, int error, struct dns_message *message, uint8_t *bytes)
{
	dns_ask_done *done = ask->done;
	void *context = ask->context;

	dns_ask_cancel(ask);
	done(context, error, message, bytes);
}

static void on_timeout(uv_timer_t *timer)
{
	finish(timer->data, -ETIMEDOUT, NULL, NULL);
}

/* ---- answers ---- */

static const uint8_t *query_message(const struct dns_ask *ask)
{
	return ask->query + 2;
}

/* Servers may answer in another case, and some answer FORMERR without the question. */
static bool is_answer(
	const struct dns_ask *ask, const uint8_t *bytes, size_t length, struct dns_message *message)
{
	struct dns_message query;
	const int error = dns_message_parse(bytes, length, message);

	if (dns_message_parse(query_message(ask), ask->query_length, &query) != 0 ||
		error == -EINVAL || !(message->flags & DNS_QR) || message->id != query.id)
		return false;
	if (error != 0)
		return (message->flags & DNS_RCODE) == DNS_FORMERR && length == DNS_HEADER_BYTES;
	return message->type == query.type && message->class == query.class &&
	       dns_name_equal(&message->name, &query.name);
}

static void read_datagrams(struct dns_ask *ask)
{
	struct dns_message message;

	for (unsigned i = 0; i < DATAGRAMS_MAX; i++) {
		const ssize_t got = recv(ask->fd, ask->scratch, DNS_MESSAGE_MAX, MSG_DONTWAIT);

		if (got < 0) {
			if (errno != EAGAIN && errno != EINTR)
				finish(ask, -errno, NULL, NULL);
			return;
		}
		if (is_answer(ask, ask->scratch, (size_t)got, &message)) {
			finish(ask, 0, &message, ask->scratch);
			return;
		}
	}
}

/* ---- TCP ---- */

static void on_event(uv_poll_t *poll, int status, int events);

/* Once all is sent, the answer is waited for.  0 or -errno. */
static int stream_write(struct dns_ask *ask)
{
	const size_t length = 2 + ask->query_length;

	if (ask->sent < length) {
		const ssize_t sent =
			send(ask->fd, ask->query + ask->sent, length - ask->sent, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		ask->sent += (size_t)sent;
	}
	if (ask->sent == length)
		uv_poll_start(&ask->poll, UV_READABLE, on_event);
	return 0;
}

/* Read on; > 0 when the answer is whole, 0 when not yet, or -errno. */
static int stream_read(struct dns_ask *ask)
{
	for (;;) {
		const size_t length = ask->got < 2 ? 0 : dns_get16(ask->prefix);
		const bool head = ask->got < 2;
		uint8_t *to = head ? ask->prefix + ask->got : ask->stream + ask->got - 2;
		const size_t wanted = head ? 2 - ask->got : length + 2 - ask->got;

		if (!head && wanted == 0)
			return 1;
		const ssize_t got = recv(ask->fd, to, wanted, MSG_DONTWAIT);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (got == 0)
			return -ECONNRESET;
		ask->got += (size_t)got;
		if (ask->got == 2 && ask->stream == NULL) {
			ask->stream = malloc(dns_get16(ask->prefix) + 1u);
			if (ask->stream == NULL)
				return -ENOMEM;
		}
	}
}

static void stream_event(struct dns_ask *ask, int events)
{
	struct dns_message message;
	int result = 0;

	if (events & UV_WRITABLE)
		result = stream_write(ask);
	else if (events & UV_READABLE)
		result = stream_read(ask);
	if (result < 0) {
		finish(ask, result, NULL, NULL);
	} else if (result > 0) {
		/* The callback may write to the scratch memory, and longer than came. */
		const size_t length = dns_get16(ask->prefix);
		memcpy(ask->scratch, ask->stream, length);
		if (is_answer(ask, ask->scratch, length, &message))
			finish(ask, 0, &message, ask->scratch);
		else
			finish(ask, -EBADMSG, NULL, NULL);
	}
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct dns_ask *ask = poll->data;

	if (ask->tcp && status < 0)
		finish(ask, -ECONNREFUSED, NULL, NULL);
	else if (ask->tcp)
		stream_event(ask, events);
	else
		read_datagrams(ask);
}

/* ---- begin ---- */

static int connect_to(const struct sockaddr_storage *server, bool tcp)
{
	const socklen_t size = server->ss_family == AF_INET ? sizeof(struct sockaddr_in)
							    : sizeof(struct sockaddr_in6);
	const int type = (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
	const int fd = socket(server->ss_family, type, 0), on = 1;

	if (fd < 0)
		return -errno;
	if (tcp)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)server, size) < 0 && errno != EINPROGRESS) {
		const int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

static int query_take(struct dns_ask *ask, const uint8_t *query, size_t length)
{
	if (length > QUERY_BYTES_MAX)
		return -EMSGSIZE;
	dns_put16(ask->query, (unsigned)length);
	memcpy(ask->query + 2, query, length);
	ask->query_length = length;
	return getrandom(ask->query + 2, 2, 0) == 2 ? 0 : -EAGAIN;
}

int dns_ask_start(const struct dns_ask_settings *settings, struct dns_ask **result)
{
	struct dns_ask *ask = calloc(1, sizeof(*ask));
	int error = -ENOMEM;

	if (ask == NULL)
		return error;
	ask->loop = settings->loop;
	ask->tcp = settings->tcp;
	ask->scratch = settings->scratch;
	ask->done = settings->done;
	ask->context = settings->context;
	error = query_take(ask, settings->query, settings->query_length);
	if (error != 0)
		goto free_ask;
	error = ask->fd = connect_to(settings->server, settings->tcp);
	if (error < 0)
		goto free_ask;
	if (!ask->tcp && send(ask->fd, query_message(ask), ask->query_length, MSG_NOSIGNAL) < 0) {
		error = -errno;
		goto close_socket;
	}
	error = uv_poll_init(ask->loop, &ask->poll, ask->fd);
	if (error != 0)
		goto close_socket;
	uv_timer_init(ask->loop, &ask->timer);
	ask->poll.data = ask->timer.data = ask;
	uv_poll_start(&ask->poll, ask->tcp ? UV_WRITABLE : UV_READABLE, on_event);
	uv_timer_start(&ask->timer, on_timeout, settings->timeout_ms, 0);
	*result = ask;
	return 0;

close_socket:
	close(ask->fd);
free_ask:
	free(ask);
	return error;
}
