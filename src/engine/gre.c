/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gre: calls of PPTP, and GRE of all other kinds.
 */
#include "engine/gre.h"

/* Call ids tried: a peer has few calls. */
#define CALL_TRIES 16

void gre_forget_call(const struct engine *engine, struct packet *packet)
{
	struct headers *headers = &packet->headers;
	struct flow_key key;

	if (headers->kind == L4_GRE_CALL)
		headers->kind = L4_OTHER;
	headers->source_port = headers->destination_port = 0;
	flow_key_of_packet(packet, &key);
	packet->hash = flow_hash(engine, &key);
}

static bool call_is_free(const struct engine *engine, const struct expectation *expectation)
{
	enum direction direction;
	const struct flow_key key = {
		.source = expectation->source,
		.destination = expectation->destination,
		.source_port = PACKET_CALL_PORT,
		.destination_port = expectation->port,
		.zone = expectation->zone,
		.family = expectation->family,
		.protocol = IPPROTO_GRE,
	};

	return !expect_awaits(engine, &key) &&
	       flow_find(engine, &key, flow_hash(engine, &key), &direction) == NULL;
}

bool gre_call_take(struct engine *engine, struct expectation *expectation)
{
	for (unsigned tries = 0; tries < CALL_TRIES; tries++) {
		if (call_is_free(engine, expectation))
			return true;
		expectation->port = htons((uint16_t)ports_random(&engine->ports, 65536));
	}
	return false;
}
