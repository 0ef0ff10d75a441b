/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve: one client of the control socket: its lines in, its answers and events out.
 */
#include "control/serve.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROL_PORTION_BYTES (16 * 1024) /* of a produced answer, per turn */
#define CONTROL_PORTION_CALLS 256         /* of next(), per turn, of all clients */
#define CLOSER_STACK_BYTES    (256 * 1024)

/* ---- end of a client ---- */

static void on_client_handle_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;
	struct control_server *server = client->server;
	struct control_client **link = &server->clients;

	if (--client->handles > 0)
		return;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	control_peer_free(&client->peer);
	server->client_count--;
	server->turned_away_count -= client->turned_away;
	free(client);
	server_release(server);
}

/* ---- descriptors ---- */

static void descriptors_close(void *argument)
{
	const struct control_client *client = argument;

	close(client->fd);
	for (unsigned i = 0; i < client->passed_count; i++)
		close(client->passed[i]);
}

static void closer_run(void *argument)
{
	struct control_client *client = argument;

	descriptors_close(client);
	uv_async_send(&client->closer_ended);
}

static void closer_end(struct control_client *client)
{
	client->closer_runs = false;
	uv_close((uv_handle_t *)&client->closer_ended, on_client_handle_closed);
}

static void on_closer_ended(uv_async_t *async)
{
	struct control_client *client = async->data;

	uv_thread_join(&client->closer);
	closer_end(client);
}

/* In a thread, as long as there can be one; an administrator has better means to do harm. */
static void closer_start(struct control_client *client)
{
	const uv_thread_options_t options = {UV_THREAD_HAS_STACK_SIZE, CLOSER_STACK_BYTES};

	client->closer_ended.data = client;
	if (client->privileged ||
		uv_async_init(client->server->loop, &client->closer_ended, on_closer_ended) < 0)
		return descriptors_close(client);
	client->handles++;
	client->closer_runs =
		uv_thread_create_ex(&client->closer, &options, closer_run, client) == 0;
	if (client->closer_runs)
		return;
	descriptors_close(client);
	closer_end(client);
}

void client_await(struct control_client *client, const struct timespec *until)
{
	if (client->closer_runs && pthread_timedjoin_np(client->closer, NULL, until) == 0)
		closer_end(client);
}

static void producer_release(struct control_client *client)
{
	client->server->producing--;
	client->producer.release(client->producer.context);
}

/* What a request left behind that outlives its handler. */
static void client_forget_request(struct control_client *client)
{
	if (client->state == CLIENT_PRODUCING)
		producer_release(client);
	else if (client->state == CLIENT_STREAMING)
		client->closed(client->closed_context);
	json_decref(client->id);
	client->id = NULL;
}

void client_close(struct control_client *client)
{
	if (client->state == CLIENT_CLOSED)
		return;
	client_forget_request(client);
	client->state = CLIENT_CLOSED;
	uv_close((uv_handle_t *)&client->poll, on_client_handle_closed);
	uv_close((uv_handle_t *)&client->line_timer, on_client_handle_closed);
	closer_start(client);
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

int control_descriptor(const struct control_request *request)
{
	const struct control_client *client = request->client;

	return client->passed_count > 0 ? client->passed[client->passed_count - 1] : -1;
}

int control_take_descriptor(struct control_request *request)
{
	const int fd = control_descriptor(request);

	if (fd >= 0)
		request->client->passed_count--;
	return fd;
}

void control_produce(struct control_request *request, const struct control_producer *producer)
{
	struct control_client *client = request->client;

	request_answer(request, control_result_head(request->id, producer->list));
	if (client->state == CLIENT_LEAVING)
		return producer->release(producer->context);
	client->state = CLIENT_PRODUCING;
	client->server->producing++;
	client->producer = *producer;
	client->produced_any = false;
}

/* One portion of the answer.  Those who have many made at once share one portion. */
static void client_produce(struct control_client *client)
{
	const struct control_producer *producer = &client->producer;
	const unsigned most = CONTROL_PORTION_CALLS / client->server->producing + 1;
	bool more = true;

	for (unsigned calls = 0; more && calls < most; calls++) {
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
	producer_release(client);
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

const struct control_peer *control_client_peer(const struct control_client *client)
{
	return &client->peer;
}

/* ---- lines ---- */

static void client_handle_line(struct control_client *client, const char *line, size_t length)
{
	struct control_request request = {.client = client, .peer = &client->peer};
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

static void client_keep_descriptors(struct control_client *client, struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
		part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		const size_t bytes = part->cmsg_len - CMSG_LEN(0);
		memcpy(&client->passed[client->passed_count], CMSG_DATA(part), bytes);
		client->passed_count += (unsigned)(bytes / sizeof(int));
	}
}

/* Read what is there.  False when the client is to be closed. */
static bool client_read(struct control_client *client)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(PASSED_MAX * sizeof(int))];
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
	if (client->passed_count > PASSED_KEPT)
		return false;
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

struct control_client *client_open(
	struct control_server *server, int fd, const struct control_peer *peer, bool privileged)
{
	struct control_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->server = server;
	client->fd = fd;
	client->poll.data = client->line_timer.data = client;
	if (uv_poll_init(server->loop, &client->poll, fd) < 0) {
		free(client);
		return NULL;
	}
	client->peer = *peer;
	client->privileged = privileged;
	uv_timer_init(server->loop, &client->line_timer);
	client->handles = 2;
	client->next = server->clients;
	server->clients = client;
	server->client_count++;
	client_watch(client);
	return client;
}

void client_turn_away(struct control_client *client)
{
	client->turned_away = true;
	client->server->turned_away_count++;
	client_say(client, control_error_text(NULL, CONTROL_FAILED,
				   "too many clients are connected, try again later"));
	client->state = CLIENT_LEAVING;
	client_watch(client);
}
