/* SPDX-License-Identifier: BSD-2-Clause */
/* lab: the engine in a small world of its own. */
#include "lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "base/embed.h"
#include "helper/helpers.h"
#include "packets.h"

/* Close below 2^32 ms, so that the short clocks wrap around in the middle of stories. */
#define START_MS 0xffff0000ULL

#define BASE_CONFIG                                                                                \
	"[network lab]\n"                                                                          \
	"subnet = 10.77.0.0/24, fd77::/64\n"                                                       \
	"%s"                                                                                       \
	"[network far]\n"                                                                          \
	"subnet = 10.88.0.0/24, fd88::/64\n"                                                       \
	"mtu = 1300\n"                                                                             \
	"[network wide]\n"                                                                         \
	"subnet = 10.99.0.0/24, fd99::/64\n"                                                       \
	"[link guest]\n"                                                                           \
	"network = lab\n"                                                                          \
	"netns = guest\n"                                                                          \
	"address = 10.77.0.2, fd77::2\n"                                                           \
	"[link second]\n"                                                                          \
	"network = lab\n"                                                                          \
	"netns = second\n"                                                                         \
	"address = 10.77.0.3, fd77::3\n"                                                           \
	"[link far]\n"                                                                             \
	"network = far\n"                                                                          \
	"netns = far\n"                                                                            \
	"address = 10.88.0.2, fd88::2\n"                                                           \
	"[link wide]\n"                                                                            \
	"network = wide\n"                                                                         \
	"kind = tun\n"

static const struct place {
	const char *name;
	const char *address[2];
	struct lab_route route;
} places[] = {
	{"guest", {"10.77.0.2", "fd77::2"}, {.result = ROUTE_LOCAL}},
	{"second", {"10.77.0.3", "fd77::3"}, {.result = ROUTE_LOCAL}},
	{"nobody", {"10.77.0.99", "fd77::99"}, {.result = ROUTE_LOCAL}},
	{"gateway", {"10.77.0.1", "fd77::1"}, {.result = ROUTE_LOCAL}},
	{"far", {"10.88.0.2", "fd88::2"}, {.result = ROUTE_LOCAL}},
	{"far-gateway", {"10.88.0.1", "fd88::1"}, {.result = ROUTE_LOCAL}},
	{"wide", {"10.99.0.2", "fd99::2"}, {.result = ROUTE_LOCAL}},
	{"wider", {"10.99.0.3", "fd99::3"}, {.result = ROUTE_LOCAL}},
	{"wide-gateway", {"10.99.0.1", "fd99::1"}, {.result = ROUTE_LOCAL}},
	{"host", {"192.0.2.1", "2001:db8::1"}, {.result = ROUTE_LOCAL}},
	{"host2", {"192.0.2.2", "2001:db8::2"}, {.result = ROUTE_LOCAL}},
	{"local", {"192.0.2.3", "2001:db8::3"}, {.result = ROUTE_LOCAL}},
	{"outside", {"192.0.2.5", "2001:db8::5"}, {ROUTE_UPLINK, 1, 1500, "host"}},
	{"outside2", {"192.0.2.6", "2001:db8::6"}, {ROUTE_UPLINK, 1, 1500, "host"}},
	{"outside3", {"192.0.2.7", "2001:db8::7"}, {ROUTE_UPLINK, 1, 1500, "host"}},
	{"router", {"192.0.2.254", "2001:db8::fe"}, {ROUTE_UPLINK, 1, 1500, "host"}},
	{"server", {"198.51.100.1", "2001:db8:1::1"}, {ROUTE_UPLINK, 1, 1500, "host"}},
	{"server2", {"198.51.100.2", "2001:db8:1::2"}, {ROUTE_UPLINK, 1, 1500, "host"}},
	{"server3", {"198.51.100.3", "2001:db8:1::3"}, {ROUTE_UPLINK, 1, 1500, "host"}},
	{"beyond", {"203.0.113.1", "2001:db8:2::1"}, {ROUTE_UPLINK, 2, 1280, "host2"}},
	{"nowhere", {"198.18.0.1", "2001:db8:3::1"}, {.result = ROUTE_NONE}},
	{"forbidden", {"198.18.1.1", "2001:db8:4::1"}, {.result = ROUTE_PROHIBITED}},
	{"loopback", {"127.0.0.1", "::1"}, {.result = ROUTE_LOCAL}},
	{"multicast", {"239.1.1.1", "ff05::1"}, {ROUTE_UPLINK, 1, 1500, "host"}},
	{"unspecified", {"0.0.0.0", "::"}, {.result = ROUTE_NONE}},
	{"broadcast", {"10.77.0.255", "ff02::1"}, {ROUTE_UPLINK, 1, 1500, "host"}},
};
#define PLACES (sizeof(places) / sizeof(places[0]))
static_assert(PLACES <= LAB_PLACES, "each place has a route of its own in every lab");

/* ---- places ---- */

static const struct place *place_named(const char *name, size_t length)
{
	for (size_t i = 0; i < PLACES; i++)
		if (strlen(places[i].name) == length && memcmp(places[i].name, name, length) == 0)
			return &places[i];
	return NULL;
}

const char *lab_address_text(const struct lab *lab, const char *place, size_t length)
{
	const struct place *found = place_named(place, length);

	return found ? found->address[lab->family == AF_INET6] : NULL;
}

static union addr place_address(const struct place *place, uint8_t family)
{
	union addr address;

	cr_assert(addr_parse(place->address[family == AF_INET6], &address, &family));
	return address;
}

bool lab_word_address(
	const struct lab *lab, const char *word, size_t length, char text[ADDR_TEXT_SIZE])
{
	const bool v4 = length > 3 && strncmp(word, "v4.", 3) == 0;
	const bool nat64 = length > 6 && strncmp(word, "nat64.", 6) == 0;
	const size_t skip = v4 ? 3 : nat64 ? 6 : 0;
	const struct place *found = place_named(word + skip, length - skip);
	const uint8_t family = v4 || nat64 ? AF_INET : lab->family;

	if (found == NULL)
		return false;
	union addr address = place_address(found, family);
	if (nat64)
		address = embed_address(&lab->config->networks[0].nat64, &address);
	addr_format(nat64 ? AF_INET6 : family, &address, text);
	return true;
}

union addr lab_address(const struct lab *lab, const char *name)
{
	const struct place *place = place_named(name, strlen(name));

	cr_assert_not_null(place, "no place is called %s", name);
	return place_address(place, lab->family);
}

void lab_route(struct lab *lab, const char *name, struct lab_route route)
{
	const struct place *place = place_named(name, strlen(name));

	cr_assert_not_null(place, "no place is called %s", name);
	lab->routes[place - places] = route;
}

static union addr host_address(const char *name, uint8_t family)
{
	return place_address(place_named(name, strlen(name)), family);
}

static enum route_result host_route(
	void *context, uint8_t family, const union addr *destination, struct route *route)
{
	struct lab *lab = context;

	lab->routes_asked++;
	for (size_t i = 0; i < PLACES; i++) {
		const union addr address = place_address(&places[i], family);
		const struct lab_route *known = &lab->routes[i];
		if (!addr_equal(&address, destination))
			continue;
		if (known->result == ROUTE_UPLINK)
			*route = (struct route){.path = known->path,
				.mtu = known->mtu,
				.source = host_address(known->source, family)};
		return known->result;
	}
	/* Elsewhere is anywhere, for tests with crowds. */
	*route = (struct route){.path = 1, .mtu = 1500, .source = host_address("host", family)};
	return ROUTE_UPLINK;
}

static void host_event(void *context, enum flow_event event, const struct flow_info *flow)
{
	struct lab *lab = context;

	(void)flow;
	lab->events[event]++;
}

static void host_log(void *context, const struct rule_log *line)
{
	struct lab *lab = context;

	lab->log_lines++;
	snprintf(lab->log_last, sizeof(lab->log_last), "%s %.*s in=%s out=%s %u suppressed %lu%s%s",
		line->chain, line->rule->log.length, line->rule->text + line->rule->log.at,
		lab_zone_name(lab, line->in), lab_zone_name(lab, line->out), line->destination_port,
		line->suppressed, line->domain != NULL ? " " : "",
		line->domain != NULL ? line->domain : "");
}

/* ---- zones ---- */

zone_id lab_zone(const struct lab *lab, const char *name)
{
	if (strcmp(name, "uplink") == 0)
		return ZONE_UPLINK;
	if (strcmp(name, "service") == 0)
		return ZONE_SERVICE(0);
	if (strncmp(name, "service-", 8) == 0)
		return ZONE_SERVICE(config_network_named(lab->config, name + 8));
	for (unsigned i = 0; i < lab->config->link_count; i++)
		if (strcmp(lab->config->links[i].name, name) == 0)
			return (zone_id)i;
	return ZONE_NONE;
}

const char *lab_zone_name(const struct lab *lab, zone_id zone)
{
	static const char *const services[] = {
		"service", "service-far", "service-wide", "service-twin"};

	if (zone == ZONE_UPLINK)
		return "uplink";
	if (ZONE_IS_SERVICE(zone) && (zone & 0x7fff) < 4)
		return services[zone & 0x7fff];
	return zone < lab->config->link_count ? lab->config->links[zone].name : "?";
}

/* ---- life ---- */

struct config *lab_config(const char *network, const char *sections)
{
	struct config_errors errors = {0};
	char *text = NULL;

	cr_assert(asprintf(&text, BASE_CONFIG "%s", network ? network : "",
			  sections ? sections : "") > 0);
	struct config *config = config_parse("lab", text, &errors);
	free(text);
	cr_assert_not_null(config, "%s", errors.count > 0 ? errors.text[0] : "no memory");
	return config;
}

static void engine_make(struct lab *lab)
{
	const struct lab_options *options = lab->options;
	struct limits_config limits = lab->config->limits;
	const struct engine_host host = {
		.context = lab, .route = host_route, .event = host_event, .log = host_log};
	struct engine_params params = {
		.limits = &limits,
		.timeouts = &lab->config->timeouts,
		.ports = options->port_list,
		.nat_addresses = 8,
		.seed = "always the same",
		.host = &host,
		.helpers = helpers,
		.helper_count = HELPER_COUNT,
		.now_ms = lab->now_ms,
	};

	if (params.ports.count == 0)
		params.ports = (struct port_list){1, {options->ports}};
	if (params.ports.range[0].first == 0)
		params.ports.range[0] = (struct port_range){61000, 61099};
	limits.flows = options->flows > 0 ? options->flows : 1024;
	/* A story's few records and ports are all for whom it is about. */
	if (limits.guest.flows == 0)
		limits.guest.flows = limits.flows;
	if (limits.guest.half_open == 0)
		limits.guest.half_open = limits.flows;
	if (limits.guest.ports == 0)
		limits.guest.ports = UINT16_MAX;
	lab->arena_bytes = engine_arena_bytes(&params);
	lab->arena = arena_map(lab->arena_bytes);
	lab->engine = engine_create(lab->arena, &params);
	cr_assert_not_null(lab->engine);
}

static void furnish(struct lab *lab)
{
	const struct config *config = lab->config;
	static const char *const hosts[] = {"host", "host2"};
	const bool both = config->networks[0].nat64.family != 0;

	engine_ruleset_swap(lab->engine, ruleset_create(config));
	engine_networks_set(lab->engine, config->networks, config->network_count);
	for (unsigned i = 0; i < 2; i++) {
		const struct place *place = place_named(hosts[i], strlen(hosts[i]));
		for (unsigned v4 = 0; v4 < 2; v4++) {
			const uint8_t family = v4 ? AF_INET : AF_INET6;
			const union addr address = place_address(place, family);
			if (both || family == lab->family)
				cr_assert_eq(engine_external_add(lab->engine, family, &address), 0);
		}
	}
	for (unsigned i = 0; i < config->link_count; i++) {
		const struct link_config *link = &config->links[i];
		const struct engine_link record = {
			.network = link->network,
			.mtu = config->networks[link->network].mtu,
			.whole_subnet = link->kind == LINK_TUN,
			.address4 = link->address4,
			.address6 = link->address6,
		};
		cr_assert_eq(engine_link_set(lab->engine, (zone_id)i, &record), 0);
	}
	engine_watch(lab->engine, true);
}

struct lab *lab_open(uint8_t family, const struct lab_options *options)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	cr_assert_not_null(lab);
	lab->family = family;
	lab->options = options;
	lab->now_ms = START_MS;
	for (size_t i = 0; i < PLACES; i++)
		lab->routes[i] = places[i].route;
	lab->config = lab_config(options->network, options->config);
	engine_make(lab);
	furnish(lab);
	return lab;
}

void lab_close(struct lab *lab)
{
	struct flow_info info;
	uint32_t cursor = 0;

	while (engine_flow_next(lab->engine, &cursor, &info))
		cr_expect(engine_flow_end(lab->engine, info.id));
	cr_expect_eq(engine_status(lab->engine)->flows, 0);
	cr_expect_eq(engine_status(lab->engine)->ports_used, 0, "ports leak");
	cr_expect_eq(engine_status(lab->engine)->expectations, 0, "expectations leak");
	cr_expect_eq(engine_status(lab->engine)->helped, 0, "records of helped flows leak");
	cr_expect_eq(engine_deadline(lab->engine), UINT64_MAX, "timers leak");
	cr_expect_eq(lab->events[FLOW_NEW], lab->events[FLOW_END], "events of flows");
	engine_free(lab->engine);
	arena_unmap(lab->arena, lab->arena_bytes);
	config_free(lab->config);
	free(lab);
}

void lab_wait(struct lab *lab, uint64_t milliseconds)
{
	const uint64_t until_ms = lab->now_ms + milliseconds;

	for (;;) {
		const uint64_t deadline_ms = engine_deadline(lab->engine);
		if (deadline_ms > until_ms)
			break;
		if (deadline_ms > lab->now_ms)
			lab->now_ms = deadline_ms;
		engine_tick(lab->engine, lab->now_ms);
	}
	lab->now_ms = until_ms;
}

enum verdict lab_send(struct lab *lab, struct packet *packet)
{
	if (!ZONE_IS_SERVICE(packet->in_zone))
		return engine_input(lab->engine, packet, lab->now_ms);
	packet->network = packet->in_zone & 0x7fff;
	return engine_output(lab->engine, packet, lab->now_ms);
}

struct packet *lab_answer(struct lab *lab)
{
	struct packet *packet = packet_with_room(ENGINE_OUTPUT_BYTES);

	if (engine_next_output(lab->engine, packet))
		return packet;
	packet_dispose(packet);
	return NULL;
}
