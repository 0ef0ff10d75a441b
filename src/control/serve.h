/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve: one client of the control socket; private to src/control.
 *
 * A client is in one state at a time:
 *
 *	READING    waits for a line; handles one per turn of the loop
 *	PRODUCING  an answer is being made, a portion per turn, each once the one before was sent
 *	STREAMING  events go out; what comes in is thrown away
 *	LEAVING    closes once the last bytes were sent
 *	CLOSED     only libuv still knows it
 *
 * What a client passes may be anything: to close it may take as long as its owner likes (a socket
 * that lingers, a file of a file system of theirs), and so may the connection itself, with what is
 * in its queue.  Only a thread of the client's own closes them, and the client keeps its place
 *until that has ended.
 *
 * Whatever the state, nothing new is begun while bytes wait in the output queue.  That bounds what
 * a client can cost: one request line, one answer (or one portion of it, or
 *CONTROL_STREAM_BYTES_MAX of events), and one turn's work.
 */
#ifndef TUNGATE_CONTROL_SERVE_H
#define TUNGATE_CONTROL_SERVE_H

#include <time.h>
#include "control/queue.h"
#include "control/server.h"
#include "control/socket.h"

#define CONTROL_STREAM_BYTES_MAX (1024 * 1024)
#define PASSED_MAX               253 /* descriptors with one message: the kernel's limit */
#define PASSED_KEPT              16  /* that no request took */

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
	struct control_peer peer;
	uv_poll_t poll;
	uv_timer_t line_timer;
	enum client_state state;
	int fd;
	int events;            /* that are polled for */
	unsigned handles;      /* that libuv still knows */
	bool privileged;       /* counts against nobody's share */
	bool turned_away;      /* there was no place: it is told so, and leaves */
	unsigned passed_count; /* descriptors that were not taken */
	int passed[PASSED_KEPT + PASSED_MAX];
	bool closer_runs;
	uv_thread_t closer;
	uv_async_t closer_ended;
	bool end_of_input;
	bool produced_any;

	struct control_producer producer;
	json_t *id; /* of the stream */
	void (*closed)(void *context);
	void *closed_context;

	struct control_queue output;
	size_t input_length;
	char input[CONTROL_REQUEST_BYTES_MAX + 1];
};

struct control_server {
	uv_loop_t *loop;
	const struct log *log;
	struct control_settings settings; /* without the strings, which are the caller's */
	struct control_socket socket;
	uv_poll_t listener;
	bool stopped;
	int spare_fd; /* given up for a moment to refuse a client when descriptors are short */
	struct control_client *clients; /* those whose descriptors are being closed, too */
	unsigned producing;             /* clients in that state */
	unsigned client_count, turned_away_count; /* the latter are among the former */
};

/* Serve a connection, whose peer is known; both are the client's then.  NULL: out of memory. */
struct control_client *client_open(
	struct control_server *server, int fd, const struct control_peer *peer, bool privileged);
/* Tell it that there is no place for it, and have it leave. */
void client_turn_away(struct control_client *client);
void client_close(struct control_client *client);
/* Wait for its descriptors to be closed, until this moment (CLOCK_REALTIME). */
void client_await(struct control_client *client, const struct timespec *until);

/* Find the method and have it answer (server.c). */
void request_dispatch(struct control_request *request, const char *name);
/* A client is gone: let in who waits; free a stopped server once the last one is (server.c). */
void server_release(struct control_server *server);

#endif
