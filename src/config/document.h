/* SPDX-License-Identifier: BSD-2-Clause */
/* document: an INI text as sections and entries, each with its line; syntax without meaning. */
#ifndef TUNGATE_CONFIG_DOCUMENT_H
#define TUNGATE_CONFIG_DOCUMENT_H

#include "config/problems.h"

struct entry {
	unsigned line;
	char *name; /* malloc()ed, `value` lies behind it */
	char *value;
};

/* "[filter forward]": kind "filter", label "forward"; the label may be empty, and so is the
 * kind of a section whose line was malformed (and reported). */
struct section {
	unsigned line;
	char *kind; /* malloc()ed, `label` lies behind it */
	char *label;
	unsigned first, count; /* its entries */
};

struct document {
	struct section *sections;
	unsigned section_count;
	struct entry *entries;
	unsigned entry_count;
};

/* Read a whole text; what is not understood goes to `problems`, the rest into `document`. */
void document_read(struct document *document, const char *text, struct problems *problems);
void document_free(struct document *document);

#endif
