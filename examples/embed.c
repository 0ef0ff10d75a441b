/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embed: a whole program around the engine: no descriptor, no privilege, no clock.
 *
 * One guest, one address towards the outside, one published port: a few datagrams go through, and
 * what becomes of each is printed.  `make embed` links it with libtungate.a and inih, nothing else.
 * How it looks with real packets is in src/daemon/io.c.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tungate/engine.h"

#define GUEST 0 /* the number of the guest's link */

static const char config_text[] = "[network lab]\nsubnet = 10.77.0.0/24\n"
				  "[forwards]\nudp 5000 = 10.77.0.2:7\n";

/* A packet has some headroom before it, for what a link puts there. */
struct slot {
	uint8_t headroom[PACKET_HEADROOM];
	uint8_t bytes[ENGINE_OUTPUT_BYTES];
};

static union addr address(const char *text)
{
	union addr parsed = {0};
	uint8_t family;

	addr_parse(text, &parsed, &family);
	return parsed;
}

/* Everything is behind one router, and sees us by one address. */
static enum route_result route(
	void *context, uint8_t family, const union addr *destination, struct route *found)
{
	(void)family, (void)destination;
	*found = (struct route){.path = 0, .mtu = 1500, .source = *(const union addr *)context};
	return ROUTE_UPLINK;
}

static struct engine *gateway_create(
	const struct config *config, union addr *external, void **arena)
{
	const struct engine_host host = {.context = external, .route = route};
	const struct engine_link link = {.network = 0, .address4 = address("10.77.0.2")};
	const struct engine_params params = {
		.limits = &config->limits,
		.timeouts = &config->timeouts,
		.ports = config->gateway.ports,
		.seed = {4}, /* random, where the packets are others' */
		.host = &host,
	};
	const size_t bytes = (engine_arena_bytes(&params) + 63) & ~(size_t)63;
	struct engine *engine;

	*arena = aligned_alloc(64, bytes);
	if (*arena == NULL)
		return NULL;
	engine = engine_create(memset(*arena, 0, bytes), &params);
	if (engine == NULL)
		return NULL;
	engine_ruleset_swap(engine, ruleset_create(config));
	engine_networks_set(engine, config->networks, config->network_count);
	engine_link_set(engine, GUEST, &link);
	engine_external_add(engine, AF_INET, external);
	engine_forward_add(engine, &config->forwards[0]);
	return engine;
}

/* An empty UDP datagram, without the checksum that IPv4 lets it be without; ports in host order. */
static struct packet datagram(struct slot *slot, zone_id from, const char *source,
	uint16_t source_port, const char *destination, uint16_t destination_port)
{
	const union addr sender = address(source), receiver = address(destination);
	uint16_t words[14] = {htons(0x4500), htons(28), 0, 0, htons(64 << 8 | IPPROTO_UDP), 0,
		sender.words[0], sender.words[1], receiver.words[0], receiver.words[1],
		htons(source_port), htons(destination_port), htons(8), 0};
	uint32_t sum = 0;

	for (unsigned i = 0; i < 10; i++)
		sum += words[i];
	words[5] = (uint16_t) ~(sum % 0xffff);
	memcpy(slot->bytes, words, sizeof(words));
	return (struct packet){.data = slot->bytes,
		.length = sizeof(words),
		.capacity = sizeof(slot->bytes),
		.in_zone = from};
}

static const char *side(zone_id zone)
{
	return zone == ZONE_UPLINK ? "uplink" : "guest";
}

/* Put a packet through, and say what became of it. */
static void pass(struct engine *engine, const char *what, struct packet *packet)
{
	struct slot slot;
	struct packet made = {.data = slot.bytes, .capacity = sizeof(slot.bytes)};
	const enum verdict verdict = engine_input(engine, packet, 0);
	const struct headers *headers = &packet->headers;
	char from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];

	addr_port_format(AF_INET, &headers->source, ntohs(headers->source_port), from);
	addr_port_format(AF_INET, &headers->destination, ntohs(headers->destination_port), to);
	if (verdict == VERDICT_SEND)
		printf("%s: to the %s as %s > %s\n", what, side(packet->out_zone), from, to);
	else if (verdict == VERDICT_DROP)
		printf("%s: dropped, %s\n", what, drop_meaning(packet->drop));
	while (engine_next_output(engine, &made))
		printf("\tthe engine tells the %s: ICMP type %u, code %u\n", side(made.out_zone),
			made.data[20], made.data[21]);
}

int main(void)
{
	struct config_errors errors;
	struct config *config = config_parse("embed", config_text, &errors);
	union addr external = address("192.0.2.2");
	void *arena;
	struct engine *engine = config ? gateway_create(config, &external, &arena) : NULL;
	struct slot slot;

	if (engine == NULL)
		return 1; /* errors.text says what is wrong with a config */
	struct packet packet = datagram(&slot, GUEST, "10.77.0.2", 40000, "198.51.100.1", 123);
	pass(engine, "the guest asks", &packet);
	const uint16_t port = ntohs(packet.headers.source_port);
	packet = datagram(&slot, ZONE_UPLINK, "198.51.100.1", 123, "192.0.2.2", port);
	pass(engine, "the answer", &packet);
	packet = datagram(&slot, ZONE_UPLINK, "203.0.113.9", 123, "192.0.2.2", port);
	pass(engine, "a stranger's answer", &packet);
	packet = datagram(&slot, ZONE_UPLINK, "203.0.113.9", 999, "192.0.2.2", 5000);
	pass(engine, "a client of the published port", &packet);
	packet = datagram(&slot, GUEST, "10.77.0.3", 40000, "198.51.100.1", 123);
	pass(engine, "the guest with a false address", &packet);
	packet = datagram(&slot, GUEST, "10.77.0.2", 40000, "169.254.169.254", 80);
	pass(engine, "the guest and the cloud's metadata", &packet);
	printf("%u flows, ", engine_status(engine)->flows);
	engine_tick(engine, (config->timeouts.udp_stream + 1) * 1000);
	printf("%u after five minutes of silence\n", engine_status(engine)->flows);
	engine_free(engine);
	free(arena);
	config_free(config);
	return 0;
}
