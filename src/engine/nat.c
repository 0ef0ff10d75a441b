/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat: binding of destinations and sources.
 *
 * How an external port is found (the steps of nat_masquerade):
 *
 * 1. The guest's socket has a mapping: that port, whoever the peer is (endpoint-independent,
 *    RFC 4787 REQ-1), unless another flow already has the same tuple with this peer.
 *    Or a helper has announced that socket: the port that was announced.
 * 2. A free port, random (RFC 6056).
 * 3. Under pressure: of the TCP flows with this address the one that has been finished for
 *    longest gives way (RFC 6191 in spirit: its TIME_WAIT is cut short), until that frees a port.
 * 4. A port in use by others with other peers (RFC 7857 section 3): the tuples differ, so
 *    replies are told apart.  Only TCP and UDP; an ICMP identifier is never shared.  So many
 *    ports are tried, as in the kernel, and not all: else a guest that has them all with one
 *    peer could keep us busy by asking for more.
 *
 * No live flow is ever ended for a new one (RFC 6888 REQ-11).
 */
#include <netinet/in.h>
#include "engine/mapping.h"
#include "engine/nat.h"

/* Finished flows that one new flow may cut short while looking for a port. */
#define EVICTIONS_MAX 8
/* Ports tried for one that can be shared: at 97 % use with this peer one of 128 will do. */
#define SHARE_TRIES 128
/* Random ports tried where only somebody else's address is at hand. */
#define FOREIGN_TRIES 128

bool nat_bind_destination(const struct engine *engine, struct flow *draft)
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
	return true;
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
		.family = draft->family,
		.protocol = draft->protocol,
	};

	return flow_find(engine, &key, flow_hash(engine, &key), &direction) == NULL;
}

/* Step 4: some port that others use, whose tuple with this peer is free. */
static bool port_share(struct engine *engine, struct flow *draft, const struct ports_slice *slice)
{
	const uint32_t start = ports_random(&engine->ports, slice->count);

	for (uint32_t i = 0; i < slice->count && i < SHARE_TRIES; i++) {
		const uint32_t n = (start + i) % slice->count;
		draft->port[REPLY][DESTINATION] =
			htons(port_list_at(slice->list, slice->first + n));
		if (reply_is_unique(engine, draft))
			return true;
	}
	return false;
}

static bool nat_masquerade(struct engine *engine, struct flow *draft, const union addr *address)
{
	const uint8_t family = flow_family(draft, REPLY);
	const struct ports_slice slice = ports_whole(&engine->external_ports);
	struct ports_table table;

	if (topology_external(&engine->topology, family, address) < 0)
		return false;
	draft->address[REPLY][DESTINATION] = *address;
	if (ports_protocol(family, draft->protocol) < 0)
		return reply_is_unique(engine, draft);
	if (!ports_open(&engine->ports, family, address, draft->protocol, &table))
		return false;
	const struct flow *mapping = mapping_find(engine, draft);
	draft->flags |= FLOW_MAPPED;
	if (mapping != NULL) {
		draft->port[REPLY][DESTINATION] = mapping->port[REPLY][DESTINATION];
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
			ports_find_free(&engine->ports, table, &slice, engine->now_ms);
		draft->port[REPLY][DESTINATION] = htons(port);
		if (port != 0)
			return true;
		if (table.protocol != PORTS_TCP || tries == EVICTIONS_MAX ||
			!flow_evict_finished(engine, address))
			break;
	}
	return table.protocol != PORTS_ICMP && port_share(engine, draft, &slice);
}

/* The source stays, but another flow may already use the same tuple (two published ports that
 * lead to one service): then its port alone is changed. */
static bool nat_keep_source(struct engine *engine, struct flow *draft)
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

static bool is_hairpin(const struct flow *draft)
{
	const bool translated =
		!addr_equal(&draft->address[ORIGINAL][DESTINATION], &draft->address[REPLY][SOURCE]);

	return (draft->flags & FLOW_FORWARDED || (draft->flags & FLOW_EXPECTED && translated)) &&
	       ZONE_IS_LINK(draft->zone[ORIGINAL]) && ZONE_IS_LINK(draft->zone[REPLY]);
}

void nat_decide_source(const struct engine *engine, const struct flow *draft,
	const struct filter_query *query, const union addr *external, struct nat_source *source)
{
	const struct chain_rules *nat = &engine->ruleset->nat;

	*source = (struct nat_source){.rule = NAT_RULE_NONE};
	if (is_hairpin(draft)) {
		source->translate = true;
		source->address = draft->address[ORIGINAL][DESTINATION];
	} else if (draft->zone[REPLY] == ZONE_UPLINK) {
		source->rule = filter_run(nat, query);
		source->translate = filter_action(nat, source->rule) == RULE_ACCEPT;
		source->address = *external;
	}
}

bool nat_bind_source(struct engine *engine, struct flow *draft, const struct nat_source *source)
{
	if (source->rule != NAT_RULE_NONE)
		engine->ruleset->nat.counter[source->rule].packets++;
	return source->translate ? nat_masquerade(engine, draft, &source->address)
				 : nat_keep_source(engine, draft);
}
