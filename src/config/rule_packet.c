/* SPDX-License-Identifier: BSD-2-Clause */
/* rule_packet: the words about single packets: TCP flags, length, hops, DSCP; and those that count
 * packets and connections. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rule_parser.h"

/* ---- TCP flags ---- */

static const char flag_names[] = "fin|syn|rst|psh|ack|urg|ece|cwr|all|none"; /* bits, in order */
#define FLAGS_ALL 0x3f /* as iptables has it: without ECN's */

static bool flags_parse(struct parser *parser, const char *list, uint8_t *flags)
{
	char name[WORD_SIZE];

	*flags = 0;
	while (list_next(&list, name)) {
		const int index = choice_index(flag_names, name);

		if (index < 0)
			return refuse_choice(parser->why, "TCP flag", name, flag_names);
		if (index < 8)
			*flags |= (uint8_t)(1 << index);
		else if (index == 8)
			*flags |= FLAGS_ALL;
	}
	return true;
}

bool tcp_flags_parse(struct parser *parser)
{
	struct rule *rule = parser->rule;
	char argument[WORD_SIZE];

	if (!word_claim(parser, WORD_TCP_FLAGS))
		return false;
	word_negate(parser, WORD_TCP_FLAGS);
	if (!argument_next(parser, "tcp-flags", "SET/MASK such as syn/syn,ack,fin,rst", argument))
		return false;
	char *slash = strchr(argument, '/');
	if (slash == NULL)
		return refuse(parser->why,
			"bad tcp-flags `%s`: allowed: SET/MASK: of the flags in MASK those in SET "
			"and no others, such as syn/syn,ack,fin,rst",
			argument);
	*slash = '\0';
	if (!flags_parse(parser, argument, &rule->tcp_flags.set) ||
		!flags_parse(parser, slash + 1, &rule->tcp_flags.mask))
		return false;
	if (rule->tcp_flags.mask == 0 || (rule->tcp_flags.set & ~rule->tcp_flags.mask) != 0)
		return refuse(parser->why,
			"tcp-flags `%s/%s`: allowed: a MASK that has all flags of SET", argument,
			slash + 1);
	return true;
}

/* ---- numbers of the IP header ---- */

static bool range_parse(
	struct parser *parser, const char *word, uint32_t most, uint16_t *first, uint16_t *last)
{
	char argument[WORD_SIZE];
	const char *rest = argument;
	uint32_t from, to;

	if (!argument_next(parser, word, "N or N-M", argument))
		return false;
	bool good = number_read(&rest, &from);
	to = from;
	if (good && *rest == '-') {
		rest++;
		good = number_read(&rest, &to);
	}
	if (!good || *rest != '\0' || to > most)
		return refuse(parser->why, "bad %s `%s`: allowed: N or N-M, up to %u", word,
			argument, most);
	if (to < from)
		return refuse(parser->why, "%s `%s` ends before it begins", word, argument);
	*first = (uint16_t)from;
	*last = (uint16_t)to;
	return true;
}

bool length_parse(struct parser *parser)
{
	struct rule *rule = parser->rule;

	if (!word_claim(parser, WORD_LENGTH))
		return false;
	word_negate(parser, WORD_LENGTH);
	return range_parse(parser, "length", UINT16_MAX, &rule->length.first, &rule->length.last);
}

bool ttl_parse(struct parser *parser)
{
	struct rule *rule = parser->rule;

	if (!word_claim(parser, WORD_TTL))
		return false;
	word_negate(parser, WORD_TTL);
	return range_parse(parser, "ttl", UINT8_MAX, &rule->ttl.first, &rule->ttl.last);
}

/* Class selectors (RFC 2474), assured and expedited forwarding (RFC 2597, 3246), voice-admit (RFC
 * 5865), lower effort (RFC 8622). */
static const char dscp_names[] =
	"cs0|cs1|cs2|cs3|cs4|cs5|cs6|cs7|af11|af12|af13|af21|af22|af23|af31|af32|af33|af41|af42|"
	"af43|ef|va|le";
static const uint8_t dscp_numbers[] = {
	0, 8, 16, 24, 32, 40, 48, 56, 10, 12, 14, 18, 20, 22, 26, 28, 30, 34, 36, 38, 46, 44, 1};

bool dscp_parse(struct parser *parser)
{
	char name[WORD_SIZE];
	uint32_t number;

	if (!word_claim(parser, WORD_DSCP))
		return false;
	word_negate(parser, WORD_DSCP);
	if (!argument_next(parser, "dscp", "0 to 63, or a name such as ef", name))
		return false;
	const int index = choice_index(dscp_names, name);
	if (index >= 0)
		parser->rule->dscp = dscp_numbers[index];
	else if (number_parse(name, 63, &number))
		parser->rule->dscp = (uint8_t)number;
	else
		return refuse_choice(parser->why, "dscp", name, dscp_names);
	return true;
}

/* ---- counting ---- */

#define COUNT_MAX 1000000

static bool per_parse(struct parser *parser, uint8_t *per)
{
	char name[WORD_SIZE];

	if (!word_skip(parser, "per"))
		return true;
	if (!argument_next(parser, "per", "source or destination", name))
		return false;
	const int index = choice_index("source|destination", name);
	if (index < 0)
		return refuse_choice(parser->why, "per", name, "source|destination");
	*per = index == 0 ? PER_SOURCE : PER_DESTINATION;
	return true;
}

static bool rate_parse(struct parser *parser, const char *text, struct rule_limit *limit)
{
	static const uint32_t seconds[] = {1, 60, 3600, 86400};
	const char *rest = text;
	uint32_t count;

	if (!number_read(&rest, &count) || count == 0 || count > COUNT_MAX || *rest != '/')
		return refuse(parser->why,
			"bad rate `%s`: allowed: 1 to %u, then /second, /minute, /hour or /day",
			text, COUNT_MAX);
	const int unit = choice_index("second|minute|hour|day", rest + 1);
	if (unit < 0)
		return refuse_choice(
			parser->why, "unit of time", rest + 1, "second|minute|hour|day");
	limit->packets = count;
	limit->seconds = seconds[unit];
	return true;
}

#define BURST_DEFAULT 5 /* that of iptables and nftables */

bool limit_parse(struct parser *parser)
{
	struct rule_limit *limit = &parser->rule->limit;
	char rate[WORD_SIZE];

	if (!word_claim(parser, WORD_LIMIT))
		return false;
	limit->burst = BURST_DEFAULT;
	limit->over = word_skip(parser, "over");
	if (!argument_next(parser, "limit", "a rate such as 10/second", rate) ||
		!rate_parse(parser, rate, limit))
		return false;
	if (word_skip(parser, "burst") &&
		!argument_number(parser, "burst", 1, COUNT_MAX, &limit->burst))
		return false;
	return per_parse(parser, &limit->per);
}

bool connections_parse(struct parser *parser)
{
	struct rule_connections *connections = &parser->rule->connections;

	if (!word_claim(parser, WORD_CONNECTIONS))
		return false;
	if (!word_skip(parser, "over"))
		return refuse(parser->why,
			"`connections` without `over`: allowed: connections over N [per "
			"source|destination]");
	return argument_number(parser, "connections over", 0, COUNT_MAX, &connections->max) &&
	       per_parse(parser, &connections->per);
}
