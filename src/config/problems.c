/* SPDX-License-Identifier: BSD-2-Clause */
/* problems: what is wrong with a file, collected while it is read, delivered in order of lines. */
#include "config/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/words.h"

void problems_add(struct problems *problems, unsigned line, const char *format, ...)
{
	char *sentence, *text;
	va_list arguments;

	va_start(arguments, format);
	const int length = vasprintf(&sentence, format, arguments);
	va_end(arguments);
	if (length < 0)
		goto out_of_memory;
	const int whole = asprintf(&text, "%s:%u: %s", problems->file, line, sentence);
	free(sentence);
	if (whole < 0)
		goto out_of_memory;
	if (!array_reserve(&problems->problem, problems->count, sizeof(*problems->problem))) {
		free(text);
		goto out_of_memory;
	}
	problems->problem[problems->count] =
		(struct problem){.line = line, .order = problems->count, .text = text};
	problems->count++;
	return;

out_of_memory:
	problems->out_of_memory = true;
}

static int problem_compare(const void *left, const void *right)
{
	const struct problem *a = left, *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

bool problems_deliver(struct problems *problems, struct config_errors *errors)
{
	const bool good = problems->count == 0 && !problems->out_of_memory;

	*errors = (struct config_errors){0};
	if (problems->count > 0) {
		qsort(problems->problem, problems->count, sizeof(*problems->problem),
			problem_compare);
		errors->text = calloc(problems->count, sizeof(*errors->text));
	}
	for (unsigned i = 0; i < problems->count; i++) {
		if (errors->text != NULL)
			errors->text[errors->count++] = problems->problem[i].text;
		else
			free(problems->problem[i].text);
	}
	free(problems->problem);
	*problems = (struct problems){0};
	return good;
}

void config_errors_free(struct config_errors *errors)
{
	for (unsigned i = 0; i < errors->count; i++)
		free(errors->text[i]);
	free(errors->text);
	*errors = (struct config_errors){0};
}
