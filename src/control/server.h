/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server: the control socket, its clients, and the dispatch of their requests to a table of
 * handlers.
 *
 * One client's requests are handled one after the other; the next one is not looked at before the
 * last answer has left, so a client that does not read costs no more than its own slot.
 */
#ifndef TUNGATE_CONTROL_SERVER_H
#define TUNGATE_CONTROL_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>
#include "base/log.h"
#include "control/peer.h"
#include "control/protocol.h"

struct control_server;
struct control_client;

/* A request being handled; it lives until its handler returns. */
struct control_request {
	struct control_client *client;
	const json_t *id;
	json_t *params;                  /* an object */
	const struct control_peer *peer; /* who asks; lives as long as the client */
	bool answered;
};

/* A handler answers exactly once: control_reply(), _fail(), _produce() or _stream(). */
struct control_method {
	const char *name;
	void (*handle)(void *context, struct control_request *request);
	bool bare; /* takes no parameters: the server refuses any */
};

/* Answer with `result` (reference taken over; NULL: out of memory, which is then the answer). */
void control_reply(struct control_request *request, json_t *result);
/* Answer with an error and a sentence. */
void control_fail(struct control_request *request, enum control_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The last descriptor that the client passed (SCM_RIGHTS) and no request took yet, or -1.  It may
 * be anything, and to use or to close it may take for ever: look at it with care, and take (it is
 * the caller's then) only what is known not to.
 */
int control_descriptor(const struct control_request *request);
int control_take_descriptor(struct control_request *request);

/*
 * An answer made piece by piece, as fast as the client reads it and in small portions, so that
 * neither memory nor the loop suffers from a long one.
 */
struct control_producer {
	/* Returns false at the end.  Else sets *item to a new reference, or leaves it NULL: nothing
	 * this time, call again. */
	bool (*next)(void *context, json_t **item);
	void (*release)(void *context); /* all said, or the client is gone */
	void *context;
	bool list; /* the result is the list of the items; else it is the one item */
};
void control_produce(struct control_request *request, const struct control_producer *producer);

/*
 * Answer with events until the client goes; `closed` is called then.  A stream is known by its
 * client, which is valid until `closed` was called.
 */
struct control_client *control_stream(
	struct control_request *request, void (*closed)(void *context), void *context);
/* Send one event (reference taken over).  A client that does not keep up is closed, and `closed`
 * called, before this returns. */
void control_stream_push(struct control_client *client, json_t *event);
/* Who it is. */
const struct control_peer *control_client_peer(const struct control_client *client);

struct control_settings {
	const char *path;
	const char *group; /* that may open the socket; NULL or "": only its owner's */
	bool everybody;    /* may open it */
	/* May the peer call the method?  False after the request was answered.  NULL: all of them.
	 */
	bool (*authorize)(void *context, struct control_request *request, const char *method);
	/* Does the peer count as an administrator, where places are shared?  NULL: everybody. */
	bool (*privileged)(void *context, const struct control_peer *peer);
	const struct control_method *methods;
	unsigned method_count;
	void *context;        /* of the handlers */
	uint64_t line_max_ms; /* for a line to be complete after its first byte; 0: a minute */
};

/*
 * Listen.  0 or -errno, logged; -EADDRINUSE where another instance serves this path.  A socket left
 * behind by a dead instance is replaced; a missing parent directory is made (one level).
 * `log` and `methods` are borrowed as long as it runs; `path` and `group` only now.
 */
int control_server_start(uv_loop_t *loop, const struct log *log,
	const struct control_settings *settings, struct control_server **server);
/* From now on everybody, or no longer everybody, may open the socket. */
void control_server_open_to(struct control_server *server, bool everybody);
/* Close every client and remove the socket.  The server frees itself once libuv has let go of its
 * handles: run the loop until then. */
void control_server_stop(struct control_server *server);

#endif
