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
bool nat_bind_destination(struct engine *engine, struct flow *draft);

/*
 * Source: where the [nat] rules say masquerade, or where a guest reaches another through a
 * published port (hairpin), give the draft `external` as its source, and a port of ours.
 * Otherwise the source stays.  Either way the draft's reply key is one that no other flow has.
 * False where there is none.
 */
bool nat_bind_source(struct engine *engine, struct flow *draft, const struct filter_query *query,
	const union addr *external);

#endif
