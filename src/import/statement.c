/* SPDX-License-Identifier: BSD-2-Clause */
/* statement: what one rule of iptables says, in the words of tungate. */
#include "import/statement.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "import/match.h"

static const char *const part_names[PART_COUNT] = {
	[PART_STATE] = "state",
	[PART_FORWARDED] = "forwarded",
	[PART_IN] = "in",
	[PART_OUT] = "out",
	[PART_FROM] = "from",
	[PART_TO] = "to",
	[PART_PROTO] = "proto",
	[PART_FROM_PORT] = "from port",
	[PART_TO_PORT] = "to port",
	[PART_ICMP_TYPE] = "icmp-type",
	[PART_TCP_FLAGS] = "tcp-flags",
	[PART_LENGTH] = "length",
	[PART_TTL] = "ttl",
	[PART_DSCP] = "dscp",
	[PART_HELPER] = "helper",
	[PART_CONNECTIONS] = "connections",
	[PART_LIMIT] = "limit",
};

void statement_fail(struct statement *statement, enum fate fate, const char *format, ...)
{
	va_list arguments;

	if (statement->fate != FATE_GOOD)
		return;
	statement->fate = (uint8_t)fate;
	va_start(arguments, format);
	vsnprintf(statement->fault, sizeof(statement->fault), format, arguments);
	va_end(arguments);
}

void statement_say(struct statement *statement, enum part part, const char *text)
{
	char *said = statement->part[part];

	if (said[0] != '\0' && strcmp(said, text) != 0)
		statement_fail(statement, FATE_LOST,
			"two conditions on `%s`, `%.40s` and `%.40s`: a rule here has one",
			part_names[part], said, text);
	else if (!text_copy(said, WORD_SIZE, text))
		statement_fail(statement, FATE_LOST, "a list of %zu bytes behind `%s`: %d fit",
			strlen(text), part_names[part], WORD_SIZE - 1);
}

void statement_merge(struct statement *inner, const struct statement *outer)
{
	for (unsigned part = 0; part < PART_COUNT; part++) {
		if (outer->part[part][0] != '\0')
			statement_say(inner, (enum part)part, outer->part[part]);
	}
	if (outer->fate != FATE_GOOD)
		statement_fail(inner, (enum fate)outer->fate, "it is reached by line %u: %.120s",
			outer->rule->line, outer->fault);
}

void statement_words(const struct statement *statement, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned part = 0; part < PART_COUNT && used < size; part++) {
		const char *said = statement->part[part];

		if (said[0] == '\0')
			continue;
		used += (size_t)snprintf(text + used, size - used, " %s%s%s", part_names[part],
			part == PART_FORWARDED ? "" : " ", part == PART_FORWARDED ? "" : said);
	}
}

void statement_read(struct statement *statement, const struct statement_context *context,
	const struct save_rule *rule)
{
	memset(statement, 0, sizeof(*statement));
	statement->rule = rule;
	match_read(statement, context);
}
