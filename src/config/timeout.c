/* SPDX-License-Identifier: BSD-2-Clause */
/* timeout: lines of [timeouts] that are about ports: "tcp port 22 = 1d". */
#include "config/timeout.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "config/value.h"

#define SECONDS_MAX (5 * 24 * 60 * 60) /* as of every other timeout */

bool timeout_is_of_port(const char *name)
{
	return strncmp(name, "tcp ", 4) == 0 || strncmp(name, "udp ", 4) == 0;
}

static bool seconds_parse(const struct config *config, const char *text, uint32_t *seconds,
	const struct sentence *why)
{
	static const struct key key = {
		.type = KEY_SECONDS, .size = sizeof(uint32_t), .min = 1, .max = SECONDS_MAX};

	return value_parse(config, &key, 0, text, seconds, why);
}

static bool overlap(const struct port_timeout *a, const struct port_timeout *b)
{
	return a->protocol == b->protocol && a->ports.first <= b->ports.last &&
	       b->ports.first <= a->ports.last;
}

bool timeout_of_port_add(const struct config *config, const char *name, const char *value,
	unsigned line, struct timeouts_config *timeouts, const struct sentence *why)
{
	struct port_timeout wanted = {.line = line};
	char protocol[WORD_SIZE], word[WORD_SIZE], ports[WORD_SIZE];

	if (!word_next(&name, protocol) || !word_next(&name, word) || strcmp(word, "port") != 0 ||
		!word_next(&name, ports) || word_next(&name, word))
		return refuse(why, "allowed: tcp port N[-M], udp port N[-M]");
	wanted.protocol = strcmp(protocol, "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	if (!ports_parse(ports, &wanted.ports, why) ||
		!seconds_parse(config, value, &wanted.seconds, why))
		return false;
	for (unsigned i = 0; i < timeouts->port_count; i++)
		if (overlap(&timeouts->port[i], &wanted))
			return refuse(why,
				"line %u has a timeout of a port of these: allowed: once",
				timeouts->port[i].line);
	if (timeouts->port_count == CONFIG_PORT_TIMEOUTS_MAX)
		return refuse(
			why, "allowed: at most %d timeouts of ports", CONFIG_PORT_TIMEOUTS_MAX);
	timeouts->port[timeouts->port_count++] = wanted;
	return true;
}
