/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domains: learn what guests are told, and compare it with rules.
 */
#include "engine/domains.h"

#include <stdlib.h>
#include <string.h>

#include "engine/state.h"

#define NONE 0xffffffffu

/* ---- life ---- */

struct domains *domains_create(uint32_t wanted, const struct siphash_key *key)
{
	const uint32_t max = wanted > 0 ? wanted : 1;
	struct domains *domains = calloc(1, sizeof(*domains));
	uint32_t *slots = calloc(index_slots(max), sizeof(*slots));

	if (domains != NULL)
		domains->record = calloc(max, sizeof(*domains->record));
	if (domains == NULL || slots == NULL || domains->record == NULL) {
		free(slots);
		if (domains != NULL)
			free(domains->record);
		free(domains);
		return NULL;
	}
	domains->max = max;
	domains->free_head = NONE;
	domains->key = *key;
	domains->slab = (struct wheel_slab){
		(uint8_t *)&domains->record->node, sizeof(struct domain_record)};
	index_init(&domains->index, slots, max);
	for (unsigned i = 0; i < ENGINE_LINKS_MAX; i++)
		list_init(&domains->link[i].oldest);
	return domains;
}

void domains_free(struct domains *domains)
{
	if (domains == NULL)
		return;
	free(domains->index.slots);
	free(domains->record);
	free(domains);
}

/* ---- records ---- */

static uint32_t address_hash(
	const struct domains *domains, zone_id zone, uint8_t family, const union addr *address)
{
	const uint64_t words[] = {
		(uint64_t)zone << 8 | family, address->halves[0], address->halves[1]};

	return (uint32_t)(siphash_words(&domains->key, words, 3) >> 32);
}

static uint32_t record_hash(const struct domains *domains, const struct domain_record *record)
{
	return address_hash(domains, record->zone, record->family, &record->address);
}

static uint32_t hash_of(const void *context, uint32_t id)
{
	const struct domains *domains = context;

	return record_hash(domains, &domains->record[id]);
}

/* Those of an address that a guest has: begin with walk_begin(), NULL at the end. */
struct walk {
	const struct domains *domains;
	zone_id zone;
	uint8_t family;
	const union addr *address;
	uint32_t hash, position;
};

static struct walk walk_begin(
	const struct domains *domains, zone_id zone, uint8_t family, const union addr *address)
{
	const uint32_t hash = address_hash(domains, zone, family, address);

	return (struct walk){
		domains, zone, family, address, hash, index_home(&domains->index, hash)};
}

static struct domain_record *walk_next(struct walk *walk)
{
	for (;;) {
		const uint32_t id =
			index_candidate(&walk->domains->index, walk->hash, &walk->position);
		if (id == INDEX_NONE)
			return NULL;
		struct domain_record *record = &walk->domains->record[id];
		if (record->zone == walk->zone && record->family == walk->family &&
			addr_equal(&record->address, walk->address))
			return record;
	}
}

static uint32_t record_id(const struct domains *domains, const struct domain_record *record)
{
	return (uint32_t)(record - domains->record);
}

static void record_forget(struct domains *domains, struct domain_record *record)
{
	const uint32_t id = record_id(domains, record);

	index_remove(&domains->index, record_hash(domains, record), id, hash_of, domains);
	list_remove(&domains->link[record->zone].oldest, &domains->slab, id);
	domains->link[record->zone].count--;
	record->zone = ZONE_NONE;
	record->node.next = domains->free_head;
	domains->free_head = id;
}

void domains_forget(struct domains *domains, zone_id zone)
{
	while (domains->link[zone].count > 0)
		record_forget(domains, &domains->record[list_first(&domains->link[zone].oldest)]);
}

/* Of several the one that wants more. */
static zone_id link_with_most(const struct domains *domains, zone_id wants)
{
	zone_id most = wants;

	for (zone_id zone = 0; zone < ENGINE_LINKS_MAX; zone++)
		if (domains->link[zone].count > domains->link[most].count)
			most = zone;
	return most;
}

static struct domain_record *record_take(struct domains *domains, zone_id zone)
{
	if (domains->free_head == NONE && domains->untouched < domains->max)
		return &domains->record[domains->untouched++];
	if (domains->free_head == NONE) {
		const zone_id most = link_with_most(domains, zone);
		record_forget(domains, &domains->record[list_first(&domains->link[most].oldest)]);
	}
	struct domain_record *record = &domains->record[domains->free_head];
	domains->free_head = record->node.next;
	return record;
}

/* ---- learning ---- */

/* The record of this name, or one that it may take the place of; NULL: a new one. */
static struct domain_record *record_of(struct walk walk, const char *name)
{
	struct domain_record *record, *first = NULL;
	unsigned names = 0;

	while ((record = walk_next(&walk)) != NULL) {
		if (strcmp(record->name, name) == 0)
			return record;
		if (first == NULL || record->expires_ms < first->expires_ms)
			first = record;
		names++;
	}
	return names < DOMAIN_NAMES_MAX ? NULL : first;
}

static struct domain_record *record_make(
	struct domains *domains, zone_id zone, uint8_t family, const union addr *address)
{
	struct domain_record *record = record_take(domains, zone);
	const uint32_t id = record_id(domains, record);

	*record = (struct domain_record){.address = *address, .zone = zone, .family = family};
	wheel_node_init(&record->node);
	index_insert(&domains->index, record_hash(domains, record), id);
	list_push(&domains->link[zone].oldest, &domains->slab, id);
	domains->link[zone].count++;
	return record;
}

static uint64_t expiry(const struct engine *engine, uint32_t ttl_s, uint64_t now_ms)
{
	uint32_t seconds = ttl_s < DOMAIN_TTL_MAX_S ? ttl_s : DOMAIN_TTL_MAX_S;

	if (seconds < engine->timeouts.domain)
		seconds = engine->timeouts.domain;
	return now_ms + (uint64_t)seconds * 1000;
}

/* As text, which it is not where whoever sent it has not escaped it. */
static bool is_text(const char *name)
{
	for (; *name != '\0'; name++)
		if ((unsigned char)*name <= ' ' || (unsigned char)*name >= 0x7f)
			return false;
	return true;
}

void engine_domain_learn(struct engine *engine, zone_id zone, const char *name, uint8_t family,
	const union addr *address, uint32_t ttl_s, uint64_t now_ms)
{
	struct domains *domains = engine->domains;
	const uint64_t expires_ms = expiry(engine, ttl_s, now_ms);
	char text[DOMAIN_NAME_SIZE];

	if (zone >= ENGINE_LINKS_MAX || !engine->topology.links[zone].present ||
		!domain_copy(text, sizeof(text), name, strlen(name)) || !is_text(text))
		return;
	struct domain_record *record = record_of(walk_begin(domains, zone, family, address), text);
	if (record == NULL)
		record = record_make(domains, zone, family, address);
	if (strcmp(record->name, text) != 0) {
		memcpy(record->name, text, sizeof(text));
		record->expires_ms = 0;
	}
	/* What an earlier answer has promised holds, too. */
	if (expires_ms > record->expires_ms)
		record->expires_ms = expires_ms;
	list_remove(&domains->link[zone].oldest, &domains->slab, record_id(domains, record));
	list_push(&domains->link[zone].oldest, &domains->slab, record_id(domains, record));
}

/* ---- rules ---- */

static int names_order(const void *key, const void *element)
{
	return strcmp(key, element);
}

static bool set_has(const struct set *set, const char *key)
{
	return bsearch(key, set->domains, set->count, sizeof(*set->domains), names_order) != NULL;
}

/* As it is, or with any of its leading labels for a `*`. */
static bool set_has_domain(const struct set *set, const char *name)
{
	char text[DOMAIN_NAME_SIZE];

	if (set->kind != SET_DOMAINS || !domain_copy(text, sizeof(text), name, strlen(name)))
		return false;
	if (set_has(set, text) || set_has(set, "*"))
		return true;
	for (char *dot = strchr(text, '.'); dot != NULL && dot > text; dot = strchr(dot + 1, '.')) {
		dot[-1] = '*';
		if (set_has(set, dot - 1))
			return true;
	}
	return false;
}

static bool rule_says(const struct rule *rule, const struct set *sets, const char *name)
{
	const struct domain_match *list = &rule->domains;

	for (unsigned i = 0; i < list->count; i++)
		if (domain_matches(rule->text + list->name[i].at, list->name[i].length, name))
			return true;
	for (unsigned i = 0; i < list->set_count; i++)
		if (set_has_domain(&sets[list->set[i]], name))
			return true;
	return false;
}

/* A connection that lives was let in when its record held. */
static bool is_live(const struct filter_query *query)
{
	return query->flow == NULL || (query->flow->flags & FLOW_LIVE);
}

static bool address_matches(const struct rule *rule, const struct set *sets,
	const struct filter_query *query, uint8_t family, const union addr *address)
{
	const struct engine *engine = query->engine;
	struct walk walk = walk_begin(engine->domains, query->source_zone, family, address);
	const struct domain_record *record;

	while ((record = walk_next(&walk)) != NULL)
		if ((record->expires_ms > engine->now_ms || is_live(query)) &&
			rule_says(rule, sets, record->name))
			return true;
	return false;
}

int domains_match(const struct rule *rule, const struct set *sets, const struct filter_query *query)
{
	if (query->engine == NULL || query->source_zone >= ENGINE_LINKS_MAX)
		return -1;
	return address_matches(rule, sets, query, query->family, query->destination) ||
	       (query->destination4 != NULL &&
		       address_matches(rule, sets, query, AF_INET, query->destination4));
}

/* ---- looking inside ---- */

/* Of several names the one that was learnt, or held, last. */
static const struct domain_record *record_latest(struct walk walk)
{
	const struct domain_record *record, *latest = NULL;

	while ((record = walk_next(&walk)) != NULL)
		if (latest == NULL || record->expires_ms > latest->expires_ms)
			latest = record;
	return latest;
}

const char *domains_name(const struct filter_query *query, bool *holds)
{
	const struct domain_record *record;

	if (query->engine == NULL || query->source_zone >= ENGINE_LINKS_MAX)
		return NULL;
	const struct domains *domains = query->engine->domains;
	record = record_latest(
		walk_begin(domains, query->source_zone, query->family, query->destination));
	if (record == NULL && query->destination4 != NULL)
		record = record_latest(
			walk_begin(domains, query->source_zone, AF_INET, query->destination4));
	if (holds != NULL)
		*holds = record != NULL && record->expires_ms > query->engine->now_ms;
	return record != NULL ? record->name : NULL;
}

static bool side_may_be(const struct rule *rule, uint16_t network)
{
	bool is = true;

	if (!(rule->words & RULE_WORD(WORD_IN)))
		return true;
	if (rule->in.kind == SIDE_UPLINK)
		is = false;
	else if (rule->in.kind == SIDE_NETWORK)
		is = rule->in.network == network;
	return is != ((rule->negated & RULE_WORD(WORD_IN)) != 0);
}

/* Chains that a walk is still to come to, each once. */
struct chains_left {
	uint64_t seen[CONFIG_CHAINS_MAX / 64];
	unsigned count;
	uint16_t chain[CONFIG_CHAINS_MAX];
};

static void chain_push(struct chains_left *left, uint16_t chain)
{
	const uint64_t bit = UINT64_C(1) << chain % 64;

	if (left->seen[chain / 64] & bit)
		return;
	left->seen[chain / 64] |= bit;
	left->chain[left->count++] = chain;
}

static bool chain_allows(const struct chain_rules *chain, uint16_t network, const char *name,
	struct chains_left *left)
{
	for (unsigned i = 0; i < chain->count; i++) {
		const struct rule *rule = &chain->rule[i];
		if (!side_may_be(rule, network))
			continue;
		if (rule->action == RULE_JUMP)
			chain_push(left, rule->jump);
		if (rule->action == RULE_ACCEPT &&
			(rule->words & ~rule->negated & RULE_WORD(WORD_TO_DOMAIN)) &&
			rule_says(rule, chain->sets, name))
			return true;
	}
	return false;
}

bool engine_domain_allowed(const struct engine *engine, uint16_t network, const char *name)
{
	struct chains_left left = {.count = 0};

	if (engine->ruleset == NULL)
		return false;
	if (chain_allows(&engine->ruleset->chain[CHAIN_FORWARD], network, name, &left))
		return true;
	while (left.count > 0)
		if (chain_allows(
			    &engine->ruleset->user[left.chain[--left.count]], network, name, &left))
			return true;
	return false;
}

bool engine_domain_next(
	const struct engine *engine, uint32_t *cursor, uint64_t now_ms, struct domain_info *info)
{
	const struct domains *domains = engine->domains;

	while (*cursor < domains->untouched) {
		const struct domain_record *record = &domains->record[(*cursor)++];
		if (record->zone == ZONE_NONE || record->expires_ms <= now_ms)
			continue;
		const uint16_t network = topology_network_of_zone(&engine->topology, record->zone);
		*info = (struct domain_info){
			.link = record->zone,
			.network = network,
			.family = record->family,
			.address = record->address,
			.name = record->name,
			.allowed = engine_domain_allowed(engine, network, record->name),
			.expires_ms = record->expires_ms - now_ms,
		};
		return true;
	}
	return false;
}
