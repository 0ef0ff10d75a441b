/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat: what the first packet of a flow is translated to.  All later packets are translated by what
 * the flow remembers; these functions never see them.
 */
#ifndef TUNGATE_ENGINE_NAT_H
#define TUNGATE_ENGINE_NAT_H

#include "engine/filter.h"
#include "engine/flow.h"

/*
 * Destination: a packet to one of the host's addresses and a published port gets the guest as its
 * destination, in `draft`; true if it did.
 */
bool nat_bind_destination(const struct engine *engine, struct flow *draft);

#define NAT_RULE_NONE 0xffff

/* How a flow's source will be translated. */
struct nat_source {
	uint16_t rule;  /* of [nat] that was asked; NAT_RULE_NONE: none needed to be */
	bool translate; /* else it stays, if it can */
	union addr address;
};

/*
 * Source: where the [nat] rules say masquerade, or where a guest reaches another through a
 * published port (hairpin), the source becomes an address and a port of ours; otherwise it stays.
 * Nothing is changed but `source`.
 */
void nat_decide_source(const struct engine *engine, const struct flow *draft,
	const struct filter_query *query, const union addr *external, struct nat_source *source);

/* Do so: take a port where one is needed, so that the draft's reply key is one that no other flow
 * has.  False where there is none. */
bool nat_bind_source(struct engine *engine, struct flow *draft, const struct nat_source *source);

#endif
