/* SPDX-License-Identifier: BSD-2-Clause */
/* gateway: a whole engine for tests. */
#include "gateway.h"
#include "arena.h"
#include "helper/helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some hours after the machine's start, close below 2^32 ms so that clocks wrap around in tests. */
#define START_MS 0xfffff000ULL

static const struct world_route {
	const char *prefix;
	enum route_result result;
	uint16_t path;
	uint16_t mtu;
} world_routes[] = {
	{"192.0.2.1", ROUTE_LOCAL, 0, 0},
	{"2001:db8::1", ROUTE_LOCAL, 0, 0},
	{"198.51.100.0/24", ROUTE_UPLINK, 1, 1280},
	{"2001:db8:51::/48", ROUTE_UPLINK, 1, 1280},
	{"203.0.113.0/24", ROUTE_NONE, 0, 0},
	{"198.18.0.0/15", ROUTE_PROHIBITED, 0, 0},
	{"0.0.0.0/0", ROUTE_UPLINK, 0, 1500},
	{"::/0", ROUTE_UPLINK, 0, 1500},
};
static const char *const world_hosts[] = {"192.0.2.1", "2001:db8::1"};

static union addr host_address(uint8_t family)
{
	union addr address;

	addr_parse(world_hosts[family == AF_INET6], &address, &family);
	return address;
}

static enum route_result world_route(
	void *context, uint8_t family, const union addr *destination, struct route *route)
{
	const struct world_route *row = world_routes;
	struct prefix prefix;

	(void)context;
	while (prefix_parse(row->prefix, &prefix) != NULL ||
		!prefix_contains(&prefix, family, destination))
		row++;
	*route = (struct route){.path = row->path, .mtu = row->mtu, .source = host_address(family)};
	return row->result;
}

static struct config *config_or_abort(const char *text)
{
	struct config_errors errors;
	struct config *config = config_parse("test", text, &errors);

	if (config != NULL)
		return config;
	for (unsigned i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	abort();
}

static void require(int result, const char *what)
{
	if (result == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-result));
	abort();
}

static void furnish(struct engine *engine, const struct config *config)
{
	engine_ruleset_swap(engine, ruleset_create(config));
	engine_networks_set(engine, config->networks, config->network_count);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t family = i == 0 ? AF_INET : AF_INET6;
		const union addr address = host_address(family);
		require(engine_external_add(engine, family, &address), world_hosts[i]);
	}
	for (unsigned i = 0; i < config->link_count; i++) {
		const struct link_config *link = &config->links[i];
		const struct engine_link engine_link = {
			.network = link->network,
			.mtu = config->networks[link->network].mtu,
			.whole_subnet = link->kind == LINK_TUN,
			.address4 = link->address4,
			.address6 = link->address6,
		};
		require(engine_link_set(engine, (zone_id)i, &engine_link), link->name);
	}
	for (unsigned i = 0; i < config->forward_count; i++)
		require(engine_forward_add(engine, &config->forwards[i]), "forward");
}

struct gateway *gateway_create(const char *config_text, uint32_t flows)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	const struct engine_host host = {.route = world_route};

	if (gateway == NULL)
		abort();
	gateway->config = config_or_abort(config_text);
	gateway->now_ms = START_MS;
	if (flows != 0)
		gateway->config->limits.flows = flows;
	const struct engine_params params = {
		.limits = &gateway->config->limits,
		.timeouts = &gateway->config->timeouts,
		.ports = gateway->config->gateway.ports,
		.nat_addresses = 8,
		.seed = "the same always",
		.host = &host,
		.helpers = helpers,
		.helper_count = HELPER_COUNT,
		.now_ms = gateway->now_ms,
	};
	gateway->arena_bytes = engine_arena_bytes(&params);
	gateway->arena = arena_map(gateway->arena_bytes);
	gateway->engine = engine_create(gateway->arena, &params);
	if (gateway->engine == NULL)
		abort();
	furnish(gateway->engine, gateway->config);
	return gateway;
}

void gateway_free(struct gateway *gateway)
{
	engine_free(gateway->engine);
	arena_unmap(gateway->arena, gateway->arena_bytes);
	config_free(gateway->config);
	free(gateway);
}

zone_id gateway_zone(const struct gateway *gateway, const char *name)
{
	if (strcmp(name, "uplink") == 0)
		return ZONE_UPLINK;
	for (unsigned i = 0; i < gateway->config->link_count; i++)
		if (strcmp(gateway->config->links[i].name, name) == 0)
			return (zone_id)i;
	return ZONE_NONE;
}

void gateway_advance(struct gateway *gateway, uint64_t milliseconds)
{
	const uint64_t until_ms = gateway->now_ms + milliseconds;

	for (;;) {
		const uint64_t deadline_ms = engine_deadline(gateway->engine);
		if (deadline_ms > until_ms)
			break;
		if (deadline_ms > gateway->now_ms)
			gateway->now_ms = deadline_ms;
		engine_tick(gateway->engine, gateway->now_ms);
	}
	gateway->now_ms = until_ms;
}

enum verdict gateway_input(struct gateway *gateway, zone_id zone, struct packet *packet)
{
	packet->in_zone = zone;
	return engine_input(gateway->engine, packet, gateway->now_ms);
}

unsigned gateway_end_flows(struct gateway *gateway)
{
	struct flow_info info;
	uint32_t cursor = 0;
	unsigned ended = 0;

	while (engine_flow_next(gateway->engine, &cursor, &info))
		ended += engine_flow_end(gateway->engine, info.id);
	return ended;
}
