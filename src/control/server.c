/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server: who is let in at the control socket, and the dispatch of requests to a table of handlers.
 *
 * Places are limited, and where everybody may come they are shared: a user has USER_CLIENTS of them
 * at most; half of all are for whoever comes first, from the other half each gets USER_KEPT, and
 * ADMIN_KEPT are for administrators alone.
 */
#include "control/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/serve.h"

#define CONTROL_LINE_MS (60 * 1000) /* where the settings say nothing */
#define PATIENCE_S      1           /* with clients' descriptors, at the end */
#define USER_CLIENTS    64
#define USER_KEPT       8
#define ADMIN_KEPT      64
#define TURNED_AWAY_MAX 64 /* at a time: whoever comes then waits */

static void on_connection(uv_poll_t *poll, int status, int events);

void server_release(struct control_server *server)
{
	if (server->stopped && server->client_count == 0)
		free(server);
	else if (!uv_is_closing((uv_handle_t *)&server->listener))
		uv_poll_start(&server->listener, UV_READABLE, on_connection);
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

void request_dispatch(struct control_request *request, const char *name)
{
	const struct control_settings *settings = &request->client->server->settings;
	const struct control_method *method = method_find(settings, name);

	if (!method)
		return control_fail(request, CONTROL_BAD_REQUEST, "unknown method %.64s", name);
	if (settings->authorize && !settings->authorize(settings->context, request, name)) {
		assert(request->answered);
		return;
	}
	if (method->bare && json_object_size(request->params) > 0)
		return control_fail(request, CONTROL_BAD_REQUEST, "%s takes no parameters", name);
	method->handle(settings->context, request);
	assert(request->answered);
}

/* ---- who is let in ---- */

static bool is_privileged(const struct control_server *server, const struct control_peer *peer)
{
	const struct control_settings *settings = &server->settings;

	return !settings->privileged || settings->privileged(settings->context, peer);
}

static bool has_place(
	const struct control_server *server, const struct control_peer *peer, bool privileged)
{
	const unsigned count = server->client_count - server->turned_away_count;
	unsigned own = 0, common = 0;

	if (privileged)
		return count < CONTROL_CLIENTS_MAX;
	for (const struct control_client *client = server->clients; client; client = client->next) {
		if (client->privileged || client->turned_away)
			continue;
		common++;
		own += client->peer.uid == peer->uid;
	}
	return count < CONTROL_CLIENTS_MAX - ADMIN_KEPT && own < USER_CLIENTS &&
	       (own < USER_KEPT || common < CONTROL_CLIENTS_MAX / 2);
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

/* The descriptor is the client's, or closed. */
static void client_admit(struct control_server *server, int fd)
{
	struct control_peer peer;

	if (control_peer_read(fd, &peer) < 0) {
		close(fd);
		return;
	}
	const bool privileged = is_privileged(server, &peer);
	const bool room = has_place(server, &peer, privileged);
	struct control_client *client = client_open(server, fd, &peer, privileged);
	if (!client) {
		close(fd);
		control_peer_free(&peer);
	} else if (!room) {
		client_turn_away(client);
	}
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct control_server *server = poll->data;
	(void)status, (void)events;

	if (server->turned_away_count == TURNED_AWAY_MAX) {
		uv_poll_stop(poll);
		return;
	}
	const int fd = accept4(server->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			server_shed(server);
		return;
	}
	client_admit(server, fd);
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
	if (new->settings.line_max_ms == 0)
		new->settings.line_max_ms = CONTROL_LINE_MS;
	new->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	err = control_socket_open(
		&new->socket, log, settings->path, settings->group, settings->everybody);
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
	struct timespec until;

	for (struct control_client *client = server->clients; client; client = client->next)
		client_close(client);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	for (struct control_client *client = server->clients; client; client = client->next)
		client_await(client, &until);
	uv_close((uv_handle_t *)&server->listener, on_listener_closed);
	control_socket_close(&server->socket);
	close(server->spare_fd);
}

void control_server_open_to(struct control_server *server, bool everybody)
{
	control_socket_open_to(&server->socket, server->log, everybody);
}
