/* SPDX-License-Identifier: BSD-2-Clause */
/* rule_check: what only the whole rule can tell: words that need each other, and words that can
 * never hold together. */
#include <netinet/in.h>

#include "config/rule_parser.h"

static bool says(const struct parser *parser, enum rule_word word)
{
	return parser->rule->words & RULE_WORD(word);
}

/* Families that a list has elements of; one with `not`, or with sets, may match either. */
static unsigned list_families(
	const struct parser *parser, enum rule_word word, const struct address_match *list)
{
	unsigned families = 0;

	if (!says(parser, word) || (parser->rule->negated & RULE_WORD(word)) || list->set_count > 0)
		return FAMILY_BOTH;
	for (unsigned i = 0; i < list->count; i++)
		families |= family_bit(list->range[i].family);
	return families;
}

static unsigned icmp_families(const struct parser *parser)
{
	const struct rule *rule = parser->rule;
	unsigned families = 0;

	if (parser->icmp == IPPROTO_ICMPV6)
		return FAMILY_V6;
	if (rule->icmp_count == 0 || (rule->negated & RULE_WORD(WORD_ICMP_TYPE)))
		return FAMILY_BOTH;
	for (unsigned i = 0; i < rule->icmp_count; i++)
		families |= family_bit(rule->icmp[i].family);
	return families;
}

static bool families_check(struct parser *parser)
{
	const struct rule *rule = parser->rule;
	const unsigned said = says(parser, WORD_FAMILY) ? family_bit(rule->family) : FAMILY_BOTH;
	const unsigned families = list_families(parser, WORD_FROM, &rule->from) &
				  list_families(parser, WORD_TO, &rule->to);

	if (families == 0)
		return refuse(parser->why,
			"can never match: `from` is of one family and `to` of the other: "
			"allowed: addresses of the same family");
	if ((families & said) == 0)
		return refuse(parser->why,
			"can never match: its addresses are of the other family: allowed: `family "
			"%s`",
			rule->family == AF_INET ? "ipv6" : "ipv4");
	if ((families & said & icmp_families(parser)) == 0)
		return refuse(parser->why,
			"can never match: its ICMP is of one family and its addresses of the "
			"other: allowed: numbers of IPv4 types with `proto icmp`, of IPv6 types "
			"with `proto icmp6`");
	return true;
}

/* In [helpers], a port without a protocol is a helper's own. */
static bool ports_check(struct parser *parser)
{
	if (!says(parser, WORD_FROM_PORT) && !says(parser, WORD_TO_PORT))
		return true;
	if (parser->place == PLACE_HELPER && !says(parser, WORD_PROTO))
		return true;
	if (!says(parser, WORD_PROTO) || parser->ports_missing)
		return refuse(parser->why, "ports need `proto tcp` or `proto udp` (or sctp, dccp, "
					   "udplite), and no other beside them");
	return true;
}

/* TCP alone, of all protocols. */
static bool is_about_tcp(const struct parser *parser)
{
	const uint64_t *protocols = parser->rule->protocols;

	return says(parser, WORD_PROTO) && protocols[0] == UINT64_C(1) << IPPROTO_TCP &&
	       protocols[1] == 0 && protocols[2] == 0 && protocols[3] == 0;
}

static bool tcp_check(struct parser *parser)
{
	if (says(parser, WORD_TCP_FLAGS) && !is_about_tcp(parser))
		return refuse(parser->why, "`tcp-flags` needs `proto tcp`");
	if (parser->rule->reject == REJECT_TCP_RESET && !is_about_tcp(parser))
		return refuse(parser->why, "`reject with tcp-reset` needs `proto tcp`");
	return true;
}

static bool sides_check(struct parser *parser)
{
	const struct rule *rule = parser->rule;

	if (parser->place != PLACE_NAT)
		return true;
	if (says(parser, WORD_IN) && rule->in.kind == SIDE_UPLINK)
		return refuse(parser->why, "`in uplink`: allowed: lan, any, or a network's name: "
					   "masquerading is for what guests send");
	if (says(parser, WORD_OUT) && rule->out.kind != SIDE_UPLINK)
		return refuse(parser->why,
			"allowed: `out uplink`: masquerading is for what leaves the host");
	return true;
}

bool rule_check(struct parser *parser)
{
	return ports_check(parser) && tcp_check(parser) && sides_check(parser) &&
	       icmp_finish(parser) && families_check(parser);
}
