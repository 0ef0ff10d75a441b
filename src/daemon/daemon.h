/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon: the gateway as a running program: everything that has a descriptor, on one libuv loop.
 *
 * daemon_run() is the whole life.  The parts each own one thing and are started and stopped in
 * mirrored order: uplinks (routes, paths, guard), service (the gateway's own namespace), guests
 * (links), publish (forwards), redirects, control.
 */
#ifndef TUNGATE_DAEMON_DAEMON_H
#define TUNGATE_DAEMON_DAEMON_H

#include <stdbool.h>
#include <uv.h>
#include "base/log.h"
#include "daemon/requests.h"
#include "tungate/engine.h"

struct control_server;
struct dns_forwarder;
struct domain_policy;
struct guests;
struct io;
struct leases_file;
struct publish;
struct redirects;
struct service;
struct uplinks;

struct daemon {
	struct log *log;
	bool level_given;        /* on the command line: a reload leaves the level alone */
	const char *config_path; /* NULL: built-in defaults */
	const char *control;     /* overrides the config's socket path; NULL: it does not */
	struct config *config;
	uv_loop_t *loop;
	struct engine *engine;
	void *arena;
	size_t arena_bytes;
	uint64_t started_s; /* Unix time */
	uint64_t started_ms;

	struct domain_policy *domains;
	struct io *io;
	struct uplinks *uplinks;
	struct dns_forwarder *dns;
	struct service *service;
	struct leases_file *leases;
	struct guests *guests;
	struct publish *publish;
	struct redirects *redirects;
	struct requests *requests;
	struct control_server *server;

	uv_signal_t signals[3];
	uv_timer_t ticker;
	uv_prepare_t before_sleep;
	int exit_status;
};

struct daemon_options {
	const char *config_path; /* NULL: built-in defaults */
	const char *control;     /* NULL: the config's */
	struct log *log;         /* its level becomes the config's unless level_given */
	bool level_given;
	log_sink *syslog; /* becomes the sink where the config says so */
};

/* Run until SIGTERM or SIGINT; returns the exit status: 0, or 1 where it could not start. */
int daemon_run(const struct daemon_options *options);
/* Read and check a file.  The config, or NULL with its errors (freed by the caller). */
struct config *daemon_config_read(const char *path, struct config_errors *errors);

/* The operations that the control socket's requests need. */
void daemon_ops_fill(struct daemon *daemon, struct daemon_ops *ops);
/* Read the config again, all or nothing: 0, or -errno with what is wrong in `errors`. */
int daemon_reload(struct daemon *daemon, struct config_errors *errors);

#endif
