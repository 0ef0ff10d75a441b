/* SPDX-License-Identifier: BSD-2-Clause */
/* sides: which side of the gateway each interface of the rules is. */
#include "import/sides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/subnets.h"

#define RESERVED_NAMES "any|lan|uplink"

bool side_is_uplink(const struct side *side)
{
	return side->network[0] == '\0';
}

const struct side *sides_network_of(const struct sides *sides, const union addr *address)
{
	for (unsigned i = 0; i < sides->count; i++) {
		const struct side *side = &sides->side[i];

		if (side->subnet.family != 0 &&
			prefix_contains(&side->subnet, sides->family, address))
			return side;
	}
	return NULL;
}

struct side *sides_single(struct sides *sides)
{
	struct side *single = NULL;

	for (unsigned i = 0; i < sides->count; i++) {
		if (side_is_uplink(&sides->side[i]))
			continue;
		if (single != NULL)
			return NULL;
		single = &sides->side[i];
	}
	return single;
}

/* ---- finding them ---- */

static struct side *side_of(struct sides *sides, const char *interface)
{
	for (unsigned i = 0; i < sides->count; i++) {
		if (strcmp(sides->side[i].interface, interface) == 0)
			return &sides->side[i];
	}
	return NULL;
}

void sides_label(const char *text, char name[CONFIG_NAME_SIZE])
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "_-.";

	snprintf(name, CONFIG_NAME_SIZE, "%s%s", strchr("_-.", text[0]) != NULL ? "x" : "", text);
	for (char *byte = name; *byte != '\0'; byte++) {
		if (strchr(good, *byte) == NULL)
			*byte = '-';
	}
	if (choice_index(RESERVED_NAMES, name) >= 0)
		snprintf(name, CONFIG_NAME_SIZE, "%s-net", text);
}

static struct side *side_add(struct sides *sides, const char *interface, const char *network)
{
	if (sides->count == IMPORT_SIDES_MAX || strlen(interface) >= INTERFACE_SIZE)
		return NULL;
	struct side *side = &sides->side[sides->count++];
	*side = (struct side){.guessed = true};
	snprintf(side->interface, sizeof(side->interface), "%s", interface);
	snprintf(side->network, sizeof(side->network), "%s", network);
	return side;
}

static bool side_told(struct sides *sides, const struct import_side *told, struct remarks *remarks)
{
	const char *network = told->network == NULL ? "" : told->network;
	struct prefix subnet = {0};
	const char *fault = NULL;

	if (told->subnet != NULL)
		fault = prefix_parse(told->subnet, &subnet);
	if (fault == NULL && told->subnet != NULL && subnet.family != sides->family)
		fault = "it is not of the rules' family";
	if (fault != NULL) {
		remark_add(remarks, 0, REMARK_LOST, "interface %s: subnet `%s`: %s",
			told->interface, told->subnet, fault);
		return false;
	}
	struct side *side = side_of(sides, told->interface) == NULL
				    ? side_add(sides, told->interface, network)
				    : NULL;
	if (side == NULL || strlen(network) >= sizeof(side->network)) {
		remark_add(remarks, 0, REMARK_LOST,
			"interface `%s`: allowed: %d interfaces, each once, with names of at most "
			"15 bytes",
			told->interface, IMPORT_SIDES_MAX);
		return false;
	}
	side->subnet = subnet;
	side->guessed = false;
	return true;
}

/* An interface that a rule names: not the loopback's, no pattern, not known already. */
static bool is_new(struct sides *sides, const char *interface)
{
	return interface != NULL && interface[0] != '\0' && strcmp(interface, "lo") != 0 &&
	       strchr(interface, '+') == NULL && side_of(sides, interface) == NULL;
}

/* What translated packets leave by is the uplink; unless they go to somebody in particular, who
 * is more likely a guest. */
static void uplinks_guess(struct sides *sides, const struct save *save, const char *target)
{
	for (unsigned i = 0; i < save->rule_count; i++) {
		const struct save_rule *rule = &save->rules[i];
		bool negated = false, no;
		const char *out = save_option(save, rule, "-o", &negated);
		const char *does = save_option(save, rule, "-j", &no);

		if (save->chains[rule->chain].table == TABLE_NAT && does != NULL &&
			strcmp(does, target) == 0 && save_option(save, rule, "-d", &no) == NULL &&
			!negated && is_new(sides, out))
			side_add(sides, out, "");
	}
}

static void networks_guess(struct sides *sides, const struct save *save)
{
	static const char *const options[] = {"-i", "-o"};

	for (unsigned i = 0; i < 2 * save->rule_count; i++) {
		bool negated;
		char name[CONFIG_NAME_SIZE];
		const char *interface =
			save_option(save, &save->rules[i / 2], options[i % 2], &negated);

		if (!is_new(sides, interface))
			continue;
		sides_label(interface, name);
		side_add(sides, interface, name);
	}
}

static bool has_uplink(const struct sides *sides)
{
	for (unsigned i = 0; i < sides->count; i++) {
		if (side_is_uplink(&sides->side[i]))
			return true;
	}
	return false;
}

static bool has_network(const struct sides *sides)
{
	for (unsigned i = 0; i < sides->count; i++) {
		if (!side_is_uplink(&sides->side[i]))
			return true;
	}
	return false;
}

bool sides_find(struct sides *sides, const struct import_options *options, const struct save *save,
	struct remarks *remarks)
{
	*sides = (struct sides){.family = options->v6 || save->v6 ? AF_INET6 : AF_INET};
	for (unsigned i = 0; i < options->side_count; i++) {
		if (!side_told(sides, &options->side[i], remarks))
			return false;
	}
	if (!has_uplink(sides))
		uplinks_guess(sides, save, "MASQUERADE");
	if (!has_uplink(sides))
		uplinks_guess(sides, save, "SNAT");
	networks_guess(sides, save);
	if (!has_uplink(sides)) {
		remark_add(remarks, 0, REMARK_NOTE,
			"no rule names the uplink: it is whichever the host's routes choose; if it "
			"is taken for a network here, say --uplink INTERFACE");
		side_add(sides, "", "");
	}
	if (!has_network(sides))
		side_add(sides, "", "guests");
	subnets_find(sides, save);
	return true;
}

/* ---- naming them ---- */

/* Does an interface's name match "eth0" or "eth+"? */
static bool pattern_matches(const char *pattern, const char *interface)
{
	const size_t length = strlen(pattern);

	if (length > 0 && pattern[length - 1] == '+')
		return strncmp(pattern, interface, length - 1) == 0;
	return strcmp(pattern, interface) == 0;
}

struct matched {
	const struct side *network; /* the last one */
	unsigned networks, all_networks;
	bool uplink, all;
};

static struct matched sides_matched(const struct sides *sides, const char *pattern, bool negated)
{
	struct matched matched = {.all = true};

	for (unsigned i = 0; i < sides->count; i++) {
		const struct side *side = &sides->side[i];
		const bool is = pattern_matches(pattern, side->interface) != negated;

		matched.all &= is;
		if (side_is_uplink(side)) {
			matched.uplink |= is;
			continue;
		}
		matched.all_networks++;
		if (is) {
			matched.network = side;
			matched.networks++;
		}
	}
	return matched;
}

bool sides_name(const struct sides *sides, const char *pattern, bool negated, char name[WORD_SIZE],
	const struct sentence *why)
{
	const struct matched matched = sides_matched(sides, pattern, negated);
	const struct matched others = sides_matched(sides, pattern, !negated);

	if (matched.all)
		snprintf(name, WORD_SIZE, "any");
	else if (matched.networks == 0 && (matched.uplink || negated))
		snprintf(name, WORD_SIZE, "uplink");
	else if (matched.networks == 0)
		return refuse(why, "interface %s is no side that is known: say --lan %s=NETWORK",
			pattern, pattern);
	else if (!matched.uplink && matched.networks == matched.all_networks)
		snprintf(name, WORD_SIZE, "%s",
			matched.networks == 1 ? matched.network->network : "lan");
	else if (!matched.uplink && matched.networks == 1)
		snprintf(name, WORD_SIZE, "%s", matched.network->network);
	else if (!others.uplink && others.networks == 1)
		snprintf(name, WORD_SIZE, "not %s", others.network->network);
	else
		return refuse(why,
			"interface %s%s is several sides of the gateway: write a line for each",
			negated ? "! " : "", pattern);
	return true;
}
