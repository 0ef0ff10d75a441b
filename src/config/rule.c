/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule: the language of rules as a whole.
 *
 *	ACTION [MATCH...] [log "PREFIX"] [comment "TEXT"]
 *
 * Words may stand in any order behind the action, each at most once; `from` and `to` may carry
 * addresses, ports or both ("to any port 80,443"), and `port` alone is short for `to port`.  A row
 * of words[] says which function reads a word's arguments and where the word makes sense.
 */
#include "config/rule.h"

#include <string.h>

#include "config/keys.h"
#include "config/rule_parser.h"

/* ---- tools of all words ---- */

static const char *const word_names[RULE_WORDS] = {
	[WORD_STATE] = "state",
	[WORD_FORWARDED] = "forwarded",
	[WORD_IN] = "in",
	[WORD_OUT] = "out",
	[WORD_FAMILY] = "family",
	[WORD_PROTO] = "proto",
	[WORD_FROM_PORT] = "from port",
	[WORD_TO_PORT] = "to port",
	[WORD_FROM] = "from",
	[WORD_TO] = "to",
	[WORD_TO_DOMAIN] = "to domain",
	[WORD_HELPER] = "helper",
	[WORD_ICMP_TYPE] = "icmp-type",
	[WORD_TCP_FLAGS] = "tcp-flags",
	[WORD_LENGTH] = "length",
	[WORD_TTL] = "ttl",
	[WORD_DSCP] = "dscp",
	[WORD_CONNECTIONS] = "connections",
	[WORD_LIMIT] = "limit",
	[WORD_LOG] = "log",
	[WORD_COMMENT] = "comment",
};

const char *rule_word_name(enum rule_word word)
{
	return word_names[word];
}

bool word_claim(struct parser *parser, enum rule_word word)
{
	if (parser->seen & RULE_WORD(word))
		return refuse(parser->why, "`%s` is said twice: allowed: once", word_names[word]);
	parser->seen |= RULE_WORD(word);
	parser->rule->words |= RULE_WORD(word);
	return true;
}

void word_unsay(struct parser *parser, enum rule_word word)
{
	parser->rule->words &= ~RULE_WORD(word);
}

bool argument_next(
	struct parser *parser, const char *word, const char *expected, char argument[WORD_SIZE])
{
	if (word_next(&parser->rest, argument))
		return true;
	return refuse(parser->why, "nothing behind `%s`: allowed: %s", word, expected);
}

bool argument_number(
	struct parser *parser, const char *word, uint32_t least, uint32_t most, uint32_t *number)
{
	char text[WORD_SIZE];

	if (!argument_next(parser, word, "a number", text))
		return false;
	if (!number_parse(text, most, number) || *number < least)
		return refuse(parser->why, "bad number `%s` behind `%s`: allowed: %u to %u", text,
			word, least, most);
	return true;
}

bool word_skip(struct parser *parser, const char *expected)
{
	const char *rest = parser->rest;
	char word[WORD_SIZE];

	if (!word_next(&rest, word) || strcmp(word, expected) != 0)
		return false;
	parser->rest = rest;
	return true;
}

void word_negate(struct parser *parser, enum rule_word word)
{
	if (word_skip(parser, "not"))
		parser->rule->negated |= RULE_WORD(word);
}

/* ---- log and comment ---- */

/* A text in quotes, kept as a part of the rule's own. */
static bool quoted_parse(struct parser *parser, const char *word, struct text_span *span)
{
	const char *text = parser->rest + strspn(parser->rest, BLANKS);

	if (*text != '"')
		return refuse(parser->why, "nothing in quotes behind `%s`: allowed: %s \"TEXT\"",
			word, word);
	const size_t length = strcspn(++text, "\"");
	if (text[length] != '"')
		return refuse(parser->why, "the quote behind `%s` does not end", word);
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return refuse(parser->why,
				"the quote behind `%s` has a byte that is no "
				"text",
				word);
	}
	parser->rest = text + length + 1;
	if (*parser->rest != '\0' && strchr(BLANKS, *parser->rest) == NULL)
		return refuse(parser->why, "`%.20s` right behind a quote: allowed: a blank",
			parser->rest);
	const size_t at = (size_t)(text - parser->text);
	*span = (struct text_span){(uint8_t)at, (uint8_t)length};
	return true;
}

static bool log_parse(struct parser *parser)
{
	return word_claim(parser, WORD_LOG) && quoted_parse(parser, "log", &parser->rule->log);
}

static bool comment_parse(struct parser *parser)
{
	return word_claim(parser, WORD_COMMENT) &&
	       quoted_parse(parser, "comment", &parser->rule->comment);
}

/* ---- words ---- */

#define IN_INPUT   (1u << PLACE_INPUT)
#define IN_FORWARD (1u << PLACE_FORWARD)
#define IN_OUTPUT  (1u << PLACE_OUTPUT)
#define IN_CHAIN   (1u << PLACE_CHAIN)
#define IN_NAT     (1u << PLACE_NAT)
#define IN_DNAT    (1u << PLACE_DNAT)
#define IN_HELPER  (1u << PLACE_HELPER)
#define IN_FILTER  (IN_INPUT | IN_FORWARD | IN_OUTPUT | IN_CHAIN)
#define EVERYWHERE (IN_FILTER | IN_NAT | IN_DNAT | IN_HELPER)

static const struct {
	const char *name;
	bool (*parse)(struct parser *parser);
	unsigned places; /* where the word makes sense: bits of enum rule_place */
} words[] = {
	{"state", state_parse, IN_FILTER},
	{"forwarded", forwarded_parse, IN_INPUT | IN_FORWARD | IN_CHAIN},
	/* our own packets come in nowhere, packets for us go out nowhere */
	{"in", in_parse, EVERYWHERE & ~IN_OUTPUT},
	{"out", out_parse, EVERYWHERE & ~(IN_INPUT | IN_DNAT)},
	{"from", from_parse, EVERYWHERE},
	{"to", to_parse, EVERYWHERE},
	{"proto", proto_parse, EVERYWHERE},
	{"port", port_parse, EVERYWHERE},
	{"family", family_parse, EVERYWHERE},
	{"icmp-type", icmp_type_parse, IN_FILTER},
	{"tcp-flags", tcp_flags_parse, IN_FILTER},
	{"length", length_parse, IN_FILTER},
	{"ttl", ttl_parse, IN_FILTER},
	{"dscp", dscp_parse, IN_FILTER},
	{"helper", helper_parse, IN_FILTER},
	{"limit", limit_parse, IN_FILTER},
	{"connections", connections_parse, IN_FILTER},
	{"log", log_parse, IN_FILTER},
	{"comment", comment_parse, IN_FILTER},
};

static bool word_parse(struct parser *parser, const char *word)
{
	char known[CHOICES_SIZE] = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(words[i].places & 1u << parser->place))
			continue;
		if (strcmp(words[i].name, word) == 0)
			return words[i].parse(parser);
		choices_add(known, words[i].name);
	}
	return refuse_choice(parser->why,
		parser->place > PLACE_CHAIN ? "word" : "word for this chain", word, known);
}

/* Up to the end, or to the arrow before a target. */
static bool words_parse(struct parser *parser)
{
	char word[WORD_SIZE];

	for (;;) {
		const char *before = parser->rest + strspn(parser->rest, BLANKS);

		if (!word_next(&parser->rest, word))
			break;
		if (parser->place > PLACE_CHAIN && strcmp(word, "->") == 0) {
			parser->rest = before;
			break;
		}
		if (!word_parse(parser, word))
			return false;
	}
	return rule_check(parser);
}

/* ---- actions ---- */

static bool reject_with_parse(struct parser *parser)
{
	static const char names[] =
		"tcp-reset|port-unreachable|host-unreachable|net-unreachable|"
		"proto-unreachable|prohibited"; /* enum rule_reject, from 1 on */
	char name[WORD_SIZE];

	if (!word_skip(parser, "with"))
		return true;
	if (!argument_next(parser, "with", "tcp-reset, port-unreachable ...", name))
		return false;
	const int index = choice_index(names, name);
	if (index < 0)
		return refuse_choice(parser->why, "answer", name, names);
	parser->rule->reject = (uint8_t)(index + 1);
	return true;
}

static bool jump_parse(struct parser *parser)
{
	const struct config *config = parser->config;
	char name[WORD_SIZE], known[CHOICES_SIZE] = "";

	if (!argument_next(parser, "jump", "the name of a [chain NAME]", name))
		return false;
	const int index = config_chain_named(config, name);
	if (index >= 0) {
		parser->rule->jump = (uint16_t)index;
		return true;
	}
	for (unsigned i = 0; i < config->user_chain_count; i++)
		choices_add(known, config->user_chains[i].name);
	if (known[0] == '\0')
		return refuse(parser->why,
			"unknown chain `%s`: there are none: a section [chain %s] makes it", name,
			name);
	return refuse_choice(parser->why, "chain", name, known);
}

static bool action_parse(struct parser *parser)
{
	char word[WORD_SIZE];

	if (!word_next(&parser->rest, word))
		return refuse(parser->why, "an empty rule: allowed: accept, drop, reject, log, "
					   "jump or return first");
	const int action = choice_index(ACTION_NAMES, word);
	if (action < 0)
		return refuse_choice(parser->why, "action", word, ACTION_NAMES);
	parser->rule->action = (uint8_t)action;
	switch (action) {
	case RULE_REJECT:
		return reject_with_parse(parser);
	case RULE_JUMP:
		return jump_parse(parser);
	case RULE_LOG: /* `log "PREFIX"`, as the action and as its word */
		return parser->rest[strspn(parser->rest, BLANKS)] != '"' || log_parse(parser);
	default:
		return true;
	}
}

/* ---- the whole rule ---- */

static bool parser_open(struct parser *parser, const char *text)
{
	struct rule *rule = parser->rule;

	memset(rule, 0, sizeof(*rule));
	parser->text = parser->rest = text;
	return text_copy(rule->text, sizeof(rule->text), text) ||
	       refuse(parser->why, "a rule of %zu bytes: allowed: %zu", strlen(text),
		       sizeof(rule->text) - 1);
}

bool rule_parse(const struct config *config, enum rule_place place, const char *text,
	struct rule *rule, const struct sentence *why)
{
	struct parser parser = {.config = config, .place = place, .rule = rule, .why = why};

	if (!parser_open(&parser, text) || (place <= PLACE_CHAIN && !action_parse(&parser)) ||
		!words_parse(&parser))
		return false;
	if (*parser.rest != '\0')
		return refuse(why, "`%.20s`: allowed: matches alone", parser.rest);
	return true;
}

bool rule_match_parse(const struct config *config, enum rule_place place, const char **text,
	struct rule *rule, const struct sentence *why)
{
	struct parser parser = {.config = config, .place = place, .rule = rule, .why = why};

	if (!parser_open(&parser, *text) || !words_parse(&parser))
		return false;
	*text = parser.rest;
	return true;
}

enum rule_place rules_place(const struct config *config, const struct rules *rules)
{
	for (unsigned chain = 0; chain < CHAIN_COUNT; chain++) {
		if (rules == &config->chains[chain])
			return (enum rule_place)chain;
	}
	return PLACE_CHAIN;
}

bool rules_append(struct rules *rules, const struct rule *rule)
{
	if (!array_reserve(&rules->rule, rules->count, sizeof(*rule)))
		return false;
	rules->rule[rules->count++] = *rule;
	return true;
}

bool config_parse_rule(const struct config *config, enum chain chain, const char *text,
	struct rule *rule, char *error, unsigned error_size)
{
	const struct sentence why = {error, error_size};

	return rule_parse(config, (enum rule_place)chain, text, rule, &why);
}

int config_chain_named(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->user_chain_count; i++) {
		if (strcmp(config->user_chains[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}
