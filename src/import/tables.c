/* SPDX-License-Identifier: BSD-2-Clause */
/* tables: what of the tables mangle, raw and others can be said: helpers, prefix translation. */
#include "import/tables.h"

#include <stdio.h>
#include <string.h>

static bool is_other(const struct save *save, const struct save_rule *rule)
{
	return save->chains[rule->chain].table >= TABLE_MANGLE;
}

static bool is_target(const struct statement *statement, const char *name)
{
	return statement->fate == FATE_GOOD && statement->target != NULL &&
	       strcmp(statement->target, name) == 0;
}

/* `-p tcp --dport 21 -j CT --helper ftp` */
static bool helper_write(struct page *page, struct statement *statement, bool *opened)
{
	const char *helper = statement->option[TARGET_HELPER];

	if (!is_target(statement, "CT") || helper == NULL ||
		choice_index("ftp|irc|tftp|sip|pptp", helper) < 0)
		return false;
	if (!*opened) {
		page_add(page, NULL, "%s", "");
		page_add(page, NULL, "[helpers]");
		*opened = true;
	}
	return page_entry(page, statement, helper, "", "");
}

/* `-s INSIDE -j SNPT --src-pfx INSIDE --dst-pfx OUTSIDE`; its DNPT says the same backwards. */
static void npt_leave_out(struct statement *statement)
{
	const char *from = statement->option[TARGET_SOURCE_PREFIX];
	const char *to = statement->option[TARGET_DESTINATION_PREFIX];

	if (from != NULL && to != NULL &&
		(is_target(statement, "SNPT") || is_target(statement, "DNPT")))
		statement_fail(statement, FATE_LOST, "write `npt = %.48s <-> %.48s` in [nat]",
			is_target(statement, "SNPT") ? from : to,
			is_target(statement, "SNPT") ? to : from);
}

void tables_write(struct page *page, const struct save *save, const struct sides *sides)
{
	const struct statement_context context = {
		.save = save, .sides = sides, .places = PLACE_OF_PREROUTING};
	static const char *const names[TABLE_COUNT] = {"filter", "nat", "mangle", "raw", "other"};
	bool opened = false, others = false;
	struct statement statement;

	for (unsigned i = 0; i < save->rule_count; i++) {
		const struct save_rule *rule = &save->rules[i];

		if (!is_other(save, rule))
			continue;
		statement_read(&statement, &context, rule);
		if (helper_write(page, &statement, &opened))
			continue;
		npt_leave_out(&statement);
		statement_fail(&statement, FATE_LOST, "table %s has no counterpart",
			names[save->chains[rule->chain].table]);
		if (!others) {
			page_add(page, NULL, "%s", "");
			page_add(page, NULL, "# Of other tables:");
			others = true;
		}
		page_leave_out(page, &statement);
	}
}
