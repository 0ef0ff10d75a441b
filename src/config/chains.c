/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chains: whether the rules of all chains together can be carried out: their jumps come to an end,
 * and there are not too many of them.
 *
 * Chains and jumps are a graph.  A walk from each chain, depth first, remembers on which chains it
 * stands (a jump to one of those is a loop) and how deep below each chain the jumps go.
 */
#include <string.h>

#include "config/check.h"

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

struct walk {
	const struct config *config;
	struct problems *problems;
	uint8_t mark[CONFIG_CHAINS_MAX];
	uint8_t depth[CONFIG_CHAINS_MAX]; /* jumps below it */
};

static unsigned rules_depth(struct walk *walk, const struct rules *rules);

/* How many jumps deep a chain is, or more than is allowed. */
static unsigned chain_depth(struct walk *walk, unsigned chain)
{
	if (walk->mark[chain] == MARK_DONE)
		return walk->depth[chain];
	walk->mark[chain] = MARK_OPEN;
	const unsigned depth = rules_depth(walk, &walk->config->user_chains[chain].rules);
	walk->mark[chain] = MARK_DONE;
	walk->depth[chain] = (uint8_t)depth;
	return depth;
}

static unsigned jump_depth(struct walk *walk, const struct rule *rule)
{
	const struct chain_config *target = &walk->config->user_chains[rule->jump];

	if (walk->mark[rule->jump] == MARK_OPEN) {
		problems_add(walk->problems, rule->line,
			"`rule = %s`: a loop: chain `%s` leads here already: allowed: jumps to "
			"chains that do not come back",
			rule->text, target->name);
		return 0;
	}
	const unsigned depth = 1 + chain_depth(walk, rule->jump);
	if (depth <= CONFIG_CHAIN_DEPTH)
		return depth;
	problems_add(walk->problems, rule->line,
		"`rule = %s`: too deep: allowed: %d jumps below each other", rule->text,
		CONFIG_CHAIN_DEPTH);
	return 0; /* said once */
}

static unsigned rules_depth(struct walk *walk, const struct rules *rules)
{
	unsigned deepest = 0;

	for (unsigned i = 0; i < rules->count; i++) {
		if (rules->rule[i].action != RULE_JUMP)
			continue;
		const unsigned depth = jump_depth(walk, &rules->rule[i]);
		if (depth > deepest)
			deepest = depth;
	}
	return deepest;
}

/* Rules that have a word, up to a line past the allowed number. */
struct tally {
	unsigned rules, connections;
};

static void rules_count(const struct rules *rules, struct tally *tally, struct problems *problems)
{
	for (unsigned i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (++tally->rules == CONFIG_RULES_MAX + 1)
			problems_add(problems, rule->line,
				"`rule = %s`: allowed: %d rules in all chains together", rule->text,
				CONFIG_RULES_MAX);
		if ((rule->words & RULE_WORD(WORD_CONNECTIONS)) &&
			++tally->connections == CONFIG_CONNECTIONS_MAX + 1)
			problems_add(problems, rule->line,
				"`rule = %s`: allowed: `connections` in %d rules", rule->text,
				CONFIG_CONNECTIONS_MAX);
	}
}

void check_chains(const struct config *config, struct problems *problems)
{
	struct walk walk = {.config = config, .problems = problems};
	struct tally tally = {0};

	for (unsigned chain = 0; chain < CHAIN_COUNT; chain++) {
		rules_count(&config->chains[chain], &tally, problems);
		rules_depth(&walk, &config->chains[chain]);
	}
	for (unsigned chain = 0; chain < config->user_chain_count; chain++) {
		rules_count(&config->user_chains[chain].rules, &tally, problems);
		chain_depth(&walk, chain);
	}
}
