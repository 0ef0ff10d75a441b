/* SPDX-License-Identifier: BSD-2-Clause */
/* rule_lists: lists of addresses and of ports, written out or as sets. */
#include <string.h>

#include "config/rule_parser.h"
#include "config/sets.h"
#include "config/value.h"

/* ---- sets ---- */

bool rule_set_add(
	struct parser *parser, const char *name, enum set_kind kind, uint16_t *sets, uint8_t *count)
{
	const struct config *config = parser->config;
	const int index = config_set_named(config, name);
	char known[CHOICES_SIZE] = "";

	if (index < 0) {
		for (unsigned i = 0; i < config->set_count; i++) {
			if (config->sets[i].kind == kind || config->sets[i].kind == SET_EMPTY)
				choices_add(known, config->sets[i].name);
		}
		if (known[0] == '\0')
			return refuse(parser->why,
				"unknown set `%s`: there are none of %s: [sets] has them", name,
				set_kind_name(kind));
		return refuse_choice(parser->why, "set", name, known);
	}
	if (config->sets[index].kind != kind && config->sets[index].kind != SET_EMPTY)
		return refuse(parser->why, "set `%s` has %s: allowed: a set of %s", name,
			set_kind_name((enum set_kind)config->sets[index].kind),
			set_kind_name(kind));
	if (*count == CONFIG_RULE_SETS_MAX)
		return refuse(parser->why, "too many sets: allowed: %d in one list",
			CONFIG_RULE_SETS_MAX);
	sets[(*count)++] = (uint16_t)index;
	return true;
}

/* ---- addresses ---- */

static bool range_add(
	struct parser *parser, struct address_match *list, const struct addr_range *range)
{
	if (list->count == CONFIG_ELEMENTS_MAX)
		return refuse(parser->why,
			"too many addresses: allowed: %d in one list: use a set of [sets]",
			CONFIG_ELEMENTS_MAX);
	list->range[list->count++] = *range;
	return true;
}

static bool address_add(struct parser *parser, struct address_match *list, const char *element)
{
	struct addr_range ranges[2];
	unsigned count;

	if (element[0] == '@')
		return rule_set_add(
			parser, element + 1, SET_ADDRESSES, list->set, &list->set_count);
	if (!addresses_parse(parser->config, element, ranges, &count, parser->why))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!range_add(parser, list, &ranges[i]))
			return false;
	}
	return true;
}

static bool addresses_list(
	struct parser *parser, const char *name, enum rule_word word, struct address_match *list)
{
	char text[WORD_SIZE], element[WORD_SIZE];
	const char *rest = text;

	if (!word_claim(parser, word))
		return false;
	word_negate(parser, word);
	if (!argument_next(parser, name, "any, addresses, @SET, or port", text))
		return false;
	if (strcmp(text, "any") == 0) {
		if (parser->rule->negated & RULE_WORD(word))
			return refuse(parser->why, "`%s not any` can never match", name);
		word_unsay(parser, word);
		return true;
	}
	while (list_next(&rest, element)) {
		if (!address_add(parser, list, element))
			return false;
	}
	return true;
}

/* ---- ports ---- */

static bool port_add(struct parser *parser, struct port_match *list, const char *element)
{
	if (element[0] == '@')
		return rule_set_add(parser, element + 1, SET_PORTS, list->set, &list->set_count);
	if (list->count == CONFIG_ELEMENTS_MAX)
		return refuse(parser->why,
			"too many ports: allowed: %d in one list: use a set of [sets]",
			CONFIG_ELEMENTS_MAX);
	return ports_parse(element, &list->range[list->count++], parser->why);
}

static bool port_list(struct parser *parser, enum rule_word word, struct port_match *list)
{
	char text[WORD_SIZE], element[WORD_SIZE];
	const char *rest = text;

	if (!word_claim(parser, word))
		return false;
	word_negate(parser, word);
	if (!argument_next(parser, "port", "ports and ranges such as 80,443,8000-8100", text))
		return false;
	while (list_next(&rest, element)) {
		if (!port_add(parser, list, element))
			return false;
	}
	return true;
}

bool port_parse(struct parser *parser)
{
	return port_list(parser, WORD_TO_PORT, &parser->rule->to_ports);
}

static bool from_ports_parse(struct parser *parser)
{
	return port_list(parser, WORD_FROM_PORT, &parser->rule->from_ports);
}

bool from_parse(struct parser *parser)
{
	if (word_skip(parser, "port"))
		return from_ports_parse(parser);
	return addresses_list(parser, "from", WORD_FROM, &parser->rule->from) &&
	       (!word_skip(parser, "port") || from_ports_parse(parser));
}

bool to_parse(struct parser *parser)
{
	if (word_skip(parser, "port"))
		return port_parse(parser);
	if (word_skip(parser, "domain"))
		return to_domain_parse(parser) &&
		       (!word_skip(parser, "port") || port_parse(parser));
	return addresses_list(parser, "to", WORD_TO, &parser->rule->to) &&
	       (!word_skip(parser, "port") || port_parse(parser));
}
