/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * document: an INI text as sections and entries, read with inih.
 *
 * inih splits lines into name and value.  As Debian builds it, it tells its handler neither the
 * line's number nor of a section without keys, cuts lines and names silently at a fixed size, takes
 * an indented line for a continuation, and takes ':' for '='.  So the lines pass through a reader
 * of ours, which inih calls for one line at a time and which
 *   - counts lines, strips comments and blanks around, and refuses a line longer than inih's
 * buffer;
 *   - hides from inih the ';' of a text in quotes, which is no comment;
 *   - opens sections itself, at the line that names them;
 *   - notices by `pending` that a line it handed on never reached the handler: inih had no use for
 * it;
 *   - remembers that a line's first separator is a ':', which belongs to an address then
 *     ("tcp 127.0.0.1:8080 = web:80"), so that the handler can put it back.
 */
#include "config/document.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/words.h"

struct reader {
	struct document *document;
	struct problems *problems;
	const char *rest; /* of the text */
	unsigned line;    /* the number of the last line handed on */
	bool pending;     /* that line awaits its handler */
	bool colon;       /* its first separator is a ':' */
};

/* Two strings in one allocation: frees go by the first. */
static char *pair_copy(const char *first, size_t first_length, const char *second, size_t length)
{
	char *copy = calloc(1, first_length + length + 2);

	if (copy == NULL)
		return NULL;
	memcpy(copy, first, first_length);
	memcpy(copy + first_length + 1, second, length);
	return copy;
}

static void section_add(struct reader *reader, const char *kind, size_t kind_length,
	const char *label, size_t label_length)
{
	struct document *document = reader->document;
	char *copy = pair_copy(kind, kind_length, label, label_length);

	if (copy == NULL || !array_reserve(&document->sections, document->section_count,
				    sizeof(*document->sections))) {
		free(copy);
		reader->problems->out_of_memory = true;
		return;
	}
	document->sections[document->section_count++] = (struct section){
		.line = reader->line,
		.kind = copy,
		.label = copy + kind_length + 1,
		.first = document->entry_count,
	};
}

/* Open the section that a line beginning with '[' names.  A malformed one is opened without a
 * kind, so that its entries are not taken for those of the section before. */
static void section_open(struct reader *reader, const char *line, size_t length)
{
	const char *kind = line + 1, *end = line + length - 1;

	kind += strspn(kind, BLANKS);
	if (*end != ']' || kind >= end) {
		problems_add(reader->problems, reader->line,
			"`%.*s`: a section is written as [KIND] or [KIND NAME]", (int)length, line);
		section_add(reader, "", 0, "", 0);
		return;
	}
	while (end[-1] == ' ' || end[-1] == '\t')
		end--;
	const size_t kind_length = strcspn(kind, BLANKS "]");
	const char *label = kind + kind_length;

	label += strspn(label, BLANKS);
	if (label > end)
		label = end;
	section_add(reader, kind, kind_length, label, (size_t)(end - label));
}

/* Behind the quote that begins at `i`, or at `i` where it does not end. */
static size_t quote_skip(const char *line, size_t length, size_t i)
{
	const char *end = line[i] == '"' ? memchr(line + i + 1, '"', length - i - 1) : NULL;

	return end != NULL ? (size_t)(end - line) + 1 : i;
}

/* The length of a line without its comment and the blanks before that: a comment begins the line or
 * follows a blank, outside of quotes. */
static size_t line_content(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		i = quote_skip(line, length, i);
		if (i == length)
			break;
		const bool begins = i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t';
		if (begins && (line[i] == ';' || line[i] == '#'))
			length = i;
	}
	while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
		length--;
	return length;
}

/* inih takes a ';' behind a blank for a comment even in quotes: hide it until the handler has it.
 */
#define HIDDEN 0x1f

static void semicolons_hide(char *line)
{
	const size_t length = strlen(line);

	for (size_t i = 0; i < length; i++) {
		const size_t end = quote_skip(line, length, i);

		for (; i < end; i++) {
			if (line[i] == ';')
				line[i] = HIDDEN;
		}
	}
}

static void semicolons_show(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == HIDDEN)
			*text = ';';
	}
}

static void entry_misunderstood(struct reader *reader)
{
	if (reader->pending)
		problems_add(reader->problems, reader->line,
			"neither a [SECTION], nor KEY = VALUE, nor a # comment");
	reader->pending = false;
}

/* inih's reader: the next line of the text, as far as it is inih's to split; else an empty line. */
static char *line_read(char *buffer, int buffer_size, void *context)
{
	struct reader *reader = context;
	const char *line = reader->rest;
	const size_t length_max = (size_t)buffer_size - 1;

	entry_misunderstood(reader);
	if (*line == '\0')
		return NULL;
	reader->line++;
	size_t length = strcspn(line, "\n");
	reader->rest = line + length + (line[length] == '\n');

	if (reader->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
		line += 3;
		length -= 3;
	}
	while (length > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	length = line_content(line, length);

	buffer[0] = '\0';
	if (length > length_max) {
		problems_add(reader->problems, reader->line,
			"a line of %zu bytes: allowed: %zu, comments not counted", length,
			length_max);
	} else if (length > 0 && line[0] == '[') {
		section_open(reader, line, length);
	} else if (length > 0) {
		memcpy(buffer, line, length);
		buffer[length] = '\0';
		reader->pending = true;
		reader->colon = buffer[strcspn(buffer, "=:")] == ':';
		semicolons_hide(buffer);
	}
	return buffer;
}

static void entry_add(struct reader *reader, const char *name, const char *value)
{
	struct document *document = reader->document;
	char *copy = pair_copy(name, strlen(name), value, strlen(value));

	if (copy == NULL || !array_reserve(&document->entries, document->entry_count,
				    sizeof(*document->entries))) {
		free(copy);
		reader->problems->out_of_memory = true;
		return;
	}
	document->entries[document->entry_count++] = (struct entry){
		.line = reader->line,
		.name = copy,
		.value = copy + strlen(name) + 1,
	};
	semicolons_show(copy + strlen(name) + 1);
	document->sections[document->section_count - 1].count++;
}

/* Put back the ':' that inih split at, and split at the '=' behind it. */
static bool colon_undo(
	const char *name, const char *value, char *joined, size_t size, const char **joined_value)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL)
		return false;
	size_t length = (size_t)(equals - value);
	while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
		length--;
	snprintf(joined, size, "%s:%.*s", name, (int)length, value);
	*joined_value = equals + 1 + strspn(equals + 1, BLANKS);
	return true;
}

/* inih's handler: name and value of the line that line_read() handed on. */
static int entry_handle(
	void *context, const char *inih_section, const char *name, const char *value)
{
	struct reader *reader = context;
	char joined[WORD_SIZE];

	(void)inih_section; /* never told: the reader opens sections */
	if (reader->colon) {
		if (!colon_undo(name, value, joined, sizeof(joined), &value))
			return 0; /* still pending */
		name = joined;
	}
	reader->pending = false;
	if (name[0] == '\0')
		problems_add(reader->problems, reader->line,
			"`= %s`: a key is missing before the `=`", value);
	else if (reader->document->section_count == 0)
		problems_add(reader->problems, reader->line,
			"`%s = %s` stands before any section: begin one, such as [gateway]", name,
			value);
	else
		entry_add(reader, name, value);
	return 1;
}

void document_read(struct document *document, const char *text, struct problems *problems)
{
	struct reader reader = {.document = document, .problems = problems, .rest = text};

	*document = (struct document){0};
	/* Its result is the first bad line, which `pending` has told us already; or no memory. */
	if (ini_parse_stream(line_read, &reader, entry_handle, &reader) < 0)
		problems->out_of_memory = true;
}

void document_free(struct document *document)
{
	for (unsigned i = 0; i < document->section_count; i++)
		free(document->sections[i].kind);
	for (unsigned i = 0; i < document->entry_count; i++)
		free(document->entries[i].name);
	free(document->sections);
	free(document->entries);
	*document = (struct document){0};
}
