/* SPDX-License-Identifier: BSD-2-Clause */
/* helper: the lines of [helpers]. */
#ifndef TUNGATE_CONFIG_HELPER_H
#define TUNGATE_CONFIG_HELPER_H

#include "config/words.h"
#include "tungate/config.h"

/*
 * Take up `NAME = [MATCH]`: which flows a helper reads.  Without `proto` those of its own
 * protocols, without a port those to its well-known one.
 */
bool helper_line_parse(struct config *config, const char *name, const char *match, unsigned line,
	const struct sentence *why);

#endif
