/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expect_known: what a flow has announced, looked up and changed.
 */
#include <arpa/inet.h>
#include "engine/expect.h"
#include "engine/extra.h"
#include "engine/state.h"

static const struct expectation *record_at(const struct engine *engine, uint32_t id)
{
	return &engine->expectations.records[id];
}

static uint32_t first_of(const struct engine *engine, const struct flow *flow)
{
	const struct extra *extra = extra_of(engine, flow);

	return extra != NULL ? list_first(&extra->expectations) : WHEEL_NONE;
}

static uint32_t next_of(const struct engine *engine, uint32_t id)
{
	return record_at(engine, id)->kin.next;
}

static bool is_listener(
	const struct expectation *expectation, const struct flow *flow, enum direction direction)
{
	return expectation->listener_zone == flow->zone[direction] &&
	       addr_equal(&expectation->listener, &flow->address[direction][SOURCE]);
}

uint32_t expect_find_own(const struct engine *engine, const struct flow *flow,
	enum direction direction, uint8_t protocol, uint16_t port)
{
	for (uint32_t id = first_of(engine, flow); id != WHEEL_NONE; id = next_of(engine, id)) {
		const struct expectation *expectation = record_at(engine, id);
		if (expectation->protocol == protocol &&
			ntohs(expectation->listener_port) == port &&
			is_listener(expectation, flow, direction))
			return id;
	}
	return EXPECT_NONE;
}

uint32_t expect_find_shown(const struct engine *engine, const struct flow *flow,
	enum direction direction, uint8_t protocol, uint16_t port)
{
	for (uint32_t id = first_of(engine, flow); id != WHEEL_NONE; id = next_of(engine, id)) {
		const struct expectation *expectation = record_at(engine, id);
		if (expectation->protocol == protocol && ntohs(expectation->port) == port &&
			is_listener(expectation, flow, direction))
			return id;
	}
	return EXPECT_NONE;
}

void expect_prolong(struct engine *engine, struct flow *flow, uint8_t class, uint16_t life_s)
{
	for (uint32_t id = first_of(engine, flow), next; id != WHEEL_NONE; id = next) {
		next = next_of(engine, id);
		if (record_at(engine, id)->class != class)
			continue;
		if (life_s > 0)
			expect_renew(engine, id, life_s);
		else
			expect_end(engine, id);
	}
}

/* Whoever is expected at an external address and port of ours; NULL where nobody is. */
static const struct expectation *find_listener(
	const struct engine *engine, uint8_t family, const union addr *address, uint16_t port)
{
	for (uint32_t id = 0; id < engine->expectations.max; id++) {
		const struct expectation *expectation = record_at(engine, id);
		if (expectation->live && expectation->family == family &&
			ntohs(expectation->port) == port &&
			addr_equal(&expectation->destination, address))
			return expectation;
	}
	return NULL;
}

/* Where packets from an announced address would come in, and from which address then. */
static zone_id locate(const struct engine *engine, const struct flow *flow, uint8_t family,
	union addr *address, uint16_t port)
{
	const struct topology *topology = &engine->topology;

	if (topology_external(topology, family, address) >= 0) {
		const struct expectation *other = find_listener(engine, family, address, port);
		if (other == NULL)
			return ZONE_NONE;
		*address = other->listener;
		return other->listener_zone;
	}
	const uint16_t own = topology_network_of_zone(topology, flow->zone[ORIGINAL]);
	const uint16_t network = topology_network_of(topology, own, family, address);
	if (network == NETWORK_NONE)
		return ZONE_UPLINK;
	/* Who is outside cannot name one guest to another. */
	if (flow->zone[ORIGINAL] == ZONE_UPLINK || flow->zone[REPLY] == ZONE_UPLINK)
		return ZONE_NONE;
	return topology_locate(topology, network, family, address);
}

void expect_admit(struct engine *engine, struct flow *flow, uint8_t class,
	const union addr *address, uint16_t port)
{
	for (uint32_t id = first_of(engine, flow); id != WHEEL_NONE; id = next_of(engine, id)) {
		const struct expectation *expectation = record_at(engine, id);
		union addr source = *address;

		if (expectation->class != class || !ZONE_IS_LINK(expectation->listener_zone))
			continue;
		const zone_id zone = locate(engine, flow, expectation->family, &source, port);
		if (zone != ZONE_NONE && zone != expectation->listener_zone)
			expect_move(engine, id, &source, zone);
	}
}
