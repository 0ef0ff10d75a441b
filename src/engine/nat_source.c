/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_source: as whom a connection leaves.
 *
 * How an external port is found (port_find):
 *
 * 1. The guest's socket has a mapping: that port, whoever the peer is (endpoint-independent,
 *    RFC 4787 REQ-1), unless another flow already has the same tuple with this peer.
 *    Or a helper has announced that socket: the port that was announced.
 * 2. A free port, random (RFC 6056).
 *    A guest that has all the ports that it may have (account.h) gets another only where one of its
 *    own finished flows, or its oldest half-open one, gives way.
 * 3. Under pressure: of the TCP flows with this address the one that has been finished for
 *    longest gives way (RFC 6191 in spirit: its TIME_WAIT is cut short), until that frees a port.
 * 4. Unless the network says `mapping = endpoint-independent`: a port in use by others with other
 *    peers (RFC 7857 section 3), whose network does not say so either.  The tuples differ, so
 *    replies are told apart.  Only TCP and UDP; an ICMP identifier is never shared.  So many
 *    ports are tried, as in the kernel, and not all: else a guest that has them all with one
 *    peer could keep us busy by asking for more.
 *
 * No live flow is ever ended for a new one (RFC 6888 REQ-11).
 *
 * A guest has one address of several (RFC 4787 REQ-2, "paired"), as its own address and its link
 * tell, or with port blocks (RFC 7422) its number:
 *
 *	q = guests of the networks with blocks before it in the file + its place in its subnet
 *	k = ports / port-block            whole blocks that an address has
 *	address q / k, and of its ports, counted from 0, those from (q % k) * port-block on
 *
 * What has no block shares what lies behind the last one.
 */
#include <netinet/in.h>
#include "engine/expect.h"
#include "engine/mapping.h"
#include "engine/nat.h"

/* Finished flows that one new flow may cut short while looking for a port. */
#define EVICTIONS_MAX 8
/* Ports tried for one that can be shared: at 97 % use with this peer one of 128 will do. */
#define SHARE_TRIES 128
/* Random ports tried where only somebody else's address is at hand. */
#define FOREIGN_TRIES 128

/* A guest that calls itself from the port that it calls would be both ends of the flow. */
static bool is_both_ends(const struct flow *draft)
{
	return draft->zone[ORIGINAL] == draft->zone[REPLY] &&
	       draft->port[ORIGINAL][SOURCE] == draft->port[REPLY][SOURCE] &&
	       draft->port[ORIGINAL][DESTINATION] == draft->port[REPLY][DESTINATION] &&
	       addr_equal(&draft->address[ORIGINAL][SOURCE], &draft->address[REPLY][SOURCE]) &&
	       addr_equal(
		       &draft->address[ORIGINAL][DESTINATION], &draft->address[REPLY][DESTINATION]);
}

static bool reply_is_unique(const struct engine *engine, const struct flow *draft)
{
	enum direction direction;
	const struct flow_key key = {
		.source = draft->address[REPLY][SOURCE],
		.destination = draft->address[REPLY][DESTINATION],
		.source_port = draft->port[REPLY][SOURCE],
		.destination_port = draft->port[REPLY][DESTINATION],
		.zone = draft->zone[REPLY],
		.family = flow_family(draft, REPLY),
		.protocol = flow_protocol(draft, REPLY),
	};

	return !is_both_ends(draft) &&
	       flow_find(engine, &key, flow_hash(engine, &key), &direction) == NULL;
}

/* The network of who sends, or NULL. */
static const struct network *sender_network(const struct engine *engine, const struct flow *draft)
{
	const uint16_t network = topology_network_of_zone(&engine->topology, draft->zone[ORIGINAL]);

	return network == NETWORK_NONE ? NULL : &engine->topology.networks[network];
}

/* ---- deciding ---- */

bool nat_slice(const struct engine *engine, const struct flow *draft, const struct port_list *list,
	uint32_t count, uint32_t *n, struct ports_slice *slice)
{
	const struct network *network = sender_network(engine, draft);
	const uint32_t size = port_list_size(list), block = engine->topology.port_block;

	*slice = ports_whole(list);
	if (block == 0 || flow_family(draft, REPLY) != AF_INET)
		return true;
	const uint32_t blocks = size / block; /* of one address */
	if (network == NULL || network->port_block == 0 || draft->family != AF_INET) {
		const uint64_t before = (uint64_t)*n * blocks;
		const uint64_t all = engine->topology.blocks;
		const uint64_t here = all > before ? all - before : 0;
		slice->first = (uint32_t)(here < blocks ? here : blocks) * block;
		slice->count = size - slice->first;
		return slice->count > 0;
	}
	const uint32_t guest = network->first_block + ntohl(draft->address[ORIGINAL][SOURCE].v4) -
			       ntohl(network->subnet4.base.v4);
	if (blocks == 0 || guest / blocks >= count)
		return false;
	*n = guest / blocks;
	slice->first = guest % blocks * block;
	slice->count = block;
	return true;
}

/* One address for each guest. */
static uint32_t guest_hash(const struct engine *engine, const struct flow *draft)
{
	const union addr *guest = &draft->address[ORIGINAL][SOURCE];
	const uint64_t words[] = {draft->zone[ORIGINAL], guest->halves[0], guest->halves[1]};

	return (uint32_t)(siphash_words(&engine->hash_key, words, 3) >> 32);
}

/* Of a target's addresses, those that the `n`-th of all is one of. */
static const struct nat_target *address_at(
	const struct nat_rule *rule, uint8_t family, uint32_t n, union addr *address)
{
	const struct nat_target *target = rule->target;

	for (;; target++) {
		const uint64_t count = target->addresses.family == family
					       ? addr_range_count(&target->addresses)
					       : 0;
		if (n < count)
			break;
		n -= (uint32_t)count;
	}
	*address = addr_range_at(&target->addresses, n);
	return target;
}

/* At most NAT_ADDRESSES_MAX: config/nat_check.c */
static uint32_t address_count(const struct nat_rule *rule, uint8_t family)
{
	uint32_t count = 0;

	for (unsigned n = 0; n < rule->target_count; n++)
		if (rule->target[n].addresses.family == family)
			count += (uint32_t)addr_range_count(&rule->target[n].addresses);
	return count;
}

static const struct port_list *target_ports(
	const struct engine *engine, const struct flow *draft, const struct nat_target *target)
{
	return target != NULL && target->ports.count > 0
		       ? &target->ports
		       : topology_ports(engine, draft->zone[ORIGINAL]);
}

/* False where no address is of the flow's family. */
static bool snat_decide(const struct engine *engine, const struct nat_rule *rule,
	const struct flow *draft, struct nat_source *source)
{
	const uint8_t family = flow_family(draft, REPLY);
	const uint32_t count = address_count(rule, family);

	if (count == 0)
		return false;
	uint32_t n = guest_hash(engine, draft) % count;
	const struct nat_target *target = address_at(rule, family, n, &source->address);
	const bool good = nat_slice(
		engine, draft, target_ports(engine, draft, target), count, &n, &source->ports);
	target = address_at(rule, family, n, &source->address);
	source->ports.list = target_ports(engine, draft, target);
	source->kind = good ? SOURCE_GIVEN : SOURCE_NONE;
	return true;
}

static void host_decide(const struct engine *engine, const struct port_list *list,
	const struct flow *draft, const union addr *address, struct nat_source *source)
{
	uint32_t n = 0;

	source->kind =
		nat_slice(engine, draft, list, 1, &n, &source->ports) ? SOURCE_HOST : SOURCE_NONE;
	source->address = *address;
}

/* The guest's own address outside, by a line `map` or `npt`; false where it has none. */
static bool whole_decide(const struct engine *engine, const struct nat_rule *rule,
	const struct flow *draft, struct nat_source *source)
{
	source->address = draft->address[ORIGINAL][SOURCE];
	if (topology_network_of_zone(&engine->topology, draft->zone[ORIGINAL]) != rule->network ||
		(rule->kind != NAT_MAP && rule->kind != NAT_NPT) ||
		(draft->flags & FLOW_FAMILIES) ||
		!prefix_contains(&rule->inside, draft->family, &source->address))
		return false;
	source->kind = nat_prefix_translate(rule, &rule->inside, &rule->outside, &source->address)
			       ? SOURCE_WHOLE
			       : SOURCE_NONE;
	return true;
}

static bool rule_decide(const struct engine *engine, uint16_t index, const struct flow *draft,
	const struct filter_query *query, const union addr *external, struct nat_source *source)
{
	const struct nat_rule *rule = &engine->ruleset->nat_rule[index];

	if (rule->kind == NAT_MAP || rule->kind == NAT_NPT)
		return whole_decide(engine, rule, draft, source);
	if (rule->kind > NAT_SNAT || !filter_matches(&engine->ruleset->nat, index, query))
		return false;
	switch (rule->kind) {
	case NAT_SNAT:
		return snat_decide(engine, rule, draft, source);
	case NAT_MASQUERADE:
		host_decide(engine,
			target_ports(engine, draft, rule->target_count > 0 ? rule->target : NULL),
			draft, external, source);
		return true;
	default:
		source->kind = SOURCE_STAYS;
		return true;
	}
}

static void rules_decide(const struct engine *engine, const struct flow *draft,
	const struct filter_query *query, const union addr *external, struct nat_source *source)
{
	const uint16_t count = (uint16_t)engine->ruleset->nat.count;

	for (uint16_t i = 0; i < count; i++) {
		if (!rule_decide(engine, i, draft, query, external, source))
			continue;
		source->rule = i;
		return;
	}
	source->kind = SOURCE_STAYS;
}

/* From guest to guest by an external address: who is called shall see one as well (RFC 4787
 * REQ-9a).  And if both are behind one link the answer must come back to us. */
static void hairpin_decide(
	const struct engine *engine, const struct flow *draft, struct nat_source *source)
{
	const union addr *called = &draft->address[ORIGINAL][DESTINATION];
	const uint16_t network = topology_network_of_zone(&engine->topology, draft->zone[ORIGINAL]);
	const uint16_t count = (uint16_t)engine->ruleset->nat.count;
	uint32_t n = 0;

	if (nat_is_ours(engine, draft->family, called)) {
		for (uint16_t i = 0; i < count; i++)
			if (whole_decide(engine, &engine->ruleset->nat_rule[i], draft, source))
				return;
		source->address = *called;
	} else if (draft->zone[ORIGINAL] == draft->zone[REPLY] && network != NETWORK_NONE) {
		source->address = *topology_gateway(&engine->topology, network, draft->family);
	} else {
		return;
	}
	source->kind =
		nat_slice(engine, draft, target_ports(engine, draft, NULL), 1, &n, &source->ports)
			? SOURCE_GIVEN
			: SOURCE_NONE;
}

void nat_decide_source(const struct engine *engine, const struct flow *draft,
	const struct filter_query *query, const union addr *external, struct nat_source *source)
{
	*source = (struct nat_source){.kind = SOURCE_STAYS, .rule = NAT_RULE_NONE};
	if (draft->zone[REPLY] == ZONE_UPLINK)
		rules_decide(engine, draft, query, external, source);
	else if (ZONE_IS_LINK(draft->zone[ORIGINAL]) && ZONE_IS_LINK(draft->zone[REPLY]) &&
		 nat_changes_destination(draft))
		hairpin_decide(engine, draft, source);
	/* Between families there is no address to keep. */
	if ((draft->flags & FLOW_FAMILIES) && source->kind == SOURCE_STAYS)
		host_decide(engine, target_ports(engine, draft, NULL), draft, external, source);
}

void nat_force_source(const struct engine *engine, const struct flow *draft,
	const union addr *address, struct nat_source *source)
{
	if (source->kind != SOURCE_HOST && source->kind != SOURCE_GIVEN)
		source->ports = ports_whole(target_ports(engine, draft, NULL));
	if (source->kind != SOURCE_WHOLE || !addr_equal(&source->address, address))
		source->kind = SOURCE_GIVEN;
	source->address = *address;
}

/* ---- binding ---- */

static bool is_shareable(const struct engine *engine, struct ports_table table, uint16_t port)
{
	const uint32_t user = ports_user(&engine->ports, table, port);

	if (user == PORTS_NOBODY || user == PORTS_RESERVED)
		return false;
	const uint16_t network = mapping_network(engine, flow_at(engine, user));
	if (network == NETWORK_NONE)
		return true;
	/* A port in use is a flow's, and a flow's network is there: out of the analyzer's sight.
	 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	return engine->topology.networks[network].mapping == MAPPING_ADAPTIVE;
}

/* Step 4: some port that others use, whose tuple with this peer is free. */
static bool port_share(struct engine *engine, struct flow *draft, struct ports_table table,
	const struct ports_slice *slice)
{
	const struct network *network = sender_network(engine, draft);
	const uint32_t start = ports_random(&engine->ports, slice->count);

	if (table.protocol == PORTS_ICMP ||
		(network != NULL && network->mapping != MAPPING_ADAPTIVE))
		return false;
	for (uint32_t i = 0; i < slice->count && i < SHARE_TRIES; i++) {
		const uint32_t n = (start + i) % slice->count;
		const uint16_t port = port_list_at(slice->list, slice->first + n);
		draft->port[REPLY][DESTINATION] = htons(port);
		if (is_shareable(engine, table, port) && reply_is_unique(engine, draft))
			return true;
	}
	return false;
}

/* Does something give way for one more port of the draft's guest?  Its own, where it has all that
 * it may have. */
static bool make_way(struct engine *engine, const struct flow *draft, enum ports_protocol protocol)
{
	const bool own = !account_may_take_port(engine, draft, protocol);

	if (protocol == PORTS_TCP &&
		flow_evict_finished(
			engine, &draft->address[REPLY][DESTINATION], own ? draft : NULL))
		return true;
	return own && account_give_way(engine, draft);
}

static bool port_find(struct engine *engine, struct flow *draft, const struct ports_slice *slice)
{
	const union addr *address = &draft->address[REPLY][DESTINATION];
	struct ports_table table;

	if (!ports_open(&engine->ports, flow_family(draft, REPLY), address,
		    flow_protocol(draft, REPLY), &table))
		return false;
	const struct flow *mapping = mapping_find(engine, draft);
	draft->flags |= FLOW_MAPPED;
	if (mapping != NULL) {
		draft->port[REPLY][DESTINATION] =
			mapping->port[!mapping_guest(mapping)][DESTINATION];
		if (reply_is_unique(engine, draft))
			return true;
	}
	const be16 announced = mapping == NULL ? expect_port_of(engine, draft) : 0;
	if (announced != 0) {
		draft->port[REPLY][DESTINATION] = announced;
		if (reply_is_unique(engine, draft))
			return true;
	}
	for (unsigned tries = 0;; tries++) {
		const uint16_t port =
			account_may_take_port(engine, draft, table.protocol)
				? ports_find_free(&engine->ports, table, slice, engine->now_ms)
				: 0;
		draft->port[REPLY][DESTINATION] = htons(port);
		if (port != 0)
			return true;
		if (tries == EVICTIONS_MAX || !make_way(engine, draft, table.protocol))
			break;
	}
	return port_share(engine, draft, table, slice);
}

/* The source stays, but another flow may already use the same tuple (two published ports that
 * lead to one service): then its port alone is changed. */
static bool source_keep(struct engine *engine, struct flow *draft)
{
	if (reply_is_unique(engine, draft))
		return true;
	if (draft->protocol != IPPROTO_TCP && draft->protocol != IPPROTO_UDP)
		return false;
	for (unsigned tries = 0; tries < FOREIGN_TRIES; tries++) {
		const uint16_t port = (uint16_t)(1024 + ports_random(&engine->ports, 65536 - 1024));
		draft->port[REPLY][DESTINATION] = htons(port);
		if (reply_is_unique(engine, draft))
			return true;
	}
	return false;
}

bool nat_bind_source(struct engine *engine, struct flow *draft, const struct nat_source *source)
{
	const uint8_t family = flow_family(draft, REPLY);

	if (source->rule != NAT_RULE_NONE)
		engine->ruleset->nat.counter[source->rule].packets++;
	switch ((enum nat_source_kind)source->kind) {
	case SOURCE_STAYS:
		return source_keep(engine, draft);
	case SOURCE_NONE:
		return false;
	case SOURCE_WHOLE:
		draft->flags |= FLOW_PREFIX;
		draft->address[REPLY][DESTINATION] = source->address;
		return reply_is_unique(engine, draft);
	case SOURCE_HOST:
		if (topology_external(&engine->topology, family, &source->address) < 0)
			return false;
		break;
	case SOURCE_GIVEN:
		break;
	}
	draft->address[REPLY][DESTINATION] = source->address;
	if (ports_protocol(family, flow_protocol(draft, REPLY)) < 0)
		return reply_is_unique(engine, draft);
	return port_find(engine, draft, &source->ports);
}
