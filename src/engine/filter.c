/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: rulesets and how a rule matches.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "engine/state.h"

/* ---- matching ---- */

static bool side_matches(const struct side_match *side, uint16_t network)
{
	switch (side->kind) {
	case SIDE_LAN:
		return network != NETWORK_NONE;
	case SIDE_UPLINK:
		return network == NETWORK_NONE;
	case SIDE_NETWORK:
		return network == side->network;
	default:
		return true;
	}
}

static bool prefixes_match(
	const struct prefix *list, unsigned count, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < count; i++)
		if (prefix_contains(&list[i], family, address))
			return true;
	return count == 0;
}

static bool ports_match(const struct port_range *list, unsigned count, uint16_t port)
{
	for (unsigned i = 0; i < count; i++)
		if (port >= list[i].first && port <= list[i].last)
			return true;
	return count == 0;
}

static bool protocol_matches(const struct rule *rule, uint8_t protocol)
{
	if (rule->any_protocol || rule->protocol == protocol)
		return true;
	/* `proto icmp` means the control messages of either family. */
	return rule->protocol == IPPROTO_ICMP && protocol == IPPROTO_ICMPV6;
}

static bool icmp_matches(const struct rule *rule, const struct filter_query *query)
{
	for (unsigned i = 0; i < rule->icmp_count; i++)
		if (query->is_icmp && rule->icmp[i].family == query->family &&
			rule->icmp[i].type == query->icmp_type &&
			(rule->icmp[i].any_code || rule->icmp[i].code == query->icmp_code))
			return true;
	return rule->icmp_count == 0;
}

static bool rule_matches(const struct rule *rule, const struct filter_query *query)
{
	if (rule->states != 0 && !(rule->states & query->state))
		return false;
	if (rule->forwarded && !query->forwarded)
		return false;
	if (!side_matches(&rule->in, query->in_network) ||
		!side_matches(&rule->out, query->out_network))
		return false;
	if (!protocol_matches(rule, query->protocol) || !icmp_matches(rule, query))
		return false;
	if ((rule->from_port_count != 0 || rule->to_port_count != 0) && !query->has_ports)
		return false;
	return ports_match(rule->from_ports, rule->from_port_count, query->source_port) &&
	       ports_match(rule->to_ports, rule->to_port_count, query->destination_port) &&
	       prefixes_match(rule->from, rule->from_count, query->family, query->source) &&
	       prefixes_match(rule->to, rule->to_count, query->family, query->destination);
}

uint16_t filter_run(const struct chain_rules *chain, const struct filter_query *query)
{
	unsigned i;

	for (i = 0; i < chain->count; i++)
		if (rule_matches(&chain->rule[i], query))
			break;
	return (uint16_t)i;
}

/* ---- rulesets ---- */

static bool chain_create(struct chain_rules *chain, const struct rules *rules)
{
	chain->count = rules->count;
	chain->policy = rules->policy;
	chain->rule = calloc(rules->count + 1, sizeof(*chain->rule));
	chain->counter = calloc(rules->count + 1, sizeof(*chain->counter));
	if (chain->rule == NULL || chain->counter == NULL)
		return false;
	if (rules->count != 0)
		memcpy(chain->rule, rules->rule, rules->count * sizeof(*chain->rule));
	return true;
}

static void chain_free(struct chain_rules *chain)
{
	free(chain->rule);
	free(chain->counter);
}

struct ruleset *ruleset_create(const struct config *config)
{
	struct ruleset *ruleset = calloc(1, sizeof(*ruleset));

	if (ruleset == NULL)
		return NULL;
	bool ok = chain_create(&ruleset->nat, &config->nat);
	for (int c = 0; c < CHAIN_COUNT; c++)
		ok = chain_create(&ruleset->chain[c], &config->chains[c]) && ok;
	if (ok)
		return ruleset;
	ruleset_free(ruleset);
	return NULL;
}

void ruleset_free(struct ruleset *ruleset)
{
	if (ruleset == NULL)
		return;
	for (int c = 0; c < CHAIN_COUNT; c++)
		chain_free(&ruleset->chain[c]);
	chain_free(&ruleset->nat);
	free(ruleset);
}

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

struct ruleset *engine_ruleset_swap(struct engine *engine, struct ruleset *ruleset)
{
	struct ruleset *old = engine->ruleset;

	if (old != NULL) {
		for (int c = 0; c < CHAIN_COUNT; c++)
			counters_carry(&old->chain[c], &ruleset->chain[c]);
		counters_carry(&old->nat, &ruleset->nat);
	}
	engine->ruleset = ruleset;
	engine->generation++;
	return old;
}

bool engine_rule_info(
	const struct engine *engine, enum chain chain, unsigned index, struct rule_info *info)
{
	if (engine->ruleset == NULL)
		return false;
	const struct chain_rules *rules = &engine->ruleset->chain[chain];
	if (index > rules->count)
		return false;
	*info = (struct rule_info){
		.rule = index < rules->count ? &rules->rule[index] : NULL,
		.policy = rules->policy,
		.counter = rules->counter[index],
	};
	return true;
}
