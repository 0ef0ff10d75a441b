/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine: nanoseconds per packet of the pure engine, on established flows.
 *
 * UDP packets of 64 bytes payload, flows visited in random order, bursts of 64 as the daemon reads
 * them, everything included: parsing, checksum verification, look-up, filter, translation.  The
 *cost of making the packets is measured by itself and taken off.  Every round does all flow counts
 *in turn, so that a noisy machine disturbs them alike; medians are printed.
 *
 *	engine [ROUNDS]
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "tungate/engine.h"
#include "wire/build.h"

#define BURST       64
#define PER_MAPPING 1000       /* destinations of one guest socket */
#define PACKETS     (1u << 20) /* measured per round */
#define ROUNDS_MAX  31
#define SLOT_BYTES  256

static const uint32_t flow_counts[] = {1000, 100000, 1000000};
#define COUNTS (sizeof(flow_counts) / sizeof(flow_counts[0]))

static const char config_text[] = "[network bench]\nsubnet = 10.0.0.0/8\n"
				  "[gateway]\nports = 1024-60999\n[limits]\nflows = 1100000\n"
				  "guest-flows = 1100000\nguest-half-open = 1100000\n"
				  "guest-ports = 60000\n";

static enum route_result route(
	void *context, uint8_t family, const union addr *destination, struct route *found)
{
	(void)context;
	(void)family;
	(void)destination;
	*found = (struct route){.path = 1, .mtu = 1500, .source = addr_v4(192, 0, 2, 2)};
	return ROUTE_UPLINK;
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

struct bench {
	struct engine *engine;
	void *arena;
	uint8_t buffers[BURST][SLOT_BYTES];
	struct packet packets[BURST];
	uint8_t original[SLOT_BYTES]; /* the packet that all others are made from */
	uint32_t length;
};

static struct engine *engine_make(void **arena)
{
	struct config_errors errors;
	struct config *config = config_parse("bench", config_text, &errors);
	const struct engine_host host = {.route = route};
	struct engine_params params = {.host = &host, .seed = {1, 2, 3}, .now_ms = 1};
	const struct engine_link link = {.whole_subnet = true};
	const union addr external = addr_v4(192, 0, 2, 2);

	if (config == NULL) {
		fprintf(stderr, "%s\n", errors.text[0]);
		exit(1);
	}
	params.limits = &config->limits;
	params.timeouts = &config->timeouts;
	params.ports = config->gateway.ports;
	params.nat_addresses = 1;
	const size_t bytes = engine_arena_bytes(&params);
	*arena = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(*arena, bytes, MADV_HUGEPAGE);
	struct engine *engine = engine_create(*arena, &params);
	engine_ruleset_swap(engine, ruleset_create(config));
	engine_networks_set(engine, config->networks, config->network_count);
	engine_link_set(engine, 0, &link);
	engine_external_add(engine, AF_INET, &external);
	printf("arena: %zu bytes for %u flows and the ports, %zu per flow\n", bytes,
		config->limits.flows, bytes / config->limits.flows);
	config_free(config);
	return engine;
}

static void template_make(struct bench *bench)
{
	struct packet packet = {.data = bench->original, .capacity = SLOT_BYTES};
	const struct build build = {
		.family = AF_INET,
		.protocol = IPPROTO_UDP,
		.source = addr_v4(10, 0, 0, 9),
		.destination = addr_v4(198, 51, 100, 1),
		.source_port = 1,
		.destination_port = 9,
		.payload_bytes = 64,
	};

	bench->length = build_packet(&packet, &build);
}

/* Packet `flow` of the template: its own guest port and destination, header checksum included. */
static void packet_fill(struct bench *bench, unsigned slot, uint32_t flow)
{
	struct packet *packet = &bench->packets[slot];
	uint8_t *data = bench->buffers[slot] + PACKET_HEADROOM;
	const uint32_t mapping = flow / PER_MAPPING, peer = flow % PER_MAPPING;

	memcpy(data, bench->original, bench->length);
	struct ipv4_header *ip = (void *)data;
	struct udp_header *udp = (void *)(data + sizeof(*ip));
	/* Peers differ in two bytes, which the header checksum takes off again. */
	const uint16_t delta = (uint16_t)peer;
	uint32_t sum = (uint16_t)~ntohs(ip->checksum);
	ip->destination = htonl((198u << 24 | 51u << 16 | 100u << 8 | 1) + ((uint32_t)delta << 16));
	sum += delta;
	ip->checksum = htons((uint16_t) ~((sum & 0xffff) + (sum >> 16)));
	udp->source_port = htons((uint16_t)(1 + mapping));
	udp->checksum = 0;
	*packet = (struct packet){
		.data = data,
		.length = bench->length,
		.capacity = SLOT_BYTES - PACKET_HEADROOM,
		.in_zone = 0,
	};
}

/* Time `packets` of flows in random order; through the engine, or only made. */
static double run(struct bench *bench, uint32_t flows, uint32_t packets, bool through)
{
	uint64_t random = 88172645463325252u;
	unsigned refused = 0;
	const double start = now_ns();

	for (uint32_t done = 0; done < packets; done += BURST) {
		for (unsigned i = 0; i < BURST; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			packet_fill(bench, i, (uint32_t)((random >> 32) * flows >> 32));
		}
		if (!through) {
			__asm__ volatile("" : : "r"(bench->buffers) : "memory");
			continue;
		}
		for (unsigned i = 0; i < BURST; i++)
			engine_prefetch(bench->engine, &bench->packets[i]);
		for (unsigned i = 0; i < BURST; i++)
			engine_prefetch(bench->engine, &bench->packets[i]);
		for (unsigned i = 0; i < BURST; i++)
			if (engine_input(bench->engine, &bench->packets[i], 2) != VERDICT_SEND)
				refused++;
	}
	const double end = now_ns();
	if (refused != 0) {
		fprintf(stderr, "%u packets were refused\n", refused);
		exit(1);
	}
	return (end - start) / packets;
}

static void flows_open(struct bench *bench, uint32_t from, uint32_t to)
{
	for (uint32_t flow = from; flow < to; flow++) {
		packet_fill(bench, 0, flow);
		if (engine_input(bench->engine, &bench->packets[0], 1) != VERDICT_SEND) {
			fprintf(stderr, "flow %u: %s\n", flow, drop_name(bench->packets[0].drop));
			exit(1);
		}
	}
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	static double net[COUNTS][ROUNDS_MAX];
	int rounds = argc > 1 ? atoi(argv[1]) : 7;
	uint32_t open = 0;
	double open_ns = 0;

	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: engine [ROUNDS]   (1 to %d)\n", ROUNDS_MAX);
		return 2;
	}
	bench.engine = engine_make(&bench.arena);
	template_make(&bench);
	for (unsigned c = 0; c < COUNTS; c++) {
		const double start = now_ns();
		flows_open(&bench, open, flow_counts[c]);
		open_ns += now_ns() - start;
		open = flow_counts[c];
	}
	for (int round = 0; round < rounds; round++)
		for (unsigned c = 0; c < COUNTS; c++) {
			const double making = run(&bench, flow_counts[c], PACKETS, false);
			net[c][round] = run(&bench, flow_counts[c], PACKETS, true) - making;
		}
	printf("| flows | ns per packet (median of %d) | against 1 k |\n|---|---|---|\n", rounds);
	for (unsigned c = 0; c < COUNTS; c++)
		qsort(net[c], (size_t)rounds, sizeof(double), compare);
	for (unsigned c = 0; c < COUNTS; c++)
		printf("| %u | %.0f | %.2f |\n", flow_counts[c], net[c][rounds / 2],
			net[c][rounds / 2] / net[0][rounds / 2]);
	printf("new flow: %.0f ns each, over %u\n", open_ns / open, open);
	return 0;
}
