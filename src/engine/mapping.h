/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapping: which external port stands for which guest's socket.
 *
 * A mapping (RFC 4787) is no record of its own: it is those flows that share a guest's endpoint
 * (zone, address, port, protocol) and an external one.  All flows that use an external port form a
 * ring through `sibling`, those of one mapping side by side; mostly that is one mapping, under
 * pressure guests whose peers differ share the port.  Two ways lead in:
 *
 *	from inside	the index by_mapping holds one flow of each mapping
 *	from outside	the port's entry (ports.h) is the first flow of the ring, which is the first
 *			of its mapping too
 *
 * The port is given back when the last flow of the ring ends.
 *
 * The guest is the originator, except in flows that were let in to the mapping from outside
 * (FLOW_INBOUND).
 */
#ifndef TUNGATE_ENGINE_MAPPING_H
#define TUNGATE_ENGINE_MAPPING_H

#include "engine/state.h"

/* The direction in which a mapped flow's guest sends. */
static inline enum direction mapping_guest(const struct flow *flow)
{
	return flow->flags & FLOW_INBOUND ? REPLY : ORIGINAL;
}

/* A flow of the mapping that the draft's guest socket has at the draft's external address; NULL if
 * it has none. */
struct flow *mapping_find(const struct engine *engine, const struct flow *draft);
/* The first flow of the ring of an external port (host order); NULL where nobody has it. */
struct flow *mapping_of_port(const struct engine *engine, uint8_t family,
	const union addr *external, uint8_t protocol, uint16_t port);
/* The network of the mapping's guest. */
uint16_t mapping_network(const struct engine *engine, const struct flow *flow);

/* How long the others of its mapping live, as far as can be told quickly. */
uint64_t mapping_left_ms(const struct engine *engine, const struct flow *flow);

/* For flow_confirm() and flow_end(), where FLOW_MAPPED is set. */
void mapping_join(struct engine *engine, struct flow *flow);
void mapping_leave(struct engine *engine, struct flow *flow);

#endif
