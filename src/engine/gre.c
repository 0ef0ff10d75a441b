/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gre: calls of PPTP, and GRE of all other kinds.
 */
#include "engine/gre.h"

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
