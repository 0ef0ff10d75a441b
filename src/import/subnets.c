/* SPDX-License-Identifier: BSD-2-Clause */
/* subnets: which addresses are behind an interface, as far as rules tell. */
#include "import/subnets.h"

#include <stdio.h>
#include <string.h>

/* What [network] takes, and how much is made up around one guest. */
static const struct {
	uint8_t family, least, most, around;
} lengths[] = {{AF_INET, 8, 30, 24}, {AF_INET6, 48, 126, 64}};

static unsigned family_row(const struct sides *sides)
{
	return sides->family == AF_INET6;
}

/* "10.0.0.0/255.0.0.0": the length of such a mask, or -1. */
static int mask_length(const char *text)
{
	union addr mask;
	uint8_t family;
	int length = 0;

	if (!addr_parse(text, &mask, &family) || family != AF_INET)
		return -1;
	while (length < 32 && mask.bytes[length / 8] & 0x80 >> length % 8)
		length++;
	for (int i = length; i < 32; i++) {
		if (mask.bytes[i / 8] & 0x80 >> i % 8)
			return -1;
	}
	return length;
}

bool sides_prefix(const char *text, struct prefix *prefix, union addr *address)
{
	const char *slash = strchr(text, '/');
	char base[ADDR_TEXT_SIZE], plain[2 * ADDR_TEXT_SIZE];

	if (slash == NULL || strchr(slash, '.') == NULL)
		return prefix_parse_address(text, prefix, address) == NULL;
	const int length = mask_length(slash + 1);
	if (length < 0 || (size_t)(slash - text) >= sizeof(base))
		return false;
	snprintf(base, sizeof(base), "%.*s", (int)(slash - text), text);
	snprintf(plain, sizeof(plain), "%s/%d", base, length);
	return prefix_parse_address(plain, prefix, address) == NULL;
}

static bool overlaps_other(const struct sides *sides, const struct prefix *subnet)
{
	for (unsigned i = 0; i < sides->count; i++) {
		if (sides->side[i].subnet.family != 0 &&
			prefix_overlaps(&sides->side[i].subnet, subnet))
			return true;
	}
	return false;
}

/* Take a prefix as the subnet, if it can be one. */
static void subnet_take(const struct sides *sides, struct side *side, const struct prefix *prefix)
{
	const unsigned row = family_row(sides);

	if (side == NULL || side_is_uplink(side) || side->subnet.family != 0 ||
		prefix->family != sides->family || prefix->length < lengths[row].least ||
		prefix->length > lengths[row].most || overlaps_other(sides, prefix))
		return;
	side->subnet = *prefix;
}

/* The neighbourhood of one guest, or of a small prefix. */
static void subnet_around(struct sides *sides, struct side *side, const union addr *address)
{
	char text[ADDR_TEXT_SIZE], around[2 * ADDR_TEXT_SIZE];
	struct prefix prefix;
	union addr whole;

	if (side == NULL || side->subnet.family != 0)
		return;
	addr_format(sides->family, address, text);
	snprintf(around, sizeof(around), "%s/%u", text, lengths[family_row(sides)].around);
	if (prefix_parse_address(around, &prefix, &whole) != NULL)
		return;
	subnet_take(sides, side, &prefix);
	side->subnet_guessed = side->subnet.family != 0;
}

/* ---- what a rule says ---- */

struct clue {
	struct side *in, *out, *not_out; /* interfaces that it names */
	bool from_uplink, drops, translates;
	struct prefix from, to; /* family 0: none, or negated */
	union addr from_address, to_address;
};

static struct side *side_named(struct sides *sides, const char *interface)
{
	for (unsigned i = 0; interface != NULL && i < sides->count; i++) {
		if (strcmp(sides->side[i].interface, interface) == 0)
			return &sides->side[i];
	}
	return NULL;
}

static void prefix_clue(const char *text, bool negated, struct prefix *prefix, union addr *address)
{
	if (text == NULL || negated || !sides_prefix(text, prefix, address))
		*prefix = (struct prefix){0};
}

static void clue_read(struct clue *clue, struct sides *sides, const struct save *save,
	const struct save_rule *rule)
{
	bool no = false;
	struct side *side;

	*clue = (struct clue){0};
	side = side_named(sides, save_option(save, rule, "-i", &no));
	clue->from_uplink = side != NULL && side_is_uplink(side) && !no;
	clue->in = no ? NULL : side;
	no = false;
	side = side_named(sides, save_option(save, rule, "-o", &no));
	clue->out = no ? NULL : side;
	clue->not_out = no ? side : NULL;
	no = false;
	const char *target = save_option(save, rule, "-j", &no);
	clue->drops = target != NULL && strcmp(target, "DROP") == 0;
	clue->translates = target != NULL && choice_index("MASQUERADE|SNAT", target) >= 0;
	no = false;
	const char *address = save_option(save, rule, "-s", &no);
	prefix_clue(address, no, &clue->from, &clue->from_address);
	no = false;
	address = save_option(save, rule, "-d", &no);
	prefix_clue(address, no, &clue->to, &clue->to_address);
}

static void clue_beside_interface(struct sides *sides, const struct clue *clue)
{
	subnet_take(sides, clue->in, &clue->from);
	subnet_take(sides, clue->out, &clue->to);
	if (clue->translates)
		subnet_take(sides, clue->not_out, &clue->from);
}

/* With one network, what is translated is it, and what may not come in from outside. */
static void clue_single(struct sides *sides, const struct clue *clue)
{
	struct side *single = sides_single(sides);

	if (clue->translates || (clue->from_uplink && clue->drops))
		subnet_take(sides, single, &clue->from);
}

static void clue_guest(struct sides *sides, const struct clue *clue)
{
	if (clue->in != NULL && !side_is_uplink(clue->in) && clue->from.family == sides->family)
		subnet_around(sides, clue->in, &clue->from_address);
	if (clue->out != NULL && !side_is_uplink(clue->out) && clue->to.family == sides->family)
		subnet_around(sides, clue->out, &clue->to_address);
}

/* The guest that a port leads to. */
static void target_guest(struct sides *sides, const struct save *save, const struct save_rule *rule)
{
	struct side *single = sides_single(sides);
	bool no;
	const char *text = save_option(save, rule, "--to-destination", &no);
	char host[ADDR_TEXT_SIZE];
	union addr address;
	uint8_t family;

	if (text == NULL || single == NULL)
		return;
	text += *text == '[';
	snprintf(host, sizeof(host), "%.*s",
		(int)strcspn(text, sides->family == AF_INET ? ":-" : "]-"), text);
	if (addr_parse(host, &address, &family) && family == sides->family)
		subnet_around(sides, single, &address);
}

/* The built-in one, and its like where there are several. */
static void subnets_invent(struct sides *sides)
{
	for (unsigned i = 0, n = 77; i < sides->count; i++) {
		struct side *side = &sides->side[i];

		while (!side_is_uplink(side) && side->subnet.family == 0 && n < 256) {
			char text[ADDR_TEXT_SIZE];
			struct prefix prefix;

			snprintf(text, sizeof(text),
				sides->family == AF_INET ? "10.%u.0.0/24" : "fd77:7467:0:%u::/64",
				n++);
			if (prefix_parse(text, &prefix) == NULL)
				subnet_take(sides, side, &prefix);
			side->subnet_guessed = true;
		}
	}
}

void subnets_find(struct sides *sides, const struct save *save)
{
	static void (*const steps[])(struct sides * sides, const struct clue *clue) = {
		clue_beside_interface, clue_single, clue_guest};
	struct clue clue;

	for (unsigned step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
		for (unsigned i = 0; i < save->rule_count; i++) {
			clue_read(&clue, sides, save, &save->rules[i]);
			steps[step](sides, &clue);
		}
	}
	for (unsigned i = 0; i < save->rule_count; i++)
		target_guest(sides, save, &save->rules[i]);
	subnets_invent(sides);
}
