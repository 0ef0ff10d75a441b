/* SPDX-License-Identifier: BSD-2-Clause */
/* rule_match: the words about a flow: its state, its sides, its family, protocol and helper. */
#include <netinet/in.h>
#include <string.h>

#include "config/keys.h"
#include "config/rule_parser.h"

/* ---- states ---- */

bool state_parse(struct parser *parser)
{
	static const char names[] = "new|established|related|invalid"; /* in order of the bits */
	char list[WORD_SIZE], name[WORD_SIZE];
	const char *rest = list;

	if (!word_claim(parser, WORD_STATE) ||
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

bool forwarded_parse(struct parser *parser)
{
	return word_claim(parser, WORD_FORWARDED);
}

/* ---- sides ---- */

void networks_choices(const struct config *config, char choices[CHOICES_SIZE])
{
	for (unsigned i = 0; i < config->network_count; i++)
		choices_add(choices, config->networks[i].name);
}

static bool side_named(struct parser *parser, const char *name, struct side_match *side)
{
	static const uint8_t kinds[] = {SIDE_LAN, SIDE_UPLINK, SIDE_ANY};
	char known[CHOICES_SIZE] = "lan|uplink|any";
	const int kind = choice_index(known, name);
	const int network = config_network_named(parser->config, name);

	if (kind >= 0) {
		side->kind = kinds[kind];
		return true;
	}
	if (network < 0) {
		networks_choices(parser->config, known);
		return refuse_choice(parser->why, "side", name, known);
	}
	*side = (struct side_match){.kind = SIDE_NETWORK, .network = (uint16_t)network};
	return true;
}

static bool side_parse(
	struct parser *parser, const char *name, enum rule_word word, struct side_match *side)
{
	char argument[WORD_SIZE];

	if (!word_claim(parser, word))
		return false;
	word_negate(parser, word);
	if (!argument_next(parser, name, "lan, uplink, any, or a network's name", argument) ||
		!side_named(parser, argument, side))
		return false;
	if (side->kind != SIDE_ANY)
		return true;
	if (parser->rule->negated & RULE_WORD(word))
		return refuse(parser->why, "`%s not any` can never match", name);
	word_unsay(parser, word);
	return true;
}

bool in_parse(struct parser *parser)
{
	return side_parse(parser, "in", WORD_IN, &parser->rule->in);
}

bool out_parse(struct parser *parser)
{
	return side_parse(parser, "out", WORD_OUT, &parser->rule->out);
}

/* ---- families, protocols ---- */

bool family_parse(struct parser *parser)
{
	char name[WORD_SIZE];

	if (!word_claim(parser, WORD_FAMILY) ||
		!argument_next(parser, "family", "ipv4 or ipv6", name))
		return false;
	const int index = choice_index("ipv4|ipv6", name);
	if (index < 0)
		return refuse_choice(parser->why, "family", name, "ipv4|ipv6");
	parser->rule->family = index == 0 ? AF_INET : AF_INET6;
	return true;
}

static const char protocol_names[] =
	"any|tcp|udp|icmp|icmp6|igmp|ipip|ipv6|gre|esp|ah|sctp|udplite|dccp";
static const uint8_t protocol_numbers[] = {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
	IPPROTO_ICMPV6, IPPROTO_IGMP, IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE, IPPROTO_ESP,
	IPPROTO_AH, IPPROTO_SCTP, IPPROTO_UDPLITE, IPPROTO_DCCP};

static bool protocol_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_DCCP;
}

static void protocol_add(struct parser *parser, uint8_t protocol)
{
	parser->rule->protocols[protocol / 64] |= UINT64_C(1) << protocol % 64;
	parser->ports_missing |= !protocol_has_ports(protocol);
}

/* `icmp` by its name means the control messages of either family. */
static bool protocol_named(struct parser *parser, const char *name)
{
	const int index = choice_index(protocol_names, name);
	uint32_t number;

	if (index > 0)
		number = protocol_numbers[index];
	else if (!number_parse(name, UINT8_MAX, &number))
		return refuse_choice(parser->why, "protocol", name, protocol_names);
	protocol_add(parser, (uint8_t)number);
	if (number == IPPROTO_ICMP)
		protocol_add(parser, IPPROTO_ICMPV6);
	if (number == IPPROTO_ICMP || number == IPPROTO_ICMPV6)
		parser->icmp = (uint8_t)number;
	return true;
}

bool proto_parse(struct parser *parser)
{
	struct rule *rule = parser->rule;
	char list[WORD_SIZE], name[WORD_SIZE];
	const char *rest = list;
	unsigned count = 0;

	if (!word_claim(parser, WORD_PROTO))
		return false;
	word_negate(parser, WORD_PROTO);
	if (!argument_next(parser, "proto", "tcp, udp, icmp, icmp6, a name or a number", list))
		return false;
	const bool negated = rule->negated & RULE_WORD(WORD_PROTO);
	if (strcmp(list, "any") == 0 && !negated) {
		word_unsay(parser, WORD_PROTO);
		return true;
	}
	for (; list_next(&rest, name); count++) {
		if (!protocol_named(parser, name))
			return false;
	}
	rule->negated &= ~RULE_WORD(WORD_PROTO); /* all the others, then */
	for (unsigned i = 0; negated && i < 4; i++)
		rule->protocols[i] = ~rule->protocols[i];
	parser->ports_missing |= negated;
	if (negated || count > 1)
		parser->icmp = 0;
	return true;
}

bool helper_parse(struct parser *parser)
{
	char name[WORD_SIZE];

	if (!word_claim(parser, WORD_HELPER) ||
		!argument_next(parser, "helper", "ftp, irc, tftp, sip, pptp", name))
		return false;
	const int index = choice_index(HELPER_NAMES, name);
	if (index < 0)
		return refuse_choice(parser->why, "helper", name, HELPER_NAMES);
	parser->rule->helper = (uint8_t)index;
	return true;
}
