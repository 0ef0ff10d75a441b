/* SPDX-License-Identifier: BSD-2-Clause */
/* show_domains: names that guests have asked for, as a table. */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include "members.h"
#include "table.h"

/* "open, 57 s left", "refused 3 times, 5 s ago" */
static char *domain_state_text(const json_t *domain, char *text, size_t size)
{
	char time[UNIT_TEXT_SIZE];

	if (json_is_null(json_object_get(domain, "count"))) {
		seconds_text(number_of(domain, "expires_s"), time);
		snprintf(text, size, "%s, %s left", text_of(domain, "state"), time);
		return text;
	}
	const int64_t count = number_of(domain, "count");
	seconds_text(number_of(domain, "age_s"), time);
	snprintf(text, size, "%s %" PRId64 " time%s, %s ago", text_of(domain, "state"), count,
		count == 1 ? "" : "s", time);
	return text;
}

void show_domains(const struct arguments *arguments, const json_t *result)
{
	static const char *const headings[] = {
		"LINK", "NETWORK", "GUEST", "NAME", "ADDRESS", "STATE", NULL};
	struct table table;
	(void)arguments;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(result); i++) {
		const json_t *domain = json_array_get(result, i);
		char state[128];
		const char *const cells[] = {
			text_of(domain, "link"),
			text_of(domain, "network"),
			text_of(domain, "guest"),
			text_of(domain, "name"),
			text_of(domain, "address"),
			domain_state_text(domain, state, sizeof(state)),
		};
		table_row(&table, cells);
	}
	table_end(&table, "");
}
