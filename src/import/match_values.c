/* SPDX-License-Identifier: BSD-2-Clause */
/* match_values: what an option's value is called here: sides, addresses, protocols, ports, states,
 * types. */
#include <stdio.h>
#include <string.h>

#include "import/match.h"

static void lost(struct match_reader *reader, const char *value, const char *why)
{
	statement_fail(reader->statement, FATE_LOST, "%.30s %.60s: %s", reader->option, value, why);
}

/* Say a word, behind `not` where it was negated. */
static void say(struct match_reader *reader, enum part part, const char *text, bool negated)
{
	char words[WORD_SIZE];

	if ((size_t)snprintf(words, sizeof(words), "%s%s", negated ? "not " : "", text) >=
		sizeof(words))
		lost(reader, text, "too long a list");
	else
		statement_say(reader->statement, part, words);
}

/* ---- sides ---- */

static bool places_within(const struct match_reader *reader, unsigned places)
{
	return (reader->context->places & ~places) == 0;
}

static void side_take(struct match_reader *reader, enum part part, const char *pattern,
	bool negated, enum place own)
{
	struct statement *statement = reader->statement;
	const struct sentence why = {statement->fault, sizeof(statement->fault)};
	char name[WORD_SIZE];

	if (strcmp(pattern, "lo") == 0 && negated)
		return; /* nothing else is ever seen */
	if (strcmp(pattern, "lo") == 0) {
		statement_fail(statement, FATE_HOST, "the host's loopback");
	} else if (!sides_name(reader->context->sides, pattern, negated, name, &why)) {
		statement->fate = FATE_LOST;
	} else if (strcmp(name, "uplink") == 0 && places_within(reader, own)) {
		statement_fail(statement, FATE_HOST,
			"between the host itself and the world: its own firewall's");
	} else if (strcmp(name, "any") != 0) {
		statement_say(statement, part, name);
	}
}

void match_in(struct match_reader *reader, const char *const *values, bool negated)
{
	side_take(reader, PART_IN, values[0], negated, PLACE_OF_INPUT);
}

void match_out(struct match_reader *reader, const char *const *values, bool negated)
{
	side_take(reader, PART_OUT, values[0], negated, PLACE_OF_OUTPUT);
}

/* ---- addresses ---- */

static bool address_write(const char *text, char written[ADDR_TEXT_SIZE])
{
	struct prefix prefix;
	union addr address;

	if (!sides_prefix(text, &prefix, &address))
		return false;
	if (prefix.length == addr_bits(prefix.family))
		addr_format(prefix.family, &address, written);
	else
		prefix_format(&prefix, written);
	return true;
}

static bool is_everything(const char *text)
{
	return choice_index("0.0.0.0/0|::/0|0.0.0.0/0.0.0.0|0/0", text) >= 0;
}

static void addresses_take(
	struct match_reader *reader, enum part part, const char *value, bool negated)
{
	char list[WORD_SIZE] = "", element[WORD_SIZE], written[ADDR_TEXT_SIZE];
	const char *rest = value;
	size_t used = 0;

	if (is_everything(value) && !negated)
		return;
	while (list_next(&rest, element)) {
		if (!address_write(element, written)) {
			lost(reader, value, "neither an address nor a prefix");
			return;
		}
		used += (size_t)snprintf(
			list + used, sizeof(list) - used, "%s%s", used > 0 ? "," : "", written);
		if (used >= sizeof(list)) {
			lost(reader, value, "too long a list");
			return;
		}
	}
	say(reader, part, list, negated);
}

void match_source(struct match_reader *reader, const char *const *values, bool negated)
{
	addresses_take(reader, PART_FROM, values[0], negated);
}

void match_destination(struct match_reader *reader, const char *const *values, bool negated)
{
	addresses_take(reader, PART_TO, values[0], negated);
}

static void range_take(struct match_reader *reader, enum part part, const char *value, bool negated)
{
	const char *dash = strchr(value, '-');
	char first[ADDR_TEXT_SIZE];
	union addr address;
	uint8_t family;

	if (dash == NULL) {
		addresses_take(reader, part, value, negated);
		return;
	}
	snprintf(first, sizeof(first), "%.*s", (int)(dash - value), value);
	if (!addr_parse(first, &address, &family) || !addr_parse(dash + 1, &address, &family))
		lost(reader, value, "not a range of addresses");
	else
		say(reader, part, value, negated);
}

void match_source_range(struct match_reader *reader, const char *const *values, bool negated)
{
	range_take(reader, PART_FROM, values[0], negated);
}

void match_destination_range(struct match_reader *reader, const char *const *values, bool negated)
{
	range_take(reader, PART_TO, values[0], negated);
}

/*
 * What is for the host itself is known before any rule here: forwards and redirects are about its
 * addresses anyway, chain input about the gateway's, and nothing else is forwarded to it.
 */
void match_dst_type(struct match_reader *reader, const char *const *values, bool negated)
{
	const bool local = strcmp(values[0], "LOCAL") == 0;
	const bool known = local || choice_index("BROADCAST|MULTICAST", values[0]) >= 0;
	/* LOCAL: whether a packet that is asked about always is, or never. */
	const bool always = !negated && places_within(reader, PLACE_OF_INPUT | PLACE_OF_PREROUTING);
	const bool never = places_within(reader, PLACE_OF_FORWARD);

	if (!known || (local && !always && !never))
		lost(reader, values[0], "say it by addresses");
	else if (!negated && !(local && always))
		statement_fail(reader->statement, FATE_NEVER, "never matches: %s",
			local ? "what is for the gateway is not forwarded"
			      : "broadcast and multicast are dropped before any rule");
}

/* ---- protocols ---- */

void match_protocol(struct match_reader *reader, const char *const *values, bool negated)
{
	/* In the order of what they are called here; further names are the same. */
	static const char names[] =
		"tcp|udp|icmp|ipv6-icmp|icmpv6|icmp6|igmp|ipencap|ipip|ipv6|gre|"
		"esp|ah|sctp|udplite|dccp";
	static const char *const words[] = {"tcp", "udp", "icmp", "icmp6", "icmp6", "icmp6", "igmp",
		"ipip", "ipip", "ipv6", "gre", "esp", "ah", "sctp", "udplite", "dccp"};
	const int index = choice_index(names, values[0]);
	uint32_t number;

	if (strcmp(values[0], "all") == 0 || strcmp(values[0], "0") == 0)
		return;
	if (index >= 0)
		say(reader, PART_PROTO, words[index], negated);
	else if (number_parse(values[0], UINT8_MAX, &number))
		say(reader, PART_PROTO, values[0], negated);
	else
		lost(reader, values[0], "a protocol's name that is not known here: use its number");
}

/* ---- ports ---- */

/* "22", "1024:", ":80", "80:90" as "22", "1024-65535", "1-80", "80-90". */
static bool ports_write(const char *text, char *written, size_t size)
{
	const char *rest = text;
	uint32_t first = 1, last = UINT16_MAX;

	if (*rest != ':' && !number_read(&rest, &first))
		return false;
	if (*rest == '\0')
		last = first;
	else if (*rest++ != ':' || (*rest != '\0' && !number_read(&rest, &last)))
		return false;
	if (*rest != '\0' || last > UINT16_MAX || last < first || last == 0)
		return false;
	if (first == 0) /* no packet has it */
		first = 1;
	snprintf(written, size, first == last ? "%u" : "%u-%u", first, last);
	return true;
}

static void ports_take(struct match_reader *reader, enum part part, const char *value, bool negated)
{
	char list[WORD_SIZE] = "", element[WORD_SIZE], written[2 * sizeof("65535")];
	const char *rest = value;
	size_t used = 0;

	while (list_next(&rest, element)) {
		if (!ports_write(element, written, sizeof(written)) ||
			used + strlen(written) + 2 > sizeof(list)) {
			lost(reader, value, "neither a port nor a range");
			return;
		}
		used += (size_t)snprintf(
			list + used, sizeof(list) - used, "%s%s", used > 0 ? "," : "", written);
	}
	say(reader, part, list, negated);
}

void match_source_port(struct match_reader *reader, const char *const *values, bool negated)
{
	ports_take(reader, PART_FROM_PORT, values[0], negated);
}

void match_destination_port(struct match_reader *reader, const char *const *values, bool negated)
{
	ports_take(reader, PART_TO_PORT, values[0], negated);
}

void match_any_port(struct match_reader *reader, const char *const *values, bool negated)
{
	(void)negated;
	lost(reader, values[0], "either end's port: write a line for each");
}

/* ---- states ---- */

static const char state_names[] = "NEW|ESTABLISHED|RELATED|INVALID";
static const char *const state_words[] = {"new", "established", "related", "invalid"};

/* The states of a list as bits; -1 for one that is unknown.  Nothing is ever untracked here. */
static int states_read(const char *list)
{
	char name[WORD_SIZE];
	int states = 0;

	while (list_next(&list, name)) {
		const int index = choice_index(state_names, name);

		if (index < 0 && strcmp(name, "UNTRACKED") != 0)
			return -1;
		if (index >= 0)
			states |= 1 << index;
	}
	return states;
}

void match_state(struct match_reader *reader, const char *const *values, bool negated)
{
	int states = states_read(values[0]);
	char list[64] = "";

	if (strcmp(values[0], "DNAT") == 0 && !negated) {
		statement_say(reader->statement, PART_FORWARDED, " ");
		return;
	}
	if (states < 0) {
		lost(reader, values[0],
			"allowed: NEW, ESTABLISHED, RELATED, INVALID, or DNAT by itself");
		return;
	}
	if (negated)
		states ^= 0xf;
	if (states == 0)
		statement_fail(reader->statement, FATE_NEVER,
			"never matches: every connection is tracked");
	if (states == 0 || states == 0xf)
		return;
	for (unsigned i = 0; i < 4; i++) {
		const size_t used = strlen(list);

		if (states & 1 << i)
			snprintf(list + used, sizeof(list) - used, "%s%s", used > 0 ? "," : "",
				state_words[i]);
	}
	statement_say(reader->statement, PART_STATE, list);
}

void match_ctstatus(struct match_reader *reader, const char *const *values, bool negated)
{
	if (strcmp(values[0], "DNAT") != 0 || negated)
		lost(reader, values[0], "allowed: DNAT");
	else
		statement_say(reader->statement, PART_FORWARDED, " ");
}

/* ---- ICMP and TCP ---- */

void match_icmp_type(struct match_reader *reader, const char *const *values, bool negated)
{
	static const struct {
		const char *v4, *v6, *word;
	} names[] = {
		{"8|echo-request|ping", "128|echo-request|ping", "echo-request"},
		{"0|echo-reply|pong", "129|echo-reply|pong", "echo-reply"},
		{"3|destination-unreachable", "1|destination-unreachable",
			"destination-unreachable"},
		{"11|time-exceeded|ttl-exceeded", "3|time-exceeded|ttl-exceeded", "time-exceeded"},
		{"12|parameter-problem", "4|parameter-problem", "parameter-problem"},
		{"5|redirect", "137|redirect", "redirect"},
		{"", "2|packet-too-big", "packet-too-big"},
		{"13|timestamp-request", "", "timestamp-request"},
		{"14|timestamp-reply", "", "timestamp-reply"},
	};
	const bool v6 = reader->context->sides->family == AF_INET6;

	if (choice_index("any|255", values[0]) >= 0)
		return;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (choice_index(v6 ? names[i].v6 : names[i].v4, values[0]) >= 0) {
			say(reader, PART_ICMP_TYPE, names[i].word, negated);
			return;
		}
	}
	if (values[0][strspn(values[0], "0123456789/")] != '\0')
		lost(reader, values[0], "a type's name that is not known here: use its number");
	else
		say(reader, PART_ICMP_TYPE, values[0], negated);
}

/* "FIN,SYN,RST,ACK" in lower case; "ALL" and "NONE" too. */
static void lower(const char *text, char *written, size_t size)
{
	size_t i = 0;

	for (; text[i] != '\0' && i + 1 < size; i++)
		written[i] =
			(char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 'a' - 'A' : text[i]);
	written[i] = '\0';
}

void match_tcp_flags(struct match_reader *reader, const char *const *values, bool negated)
{
	char mask[64], set[64], flags[2 * 64];

	lower(values[0], mask, sizeof(mask));
	lower(values[1], set, sizeof(set));
	snprintf(flags, sizeof(flags), "%s/%s", set, mask);
	say(reader, PART_TCP_FLAGS, flags, negated);
}

void match_syn(struct match_reader *reader, const char *const *values, bool negated)
{
	(void)values;
	say(reader, PART_TCP_FLAGS, "syn/fin,syn,rst,ack", negated);
}

/* ---- the IP header ---- */

void match_length(struct match_reader *reader, const char *const *values, bool negated)
{
	char range[2 * sizeof("65535")];

	if (!ports_write(values[0], range, sizeof(range)))
		lost(reader, values[0], "neither a length nor a range");
	else
		say(reader, PART_LENGTH, range, negated);
}

static void ttl_say(struct match_reader *reader, int first, int last, bool negated)
{
	char range[32];

	snprintf(range, sizeof(range), first == last ? "%d" : "%d-%d", first, last);
	say(reader, PART_TTL, range, negated);
}

static bool ttl_read(struct match_reader *reader, const char *value, int least, int most, int *ttl)
{
	uint32_t number;

	if (!number_parse(value, (uint32_t)most, &number) || (int)number < least) {
		lost(reader, value, "not a hop limit with which it could match");
		return false;
	}
	*ttl = (int)number;
	return true;
}

void match_ttl_equal(struct match_reader *reader, const char *const *values, bool negated)
{
	int ttl;

	if (ttl_read(reader, values[0], 0, UINT8_MAX, &ttl))
		ttl_say(reader, ttl, ttl, negated);
}

void match_ttl_less(struct match_reader *reader, const char *const *values, bool negated)
{
	int ttl;

	if (ttl_read(reader, values[0], 1, UINT8_MAX, &ttl))
		ttl_say(reader, 0, ttl - 1, negated);
}

void match_ttl_greater(struct match_reader *reader, const char *const *values, bool negated)
{
	int ttl;

	if (ttl_read(reader, values[0], 0, UINT8_MAX - 1, &ttl))
		ttl_say(reader, ttl + 1, UINT8_MAX, negated);
}

static unsigned hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned)(digit - '0');
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a' + 10) : 16;
}

/* "0x2e", as iptables-save prints it, or "46". */
void match_dscp(struct match_reader *reader, const char *const *values, bool negated)
{
	const char *value = values[0];
	char text[sizeof("4294967295")];
	uint32_t number = 0;

	if (strncmp(value, "0x", 2) == 0 && strlen(value) <= 4 && value[2] != '\0') {
		for (value += 2; hex_digit(*value) < 16; value++)
			number = number * 16 + hex_digit(*value);
	} else {
		number_read(&value, &number);
	}
	if (*value != '\0' || number > 63) {
		lost(reader, values[0], "not a DSCP");
		return;
	}
	snprintf(text, sizeof(text), "%u", number);
	say(reader, PART_DSCP, text, negated);
}

void match_dscp_class(struct match_reader *reader, const char *const *values, bool negated)
{
	char name[16];

	lower(values[0], name, sizeof(name));
	say(reader, PART_DSCP, name, negated);
}

/* ---- others ---- */

void match_helper(struct match_reader *reader, const char *const *values, bool negated)
{
	if (choice_index("ftp|irc|tftp|sip|pptp", values[0]) < 0)
		lost(reader, values[0], "helpers here: ftp, irc, tftp, sip, pptp");
	else
		say(reader, PART_HELPER, values[0], negated);
}

void match_comment(struct match_reader *reader, const char *const *values, bool negated)
{
	(void)negated;
	snprintf(reader->statement->comment, sizeof(reader->statement->comment), "%s", values[0]);
}
