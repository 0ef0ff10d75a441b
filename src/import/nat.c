/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat: table nat as [nat] and [forwards].
 *
 * [nat] has no chains: PREROUTING and POSTROUTING are walked, and what a user's chain says is
 * written where it is jumped to, with the words of both rules.  ACCEPT and RETURN say that what
 * matches stays as it is, which is needed only in front of lines that would change it.
 */
#include "import/nat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/target.h"

#define DEPTH_MAX 8     /* of jumps */
#define EXTRA_MAX 10000 /* rules that are read once more because of jumps */

/* A chain on the way, and what led to it. */
struct frame {
	unsigned chain;
	unsigned next;          /* rule to read */
	struct statement words; /* that hold for all of its rules */
	bool last;              /* nothing that could still match follows the chain */
};

struct walk {
	struct nat_list *list;
	struct statement_context context;
	bool source;   /* POSTROUTING */
	unsigned read; /* rules, again and again */
	unsigned depth;
	struct frame frame[DEPTH_MAX];
	struct nat_entry entry; /* that is being read */
};

/* Words that the first packet of a connection can be asked about. */
static void words_check(struct statement *statement)
{
	static const bool known[PART_COUNT] = {
		[PART_IN] = true,
		[PART_OUT] = true,
		[PART_FROM] = true,
		[PART_TO] = true,
		[PART_PROTO] = true,
		[PART_FROM_PORT] = true,
		[PART_TO_PORT] = true,
	};

	for (unsigned part = 0; part < PART_COUNT; part++) {
		if (!known[part] && statement->part[part][0] != '\0')
			statement_fail(statement, FATE_LOST,
				"a line of [nat] is about sides, addresses, protocol and ports "
				"alone");
	}
}

static bool entry_add(struct walk *walk)
{
	struct nat_list *list = walk->list;
	struct nat_entry *entry = &walk->entry;

	if (entry->statement.fate != FATE_GOOD)
		entry->kind = NAT_REMARK;
	if (!array_reserve(&list->entry, list->count, sizeof(*list->entry)))
		return false;
	list->entry[list->count++] = *entry;
	return true;
}

static void exemption(struct walk *walk, struct nat_entry *entry)
{
	entry->kind = NAT_EXEMPT;
	snprintf(entry->key, sizeof(entry->key), "%s", walk->source ? "no-masquerade" : "no-dnat");
	if (walk->source)
		nat_source_target(walk->list, entry);
}

/* `last`: nothing that could still match follows this rule. */
static void target_take(struct walk *walk, struct nat_entry *entry, bool user_chain, bool last)
{
	struct statement *statement = &entry->statement;
	const char *target = statement->target;

	words_check(statement);
	if (target == NULL) {
		statement_fail(statement, FATE_NEVER, "a rule without a target only counts");
	} else if (strcmp(target, "ACCEPT") == 0 || strcmp(target, "RETURN") == 0) {
		if (strcmp(target, "RETURN") == 0 && user_chain && !last)
			statement_fail(statement, FATE_LOST,
				"it returns to a chain that goes on: [nat] has no chains");
		exemption(walk, entry);
	} else if (walk->source) {
		nat_source_target(walk->list, entry);
	} else {
		nat_destination_target(walk->list, entry);
	}
}

static bool is_last_of_chain(const struct save *save, unsigned rule)
{
	for (unsigned i = rule + 1; i < save->rule_count; i++) {
		if (save->rules[i].chain == save->rules[rule].chain)
			return false;
	}
	return true;
}

/* Go into the chain that the rule being read jumps to. */
static void walk_enter(struct walk *walk, unsigned chain, bool last)
{
	struct frame *frame = &walk->frame[walk->depth++];

	frame->chain = chain;
	frame->next = 0;
	frame->words = walk->entry.statement;
	frame->last = last;
}

/* Read one rule with the words of those that led to it. */
static bool rule_walk(struct walk *walk, struct frame *frame, unsigned rule)
{
	const struct save *save = walk->context.save;
	struct statement *statement = &walk->entry.statement;
	const bool user_chain = walk->depth > 1;

	walk->read++;
	walk->entry = (struct nat_entry){.kind = NAT_LINE};
	statement_read(statement, &walk->context, &save->rules[rule]);
	if (user_chain)
		statement_merge(statement, &frame->words);
	const int inner = statement->target == NULL
				  ? -1
				  : save_chain_named(save, TABLE_NAT, statement->target);
	if (inner >= 0 && (walk->depth == DEPTH_MAX || statement->goes))
		statement_fail(statement, FATE_LOST,
			"[nat] has no chains, and this jump cannot be written out");
	if (inner >= 0 && statement->fate == FATE_GOOD) {
		walk_enter(walk, (unsigned)inner, frame->last && is_last_of_chain(save, rule));
		return true;
	}
	if (statement->fate == FATE_GOOD)
		target_take(walk, &walk->entry, user_chain, frame->last);
	return entry_add(walk);
}

static bool chains_walk(struct walk *walk)
{
	const struct save *save = walk->context.save;

	while (walk->depth > 0) {
		struct frame *frame = &walk->frame[walk->depth - 1];
		const unsigned rule = frame->next++;

		if (rule == save->rule_count)
			walk->depth--;
		else if (save->rules[rule].chain == frame->chain && !rule_walk(walk, frame, rule))
			return false;
		if (walk->read > save->rule_count + EXTRA_MAX) {
			remark_add(walk->list->page->remarks, 0, REMARK_LOST,
				"table nat: its jumps, written out, read more than %d rules again",
				EXTRA_MAX);
			break;
		}
	}
	return true;
}

static bool built_in_walk(struct nat_list *list, const char *name, enum place place, bool source)
{
	const int chain = save_chain_named(list->save, TABLE_NAT, name);
	struct walk *walk = calloc(1, sizeof(*walk));
	bool good = walk != NULL;

	if (good && chain >= 0) {
		walk->list = list;
		walk->context = (struct statement_context){
			.save = list->save, .sides = list->sides, .places = place};
		walk->source = source;
		walk_enter(walk, (unsigned)chain, true);
		good = chains_walk(walk);
	}
	free(walk);
	return good;
}

/* ---- writing ---- */

/* Exemptions behind which nothing of their kind follows. */
static void exemptions_drop(struct nat_list *list)
{
	bool source_follows = false, destination_follows = false, forward_follows = false;

	for (unsigned i = list->count; i-- > 0;) {
		struct nat_entry *entry = &list->entry[i];
		const bool source =
			strstr(entry->key, "masq") != NULL || strcmp(entry->key, "snat") == 0;
		bool *follows = source ? &source_follows : &destination_follows;

		forward_follows |= entry->kind == NAT_FORWARD;
		if (entry->kind == NAT_LINE)
			*follows = true;
		if (entry->kind != NAT_EXEMPT || *follows)
			continue;
		entry->kind = NAT_REMARK;
		statement_fail(&entry->statement, FATE_NEVER, "%s",
			!source && forward_follows
				? "a published port is for guests too, which this excepts"
				: "not needed: what no line is about stays as it is");
	}
}

static void entries_write(struct nat_list *list, bool forwards)
{
	for (unsigned i = 0; i < list->count; i++) {
		struct nat_entry *entry = &list->entry[i];
		struct statement *statement = &entry->statement;

		if ((entry->kind == NAT_FORWARD) != forwards)
			continue;
		if (entry->kind == NAT_FORWARD)
			page_add(list->page, statement->rule, "%s = %s", entry->key, entry->tail);
		else if (entry->kind != NAT_REMARK)
			page_entry(list->page, statement, entry->key, "", entry->tail);
		if (entry->kind == NAT_LINE && strcmp(entry->key, "dnat") == 0)
			remark_add(list->page->remarks, statement->rule->line, REMARK_NOTE,
				"`%s`: the filter must accept it by its addresses: `forwarded` is "
				"about [forwards] and `redirect`",
				statement->rule->source);
		if (statement->fate != FATE_GOOD)
			page_leave_out(list->page, statement);
	}
}

static void section_write(struct nat_list *list, const char *section, bool forwards)
{
	bool any = !forwards; /* without [nat] there would be masquerading */

	for (unsigned i = 0; i < list->count; i++)
		any |= list->entry[i].kind == NAT_FORWARD;
	if (!any)
		return;
	page_add(list->page, NULL, "%s", "");
	page_add(list->page, NULL, "%s", section);
	entries_write(list, forwards);
}

/* What the host itself begins, and chains that nothing leads to. */
static void others_leave_out(struct nat_list *list)
{
	const struct save *save = list->save;

	for (unsigned i = 0; i < save->rule_count; i++) {
		const struct save_chain *chain = &save->chains[save->rules[i].chain];
		struct statement statement = {.rule = &save->rules[i], .fate = FATE_HOST};

		if (chain->table != TABLE_NAT ||
			(strcmp(chain->name, "OUTPUT") != 0 && strcmp(chain->name, "INPUT") != 0))
			continue;
		snprintf(statement.fault, sizeof(statement.fault),
			"what the host itself begins; forwards serve it without a rule");
		page_leave_out(list->page, &statement);
	}
}

bool nat_write(struct page *page, const struct save *save, const struct sides *sides)
{
	struct nat_list list = {.page = page, .save = save, .sides = sides};
	const bool good = built_in_walk(&list, "PREROUTING", PLACE_OF_PREROUTING, false) &&
			  built_in_walk(&list, "POSTROUTING", PLACE_OF_POSTROUTING, true);

	if (good) {
		exemptions_drop(&list);
		section_write(&list, "[nat]", false);
		others_leave_out(&list);
		section_write(&list, "[forwards]", true);
	}
	free(list.entry);
	return good;
}
