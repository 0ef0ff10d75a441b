/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ruleset: the life of rulesets.  A ruleset has copies of all that it needs of the config: rules,
 * sets, names; and what its rules remember, all of it allocated here.
 */
#include <stdlib.h>
#include <string.h>
#include "engine/connections.h"
#include "engine/limiter.h"
#include "engine/state.h"

/* Lines in the log of one rule: a second's, and at once. */
#define LOG_RATE  10
#define LOG_BURST 20

/* ---- sets ---- */

static void *copy(const void *from, size_t count, size_t size)
{
	void *to = calloc(count + 1, size);

	if (to != NULL && count > 0)
		memcpy(to, from, count * size);
	return to;
}

static bool set_copy(struct set *to, const struct set *from)
{
	*to = *from;
	to->addresses = NULL;
	to->ports = NULL;
	to->domains = NULL;
	if (from->kind == SET_ADDRESSES)
		to->addresses = copy(from->addresses, from->count, sizeof(*from->addresses));
	if (from->kind == SET_PORTS)
		to->ports = copy(from->ports, from->count, sizeof(*from->ports));
	if (from->kind == SET_DOMAINS)
		to->domains = copy(from->domains, from->count, sizeof(*from->domains));
	return from->kind == SET_EMPTY || to->addresses != NULL || to->ports != NULL ||
	       to->domains != NULL;
}

static bool sets_copy(struct ruleset *ruleset, const struct config *config)
{
	bool ok = true;

	ruleset->sets = calloc(config->set_count + 1, sizeof(*ruleset->sets));
	if (ruleset->sets == NULL)
		return false;
	for (unsigned i = 0; i < config->set_count; i++)
		ok = set_copy(&ruleset->sets[ruleset->set_count++], &config->sets[i]) && ok;
	return ok;
}

/* ---- chains ---- */

static bool rule_prepare(const struct rule *rule, struct rule_state *state)
{
	static const struct rule_limit lines = {
		.packets = LOG_RATE, .seconds = 1, .burst = LOG_BURST};
	const bool logs = rule->action == RULE_LOG || (rule->words & RULE_WORD(WORD_LOG));

	if (rule->words & RULE_WORD(WORD_LIMIT)) {
		state->limiter = limiter_create(&rule->limit);
		if (state->limiter == NULL)
			return false;
	}
	if (logs)
		state->log = limiter_create(&lines);
	return !logs || state->log != NULL;
}

static bool chain_create(struct chain_rules *chain, const struct ruleset *ruleset, const char *name,
	const struct rules *rules)
{
	bool ok = true;

	chain->name = name;
	chain->policy = rules->policy;
	chain->sets = ruleset->sets;
	chain->rule = copy(rules->rule, rules->count, sizeof(*chain->rule));
	chain->counter = calloc(rules->count + 1, sizeof(*chain->counter));
	chain->state = calloc(rules->count + 1, sizeof(*chain->state));
	if (chain->rule == NULL || chain->counter == NULL || chain->state == NULL)
		return false;
	chain->count = rules->count;
	for (unsigned i = 0; i < chain->count; i++)
		ok = rule_prepare(&chain->rule[i], &chain->state[i]) && ok;
	return ok;
}

static void chain_free(struct chain_rules *chain)
{
	for (unsigned i = 0; i < chain->count; i++) {
		limiter_free(chain->state[i].limiter);
		limiter_free(chain->state[i].log);
	}
	free(chain->rule);
	free(chain->counter);
	free(chain->state);
}

static bool user_chains_create(struct ruleset *ruleset, const struct config *config)
{
	const unsigned count = config->user_chain_count;
	bool ok = true;

	ruleset->names = calloc(count + 1, sizeof(*ruleset->names));
	ruleset->user = calloc(count + 1, sizeof(*ruleset->user));
	if (ruleset->names == NULL || ruleset->user == NULL)
		return false;
	for (; ruleset->user_count < count; ruleset->user_count++) {
		const unsigned i = ruleset->user_count;
		memcpy(ruleset->names[i], config->user_chains[i].name, CONFIG_NAME_SIZE);
		ok = chain_create(&ruleset->user[i], ruleset, ruleset->names[i],
			     &config->user_chains[i].rules) &&
		     ok;
	}
	return ok;
}

/* The matches of [nat] are a list of rules like any other, their targets stand beside it. */
static bool nat_create(struct ruleset *ruleset, const struct nat_rules *nat)
{
	struct rules matches = {.count = nat->count, .policy = RULE_DROP};

	matches.rule = calloc(nat->count + 1, sizeof(*matches.rule));
	ruleset->nat_rule = copy(nat->rule, nat->count, sizeof(*ruleset->nat_rule));
	ruleset->nat_turn = calloc(nat->count + 1, sizeof(*ruleset->nat_turn));
	bool ok = matches.rule != NULL && ruleset->nat_rule != NULL && ruleset->nat_turn != NULL;
	for (unsigned i = 0; ok && i < nat->count; i++)
		matches.rule[i] = nat->rule[i].match;
	ok = ok && chain_create(&ruleset->nat, ruleset, "nat", &matches);
	free(matches.rule);
	return ok;
}

struct ruleset *ruleset_create(const struct config *config)
{
	static const char *const names[CHAIN_COUNT] = {"input", "forward", "output"};
	struct ruleset *ruleset = calloc(1, sizeof(*ruleset));

	if (ruleset == NULL)
		return NULL;
	bool ok = sets_copy(ruleset, config);
	ok = nat_create(ruleset, &config->nat) && ok;
	ok = chain_create(&ruleset->helpers, ruleset, "helpers", &config->helpers) && ok;
	for (int c = 0; c < CHAIN_COUNT; c++)
		ok = chain_create(&ruleset->chain[c], ruleset, names[c], &config->chains[c]) && ok;
	ok = user_chains_create(ruleset, config) && ok;
	if (ok && connections_create(ruleset, config->limits.flows))
		return ruleset;
	ruleset_free(ruleset);
	return NULL;
}

void ruleset_free(struct ruleset *ruleset)
{
	if (ruleset == NULL)
		return;
	connections_free(ruleset->connections);
	for (int c = 0; c < CHAIN_COUNT; c++)
		chain_free(&ruleset->chain[c]);
	for (unsigned i = 0; i < ruleset->user_count; i++)
		chain_free(&ruleset->user[i]);
	chain_free(&ruleset->nat);
	chain_free(&ruleset->helpers);
	free(ruleset->nat_rule);
	free(ruleset->nat_turn);
	for (unsigned i = 0; i < ruleset->set_count; i++) {
		free(ruleset->sets[i].addresses);
		free(ruleset->sets[i].ports);
		free(ruleset->sets[i].domains);
	}
	free(ruleset->sets);
	free(ruleset->user);
	free(ruleset->names);
	free(ruleset);
}

/* ---- swapping ---- */

/* Where rule `index` has been counted so far: of several with the same words, the n-th is the n-th.
 */
static const struct counter *counter_before(
	const struct chain_rules *from, const struct chain_rules *to, unsigned index)
{
	const char *text = to->rule[index].text;
	unsigned nth = 0;

	for (unsigned i = 0; i < index; i++)
		nth += strcmp(to->rule[i].text, text) == 0;
	for (unsigned i = 0; i < from->count; i++)
		if (strcmp(from->rule[i].text, text) == 0 && nth-- == 0)
			return &from->counter[i];
	return NULL;
}

/* A rule that stands in both rulesets goes on counting, wherever it stands. */
static void counters_carry(const struct chain_rules *from, struct chain_rules *to)
{
	for (unsigned i = 0; i < to->count; i++) {
		const struct counter *before = counter_before(from, to, i);
		if (before != NULL)
			to->counter[i] = *before;
	}
	if (to->policy == from->policy)
		/* chain_create() gives every chain its counters, or none to the caller.
		 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		to->counter[to->count] = from->counter[from->count];
}

static void user_counters_carry(const struct ruleset *from, struct ruleset *to)
{
	for (unsigned i = 0; i < to->user_count; i++)
		for (unsigned j = 0; j < from->user_count; j++)
			if (strcmp(to->user[i].name, from->user[j].name) == 0)
				counters_carry(&from->user[j], &to->user[i]);
}

struct ruleset *engine_ruleset_swap(struct engine *engine, struct ruleset *ruleset)
{
	struct ruleset *old = engine->ruleset;

	if (old != NULL) {
		for (int c = 0; c < CHAIN_COUNT; c++)
			counters_carry(&old->chain[c], &ruleset->chain[c]);
		user_counters_carry(old, ruleset);
		counters_carry(&old->nat, &ruleset->nat);
	}
	engine->ruleset = ruleset;
	engine->generation++;
	if (ruleset->connections != NULL)
		connections_adopt(engine);
	return old;
}

/* ---- looking inside ---- */

static const struct chain_rules *chain_at(const struct ruleset *ruleset, unsigned chain)
{
	if (chain < CHAIN_COUNT)
		return &ruleset->chain[chain];
	return chain - CHAIN_COUNT < ruleset->user_count ? &ruleset->user[chain - CHAIN_COUNT]
							 : NULL;
}

const char *engine_chain_name(const struct engine *engine, unsigned chain)
{
	const struct chain_rules *rules =
		engine->ruleset != NULL ? chain_at(engine->ruleset, chain) : NULL;

	return rules != NULL ? rules->name : NULL;
}

bool engine_rule_info(
	const struct engine *engine, unsigned chain, unsigned index, struct rule_info *info)
{
	const struct chain_rules *rules =
		engine->ruleset != NULL ? chain_at(engine->ruleset, chain) : NULL;

	if (rules == NULL || index > rules->count)
		return false;
	*info = (struct rule_info){
		.rule = index < rules->count ? &rules->rule[index] : NULL,
		.policy = rules->policy,
		.counter = rules->counter[index],
		.log_suppressed = rules->state[index].suppressed_total,
	};
	return true;
}
