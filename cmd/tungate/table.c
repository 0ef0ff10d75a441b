/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table: rows of text in aligned columns, and numbers as people read them.
 */
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2 /* blanks between columns */

void table_begin(struct table *table, const char *const *headings)
{
	*table = (struct table){.headings = headings};
	while (headings[table->columns])
		table->columns++;
}

void table_row(struct table *table, const char *const *cells)
{
	const size_t used = (size_t)table->rows * table->columns;
	char **grown = realloc(table->cells, (used + table->columns) * sizeof(*grown));

	if (!grown)
		abort();
	table->cells = grown;
	for (unsigned i = 0; i < table->columns; i++) {
		grown[used + i] = strdup(cells[i] && *cells[i] ? cells[i] : "-");
		if (!grown[used + i])
			abort();
	}
	table->rows++;
}

static const char *heading_text(const char *heading)
{
	return heading + (*heading == '>');
}

static int column_width(const struct table *table, unsigned column)
{
	size_t width = strlen(heading_text(table->headings[column]));

	for (unsigned row = 0; row < table->rows; row++) {
		const size_t length = strlen(table->cells[row * table->columns + column]);
		if (length > width)
			width = length;
	}
	return (int)width;
}

static void row_print(
	const struct table *table, const int *widths, const char *indent, const char *const *cells)
{
	fputs(indent, stdout);
	for (unsigned i = 0; i < table->columns; i++) {
		const char *text = heading_text(cells[i]);
		const int gap = i > 0 ? GAP : 0;
		if (*table->headings[i] == '>')
			printf("%*s%*s", gap, "", widths[i], text);
		else if (i + 1 < table->columns)
			printf("%*s%-*s", gap, "", widths[i], text);
		else
			printf("%*s%s", gap, "", text);
	}
	putchar('\n');
}

void table_end(struct table *table, const char *indent)
{
	int widths[TABLE_COLUMNS_MAX];

	for (unsigned i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	row_print(table, widths, indent, table->headings);
	for (unsigned row = 0; row < table->rows; row++)
		row_print(table, widths, indent,
			(const char *const *)&table->cells[row * table->columns]);
	for (unsigned i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
}

/* ---- numbers ---- */

/* Three digits that matter, in steps of a thousand. */
static char *scaled_text(int64_t number, const char *const *units, char *text)
{
	double value = (double)number;
	unsigned step = 0;

	while (value >= 999.5 && units[step + 1]) {
		value /= 1000;
		step++;
	}
	const int decimals = step == 0 || value >= 99.95 ? 0 : 1;
	snprintf(text, UNIT_TEXT_SIZE, "%.*f%s", decimals, value, units[step]);
	return text;
}

char *bytes_text(int64_t bytes, char *text)
{
	static const char *const units[] = {" B", " kB", " MB", " GB", " TB", " PB", NULL};

	return scaled_text(bytes, units, text);
}

char *count_text(int64_t count, char *text)
{
	static const char *const units[] = {"", "k", "M", "G", "T", "P", NULL};

	return scaled_text(count, units, text);
}

char *seconds_text(int64_t seconds, char *text)
{
	static const struct {
		int64_t seconds;
		char large, small;
		int64_t small_seconds;
	} units[] = {
		{86400, 'd', 'h', 3600},
		{3600, 'h', 'm', 60},
		{60, 'm', 's', 1},
	};

	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (seconds < units[i].seconds)
			continue;
		snprintf(text, UNIT_TEXT_SIZE, "%" PRId64 "%c %" PRId64 "%c",
			seconds / units[i].seconds, units[i].large,
			seconds % units[i].seconds / units[i].small_seconds, units[i].small);
		return text;
	}
	snprintf(text, UNIT_TEXT_SIZE, "%" PRId64 "s", seconds);
	return text;
}
