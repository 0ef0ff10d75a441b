/* SPDX-License-Identifier: BSD-2-Clause */
/* target: what is done with a packet, by iptables' name and by ours. */
#include "import/target.h"

#include <stdio.h>
#include <string.h>

#include "import/page.h"

/* ---- targets without a counterpart ---- */

static const struct {
	const char *names; /* choices; the last row is for all others */
	enum fate fate;
	const char *why;
} unknown_targets[] = {
	{"MARK|CONNMARK|SECMARK|CONNSECMARK", FATE_LOST,
		"marks: there are none here; say by addresses or networks what they stand for"},
	{"TCPMSS", FATE_NEVER, "not needed: the segment size is kept within the MTU anyway"},
	{"CHECKSUM", FATE_NEVER, "not needed: checksums are right anyway"},
	{"NFQUEUE|QUEUE", FATE_LOST, "packets are not handed to other programs"},
	{"TPROXY", FATE_LOST, "a `redirect` of [nat] leads to a proxy"},
	{"SET", FATE_LOST, "packets change no set: [sets] are the configuration's"},
	{"TTL|HL|DSCP|TOS", FATE_LOST, "these fields are passed on as they are"},
	{"CT|NOTRACK", FATE_LOST, "every connection is tracked"},
	{"NETMAP|DNAT|SNAT|MASQUERADE|REDIRECT|SNPT|DNPT", FATE_LOST, "not in this chain"},
	{"", FATE_LOST, "this target has no counterpart"},
};

bool target_is_known(const char *name)
{
	static const char names[] = "ACCEPT|DROP|REJECT|LOG|NFLOG|ULOG|RETURN|MASQUERADE|SNAT|DNAT|"
				    "REDIRECT|NETMAP|SNPT|DNPT|CT";

	return choice_index(names, name) >= 0;
}

void target_fail(struct statement *statement)
{
	unsigned row = 0;

	while (unknown_targets[row].names[0] != '\0' &&
		choice_index(unknown_targets[row].names, statement->target) < 0)
		row++;
	statement_fail(statement, unknown_targets[row].fate, "-j %.40s: %s", statement->target,
		unknown_targets[row].why);
}

/* ---- actions ---- */

static bool reject_action(struct statement *statement, char *action, size_t size)
{
	static const char names[] =
		"tcp-reset|icmp-port-unreachable|icmp6-port-unreachable|icmp-host-unreachable|"
		"icmp6-addr-unreachable|icmp-net-unreachable|icmp6-no-route|icmp-proto-unreachable|"
		"icmp-net-prohibited|icmp-host-prohibited|icmp-admin-prohibited|"
		"icmp6-adm-prohibited|icmp6-policy-fail|icmp6-reject-route";
	static const char *const words[] = {"tcp-reset", "port-unreachable", "port-unreachable",
		"host-unreachable", "host-unreachable", "net-unreachable", "net-unreachable",
		"proto-unreachable", "prohibited", "prohibited", "prohibited", "prohibited",
		"prohibited", "prohibited"};
	const char *with = statement->option[TARGET_REJECT_WITH];
	const int index = with == NULL ? 1 : choice_index(names, with);

	if (index < 0) {
		statement_fail(statement, FATE_LOST, "--reject-with %.40s is not known here", with);
		return false;
	}
	snprintf(action, size, "reject with %s", words[index]);
	return true;
}

static bool log_action(struct statement *statement, char *action, size_t size)
{
	const char *prefix = statement->option[TARGET_LOG_PREFIX];
	char text[WORD_SIZE / 2];

	page_quotable(prefix == NULL ? "" : prefix, text, sizeof(text));
	if (text[0] == '\0')
		snprintf(action, size, "log");
	else
		snprintf(action, size, "log \"%s\"", text);
	return true;
}

bool target_action(struct statement *statement, char *action, size_t size)
{
	static const char names[] = "ACCEPT|DROP|REJECT|LOG|NFLOG|ULOG";

	switch (choice_index(names, statement->target)) {
	case 0:
		snprintf(action, size, "accept");
		return true;
	case 1:
		snprintf(action, size, "drop");
		return true;
	case 2:
		return reject_action(statement, action, size);
	case 3:
	case 4:
	case 5:
		return log_action(statement, action, size);
	default:
		target_fail(statement);
		return false;
	}
}

/* ---- addresses of targets ---- */

/* "A", "A-B": both of one family. */
static bool addresses_read(const char *text, struct target_address *target)
{
	const char *dash = strchr(text, '-');
	char first[ADDR_TEXT_SIZE];
	union addr last;
	uint8_t family, last_family;

	if ((dash == NULL ? strlen(text) : (size_t)(dash - text)) >= sizeof(first) ||
		strlen(text) >= sizeof(target->address))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(text, "-"), text);
	if (!addr_parse(first, &target->first, &family) ||
		(dash != NULL &&
			(!addr_parse(dash + 1, &last, &last_family) || last_family != family)))
		return false;
	memcpy(target->address, text, strlen(text) + 1);
	return true;
}

/* "80", "8000-8100"; a base behind a slash, which shifts ranges, is not understood. */
static bool ports_read(const char *text, struct target_address *target)
{
	char error[SENTENCE_SIZE];
	const struct sentence why = {error, sizeof(error)};
	struct port_range range;

	if (!ports_parse(text, &range, &why))
		return false;
	ports_format(&range, target->ports);
	return true;
}

bool target_address_read(const char *text, struct target_address *target)
{
	char host[2 * ADDR_TEXT_SIZE + 2];
	const char *colon = strrchr(text, ':');
	size_t length = strlen(text);

	*target = (struct target_address){0};
	if (text[0] == '[') { /* [A]:PORTS, [A]-[B]:PORTS */
		const char *bracket = strrchr(text, ']');

		if (bracket == NULL)
			return false;
		length = (size_t)(bracket - text) + 1;
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
		if (bracket[1] != '\0' && colon == NULL)
			return false;
	} else if (colon != NULL && strchr(text, ':') == colon) {
		length = (size_t)(colon - text);
	} else {
		colon = NULL; /* none, or a bare IPv6 address's */
	}
	if (length >= sizeof(host) || (colon != NULL && !ports_read(colon + 1, target)))
		return false;
	unsigned used = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '[' && text[i] != ']')
			host[used++] = text[i];
	}
	host[used] = '\0';
	target->has_address = used > 0;
	return used == 0 ? colon != NULL : addresses_read(host, target);
}
