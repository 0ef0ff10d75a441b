/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: table filter as [filter ...] and [chain NAME].
 *
 * Order is kept: rules of a chain stay in theirs, and a jump asks the chain where it stood.  A
 * user's chain to which no built-in one leads, or which has no rules, is left out, and jumps to it
 * with it.
 */
#include "import/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/target.h"

struct writer {
	struct page *page;
	struct statement_context context;
	uint8_t *places; /* of each chain: bits of enum place */
	bool changed;
};

static const struct {
	const char *name, *section;
	enum place place;
	const char *says;
} built_in[] = {
	{"INPUT", "input", PLACE_OF_INPUT,
		"to the gateway's addresses on its networks; the host's own traffic is not seen "
		"here"},
	{"FORWARD", "forward", PLACE_OF_FORWARD, "through the gateway"},
	{"OUTPUT", "output", PLACE_OF_OUTPUT, "from the gateway's addresses on its networks"},
};

/* ---- what leads where ---- */

static int chain_of_jump(const struct save *save, const struct save_rule *rule)
{
	bool negated;
	const char *target = save_option(save, rule, "-j", &negated);

	if (target == NULL)
		target = save_option(save, rule, "-g", &negated);
	if (target == NULL || save->chains[rule->chain].table != TABLE_FILTER)
		return -1;
	return save_chain_named(save, TABLE_FILTER, target);
}

static void places_spread(struct writer *writer)
{
	const struct save *save = writer->context.save;

	for (unsigned i = 0; i < save->rule_count; i++) {
		const int target = chain_of_jump(save, &save->rules[i]);
		const uint8_t places = writer->places[save->rules[i].chain];

		if (target < 0 || (writer->places[target] | places) == writer->places[target])
			continue;
		writer->places[target] |= places;
		writer->changed = true;
	}
}

static void places_find(struct writer *writer)
{
	const struct save *save = writer->context.save;

	for (unsigned i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
		const int chain = save_chain_named(save, TABLE_FILTER, built_in[i].name);

		if (chain >= 0)
			writer->places[chain] = (uint8_t)built_in[i].place;
	}
	do {
		writer->changed = false;
		places_spread(writer);
	} while (writer->changed);
}

/* ---- rules ---- */

static bool is_user_chain(const struct save_chain *chain)
{
	return strcmp(chain->policy, "-") == 0;
}

/* What RETURN means at this place: a built-in chain's policy. */
static const char *return_action(const struct save_chain *chain)
{
	if (is_user_chain(chain))
		return "return";
	return strcmp(chain->policy, "DROP") == 0 ? "drop" : "accept";
}

static void jump_write(struct writer *writer, struct statement *statement, int target)
{
	const struct save *save = writer->context.save;
	const struct save_chain *chain = &save->chains[statement->rule->chain];
	char name[CONFIG_NAME_SIZE], action[CONFIG_NAME_SIZE + sizeof("jump ")];

	if (save->chains[target].rules == 0 && !statement->goes) {
		statement_fail(statement, FATE_NEVER, "chain %s is empty", statement->target);
		return;
	}
	if (statement->goes && (statement->part[PART_LIMIT][0] != '\0' ||
				       statement->part[PART_CONNECTIONS][0] != '\0')) {
		statement_fail(statement, FATE_LOST,
			"-g with a limit: it would have to be asked twice: use a jump");
		return;
	}
	sides_label(statement->target, name);
	snprintf(action, sizeof(action), "jump %s", name);
	if (save->chains[target].rules > 0 &&
		!page_entry(writer->page, statement, "rule", action, ""))
		return;
	if (statement->goes) /* what comes back goes to where this chain came from */
		page_entry(writer->page, statement, "rule", return_action(chain), "");
}

static void target_write(struct writer *writer, struct statement *statement)
{
	const struct save *save = writer->context.save;
	const struct save_chain *chain = &save->chains[statement->rule->chain];
	char action[WORD_SIZE];

	if (statement->target == NULL) {
		statement_fail(statement, FATE_NEVER, "a rule without a target only counts");
		return;
	}
	const int target = save_chain_named(save, TABLE_FILTER, statement->target);
	if (target >= 0) {
		jump_write(writer, statement, target);
		return;
	}
	if (strcmp(statement->target, "RETURN") == 0)
		snprintf(action, sizeof(action), "%s", return_action(chain));
	else if (!target_action(statement, action, sizeof(action)))
		return;
	page_entry(writer->page, statement, "rule", action, "");
}

static void rules_write(struct writer *writer, unsigned chain)
{
	const struct save *save = writer->context.save;
	struct statement statement;

	writer->context.places = writer->places[chain];
	for (unsigned i = 0; i < save->rule_count; i++) {
		if (save->rules[i].chain != chain)
			continue;
		statement_read(&statement, &writer->context, &save->rules[i]);
		if (statement.fate == FATE_GOOD)
			target_write(writer, &statement);
		if (statement.fate != FATE_GOOD)
			page_leave_out(writer->page, &statement);
	}
}

/* ---- chains ---- */

static void built_in_write(struct writer *writer, unsigned which)
{
	const struct save *save = writer->context.save;
	const int chain = save_chain_named(save, TABLE_FILTER, built_in[which].name);
	const bool drops = chain >= 0 && strcmp(save->chains[chain].policy, "DROP") == 0;

	page_add(writer->page, NULL, "%s", "");
	page_add(writer->page, NULL, "[filter %s] # %s", built_in[which].section,
		built_in[which].says);
	page_add(writer->page, NULL, "policy = %s", drops ? "drop" : "accept");
	if (chain >= 0)
		rules_write(writer, (unsigned)chain);
}

static void user_chains_write(struct writer *writer)
{
	const struct save *save = writer->context.save;
	char name[CONFIG_NAME_SIZE];

	for (unsigned i = 0; i < save->chain_count; i++) {
		const struct save_chain *chain = &save->chains[i];

		if (chain->table != TABLE_FILTER || !is_user_chain(chain) || chain->rules == 0)
			continue;
		if (writer->places[i] == 0) {
			remark_add(writer->page->remarks, chain->line, REMARK_NOTE,
				"chain %s is left out: nothing leads to it", chain->name);
			continue;
		}
		sides_label(chain->name, name);
		page_add(writer->page, NULL, "%s", "");
		page_add(writer->page, NULL, "[chain %s]", name);
		rules_write(writer, i);
	}
}

bool filter_write(struct page *page, const struct save *save, const struct sides *sides)
{
	struct writer writer = {
		.page = page,
		.context = {.save = save, .sides = sides},
		.places = calloc(save->chain_count + 1, sizeof(*writer.places)),
	};

	if (writer.places == NULL)
		return false;
	if (!save->has_table[TABLE_FILTER])
		remark_add(page->remarks, 0, REMARK_NOTE,
			"there is no table filter: everything is accepted");
	places_find(&writer);
	for (unsigned i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		built_in_write(&writer, i);
	user_chains_write(&writer);
	free(writer.places);
	return true;
}
