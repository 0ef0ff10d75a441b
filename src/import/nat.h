/* SPDX-License-Identifier: BSD-2-Clause */
/* nat: table nat as [nat] and [forwards]. */
#ifndef TUNGATE_IMPORT_NAT_H
#define TUNGATE_IMPORT_NAT_H

#include "import/page.h"

enum nat_entry_kind {
	NAT_REMARK, /* a line that is left out, in its place */
	NAT_LINE,   /* of [nat] */
	NAT_EXEMPT, /* the same; not needed where nothing follows */
	NAT_FORWARD,
};

struct nat_entry {
	uint8_t kind; /* enum nat_entry_kind */
	struct statement statement;
	char key[WORD_SIZE];  /* "dnat"; "tcp 192.0.2.1:80" */
	char tail[WORD_SIZE]; /* " -> 192.168.1.2"; what a forward leads to */
};

struct nat_list {
	struct nat_entry *entry;
	unsigned count;
	struct page *page;
	const struct save *save;
	const struct sides *sides;
};

/* Returns false if memory ran out. */
bool nat_write(struct page *page, const struct save *save, const struct sides *sides);

/* ---- targets: each fills `entry`, or fails its statement ---- */

void nat_source_target(const struct nat_list *list, struct nat_entry *entry);
void nat_destination_target(const struct nat_list *list, struct nat_entry *entry);

#endif
