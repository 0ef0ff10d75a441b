/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule: the language of [filter] rules and [nat] lines.
 *
 *	ACTION [state S,..] [forwarded] [in SIDE] [out SIDE] [from PREFIX,..] [to PREFIX,..]
 *	       [proto P] [from port N-M,..] [to port N-M,..] [icmp-type T,..]
 *
 * Matches may stand in any order, each at most once; `from` and `to` may carry prefixes, ports or
 * both ("to any port 80,443"), and `port` alone is short for `to port`.  A row of words[] says
 *which function reads a word's arguments and where the word makes sense; what only the whole rule
 *can tell (ports need TCP or UDP, both ends one family) is checked at its end.
 */
#include "config/rule.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "config/keys.h"
#include "config/value.h"

#define FAMILY_V4 1
#define FAMILY_V6 2

enum match { /* what a rule may say once */
	MATCH_STATE,
	MATCH_FORWARDED,
	MATCH_IN,
	MATCH_OUT,
	MATCH_FROM,
	MATCH_TO,
	MATCH_PROTO,
	MATCH_FROM_PORT,
	MATCH_TO_PORT,
	MATCH_ICMP_TYPE,
};

static const char *const match_names[] = {"state", "forwarded", "in", "out", "from", "to", "proto",
	"from port", "to port", "icmp-type"};

struct parser {
	const struct config *config;
	enum rule_place place;
	const char *rest;           /* of the text */
	unsigned seen;              /* bits of enum match */
	char icmp_types[WORD_SIZE]; /* kept until the protocol is known */
	struct rule *rule;
	const struct sentence *why;
};

static bool match_claim(struct parser *parser, enum match match)
{
	if (parser->seen & 1u << match)
		return refuse(parser->why, "`%s` is said twice: allowed: once", match_names[match]);
	parser->seen |= 1u << match;
	return true;
}

/* The word's argument; its absence is an error that names what is expected. */
static bool argument_next(
	struct parser *parser, const char *word, const char *expected, char argument[WORD_SIZE])
{
	if (word_next(&parser->rest, argument))
		return true;
	return refuse(parser->why, "nothing behind `%s`: allowed: %s", word, expected);
}

/* Step over the next word if it is this one. */
static bool word_skip(struct parser *parser, const char *expected)
{
	const char *rest = parser->rest;
	char word[WORD_SIZE];

	if (!word_next(&rest, word) || strcmp(word, expected) != 0)
		return false;
	parser->rest = rest;
	return true;
}

/* ---- sides ---- */

void networks_choices(const struct config *config, char choices[CHOICES_SIZE])
{
	for (unsigned i = 0; i < config->network_count; i++)
		choices_add(choices, config->networks[i].name);
}

static bool side_parse(struct parser *parser, const char *word, struct side_match *side)
{
	char name[WORD_SIZE], known[CHOICES_SIZE] = "lan|uplink|any";
	int network;

	if (!argument_next(parser, word, "lan, uplink, any, or a network's name", name))
		return false;
	switch (choice_index(known, name)) {
	case 0:
		side->kind = SIDE_LAN;
		return true;
	case 1:
		side->kind = SIDE_UPLINK;
		return true;
	case 2:
		side->kind = SIDE_ANY;
		return true;
	}
	network = config_network_named(parser->config, name);
	if (network < 0) {
		networks_choices(parser->config, known);
		return refuse_choice(parser->why, "side", name, known);
	}
	*side = (struct side_match){.kind = SIDE_NETWORK, .network = (uint16_t)network};
	return true;
}

static bool in_parse(struct parser *parser)
{
	return match_claim(parser, MATCH_IN) && side_parse(parser, "in", &parser->rule->in);
}

static bool out_parse(struct parser *parser)
{
	return match_claim(parser, MATCH_OUT) && side_parse(parser, "out", &parser->rule->out);
}

/* ---- states ---- */

static bool state_parse(struct parser *parser)
{
	static const char names[] = "new|established|related|invalid"; /* in order of the bits */
	char list[WORD_SIZE], name[WORD_SIZE];
	const char *rest = list;

	if (!match_claim(parser, MATCH_STATE) ||
		!argument_next(parser, "state", "new, established, related, invalid", list))
		return false;
	while (list_next(&rest, name)) {
		const int state = choice_index(names, name);

		if (state < 0)
			return refuse_choice(parser->why, "state", name, names);
		parser->rule->states |= (uint8_t)(1 << state);
	}
	return true;
}

static bool forwarded_parse(struct parser *parser)
{
	parser->rule->forwarded = true;
	return match_claim(parser, MATCH_FORWARDED);
}

/* ---- prefixes and ports ---- */

static bool prefixes_parse(
	struct parser *parser, const char *list, struct prefix *prefixes, uint8_t *count)
{
	char element[WORD_SIZE];

	if (strcmp(list, "any") == 0)
		return true;
	while (list_next(&list, element)) {
		if (*count == CONFIG_PREFIXES_MAX)
			return refuse(parser->why, "too many prefixes: allowed: %d in one rule",
				CONFIG_PREFIXES_MAX);
		const char *fault = prefix_parse(element, &prefixes[*count]);
		if (fault != NULL)
			return refuse(parser->why,
				"bad prefix `%s`: %s: allowed: any, or prefixes such as "
				"10.77.0.0/24,fd77:7467::/64",
				element, fault);
		++*count;
	}
	return true;
}

static bool port_list_parse(struct parser *parser, struct port_range *ranges, uint8_t *count)
{
	char list[WORD_SIZE], element[WORD_SIZE];
	const char *rest = list;

	if (!argument_next(parser, "port", "ports and ranges such as 80,443,8000-8100", list))
		return false;
	while (list_next(&rest, element)) {
		if (*count == CONFIG_PORTS_MAX)
			return refuse(parser->why, "too many ports: allowed: %d in one rule",
				CONFIG_PORTS_MAX);
		if (!ports_parse(element, &ranges[*count], parser->why))
			return false;
		++*count;
	}
	return true;
}

static bool from_ports_parse(struct parser *parser)
{
	struct rule *rule = parser->rule;

	return match_claim(parser, MATCH_FROM_PORT) &&
	       port_list_parse(parser, rule->from_ports, &rule->from_port_count);
}

static bool to_ports_parse(struct parser *parser)
{
	struct rule *rule = parser->rule;

	return match_claim(parser, MATCH_TO_PORT) &&
	       port_list_parse(parser, rule->to_ports, &rule->to_port_count);
}

static bool from_parse(struct parser *parser)
{
	struct rule *rule = parser->rule;
	char list[WORD_SIZE];

	if (word_skip(parser, "port"))
		return from_ports_parse(parser);
	return match_claim(parser, MATCH_FROM) &&
	       argument_next(parser, "from", "any, prefixes, or port", list) &&
	       prefixes_parse(parser, list, rule->from, &rule->from_count) &&
	       (!word_skip(parser, "port") || from_ports_parse(parser));
}

static bool to_parse(struct parser *parser)
{
	struct rule *rule = parser->rule;
	char list[WORD_SIZE];

	if (word_skip(parser, "port"))
		return to_ports_parse(parser);
	return match_claim(parser, MATCH_TO) &&
	       argument_next(parser, "to", "any, prefixes, or port", list) &&
	       prefixes_parse(parser, list, rule->to, &rule->to_count) &&
	       (!word_skip(parser, "port") || to_ports_parse(parser));
}

/* ---- protocols ---- */

static const char protocol_names[] =
	"any|tcp|udp|icmp|icmp6|igmp|ipip|ipv6|gre|esp|ah|sctp|udplite|dccp";
static const uint8_t protocol_numbers[] = {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
	IPPROTO_ICMPV6, IPPROTO_IGMP, IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE, IPPROTO_ESP,
	IPPROTO_AH, IPPROTO_SCTP, IPPROTO_UDPLITE, IPPROTO_DCCP};

static bool proto_parse(struct parser *parser)
{
	struct rule *rule = parser->rule;
	char name[WORD_SIZE];
	uint32_t number;

	if (!match_claim(parser, MATCH_PROTO) ||
		!argument_next(parser, "proto", "tcp, udp, icmp, icmp6, a name or a number", name))
		return false;
	const int index = choice_index(protocol_names, name);
	rule->any_protocol = index == 0;
	if (index >= 0)
		rule->protocol = protocol_numbers[index];
	else if (number_parse(name, UINT8_MAX, &number))
		rule->protocol = (uint8_t)number;
	else
		return refuse_choice(parser->why, "protocol", name, protocol_names);
	return true;
}

static bool icmp_type_parse(struct parser *parser)
{
	return match_claim(parser, MATCH_ICMP_TYPE) &&
	       argument_next(parser, "icmp-type", "echo-request, other names, N or N/CODE",
		       parser->icmp_types);
}

/* Types that both families have carry one name; -1: this family has none. */
static const char icmp_names[] =
	"echo-request|echo-reply|destination-unreachable|time-exceeded|parameter-problem|redirect|"
	"packet-too-big|timestamp-request|timestamp-reply";
static const int16_t icmp_numbers[][2] = {
	{8, 128}, {0, 129}, {3, 1}, {11, 3}, {12, 4}, {5, 137}, {-1, 2}, {13, -1}, {14, -1}};

static bool icmp_add(struct parser *parser, uint8_t family, uint32_t type, int code)
{
	struct rule *rule = parser->rule;

	if (rule->icmp_count == CONFIG_ICMP_MAX)
		return refuse(parser->why,
			"too many ICMP types: allowed: %d in one rule; a name counts once for "
			"each of IPv4 and IPv6",
			CONFIG_ICMP_MAX);
	rule->icmp[rule->icmp_count].family = family;
	rule->icmp[rule->icmp_count].type = (uint8_t)type;
	rule->icmp[rule->icmp_count].any_code = code < 0;
	rule->icmp[rule->icmp_count].code = (uint8_t)(code < 0 ? 0 : code);
	rule->icmp_count++;
	return true;
}

/* A name means its type in each family that the protocol matches. */
static bool icmp_add_named(struct parser *parser, const char *name, int index)
{
	const bool v4 = parser->rule->protocol == IPPROTO_ICMP && icmp_numbers[index][0] >= 0;
	const bool v6 = icmp_numbers[index][1] >= 0;

	if (!v4 && !v6)
		return refuse(
			parser->why, "`icmp-type %s` is none of ICMPv6: allowed: proto icmp", name);
	return (!v4 || icmp_add(parser, AF_INET, (uint32_t)icmp_numbers[index][0], -1)) &&
	       (!v6 || icmp_add(parser, AF_INET6, (uint32_t)icmp_numbers[index][1], -1));
}

/* A number means the IPv4 type with `proto icmp`, the IPv6 type with `proto icmp6`. */
static bool icmp_add_number(struct parser *parser, const char *text)
{
	const uint8_t family = parser->rule->protocol == IPPROTO_ICMP ? AF_INET : AF_INET6;
	const char *rest = text;
	uint32_t type, code;

	if (!number_read(&rest, &type) || type > UINT8_MAX)
		return refuse_choice(parser->why, "ICMP type", text, icmp_names);
	if (*rest == '\0')
		return icmp_add(parser, family, type, -1);
	if (*rest != '/' || !number_parse(rest + 1, UINT8_MAX, &code))
		return refuse(
			parser->why, "bad ICMP type `%s`: allowed: a name, N or N/CODE", text);
	return icmp_add(parser, family, type, (int)code);
}

static bool icmp_finish(struct parser *parser)
{
	const uint8_t protocol = parser->rule->protocol;
	const char *rest = parser->icmp_types;
	char element[WORD_SIZE];

	if (!(parser->seen & 1u << MATCH_ICMP_TYPE))
		return true;
	if (protocol != IPPROTO_ICMP && protocol != IPPROTO_ICMPV6)
		return refuse(parser->why, "`icmp-type` needs `proto icmp` or `proto icmp6`");
	while (list_next(&rest, element)) {
		const int index = choice_index(icmp_names, element);

		if (!(index >= 0 ? icmp_add_named(parser, element, index)
				 : icmp_add_number(parser, element)))
			return false;
	}
	return true;
}

/* ---- the whole rule ---- */

static unsigned family_bit(uint8_t family)
{
	return family == AF_INET ? FAMILY_V4 : FAMILY_V6;
}

static unsigned prefixes_families(const struct prefix *prefixes, unsigned count)
{
	unsigned families = count > 0 ? 0 : FAMILY_V4 | FAMILY_V6;

	for (unsigned i = 0; i < count; i++)
		families |= family_bit(prefixes[i].family);
	return families;
}

static bool families_check(struct parser *parser)
{
	const struct rule *rule = parser->rule;
	unsigned icmp = rule->icmp_count > 0 ? 0 : FAMILY_V4 | FAMILY_V6;
	unsigned families = prefixes_families(rule->from, rule->from_count) &
			    prefixes_families(rule->to, rule->to_count);

	if (families == 0)
		return refuse(parser->why,
			"can never match: `from` is of one family and `to` of the other: "
			"allowed: prefixes of the same family");
	for (unsigned i = 0; i < rule->icmp_count; i++)
		icmp |= family_bit(rule->icmp[i].family);
	if (rule->protocol == IPPROTO_ICMPV6)
		icmp &= FAMILY_V6;
	if ((families & icmp) == 0)
		return refuse(parser->why,
			"can never match: its ICMP is of one family and its prefixes of the "
			"other: allowed: numbers of IPv4 types with `proto icmp`, of IPv6 types "
			"with `proto icmp6`");
	return true;
}

static bool rule_finish(struct parser *parser)
{
	const struct rule *rule = parser->rule;
	const bool ports = parser->seen & (1u << MATCH_FROM_PORT | 1u << MATCH_TO_PORT);

	if (ports && rule->protocol != IPPROTO_TCP && rule->protocol != IPPROTO_UDP)
		return refuse(parser->why, "ports need `proto tcp` or `proto udp`");
	if (parser->place == PLACE_NAT && rule->in.kind == SIDE_UPLINK)
		return refuse(parser->why, "`in uplink`: allowed: lan, any, or a network's name: "
					   "masquerading is for what "
					   "guests send");
	if (parser->place == PLACE_NAT && rule->out.kind != SIDE_UPLINK &&
		rule->out.kind != SIDE_ANY)
		return refuse(parser->why,
			"allowed: `out uplink`: masquerading is for what leaves the host");
	return icmp_finish(parser) && families_check(parser);
}

#define IN_INPUT   (1u << PLACE_INPUT)
#define IN_FORWARD (1u << PLACE_FORWARD)
#define IN_OUTPUT  (1u << PLACE_OUTPUT)
#define IN_NAT     (1u << PLACE_NAT)
#define IN_FILTER  (IN_INPUT | IN_FORWARD | IN_OUTPUT)
#define EVERYWHERE (IN_FILTER | IN_NAT)

static const struct {
	const char *name;
	bool (*parse)(struct parser *parser);
	unsigned places; /* where the word makes sense: bits of enum rule_place */
} words[] = {
	{"state", state_parse, IN_FILTER},
	{"forwarded", forwarded_parse, IN_FORWARD},
	{"in", in_parse, IN_INPUT | IN_FORWARD | IN_NAT},    /* our own packets come in nowhere */
	{"out", out_parse, IN_FORWARD | IN_OUTPUT | IN_NAT}, /* packets for us go out nowhere */
	{"from", from_parse, EVERYWHERE},
	{"to", to_parse, EVERYWHERE},
	{"proto", proto_parse, EVERYWHERE},
	{"port", to_ports_parse, EVERYWHERE},
	{"icmp-type", icmp_type_parse, IN_FILTER},
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
		parser->place == PLACE_NAT ? "word" : "word for this chain", word, known);
}

static bool action_parse(struct parser *parser)
{
	char word[WORD_SIZE];

	if (!word_next(&parser->rest, word))
		return refuse(parser->why, "an empty rule: allowed: accept, drop or reject first");
	const int action = choice_index(ACTION_NAMES, word);
	if (action < 0)
		return refuse_choice(parser->why, "action", word, ACTION_NAMES);
	parser->rule->action = (uint8_t)action;
	return true;
}

bool rule_parse(const struct config *config, enum rule_place place, const char *text,
	struct rule *rule, const struct sentence *why)
{
	struct parser parser = {
		.config = config, .place = place, .rest = text, .rule = rule, .why = why};
	char word[WORD_SIZE];

	*rule = (struct rule){.action = RULE_ACCEPT, .any_protocol = true};
	if (!text_copy(rule->text, sizeof(rule->text), text))
		return refuse(why, "a rule of %zu bytes: allowed: %zu", strlen(text),
			sizeof(rule->text) - 1);
	if (place != PLACE_NAT && !action_parse(&parser))
		return false;
	while (word_next(&parser.rest, word)) {
		if (!word_parse(&parser, word))
			return false;
	}
	return rule_finish(&parser);
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
