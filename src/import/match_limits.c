/* SPDX-License-Identifier: BSD-2-Clause */
/* match_limits: limit, hashlimit and connlimit, whose options make one word here together. */
#include <stdio.h>
#include <string.h>

#include "import/match.h"

#define BURST_DEFAULT "5" /* which iptables-save does not print */

static void lost(struct match_reader *reader, const char *value, const char *why)
{
	statement_fail(reader->statement, FATE_LOST, "%.30s %.60s: %s", reader->option, value, why);
}

/* "3/min", "10/sec" as "3/minute", "10/second"; rates in bytes have no counterpart. */
static void rate_take(struct match_reader *reader, const char *value, bool over)
{
	static const char units[] = "second|sec|s|minute|min|m|hour|h|day|d";
	static const char *const words[] = {"second", "second", "second", "minute", "minute",
		"minute", "hour", "hour", "day", "day"};
	const char *rest = value;
	uint32_t count;

	if (!number_read(&rest, &count) || (*rest != '/' && *rest != '\0')) {
		lost(reader, value, "allowed: packets per second, minute, hour or day");
		return;
	}
	const int unit = *rest == '\0' ? 0 : choice_index(units, rest + 1);
	if (unit < 0) {
		lost(reader, value, "an unknown unit of time");
		return;
	}
	snprintf(reader->rate, sizeof(reader->rate), "%u/%s", count, words[unit]);
	reader->over = over;
	reader->limits = true;
}

void match_limit(struct match_reader *reader, const char *const *values, bool negated)
{
	rate_take(reader, values[0], negated);
}

void match_hash_upto(struct match_reader *reader, const char *const *values, bool negated)
{
	rate_take(reader, values[0], negated);
}

void match_hash_above(struct match_reader *reader, const char *const *values, bool negated)
{
	rate_take(reader, values[0], !negated);
}

void match_burst(struct match_reader *reader, const char *const *values, bool negated)
{
	uint32_t number;

	(void)negated;
	if (!number_parse(values[0], UINT32_MAX, &number))
		lost(reader, values[0], "not a number of packets");
	else
		snprintf(reader->burst, sizeof(reader->burst), "%u", number);
}

void match_hash_mode(struct match_reader *reader, const char *const *values, bool negated)
{
	const int mode = choice_index("srcip|dstip", values[0]);

	(void)negated;
	if (mode < 0)
		lost(reader, values[0], "allowed: srcip or dstip");
	else
		snprintf(reader->per, sizeof(reader->per), "%s",
			mode == 0 ? "source" : "destination");
}

static bool is_whole_address(const struct match_reader *reader, const char *mask)
{
	return strcmp(mask, reader->context->sides->family == AF_INET ? "32" : "128") == 0;
}

void match_hash_mask(struct match_reader *reader, const char *const *values, bool negated)
{
	(void)negated;
	if (!is_whole_address(reader, values[0]))
		lost(reader, values[0], "groups of addresses: allowed: each by itself");
}

void match_connections_above(struct match_reader *reader, const char *const *values, bool negated)
{
	uint32_t number;

	if (negated || !number_parse(values[0], UINT32_MAX, &number))
		lost(reader, values[0], "allowed: more than a number of connections");
	else
		snprintf(reader->connections, sizeof(reader->connections), "%u", number);
	if (reader->per[0] == '\0')
		match_connections_source(reader, NULL, false);
}

void match_connections_upto(struct match_reader *reader, const char *const *values, bool negated)
{
	if (negated)
		match_connections_above(reader, values, false);
	else
		lost(reader, values[0],
			"at most so many connections: refuse `connections over` before it");
}

void match_connections_mask(struct match_reader *reader, const char *const *values, bool negated)
{
	(void)negated;
	if (strcmp(values[0], "0") == 0)
		snprintf(reader->per, sizeof(reader->per), "all");
	else if (!is_whole_address(reader, values[0]))
		lost(reader, values[0], "groups of addresses: allowed: each by itself, or all");
}

void match_connections_source(struct match_reader *reader, const char *const *values, bool negated)
{
	(void)values;
	(void)negated;
	if (strcmp(reader->per, "all") != 0)
		snprintf(reader->per, sizeof(reader->per), "source");
}

void match_connections_destination(
	struct match_reader *reader, const char *const *values, bool negated)
{
	(void)values;
	(void)negated;
	if (strcmp(reader->per, "all") != 0)
		snprintf(reader->per, sizeof(reader->per), "destination");
}

void match_limits_finish(struct match_reader *reader)
{
	const bool per = reader->per[0] != '\0' && strcmp(reader->per, "all") != 0;
	char words[WORD_SIZE];

	if (reader->limits && reader->connections[0] != '\0') {
		statement_fail(reader->statement, FATE_LOST,
			"a rate and a number of connections in one rule: write two");
		return;
	}
	if (reader->limits) {
		snprintf(words, sizeof(words), "%s%s burst %s%s%s", reader->over ? "over " : "",
			reader->rate, reader->burst[0] != '\0' ? reader->burst : BURST_DEFAULT,
			per ? " per " : "", per ? reader->per : "");
		statement_say(reader->statement, PART_LIMIT, words);
	}
	if (reader->connections[0] != '\0') {
		snprintf(words, sizeof(words), "over %s%s%s", reader->connections,
			per ? " per " : "", per ? reader->per : "");
		statement_say(reader->statement, PART_CONNECTIONS, words);
	}
}
