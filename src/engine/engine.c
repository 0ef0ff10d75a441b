/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine: the packet's way, on one screen (engine_process), and the engine's life.
 *
 *	parse -> flow of the key, or admit (source, destination NAT, route, filter, source NAT)
 *	      -> track -> filter (cached) -> hop limit, size -> translate -> out
 *
 * Fragments take the same way, between fragment_enter() and fragment_leave().
 */
#include <netinet/in.h>
#include <stdlib.h>
#include "engine/admit.h"
#include "engine/domains.h"
#include "engine/egress.h"
#include "engine/gre.h"
#include "engine/helper.h"
#include "engine/icmp_error.h"
#include "engine/inspect.h"
#include "engine/nat64.h"
#include "engine/path.h"
#include "engine/timeout.h"
#include "wire/fragment.h"
#include "wire/gso.h"

/* Expiries per engine_tick(). */
#define TICK_BUDGET 256

/* ---- the packet's way ---- */

/* Requests go the way of the first one, answers the other. */
static bool answers_who_asked(const struct packet *packet, enum direction direction)
{
	const struct headers *headers = &packet->headers;

	return icmp_is_reply(headers->family, headers->icmp_type) == (direction == REPLY);
}

/* What the packet means for its flow's state.  False where it was dropped; *flow becomes NULL where
 * it begins a connection anew. */
static bool track(struct engine *engine, struct packet *packet, struct flow **flow,
	enum direction direction, bool *refreshes)
{
	if (packet->headers.kind == L4_ICMP_QUERY && !answers_who_asked(packet, direction)) {
		packet_drop(engine, packet, DROP_INVALID);
		return false;
	}
	if (packet->headers.kind != L4_TCP)
		return true;
	switch (track_tcp_update(&(*flow)->tcp, direction, packet)) {
	case TCP_ACCEPT:
		return true;
	case TCP_ACCEPT_QUIET:
		*refreshes = false;
		return true;
	case TCP_REOPEN:
		flow_end(engine, *flow);
		*flow = NULL;
		return true;
	default:
		packet_drop(engine, packet, DROP_INVALID);
		return false;
	}
}

/* Routes changed: does the flow's way still hold?  As track(). */
static bool renew(struct engine *engine, struct packet *packet, struct flow **flow)
{
	switch (path_renew(engine, *flow)) {
	case PATH_MISSING:
		packet_drop(engine, packet, DROP_NO_ROUTE);
		return false;
	case PATH_CHANGED:
		flow_end(engine, *flow);
		*flow = NULL;
		return true;
	default:
		return true;
	}
}

/* What few packets need before they are tracked.  As track(). */
static __attribute__((noinline)) bool prepare_flow(
	struct engine *engine, struct packet *packet, struct flow **flow, enum direction direction)
{
	if ((*flow)->flags & FLOW_PATH_CHECK && !renew(engine, packet, flow))
		return false;
	if (*flow != NULL && (*flow)->flags & FLOW_ADJUSTED)
		helper_adjust(engine, *flow, direction, packet);
	return true;
}

/* The first reply makes the connection established to the filter. */
static void mark_replied(struct flow *flow)
{
	flow->flags |= FLOW_REPLIED;
	flow->flags &= (uint16_t)~FLOW_VERDICT(ORIGINAL);
}

/* An existing flow's packet up to the point where it may leave. */
static bool follow(struct engine *engine, struct packet *packet, struct flow *flow,
	enum direction direction, bool refreshes, uint32_t segments)
{
	struct refusal refusal;

	if (direction == REPLY && !(flow->flags & FLOW_REPLIED))
		mark_replied(flow);
	/* What was let in keeps no mapping alive: RFC 7857, section 7. */
	if (__builtin_expect(flow_is_strangers(flow), false) && direction == ORIGINAL &&
		flow->protocol != IPPROTO_TCP)
		refreshes = false;
	if (!inspect_packet(engine, packet, flow, direction, segments))
		return false;
	if (!egress_may_leave(engine, packet, flow, direction, &refusal)) {
		packet_refuse(engine, packet, &refusal);
		return false;
	}
	if (__builtin_expect(flow->tally_original.half_open != 0, false))
		flow_open(engine, flow);
	if (refreshes)
		flow_refresh(engine, flow);
	return true;
}

/* The packet's flow.  That of a call which nobody knows is looked at as plain GRE. */
static inline struct flow *find(
	struct engine *engine, struct packet *packet, enum direction *direction)
{
	struct flow_key key;

	flow_key_of_packet(packet, &key);
	struct flow *flow = flow_find(engine, &key, packet->hash, direction);
	if (flow != NULL || !gre_is_call(&packet->headers) || expect_awaits(engine, &key))
		return flow;
	gre_forget_call(engine, packet);
	flow_key_of_packet(packet, &key);
	return flow_find(engine, &key, packet->hash, direction);
}

static enum verdict engine_process(struct engine *engine, struct packet *packet, bool output)
{
	enum direction direction = ORIGINAL;
	struct rewrite rewrite;
	bool refreshes = true;

	if (packet->headers.kind == L4_ICMP_ERROR)
		return icmp_error_input(engine, packet, output);
	if (packet->headers.kind == L4_ICMP_OTHER)
		return packet_drop(engine, packet, DROP_ICMP_TYPE);

	const uint32_t segments = gso_segment_count(packet);
	struct flow *flow = find(engine, packet, &direction);
	if (flow != NULL && (flow->flags & (FLOW_PATH_CHECK | FLOW_ADJUSTED)) &&
		!prepare_flow(engine, packet, &flow, direction))
		return VERDICT_DROP;
	if (__builtin_expect(engine->polices, false) && flow != NULL &&
		!account_police(engine, flow, direction, segments, packet->length))
		return packet_drop(engine, packet, DROP_RATE);
	if (flow != NULL && !track(engine, packet, &flow, direction, &refreshes))
		return VERDICT_DROP;
	if (flow != NULL) {
		if (!follow(engine, packet, flow, direction, refreshes, segments))
			return VERDICT_DROP;
	} else {
		if (packet->headers.kind == L4_FRAGMENT)
			return packet_drop(engine, packet, DROP_FRAGMENT);
		direction = ORIGINAL;
		flow = admit(engine, packet, segments);
		if (flow == NULL)
			return VERDICT_DROP;
	}
	if (__builtin_expect(flow->flags & FLOW_HELPED, 0) &&
		!helper_packet(engine, flow, direction, refreshes, packet))
		return VERDICT_DROP;
	flow_count(flow, direction, segments, packet->length);
	if (packet->headers.kind == L4_TCP && (packet->headers.tcp_flags & TCP_SYN))
		egress_clamp_mss(engine, packet, flow);
	if (__builtin_expect(nat64_is(flow), false)) {
		nat64_translate(packet, flow, direction);
	} else {
		flow_rewrite(flow, direction, &rewrite);
		packet_rewrite(packet, &rewrite);
	}
	return egress_send(engine, packet, flow, direction, segments);
}

/* What was held until its first fragment had passed follows it. */
static void release(struct engine *engine, bool output)
{
	struct packet held;

	while (fragment_release(engine, &held))
		if (engine_process(engine, &held, output) != VERDICT_DROP)
			fragment_ready_push(engine, &held);
}

static enum verdict fragment_process(struct engine *engine, struct packet *packet, bool output)
{
	enum verdict verdict = fragment_enter(engine, packet);

	if (verdict != VERDICT_SEND)
		return verdict;
	verdict = engine_process(engine, packet, output);
	if (packet->headers.kind != L4_FRAGMENT) {
		fragment_decide(engine, packet, verdict);
		release(engine, output);
	}
	fragment_leave(engine);
	return verdict;
}

static bool prepare(const struct engine *engine, struct packet *packet)
{
	struct flow_key key;

	if (!packet->parsed && !packet_parse(packet))
		return false;
	flow_key_of_packet(packet, &key);
	packet->hash = flow_hash(engine, &key);
	packet->hashed = true;
	return true;
}

static bool is_prepared(const struct packet *packet)
{
	return packet->parsed && packet->hashed;
}

void engine_prefetch(const struct engine *engine, struct packet *packet)
{
	if (is_prepared(packet))
		flow_prefetch(engine, packet->hash);
	else if (prepare(engine, packet))
		flow_prefetch_index(engine, packet->hash);
}

static enum verdict engine_accept(
	struct engine *engine, struct packet *packet, bool output, uint64_t now_ms)
{
	engine->now_ms = now_ms;
	if (!is_prepared(packet) && !prepare(engine, packet)) {
		egress_count_in(engine, packet, 1);
		return packet_drop(engine, packet, packet->drop);
	}
	egress_count_in(engine, packet, gso_segment_count(packet));
	if (__builtin_expect(packet_is_fragment(packet), false))
		return fragment_process(engine, packet, output);
	return engine_process(engine, packet, output);
}

enum verdict engine_input(struct engine *engine, struct packet *packet, uint64_t now_ms)
{
	return engine_accept(engine, packet, false, now_ms);
}

enum verdict engine_output(struct engine *engine, struct packet *packet, uint64_t now_ms)
{
	packet->in_zone = ZONE_SERVICE(packet->network);
	return engine_accept(engine, packet, true, now_ms);
}

bool engine_next_output(struct engine *engine, struct packet *packet)
{
	return fragment_ready_next(engine, packet) || outbox_next(engine->outbox, packet);
}

/* ---- time ---- */

/* Finished flows whose time has come, from one list. */
static unsigned expire_finished(struct engine *engine, struct wheel_list *list, unsigned *budget)
{
	unsigned ended = 0;

	while (*budget > 0) {
		const uint32_t id = list_first(list);
		if (id == WHEEL_NONE)
			break;
		struct flow *flow = flow_at(engine, id);
		if ((int32_t)(flow->timer.deadline_ms - (uint32_t)engine->now_ms) > 0)
			break;
		flow_end(engine, flow);
		ended++;
		(*budget)--;
	}
	return ended;
}

unsigned engine_tick(struct engine *engine, uint64_t now_ms)
{
	unsigned budget = TICK_BUDGET, ended = 0;

	engine->now_ms = now_ms;
	for (;;) {
		const uint32_t id =
			wheel_next_expired(&engine->wheel, &engine->slab, now_ms, &budget);
		if (id == WHEEL_NONE)
			break;
		flow_end(engine, flow_at(engine, id));
		ended++;
	}
	for (int i = 0; i < 2; i++)
		ended += expire_finished(engine, &engine->finished[i], &budget);
	expect_expire(engine, &budget);
	fragments_expire(engine, &budget);
	return ended;
}

uint64_t engine_deadline(const struct engine *engine)
{
	uint64_t deadline = wheel_deadline(&engine->wheel);
	const uint64_t fragments = fragments_deadline(engine);

	const uint64_t expectations = expect_deadline(engine);

	if (fragments < deadline)
		deadline = fragments;
	if (expectations < deadline)
		deadline = expectations;

	for (int i = 0; i < 2; i++) {
		const uint32_t id = list_first(&engine->finished[i]);
		if (id == WHEEL_NONE)
			continue;
		const uint32_t left =
			flow_at(engine, id)->timer.deadline_ms - (uint32_t)engine->now_ms;
		const uint64_t due = (int32_t)left > 0 ? engine->now_ms + left : engine->now_ms;
		if (due < deadline)
			deadline = due;
	}
	return deadline;
}

/* ---- life ---- */

/* Where each table lies in the arena, in this order; everything is aligned to a cache line. */
struct arena_layout {
	size_t flows, keys, mappings, ports, bytes;
};

static size_t arena_align(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static unsigned params_addresses(const struct engine_params *params)
{
	return params->nat_addresses != 0 && params->nat_addresses < ENGINE_NAT_ADDRESSES_MAX
		       ? params->nat_addresses
		       : ENGINE_NAT_ADDRESSES_MAX;
}

static struct arena_layout arena_layout(const struct engine_params *params)
{
	const uint32_t flows = params->limits->flows;
	struct arena_layout layout = {.flows = 0};

	layout.keys = arena_align((size_t)flows * sizeof(struct flow));
	layout.mappings =
		layout.keys + arena_align((size_t)index_slots(2 * flows) * sizeof(uint32_t));
	layout.ports = layout.mappings + arena_align((size_t)index_slots(flows) * sizeof(uint32_t));
	layout.bytes = layout.ports + arena_align(ports_bytes(params_addresses(params)));
	return layout;
}

size_t engine_arena_bytes(const struct engine_params *params)
{
	return arena_layout(params).bytes;
}

static struct siphash_key seed_key(const struct engine_params *params, uint64_t purpose)
{
	struct siphash_key seed;
	const uint64_t words[2][2] = {{purpose, 0}, {purpose, 1}};

	__builtin_memcpy(&seed, params->seed, sizeof(seed));
	return (struct siphash_key){
		siphash_words(&seed, words[0], 2), siphash_words(&seed, words[1], 2)};
}

struct engine *engine_create(void *arena, const struct engine_params *params)
{
	const struct arena_layout layout = arena_layout(params);
	const struct siphash_key ports_key = seed_key(params, 2), ids_key = seed_key(params, 3);
	const struct siphash_key domains_key = seed_key(params, 4);
	struct engine *engine = calloc(1, sizeof(*engine));
	uint8_t *base = arena;

	if (engine == NULL)
		return NULL;
	engine->outbox = calloc(1, sizeof(*engine->outbox));
	engine->port_timeouts = calloc(1, sizeof(*engine->port_timeouts));
	engine->fragments = fragments_create(params->limits, &ids_key);
	engine->domains = domains_create(params->limits->domains, &domains_key);
	if (engine->outbox == NULL || engine->port_timeouts == NULL || engine->fragments == NULL ||
		engine->domains == NULL ||
		extras_create(&engine->extras, params->limits->helped_flows) < 0 ||
		expectations_create(&engine->expectations, params->limits, params->now_ms) < 0) {
		engine_free(engine);
		return NULL;
	}
	engine->helpers = params->helpers;
	engine->helper_count = params->helper_count;
	engine->host = *params->host;
	engine->now_ms = params->now_ms;
	engine_timeouts_set(engine, params->timeouts);
	engine->flows = (struct flow *)(base + layout.flows);
	engine->flows_max = params->limits->flows;
	engine->free_head = FLOW_NONE;
	engine->hash_key = seed_key(params, 1);
	engine->slab = (struct wheel_slab){
		.base = (uint8_t *)&engine->flows[0].timer, .stride = sizeof(struct flow)};
	index_init(&engine->by_key, (uint32_t *)(base + layout.keys), 2 * engine->flows_max);
	index_init(&engine->by_mapping, (uint32_t *)(base + layout.mappings), engine->flows_max);
	ports_init(&engine->ports, base + layout.ports, params_addresses(params), &ports_key);
	engine->external_ports = params->ports;
	wheel_init(&engine->wheel, params->now_ms);
	list_init(&engine->finished[0]);
	list_init(&engine->finished[1]);
	engine->accounts = accounts_create(engine, params->limits);
	if (engine->accounts == NULL) {
		engine_free(engine);
		return NULL;
	}
	outbox_init(engine->outbox, params->limits->icmp_errors_per_second);
	engine->status.flows_max = engine->flows_max;
	engine->status.ports_max = port_list_size(&engine->external_ports);
	return engine;
}

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	ruleset_free(engine->ruleset);
	expectations_free(&engine->expectations);
	extras_free(&engine->extras);
	accounts_free(engine->accounts);
	domains_free(engine->domains);
	free(engine->port_timeouts);
	fragments_free(engine->fragments);
	free(engine->outbox);
	free(engine);
}
