/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * problems: what is wrong with a file, collected while it is read, delivered in order of lines.
 *
 * Passes over a file find its errors in an order of their own (rules wait until every network is
 * known), so each carries its line until the end.
 */
#ifndef TUNGATE_CONFIG_PROBLEMS_H
#define TUNGATE_CONFIG_PROBLEMS_H

#include <stdbool.h>
#include "tungate/config.h"

struct problem {
	unsigned line;
	unsigned order; /* of its finding: breaks ties between problems of one line */
	char *text;     /* malloc()ed, the file's name and the line included */
};

struct problems {
	const char *file; /* borrowed */
	struct problem *problem;
	unsigned count;
	bool out_of_memory; /* also set by others who could not allocate */
};

void problems_add(struct problems *problems, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Hand the sorted texts over to `errors` and free the rest.  Returns whether all was well. */
bool problems_deliver(struct problems *problems, struct config_errors *errors);

#endif
