/* SPDX-License-Identifier: BSD-2-Clause */
/* rule: the language of [filter] rules and [nat] lines. */
#ifndef TUNGATE_CONFIG_RULE_H
#define TUNGATE_CONFIG_RULE_H

#include "config/words.h"
#include "tungate/config.h"

/* Where a rule stands decides which words it may use. */
enum rule_place {
	PLACE_INPUT = CHAIN_INPUT,
	PLACE_FORWARD = CHAIN_FORWARD,
	PLACE_OUTPUT = CHAIN_OUTPUT,
	PLACE_NAT, /* a match alone, without an action */
};

/* Parse a rule's words.  The action of a rule of [nat] is RULE_ACCEPT. */
bool rule_parse(const struct config *config, enum rule_place place, const char *text,
	struct rule *rule, const struct sentence *why);
/* Append a rule to a chain; false if out of memory. */
bool rules_append(struct rules *rules, const struct rule *rule);

/* Names of all networks, as choices, or "lan|uplink|any" before them. */
void networks_choices(const struct config *config, char choices[CHOICES_SIZE]);

#endif
