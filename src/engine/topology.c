/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * topology: networks, links, external addresses and published ports.
 *
 * A guest's address leads to its link through a small hash table that is simply rebuilt when a
 * link comes or goes: that is rare, and a rebuilt table has no deletions to get wrong.
 */
#include <errno.h>
#include "engine/domains.h"
#include "engine/state.h"

static bool address_in(const struct prefix *prefix, uint8_t family, const union addr *address)
{
	return prefix->family != 0 && prefix_contains(prefix, family, address);
}

static bool network_has(const struct network *network, uint8_t family, const union addr *address)
{
	return address_in(
		family == AF_INET ? &network->subnet4 : &network->subnet6, family, address);
}

uint16_t topology_network_of(const struct topology *topology, uint16_t preferred, uint8_t family,
	const union addr *address)
{
	if (preferred < topology->network_count &&
		network_has(&topology->networks[preferred], family, address))
		return preferred;
	for (uint16_t i = 0; i < topology->network_count; i++)
		if (network_has(&topology->networks[i], family, address))
			return i;
	return NETWORK_NONE;
}

uint16_t topology_network_of_zone(const struct topology *topology, zone_id zone)
{
	if (ZONE_IS_SERVICE(zone))
		return zone & 0x7fff;
	if (zone >= ENGINE_LINKS_MAX || !topology->links[zone].present)
		return NETWORK_NONE;
	return topology->links[zone].link.network;
}

const union addr *topology_gateway(
	const struct topology *topology, uint16_t network, uint8_t family)
{
	const struct network *n = &topology->networks[network];

	return family == AF_INET ? &n->gateway4 : &n->gateway6;
}

const struct prefix *topology_nat64(const struct topology *topology, uint16_t network)
{
	if (network >= topology->network_count || topology->networks[network].nat64.family == 0)
		return NULL;
	return &topology->networks[network].nat64;
}

const struct port_list *topology_ports(const struct engine *engine, zone_id zone)
{
	const uint16_t network = topology_network_of_zone(&engine->topology, zone);

	return network < engine->topology.network_count ? &engine->topology.networks[network].ports
							: &engine->external_ports;
}

/* ---- guests ---- */

static bool link_has_learnt(
	const struct link_record *record, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < record->learnt_count; i++)
		if (record->learnt[i].family == family &&
			addr_equal(&record->learnt[i].address, address))
			return true;
	return false;
}

static bool link_has(const struct link_record *record, uint8_t family, const union addr *address)
{
	const struct engine_link *link = &record->link;

	return addr_equal(family == AF_INET ? &link->address4 : &link->address6, address) ||
	       link_has_learnt(record, family, address);
}

static uint32_t guest_slot(uint16_t network, const union addr *address)
{
	const uint64_t mixed =
		(address->halves[0] ^ address->halves[1] ^ network) * 0x9e3779b97f4a7c15;

	return (uint32_t)(mixed >> 40) % GUEST_SLOTS;
}

static zone_id guest_find(const struct topology *topology, uint16_t network, uint8_t family,
	const union addr *address)
{
	for (uint32_t i = guest_slot(network, address); topology->guests[i] != 0;
		i = (i + 1) % GUEST_SLOTS) {
		const zone_id zone = (uint16_t)(topology->guests[i] - 1);
		const struct link_record *record = &topology->links[zone];
		if (record->link.network == network && link_has(record, family, address))
			return zone;
	}
	return ZONE_NONE;
}

static void guest_insert(struct topology *topology, zone_id zone, const union addr *address)
{
	uint32_t i = guest_slot(topology->links[zone].link.network, address);

	if (addr_is_zero(address))
		return;
	while (topology->guests[i] != 0)
		i = (i + 1) % GUEST_SLOTS;
	topology->guests[i] = (uint16_t)(zone + 1);
}

static void guests_rebuild(struct topology *topology)
{
	for (uint32_t i = 0; i < GUEST_SLOTS; i++)
		topology->guests[i] = 0;
	for (unsigned n = 0; n < topology->network_count; n++)
		topology->networks[n].whole_subnet = ZONE_NONE;
	for (zone_id z = 0; z < ENGINE_LINKS_MAX; z++) {
		const struct link_record *record = &topology->links[z];
		if (!record->present || record->link.network >= topology->network_count)
			continue;
		if (record->link.whole_subnet)
			topology->networks[record->link.network].whole_subnet = z;
		guest_insert(topology, z, &record->link.address4);
		guest_insert(topology, z, &record->link.address6);
		for (unsigned i = 0; i < record->learnt_count; i++)
			guest_insert(topology, z, &record->learnt[i].address);
	}
}

zone_id topology_locate(const struct topology *topology, uint16_t network, uint8_t family,
	const union addr *address)
{
	if (addr_equal(address, topology_gateway(topology, network, family)))
		return ZONE_SERVICE(network);
	const zone_id zone = guest_find(topology, network, family, address);
	return zone != ZONE_NONE ? zone : topology->networks[network].whole_subnet;
}

bool topology_source_is_own(
	const struct topology *topology, zone_id zone, uint8_t family, const union addr *address)
{
	if (zone >= ENGINE_LINKS_MAX || !topology->links[zone].present)
		return false;
	const struct link_record *record = &topology->links[zone];
	const struct engine_link *link = &record->link;
	if (!link->whole_subnet)
		return !addr_is_zero(address) && link_has(record, family, address);
	/* Anybody of the subnet may be behind it, except who has a place elsewhere. */
	return network_has(&topology->networks[link->network], family, address) &&
	       topology_locate(topology, link->network, family, address) == zone;
}

bool topology_is_broadcast(const struct topology *topology, uint16_t preferred, uint8_t family,
	const union addr *address)
{
	if (family != AF_INET)
		return false;
	if (address->v4 == 0xffffffff)
		return true;
	const uint16_t n = topology_network_of(topology, preferred, family, address);
	if (n == NETWORK_NONE)
		return false;
	const struct prefix *subnet = &topology->networks[n].subnet4;
	if (subnet->length >= 31) /* RFC 3021 */
		return false;
	const uint64_t hosts = (uint64_t)1 << (32 - subnet->length);
	const union addr last = prefix_address(subnet, hosts - 1);
	return addr_equal(address, &subnet->base) || addr_equal(address, &last);
}

/* ---- the engine's interface ---- */

/* RFC 7422: each address of the networks with port blocks has a number. */
static void blocks_count(struct topology *topology)
{
	topology->port_block = topology->blocks = 0;
	for (unsigned i = 0; i < topology->network_count; i++) {
		struct network *network = &topology->networks[i];
		if (network->port_block == 0 || network->subnet4.family == 0)
			continue;
		network->first_block = topology->blocks;
		topology->port_block = network->port_block;
		topology->blocks += UINT32_C(1) << (32 - network->subnet4.length);
	}
}

void engine_networks_set(
	struct engine *engine, const struct network_config *networks, unsigned count)
{
	struct topology *topology = &engine->topology;
	struct port_list shared = engine->external_ports;

	for (unsigned i = 0; i < count; i++)
		port_list_subtract(&shared, &networks[i].ports);
	topology->network_count = count < CONFIG_NETWORKS_MAX ? count : CONFIG_NETWORKS_MAX;
	topology->has_nat64 = false;
	for (unsigned i = 0; i < topology->network_count; i++) {
		topology->networks[i] = (struct network){
			.subnet4 = networks[i].subnet4,
			.subnet6 = networks[i].subnet6,
			.gateway4 = networks[i].gateway4,
			.gateway6 = networks[i].gateway6,
			.mtu = networks[i].mtu,
			.ports = networks[i].ports.count > 0 ? networks[i].ports : shared,
			.has_ports = networks[i].ports.count > 0,
			.owned = networks[i].owner[0] != '\0' || networks[i].owner_group[0] != '\0',
			.limits = networks[i].limits,
			.filtering = networks[i].filtering,
			.mapping = networks[i].mapping,
			.hairpin = networks[i].hairpin,
			.port_block = networks[i].port_block,
			.clones = networks[i].clones,
			.nat64 = networks[i].nat64,
			.guest = networks[i].guest,
			.whole_subnet = ZONE_NONE,
		};
		topology->has_nat64 |= networks[i].nat64.family != 0;
	}
	blocks_count(topology);
	guests_rebuild(topology);
	accounts_limits_set(engine);
	engine->generation++;
}

static bool address_is_taken(const struct topology *topology, zone_id id, uint16_t network,
	uint8_t family, const union addr *address)
{
	if (addr_is_zero(address) || topology->networks[network].clones)
		return false;
	const zone_id owner = guest_find(topology, network, family, address);
	return owner != ZONE_NONE && owner != id;
}

static bool flow_is_on_link(const struct flow *flow, const void *argument)
{
	const zone_id id = *(const zone_id *)argument;

	return flow->zone[ORIGINAL] == id || flow->zone[REPLY] == id;
}

static bool link_is_elsewhere(const struct engine_link *a, const struct engine_link *b)
{
	return a->network != b->network || a->whole_subnet != b->whole_subnet ||
	       !addr_equal(&a->address4, &b->address4) || !addr_equal(&a->address6, &b->address6);
}

int engine_link_set(struct engine *engine, zone_id id, const struct engine_link *link)
{
	struct topology *topology = &engine->topology;

	if (id >= ENGINE_LINKS_MAX || link->network >= topology->network_count)
		return -EINVAL;
	if (address_is_taken(topology, id, link->network, AF_INET, &link->address4) ||
		address_is_taken(topology, id, link->network, AF_INET6, &link->address6))
		return -EEXIST;
	if (topology->links[id].present && link_is_elsewhere(&topology->links[id].link, link)) {
		flow_end_all(engine, flow_is_on_link, &id);
		account_forget_link(engine, id);
		domains_forget(engine->domains, id);
	}
	topology->links[id] = (struct link_record){.present = true, .link = *link};
	guests_rebuild(topology);
	return 0;
}

int engine_link_address_add(
	struct engine *engine, zone_id id, uint8_t family, const union addr *address)
{
	struct topology *topology = &engine->topology;

	if (id >= ENGINE_LINKS_MAX || !topology->links[id].present || addr_is_zero(address))
		return -EINVAL;
	struct link_record *record = &topology->links[id];
	const uint16_t network = record->link.network;
	if (!network_has(&topology->networks[network], family, address) ||
		addr_equal(address, topology_gateway(topology, network, family)))
		return -EINVAL;
	if (link_has(record, family, address))
		return 0;
	if (address_is_taken(topology, id, network, family, address))
		return -EEXIST;
	if (record->learnt_count == ENGINE_LINK_ADDRESSES_MAX)
		return -ENOSPC;
	record->learnt[record->learnt_count++] = (struct learnt_address){family, *address};
	guest_insert(topology, id, address);
	return 0;
}

struct address_of_link {
	zone_id zone;
	struct learnt_address learnt;
};

static bool flow_is_of_address(const struct flow *flow, const void *argument)
{
	const struct address_of_link *gone = argument;

	for (enum direction d = ORIGINAL; d <= REPLY; d++)
		if (flow->zone[d] == gone->zone && flow_family(flow, d) == gone->learnt.family &&
			addr_equal(&flow->address[d][SOURCE], &gone->learnt.address))
			return true;
	return false;
}

void engine_link_address_del(
	struct engine *engine, zone_id id, uint8_t family, const union addr *address)
{
	struct topology *topology = &engine->topology;
	const struct address_of_link gone = {id, {family, *address}};

	if (id >= ENGINE_LINKS_MAX || !topology->links[id].present)
		return;
	struct link_record *record = &topology->links[id];
	for (unsigned i = 0; i < record->learnt_count; i++) {
		if (record->learnt[i].family != family ||
			!addr_equal(&record->learnt[i].address, address))
			continue;
		flow_end_all(engine, flow_is_of_address, &gone);
		record->learnt[i] = record->learnt[--record->learnt_count];
		guests_rebuild(topology);
		return;
	}
}

zone_id engine_locate(
	const struct engine *engine, uint16_t network, uint8_t family, const union addr *address)
{
	return network < engine->topology.network_count
		       ? topology_locate(&engine->topology, network, family, address)
		       : ZONE_NONE;
}

void engine_link_remove(struct engine *engine, zone_id id)
{
	if (id >= ENGINE_LINKS_MAX || !engine->topology.links[id].present)
		return;
	flow_end_all(engine, flow_is_on_link, &id);
	account_forget_link(engine, id);
	domains_forget(engine->domains, id);
	engine->topology.links[id].present = false;
	engine->status.link[id].in = engine->status.link[id].out = (struct counter){0};
	guests_rebuild(&engine->topology);
}

int topology_external(const struct topology *topology, uint8_t family, const union addr *address)
{
	for (int i = 0; i < ENGINE_EXTERNALS_MAX; i++) {
		const struct external *external = &topology->externals[i];
		if (external->family == family && addr_equal(&external->address, address))
			return i;
	}
	return -1;
}

int engine_external_add(struct engine *engine, uint8_t family, const union addr *address)
{
	if (topology_external(&engine->topology, family, address) >= 0)
		return 0;
	for (int i = 0; i < ENGINE_EXTERNALS_MAX; i++) {
		struct external *external = &engine->topology.externals[i];
		if (external->family != 0)
			continue;
		*external = (struct external){.family = family, .address = *address};
		return 0;
	}
	return -ENOSPC;
}

static bool flow_uses_external(const struct flow *flow, const void *argument)
{
	const struct external *external = argument;

	for (enum direction d = ORIGINAL; d <= REPLY; d++)
		if (flow->zone[d] == ZONE_UPLINK && flow_family(flow, d) == external->family &&
			addr_equal(&flow->address[d][DESTINATION], &external->address))
			return true;
	/* Hairpin: guests on both sides, our address in the middle. */
	return flow_family(flow, REPLY) == external->family &&
	       addr_equal(&flow->address[REPLY][DESTINATION], &external->address);
}

unsigned engine_external_del(struct engine *engine, uint8_t family, const union addr *address)
{
	const int i = topology_external(&engine->topology, family, address);

	if (i < 0)
		return 0;
	const struct external gone = engine->topology.externals[i];
	const unsigned ended = flow_end_all(engine, flow_uses_external, &gone);
	engine->topology.externals[i].family = 0;
	return ended;
}

/* ---- published ports ---- */

static bool host_matches(const struct forward *forward, uint8_t family, const union addr *address)
{
	return forward->guest_family == family &&
	       (forward->host_family == 0 ||
		       (forward->host_family == family && addr_equal(&forward->host, address)));
}

const struct forward *topology_forward(const struct topology *topology, uint8_t protocol,
	uint8_t family, const union addr *address, uint16_t port)
{
	for (unsigned i = 0; i < topology->forward_count; i++) {
		const struct forward *forward = &topology->forwards[i];
		if (forward->protocol == protocol && port >= forward->ports.first &&
			port <= forward->ports.last && host_matches(forward, family, address))
			return forward;
	}
	return NULL;
}

static bool forwards_equal(const struct forward *a, const struct forward *b)
{
	return a->protocol == b->protocol && a->ports.first == b->ports.first &&
	       a->ports.last == b->ports.last && a->host_family == b->host_family &&
	       addr_equal(&a->host, &b->host) &&
	       (b->guest_family == 0 || a->guest_family == b->guest_family);
}

int engine_forward_add(struct engine *engine, const struct forward *forward)
{
	struct topology *topology = &engine->topology;

	/* A mapping and a published port must never be the same port to a peer. */
	if (port_list_overlaps(&engine->external_ports, forward->ports))
		return -EINVAL;
	for (unsigned i = 0; i < topology->forward_count; i++)
		if (config_forwards_overlap(&topology->forwards[i], forward))
			return -EEXIST;
	if (topology->forward_count == ENGINE_FORWARDS_MAX)
		return -ENOSPC;
	topology->forwards[topology->forward_count++] = *forward;
	return 0;
}

static bool flow_is_through_forward(const struct flow *flow, const void *argument)
{
	const struct forward *forward = argument;
	const uint16_t port = __builtin_bswap16(flow->port[ORIGINAL][DESTINATION]);

	return (flow->flags & FLOW_FORWARDED) && flow->protocol == forward->protocol &&
	       port >= forward->ports.first && port <= forward->ports.last &&
	       host_matches(forward, flow->family, &flow->address[ORIGINAL][DESTINATION]);
}

int engine_forward_del(struct engine *engine, const struct forward *forward)
{
	struct topology *topology = &engine->topology;

	for (unsigned i = 0; i < topology->forward_count; i++) {
		if (!forwards_equal(&topology->forwards[i], forward))
			continue;
		const struct forward gone = topology->forwards[i];
		topology->forwards[i] = topology->forwards[--topology->forward_count];
		flow_end_all(engine, flow_is_through_forward, &gone);
		return 0;
	}
	return -ENOENT;
}
