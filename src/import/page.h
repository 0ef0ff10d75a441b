/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page: the configuration that an import writes, line by line, each knowing the rule that it came
 * from.
 *
 * At its end the page is given to config_parse(), which has the last word: a line that it refuses
 * becomes a comment, its rule a remark, and the page is tried again without it.
 */
#ifndef TUNGATE_IMPORT_PAGE_H
#define TUNGATE_IMPORT_PAGE_H

#include "import/statement.h"

struct page_line {
	char *text;                   /* malloc()ed */
	const struct save_rule *rule; /* NULL: the line can not be left out */
};

struct page {
	struct page_line *lines;
	unsigned count;
	struct remarks *remarks; /* borrowed */
	bool out_of_memory;
};

void page_free(struct page *page);

void page_add(struct page *page, const struct save_rule *rule, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Write an entry of a section: `KEY = ACTION WORDS... TAIL`; an action's is followed by the rule's
 * comment where there is room for it.  False, and the statement has failed, if it is too long.
 */
bool page_entry(struct page *page, struct statement *statement, const char *key, const char *action,
	const char *tail);

/* Write the rule of a statement that is not expressed as a comment, with the reason, and remark
 * it. */
void page_leave_out(struct page *page, const struct statement *statement);

/* Try the page until config_parse() takes it.  The text, or NULL if memory ran out. */
char *page_finish(struct page *page);

/* A text that may stand in quotes: no quote, no byte that is not text, nothing that would begin
 * a comment. */
void page_quotable(const char *text, char *quotable, size_t size);

#endif
