/* SPDX-License-Identifier: BSD-2-Clause */
/* nat: the lines of [nat]. */
#ifndef TUNGATE_CONFIG_NAT_H
#define TUNGATE_CONFIG_NAT_H

#include "config/problems.h"
#include "config/words.h"
#include "tungate/config.h"

/* Parse what stands behind the `=` of a line. */
bool nat_rule_parse(const struct config *config, enum nat_kind kind, const char *text,
	struct nat_rule *rule, const struct sentence *why);
/* Append a line; false if out of memory. */
bool nat_rules_append(struct nat_rules *rules, const struct nat_rule *rule);

/* Whether a forward's ports are among those that a line snat gives away: the line's text, or NULL.
 */
const char *nat_snat_overlaps(const struct config *config, const struct forward *forward);
/* Lines against each other and against networks. */
void check_nat(const struct config *config, struct problems *problems);

#endif
