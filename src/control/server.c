/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server: the control socket, its clients, and the dispatch of their requests to a table of
 *handlers.
 *
 * A client is in one state at a time:
 *
 *	READING    waits for a line; handles one per turn of the loop
 *	PRODUCING  an answer is being made, a portion per turn, each once the one before was sent
 *	STREAMING  events go out; what comes in is thrown away
 *	LEAVING    closes once the last bytes were sent
 *	CLOSED     only libuv still knows it
 *
 * Whatever the state, nothing new is begun while bytes wait in the output queue.  That bounds what
 *a client can cost: one request line, one answer (or one portion of it, or CONTROL_STREAM_BYTES_MAX
 *of events), and one turn's work.
 */
#include "control/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/queue.h"
#include "control/socket.h"

#define CONTROL_STREAM_BYTES_MAX (1024 * 1024)
#define CONTROL_PORTION_BYTES    (16 * 1024) /* of a produced answer, per turn */
#define CONTROL_PORTION_CALLS    256         /* of its next(), per turn */
#define CONTROL_LINE_MS          (60 * 1000) /* where the settings say nothing */

enum client_state {
	CLIENT_READING,
	CLIENT_PRODUCING,
	CLIENT_STREAMING,
	CLIENT_LEAVING,
	CLIENT_CLOSED,
};

struct control_client {
	struct control_server *server;
	struct control_client *next;
	enum client_state state;
	int fd;
	int passed_fd; /* not yet taken, or -1 */
	struct ucred peer;
	uv_poll_t poll;
	int events; /* that are polled for */
	uv_timer_t line_timer;
	unsigned handles; /* that libuv still knows */

	bool end_of_input;
	size_t input_length;
	char input[CONTROL_REQUEST_BYTES_MAX + 1];
	struct control_queue output;

	struct control_producer producer;
	bool produced_any;
	json_t *id; /* of the stream */
	void (*closed)(void *context);
	void *closed_context;
};

struct control_server {
	uv_loop_t *loop;
	const struct log *log;
	struct control_settings settings; /* without the strings, which are the caller's */
	bool has_group;                   /* the socket was given to one */
	struct control_socket socket;
	uv_poll_t listener;
	bool stopped;
	int spare_fd; /* given up for a moment to refuse a client when descriptors are short */
	struct control_client *clients;
	unsigned client_count;
};

/* ---- end of a client ---- */

static void server_release(struct control_server *server)
{
	if (server->stopped && server->client_count == 0)
		free(server);
}

static void on_client_handle_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;
	struct control_server *server = client->server;

	if (--client->handles > 0)
		return;
	free(client);
	server->client_count--;
	server_release(server);
}

/* What a request left behind that outlives its handler. */
static void client_forget_request(struct control_client *client)
{
	if (client->state == CLIENT_PRODUCING)
		client->producer.release(client->producer.context);
	else if (client->state == CLIENT_STREAMING)
		client->closed(client->closed_context);
	json_decref(client->id);
	client->id = NULL;
}

static void client_close(struct control_client *client)
{
	struct control_client **link = &client->server->clients;

	if (client->state == CLIENT_CLOSED)
		return;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	client_forget_request(client);
	client->state = CLIENT_CLOSED;
	uv_close((uv_handle_t *)&client->poll, on_client_handle_closed);
	uv_close((uv_handle_t *)&client->line_timer, on_client_handle_closed);
	close(client->fd);
	if (client->passed_fd >= 0)
		close(client->passed_fd);
	control_queue_free(&client->output);
}

/* ---- answers ---- */

/* Queue a text, NULL being one that there was no memory for: the client is closed later then. */
static void client_put(struct control_client *client, const char *text)
{
	if (!text || !control_queue_append(&client->output, text, strlen(text)))
		client->state = CLIENT_LEAVING;
}

/* The same, and free it. */
static void client_say(struct control_client *client, char *text)
{
	client_put(client, text);
	free(text);
}

static void request_answer(struct control_request *request, char *text)
{
	assert(!request->answered);
	request->answered = true;
	client_say(request->client, text);
}

void control_reply(struct control_request *request, json_t *result)
{
	if (!result)
		return control_fail(request, CONTROL_FAILED, "out of memory");
	request_answer(request, control_result_text(request->id, result));
}

void control_fail(struct control_request *request, enum control_code code, const char *format, ...)
{
	char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	va_end(arguments);
	request_answer(request, message ? control_error_text(request->id, code, message) : NULL);
	free(message);
}

int control_take_descriptor(struct control_request *request)
{
	const int fd = request->client->passed_fd;

	request->client->passed_fd = -1;
	return fd;
}

void control_produce(struct control_request *request, const struct control_producer *producer)
{
	struct control_client *client = request->client;

	request_answer(request, control_result_head(request->id, producer->list));
	if (client->state == CLIENT_LEAVING)
		return producer->release(producer->context);
	client->state = CLIENT_PRODUCING;
	client->producer = *producer;
	client->produced_any = false;
}

/* One portion of the answer. */
static void client_produce(struct control_client *client)
{
	const struct control_producer *producer = &client->producer;
	bool more = true;

	for (unsigned calls = 0; more && calls < CONTROL_PORTION_CALLS; calls++) {
		json_t *item = NULL;
		more = producer->next(producer->context, &item);
		if (!item)
			continue;
		char *text = json_dumps(item, JSON_COMPACT | JSON_ENCODE_ANY);
		json_decref(item);
		if (client->produced_any)
			client_put(client, ",");
		client_say(client, text);
		client->produced_any = true;
		if (client->state == CLIENT_LEAVING ||
			control_queue_length(&client->output) >= CONTROL_PORTION_BYTES)
			break;
	}
	if (more && client->state == CLIENT_PRODUCING)
		return;
	if (!more)
		client_put(client, control_result_tail(producer->list));
	producer->release(producer->context);
	if (client->state == CLIENT_PRODUCING)
		client->state = CLIENT_READING;
}

struct control_client *control_stream(
	struct control_request *request, void (*closed)(void *context), void *context)
{
	struct control_client *client = request->client;

	assert(!request->answered);
	request->answered = true;
	client->state = CLIENT_STREAMING;
	client->id = json_incref((json_t *)request->id);
	client->closed = closed;
	client->closed_context = context;
	return client;
}

static void client_watch(struct control_client *client);

void control_stream_push(struct control_client *client, json_t *event)
{
	char *text = control_event_text(client->id, event);
	const size_t length = text ? strlen(text) : 0;

	if (!text || control_queue_length(&client->output) + length > CONTROL_STREAM_BYTES_MAX ||
		!control_queue_append(&client->output, text, length))
		client_close(client);
	else
		client_watch(client);
	free(text);
}

/* ---- requests ---- */

static const struct control_method *method_find(
	const struct control_settings *settings, const char *name)
{
	for (unsigned i = 0; i < settings->method_count; i++)
		if (strcmp(settings->methods[i].name, name) == 0)
			return &settings->methods[i];
	return NULL;
}

/* Root and whoever runs the daemon may ask for anything; and so may a group that the socket was
 * given to: nobody outside it could have opened the socket. */
static bool peer_may_act(const struct control_server *server, const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == geteuid() || server->has_group;
}

static void request_dispatch(struct control_request *request, const char *name)
{
	const struct control_settings *settings = &request->client->server->settings;
	const struct control_method *method = method_find(settings, name);

	if (!peer_may_act(request->client->server, &request->peer))
		return control_fail(request, CONTROL_DENIED,
			"user id %u may not do this: ask as root, as the user that runs tungated, "
			"or as a member of its control-group",
			(unsigned)request->peer.uid);
	if (!method)
		return control_fail(request, CONTROL_BAD_REQUEST, "unknown method %.64s", name);
	if (method->bare && json_object_size(request->params) > 0)
		return control_fail(request, CONTROL_BAD_REQUEST, "%s takes no parameters", name);
	method->handle(settings->context, request);
	assert(request->answered);
}

static void client_handle_line(struct control_client *client, const char *line, size_t length)
{
	struct control_request request = {.client = client, .peer = client->peer};
	struct control_call call;
	const bool valid = control_call_parse(line, length, &call);

	request.id = call.id;
	request.params = call.params;
	if (valid)
		request_dispatch(&request, call.method);
	else
		control_fail(&request, CONTROL_BAD_REQUEST, "%s", call.problem);
	control_call_release(&call);
}

static void client_refuse_input(struct control_client *client, const char *message)
{
	client_say(client, control_error_text(NULL, CONTROL_BAD_REQUEST, message));
	client->state = CLIENT_LEAVING;
}

/* Handle the next line, if it is there. */
static void client_next_line(struct control_client *client)
{
	char *newline = memchr(client->input, '\n', client->input_length);

	if (newline) {
		const size_t length = (size_t)(newline - client->input);
		client_handle_line(client, client->input, length);
		client->input_length -= length + 1;
		memmove(client->input, newline + 1, client->input_length);
	} else if (client->input_length == sizeof(client->input)) {
		client_refuse_input(client, "a request must not be longer than 64 KiB");
	} else if (client->end_of_input) {
		client->state = CLIENT_LEAVING;
	}
}

/* ---- bytes ---- */

/* Keep the descriptors that came with a message: the last one, the others are closed. */
static void client_keep_descriptors(struct control_client *client, struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
		part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		const size_t bytes = part->cmsg_len - CMSG_LEN(0);
		for (size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
			if (client->passed_fd >= 0)
				close(client->passed_fd);
			memcpy(&client->passed_fd, CMSG_DATA(part) + at, sizeof(int));
		}
	}
}

/* Read what is there.  False when the client is to be closed. */
static bool client_read(struct control_client *client)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
	const size_t held = client->state == CLIENT_STREAMING ? 0 : client->input_length;
	struct iovec space = {
		.iov_base = client->input + held,
		.iov_len = sizeof(client->input) - held,
	};
	struct msghdr message = {
		.msg_iov = &space,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	const ssize_t got = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	client_keep_descriptors(client, &message);
	if (client->state == CLIENT_STREAMING)
		return got > 0;
	client->input_length += (size_t)got;
	client->end_of_input |= got == 0;
	return true;
}

/* Something to do as soon as the output queue is empty? */
static bool client_has_work(const struct control_client *client)
{
	switch (client->state) {
	case CLIENT_READING:
		return client->end_of_input || client->input_length == sizeof(client->input) ||
		       memchr(client->input, '\n', client->input_length);
	case CLIENT_PRODUCING:
	case CLIENT_LEAVING:
		return true;
	default:
		return false;
	}
}

static void on_client_ready(uv_poll_t *poll, int status, int events);
static void on_line_timeout(uv_timer_t *timer);

/* Ask libuv for what this client waits for. */
static void client_watch(struct control_client *client)
{
	const bool writes = control_queue_length(&client->output) > 0 || client_has_work(client);
	const bool reads = client->state == CLIENT_STREAMING || !writes;
	const bool line_begun =
		!writes && client->state == CLIENT_READING && client->input_length > 0;

	const int events = (writes ? UV_WRITABLE : 0) | (reads ? UV_READABLE : 0);

	if (events != client->events)
		uv_poll_start(&client->poll, events, on_client_ready);
	client->events = events;
	if (!line_begun)
		uv_timer_stop(&client->line_timer);
	else if (!uv_is_active((uv_handle_t *)&client->line_timer))
		uv_timer_start(&client->line_timer, on_line_timeout,
			client->server->settings.line_max_ms, 0);
}

static void on_line_timeout(uv_timer_t *timer)
{
	struct control_client *client = timer->data;

	client_refuse_input(client, "a line was begun and not ended in time");
	client_watch(client);
}

/* One turn: send, then, if all was sent, one piece of work. */
static bool client_advance(struct control_client *client)
{
	if (control_queue_send(&client->output, client->fd) < 0)
		return false;
	if (control_queue_length(&client->output) > 0)
		return true;
	if (client->state == CLIENT_LEAVING)
		return false;
	if (client->state == CLIENT_PRODUCING)
		client_produce(client);
	else if (client->state == CLIENT_READING)
		client_next_line(client);
	return true;
}

static void on_client_ready(uv_poll_t *poll, int status, int events)
{
	struct control_client *client = poll->data;

	if (status < 0 || ((events & UV_READABLE) && !client_read(client)) ||
		((events & UV_WRITABLE) && !client_advance(client)))
		return client_close(client);
	if (client->state != CLIENT_CLOSED)
		client_watch(client);
}

/* ---- life ---- */

static int client_open(struct control_server *server, int fd)
{
	struct control_client *client = calloc(1, sizeof(*client));
	socklen_t size = sizeof(client->peer);
	int err;

	if (!client)
		return -ENOMEM;
	client->server = server;
	client->fd = fd;
	client->passed_fd = -1;
	client->poll.data = client->line_timer.data = client;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &size) < 0) {
		err = -errno;
		goto free_client;
	}
	err = uv_poll_init(server->loop, &client->poll, fd);
	if (err < 0)
		goto free_client;
	uv_timer_init(server->loop, &client->line_timer);
	client->handles = 2;
	client->next = server->clients;
	server->clients = client;
	server->client_count++;
	client_watch(client);
	return 0;

free_client:
	free(client);
	return err;
}

/* Take a connection off the queue although there is no descriptor left for it. */
static void server_shed(struct control_server *server)
{
	close(server->spare_fd);
	const int fd = accept4(server->socket.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	log_warning(
		server->log, "control socket: a client was refused, no file descriptor is left");
}

static void client_turn_away(int fd)
{
	char *text = control_error_text(
		NULL, CONTROL_FAILED, "too many clients are connected, try again later");

	if (text)
		(void)!send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
	free(text);
	close(fd);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct control_server *server = poll->data;
	(void)status, (void)events;

	const int fd = accept4(server->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			server_shed(server);
		return;
	}
	if (server->client_count >= CONTROL_CLIENTS_MAX)
		client_turn_away(fd);
	else if (client_open(server, fd) < 0)
		close(fd);
}

int control_server_start(uv_loop_t *loop, const struct log *log,
	const struct control_settings *settings, struct control_server **server)
{
	struct control_server *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	new->loop = loop;
	new->log = log;
	new->settings = *settings;
	new->settings.path = new->settings.group = NULL;
	new->has_group = settings->group && settings->group[0];
	if (new->settings.line_max_ms == 0)
		new->settings.line_max_ms = CONTROL_LINE_MS;
	new->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	err = control_socket_open(&new->socket, log, settings->path, settings->group);
	if (err < 0)
		goto free_server;
	new->listener.data = new;
	err = uv_poll_init(loop, &new->listener, new->socket.fd);
	if (err < 0) {
		log_error(log, "control socket: %s", uv_strerror(err));
		goto close_socket;
	}
	uv_poll_start(&new->listener, UV_READABLE, on_connection);
	*server = new;
	return 0;

close_socket:
	control_socket_close(&new->socket);
free_server:
	close(new->spare_fd);
	free(new);
	return err;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct control_server *server = handle->data;

	server->stopped = true;
	server_release(server);
}

void control_server_stop(struct control_server *server)
{
	while (server->clients)
		client_close(server->clients);
	uv_close((uv_handle_t *)&server->listener, on_listener_closed);
	control_socket_close(&server->socket);
	close(server->spare_fd);
}
