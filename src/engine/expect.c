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

	*expectations = (struct expectations){.max = max, .guest_max = limits->guest_expectations};
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

static void target_key(const struct expectation *expectation, struct flow_key *key)
{
	*key = (struct flow_key){
		.source = expectation->source,
		.destination = expectation->destination,
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

/* ---- external ports ---- */

/* The address's table of ports; false where there are none. */
static bool table_of(
	struct engine *engine, const struct expectation *expectation, struct ports_table *table)
{
	return ports_open(&engine->ports, expectation->family, &expectation->destination,
		expectation->protocol, table);
}

/* The listener's end of an expectation, as the guest's end of a flow. */
static void as_draft(const struct expectation *expectation, struct flow *draft)
{
	*draft = (struct flow){
		.address = {{expectation->listener}, {{{0}}, expectation->destination}},
		.port = {{expectation->listener_port}},
		.zone = {expectation->listener_zone},
		.family = expectation->family,
		.protocol = expectation->protocol,
	};
}

/* The port that the listener has outside already, by a flow of its own or an expectation. */
static be16 port_known(const struct engine *engine, const struct expectation *wanted)
{
	struct flow draft;

	as_draft(wanted, &draft);
	const struct flow *mapping = mapping_find(engine, &draft);
	return mapping != NULL ? mapping->port[!mapping_guest(mapping)][DESTINATION]
			       : expect_port_of(engine, &draft);
}

static void port_hold(struct engine *engine, struct ports_table table,
	struct expectation *expectation, uint16_t port)
{
	if (ports_user(&engine->ports, table, port) == PORTS_NOBODY)
		ports_take(&engine->ports, table, port, PORTS_RESERVED);
	expectation->port = htons(port);
	expectation->holds_port = true;
}

/* Nobody awaits anything at its port any more; a flow may still use it. */
static void port_release(struct engine *engine, const struct expectation *gone)
{
	const uint16_t port = ntohs(gone->port);
	struct ports_table table;
	struct flow draft;

	as_draft(gone, &draft);
	if (gone->holds_port && table_of(engine, gone, &table) &&
		ports_user(&engine->ports, table, port) == PORTS_RESERVED &&
		expect_port_of(engine, &draft) != gone->port)
		ports_release(&engine->ports, table, port, 0);
}

static bool is_ours_and_free(struct engine *engine, struct ports_table table, uint32_t port)
{
	return port <= UINT16_MAX && port_list_has(&engine->external_ports, (uint16_t)port) &&
	       ports_is_free(&engine->ports, table, (uint16_t)port, engine->now_ms);
}

/* The external port of one listener: what it has already, what it wishes, or any. */
static uint16_t choose_port(struct engine *engine, struct ports_table table,
	const struct expectation *wanted, uint16_t wish)
{
	const struct ports_slice slice = ports_whole(&engine->external_ports);
	const be16 known = port_known(engine, wanted);

	if (known != 0)
		return ntohs(known);
	if (is_ours_and_free(engine, table, wish))
		return wish;
	return ports_find_free(&engine->ports, table, &slice, engine->now_ms);
}

static bool is_free_pair(struct engine *engine, struct ports_table table, uint16_t port)
{
	return port % 2 == 0 && is_ours_and_free(engine, table, port) &&
	       is_ours_and_free(engine, table, port + 1u);
}

/* Two ports in a row, the first one even. */
static uint16_t choose_pair(struct engine *engine, struct ports_table table,
	const struct expectation *first, const struct expectation *second, uint16_t wish)
{
	const struct port_list *list = &engine->external_ports;
	const uint32_t size = port_list_size(list), start = ports_random(&engine->ports, size);
	const uint16_t known = ntohs(port_known(engine, first));

	if (known != 0 && ntohs(port_known(engine, second)) == known + 1)
		return known;
	if (is_free_pair(engine, table, wish))
		return wish;
	for (uint32_t i = 0; i < size; i++) {
		const uint16_t port = port_list_at(list, (start + i) % size);
		if (is_free_pair(engine, table, port))
			return port;
	}
	return 0;
}

/* ---- life ---- */

static void owner_add(struct expectations *expectations, zone_id zone, uint32_t one)
{
	if (ZONE_IS_LINK(zone))
		expectations->owner[zone] += one;
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
	wheel_add(&expectations->wheel, &expectations->age, id,
		engine->now_ms + 1000ULL * expectation->life_s);
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

static void end(struct engine *engine, uint32_t id)
{
	const struct expectation gone = *record_at(engine, id);

	take_out(engine, id);
	port_release(engine, &gone);
}

void expect_end_all(struct engine *engine, struct extra *extra)
{
	uint32_t id;

	while ((id = list_first(&extra->expectations)) != WHEEL_NONE)
		end(engine, id);
}

static void refresh(struct engine *engine, struct expectation *expectation)
{
	struct expectations *expectations = &engine->expectations;
	const uint32_t id = record_id(engine, expectation);

	wheel_remove(&expectations->wheel, &expectations->age, id);
	wheel_add(&expectations->wheel, &expectations->age, id,
		engine->now_ms + 1000ULL * expectation->life_s);
}

void expect_expire(struct engine *engine, unsigned *budget)
{
	struct expectations *expectations = &engine->expectations;
	uint32_t id;

	while ((id = wheel_next_expired(&expectations->wheel, &expectations->age, engine->now_ms,
			budget)) != WHEEL_NONE)
		end(engine, id);
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
		end(engine, oldest);
}

/* How many the guest has; counted one by one only where its link has too many. */
static uint32_t guest_count(const struct engine *engine, const struct expectation *wanted)
{
	const struct expectations *expectations = &engine->expectations;
	uint32_t count = 0;

	if (!ZONE_IS_LINK(wanted->guest_zone) ||
		expectations->owner[wanted->guest_zone] < expectations->guest_max)
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
	       guest_count(engine, wanted) + more <= expectations->guest_max;
}

/* Does the listener appear as an address of ours, whose ports are shared? */
static bool is_masqueraded(const struct engine *engine, const struct expectation *wanted)
{
	const struct flow *master = flow_at(engine, wanted->master);

	return !(master->flags & FLOW_PREFIX) &&
	       !addr_equal(&wanted->listener, &wanted->destination);
}

static bool take_ports(struct engine *engine, const struct expect_request *request,
	struct expectation *wanted, struct expectation *second)
{
	const uint16_t wish = request->wish != 0 ? request->wish : request->port;
	struct ports_table table;

	if (!is_masqueraded(engine, wanted))
		return true;
	if (!table_of(engine, wanted, &table))
		return false;
	const uint16_t port = request->pair ? choose_pair(engine, table, wanted, second, wish)
					    : choose_port(engine, table, wanted, wish);
	if (port == 0)
		return false;
	port_hold(engine, table, wanted, port);
	if (request->pair)
		port_hold(engine, table, second, (uint16_t)(port + 1));
	return true;
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
		refresh(engine, same);
		refresh(engine, same_second);
		wanted = *same;
	} else {
		if (!has_room(engine, extra, &wanted, request) ||
			!take_ports(engine, request, &wanted, &second))
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

uint32_t expect_bind(const struct engine *engine, struct flow *draft)
{
	const struct expectations *expectations = &engine->expectations;
	struct flow_key key = {
		.source = draft->address[ORIGINAL][SOURCE],
		.destination = draft->address[ORIGINAL][DESTINATION],
		.destination_port = draft->port[ORIGINAL][DESTINATION],
		.zone = draft->zone[ORIGINAL],
		.family = draft->family,
		.protocol = draft->protocol,
	};

	if (expectations->count == 0)
		return EXPECT_NONE;
	uint32_t id = find(engine, &expectations->by_target, &key, target_key);
	if (id == EXPECT_NONE) {
		key.source = (union addr){0};
		key.zone = ZONE_NONE;
		id = find(engine, &expectations->by_target, &key, target_key);
	}
	if (id == EXPECT_NONE)
		return EXPECT_NONE;
	const struct expectation *expectation = record_at(engine, id);
	draft->flags |= FLOW_EXPECTED;
	draft->address[REPLY][SOURCE] = expectation->listener;
	draft->port[REPLY][SOURCE] = expectation->listener_port;
	/* From now on the flow has the port, unless it needs another for its own source. */
	if (expectation->holds_port && !ZONE_IS_LINK(draft->zone[ORIGINAL]))
		draft->flags |= FLOW_MAPPED | FLOW_INBOUND;
	return id;
}

uint8_t expect_helper(const struct engine *engine, uint32_t id)
{
	return record_at(engine, id)->helper;
}

void expect_claim(struct engine *engine, uint32_t id, struct flow *flow)
{
	const struct expectation *expectation = record_at(engine, id);
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
		end(engine, id);
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
