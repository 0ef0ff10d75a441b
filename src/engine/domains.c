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
	for (unsigned i = 0; i < DOMAIN_OWNERS; i++)
		list_init(&domains->owner[i].oldest);
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

/* What records of an address and a guest have in common. */
struct record_key {
	zone_id zone;
	uint8_t family;
	union addr asker, address;
};

static uint32_t key_hash(const struct domains *domains, const struct record_key *key)
{
	const uint64_t words[] = {(uint64_t)key->zone << 8 | key->family, key->address.halves[0],
		key->address.halves[1], key->asker.halves[0], key->asker.halves[1]};

	return (uint32_t)(siphash_words(&domains->key, words, 5) >> 32);
}

static uint32_t record_hash(const struct domains *domains, const struct domain_record *record)
{
	const struct record_key key = {
		record->zone, record->family, record->asker, record->address};

	return key_hash(domains, &key);
}

static uint32_t hash_of(const void *context, uint32_t id)
{
	const struct domains *domains = context;

	return record_hash(domains, &domains->record[id]);
}

/* Records of a key: begin with walk_begin(), NULL at the end. */
struct walk {
	const struct domains *domains;
	struct record_key key;
	uint32_t hash, position;
};

static struct walk walk_begin(const struct domains *domains, const struct record_key *key)
{
	const uint32_t hash = key_hash(domains, key);

	return (struct walk){domains, *key, hash, index_home(&domains->index, hash)};
}

static struct domain_record *walk_next(struct walk *walk)
{
	const struct record_key *key = &walk->key;

	for (;;) {
		const uint32_t id =
			index_candidate(&walk->domains->index, walk->hash, &walk->position);
		if (id == INDEX_NONE)
			return NULL;
		struct domain_record *record = &walk->domains->record[id];
		if (record->zone == key->zone && record->family == key->family &&
			addr_equal(&record->address, &key->address) &&
			addr_equal(&record->asker, &key->asker))
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
	list_remove(&domains->owner[record->owner].oldest, &domains->slab, id);
	domains->owner[record->owner].count--;
	record->zone = ZONE_NONE;
	record->node.next = domains->free_head;
	domains->free_head = id;
}

void domains_forget(struct domains *domains, zone_id zone)
{
	for (uint32_t id = 0; id < domains->untouched; id++)
		if (domains->record[id].zone == zone)
			record_forget(domains, &domains->record[id]);
}

/* Of several the one that wants more. */
static uint16_t owner_of_most(const struct domains *domains, uint16_t wants)
{
	uint16_t most = wants;

	for (uint16_t owner = 0; owner < DOMAIN_OWNERS; owner++)
		if (domains->owner[owner].count > domains->owner[most].count)
			most = owner;
	return most;
}

static struct domain_record *record_take(struct domains *domains, uint16_t owner)
{
	if (domains->free_head == NONE && domains->untouched < domains->max)
		return &domains->record[domains->untouched++];
	if (domains->free_head == NONE) {
		const uint16_t most = owner_of_most(domains, owner);
		record_forget(domains, &domains->record[list_first(&domains->owner[most].oldest)]);
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
	struct domains *domains, const struct record_key *key, uint16_t owner)
{
	struct domain_record *record = record_take(domains, owner);
	const uint32_t id = record_id(domains, record);

	*record = (struct domain_record){
		.address = key->address,
		.asker = key->asker,
		.owner = owner,
		.zone = key->zone,
		.family = key->family,
	};
	wheel_node_init(&record->node);
	index_insert(&domains->index, record_hash(domains, record), id);
	list_push(&domains->owner[owner].oldest, &domains->slab, id);
	domains->owner[owner].count++;
	return record;
}

static uint16_t owner_of(const struct engine *engine, const struct domain_answer *answer)
{
	const struct record_key key = {answer->link, answer->asker_family, {{0}}, answer->asker};

	if (!engine->topology.links[answer->link].link.whole_subnet)
		return answer->link;
	return (uint16_t)(ENGINE_LINKS_MAX + key_hash(engine->domains, &key) % DOMAIN_ASKERS);
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

void engine_domain_learn(struct engine *engine, const struct domain_answer *answer, uint64_t now_ms)
{
	struct domains *domains = engine->domains;
	struct record_key key = {.family = answer->family, .address = answer->address};
	const uint64_t expires_ms = expiry(engine, answer->ttl_s, now_ms);
	char name[DOMAIN_NAME_SIZE];

	if (answer->link >= ENGINE_LINKS_MAX || !engine->topology.links[answer->link].present ||
		!domain_copy(name, sizeof(name), answer->name, strlen(answer->name)) ||
		!is_text(name))
		return;
	key.zone = answer->link;
	if (engine->topology.links[answer->link].link.whole_subnet &&
		answer->asker_family == answer->family)
		key.asker = answer->asker;
	struct domain_record *record = record_of(walk_begin(domains, &key), name);
	if (record == NULL)
		record = record_make(domains, &key, owner_of(engine, answer));
	if (strcmp(record->name, name) != 0) {
		memcpy(record->name, name, sizeof(name));
		record->expires_ms = 0;
	}
	/* What an earlier answer has promised holds, too. */
	if (expires_ms > record->expires_ms)
		record->expires_ms = expires_ms;
	list_remove(
		&domains->owner[record->owner].oldest, &domains->slab, record_id(domains, record));
	list_push(
		&domains->owner[record->owner].oldest, &domains->slab, record_id(domains, record));
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

/* The keys under which a packet's destination may be known to its sender: its own before what is
 * known to all of its link, the address that it says before the one that this stands for (NAT64).
 * Returns how many. */
#define QUERY_KEYS 4
static unsigned query_keys(const struct filter_query *query, struct record_key keys[QUERY_KEYS])
{
	const zone_id zone = query->source_zone;
	unsigned count = 0;

	if (query->engine == NULL || zone >= ENGINE_LINKS_MAX)
		return 0;
	const bool whole = query->engine->topology.links[zone].link.whole_subnet;
	for (unsigned embedded = 0; embedded < 2; embedded++) {
		const union addr *address = embedded ? query->destination4 : query->destination;
		const uint8_t family = embedded ? AF_INET : query->family;
		if (address == NULL)
			continue;
		if (whole)
			keys[count++] = (struct record_key){zone, family, *query->source, *address};
		keys[count++] = (struct record_key){zone, family, {{0}}, *address};
	}
	return count;
}

static bool key_matches(const struct rule *rule, const struct set *sets,
	const struct filter_query *query, const struct record_key *key)
{
	const struct engine *engine = query->engine;
	struct walk walk = walk_begin(engine->domains, key);
	const struct domain_record *record;

	while ((record = walk_next(&walk)) != NULL)
		if ((record->expires_ms > engine->now_ms || is_live(query)) &&
			rule_says(rule, sets, record->name))
			return true;
	return false;
}

int domains_match(const struct rule *rule, const struct set *sets, const struct filter_query *query)
{
	struct record_key keys[QUERY_KEYS];
	const unsigned count = query_keys(query, keys);

	for (unsigned i = 0; i < count; i++)
		if (key_matches(rule, sets, query, &keys[i]))
			return 1;
	return count > 0 ? 0 : -1;
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
	const struct domain_record *record = NULL;
	struct record_key keys[QUERY_KEYS];
	const unsigned count = query_keys(query, keys);

	for (unsigned i = 0; i < count && record == NULL; i++)
		record = record_latest(walk_begin(query->engine->domains, &keys[i]));
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
			.asker = record->asker,
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
