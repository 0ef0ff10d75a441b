/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control: whatever bytes a client sends, each line that comes back is an answer, the server lives,
 * and the next client is served.  The methods are the real ones, over an engine without traffic.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/requests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- a daemon that refuses to do anything but publish ports ---- */

struct world {
	uv_loop_t loop;
	struct sockaddr_un address;
	struct config *config;
	struct forward forward;
	bool published;
};

static const struct config *world_config(void *context)
{
	return ((struct world *)context)->config;
}

static void world_status(void *context, struct daemon_status *status)
{
	(void)context, (void)status;
}

static uint64_t world_now(void *context)
{
	(void)context;
	return 0;
}

static bool world_link(void *context, unsigned index, struct daemon_link *link)
{
	(void)context;
	*link = (struct daemon_link){.name = "web", .kind = "netns", .zone = 0};
	return index == 0;
}

static const char *world_link_name(void *context, zone_id zone)
{
	(void)context;
	return zone == 0 ? "web" : NULL;
}

static bool world_find(void *context, uint16_t network, const char *name, uint8_t family,
	uint8_t *found_family, union addr *address)
{
	(void)context, (void)network;
	*found_family = AF_INET;
	*address = addr_v4(10, 77, 0, 2);
	return family != AF_INET6 && strcmp(name, "web") == 0;
}

static int world_attach(void *context, const struct daemon_attach *attach, struct daemon_link *link,
	struct request_error *error)
{
	(void)context, (void)error;
	assert(attach->netns_fd >= 0 || attach->link.netns[0] || attach->link.kind != LINK_NETNS);
	return world_link(context, 0, link) ? 0 : -EIO;
}

static int world_detach(
	void *context, uint16_t network, const char *name, struct request_error *error)
{
	(void)context, (void)network, (void)name, (void)error;
	return -ENOENT;
}

static const struct forward *world_forward(void *context, unsigned index)
{
	const struct world *world = context;

	return world->published && index == 0 ? &world->forward : NULL;
}

static int world_forward_add(
	void *context, const struct forward *forward, struct request_error *error)
{
	struct world *world = context;

	(void)error;
	assert(forward->ports.first <= forward->ports.last);
	if (world->published)
		return -EADDRINUSE;
	world->forward = *forward;
	world->published = true;
	return 0;
}

static int world_forward_del(
	void *context, const struct forward *forward, struct request_error *error)
{
	struct world *world = context;

	(void)error;
	assert(world->published && forward->ports.first == world->forward.ports.first);
	world->published = false;
	return 0;
}

static bool world_redirected(void *context, uint8_t protocol, uint8_t family,
	const union addr *peer, uint16_t port, struct flow_info *flow)
{
	(void)context, (void)protocol, (void)family, (void)peer, (void)port, (void)flow;
	return false;
}

static int world_reload(void *context, struct config_errors *errors)
{
	(void)context, (void)errors;
	return -EIO;
}

static enum route_result no_route(
	void *context, uint8_t family, const union addr *destination, struct route *route)
{
	(void)context, (void)family, (void)destination, (void)route;
	return ROUTE_NONE;
}

static struct engine *make_engine(const struct config *config)
{
	const struct limits_config limits = {.flows = 64, .icmp_errors_per_second = 1};
	const struct engine_host host = {.route = no_route};
	const struct engine_params params = {
		.limits = &limits,
		.timeouts = &config->timeouts,
		.ports = config->gateway.ports,
		.nat_addresses = 8,
		.host = &host,
	};
	void *arena = aligned_alloc(64, (engine_arena_bytes(&params) + 63) / 64 * 64);

	memset(arena, 0, engine_arena_bytes(&params));
	struct engine *engine = engine_create(arena, &params);
	free(engine_ruleset_swap(engine, ruleset_create(config)));
	return engine;
}

static void no_sink(void *context, enum log_level level, const char *line)
{
	(void)context, (void)level, (void)line;
}

static struct control_server *server;

static void server_stop(void)
{
	control_server_stop(server);
}

/* Made once; it lives as long as the fuzzer. */
static struct world *world_make(void)
{
	static const struct log log = {.level = LOG_LEVEL_ERROR, .sink = no_sink};
	struct world *world = calloc(1, sizeof(*world));
	struct config_errors errors;

	uv_loop_init(&world->loop);
	world->config = config_parse("fuzz", "[network lab]\nsubnet = 10.77.0.0/24\n", &errors);
	const struct daemon_ops ops = {
		.context = world,
		.engine = make_engine(world->config),
		.names = {.find = world_find},
		.config = world_config,
		.status = world_status,
		.now_ms = world_now,
		.link = world_link,
		.link_name = world_link_name,
		.attach = world_attach,
		.detach = world_detach,
		.forward = world_forward,
		.forward_add = world_forward_add,
		.forward_del = world_forward_del,
		.redirected = world_redirected,
		.reload = world_reload,
	};
	world->address.sun_family = AF_UNIX;
	snprintf(world->address.sun_path, sizeof(world->address.sun_path),
		"/tmp/tungate-fuzz.%d/control", (int)getpid());
	const struct control_settings settings = {
		.path = world->address.sun_path,
		.methods = requests_methods,
		.method_count = requests_method_count,
		.context = requests_create(&ops),
	};
	if (control_server_start(&world->loop, &log, &settings, &server) < 0)
		abort();
	atexit(server_stop);
	return world;
}

/* ---- clients ---- */

static int client_open(const struct world *world)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert(fd >= 0);
	assert(connect(fd, (const struct sockaddr *)&world->address, sizeof(world->address)) == 0);
	return fd;
}

static void expect_answer(const char *line, size_t length)
{
	struct control_answer answer;
	const bool valid = control_answer_parse(line, length, &answer);

	assert(valid);
	control_answer_release(&answer);
}

/* Send, say that nothing follows, and check every line until the server closes. */
static unsigned converse(struct world *world, const uint8_t *data, size_t size)
{
	static char line[1 << 20];
	const int fd = client_open(world);
	size_t sent = 0, held = 0;
	unsigned answers = 0;

	for (;;) {
		if (sent < size) {
			const ssize_t took = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
			sent = took < 0 && errno != EAGAIN ? size
							   : sent + (took > 0 ? (size_t)took : 0);
		}
		if (sent == size)
			shutdown(fd, SHUT_WR);
		uv_run(&world->loop, UV_RUN_NOWAIT);
		const ssize_t got = recv(fd, line + held, sizeof(line) - held, 0);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			break;
		held += got > 0 ? (size_t)got : 0;
		for (char *end; (end = memchr(line, '\n', held)); answers++) {
			expect_answer(line, (size_t)(end - line));
			held -= (size_t)(end + 1 - line);
			memmove(line, end + 1, held);
		}
	}
	assert(held == 0);
	close(fd);
	return answers;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *world;
	static const uint8_t good[] = "{\"id\":1,\"method\":\"version\"}\n";

	if (world == NULL)
		world = world_make();
	converse(world, data, size);
	assert(converse(world, good, sizeof(good) - 1) == 1);
	return 0;
}
