/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import: the output of iptables-save or ip6tables-save, written as a configuration.
 *
 *	save        text -> tables, chains, rules in words
 *	sides       which interface is the uplink, which are networks, with what subnets
 *	filter, nat, tables
 *	            each rule: statement (match by match, target) -> a line of the page
 *	page        config_parse() has the last word
 */
#include "import/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "import/filter.h"
#include "import/nat.h"
#include "import/tables.h"

static void heading_write(struct page *page, const struct import_options *options)
{
	page_add(page, NULL, "# %s, read by `tungate import`.", options->name);
	page_add(page, NULL,
		"# Lines that it could not express stand here as comments, with their numbers "
		"there.");
	page_add(page, NULL,
		"# Guests are attached by `tungate attach`, or by a [link NAME] of this file.");
}

static void uplinks_write(struct page *page, const struct sides *sides)
{
	char list[IMPORT_SIDES_MAX * INTERFACE_SIZE + 1] = "";
	bool guessed = false;
	size_t used = 0;

	for (unsigned i = 0; i < sides->count; i++) {
		if (!side_is_uplink(&sides->side[i]) || sides->side[i].interface[0] == '\0')
			continue;
		guessed |= sides->side[i].guessed;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
			used > 0 ? ", " : "", sides->side[i].interface);
	}
	if (used == 0)
		return;
	page_add(page, NULL, "%s", "");
	page_add(page, NULL, "[gateway]");
	page_add(page, NULL, "uplink = %s%s", list,
		guessed ? " # guessed: what leaves there is translated" : "");
}

static void network_write(struct page *page, const struct side *side)
{
	char text[ADDR_TEXT_SIZE];

	page_add(page, NULL, "%s", "");
	if (side->interface[0] == '\0')
		page_add(page, NULL, "[network %s] # no rule names an interface of guests",
			side->network);
	else
		page_add(page, NULL, "[network %s] # %s%s", side->network, side->interface,
			side->guessed ? ", guessed: --lan says otherwise" : "");
	page_add(page, NULL, "subnet = %s%s", prefix_format(&side->subnet, text),
		side->subnet_guessed ? " # guessed: put yours here" : "");
	if (side->subnet_guessed)
		remark_add(page->remarks, 0, REMARK_NOTE,
			"no rule tells the subnet of network %s: %s is guessed", side->network,
			text);
}

static void page_write(struct page *page, const struct import_options *options,
	const struct save *save, const struct sides *sides)
{
	heading_write(page, options);
	uplinks_write(page, sides);
	for (unsigned i = 0; i < sides->count; i++) {
		if (!side_is_uplink(&sides->side[i]))
			network_write(page, &sides->side[i]);
	}
	if (!filter_write(page, save, sides) || !nat_write(page, save, sides))
		page->out_of_memory = true;
	tables_write(page, save, sides);
}

static bool save_import(
	const struct import_options *options, const struct save *save, struct import *import)
{
	struct page page = {.remarks = &import->remarks};
	struct sides *sides = malloc(sizeof(*sides));

	if (sides == NULL)
		return false;
	if (sides_find(sides, options, save, &import->remarks)) {
		page_write(&page, options, save, sides);
		import->text = page_finish(&page);
	}
	page_free(&page);
	free(sides);
	return import->text != NULL;
}

static bool has_any_table(const struct save *save)
{
	for (unsigned i = 0; i < TABLE_COUNT; i++) {
		if (save->has_table[i])
			return true;
	}
	return false;
}

bool import_run(const struct import_options *options, const char *text, struct import *import)
{
	struct save save;
	bool good;

	*import = (struct import){0};
	if (!save_read(&save, text, &import->remarks))
		return false;
	good = has_any_table(&save);
	if (!good)
		remark_add(&import->remarks, 0, REMARK_LOST,
			"there is no table in it: is it the output of iptables-save?");
	else
		good = save_import(options, &save, import);
	import->rules = save.rule_count;
	save_free(&save);
	remarks_sort(&import->remarks);
	for (unsigned i = 0; i < import->remarks.count; i++)
		import->lost += import->remarks.remark[i].kind == REMARK_LOST;
	return good && !import->remarks.out_of_memory;
}

void import_free(struct import *import)
{
	free(import->text);
	remarks_free(&import->remarks);
	*import = (struct import){0};
}
