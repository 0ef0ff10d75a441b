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

/* A chain that the walk stands on. */
struct stand {
	const struct rules *rules;
	unsigned chain; /* of the user's; CONFIG_CHAINS_MAX: one of the filter's */
	unsigned next;  /* rule to look at */
	unsigned depth; /* jumps below it, as far as is known */
};

struct walk {
	const struct config *config;
	struct problems *problems;
	uint8_t mark[CONFIG_CHAINS_MAX + 1];
	uint8_t depth[CONFIG_CHAINS_MAX + 1];
	unsigned top;
	struct stand stand[CONFIG_CHAINS_MAX + 1];
};

static void stand_on(struct walk *walk, unsigned top, const struct rules *rules, unsigned chain)
{
	walk->top = top;
	walk->mark[chain] = MARK_OPEN;
	walk->stand[top] = (struct stand){.rules = rules, .chain = chain};
}

/* A jump leads to a chain that is so deep itself. */
static void jump_depth(
	struct walk *walk, struct stand *from, const struct rule *rule, unsigned below)
{
	if (below + 1 > CONFIG_CHAIN_DEPTH)
		problems_add(walk->problems, rule->line,
			"`rule = %s`: too deep: allowed: %d jumps below each other", rule->text,
			CONFIG_CHAIN_DEPTH);
	else if (below + 1 > from->depth)
		from->depth = below + 1;
}

static void jump_look(struct walk *walk, struct stand *from, const struct rule *rule)
{
	const struct chain_config *target = &walk->config->user_chains[rule->jump];

	switch ((enum mark)walk->mark[rule->jump]) {
	case MARK_NEW:
		stand_on(walk, walk->top + 1, &target->rules, rule->jump);
		break;
	case MARK_DONE:
		jump_depth(walk, from, rule, walk->depth[rule->jump]);
		break;
	case MARK_OPEN:
		problems_add(walk->problems, rule->line,
			"`rule = %s`: a loop: chain `%s` leads here already: allowed: jumps to "
			"chains that do not come back",
			rule->text, target->name);
	}
}

static void walk_from(struct walk *walk, const struct rules *rules, unsigned chain)
{
	stand_on(walk, 0, rules, chain);
	for (;;) {
		struct stand *stand = &walk->stand[walk->top];

		if (stand->next < stand->rules->count) {
			const struct rule *rule = &stand->rules->rule[stand->next++];
			if (rule->action == RULE_JUMP)
				jump_look(walk, stand, rule);
			continue;
		}
		walk->mark[stand->chain] = MARK_DONE;
		walk->depth[stand->chain] = (uint8_t)stand->depth;
		if (walk->top == 0)
			return;
		struct stand *from = &walk->stand[--walk->top];
		jump_depth(walk, from, &from->rules->rule[from->next - 1], stand->depth);
	}
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
		walk_from(&walk, &config->chains[chain], CONFIG_CHAINS_MAX);
	}
	for (unsigned chain = 0; chain < config->user_chain_count; chain++) {
		rules_count(&config->user_chains[chain].rules, &tally, problems);
		if (walk.mark[chain] == MARK_NEW)
			walk_from(&walk, &config->user_chains[chain].rules, chain);
	}
}
