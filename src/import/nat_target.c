/* SPDX-License-Identifier: BSD-2-Clause */
/* nat_target: MASQUERADE, SNAT, DNAT, REDIRECT and NETMAP as lines of [nat] or [forwards]. */
#include <stdio.h>
#include <string.h>

#include "import/nat.h"
#include "import/target.h"

/* ---- sources ---- */

/* The network that a list of one address or prefix is in, or NULL. */
static const struct side *network_of_list(const struct nat_list *list, const char *text)
{
	struct prefix prefix;
	union addr address;

	if (text[0] == '\0' || !sides_prefix(text, &prefix, &address))
		return NULL;
	return sides_network_of(list->sides, &address);
}

/*
 * Only what leaves by the uplink is translated here.  Toward guests iptables needs it for
 * connections between neighbours by the outer address, which the gateway does by itself.
 */
static void source_side(const struct nat_list *list, struct statement *statement)
{
	const char *out = statement->part[PART_OUT];
	const bool inward =
		out[0] != '\0' && strcmp(out, "uplink") != 0 && strncmp(out, "not ", 4) != 0;
	const bool neighbours = network_of_list(list, statement->part[PART_FROM]) != NULL;

	if (network_of_list(list, statement->part[PART_TO]) != NULL || (inward && neighbours)) {
		statement_fail(statement, FATE_NEVER,
			"not needed: guests reach each other by published ports without it");
	} else if (inward) {
		statement_fail(statement, FATE_LOST,
			"what guests get keeps its address: the world does not look like the "
			"gateway to them");
	} else {
		snprintf(statement->part[PART_OUT], WORD_SIZE, "uplink");
	}
}

static void snat_target(const struct nat_list *list, struct nat_entry *entry)
{
	struct statement *statement = &entry->statement;
	const char *to = statement->option[TARGET_TO_SOURCE];
	const bool v6 = list->sides->family == AF_INET6;
	struct target_address target;

	snprintf(entry->key, sizeof(entry->key), "snat");
	if (to == NULL || !target_address_read(to, &target) || !target.has_address)
		statement_fail(statement, FATE_LOST, "--to-source %.60s: not understood",
			to == NULL ? "" : to);
	else if (target.ports[0] == '\0')
		snprintf(entry->tail, sizeof(entry->tail), " -> %s", target.address);
	else
		snprintf(entry->tail, sizeof(entry->tail), v6 ? " -> [%s]:%s" : " -> %s:%s",
			target.address, target.ports);
}

static void masquerade_target(struct nat_entry *entry)
{
	const char *ports = entry->statement.option[TARGET_TO_PORTS];

	snprintf(entry->key, sizeof(entry->key), "masquerade");
	if (ports != NULL)
		snprintf(entry->tail, sizeof(entry->tail), " -> :%.20s", ports);
}

/* `map` is one line for both directions. */
static void netmap_target(const struct nat_list *list, struct nat_entry *entry, enum part own)
{
	struct statement *statement = &entry->statement;
	const char *to = statement->option[TARGET_TO];
	const char *other = statement->part[own];

	if (to == NULL || other[0] == '\0') {
		statement_fail(statement, FATE_LOST, "NETMAP: allowed: a rule with %s and --to",
			own == PART_FROM ? "-s" : "-d");
		return;
	}
	if (own == PART_FROM)
		snprintf(entry->tail, sizeof(entry->tail), "%.100s <-> %.100s", other, to);
	else
		snprintf(entry->tail, sizeof(entry->tail), "%.100s <-> %.100s", to, other);
	snprintf(entry->key, sizeof(entry->key), "map");
	memset(statement->part, 0, sizeof(statement->part));
	for (unsigned i = 0; i < list->count; i++) {
		if (strcmp(list->entry[i].key, "map") == 0 &&
			strcmp(list->entry[i].tail, entry->tail) == 0)
			statement_fail(statement, FATE_NEVER,
				"not needed: `map` of line %u works in both directions",
				list->entry[i].statement.rule->line);
	}
}

void nat_source_target(const struct nat_list *list, struct nat_entry *entry)
{
	struct statement *statement = &entry->statement;

	source_side(list, statement);
	if (entry->kind == NAT_EXEMPT)
		return;
	switch (choice_index("MASQUERADE|SNAT|NETMAP", statement->target)) {
	case 0:
		masquerade_target(entry);
		return;
	case 1:
		snat_target(list, entry);
		return;
	case 2:
		netmap_target(list, entry, PART_FROM);
		return;
	default:
		target_fail(statement);
	}
}

/* ---- destinations ---- */

static bool is_one(const char *list)
{
	return list[strcspn(list, ", /")] == '\0';
}

/* A line of [forwards] can say it, and says more: it holds the port, and serves the host itself. */
static bool is_forward(const struct nat_list *list, const struct statement *statement,
	const struct target_address *target)
{
	const char *in = statement->part[PART_IN], *ports = statement->part[PART_TO_PORT];

	for (unsigned i = 0; i < list->count; i++) {
		const char *other = list->entry[i].statement.part[PART_IN];

		if (list->entry[i].kind == NAT_EXEMPT &&
			(other[0] == '\0' || strcmp(other, "uplink") == 0 ||
				strncmp(other, "not ", 4) == 0))
			return false;
	}
	return choice_index("tcp|udp", statement->part[PART_PROTO]) >= 0 && ports[0] != '\0' &&
	       is_one(ports) && statement->part[PART_FROM][0] == '\0' &&
	       statement->part[PART_FROM_PORT][0] == '\0' && is_one(statement->part[PART_TO]) &&
	       (in[0] == '\0' || strcmp(in, "uplink") == 0 || strncmp(in, "not ", 4) == 0) &&
	       strchr(target->address, '-') == NULL &&
	       (target->ports[0] == '\0' ||
		       (strchr(ports, '-') == NULL) == (strchr(target->ports, '-') == NULL));
}

static void forward_fill(
	const struct nat_list *list, struct nat_entry *entry, const struct target_address *target)
{
	const struct statement *statement = &entry->statement;
	const char *proto = statement->part[PART_PROTO], *to = statement->part[PART_TO];
	const char *ports = statement->part[PART_TO_PORT];
	const bool v6 = list->sides->family == AF_INET6;

	entry->kind = NAT_FORWARD;
	if (to[0] == '\0')
		snprintf(entry->key, sizeof(entry->key), "%.8s %.16s", proto, ports);
	else
		snprintf(entry->key, sizeof(entry->key),
			v6 ? "%.8s [%.64s]:%.16s" : "%.8s %.64s:%.16s", proto, to, ports);
	if (target->ports[0] == '\0')
		snprintf(entry->tail, sizeof(entry->tail), "%s", target->address);
	else
		snprintf(entry->tail, sizeof(entry->tail), v6 ? "[%s]:%s" : "%s:%s",
			target->address, target->ports);
}

/* The machine that iptables runs on: its loopback, or its address on a network. */
static bool is_gateway(const struct nat_list *list, const struct target_address *target)
{
	const struct side *side = sides_network_of(list->sides, &target->first);
	union addr gateway;

	if (addr_is_loopback(list->sides->family, &target->first))
		return true;
	if (side == NULL)
		return false;
	gateway = prefix_address(&side->subnet, 1);
	return addr_equal(&gateway, &target->first);
}

/* To a program of the host's: one port. */
static void redirect_fill(struct nat_entry *entry, const char *ports)
{
	struct statement *statement = &entry->statement;

	snprintf(entry->key, sizeof(entry->key), "redirect");
	if (ports == NULL || ports[0] == '\0')
		ports = statement->part[PART_TO_PORT];
	if (ports[0] == '\0' || ports[strspn(ports, "0123456789")] != '\0')
		statement_fail(statement, FATE_LOST,
			"to several ports of the host: allowed: one, write a line for each");
	else
		snprintf(entry->tail, sizeof(entry->tail), " -> :%.16s", ports);
}

static void dnat_target(const struct nat_list *list, struct nat_entry *entry)
{
	struct statement *statement = &entry->statement;
	const char *to = statement->option[TARGET_TO_DESTINATION];
	struct target_address target;

	if (to == NULL || !target_address_read(to, &target) || !target.has_address) {
		statement_fail(statement, FATE_LOST,
			"--to-destination %.60s: allowed: addresses, with or without ports",
			to == NULL ? "" : to);
	} else if (is_gateway(list, &target)) {
		redirect_fill(entry, target.ports);
	} else if (sides_network_of(list->sides, &target.first) == NULL) {
		statement_fail(statement, FATE_LOST,
			"%.60s is in no network: say --lan INTERFACE=NETWORK,SUBNET",
			target.address);
	} else if (is_forward(list, statement, &target)) {
		forward_fill(list, entry, &target);
	} else {
		snprintf(entry->key, sizeof(entry->key), "dnat");
		snprintf(entry->tail, sizeof(entry->tail),
			target.ports[0] == '\0'           ? " -> %s%s"
			: list->sides->family == AF_INET6 ? " -> [%s]:%s"
							  : " -> %s:%s",
			target.address, target.ports);
	}
}

void nat_destination_target(const struct nat_list *list, struct nat_entry *entry)
{
	struct statement *statement = &entry->statement;

	switch (choice_index("DNAT|REDIRECT|NETMAP", statement->target)) {
	case 0:
		dnat_target(list, entry);
		return;
	case 1:
		redirect_fill(entry, statement->option[TARGET_TO_PORTS]);
		return;
	case 2:
		netmap_target(list, entry, PART_TO);
		return;
	default:
		target_fail(statement);
	}
}
