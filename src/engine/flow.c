/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow: the table of flows: finding, confirming, refreshing and ending them.
 */
#include <netinet/in.h>
#include "engine/connections.h"
#include "engine/mapping.h"
#include "engine/state.h"
#include "engine/timeout.h"

/* Finished flows looked at for one with the right address. */
#define FINISHED_LOOKS 32

struct flow *flow_at(const struct engine *engine, uint32_t id)
{
	return &engine->flows[id];
}

uint32_t flow_id(const struct engine *engine, const struct flow *flow)
{
	return (uint32_t)(flow - engine->flows);
}

/* ---- keys ---- */

uint32_t flow_hash(const struct engine *engine, const struct flow_key *key)
{
	const uint64_t head = (uint64_t)key->zone << 48 | (uint64_t)key->protocol << 40 |
			      (uint64_t)key->family << 32 | (uint32_t)key->source_port << 16 |
			      key->destination_port;

	if (key->family == AF_INET) {
		const uint64_t words[] = {
			head, (uint64_t)key->source.v4 << 32 | key->destination.v4};
		return (uint32_t)(siphash_words(&engine->hash_key, words, 2) >> 32);
	}
	const uint64_t words[] = {head, key->source.halves[0], key->source.halves[1],
		key->destination.halves[0], key->destination.halves[1]};
	return (uint32_t)(siphash_words(&engine->hash_key, words, 5) >> 32);
}

void flow_key_of_packet(const struct packet *packet, struct flow_key *key)
{
	const struct headers *headers = &packet->headers;

	*key = (struct flow_key){
		.source = headers->source,
		.destination = headers->destination,
		.source_port = headers->source_port,
		.destination_port = headers->destination_port,
		.zone = packet->in_zone,
		.family = headers->family,
		.protocol = headers->protocol,
	};
}

static void flow_key_of(const struct flow *flow, enum direction direction, struct flow_key *key)
{
	*key = (struct flow_key){
		.source = flow->address[direction][SOURCE],
		.destination = flow->address[direction][DESTINATION],
		.source_port = flow->port[direction][SOURCE],
		.destination_port = flow->port[direction][DESTINATION],
		.zone = flow->zone[direction],
		.family = flow_family(flow, direction),
		.protocol = flow_protocol(flow, direction),
	};
}

static bool flow_has_key(
	const struct flow *flow, enum direction direction, const struct flow_key *key)
{
	return flow->port[direction][SOURCE] == key->source_port &&
	       flow->port[direction][DESTINATION] == key->destination_port &&
	       flow->zone[direction] == key->zone && flow_family(flow, direction) == key->family &&
	       flow_protocol(flow, direction) == key->protocol &&
	       addr_equal(&flow->address[direction][SOURCE], &key->source) &&
	       addr_equal(&flow->address[direction][DESTINATION], &key->destination);
}

static uint32_t key_hash_of(const void *context, uint32_t id)
{
	const struct engine *engine = context;
	struct flow_key key;

	flow_key_of(flow_at(engine, id >> 1), id & 1, &key);
	return flow_hash(engine, &key);
}

struct flow *flow_find(const struct engine *engine, const struct flow_key *key, uint32_t hash,
	enum direction *direction)
{
	uint32_t position = index_home(&engine->by_key, hash);

	for (;;) {
		const uint32_t id = index_candidate(&engine->by_key, hash, &position);
		if (id == INDEX_NONE)
			return NULL;
		struct flow *flow = flow_at(engine, id >> 1);
		*direction = id & 1;
		if (flow_has_key(flow, *direction, key))
			return flow;
	}
}

void flow_prefetch_index(const struct engine *engine, uint32_t hash)
{
	__builtin_prefetch(&engine->by_key.slots[index_home(&engine->by_key, hash)]);
}

void flow_prefetch(const struct engine *engine, uint32_t hash)
{
	uint32_t position = index_home(&engine->by_key, hash);
	const uint32_t id = index_candidate(&engine->by_key, hash, &position);

	if (id == INDEX_NONE)
		return;
	const char *flow = (const char *)flow_at(engine, id >> 1);
	for (size_t offset = 0; offset < sizeof(struct flow); offset += 64)
		__builtin_prefetch(flow + offset, 1);
	__builtin_prefetch(flow + sizeof(struct flow) - 1, 1);
}

/* ---- timers ---- */

static struct wheel_list *finished_list(struct engine *engine, const struct flow *flow)
{
	return &engine->finished[flow->tcp.state == TCP_STATE_TIME_WAIT ? 0 : 1];
}

static bool flow_is_finished(const struct flow *flow)
{
	return flow->protocol == IPPROTO_TCP && flow->tcp.state >= TCP_STATE_TIME_WAIT;
}

static void timer_stop(struct engine *engine, struct flow *flow)
{
	const uint32_t id = flow_id(engine, flow);

	if (flow->flags & FLOW_FINISHED)
		list_remove(&engine->finished[flow->flags & FLOW_RESET ? 1 : 0], &engine->slab, id);
	else
		wheel_remove(&engine->wheel, &engine->slab, id);
}

static void timer_start(struct engine *engine, struct flow *flow, uint64_t deadline_ms)
{
	const uint32_t id = flow_id(engine, flow);

	flow->timer.deadline_ms = (uint32_t)deadline_ms;
	flow->flags &= (uint16_t) ~(FLOW_FINISHED | FLOW_RESET);
	if (!flow_is_finished(flow)) {
		wheel_add(&engine->wheel, &engine->slab, id, deadline_ms);
		return;
	}
	flow->flags |= FLOW_FINISHED;
	if (flow->tcp.state == TCP_STATE_CLOSE)
		flow->flags |= FLOW_RESET;
	list_push(finished_list(engine, flow), &engine->slab, id);
}

void flow_refresh(struct engine *engine, struct flow *flow)
{
	const uint64_t deadline_ms = engine->now_ms + timeout_ms(engine, flow);
	const bool sooner = (int32_t)((uint32_t)deadline_ms - flow->timer.deadline_ms) < 0;

	if (!sooner && flow_is_finished(flow) == !!(flow->flags & FLOW_FINISHED)) {
		flow->timer.deadline_ms = (uint32_t)deadline_ms;
		return;
	}
	const uint16_t finished = flow->flags & FLOW_FINISHED;
	timer_stop(engine, flow);
	timer_start(engine, flow, deadline_ms);
	if (finished != (flow->flags & FLOW_FINISHED))
		account_finish(engine, flow, !finished);
}

/* ---- life ---- */

static uint64_t addresses_sum(const struct flow *flow, enum direction direction)
{
	const uint8_t family = flow_family(flow, direction);

	return cksum_address(family, &flow->address[direction][SOURCE]) +
	       cksum_address(family, &flow->address[direction][DESTINATION]);
}

static uint64_t ports_sum(const struct flow *flow, enum direction direction)
{
	return (uint64_t)flow->port[direction][SOURCE] + flow->port[direction][DESTINATION];
}

/* What one direction puts in the other takes out: one delta does for both. */
static void flow_prepare_deltas(struct flow *flow)
{
	flow->address_delta =
		cksum_delta(addresses_sum(flow, ORIGINAL), addresses_sum(flow, REPLY));
	flow->port_delta = cksum_delta(ports_sum(flow, ORIGINAL), ports_sum(flow, REPLY));
}

static struct flow *record_take(struct engine *engine)
{
	const uint32_t id = engine->free_head;

	if (id == FLOW_NONE)
		return flow_at(engine, engine->untouched++);
	engine->free_head = flow_at(engine, id)->timer.next;
	return flow_at(engine, id);
}

bool flow_make_room(struct engine *engine)
{
	return engine->free_head != FLOW_NONE || engine->untouched < engine->flows_max ||
	       flow_evict_finished(engine, NULL, NULL);
}

struct flow *flow_confirm(struct engine *engine, const struct flow *draft)
{
	struct flow *flow = record_take(engine);

	*flow = *draft;
	flow->flags |= FLOW_LIVE;
	wheel_node_init(&flow->timer);
	flow_prepare_deltas(flow);
	const uint32_t id = flow_id(engine, flow);
	index_insert(&engine->by_key, key_hash_of(engine, id << 1 | ORIGINAL), id << 1 | ORIGINAL);
	index_insert(&engine->by_key, key_hash_of(engine, id << 1 | REPLY), id << 1 | REPLY);
	flow->tally_original.half_open = true;
	wheel_node_init(&flow->opening.kin);
	flow->opening.kin.deadline_ms = 0;
	account_begin(engine, flow);
	if (flow->flags & FLOW_MAPPED)
		mapping_join(engine, flow);
	uint64_t life_ms = timeout_ms(engine, flow);
	if (flow_is_strangers(flow)) {
		const uint64_t left_ms = mapping_left_ms(engine, flow);
		life_ms = left_ms < life_ms ? left_ms : life_ms;
	}
	timer_start(engine, flow, engine->now_ms + life_ms);
	engine->status.flows++;
	engine->status.flows_created++;
	return flow;
}

void flow_end(struct engine *engine, struct flow *flow)
{
	const uint32_t id = flow_id(engine, flow);

	engine_flow_event(engine, FLOW_END, flow);
	if (engine->ruleset != NULL && engine->ruleset->connections != NULL)
		connections_end(engine, flow);
	timer_stop(engine, flow);
	if (flow->extra != EXTRA_NONE)
		extra_release(engine, flow);
	if (flow->flags & FLOW_MAPPED)
		mapping_leave(engine, flow);
	account_end(engine, flow);
	for (uint32_t key = id << 1; key <= (id << 1 | REPLY); key++)
		index_remove(&engine->by_key, key_hash_of(engine, key), key, key_hash_of, engine);
	flow->flags = 0;
	flow->timer.next = engine->free_head;
	engine->free_head = id;
	engine->status.flows--;
}

unsigned flow_end_all(struct engine *engine,
	bool (*match)(const struct flow *flow, const void *argument), const void *argument)
{
	unsigned ended = 0;

	for (uint32_t id = 0; id < engine->untouched; id++) {
		struct flow *flow = flow_at(engine, id);
		if (!(flow->flags & FLOW_LIVE) || !match(flow, argument))
			continue;
		flow_end(engine, flow);
		ended++;
	}
	return ended;
}

static bool is_of_same_guest(const struct flow *flow, const struct flow *draft)
{
	return flow->zone[ORIGINAL] == draft->zone[ORIGINAL] &&
	       addr_equal(&flow->address[ORIGINAL][SOURCE], &draft->address[ORIGINAL][SOURCE]);
}

/* The first that is `external` outside, and of the draft's guest; NULL: whichever. */
static uint32_t finished_first(const struct engine *engine, const struct wheel_list *list,
	const union addr *external, const struct flow *draft)
{
	uint32_t id = list_first(list);

	for (unsigned looks = 0; id != WHEEL_NONE && looks < FINISHED_LOOKS; looks++) {
		const struct flow *flow = flow_at(engine, id);
		if ((external == NULL ||
			    addr_equal(&flow->address[REPLY][DESTINATION], external)) &&
			(draft == NULL || is_of_same_guest(flow, draft)))
			return id;
		id = flow->timer.next;
	}
	return WHEEL_NONE;
}

bool flow_evict_finished(
	struct engine *engine, const union addr *external, const struct flow *draft)
{
	uint32_t id = finished_first(engine, &engine->finished[1], external, draft);

	if (id == WHEEL_NONE)
		id = finished_first(engine, &engine->finished[0], external, draft);
	if (id == WHEEL_NONE)
		return false;
	flow_end(engine, flow_at(engine, id));
	return true;
}

/* ---- half open ---- */

static bool flow_is_open(const struct flow *flow)
{
	return flow->protocol == IPPROTO_TCP ? flow->tcp.state >= TCP_STATE_ESTABLISHED
					     : flow->flags & FLOW_REPLIED;
}

void flow_open(struct engine *engine, struct flow *flow)
{
	if (!flow_is_open(flow))
		return;
	const struct counter counter = flow_counter(flow, REPLY);
	account_open(engine, flow);
	flow->tally_original.half_open = false;
	flow->tally[REPLY] = (struct tally){
		.packets = (uint8_t)counter.packets, .bytes = (uint32_t)counter.bytes};
	if (flow->protocol != IPPROTO_TCP || flow->tcp.state != TCP_STATE_CLOSE)
		engine_flow_event(engine, FLOW_ESTABLISHED, flow);
}

/* ---- counters ---- */

#define OPENING_BYTES_BITS  24
#define OPENING_BYTES_MAX   ((1u << OPENING_BYTES_BITS) - 1)
#define OPENING_PACKETS_MAX 0xffu

static uint32_t at_most(uint64_t value, uint32_t most)
{
	return value < most ? (uint32_t)value : most;
}

static __attribute__((noinline)) void opening_count(
	struct flow *flow, uint32_t packets, uint32_t bytes)
{
	const struct counter counter = flow_counter(flow, REPLY);

	flow->opening.kin.deadline_ms = at_most(counter.packets + packets, OPENING_PACKETS_MAX)
						<< OPENING_BYTES_BITS |
					at_most(counter.bytes + bytes, OPENING_BYTES_MAX);
}

void flow_count(struct flow *flow, enum direction direction, uint32_t packets, uint32_t bytes)
{
	if (__builtin_expect(flow->tally_original.half_open && direction == REPLY, false)) {
		opening_count(flow, packets, bytes);
		return;
	}
	flow->tally[direction].packets += packets;
	flow->tally[direction].bytes += bytes;
}

struct counter flow_counter(const struct flow *flow, enum direction direction)
{
	if (!flow->tally_original.half_open || direction == ORIGINAL)
		return (struct counter){
			.packets = flow->tally[direction].packets,
			.bytes = flow->tally[direction].bytes,
		};
	return (struct counter){
		.packets = flow->opening.kin.deadline_ms >> OPENING_BYTES_BITS,
		.bytes = flow->opening.kin.deadline_ms & OPENING_BYTES_MAX,
	};
}

const char *flow_state_name(const struct flow *flow)
{
	if (flow->protocol == IPPROTO_TCP)
		return tcp_state_name(flow->tcp.state);
	if (flow->protocol == IPPROTO_GRE && flow->port[ORIGINAL][SOURCE] == PACKET_CALL_PORT)
		return "call";
	return flow->flags & FLOW_REPLIED ? "replied" : "unreplied";
}
