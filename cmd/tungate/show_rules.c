/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_rules: rules, sets and traces as people read them.
 */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include "members.h"
#include "table.h"

#define SET_SHOWN 8 /* elements of a set in its line */

/* ---- chains ---- */

static void show_counted(struct table *table, const json_t *object, const char *text)
{
	const json_t *counter = json_object_get(object, "counter");
	char packets[UNIT_TEXT_SIZE], bytes[UNIT_TEXT_SIZE];

	table_row(table, (const char *[]){count_text(number_of(counter, "packets"), packets),
				 bytes_text(number_of(counter, "bytes"), bytes), text});
}

static void show_chain(const json_t *chain)
{
	static const char *const headings[] = {">PACKETS", ">BYTES", "RULE", NULL};
	const json_t *rules = json_object_get(chain, "rules");
	const json_t *policy = json_object_get(chain, "policy");
	struct table table;

	printf("chain %s\n", text_of(chain, "chain"));
	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		show_counted(&table, rule, text_of(rule, "rule"));
	}
	if (json_is_object(policy)) {
		char text[32];
		snprintf(text, sizeof(text), "policy %s", text_of(policy, "action"));
		show_counted(&table, policy, text);
	}
	table_end(&table, "  ");
}

static void show_set(const json_t *set)
{
	const json_t *elements = json_object_get(set, "elements");
	const int64_t count = number_of(set, "count");
	size_t i = 0;

	printf("  %s:", text_of(set, "name"));
	for (; i < json_array_size(elements) && i < SET_SHOWN; i++)
		printf("%s %s", i > 0 ? "," : "", json_string_value(json_array_get(elements, i)));
	if (count > (int64_t)i)
		printf(" and %" PRId64 " more", count - (int64_t)i);
	puts(count == 0 ? " nothing" : "");
}

void show_rules(const struct arguments *arguments, const json_t *result)
{
	const json_t *chains = json_object_get(result, "chains");
	const json_t *sets = json_object_get(result, "sets");
	const json_t *nat = json_object_get(result, "nat");
	(void)arguments;

	for (size_t i = 0; i < json_array_size(chains); i++) {
		show_chain(json_array_get(chains, i));
		putchar('\n');
	}
	if (json_array_size(sets) > 0)
		puts("sets");
	for (size_t i = 0; i < json_array_size(sets); i++)
		show_set(json_array_get(sets, i));
	if (json_array_size(sets) > 0)
		putchar('\n');
	puts("nat");
	for (size_t i = 0; i < json_array_size(nat); i++) {
		const json_t *rule = json_array_get(nat, i);
		printf("  %s %s\n", text_of(rule, "action"), text_of(rule, "match"));
	}
}

/* ---- traces ---- */

/* "forward:12  no   accept in lan out uplink: out is lab". */
static void show_compared(const json_t *step)
{
	char where[48];

	snprintf(where, sizeof(where), "%s:%" PRId64, text_of(step, "chain"),
		number_of(step, "line"));
	if (flag_of(step, "matches"))
		printf("%-12s  yes  %s\n", where, text_of(step, "rule"));
	else
		printf("%-12s  no   %s: %s\n", where, text_of(step, "rule"), text_of(step, "why"));
}

void show_trace(const struct arguments *arguments, const json_t *result)
{
	const json_t *steps = json_object_get(result, "steps");
	(void)arguments;

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		if (json_object_get(step, "rule"))
			show_compared(step);
		else
			printf("%-12s  %s\n", text_of(step, "step"), text_of(step, "text"));
	}
}
