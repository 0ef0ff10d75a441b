/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import: the output of iptables-save or ip6tables-save, written as a configuration.
 *
 * One family's file becomes one configuration.  Nothing is dropped in silence: what cannot be
 * expressed stays as a comment in its place and is a remark with its line and the reason.
 */
#ifndef TUNGATE_IMPORT_IMPORT_H
#define TUNGATE_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "import/remark.h"

#define IMPORT_SIDES_MAX 64

/* What the user says about an interface of the rules. */
struct import_side {
	const char *interface;
	const char *network; /* the network behind it; NULL: it is the uplink */
	const char *subnet;  /* of that network; NULL: the rules may tell */
};

struct import_options {
	const char *name; /* of the input, for the heading */
	bool v6;          /* it is ip6tables-save's, even if nothing in it says so */
	struct import_side side[IMPORT_SIDES_MAX];
	unsigned side_count;
};

struct import {
	char *text; /* a whole configuration that config_parse() accepts */
	struct remarks remarks;
	unsigned rules; /* of the input */
	unsigned lost;  /* of them, and of other lines: not expressed */
};

/*
 * Read `text` and fill `import`, which import_free() frees.  Returns false where there is no
 * configuration to show: the input has no table, the options contradict each other (the remarks say
 * so), or memory ran out (no remark).
 */
bool import_run(const struct import_options *options, const char *text, struct import *import);
void import_free(struct import *import);

#endif
