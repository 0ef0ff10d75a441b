/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expect: a bounded table of announced connections.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "engine/expect.h"
#include "engine/extra.h"
#include "engine/mapping.h"
#include "engine/state.h"

/* ---- the table ---- */

int expectations_create(
	struct expectations *expectations, const struct limits_config *limits, uint64_t now_ms)
{
	const uint32_t max = limits->expectations > 0 ? limits->expectations : 1;
	uint32_t *slots = calloc(2 * (size_t)index_slots(max), sizeof(*slots));

	*expectations = (struct expectations){.max = max};
	expectations->records = calloc(max, sizeof(*expectations->records));
	expectations->by_target.slots = slots;
	if (expectations->records == NULL || slots == NULL)
		return -ENOMEM;
	index_init(&expectations->by_target, slots, max);
	index_init(&expectations->by_listener, slots + index_slots(max), max);
	wheel_init(&expectations->wheel, now_ms);
	expectations->age = (struct wheel_slab){
		(uint8_t *)&expectations->records->age, sizeof(struct expectation)};
	expectations->kin = (struct wheel_slab){
		(uint8_t *)&expectations->records->kin, sizeof(struct expectation)};
	for (uint32_t id = 0; id < max; id++)
		expectations->records[id].age.next = id + 1 < max ? id + 1 : EXPECT_NONE;
	return 0;
}

void expectations_free(struct expectations *expectations)
{
	free(expectations->by_target.slots);
	free(expectations->records);
}

static struct expectation *record_at(const struct engine *engine, uint32_t id)
{
	return &engine->expectations.records[id];
}

static uint32_t record_id(const struct engine *engine, const struct expectation *expectation)
{
	return (uint32_t)(expectation - engine->expectations.records);
}

/* ---- keys ---- */

/* What stands for the port of whoever connects, which nobody knows yet. */
static be16 any_source_port(uint8_t protocol)
{
	return protocol == IPPROTO_GRE ? PACKET_CALL_PORT : 0;
}

static void target_key(const struct expectation *expectation, struct flow_key *key)
{
	*key = (struct flow_key){
		.source = expectation->source,
		.destination = expectation->destination,
		.source_port = any_source_port(expectation->protocol),
		.destination_port = expectation->port,
		.zone = expectation->zone,
		.family = expectation->family,
		.protocol = expectation->protocol,
	};
}

static void listener_key(const struct expectation *expectation, struct flow_key *key)
{
	*key = (struct flow_key){
		.source = expectation->listener,
		.destination = expectation->destination,
		.source_port = expectation->listener_port,
		.zone = expectation->listener_zone,
		.family = expectation->family,
		.protocol = expectation->protocol,
	};
}

static uint32_t target_hash(const void *context, uint32_t id)
{
	const struct engine *engine = context;
	struct flow_key key;

	target_key(record_at(engine, id), &key);
	return flow_hash(engine, &key);
}

static uint32_t listener_hash(const void *context, uint32_t id)
{
	const struct engine *engine = context;
	struct flow_key key;

	listener_key(record_at(engine, id), &key);
	return flow_hash(engine, &key);
}

static uint32_t find(const struct engine *engine, const struct index *index,
	const struct flow_key *key, void (*key_of)(const struct expectation *, struct flow_key *))
{
	const uint32_t hash = flow_hash(engine, key);
	uint32_t position = index_home(index, hash), id;
	struct flow_key other;

	while ((id = index_candidate(index, hash, &position)) != INDEX_NONE) {
		key_of(record_at(engine, id), &other);
		if (__builtin_memcmp(key, &other, sizeof(other)) == 0)
			return id;
	}
	return EXPECT_NONE;
}

/* ---- life ---- */

static void owner_add(struct expectations *expectations, zone_id zone, uint32_t one)
{
	if (zone < ENGINE_LINKS_MAX)
		expectations->owner[zone] += one;
}

/* One that lasts as long as its master is in no wheel. */
static void age_start(struct engine *engine, uint32_t id)
{
	struct expectations *expectations = &engine->expectations;
	const uint16_t life_s = record_at(engine, id)->life_s;

	if (life_s != EXPECT_LIFE_MASTER)
		wheel_add(&expectations->wheel, &expectations->age, id,
			engine->now_ms + 1000ULL * life_s);
}

static struct expectation *insert(struct engine *engine, const struct expectation *wanted)
{
	struct expectations *expectations = &engine->expectations;
	const uint32_t id = expectations->free_head;
	struct expectation *expectation = record_at(engine, id);
	struct extra *master = extra_of(engine, flow_at(engine, wanted->master));

	expectations->free_head = expectation->age.next;
	*expectation = *wanted;
	expectation->live = true;
	wheel_node_init(&expectation->age);
	wheel_node_init(&expectation->kin);
	index_insert(&expectations->by_target, target_hash(engine, id), id);
	if (expectation->holds_port)
		index_insert(&expectations->by_listener, listener_hash(engine, id), id);
	age_start(engine, id);
	list_push(&master->expectations, &expectations->kin, id);
	owner_add(expectations, expectation->guest_zone, 1);
	expectations->count++;
	return expectation;
}

/* Take it out of everything; its port is the caller's to release or to keep. */
static void take_out(struct engine *engine, uint32_t id)
{
	struct expectations *expectations = &engine->expectations;
	struct expectation *expectation = record_at(engine, id);
	struct extra *master = extra_of(engine, flow_at(engine, expectation->master));

	index_remove(&expectations->by_target, target_hash(engine, id), id, target_hash, engine);
	if (expectation->holds_port)
		index_remove(&expectations->by_listener, listener_hash(engine, id), id,
			listener_hash, engine);
	wheel_remove(&expectations->wheel, &expectations->age, id);
	list_remove(&master->expectations, &expectations->kin, id);
	owner_add(expectations, expectation->guest_zone, -1u);
	expectation->live = false;
	expectation->age.next = expectations->free_head;
	expectations->free_head = id;
	expectations->count--;
}

void expect_end(struct engine *engine, uint32_t id)
{
	const struct expectation gone = *record_at(engine, id);

	take_out(engine, id);
	expect_ports_release(engine, &gone);
}

void expect_end_all(struct engine *engine, struct extra *extra)
{
	uint32_t id;

	while ((id = list_first(&extra->expectations)) != WHEEL_NONE)
		expect_end(engine, id);
}

void expect_renew(struct engine *engine, uint32_t id, uint16_t life_s)
{
	struct expectations *expectations = &engine->expectations;

	record_at(engine, id)->life_s = life_s;
	wheel_remove(&expectations->wheel, &expectations->age, id);
	age_start(engine, id);
}

void expect_move(struct engine *engine, uint32_t id, const union addr *source, zone_id zone)
{
	struct index *index = &engine->expectations.by_target;
	struct expectation *expectation = record_at(engine, id);

	index_remove(index, target_hash(engine, id), id, target_hash, engine);
	expectation->source = *source;
	expectation->zone = zone;
	index_insert(index, target_hash(engine, id), id);
}

void expect_expire(struct engine *engine, unsigned *budget)
{
	struct expectations *expectations = &engine->expectations;
	uint32_t id;

	while ((id = wheel_next_expired(&expectations->wheel, &expectations->age, engine->now_ms,
			budget)) != WHEEL_NONE)
		expect_end(engine, id);
}

uint64_t expect_deadline(const struct engine *engine)
{
	return wheel_deadline(&engine->expectations.wheel);
}

/* ---- making ---- */

/* What the request comes to; false where nobody may ask for it. */
static bool describe(const struct engine *engine, const struct flow *flow, enum direction direction,
	const struct expect_request *request, struct expectation *wanted)
{
	const enum direction back = direction_opposite(direction);
	const union addr *own = &flow->address[direction][SOURCE];
	const union addr *listener = request->address != NULL ? request->address : own;
	const bool listens_here = ZONE_IS_LINK(flow->zone[direction]);
	/* Of a listener outside, only the guest that it was told to may profit. */
	const bool any_peer = request->any_peer && listens_here;
	const bool has_port = request->protocol == IPPROTO_TCP || request->protocol == IPPROTO_UDP;

	if (has_port &&
		(request->port < EXPECT_PORT_MIN || (request->pair && request->port == UINT16_MAX)))
		return false;
	if (listens_here && !addr_equal(listener, own))
		return false;
	if (flow->flags & FLOW_FAMILIES && listens_here)
		return false;
	*wanted = (struct expectation){
		.destination = *listener,
		.listener = *listener,
		.port = htons(request->port),
		.listener_port = htons(request->port),
		.zone = any_peer ? ZONE_NONE : flow->zone[back],
		.listener_zone = flow->zone[direction],
		.guest = listens_here ? *own : flow->address[back][SOURCE],
		.guest_zone = flow->zone[listens_here ? direction : back],
		.family = flow_family(flow, back),
		.protocol = request->protocol,
		.class = request->class,
		.life_s = request->life_s > 0 ? request->life_s : EXPECT_LIFE_S,
		.permanent = request->permanent,
		.read = request->read,
		.master = flow_id(engine, flow),
	};
	if (addr_equal(listener, own))
		wanted->destination = flow->address[back][DESTINATION];
	if (!any_peer)
		wanted->source = flow->address[back][SOURCE];
	if (!listens_here &&
		!addr_equal(&flow->address[direction][DESTINATION], &flow->address[back][SOURCE]))
		wanted->as = flow->address[direction][DESTINATION];
	return true;
}

static bool is_same(const struct expectation *a, const struct expectation *b)
{
	return a->listener_port == b->listener_port && a->protocol == b->protocol &&
	       a->class == b->class && a->zone == b->zone &&
	       addr_equal(&a->listener, &b->listener) && addr_equal(&a->source, &b->source) &&
	       addr_equal(&a->destination, &b->destination);
}

/* That of the master which this one would repeat, or NULL. */
static struct expectation *find_same(
	const struct engine *engine, const struct extra *extra, const struct expectation *wanted)
{
	for (uint32_t id = list_first(&extra->expectations); id != WHEEL_NONE;
		id = record_at(engine, id)->kin.next)
		if (is_same(record_at(engine, id), wanted))
			return record_at(engine, id);
	return NULL;
}

/* Where the class is full its oldest gives way. */
static void class_make_room(
	struct engine *engine, const struct extra *extra, uint8_t class, uint32_t limit)
{
	uint32_t count = 0, oldest = EXPECT_NONE;

	for (uint32_t id = list_first(&extra->expectations); id != WHEEL_NONE;
		id = record_at(engine, id)->kin.next) {
		if (record_at(engine, id)->class != class)
			continue;
		if (count++ == 0)
			oldest = id;
	}
	if (count > 0 && count >= limit)
		expect_end(engine, oldest);
}

/* How many the guest has; counted one by one only where its link has too many. */
static uint32_t guest_count(const struct engine *engine, const struct expectation *wanted)
{
	const struct expectations *expectations = &engine->expectations;
	uint32_t count = 0;

	if (expectations->owner[wanted->guest_zone] <
		account_limits(engine, wanted->guest_zone)->expectations)
		return 0;
	for (uint32_t id = 0; id < expectations->max; id++) {
		const struct expectation *other = record_at(engine, id);
		count += other->live && other->guest_zone == wanted->guest_zone &&
			 addr_equal(&other->guest, &wanted->guest);
	}
	return count;
}

static bool has_room(struct engine *engine, const struct extra *extra,
	const struct expectation *wanted, const struct expect_request *request)
{
	const struct expectations *expectations = &engine->expectations;
	const uint32_t more = request->pair ? 2 : 1;

	for (uint32_t i = 0; i < more; i++)
		class_make_room(engine, extra, request->class, request->class_max);
	return expectations->count + more <= expectations->max &&
	       (!ZONE_IS_LINK(wanted->guest_zone) ||
		       guest_count(engine, wanted) + more <=
			       account_limits(engine, wanted->guest_zone)->expectations);
}

bool expect_create(struct engine *engine, struct flow *flow, enum direction direction,
	uint8_t helper, const struct expect_request *request, struct expect_answer *answer)
{
	struct extra *extra = extra_of(engine, flow);
	struct expectation wanted, second;

	if (extra == NULL || !describe(engine, flow, direction, request, &wanted))
		return false;
	wanted.helper = helper;
	second = wanted;
	second.port = second.listener_port = htons((uint16_t)(request->port + 1));
	struct expectation *same = find_same(engine, extra, &wanted);
	struct expectation *same_second = request->pair ? find_same(engine, extra, &second) : same;
	if (same != NULL && same_second != NULL) {
		expect_renew(engine, record_id(engine, same), wanted.life_s);
		expect_renew(engine, record_id(engine, same_second), wanted.life_s);
		wanted = *same;
	} else {
		if (!has_room(engine, extra, &wanted, request) ||
			!expect_ports_take(engine, request, &wanted, &second))
			return false;
		insert(engine, &wanted);
		if (request->pair)
			insert(engine, &second);
	}
	*answer = (struct expect_answer){
		.family = wanted.family,
		.address = wanted.destination,
		.port = ntohs(wanted.port),
	};
	return true;
}

/* ---- using ---- */

/* The expectation of a packet's key. */
static uint32_t find_target(const struct engine *engine, const struct flow_key *packet)
{
	const struct index *index = &engine->expectations.by_target;
	struct flow_key key = *packet;

	if (engine->expectations.count == 0)
		return EXPECT_NONE;
	if (key.protocol != IPPROTO_GRE) /* where plain GRE is not to look like a call */
		key.source_port = 0;
	const uint32_t id = find(engine, index, &key, target_key);
	if (id != EXPECT_NONE)
		return id;
	key.source = (union addr){0};
	key.zone = ZONE_NONE;
	return find(engine, index, &key, target_key);
}

bool expect_awaits(const struct engine *engine, const struct flow_key *key)
{
	return find_target(engine, key) != EXPECT_NONE;
}

uint32_t expect_bind(const struct engine *engine, struct flow *draft)
{
	const struct flow_key key = {
		.source = draft->address[ORIGINAL][SOURCE],
		.destination = draft->address[ORIGINAL][DESTINATION],
		.source_port = draft->port[ORIGINAL][SOURCE],
		.destination_port = draft->port[ORIGINAL][DESTINATION],
		.zone = draft->zone[ORIGINAL],
		.family = draft->family,
		.protocol = draft->protocol,
	};
	const uint32_t id = find_target(engine, &key);

	if (id == EXPECT_NONE)
		return EXPECT_NONE;
	const struct expectation *expectation = record_at(engine, id);
	draft->flags |= FLOW_EXPECTED;
	draft->address[REPLY][SOURCE] = expectation->listener;
	draft->port[REPLY][SOURCE] = expectation->listener_port;
	if (ZONE_IS_LINK(expectation->listener_zone)) /* others may have its address as well */
		draft->zone[REPLY] = expectation->listener_zone;
	/* From now on the flow has the port, unless it needs another for its own source. */
	if (expectation->holds_port && !ZONE_IS_LINK(draft->zone[ORIGINAL]))
		draft->flags |= FLOW_MAPPED | FLOW_INBOUND;
	return id;
}

uint8_t expect_helper(const struct engine *engine, uint32_t id)
{
	return record_at(engine, id)->helper;
}

const union addr *expect_source(const struct engine *engine, uint32_t id)
{
	if (id == EXPECT_NONE || addr_is_zero(&record_at(engine, id)->as))
		return NULL;
	return &record_at(engine, id)->as;
}

void expect_claim(struct engine *engine, uint32_t id, struct flow *flow)
{
	const struct expectation *expectation = record_at(engine, id);

	/* Its master has finished, and was what had to give way to this flow. */
	if (!expectation->live)
		return;
	struct extra *master = extra_of(engine, flow_at(engine, expectation->master));
	struct extra *extra = extra_take(engine, flow);
	if (extra != NULL) {
		extra->master = expectation->master;
		extra->announced_by = expectation->helper;
		master->children++;
		if (expectation->read) {
			extra->helper = expectation->helper;
			flow->flags |= FLOW_HELPED;
		}
	}
	if (!expectation->permanent)
		expect_end(engine, id);
}

be16 expect_port_of(const struct engine *engine, const struct flow *draft)
{
	const enum direction guest = mapping_guest(draft);
	const struct expectations *expectations = &engine->expectations;
	const struct flow_key key = {
		.source = draft->address[guest][SOURCE],
		.destination = draft->address[!guest][DESTINATION],
		.source_port = draft->port[guest][SOURCE],
		.zone = draft->zone[guest],
		.family = draft->family,
		.protocol = draft->protocol,
	};

	if (expectations->count == 0)
		return 0;
	const uint32_t id = find(engine, &expectations->by_listener, &key, listener_key);
	return id != EXPECT_NONE ? record_at(engine, id)->port : 0;
}

bool expect_has_port(const struct engine *engine, const struct flow *flow)
{
	return expect_port_of(engine, flow) == flow->port[!mapping_guest(flow)][DESTINATION];
}
