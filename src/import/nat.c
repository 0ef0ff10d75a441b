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

#define DEPTH_MAX 8 /* of jumps */

struct walk {
	struct nat_list *list;
	struct statement_context context;
	bool source; /* POSTROUTING */
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

static bool entry_add(struct walk *walk, struct nat_entry *entry)
{
	struct nat_list *list = walk->list;

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

/* The rules of a chain that was reached with the words of `outer`. */
static bool chain_walk(
	struct walk *walk, unsigned chain, const struct statement *outer, unsigned depth, bool last)
{
	const struct save *save = walk->context.save;
	struct nat_entry *entry = malloc(sizeof(*entry));
	bool good = entry != NULL;

	for (unsigned i = 0; good && i < save->rule_count; i++) {
		if (save->rules[i].chain != chain)
			continue;
		*entry = (struct nat_entry){.kind = NAT_LINE};
		statement_read(&entry->statement, &walk->context, &save->rules[i]);
		if (outer != NULL)
			statement_merge(&entry->statement, outer);
		const char *target = entry->statement.target;
		const int inner = target == NULL ? -1 : save_chain_named(save, TABLE_NAT, target);
		if (inner >= 0 && (depth == DEPTH_MAX || entry->statement.goes))
			statement_fail(&entry->statement, FATE_LOST,
				"[nat] has no chains, and this jump cannot be written out");
		if (inner >= 0 && entry->statement.fate == FATE_GOOD) {
			good = chain_walk(walk, (unsigned)inner, &entry->statement, depth + 1,
				last && is_last_of_chain(save, i));
			continue;
		}
		if (entry->statement.fate == FATE_GOOD)
			target_take(walk, entry, outer != NULL, last);
		good = entry_add(walk, entry);
	}
	free(entry);
	return good;
}

static bool built_in_walk(struct nat_list *list, const char *name, enum place place, bool source)
{
	struct walk walk = {
		.list = list,
		.context = {.save = list->save, .sides = list->sides, .places = place},
		.source = source,
	};
	const int chain = save_chain_named(list->save, TABLE_NAT, name);

	return chain < 0 || chain_walk(&walk, (unsigned)chain, NULL, 0, true);
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
