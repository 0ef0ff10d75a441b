/* SPDX-License-Identifier: BSD-2-Clause */
/* remark: what an import has to say about lines of its input. */
#include "import/remark.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/words.h"

void remark_add(
	struct remarks *remarks, unsigned line, enum remark_kind kind, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	const int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0 ||
		!array_reserve(&remarks->remark, remarks->count, sizeof(*remarks->remark))) {
		if (length >= 0)
			free(text);
		remarks->out_of_memory = true;
		return;
	}
	remarks->remark[remarks->count++] =
		(struct remark){.line = line, .kind = (uint8_t)kind, .text = text};
}

static int remark_compare(const void *left, const void *right)
{
	const struct remark *a = left, *b = right;
	const unsigned a_line = a->line - 1, b_line = b->line - 1; /* 0 comes last */

	return a_line < b_line ? -1 : a_line > b_line;
}

void remarks_sort(struct remarks *remarks)
{
	if (remarks->count > 0)
		qsort(remarks->remark, remarks->count, sizeof(*remarks->remark), remark_compare);
}

void remarks_free(struct remarks *remarks)
{
	for (unsigned i = 0; i < remarks->count; i++)
		free(remarks->remark[i].text);
	free(remarks->remark);
	*remarks = (struct remarks){0};
}
