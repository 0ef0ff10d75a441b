/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment: a bounded table of datagrams in fragments.
 *
 * Which bytes of a datagram have been seen is kept in two maps of its units of eight bytes: those
 * that are covered, and those where a fragment begins.  So any number of fragments, in any order,
 * costs the same memory, and an overlap is told from a repetition exactly.
 */
#include <stdlib.h>
#include <string.h>
#include "engine/fragment.h"
#include "engine/state.h"
#include "wire/fragment.h"

#define UNITS     (65536 / 8)
#define MAP_WORDS (UNITS / 64)
/* Memory that is always there for packets on their way out: a large one in small pieces. */
#define READY_CHUNKS 256
/* A zone's share of everything. */
#define SHARE(whole) ((whole) / 4 > 0 ? (whole) / 4 : 1)

enum datagram_state { WAITING, PASSED, REFUSED };

/* IPv6 has no protocol here: fragments of one datagram may name different headers. */
struct datagram_key {
	union addr source, destination;
	uint32_t id;
	zone_id zone;
	uint8_t family, protocol;
};
static_assert(sizeof(struct datagram_key) == 40, "five words");

struct datagram {
	struct datagram_key key;
	uint32_t hash;
	struct wheel_node age, kin;
	uint16_t owner;
	uint8_t state; /* enum datagram_state */
	uint8_t drop;  /* REFUSED: why */
	/* What the first fragment says. */
	be16 source_port, destination_port;
	uint8_t protocol, icmp_type, icmp_code;
	bool renamed; /* leaves under `id` */
	uint32_t id;
	uint32_t total; /* bytes; 0: the last fragment has not come */
	uint32_t seen;  /* bytes */
	uint32_t reach; /* end of the farthest fragment */
	struct store_list held;
	uint64_t covered[MAP_WORDS];
	uint64_t begins[MAP_WORDS];
};

/* ---- life ---- */

struct fragments *fragments_create(
	const struct limits_config *limits, const struct siphash_key *ids_key)
{
	struct fragments *fragments = calloc(1, sizeof(*fragments));
	uint32_t *slots = NULL;

	if (fragments == NULL)
		return NULL;
	fragments->max = limits->fragments > 0 ? limits->fragments : 1;
	fragments->held_max = store_chunks(limits->fragment_bytes);
	fragments->datagrams = calloc(fragments->max, sizeof(*fragments->datagrams));
	slots = calloc(index_slots(fragments->max), sizeof(*slots));
	if (fragments->datagrams == NULL || slots == NULL ||
		store_create(&fragments->store, fragments->held_max + READY_CHUNKS) < 0) {
		free(slots);
		free(fragments->datagrams);
		free(fragments);
		return NULL;
	}
	index_init(&fragments->by_key, slots, fragments->max);
	fragments->age =
		(struct wheel_slab){(uint8_t *)&fragments->datagrams->age, sizeof(struct datagram)};
	fragments->kin =
		(struct wheel_slab){(uint8_t *)&fragments->datagrams->kin, sizeof(struct datagram)};
	list_init(&fragments->oldest);
	for (unsigned i = 0; i < FRAGMENT_OWNERS; i++)
		for (unsigned waiting = 0; waiting < 2; waiting++)
			list_init(&fragments->owner[i].datagrams[waiting]);
	store_list_init(&fragments->ready);
	fragments->ids.key = *ids_key;
	for (uint32_t id = 0; id < fragments->max; id++)
		fragments->datagrams[id].age.next = id + 1 < fragments->max ? id + 1 : WHEEL_NONE;
	return fragments;
}

void fragments_free(struct fragments *fragments)
{
	if (fragments == NULL)
		return;
	store_free(&fragments->store);
	free(fragments->by_key.slots);
	free(fragments->datagrams);
	free(fragments);
}

/* ---- the table ---- */

static struct datagram *current(struct engine *engine)
{
	return &engine->fragments->datagrams[engine->fragments->current];
}

static void key_of(const struct packet *packet, uint32_t id, struct datagram_key *key)
{
	const struct headers *headers = &packet->headers;

	*key = (struct datagram_key){
		.source = headers->source,
		.destination = headers->destination,
		.id = id,
		.zone = packet->in_zone,
		.family = headers->family,
		.protocol = headers->family == AF_INET ? headers->protocol : 0,
	};
}

static uint32_t key_hash(const struct engine *engine, const struct datagram_key *key)
{
	uint64_t words[5];

	memcpy(words, key, sizeof(words));
	return (uint32_t)(siphash_words(&engine->hash_key, words, 5) >> 32);
}

static uint32_t hash_of(const void *context, uint32_t id)
{
	const struct fragments *fragments = context;

	return fragments->datagrams[id].hash;
}

static uint32_t find(
	const struct fragments *fragments, const struct datagram_key *key, uint32_t hash)
{
	uint32_t position = index_home(&fragments->by_key, hash), id;

	do
		id = index_candidate(&fragments->by_key, hash, &position);
	while (id != INDEX_NONE && memcmp(&fragments->datagrams[id].key, key, sizeof(*key)) != 0);
	return id;
}

static uint16_t owner_of(zone_id zone)
{
	if (zone < ENGINE_LINKS_MAX)
		return zone;
	if (ZONE_IS_SERVICE(zone) && (zone & 0x7fff) < CONFIG_NETWORKS_MAX)
		return (uint16_t)(ENGINE_LINKS_MAX + (zone & 0x7fff));
	return FRAGMENT_OWNERS - 1;
}

static void owner_join(struct fragments *fragments, struct datagram *datagram)
{
	struct fragment_owner *owner = &fragments->owner[datagram->owner];

	owner->count++;
	list_push(&owner->datagrams[datagram->state == WAITING], &fragments->kin,
		(uint32_t)(datagram - fragments->datagrams));
}

static void owner_leave(struct fragments *fragments, struct datagram *datagram)
{
	struct fragment_owner *owner = &fragments->owner[datagram->owner];

	owner->count--;
	list_remove(&owner->datagrams[datagram->state == WAITING], &fragments->kin,
		(uint32_t)(datagram - fragments->datagrams));
}

/* Fragments that will never follow their first one. */
static void drop_held(struct engine *engine, struct datagram *datagram, enum drop drop)
{
	struct fragments *fragments = engine->fragments;

	engine->status.drops[drop] += datagram->held.packets;
	fragments->owner[datagram->owner].chunks -= datagram->held.chunks;
	store_clear(&fragments->store, &datagram->held);
}

static void forget(struct engine *engine, uint32_t id)
{
	struct fragments *fragments = engine->fragments;
	struct datagram *datagram = &fragments->datagrams[id];

	drop_held(engine, datagram, DROP_FRAGMENT);
	owner_leave(fragments, datagram);
	list_remove(&fragments->oldest, &fragments->age, id);
	index_remove(&fragments->by_key, datagram->hash, id, hash_of, fragments);
	datagram->age.next = fragments->free_head;
	fragments->free_head = id;
	fragments->count--;
}

/* From now on neither this one nor the rest of it. */
static void refuse(struct engine *engine, struct datagram *datagram, enum drop drop)
{
	struct fragments *fragments = engine->fragments;

	drop_held(engine, datagram, drop);
	owner_leave(fragments, datagram);
	datagram->state = REFUSED;
	datagram->drop = (uint8_t)drop;
	owner_join(fragments, datagram);
}

/* ---- room ---- */

static struct fragment_owner *largest(struct fragments *fragments, bool by_memory)
{
	struct fragment_owner *most = fragments->owner;

	for (unsigned i = 1; i < FRAGMENT_OWNERS; i++) {
		struct fragment_owner *owner = &fragments->owner[i];
		if (by_memory ? owner->chunks > most->chunks : owner->count > most->count)
			most = owner;
	}
	return most;
}

/* Room for one more datagram. */
static void make_room(struct engine *engine, uint16_t owner)
{
	struct fragments *fragments = engine->fragments;
	struct fragment_owner *victim = &fragments->owner[owner];

	const zone_id zone = owner < ENGINE_LINKS_MAX ? owner : ZONE_NONE;
	if (victim->count < account_fragments(engine, zone)) {
		if (fragments->free_head != WHEEL_NONE)
			return;
		victim = largest(fragments, false);
	} else if (zone != ZONE_NONE) {
		engine->accounts->account[zone].refused[GUEST_REFUSED_FRAGMENTS]++;
	}
	const uint32_t waiting = list_first(&victim->datagrams[true]);
	forget(engine, waiting != WHEEL_NONE ? waiting : list_first(&victim->datagrams[false]));
}

/* Memory for a packet of the current datagram, at the cost of others that wait; false where that
 * one is the next to go. */
static bool make_memory(struct engine *engine, uint32_t chunks)
{
	struct fragments *fragments = engine->fragments;
	const struct fragment_owner *own = &fragments->owner[current(engine)->owner];
	const uint32_t reserved = fragments->store.total - fragments->held_max;

	for (;;) {
		const struct fragment_owner *victim = own;
		if (own->chunks + chunks <= SHARE(fragments->held_max)) {
			if (fragments->store.free >= reserved + chunks)
				return true;
			victim = largest(fragments, true);
		}
		const uint32_t id = list_first(&victim->datagrams[true]);
		if (id == WHEEL_NONE || id == fragments->current)
			return false;
		forget(engine, id);
	}
}

static uint32_t begin(struct engine *engine, const struct datagram_key *key, uint32_t hash)
{
	struct fragments *fragments = engine->fragments;

	make_room(engine, owner_of(key->zone));
	const uint32_t id = fragments->free_head;
	struct datagram *datagram = &fragments->datagrams[id];
	fragments->free_head = datagram->age.next;
	fragments->count++;
	*datagram = (struct datagram){.key = *key, .hash = hash, .owner = owner_of(key->zone)};
	store_list_init(&datagram->held);
	datagram->age.deadline_ms = (uint32_t)engine->now_ms + FRAGMENT_TIMEOUT_MS;
	list_push(&fragments->oldest, &fragments->age, id);
	owner_join(fragments, datagram);
	index_insert(&fragments->by_key, hash, id);
	return id;
}

/* ---- what has been seen ---- */

enum fit { NEW, REPEATED, OVERLAPPING };

static bool map_has(const uint64_t *map, uint32_t unit)
{
	return unit < UNITS && map[unit / 64] >> unit % 64 & 1;
}

static void map_set(uint64_t *map, uint32_t unit)
{
	map[unit / 64] |= (uint64_t)1 << unit % 64;
}

static void see(struct datagram *datagram, uint32_t from, uint32_t to, bool more)
{
	map_set(datagram->begins, from / 8);
	for (uint32_t unit = from / 8; unit * 8 < to; unit++)
		map_set(datagram->covered, unit);
	datagram->seen += to - from;
	if (to > datagram->reach)
		datagram->reach = to;
	if (!more)
		datagram->total = to;
}

/* How a fragment fits to those before it; the unit behind it tells where another one ended. */
static enum fit fit(const struct datagram *datagram, uint32_t from, uint32_t to, bool more)
{
	const uint32_t first = from / 8, behind = (to + 7) / 8;
	uint32_t covered = 0, begun = 0;

	for (uint32_t unit = first; unit < behind; unit++) {
		covered += map_has(datagram->covered, unit);
		begun += map_has(datagram->begins, unit);
	}
	if (covered == 0)
		return (datagram->total != 0 && (!more || to > datagram->total)) ||
				       (!more && datagram->reach > to)
			       ? OVERLAPPING
			       : NEW;
	const bool ends = !map_has(datagram->covered, behind) || map_has(datagram->begins, behind);
	const bool same = covered == behind - first && begun == 1 && ends &&
			  map_has(datagram->begins, first) && more == (to != datagram->total);
	return same ? REPEATED : OVERLAPPING;
}

/* ---- a fragment's way ---- */

static void learn(struct datagram *datagram, const struct headers *headers)
{
	datagram->source_port = headers->source_port;
	datagram->destination_port = headers->destination_port;
	datagram->protocol = headers->protocol;
	datagram->icmp_type = headers->icmp_type;
	datagram->icmp_code = headers->icmp_code;
}

static void lend(
	const struct engine *engine, const struct datagram *datagram, struct packet *packet)
{
	struct headers *headers = &packet->headers;
	struct flow_key key;

	headers->source_port = datagram->source_port;
	headers->destination_port = datagram->destination_port;
	headers->protocol = datagram->protocol;
	headers->icmp_type = datagram->icmp_type;
	headers->icmp_code = datagram->icmp_code;
	flow_key_of_packet(packet, &key);
	packet->hash = flow_hash(engine, &key);
	packet->hashed = true;
}

/* A first fragment again: does it say the same? */
static bool contradicts(const struct datagram *datagram, const struct headers *headers)
{
	return datagram->state == PASSED &&
	       (datagram->source_port != headers->source_port ||
		       datagram->destination_port != headers->destination_port ||
		       datagram->protocol != headers->protocol);
}

static enum verdict hold(struct engine *engine, struct packet *packet)
{
	struct fragments *fragments = engine->fragments;
	struct datagram *datagram = current(engine);
	const uint32_t chunks = store_chunks(packet->length);

	if (!make_memory(engine, chunks)) {
		refuse(engine, datagram, DROP_FRAGMENT);
		return packet_drop(engine, packet, DROP_FRAGMENT);
	}
	store_push(&fragments->store, &datagram->held, packet, packet->in_zone, 0);
	fragments->owner[datagram->owner].chunks += chunks;
	return VERDICT_HELD;
}

enum verdict fragment_enter(struct engine *engine, struct packet *packet)
{
	struct fragments *fragments = engine->fragments;
	const bool first = packet->headers.kind != L4_FRAGMENT;
	struct fragment_position position;
	struct datagram_key key;

	packet_fragment_position(packet, &position);
	key_of(packet, position.id, &key);
	const uint32_t hash = key_hash(engine, &key);
	const uint32_t known = find(fragments, &key, hash);
	fragments->current = known != INDEX_NONE ? known : begin(engine, &key, hash);

	struct datagram *datagram = current(engine);
	if (datagram->state == REFUSED)
		return packet_drop(engine, packet, datagram->drop);
	const uint32_t end = position.offset + packet->headers.end - fragment_start(packet);
	const enum fit how = fit(datagram, position.offset, end, position.more);
	if (how == OVERLAPPING || (first && contradicts(datagram, &packet->headers))) {
		refuse(engine, datagram, DROP_FRAGMENT);
		return packet_drop(engine, packet, DROP_FRAGMENT);
	}
	if (how == NEW)
		see(datagram, position.offset, end, position.more);
	else if (datagram->state == WAITING)
		return packet_drop(engine, packet, DROP_FRAGMENT);
	if (first)
		learn(datagram, &packet->headers);
	else if (datagram->state == WAITING)
		return hold(engine, packet);
	else
		lend(engine, datagram, packet);
	return VERDICT_SEND;
}

void fragment_decide(struct engine *engine, const struct packet *packet, enum verdict verdict)
{
	struct fragments *fragments = engine->fragments;
	struct datagram *datagram = current(engine);

	if (verdict == VERDICT_DROP) {
		refuse(engine, datagram, packet->drop);
		return;
	}
	owner_leave(fragments, datagram);
	fragments->owner[datagram->owner].chunks -= datagram->held.chunks;
	datagram->state = PASSED;
	if (datagram->key.zone == ZONE_UPLINK)
		datagram->owner = owner_of(packet->out_zone);
	fragments->owner[datagram->owner].chunks += datagram->held.chunks;
	owner_join(fragments, datagram);
}

bool fragment_release(struct engine *engine, struct packet *packet)
{
	struct fragments *fragments = engine->fragments;
	struct datagram *datagram = current(engine);

	*packet = (struct packet){
		.data = fragments->scratch + PACKET_HEADROOM, .capacity = PACKET_BYTES_MAX};
	const uint32_t before = datagram->held.chunks;
	if (!store_pop(&fragments->store, &datagram->held, packet))
		return false;
	fragments->owner[datagram->owner].chunks -= before - datagram->held.chunks;
	packet_parse(packet); /* as it did when it came */
	lend(engine, datagram, packet);
	return true;
}

void fragment_leave(struct engine *engine)
{
	const struct datagram *datagram = current(engine);

	if (datagram->total != 0 && datagram->seen == datagram->total)
		forget(engine, engine->fragments->current);
}

uint32_t fragment_id(struct engine *engine, const struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	struct datagram *datagram = current(engine);
	const bool part = packet_is_fragment(packet);

	if (part && datagram->renamed)
		return datagram->id;
	const uint32_t id = ip_id_next(&engine->fragments->ids, headers->family, &headers->source,
		&headers->destination, headers->protocol);
	if (part) {
		datagram->id = id;
		datagram->renamed = true;
	}
	return id;
}

/* ---- what is ready ---- */

bool fragment_ready_has_room(const struct engine *engine, uint32_t count, uint32_t bytes)
{
	return (uint64_t)count * store_chunks(bytes) <= engine->fragments->store.free;
}

void fragment_ready_push(struct engine *engine, const struct packet *packet)
{
	struct fragments *fragments = engine->fragments;

	store_push(&fragments->store, &fragments->ready, packet, packet->out_zone, packet->path);
}

bool fragment_ready_next(struct engine *engine, struct packet *packet)
{
	return store_pop(&engine->fragments->store, &engine->fragments->ready, packet);
}

/* ---- time ---- */

static uint64_t due(const struct engine *engine, uint32_t id)
{
	const uint32_t left =
		engine->fragments->datagrams[id].age.deadline_ms - (uint32_t)engine->now_ms;

	return (int32_t)left > 0 ? engine->now_ms + left : engine->now_ms;
}

void fragments_expire(struct engine *engine, unsigned *budget)
{
	while (*budget > 0) {
		const uint32_t id = list_first(&engine->fragments->oldest);
		if (id == WHEEL_NONE || due(engine, id) > engine->now_ms)
			return;
		forget(engine, id);
		(*budget)--;
	}
}

uint64_t fragments_deadline(const struct engine *engine)
{
	const uint32_t id = list_first(&engine->fragments->oldest);

	return id == WHEEL_NONE ? UINT64_MAX : due(engine, id);
}
