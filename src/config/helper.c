/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper: the lines of [helpers].
 *
 * What a line leaves open is written out in its words before they are parsed as a rule's, so there
 * is one language and one parser.  A helper of two protocols makes two rules of one line.
 */
#include "config/helper.h"

#include <stdio.h>
#include <string.h>
#include "config/rule.h"

/* In the order of enum helper_id. */
static const struct {
	const char *protocols[2];
	const char *ports;
} defaults[HELPER_COUNT] = {
	[HELPER_FTP] = {{"tcp"}, "21"},
	[HELPER_IRC] = {{"tcp"}, "6665-6669"},
	[HELPER_TFTP] = {{"udp"}, "69"},
	[HELPER_SIP] = {{"udp", "tcp"}, "5060"},
	[HELPER_PPTP] = {{"tcp"}, "1723"},
};

/* Is a port of the destination given, and a protocol?  `from LIST port` and `from port` mean source
 * ports. */
static void look_for(const char *match, bool *port, bool *protocol)
{
	char word[WORD_SIZE];
	unsigned from = 0; /* words up to which a `port` is the source's */

	*port = *protocol = false;
	while (word_next(&match, word)) {
		if (strcmp(word, "from") == 0)
			from = 2;
		else if (strcmp(word, "port") == 0 && from == 0)
			*port = true;
		else if (strcmp(word, "port") == 0)
			from = 0;
		else if (from > 0 && strcmp(word, "not") != 0)
			from--;
		if (strcmp(word, "proto") == 0)
			*protocol = true;
	}
}

static bool add(struct config *config, const char *match, enum helper_id helper,
	const char *protocol, const char *ports, unsigned line, const struct sentence *why)
{
	char text[2 * CONFIG_TEXT_SIZE];
	struct rule rule;

	snprintf(text, sizeof(text), "%s%s%s%s%s", match, protocol != NULL ? " proto " : "",
		protocol != NULL ? protocol : "", ports != NULL ? " port " : "",
		ports != NULL ? ports : "");
	if (!rule_parse(config, PLACE_HELPER, text + strspn(text, BLANKS), &rule, why))
		return false;
	rule.action = (uint8_t)helper;
	rule.line = line;
	if (!rules_append(&config->helpers, &rule))
		return refuse(why, "out of memory");
	return true;
}

bool helper_line_parse(struct config *config, const char *name, const char *match, unsigned line,
	const struct sentence *why)
{
	const int helper = choice_index(HELPER_NAMES, name);
	bool port, protocol;

	if (helper < 0)
		return refuse_choice(why, "helper", name, HELPER_NAMES);
	look_for(match, &port, &protocol);
	const char *ports = port ? NULL : defaults[helper].ports;
	if (protocol)
		return add(config, match, (enum helper_id)helper, NULL, ports, line, why);
	for (unsigned i = 0; i < 2 && defaults[helper].protocols[i] != NULL; i++)
		if (!add(config, match, (enum helper_id)helper, defaults[helper].protocols[i],
			    ports, line, why))
			return false;
	return true;
}
