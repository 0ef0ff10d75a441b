/* SPDX-License-Identifier: BSD-2-Clause */
/* rule: the language of [filter] and [chain] rules, and the match words of [nat] and [helpers]. */
#ifndef TUNGATE_CONFIG_RULE_H
#define TUNGATE_CONFIG_RULE_H

#include "config/words.h"
#include "tungate/config.h"

/* Where a rule stands decides which words it may use. */
enum rule_place {
	PLACE_INPUT = CHAIN_INPUT,
	PLACE_FORWARD = CHAIN_FORWARD,
	PLACE_OUTPUT = CHAIN_OUTPUT,
	PLACE_CHAIN, /* one of the user's chains */
	/* matches alone, without an action: */
	PLACE_NAT,    /* of [nat], about sources */
	PLACE_DNAT,   /* of [nat], about destinations: where it goes is not known yet */
	PLACE_HELPER, /* of [helpers] */
};

/* Parse a whole rule, or the matches alone where that is what stands in `place`; the action of
 * those is RULE_ACCEPT. */
bool rule_parse(const struct config *config, enum rule_place place, const char *text,
	struct rule *rule, const struct sentence *why);
/* Parse the matches at the beginning of *text, up to a word `->` or the end; *text is then there.
 * rule->text keeps all of the text. */
bool rule_match_parse(const struct config *config, enum rule_place place, const char **text,
	struct rule *rule, const struct sentence *why);
/* Append a rule to a chain; false if out of memory. */
bool rules_append(struct rules *rules, const struct rule *rule);

/* The place of a chain's rules in the config. */
enum rule_place rules_place(const struct config *config, const struct rules *rules);

/* Names of all networks, as choices, or "lan|uplink|any" before them. */
void networks_choices(const struct config *config, char choices[CHOICES_SIZE]);

#endif
