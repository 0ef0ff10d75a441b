/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * allocation: once there is an engine, no packet and no change makes it ask for memory.
 *
 * The linker sends every call of malloc() and its like in this program here first
 * (tools/allocation.mk).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../support/packets.h"
#include "../support/steps.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void __real_free(void *old);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void __wrap_free(void *old);

static unsigned long calls;

void *__wrap_malloc(size_t bytes)
{
	calls++;
	return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	calls++;
	return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
	calls++;
	return __real_realloc(old, bytes);
}

void __wrap_free(void *old)
{
	calls++;
	__real_free(old);
}

/* One of each kind; their source ports are changed from round to round. */
static const char *const traffic[] = {
	"guest udp guest:5000 > server:99 len 100",
	"guest tcp guest:5000 > server:80 S seq 1000 mss 9000",
	"guest tcp guest:5000 > server:80 R seq 1001",
	"guest icmp guest > server echo id 7 len 56",
	"second udp second:5000 > gateway:53 len 30",
	"guest udp guest:5000 > nowhere:99 len 100",
	"guest tcp guest:5000 > second:80 S",
	"guest tcp guest:5000 > server2:80 A",
	"guest udp guest:5000 > server:99 ttl 1",
	"uplink udp server:5000 > host:8080",
	"uplink udp server:99 > host:61000",
	"uplink icmp router > host port-unreachable about udp host:61000 > server:99",
	"uplink udp server:1 > server:2",
	"second udp second:5000 > server:69 data \"\\0\\1name\\0octet\\0\"",
	"uplink udp server:5001 > host:61001 len 100",
};
#define TRAFFIC (sizeof(traffic) / sizeof(traffic[0]))
#define ROUNDS  2000

struct round {
	struct lab *lab;
	struct packet *template[TRAFFIC];
	struct packet *packet; /* to work on */
	struct packet *answer;
	uint64_t sent;
	bool expected; /* an expectation was there */
};

static void send_copy(struct round *round, const struct packet *template, uint16_t port)
{
	struct packet *packet = round->packet;
	uint8_t *data = packet->data;
	const unsigned l4 = round->lab->family == AF_INET ? 20 : 40;

	*packet = *template;
	packet->data = data;
	memcpy(data, template->data, template->length);
	if (data[l4 == 20 ? 9 : 6] != IPPROTO_ICMP && data[6] != IPPROTO_ICMPV6) {
		data[l4] = (uint8_t)(port >> 8);
		data[l4 + 1] = (uint8_t)port;
	}
	round->sent += lab_send(round->lab, packet) == VERDICT_SEND;
	while (engine_next_output(round->lab->engine, round->answer))
		round->sent++;
}

/* More than there is room for. */
static void names_learn(struct round *round, unsigned n)
{
	char name[32];
	struct domain_answer answer = {
		.link = lab_zone(round->lab, "second"),
		.name = name,
		.family = AF_INET,
		.ttl_s = 1,
	};

	snprintf(name, sizeof(name), "n%u.example", n);
	for (unsigned i = 0; i < 4; i++) {
		answer.address = addr_v4(100, (uint8_t)i, (uint8_t)(n >> 8), (uint8_t)n);
		engine_domain_learn(round->lab->engine, &answer, round->lab->now_ms);
	}
	answer.link = lab_zone(round->lab, "wide");
	answer.asker_family = AF_INET;
	answer.asker = addr_v4(10, 99, 0, (uint8_t)n);
	engine_domain_learn(round->lab->engine, &answer, round->lab->now_ms);
}

static void change(struct round *round, unsigned n)
{
	struct engine *engine = round->lab->engine;
	const union addr host2 = lab_address(round->lab, "host2");
	const struct forward forward = {.protocol = IPPROTO_UDP,
		.guest_family = round->lab->family,
		.guest = lab_address(round->lab, "guest"),
		.guest_port = 80,
		.ports = {8080, 8080}};
	struct flow_info info;
	uint32_t cursor = 0;

	lab_wait(round->lab, 100);
	names_learn(round, n);
	if (n % 10 == 0)
		engine_forward_add(engine, &forward);
	if (n % 10 == 5)
		engine_forward_del(engine, &forward);
	if (n % 10 == 7) {
		engine_external_del(engine, round->lab->family, &host2);
		engine_external_add(engine, round->lab->family, &host2);
		engine_path_invalidate(engine);
	}
	if (n % 100 == 99 && engine_flow_next(engine, &cursor, &info))
		engine_flow_end(engine, info.id);
	engine_deadline(engine);
	round->expected |= engine_status(engine)->expectations > 0;
}

static void play(uint8_t family)
{
	/* Few ports and records, so that all the ways of finding one are gone. */
	struct lab *lab =
		lab_open(family, LAB(.config = "[limits]\ndomains = 64\n[helpers]\ntftp =\n",
					 .ports = {61000, 61063}, .flows = 200));
	struct round round = {.lab = lab,
		.packet = packet_with_room(PACKET_BYTES_MAX),
		.answer = packet_with_room(ENGINE_OUTPUT_BYTES)};

	for (size_t i = 0; i < TRAFFIC; i++)
		round.template[i] = steps_packet(lab, traffic[i]);
	calls = 0;
	for (unsigned n = 0; n < ROUNDS; n++) {
		for (size_t i = 0; i < TRAFFIC; i++)
			send_copy(&round, round.template[i], (uint16_t)(5000 + n % 250));
		change(&round, n);
	}
	cr_expect_eq(calls, 0, "%lu calls for memory", calls);
	cr_expect_gt(round.sent, ROUNDS);
	cr_expect_gt(engine_status(lab->engine)->drops[DROP_FLOWS_FULL], 0);
	cr_expect(round.expected);
	for (size_t i = 0; i < TRAFFIC; i++)
		packet_dispose(round.template[i]);
	packet_dispose(round.packet);
	packet_dispose(round.answer);
	lab_close(lab);
}

Test(allocation, no_packet_needs_memory)
{
	play(AF_INET);
	play(AF_INET6);
}

/* Else the test above would prove nothing. */
Test(allocation, calls_are_counted)
{
	calls = 0;
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));
	cr_expect_gt(calls, 2);
	lab_close(lab);
}
