/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapping: the rings of flows that use one external port.
 */
#include <netinet/in.h>
#include <string.h>
#include "engine/mapping.h"

/* Flows of a mapping whose deadlines are compared. */
#define LIFE_LOOKS 16

/* The guest's socket and the address outside; not the port there, which is what is looked for. */
static void mapping_key_of(const struct flow *flow, struct flow_key *key)
{
	const enum direction guest = mapping_guest(flow);

	*key = (struct flow_key){
		.source = flow->address[guest][SOURCE],
		.destination = flow->address[!guest][DESTINATION],
		.source_port = flow->port[guest][SOURCE],
		.zone = flow->zone[guest],
		.family = flow_family(flow, guest),
		.protocol = flow->protocol,
	};
}

static uint32_t mapping_hash_of(const void *context, uint32_t id)
{
	const struct engine *engine = context;
	struct flow_key key;

	mapping_key_of(flow_at(engine, id), &key);
	return flow_hash(engine, &key);
}

static be16 external_port(const struct flow *flow)
{
	return flow->port[!mapping_guest(flow)][DESTINATION];
}

/* Find a flow of the mapping, whatever its port, or with that of `flow` only. */
static struct flow *find(const struct engine *engine, const struct flow *flow, bool same_port)
{
	struct flow_key key, other;

	mapping_key_of(flow, &key);
	const uint32_t hash = flow_hash(engine, &key);
	uint32_t position = index_home(&engine->by_mapping, hash);
	for (;;) {
		const uint32_t id = index_candidate(&engine->by_mapping, hash, &position);
		if (id == INDEX_NONE)
			return NULL;
		struct flow *found = flow_at(engine, id);
		mapping_key_of(found, &other);
		if (memcmp(&key, &other, sizeof(key)) == 0 &&
			(!same_port || external_port(found) == external_port(flow)))
			return found;
	}
}

struct flow *mapping_find(const struct engine *engine, const struct flow *draft)
{
	return find(engine, draft, false);
}

static bool table_of(
	const struct engine *engine, const struct flow *flow, struct ports_table *table)
{
	const enum direction out = !mapping_guest(flow);

	return ports_find(&engine->ports, flow_family(flow, out), &flow->address[out][DESTINATION],
		flow_protocol(flow, out), table);
}

struct flow *mapping_of_port(const struct engine *engine, uint8_t family,
	const union addr *external, uint8_t protocol, uint16_t port)
{
	struct ports_table table;

	if (!ports_find(&engine->ports, family, external, protocol, &table))
		return NULL;
	const uint32_t id = ports_user(&engine->ports, table, port);
	return id == PORTS_NOBODY || id == PORTS_RESERVED ? NULL : flow_at(engine, id);
}

uint16_t mapping_network(const struct engine *engine, const struct flow *flow)
{
	return topology_network_of_zone(&engine->topology, flow->zone[mapping_guest(flow)]);
}

uint64_t mapping_left_ms(const struct engine *engine, const struct flow *flow)
{
	const struct flow *other = flow;
	int32_t left = 0;

	for (unsigned looks = 0; looks < LIFE_LOOKS; looks++) {
		other = flow_at(engine, other->sibling[0]);
		if (other == flow)
			break;
		const int32_t its = (int32_t)(other->timer.deadline_ms - (uint32_t)engine->now_ms);
		if (its > left)
			left = its;
	}
	return (uint64_t)left;
}

/* ---- rings ---- */

static void ring_insert_behind(struct engine *engine, uint32_t before, uint32_t id)
{
	const uint32_t after = flow_at(engine, before)->sibling[0];

	flow_at(engine, id)->sibling[0] = after;
	flow_at(engine, id)->sibling[1] = before;
	flow_at(engine, before)->sibling[0] = id;
	flow_at(engine, after)->sibling[1] = id;
}

void mapping_join(struct engine *engine, struct flow *flow)
{
	const uint32_t id = flow_id(engine, flow);
	const uint16_t port = ntohs(external_port(flow));
	const struct flow *mapping = find(engine, flow, true);
	struct ports_table table;

	flow->sibling[0] = flow->sibling[1] = id;
	if (mapping != NULL) {
		ring_insert_behind(engine, flow_id(engine, mapping), id);
		return;
	}
	index_insert(&engine->by_mapping, mapping_hash_of(engine, id), id);
	account_port(engine, flow, true);
	if (!table_of(engine, flow, &table))
		return;
	const uint32_t first = ports_user(&engine->ports, table, port);
	if (first == PORTS_NOBODY || first == PORTS_RESERVED)
		ports_take(&engine->ports, table, port, id);
	else /* behind the last of those that share the port */
		ring_insert_behind(engine, flow_at(engine, first)->sibling[1], id);
}

static bool is_representative(const struct engine *engine, uint32_t id, uint32_t hash)
{
	uint32_t position = index_home(&engine->by_mapping, hash);
	uint32_t found;

	do
		found = index_candidate(&engine->by_mapping, hash, &position);
	while (found != id && found != INDEX_NONE);
	return found == id;
}

/* Another flow of the mapping is next to this one, on either side, if there is one. */
static uint32_t neighbour(const struct engine *engine, const struct flow *flow)
{
	struct flow_key key, other;

	mapping_key_of(flow, &key);
	for (unsigned side = 0; side < 2; side++) {
		const struct flow *next = flow_at(engine, flow->sibling[side]);
		mapping_key_of(next, &other);
		if (next != flow && memcmp(&key, &other, sizeof(key)) == 0)
			return flow->sibling[side];
	}
	return FLOW_NONE;
}

static void index_leave(struct engine *engine, const struct flow *flow)
{
	const uint32_t id = flow_id(engine, flow), other = neighbour(engine, flow);
	const uint32_t hash = mapping_hash_of(engine, id);

	if (!is_representative(engine, id, hash))
		return;
	if (other != FLOW_NONE) {
		index_replace(&engine->by_mapping, hash, id, other);
		return;
	}
	index_remove(&engine->by_mapping, hash, id, mapping_hash_of, engine);
	account_port(engine, flow, false);
}

/* RFC 6888 REQ-8: where others than those who were sent to may send, a port rests before it is
 * another guest's.  TCP is tracked. */
static uint64_t rest_until_ms(const struct engine *engine, const struct flow *flow)
{
	const uint16_t network = mapping_network(engine, flow);

	if (flow->protocol == IPPROTO_TCP || network == NETWORK_NONE ||
		engine->topology.networks[network].filtering == FILTERING_ADDRESS_AND_PORT)
		return 0;
	return engine->now_ms + PORTS_REST_S * 1000;
}

void mapping_leave(struct engine *engine, struct flow *flow)
{
	const uint32_t id = flow_id(engine, flow), next = flow->sibling[0];
	const uint16_t port = ntohs(external_port(flow));
	struct ports_table table;

	index_leave(engine, flow);
	flow_at(engine, next)->sibling[1] = flow->sibling[1];
	flow_at(engine, flow->sibling[1])->sibling[0] = next;
	if (!table_of(engine, flow, &table) || ports_user(&engine->ports, table, port) != id)
		return;
	if (next != id)
		ports_take(&engine->ports, table, port, next);
	else if (expect_has_port(engine, flow))
		ports_take(&engine->ports, table, port, PORTS_RESERVED);
	else
		ports_release(&engine->ports, table, port, rest_until_ms(engine, flow));
}
