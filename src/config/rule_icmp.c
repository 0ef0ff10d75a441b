/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_icmp: names of ICMP types and codes, those of iptables and nftables.
 *
 * What both families have carries one name.  A name means its type in each family that the rule's
 * protocol is about; a number is one of IPv4 with `proto icmp`, of IPv6 with `proto icmp6`.
 */
#include <netinet/in.h>
#include <string.h>

#include "config/rule_parser.h"

#define NONE -1 /* this family has no such type; or: any code */

static const struct {
	const char *name;
	int16_t type4, code4, type6, code6;
} icmp_names[] = {
	{"echo-request", 8, NONE, 128, NONE},
	{"echo-reply", 0, NONE, 129, NONE},
	{"destination-unreachable", 3, NONE, 1, NONE},
	{"net-unreachable", 3, 0, 1, 0},
	{"host-unreachable", 3, 1, 1, 3},
	{"proto-unreachable", 3, 2, 4, 1},
	{"port-unreachable", 3, 3, 1, 4},
	{"fragmentation-needed", 3, 4, NONE, NONE},
	{"source-route-failed", 3, 5, NONE, NONE},
	{"prohibited", 3, 13, 1, 1},
	{"packet-too-big", NONE, NONE, 2, NONE},
	{"time-exceeded", 11, NONE, 3, NONE},
	{"ttl-exceeded", 11, 0, 3, 0},
	{"reassembly-timeout", 11, 1, 3, 1},
	{"parameter-problem", 12, NONE, 4, NONE},
	{"redirect", 5, NONE, 137, NONE},
	{"source-quench", 4, NONE, NONE, NONE},
	{"timestamp-request", 13, NONE, NONE, NONE},
	{"timestamp-reply", 14, NONE, NONE, NONE},
	{"address-mask-request", 17, NONE, NONE, NONE},
	{"address-mask-reply", 18, NONE, NONE, NONE},
	{"router-advertisement", 9, NONE, 134, NONE},
	{"router-solicitation", 10, NONE, 133, NONE},
	{"neighbour-solicitation", NONE, NONE, 135, NONE},
	{"neighbour-advertisement", NONE, NONE, 136, NONE},
};
#define ICMP_NAMES (sizeof(icmp_names) / sizeof(icmp_names[0]))

bool icmp_type_parse(struct parser *parser)
{
	if (!word_claim(parser, WORD_ICMP_TYPE))
		return false;
	word_negate(parser, WORD_ICMP_TYPE);
	return argument_next(
		parser, "icmp-type", "echo-request, other names, N or N/CODE", parser->icmp_types);
}

static bool icmp_add(struct parser *parser, uint8_t family, int type, int code)
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

static bool icmp_unknown(struct parser *parser, const char *text)
{
	char known[CHOICES_SIZE] = "";

	for (unsigned i = 0; i < ICMP_NAMES; i++)
		choices_add(known, icmp_names[i].name);
	return refuse_choice(parser->why, "ICMP type", text, known);
}

static bool icmp_add_number(struct parser *parser, const char *text)
{
	const uint8_t family = parser->icmp == IPPROTO_ICMP ? AF_INET : AF_INET6;
	const char *rest = text;
	uint32_t type, code;

	if (!number_read(&rest, &type) || type > UINT8_MAX)
		return icmp_unknown(parser, text);
	if (*rest == '\0')
		return icmp_add(parser, family, (int)type, -1);
	if (*rest != '/' || !number_parse(rest + 1, UINT8_MAX, &code))
		return refuse(
			parser->why, "bad ICMP type `%s`: allowed: a name, N or N/CODE", text);
	return icmp_add(parser, family, (int)type, (int)code);
}

static bool icmp_add_element(struct parser *parser, const char *element)
{
	unsigned i = 0;

	while (i < ICMP_NAMES && strcmp(icmp_names[i].name, element) != 0)
		i++;
	if (i == ICMP_NAMES)
		return icmp_add_number(parser, element);
	const bool v4 = parser->icmp == IPPROTO_ICMP && icmp_names[i].type4 != NONE;
	const bool v6 = icmp_names[i].type6 != NONE;
	if (!v4 && !v6)
		return refuse(parser->why, "`icmp-type %s` is none of ICMPv6: allowed: proto icmp",
			element);
	return (!v4 || icmp_add(parser, AF_INET, icmp_names[i].type4, icmp_names[i].code4)) &&
	       (!v6 || icmp_add(parser, AF_INET6, icmp_names[i].type6, icmp_names[i].code6));
}

bool icmp_finish(struct parser *parser)
{
	const char *rest = parser->icmp_types;
	char element[WORD_SIZE];

	if (!(parser->seen & RULE_WORD(WORD_ICMP_TYPE)))
		return true;
	if (parser->icmp == 0)
		return refuse(parser->why, "`icmp-type` needs `proto icmp` or `proto icmp6`");
	while (list_next(&rest, element)) {
		if (!icmp_add_element(parser, element))
			return false;
	}
	return true;
}
