/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon: start, run, stop.
 *
 * Start goes from what can say no to what others can see: config, privileges, engine, uplinks with
 * their guard, services, links, published ports, control socket; then READY=1.  Stop is the same
 * ladder downwards, after which nothing of the gateway is left on the host.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include "control/server.h"
#include "daemon/access.h"
#include "daemon/daemon.h"
#include "daemon/domains.h"
#include "daemon/guests.h"
#include "daemon/io.h"
#include "daemon/leases.h"
#include "daemon/packet_log.h"
#include "daemon/publish.h"
#include "daemon/redirects.h"
#include "daemon/service.h"
#include "daemon/uplinks.h"
#include "helper/helpers.h"
#include "host/privileges.h"

#define CONFIG_BYTES_MAX (1024 * 1024)

/* ---- config ---- */

static void config_error(struct config_errors *errors, const char *path, const char *what)
{
	errors->text = calloc(1, sizeof(*errors->text));
	if (errors->text != NULL && asprintf(&errors->text[0], "%s: %s", path, what) >= 0)
		errors->count = 1;
}

struct config *daemon_config_read(const char *path, struct config_errors *errors)
{
	struct config *config = NULL;
	char *text = calloc(1, CONFIG_BYTES_MAX + 2);

	*errors = (struct config_errors){0};
	if (path == NULL || text == NULL) {
		free(text);
		return path == NULL ? config_parse("built-in", "", errors) : NULL;
	}
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		config_error(errors, path, strerror(errno));
		free(text);
		return NULL;
	}
	const size_t bytes = fread(text, 1, CONFIG_BYTES_MAX + 1, file);
	if (ferror(file))
		config_error(errors, path, strerror(errno));
	else if (bytes > CONFIG_BYTES_MAX)
		config_error(errors, path, "larger than 1 MiB; a configuration is at most that");
	else if (memchr(text, '\0', bytes) != NULL)
		config_error(errors, path, "holds a NUL byte; a configuration is plain text");
	else
		config = config_parse(path, text, errors);
	fclose(file);
	free(text);
	if (config == NULL || access_resolve(config, path, errors))
		return config;
	config_free(config);
	return NULL;
}

static struct config *config_load(const struct daemon_options *options)
{
	struct config_errors errors;
	struct config *config = daemon_config_read(options->config_path, &errors);

	for (unsigned i = 0; i < errors.count; i++)
		log_error(options->log, "%s", errors.text[i]);
	config_errors_free(&errors);
	return config;
}

/* ---- time ---- */

static void ticker_run(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;

	engine_tick(daemon->engine, uv_now(daemon->loop));
	io_flush_engine(daemon->io);
}

/* The engine's next deadline is looked at when the loop is about to sleep, not per packet. */
static void ticker_arm(uv_prepare_t *prepare)
{
	struct daemon *daemon = prepare->data;
	const uint64_t deadline = engine_deadline(daemon->engine), now = uv_now(daemon->loop);

	if (deadline == UINT64_MAX)
		uv_timer_stop(&daemon->ticker);
	else
		uv_timer_start(&daemon->ticker, ticker_run, deadline > now ? deadline - now : 0, 0);
}

/* ---- signals ---- */

static void reload_by_signal(struct daemon *daemon)
{
	struct config_errors errors = {0};

	sd_notify(0, "RELOADING=1");
	if (daemon_reload(daemon, &errors) != 0)
		log_error(daemon->log, "reload: nothing is changed");
	for (unsigned i = 0; i < errors.count; i++)
		log_error(daemon->log, "reload: %s", errors.text[i]);
	config_errors_free(&errors);
	sd_notify(0, "READY=1");
}

static void signal_received(uv_signal_t *signal, int number)
{
	struct daemon *daemon = signal->data;

	if (number == SIGHUP) {
		reload_by_signal(daemon);
		return;
	}
	log_info(daemon->log, "%s: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
	uv_stop(daemon->loop);
}

static void signals_start(struct daemon *daemon)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < 3; i++) {
		uv_signal_init(daemon->loop, &daemon->signals[i]);
		daemon->signals[i].data = daemon;
		uv_signal_start(&daemon->signals[i], signal_received, numbers[i]);
	}
}

/* ---- engine ---- */

static void flow_event(void *context, enum flow_event event, const struct flow_info *flow)
{
	struct daemon *daemon = context;

	requests_flow_event(daemon->requests, event, flow);
}

static void packet_log(void *context, const struct rule_log *line)
{
	const struct daemon *daemon = context;
	const char *const links[] = {
		guests_name(daemon->guests, line->in), guests_name(daemon->guests, line->out)};
	char text[PACKET_LOG_SIZE];

	domain_policy_packet_refused(daemon->domains, line);
	if (daemon->log->level >= LOG_LEVEL_INFO)
		log_info(daemon->log, "%s", packet_log_format(daemon->config, line, links, text));
}

static int engine_start(struct daemon *daemon)
{
	const struct engine_host host = {
		.context = daemon, .route = uplinks_route, .event = flow_event, .log = packet_log};
	struct engine_params params = {
		.limits = &daemon->config->limits,
		.timeouts = &daemon->config->timeouts,
		.ports = daemon->config->gateway.ports,
		.host = &host,
		.helpers = helpers,
		.helper_count = HELPER_COUNT,
		.now_ms = uv_now(daemon->loop),
	};
	struct ruleset *ruleset;

	if (getrandom(params.seed, sizeof(params.seed), 0) != sizeof(params.seed))
		return -errno;
	daemon->arena_bytes = engine_arena_bytes(&params);
	daemon->arena = mmap(NULL, daemon->arena_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (daemon->arena == MAP_FAILED) {
		log_error(daemon->log,
			"no memory for %u flows (%zu MiB); lower `flows` in [limits]",
			daemon->config->limits.flows, daemon->arena_bytes >> 20);
		return -ENOMEM;
	}
	madvise(daemon->arena, daemon->arena_bytes, MADV_HUGEPAGE);
	daemon->engine = engine_create(daemon->arena, &params);
	ruleset = ruleset_create(daemon->config);
	if (daemon->engine == NULL || ruleset == NULL) {
		ruleset_free(ruleset);
		engine_free(daemon->engine);
		munmap(daemon->arena, daemon->arena_bytes);
		return -ENOMEM;
	}
	engine_ruleset_swap(daemon->engine, ruleset);
	engine_networks_set(
		daemon->engine, daemon->config->networks, daemon->config->network_count);
	return 0;
}

static void engine_stop(struct daemon *daemon)
{
	engine_free(daemon->engine);
	munmap(daemon->arena, daemon->arena_bytes);
}

/* ---- control ---- */

static int control_start(struct daemon *daemon)
{
	struct daemon_ops ops;
	struct control_settings settings = {
		.path = daemon->control != NULL ? daemon->control : daemon->config->gateway.control,
		.group = daemon->config->gateway.control_group,
		.everybody = access_is_shared(daemon->config),
		.authorize = requests_authorize,
		.privileged = requests_privileged,
		.methods = requests_methods,
		.method_count = requests_method_count,
	};

	daemon_ops_fill(daemon, &ops);
	daemon->requests = requests_create(&ops);
	if (daemon->requests == NULL)
		return -ENOMEM;
	settings.context = daemon->requests;
	const int error =
		control_server_start(daemon->loop, daemon->log, &settings, &daemon->server);
	if (error != 0)
		requests_free(daemon->requests);
	return error;
}

static void control_stop(struct daemon *daemon)
{
	control_server_stop(daemon->server);
	uv_run(daemon->loop, UV_RUN_NOWAIT);
	requests_free(daemon->requests);
	daemon->requests = NULL;
}

static int forwards_start(struct daemon *daemon)
{
	struct request_error error;

	for (unsigned i = 0; i < daemon->config->forward_count; i++) {
		const struct forward *forward = &daemon->config->forwards[i];
		const int result = publish_add(daemon->publish, forward, &error);
		if (result == 0)
			continue;
		log_error(daemon->log, "%s:%u: %s", daemon->config_path, forward->line, error.text);
		return result;
	}
	return publish_renew(daemon->publish);
}

/* ---- life ---- */

static void loop_close_handle(uv_handle_t *handle, void *argument)
{
	(void)argument;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Close what handles there still are, and see them closed. */
static void loop_finish(struct daemon *daemon)
{
	uv_walk(daemon->loop, loop_close_handle, NULL);
	uv_run(daemon->loop, UV_RUN_DEFAULT);
}

static void daemon_loop(struct daemon *daemon)
{
	signals_start(daemon);
	uv_timer_init(daemon->loop, &daemon->ticker);
	daemon->ticker.data = daemon;
	uv_prepare_init(daemon->loop, &daemon->before_sleep);
	daemon->before_sleep.data = daemon;
	uv_prepare_start(&daemon->before_sleep, ticker_arm);
	sd_notify(0, "READY=1");
	log_info(daemon->log, "tungated " TUNGATE_VERSION " is ready");
	uv_run(daemon->loop, UV_RUN_DEFAULT);
	sd_notify(0, "STOPPING=1");
	uv_prepare_stop(&daemon->before_sleep);
}

/* Everything between a checked config and the loop; mirrored on the way back. */
static int daemon_start_and_run(struct daemon *daemon)
{
	int error = privileges_check(daemon->log);

	if (error != 0)
		return error;
	error = engine_start(daemon);
	if (error != 0)
		return error;
	error = domain_policy_create(daemon, &daemon->domains);
	if (error != 0)
		goto domains;
	error = io_create(daemon, &daemon->io);
	if (error != 0)
		goto io;
	/* Second instances are refused here, before anything of the first one's is touched. */
	error = control_start(daemon);
	if (error != 0)
		goto control;
	error = uplinks_create(daemon, &daemon->uplinks);
	if (error != 0)
		goto uplinks;
	uplinks_start(daemon->uplinks);
	error = service_create(daemon, &daemon->service);
	if (error != 0)
		goto service;
	error = leases_open(daemon, &daemon->leases);
	if (error != 0)
		goto leases;
	error = guests_create(daemon, &daemon->guests);
	if (error != 0)
		goto guests;
	error = publish_create(daemon, &daemon->publish);
	if (error != 0)
		goto publish;
	error = redirects_create(daemon, &daemon->redirects);
	if (error != 0)
		goto redirects;
	guests_start(daemon->guests);
	error = forwards_start(daemon);
	if (error == 0)
		error = privileges_drop(daemon->log);
	if (error == 0)
		daemon_loop(daemon);

	redirects_free(daemon->redirects);
redirects:
	publish_free(daemon->publish);
publish:
	guests_free(daemon->guests);
guests:
	leases_close(daemon->leases);
leases:
	service_free(daemon->service);
service:
	uplinks_free(daemon->uplinks);
uplinks:
	control_stop(daemon);
control:
	loop_finish(daemon);
	io_free(daemon->io);
io:
	domain_policy_free(daemon->domains);
domains:
	engine_stop(daemon);
	return error;
}

int daemon_run(const struct daemon_options *options)
{
	uv_loop_t loop;
	struct daemon daemon = {
		.log = options->log,
		.level_given = options->level_given,
		.config_path = options->config_path,
		.control = options->control,
		.loop = &loop,
		.started_s = (uint64_t)time(NULL),
	};

	daemon.config = config_load(options);
	if (daemon.config == NULL)
		return 1;
	if (!options->level_given)
		options->log->level = daemon.config->gateway.log_level;
	if (daemon.config->gateway.log_syslog)
		options->log->sink = options->syslog;
	uv_loop_init(&loop);
	daemon.started_ms = uv_now(&loop);
	const int error = daemon_start_and_run(&daemon);
	uv_loop_close(&loop);
	config_free(daemon.config);
	return error == 0 ? 0 : 1;
}
