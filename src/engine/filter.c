/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: how a rule matches, and the way through the chains.
 */
#include <netinet/in.h>
#include "engine/connections.h"
#include "engine/domains.h"
#include "engine/limiter.h"
#include "engine/state.h"

/* ---- sides ---- */

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

/* ---- lists ---- */

/* Before, in or behind a range, as an order of its own that sets are sorted by. */
static int range_order(const struct addr_range *range, uint8_t family, const union addr *address)
{
	if (family != range->family)
		return family < range->family ? -1 : 1;
	if (addr_compare(address, &range->first) < 0)
		return -1;
	return addr_compare(address, &range->last) > 0;
}

static bool set_has_address(const struct set *set, uint8_t family, const union addr *address)
{
	unsigned low = 0, high = set->kind == SET_ADDRESSES ? set->count : 0;

	while (low < high) {
		const unsigned middle = low + (high - low) / 2;
		const int order = range_order(&set->addresses[middle], family, address);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool set_has_port(const struct set *set, uint16_t port)
{
	unsigned low = 0, high = set->kind == SET_PORTS ? set->count : 0;

	while (low < high) {
		const unsigned middle = low + (high - low) / 2;
		if (port < set->ports[middle].first)
			high = middle;
		else if (port > set->ports[middle].last)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

static bool addresses_match(const struct set *sets, const struct address_match *list,
	uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < list->count; i++)
		if (addr_range_contains(&list->range[i], family, address))
			return true;
	for (unsigned i = 0; i < list->set_count; i++)
		if (set_has_address(&sets[list->set[i]], family, address))
			return true;
	return false;
}

/* By either of its addresses, where it has two (NAT64). */
static bool end_matches(const struct set *sets, const struct address_match *list, uint8_t family,
	const union addr *address, const union addr *address4)
{
	return addresses_match(sets, list, family, address) ||
	       (address4 != NULL && addresses_match(sets, list, AF_INET, address4));
}

static bool ports_match(const struct set *sets, const struct port_match *list, uint16_t port)
{
	for (unsigned i = 0; i < list->count; i++)
		if (port >= list->range[i].first && port <= list->range[i].last)
			return true;
	for (unsigned i = 0; i < list->set_count; i++)
		if (set_has_port(&sets[list->set[i]], port))
			return true;
	return false;
}

static bool icmp_matches(const struct rule *rule, const struct filter_query *query)
{
	for (unsigned i = 0; i < rule->icmp_count; i++)
		if (rule->icmp[i].family == query->family &&
			rule->icmp[i].type == query->icmp_type &&
			(rule->icmp[i].any_code || rule->icmp[i].code == query->icmp_code))
			return true;
	return false;
}

/* ---- words ---- */

/* Where a word has nothing to look at: neither it nor its `not` holds. */
enum answer_to_word { NO, YES, NOTHING };

static enum answer_to_word domain_word(
	const struct rule *rule, const struct set *sets, const struct filter_query *query)
{
	const int matches = domains_match(rule, sets, query);

	return matches < 0 ? NOTHING : matches > 0;
}

static enum answer_to_word flow_word(const struct rule *rule, const struct set *sets,
	const struct filter_query *query, enum rule_word word)
{
	switch (word) {
	case WORD_STATE:
		return (rule->states & query->state) != 0;
	case WORD_FORWARDED:
		return query->forwarded;
	case WORD_IN:
		return side_matches(&rule->in, query->in_network);
	case WORD_OUT:
		return side_matches(&rule->out, query->out_network);
	case WORD_FAMILY:
		return rule->family == query->family;
	case WORD_PROTO:
		return rule_has_protocol(rule, query->protocol);
	case WORD_FROM_PORT:
		return query->has_ports ? ports_match(sets, &rule->from_ports, query->source_port)
					: NOTHING;
	case WORD_TO_PORT:
		return query->has_ports
			       ? ports_match(sets, &rule->to_ports, query->destination_port)
			       : NOTHING;
	case WORD_FROM:
		return end_matches(sets, &rule->from, query->family, query->source, query->source4);
	case WORD_TO:
		return end_matches(
			sets, &rule->to, query->family, query->destination, query->destination4);
	case WORD_TO_DOMAIN:
		return domain_word(rule, sets, query);
	default: /* WORD_HELPER */
		return rule->helper == query->helper;
	}
}

static enum answer_to_word packet_word(
	const struct rule *rule, const struct filter_query *query, enum rule_word word)
{
	if (!query->has_packet)
		return NOTHING;
	switch (word) {
	case WORD_ICMP_TYPE:
		return query->is_icmp ? icmp_matches(rule, query) : NOTHING;
	case WORD_TCP_FLAGS:
		if (!query->is_tcp)
			return NOTHING;
		return (query->tcp_flags & rule->tcp_flags.mask) == rule->tcp_flags.set;
	case WORD_LENGTH:
		return query->length >= rule->length.first && query->length <= rule->length.last;
	case WORD_TTL:
		return query->ttl >= rule->ttl.first && query->ttl <= rule->ttl.last;
	default: /* WORD_DSCP */
		return query->dscp == rule->dscp;
	}
}

static bool word_holds(const struct rule *rule, const struct set *sets,
	const struct filter_query *query, enum rule_word word)
{
	const enum answer_to_word answer = word <= WORD_HELPER ? flow_word(rule, sets, query, word)
							       : packet_word(rule, query, word);

	return answer == ((rule->negated & RULE_WORD(word)) ? NO : YES);
}

/* The first of these words that does not hold, or RULE_WORDS. */
static enum rule_word words_missed(const struct rule *rule, const struct set *sets,
	const struct filter_query *query, uint32_t words)
{
	for (words &= rule->words; words != 0; words &= words - 1) {
		const enum rule_word word = (enum rule_word)__builtin_ctz(words);
		if (!word_holds(rule, sets, query, word))
			return word;
	}
	return RULE_WORDS;
}

#define COUNTING_WORDS (RULE_WORD(WORD_CONNECTIONS) | RULE_WORD(WORD_LIMIT))

static enum rule_word rule_missed(const struct engine *engine, const struct chain_rules *chain,
	uint16_t index, const struct filter_query *query)
{
	const struct rule *rule = &chain->rule[index];
	const enum rule_word missed =
		words_missed(rule, chain->sets, query, RULE_MATCH_WORDS & ~COUNTING_WORDS);

	if (__builtin_expect(!(rule->words & COUNTING_WORDS), true) || missed != RULE_WORDS)
		return missed;
	if ((rule->words & RULE_WORD(WORD_CONNECTIONS)) &&
		!connections_over(engine, chain->state[index].connections, query))
		return WORD_CONNECTIONS;
	if ((rule->words & RULE_WORD(WORD_LIMIT)) &&
		limiter_is_over(chain->state[index].limiter, engine, query) != rule->limit.over)
		return WORD_LIMIT;
	return RULE_WORDS;
}

bool filter_matches(
	const struct chain_rules *chain, uint16_t index, const struct filter_query *query)
{
	return words_missed(&chain->rule[index], chain->sets, query,
		       RULE_MATCH_WORDS & ~COUNTING_WORDS) == RULE_WORDS;
}

uint16_t filter_run(const struct chain_rules *chain, const struct filter_query *query)
{
	unsigned i;

	for (i = 0; i < chain->count; i++)
		if (filter_matches(chain, (uint16_t)i, query))
			break;
	return (uint16_t)i;
}

/* ---- the way ---- */

struct place {
	const struct chain_rules *chain;
	unsigned next;
};

/* A rule whose words about the flow held is asked about each packet anew. */
static bool step_lasts(const struct rule *rule, enum rule_word missed)
{
	return missed <= WORD_HELPER || !(rule->words & RULE_PACKET_WORDS);
}

/* Go on behind a rule that matched; false where it decides. */
static bool rule_passes_on(
	const struct engine *engine, const struct rule *rule, struct place *stack, unsigned *depth)
{
	switch (rule->action) {
	case RULE_LOG:
		return true;
	case RULE_JUMP:
		stack[++*depth] = (struct place){&engine->ruleset->user[rule->jump], 0};
		return true;
	case RULE_RETURN:
		stack[*depth].next = stack[*depth].chain->count;
		return true;
	default:
		return false;
	}
}

void filter_walk(const struct engine *engine, enum chain chain, const struct filter_query *query,
	filter_observer *observer, void *context, struct filter_outcome *outcome)
{
	struct place stack[CONFIG_CHAIN_DEPTH + 1] = {{&engine->ruleset->chain[chain], 0}};
	unsigned depth = 0;

	outcome->lasting = true;
	for (;;) {
		struct place *place = &stack[depth];
		const uint16_t index = (uint16_t)place->next++;
		const bool policy = index == place->chain->count;
		if (policy && depth > 0) {
			depth--;
			continue;
		}
		const struct rule *rule = &place->chain->rule[index]; /* none, for the policy */
		const enum rule_word missed =
			policy ? RULE_WORDS : rule_missed(engine, place->chain, index, query);
		if (observer != NULL)
			observer(context,
				&(const struct filter_step){place->chain, index, (uint8_t)missed});
		if (!policy)
			outcome->lasting &= step_lasts(rule, missed);
		if (missed != RULE_WORDS)
			continue;
		if (policy || !rule_passes_on(engine, rule, stack, &depth)) {
			outcome->chain = place->chain;
			outcome->rule = index;
			outcome->lasting &= policy || !(rule->words & RULE_WORD(WORD_LOG));
			return;
		}
		outcome->lasting = false;
	}
}
