/* SPDX-License-Identifier: BSD-2-Clause */
/* page: the configuration that an import writes, line by line. */
#include "import/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 199 /* of a configuration */

void page_free(struct page *page)
{
	for (unsigned i = 0; i < page->count; i++)
		free(page->lines[i].text);
	free(page->lines);
	*page = (struct page){0};
}

static void page_put(struct page *page, unsigned at, const struct save_rule *rule, char *text)
{
	if (text == NULL || !array_reserve(&page->lines, page->count, sizeof(*page->lines))) {
		free(text);
		page->out_of_memory = true;
		return;
	}
	memmove(&page->lines[at + 1], &page->lines[at], (page->count - at) * sizeof(*page->lines));
	page->lines[at] = (struct page_line){.text = text, .rule = rule};
	page->count++;
}

static char *text_make(const char *format, va_list arguments)
{
	char *text;

	return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

void page_add(struct page *page, const struct save_rule *rule, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	page_put(page, page->count, rule, text_make(format, arguments));
	va_end(arguments);
}

void page_quotable(const char *text, char *quotable, size_t size)
{
	size_t length = 0;

	for (; *text != '\0' && length + 1 < size; text++) {
		const bool comment = *text == '#' || *text == ';';

		if (comment && (length == 0 || quotable[length - 1] == ' '))
			quotable[length++] = '.';
		else if (*text == '"')
			quotable[length++] = '\'';
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			quotable[length++] = ' ';
		else
			quotable[length++] = *text;
	}
	quotable[length] = '\0';
}

bool page_entry(struct page *page, struct statement *statement, const char *key, const char *action,
	const char *tail)
{
	char words[PART_COUNT * WORD_SIZE], comment[WORD_SIZE] = "", line[2 * sizeof(words)];
	const char *spoken = words;

	statement_words(statement, words, sizeof(words));
	if (action[0] != '\0')
		page_quotable(statement->comment, comment, sizeof(comment));
	else if (words[0] != '\0')
		spoken++; /* the blank */
	const int length = snprintf(line, sizeof(line), "%s = %s%s%s", key, action, spoken, tail);
	if (length > LINE_BYTES_MAX) {
		statement_fail(statement, FATE_LOST,
			"a line of %d bytes: a configuration's has %d: a set can hold its "
			"addresses",
			length, LINE_BYTES_MAX);
		return false;
	}
	if (comment[0] != '\0' &&
		(size_t)length + strlen(comment) + sizeof(" comment ''") <= LINE_BYTES_MAX)
		page_add(page, statement->rule, "%s comment \"%s\"", line, comment);
	else
		page_add(page, statement->rule, "%s", line);
	return true;
}

/* ---- what is not expressed ---- */

static const char *const fate_names[] = {
	[FATE_LOST] = "not expressed",
	[FATE_HOST] = "the host's own",
	[FATE_NEVER] = "left out",
};

static enum remark_kind fate_remark(enum fate fate)
{
	return fate == FATE_LOST ? REMARK_LOST : fate == FATE_HOST ? REMARK_HOST : REMARK_NOTE;
}

/* Whether the configuration lets through what the rule would have refused. */
static bool refuses(const struct statement *statement)
{
	return statement->target != NULL && choice_index("DROP|REJECT", statement->target) >= 0;
}

void page_leave_out(struct page *page, const struct statement *statement)
{
	const struct save_rule *rule = statement->rule;
	const char *more = statement->fate == FATE_LOST && refuses(statement)
				   ? "; what it refused is not refused by it now"
				   : "";

	page_add(page, NULL, "# %u: %s", rule->line, rule->source);
	page_add(page, NULL, "#     %s: %s%s", fate_names[statement->fate], statement->fault, more);
	remark_add(page->remarks, rule->line, fate_remark((enum fate)statement->fate), "`%s`: %s%s",
		rule->source, statement->fault, more);
}

/* ---- the check ---- */

static char *page_text(const struct page *page)
{
	size_t size = 1, used = 0;

	for (unsigned i = 0; i < page->count; i++)
		size += strlen(page->lines[i].text) + 1;
	char *text = malloc(size);
	for (unsigned i = 0; text != NULL && i < page->count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s\n", page->lines[i].text);
	return text;
}

/* What config_parse() said, "import:12: `rule = ...`: unknown word ...", without the place. */
static const char *error_split(const char *error, unsigned *line)
{
	const char *rest = strchr(error, ':');
	uint32_t number = 0;

	*line = 0;
	if (rest == NULL)
		return error;
	rest++;
	if (!number_read(&rest, &number) || *rest != ':')
		return error;
	*line = number;
	return rest + 1 + strspn(rest + 1, BLANKS);
}

/* Turn a refused line into comments.  False if it is none of a rule's. */
static bool line_leave_out(struct page *page, unsigned at, const char *why)
{
	const struct save_rule *rule = page->lines[at].rule;
	char *reason, *source;

	if (rule == NULL)
		return false;
	if (asprintf(&reason, "#     not expressed: %s", why) < 0)
		reason = NULL;
	if (asprintf(&source, "# %u: %s", rule->line, rule->source) < 0)
		source = NULL;
	remark_add(page->remarks, rule->line, REMARK_LOST, "`%s`: %s", rule->source, why);
	page->lines[at].rule = NULL;
	free(page->lines[at].text);
	page->lines[at].text = source;
	page->out_of_memory |= source == NULL;
	page_put(page, at + 1, NULL, reason);
	return true;
}

/* Leave out all that is complained about, from the end so that line numbers hold.  Returns whether
 * anything was. */
static bool page_repair(struct page *page, const struct config_errors *errors)
{
	unsigned before = UINT32_MAX, line;
	bool repaired = false;

	for (unsigned i = errors->count; i-- > 0;) {
		const char *why = error_split(errors->text[i], &line);

		if (line == 0 || line > page->count || line >= before)
			continue;
		before = line;
		repaired |= line_leave_out(page, line - 1, why);
	}
	return repaired;
}

char *page_finish(struct page *page)
{
	struct config_errors errors;

	for (;;) {
		char *text = page->out_of_memory ? NULL : page_text(page);
		struct config *config;

		if (text == NULL)
			return NULL;
		config = config_parse("import", text, &errors);
		config_free(config);
		const bool again = config == NULL && page_repair(page, &errors);
		if (config == NULL && !again) {
			for (unsigned i = 0; i < errors.count; i++)
				remark_add(page->remarks, 0, REMARK_LOST,
					"the configuration is not good: %s", errors.text[i]);
		}
		config_errors_free(&errors);
		if (!again)
			return text;
		free(text);
	}
}
