/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table: rows of text in aligned columns, and numbers as people read them.
 */
#ifndef TUNGATE_TABLE_H
#define TUNGATE_TABLE_H

#include <stdint.h>

#define TABLE_COLUMNS_MAX 12
#define UNIT_TEXT_SIZE    32

struct table {
	const char *const *headings; /* ended by NULL; a leading '>' aligns to the right */
	unsigned columns;
	unsigned rows;
	char **cells; /* rows * columns */
};

void table_begin(struct table *table, const char *const *headings);
/* Add a row: as many texts as there are headings; NULL and "" show as "-". */
void table_row(struct table *table, const char *const *cells);
/* Print with the headings, each line behind `indent`, and free. */
void table_end(struct table *table, const char *indent);

/* "1.2 kB", "3d 4h", "12.3k"; into `text` of UNIT_TEXT_SIZE bytes, which is returned. */
char *bytes_text(int64_t bytes, char *text);
char *seconds_text(int64_t seconds, char *text);
char *count_text(int64_t count, char *text);

#endif
