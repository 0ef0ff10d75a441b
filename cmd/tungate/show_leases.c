/* SPDX-License-Identifier: BSD-2-Clause */
/* show_leases: the addresses that guests were given by DHCP, as a table. */
#include "show.h"

#include <stdio.h>
#include <string.h>
#include "members.h"
#include "table.h"

/* "11 h 59 min", "over" */
static const char *lease_left_text(const json_t *lease, char text[UNIT_TEXT_SIZE])
{
	if (strcmp(text_of(lease, "state"), "over") == 0)
		return "over";
	return seconds_text(number_of(lease, "expires_s"), text);
}

void show_leases(const struct arguments *arguments, const json_t *result)
{
	static const char *const headings[] = {
		"NETWORK", "LINK", "ADDRESS", "MAC", "NAME", "LEFT", NULL};
	struct table table;
	(void)arguments;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(result); i++) {
		const json_t *lease = json_array_get(result, i);
		char left[UNIT_TEXT_SIZE];
		const char *const cells[] = {
			text_of(lease, "network"),
			text_of(lease, "link"),
			text_of(lease, "address"),
			text_of(lease, "mac"),
			text_of(lease, "name"),
			lease_left_text(lease, left),
		};
		table_row(&table, cells);
	}
	table_end(&table, "");
}
