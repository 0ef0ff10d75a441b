/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connections: tables of live flows by their originator or their other end.
 */
#include <stdlib.h>
#include "engine/connections.h"
#include "engine/inspect.h"

/* An address with flows. */
struct entry {
	union addr address;
	uint32_t flows;
	uint32_t next_free;
	zone_id zone;
	uint8_t family;
};

struct table {
	struct rule_connections rule;
	uint32_t flows; /* of all */
	/* per source or destination: */
	struct entry *entry;
	uint32_t *slots;
	struct index index;
	uint32_t free_head, untouched;
};

struct connections {
	uint32_t flows_max;
	uint32_t *counted; /* per flow: bits of the tables that have it */
	unsigned table_count;
	struct table table[CONFIG_CONNECTIONS_MAX];
};

/* ---- life ---- */

static bool table_create(
	struct table *table, const struct rule_connections *rule, uint32_t flows_max)
{
	table->rule = *rule;
	table->free_head = INDEX_NONE;
	if (rule->per == PER_RULE)
		return true;
	table->entry = calloc(flows_max, sizeof(*table->entry));
	table->slots = calloc(index_slots(flows_max), sizeof(*table->slots));
	if (table->entry == NULL || table->slots == NULL)
		return false;
	index_init(&table->index, table->slots, flows_max);
	return true;
}

static bool chain_tables(struct connections *connections, struct chain_rules *chain)
{
	for (unsigned i = 0; i < chain->count; i++) {
		const struct rule *rule = &chain->rule[i];

		if (!(rule->words & RULE_WORD(WORD_CONNECTIONS)))
			continue;
		chain->state[i].connections = (uint8_t)connections->table_count;
		if (!table_create(&connections->table[connections->table_count++],
			    &rule->connections, connections->flows_max))
			return false;
	}
	return true;
}

static unsigned chain_asks(const struct chain_rules *chain)
{
	unsigned count = 0;

	for (unsigned i = 0; i < chain->count; i++)
		count += (chain->rule[i].words & RULE_WORD(WORD_CONNECTIONS)) != 0;
	return count;
}

static unsigned ruleset_asks(const struct ruleset *ruleset)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CHAIN_COUNT; i++)
		count += chain_asks(&ruleset->chain[i]);
	for (unsigned i = 0; i < ruleset->user_count; i++)
		count += chain_asks(&ruleset->user[i]);
	return count;
}

bool connections_create(struct ruleset *ruleset, uint32_t flows_max)
{
	bool ok = true;

	if (ruleset_asks(ruleset) == 0)
		return true;
	struct connections *connections = calloc(1, sizeof(*connections));
	if (connections == NULL)
		return false;
	ruleset->connections = connections;
	connections->flows_max = flows_max;
	connections->counted = calloc(flows_max, sizeof(*connections->counted));
	for (unsigned i = 0; i < CHAIN_COUNT; i++)
		ok = ok && chain_tables(connections, &ruleset->chain[i]);
	for (unsigned i = 0; i < ruleset->user_count; i++)
		ok = ok && chain_tables(connections, &ruleset->user[i]);
	return ok && connections->counted != NULL;
}

void connections_free(struct connections *connections)
{
	if (connections == NULL)
		return;
	for (unsigned i = 0; i < connections->table_count; i++) {
		free(connections->table[i].entry);
		free(connections->table[i].slots);
	}
	free(connections->counted);
	free(connections);
}

/* ---- entries ---- */

/* Whose flows a flow is counted with. */
static struct entry entry_of(const struct table *table, const struct flow *flow)
{
	const enum direction side = table->rule.per == PER_SOURCE ? ORIGINAL : REPLY;

	return (struct entry){
		.address = flow->address[side][SOURCE],
		.zone = flow->zone[side],
		.family = flow_family(flow, side),
	};
}

static uint32_t entry_hash(const struct engine *engine, const struct entry *entry)
{
	const uint64_t words[] = {(uint64_t)entry->zone << 8 | entry->family,
		entry->address.halves[0], entry->address.halves[1]};

	return (uint32_t)(siphash_words(&engine->hash_key, words, 3) >> 32);
}

struct hashing {
	const struct engine *engine;
	const struct table *table;
};

static uint32_t entry_hash_of(const void *context, uint32_t id)
{
	const struct hashing *hashing = context;

	return entry_hash(hashing->engine, &hashing->table->entry[id]);
}

static uint32_t entry_find(
	const struct engine *engine, const struct table *table, const struct entry *wanted)
{
	const uint32_t hash = entry_hash(engine, wanted);
	uint32_t position = index_home(&table->index, hash);

	for (;;) {
		const uint32_t id = index_candidate(&table->index, hash, &position);
		if (id == INDEX_NONE)
			return INDEX_NONE;
		const struct entry *entry = &table->entry[id];
		if (entry->zone == wanted->zone && entry->family == wanted->family &&
			addr_equal(&entry->address, &wanted->address))
			return id;
	}
}

static uint32_t entry_take(struct table *table)
{
	const uint32_t id = table->free_head;

	if (id == INDEX_NONE)
		return table->untouched++;
	table->free_head = table->entry[id].next_free;
	return id;
}

/* ---- counting ---- */

static void table_add(const struct engine *engine, struct table *table, const struct flow *flow)
{
	const struct entry wanted = entry_of(table, flow);

	table->flows++;
	if (table->rule.per == PER_RULE)
		return;
	uint32_t id = entry_find(engine, table, &wanted);
	if (id == INDEX_NONE) {
		id = entry_take(table);
		table->entry[id] = wanted;
		index_insert(&table->index, entry_hash(engine, &wanted), id);
	}
	table->entry[id].flows++;
}

static void table_remove(const struct engine *engine, struct table *table, const struct flow *flow)
{
	const struct entry wanted = entry_of(table, flow);
	const struct hashing hashing = {engine, table};

	table->flows--;
	if (table->rule.per == PER_RULE)
		return;
	const uint32_t id = entry_find(engine, table, &wanted);
	if (--table->entry[id].flows > 0)
		return;
	index_remove(&table->index, entry_hash(engine, &wanted), id, entry_hash_of, &hashing);
	table->entry[id].next_free = table->free_head;
	table->free_head = id;
}

/* The bits of a flow; NULL for a draft. */
static uint32_t *flow_counted(const struct engine *engine, const struct flow *flow)
{
	struct connections *connections = engine->ruleset->connections;

	if (flow < engine->flows || flow >= engine->flows + connections->flows_max)
		return NULL;
	return &connections->counted[flow_id(engine, flow)];
}

bool connections_over(
	const struct engine *engine, uint8_t table_index, const struct filter_query *query)
{
	const struct table *table = &engine->ruleset->connections->table[table_index];
	uint32_t flows = table->flows;

	if (query->flow == NULL) /* asked about no flow in particular */
		return false;
	if (table->rule.per != PER_RULE) {
		const struct entry wanted = entry_of(table, query->flow);
		const uint32_t id = entry_find(engine, table, &wanted);
		flows = id == INDEX_NONE ? 0 : table->entry[id].flows;
	}
	const uint32_t *counted = flow_counted(engine, query->flow);
	const bool included = counted != NULL && (*counted >> table_index & 1);
	return flows + !included > table->rule.max;
}

void connections_add(struct engine *engine, const struct flow *flow, uint32_t tables)
{
	uint32_t *counted = flow_counted(engine, flow);

	if (counted == NULL)
		return;
	for (tables &= ~*counted; tables != 0; tables &= tables - 1) {
		const unsigned table = (unsigned)__builtin_ctz(tables);
		table_add(engine, &engine->ruleset->connections->table[table], flow);
		*counted |= 1u << table;
	}
}

void connections_end(struct engine *engine, const struct flow *flow)
{
	uint32_t *counted = flow_counted(engine, flow);

	if (counted == NULL)
		return;
	for (; *counted != 0; *counted &= *counted - 1)
		table_remove(engine, &engine->ruleset->connections->table[__builtin_ctz(*counted)],
			flow);
}

void connections_adopt(struct engine *engine)
{
	for (uint32_t id = 0; id < engine->untouched; id++) {
		const struct flow *flow = flow_at(engine, id);
		if (flow->flags & FLOW_LIVE)
			connections_add(engine, flow, inspect_connections(engine, flow));
	}
}
