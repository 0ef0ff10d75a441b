/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat: where a connection goes.
 *
 * Three things can give a first packet another destination, asked in this order:
 *
 *	published ports	[forwards], at the host's addresses
 *	rules		of [nat], about destinations, the first that matches
 *	mappings	a port of ours that a guest's flows have (mapping.h): for another guest
 *			(hairpin, RFC 4787 REQ-9), or for whom the guest's network lets in (REQ-8)
 *
 * What comes from the uplink must be addressed to us: to the host, to an address that a line of
 * [nat] makes the gateway's own, or to one that a rule names.
 */
#include <netinet/in.h>
#include "engine/inspect.h"
#include "engine/mapping.h"
#include "engine/nat.h"
#include "engine/npt.h"

/* Targets tried for one that is there. */
#define TARGET_TRIES 64
/* Flows of a port that are looked at for one with the sender as its peer. */
#define PEER_LOOKS 128

static bool destination_is_link(
	const struct engine *engine, uint16_t network, uint8_t family, const union addr *to)
{
	return network < engine->topology.network_count &&
	       topology_locate(&engine->topology, network, family, to) != ZONE_NONE;
}

bool nat_owns(const struct engine *engine, uint8_t family, const union addr *address)
{
	const struct ruleset *ruleset = engine->ruleset;

	for (unsigned i = 0; ruleset != NULL && i < ruleset->nat.count; i++) {
		const struct nat_rule *rule = &ruleset->nat_rule[i];
		if ((rule->kind == NAT_MAP || rule->kind == NAT_NPT) &&
			prefix_contains(&rule->outside, family, address))
			return true;
		for (unsigned n = 0; rule->kind == NAT_SNAT && n < rule->target_count; n++)
			if (addr_range_contains(&rule->target[n].addresses, family, address))
				return true;
	}
	return false;
}

bool nat_is_ours(const struct engine *engine, uint8_t family, const union addr *address)
{
	return topology_external(&engine->topology, family, address) >= 0 ||
	       nat_owns(engine, family, address);
}

bool nat_changes_destination(const struct flow *draft)
{
	return !addr_equal(
		       &draft->address[ORIGINAL][DESTINATION], &draft->address[REPLY][SOURCE]) ||
	       draft->port[ORIGINAL][DESTINATION] != draft->port[REPLY][SOURCE];
}

/* ---- published ports ---- */

static bool published(
	const struct engine *engine, struct flow *draft, struct nat_destination *destination)
{
	const uint16_t port = ntohs(draft->port[ORIGINAL][DESTINATION]);
	const struct forward *forward = topology_forward(&engine->topology, draft->protocol,
		draft->family, &draft->address[ORIGINAL][DESTINATION], port);

	if (forward == NULL)
		return false;
	draft->address[REPLY][SOURCE] = forward->guest;
	draft->port[REPLY][SOURCE] =
		htons((uint16_t)(forward->guest_port + (port - forward->ports.first)));
	draft->flags |= FLOW_FORWARDED;
	destination->network = forward->network;
	return true;
}

/* ---- rules ---- */

/* Addresses that a target counts for, in turn. */
static uint32_t target_size(const struct nat_target *target, uint8_t family)
{
	const uint64_t count = addr_range_count(&target->addresses);

	if (target->addresses.family != family)
		return 0;
	return count > UINT16_MAX ? UINT16_MAX : (uint32_t)count;
}

static uint32_t targets_size(const struct nat_rule *rule, uint8_t family)
{
	uint32_t size = 0;

	for (unsigned n = 0; n < rule->target_count; n++)
		size += target_size(&rule->target[n], family);
	return size;
}

/* The n-th address of all targets of a family. */
static const struct nat_target *target_at(
	const struct nat_rule *rule, uint8_t family, uint32_t n, union addr *address)
{
	const struct nat_target *target = rule->target;

	for (; n >= target_size(target, family); target++)
		n -= target_size(target, family);
	*address = addr_range_at(&target->addresses, n);
	return target;
}

static void port_bind(
	const struct nat_rule *rule, const struct nat_target *target, struct flow *draft)
{
	const struct port_range *range = &target->ports.range[0];
	uint16_t port = range->first;

	if (target->ports.count == 0)
		return;
	if (range->first != range->last) /* as many as in the match: config/nat.c */
		port = (uint16_t)(port + ntohs(draft->port[ORIGINAL][DESTINATION]) -
				  rule->match.to_ports.range[0].first);
	draft->port[REPLY][SOURCE] = htons(port);
}

/* In turn, those that are not there passed over. */
static bool target_bind(const struct engine *engine, uint16_t index, struct flow *draft,
	struct nat_destination *destination)
{
	const struct nat_rule *rule = &engine->ruleset->nat_rule[index];
	const uint32_t size = targets_size(rule, draft->family);
	uint32_t turn = engine->ruleset->nat_turn[index];
	const struct nat_target *target;

	if (size == 0)
		return false;
	for (uint32_t tries = 0;; tries++, turn++) {
		target =
			target_at(rule, draft->family, turn % size, &draft->address[REPLY][SOURCE]);
		if (tries == size || tries == TARGET_TRIES ||
			destination_is_link(engine, target->network, draft->family,
				&draft->address[REPLY][SOURCE]))
			break;
	}
	destination->network = target->network;
	destination->turn = turn + 1;
	port_bind(rule, target, draft);
	return true;
}

/* To a program of the host's: the relay listens at the gateway's address. */
static bool host_bind(const struct engine *engine, const struct nat_rule *rule, struct flow *draft)
{
	const uint16_t network = topology_network_of_zone(&engine->topology, draft->zone[ORIGINAL]);

	if (network == NETWORK_NONE)
		return false;
	const union addr *gateway = topology_gateway(&engine->topology, network, draft->family);
	if (addr_is_zero(gateway))
		return false;
	draft->address[REPLY][SOURCE] = *gateway;
	port_bind(rule, &rule->target[0], draft);
	draft->flags |= FLOW_REDIRECTED;
	return true;
}

/* The host bits stay. */
static void prefix_bind(const struct prefix *to, union addr *address)
{
	for (unsigned i = 0; i < to->length / 8u; i++)
		address->bytes[i] = to->base.bytes[i];
	if (to->length % 8 != 0) {
		const uint8_t host = (uint8_t)(0xff >> to->length % 8);
		uint8_t *byte = &address->bytes[to->length / 8];
		*byte = (uint8_t)((*byte & host) | to->base.bytes[to->length / 8]);
	}
}

bool nat_prefix_translate(const struct nat_rule *rule, const struct prefix *from,
	const struct prefix *to, union addr *address)
{
	if (rule->kind == NAT_NPT)
		return npt_map(from, to, address);
	prefix_bind(to, address);
	return true;
}

/* Whether the rule is about what comes by this way at all. */
static bool rule_is_reached(const struct nat_rule *rule, bool from_uplink, bool ours)
{
	const uint32_t to = RULE_WORD(WORD_TO);

	return !from_uplink || ours || (rule->match.words & ~rule->match.negated & to);
}

/* Apply rule `index`, if it matches; `ends` where no other is asked. */
static bool rule_bind(const struct engine *engine, uint16_t index, bool ours,
	const struct filter_query *query, struct flow *draft, struct nat_destination *destination,
	bool *ends)
{
	const struct nat_rule *rule = &engine->ruleset->nat_rule[index];
	union addr *to = &draft->address[REPLY][SOURCE];
	bool bound;

	if (rule->kind == NAT_MAP || rule->kind == NAT_NPT) {
		*ends = prefix_contains(&rule->outside, draft->family, to);
		bound = *ends && nat_prefix_translate(rule, &rule->outside, &rule->inside, to);
		if (bound) {
			draft->flags |= FLOW_PREFIX;
			destination->network = rule->network;
		}
		return bound;
	}
	if ((rule->kind != NAT_DNAT && rule->kind != NAT_NO_DNAT && rule->kind != NAT_REDIRECT) ||
		!rule_is_reached(rule, draft->zone[ORIGINAL] == ZONE_UPLINK, ours) ||
		!filter_matches(&engine->ruleset->nat, index, query))
		return false;
	if (rule->kind == NAT_NO_DNAT) {
		*ends = true;
		return false;
	}
	bound = rule->target[0].addresses.family == 0
			? host_bind(engine, rule, draft)
			: target_bind(engine, index, draft, destination);
	*ends = bound;
	return bound;
}

static bool rules_bind(const struct engine *engine, const struct packet *packet, bool ours,
	struct flow *draft, struct nat_destination *destination)
{
	struct filter_query query;

	if (engine->ruleset == NULL)
		return false;
	inspect_query(engine, draft, ORIGINAL, RULE_STATE_NEW, packet, &query);
	const uint16_t count = (uint16_t)engine->ruleset->nat.count;
	for (uint16_t i = 0; i < count; i++) {
		bool ends = false;
		const bool bound = rule_bind(engine, i, ours, &query, draft, destination, &ends);
		if (!ends)
			continue;
		destination->rule = i;
		return bound;
	}
	return false;
}

/* ---- mappings ---- */

static bool lets_in(const struct engine *engine, const struct flow *flow, const struct flow *draft)
{
	const enum direction out = !mapping_guest(flow);
	const uint16_t network = mapping_network(engine, flow);

	if (network == NETWORK_NONE || (flow->flags & FLOW_FAMILIES))
		return false;
	switch (engine->topology.networks[network].filtering) {
	case FILTERING_ENDPOINT:
		return true;
	case FILTERING_ADDRESS:
		return addr_equal(&flow->address[out][SOURCE], &draft->address[ORIGINAL][SOURCE]);
	default:
		return false;
	}
}

static void mapping_bind(const struct flow *flow, struct flow *draft)
{
	const enum direction guest = mapping_guest(flow);

	draft->address[REPLY][SOURCE] = flow->address[guest][SOURCE];
	draft->port[REPLY][SOURCE] = flow->port[guest][SOURCE];
	draft->zone[REPLY] = flow->zone[guest];
}

static bool is_sender(const struct flow *flow, const struct flow *draft)
{
	const enum direction guest = mapping_guest(flow);

	return flow->zone[guest] == draft->zone[ORIGINAL] &&
	       flow->port[guest][SOURCE] == draft->port[ORIGINAL][SOURCE] &&
	       addr_equal(&flow->address[guest][SOURCE], &draft->address[ORIGINAL][SOURCE]);
}

/* To a port of ours that a guest's flows have; not the very socket that sends. */
static bool mapped(const struct engine *engine, struct flow *draft)
{
	if (draft->protocol != IPPROTO_TCP && draft->protocol != IPPROTO_UDP)
		return false;
	const struct flow *first =
		mapping_of_port(engine, draft->family, &draft->address[ORIGINAL][DESTINATION],
			draft->protocol, ntohs(draft->port[ORIGINAL][DESTINATION]));
	if (first == NULL)
		return false;
	if (draft->zone[ORIGINAL] != ZONE_UPLINK) { /* hairpin: the filter decides */
		if ((first->flags & FLOW_FAMILIES) || is_sender(first, draft))
			return false;
		mapping_bind(first, draft);
		return true;
	}
	const struct flow *flow = first;
	for (unsigned looks = 0; looks < PEER_LOOKS; looks++) {
		if (!(flow->flags & FLOW_FAMILIES) && lets_in(engine, flow, draft)) {
			mapping_bind(flow, draft);
			draft->flags |= FLOW_INBOUND | FLOW_MAPPED;
			return true;
		}
		flow = flow_at(engine, flow->sibling[0]);
		if (flow == first)
			break;
	}
	return false;
}

/* ---- all of them ---- */

/* Guests may call external addresses, unless their network says no. */
static bool may_hairpin(const struct engine *engine, const struct flow *draft)
{
	const uint16_t network = topology_network_of_zone(&engine->topology, draft->zone[ORIGINAL]);

	return !ZONE_IS_LINK(draft->zone[ORIGINAL]) || network == NETWORK_NONE ||
	       engine->topology.networks[network].hairpin;
}

bool nat_decide_destination(const struct engine *engine, const struct packet *packet,
	struct flow *draft, struct nat_destination *destination)
{
	const bool ours =
		nat_is_ours(engine, draft->family, &draft->address[ORIGINAL][DESTINATION]);

	*destination = (struct nat_destination){.rule = NAT_RULE_NONE, .network = NETWORK_NONE};
	if (ours && !may_hairpin(engine, draft))
		return false;
	if (ours && published(engine, draft, destination))
		return true;
	if (ZONE_IS_SERVICE(draft->zone[ORIGINAL]))
		return false;
	return rules_bind(engine, packet, ours, draft, destination) ||
	       (ours && mapped(engine, draft));
}

void nat_bind_destination(struct engine *engine, const struct nat_destination *destination)
{
	const uint16_t rule = destination->rule;

	if (rule == NAT_RULE_NONE)
		return;
	engine->ruleset->nat.counter[rule].packets++;
	if (engine->ruleset->nat_rule[rule].kind == NAT_DNAT ||
		engine->ruleset->nat_rule[rule].kind == NAT_REDIRECT)
		engine->ruleset->nat_turn[rule] = destination->turn;
}
