/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_check: the lines of [nat] against each other, against networks and published ports; and what
 * addresses they make the gateway's own.
 */
#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "config/check.h"
#include "config/nat.h"

static bool ranges_overlap(const struct addr_range *a, const struct addr_range *b)
{
	return a->family == b->family && addr_compare(&a->first, &b->last) <= 0 &&
	       addr_compare(&b->first, &a->last) <= 0;
}

/* Positively said, in the line itself. */
static bool says(const struct rule *match, enum rule_word word)
{
	return match->words & ~match->negated & RULE_WORD(word);
}

static struct port_list match_ports(const struct rule *match)
{
	struct port_list list = {0};

	if (!says(match, WORD_TO_PORT))
		return (struct port_list){1, {{1, UINT16_MAX}}};
	for (unsigned i = 0; i < match->to_ports.count && list.count < PORT_RANGES_MAX; i++)
		list.range[list.count++] = match->to_ports.range[i];
	return list;
}

/* What the n-th address of a line about destinations gives; false past the last.  Without `to` it
 * is about all addresses of the host, but not about all their ports. */
static bool destination_owned(const struct nat_rule *rule, unsigned n, struct nat_owned *owned)
{
	const struct rule *match = &rule->match;
	const bool to = says(match, WORD_TO);

	const bool in = says(match, WORD_IN);

	if ((in && match->in.kind != SIDE_UPLINK) || (!to && !says(match, WORD_TO_PORT)) ||
		n >= (to ? match->to.count : 1u))
		return false;
	/* Without `in uplink` the address may be anybody's, whom only guests call. */
	*owned = (struct nat_owned){.host_only = !in, .ports = match_ports(match)};
	if (to)
		owned->addresses = match->to.range[n];
	return owned->ports.count > 0;
}

static bool line_owned(const struct config *config, const struct nat_rule *rule, unsigned n,
	struct nat_owned *owned)
{
	switch (rule->kind) {
	case NAT_MAP:
	case NAT_NPT:
		*owned = (struct nat_owned){
			.whole = true, .addresses = addr_range_of(&rule->outside)};
		return n == 0;
	case NAT_SNAT:
		if (n >= rule->target_count)
			return false;
		*owned = (struct nat_owned){
			.addresses = rule->target[n].addresses,
			.ports = rule->target[n].ports.count > 0 ? rule->target[n].ports
								 : config->gateway.ports,
		};
		return true;
	case NAT_DNAT:
	case NAT_REDIRECT:
		return destination_owned(rule, n, owned);
	default:
		return false;
	}
}

/* *cursor counts what each line can give at most. */
#define OWNED_MAX NAT_TARGETS_MAX
static_assert(OWNED_MAX >= CONFIG_ELEMENTS_MAX, "each address of a list");

bool config_nat_owned(const struct config *config, unsigned *cursor, struct nat_owned *owned)
{
	while (*cursor < config->nat.count * OWNED_MAX) {
		const unsigned n = (*cursor)++;
		if (line_owned(config, &config->nat.rule[n / OWNED_MAX], n % OWNED_MAX, owned))
			return true;
	}
	return false;
}

const char *nat_snat_overlaps(const struct config *config, const struct forward *forward)
{
	for (unsigned i = 0; i < config->nat.count; i++) {
		const struct nat_rule *rule = &config->nat.rule[i];

		for (unsigned n = 0; rule->kind == NAT_SNAT && n < rule->target_count; n++) {
			const struct nat_target *target = &rule->target[n];
			const bool same =
				forward->host_family == 0
					? target->addresses.family == forward->guest_family
					: addr_range_contains(&target->addresses,
						  forward->host_family, &forward->host);
			if (same && port_list_overlaps(&target->ports, forward->ports))
				return rule->match.text;
		}
	}
	return NULL;
}

/* ---- lines against each other ---- */

static bool is_two_way(const struct nat_rule *rule)
{
	return rule->kind == NAT_MAP || rule->kind == NAT_NPT;
}

static void check_map_pair(
	const struct nat_rule *rule, const struct nat_rule *other, struct problems *problems)
{
	if ((rule->network != other->network || !prefix_overlaps(&rule->inside, &other->inside)) &&
		!prefix_overlaps(&rule->outside, &other->outside))
		return;
	problems_add(problems, rule->match.line,
		"`%s` shares addresses with `%s` in line %u: allowed: each address once",
		rule->match.text, other->match.text, other->match.line);
}

static void check_map_snat(
	const struct nat_rule *map, const struct nat_rule *snat, struct problems *problems)
{
	const struct addr_range outside = addr_range_of(&map->outside);

	for (unsigned n = 0; n < snat->target_count; n++)
		if (ranges_overlap(&outside, &snat->target[n].addresses)) {
			problems_add(problems, map->match.line,
				"`%s` shares addresses with `%s` in line %u: allowed: an outside "
				"address that belongs to its guest alone",
				map->match.text, snat->match.text, snat->match.line);
			return;
		}
}

static void check_outside(
	const struct config *config, const struct nat_rule *rule, struct problems *problems)
{
	char text[ADDR_TEXT_SIZE];

	for (unsigned i = 0; i < config->network_count; i++) {
		const struct network_config *network = &config->networks[i];
		const struct prefix *subnet =
			rule->outside.family == AF_INET ? &network->subnet4 : &network->subnet6;

		if (subnet->family != 0 && prefix_overlaps(subnet, &rule->outside))
			problems_add(problems, rule->match.line,
				"`%s`: %s overlaps network `%s`: allowed: addresses outside",
				rule->match.text, prefix_format(&rule->outside, text),
				network->name);
	}
}

static void check_snat_addresses(const struct config *config, struct problems *problems)
{
	uint64_t addresses = 0;

	for (unsigned i = 0; i < config->nat.count; i++) {
		const struct nat_rule *rule = &config->nat.rule[i];
		const uint64_t before = addresses;

		for (unsigned n = 0; rule->kind == NAT_SNAT && n < rule->target_count; n++) {
			const uint64_t more = addr_range_count(&rule->target[n].addresses);
			addresses += more < UINT32_MAX ? more : UINT32_MAX;
		}
		if (addresses > NAT_ADDRESSES_MAX && before <= NAT_ADDRESSES_MAX)
			problems_add(problems, rule->match.line,
				"`%s`: allowed: at most %d addresses in all lines snat together",
				rule->match.text, NAT_ADDRESSES_MAX);
	}
}

/* ---- port blocks (RFC 7422) ---- */

static void check_port_blocks(const struct config *config, struct problems *problems)
{
	const uint32_t ports = port_list_size(&config->gateway.ports);
	const struct network_config *first = NULL;
	uint64_t guests = 0;

	for (unsigned i = 0; i < config->network_count; i++) {
		const struct network_config *network = &config->networks[i];

		if (network->port_block == 0 || network->subnet4.family == 0)
			continue;
		if (first == NULL)
			first = network;
		if (network->port_block != first->port_block)
			problems_add(problems, network->line,
				"network `%s` has `port-block = %u`, network `%s` %u: allowed: "
				"blocks of one size",
				network->name, network->port_block, first->name, first->port_block);
		guests += UINT64_C(1) << (32 - network->subnet4.length);
		if (guests * first->port_block <= ports)
			continue;
		problems_add(problems, network->line,
			"network `%s`: blocks of %u ports for %llu addresses: allowed: as many as "
			"the %u `ports` of [gateway] are enough for",
			network->name, first->port_block, (unsigned long long)guests, ports);
		return;
	}
}

void check_nat(const struct config *config, struct problems *problems)
{
	for (unsigned i = 0; i < config->nat.count; i++) {
		const struct nat_rule *rule = &config->nat.rule[i];

		if (is_two_way(rule))
			check_outside(config, rule, problems);
		for (unsigned j = 0; j < config->nat.count; j++) {
			const struct nat_rule *other = &config->nat.rule[j];

			if (is_two_way(rule) && is_two_way(other) && j < i)
				check_map_pair(rule, other, problems);
			else if (is_two_way(rule) && other->kind == NAT_SNAT)
				check_map_snat(rule, other, problems);
		}
	}
	check_snat_addresses(config, problems);
	check_port_blocks(config, problems);
}
