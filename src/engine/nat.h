/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat: what the first packet of a flow is translated to.  All later packets are translated by what
 * the flow remembers; these functions never see them.
 *
 * Deciding changes nothing but the draft; binding takes what was decided on.
 */
#ifndef TUNGATE_ENGINE_NAT_H
#define TUNGATE_ENGINE_NAT_H

#include "engine/filter.h"
#include "engine/flow.h"
#include "engine/ports.h"

#define NAT_RULE_NONE 0xffff

/* How a flow's destination is translated. */
struct nat_destination {
	uint16_t rule;    /* of [nat] that decided; NAT_RULE_NONE: none did */
	uint16_t network; /* that the new destination is on; NETWORK_NONE: its address tells */
	uint32_t turn;    /* where that rule's next flow begins to look for a target */
};

/* How a flow's source will be translated. */
enum nat_source_kind {
	SOURCE_STAYS, /* if it can */
	SOURCE_HOST,  /* an address of the host's, and a port of ours */
	SOURCE_GIVEN, /* an address that a rule names, and a port of ours */
	SOURCE_WHOLE, /* an address that is this guest's alone, and no port changes */
	SOURCE_NONE,  /* it must be translated and cannot be */
};
struct nat_source {
	uint8_t kind;  /* enum nat_source_kind */
	uint16_t rule; /* as above */
	union addr address;
	struct ports_slice ports;
};

/* Is the address one of the host's, or the gateway's by a line of [nat]? */
bool nat_is_ours(const struct engine *engine, uint8_t family, const union addr *address);
/* Is it the gateway's by a line of [nat]? */
bool nat_owns(const struct engine *engine, uint8_t family, const union addr *address);

/*
 * Destination: a published port, a rule of [nat], or a mapping that lets the sender in gives the
 * draft another destination (and zone[REPLY], where that is part of it).  True if one did.
 */
bool nat_decide_destination(const struct engine *engine, const struct packet *packet,
	struct flow *draft, struct nat_destination *destination);
/* Count it. */
void nat_bind_destination(struct engine *engine, const struct nat_destination *destination);
/* Did the destination change? */
bool nat_changes_destination(const struct flow *draft);

/* The address that one of a line `map` or `npt` has on its other side. */
bool nat_prefix_translate(const struct nat_rule *rule, const struct prefix *from,
	const struct prefix *to, union addr *address);

/* Source: what the rules of [nat] say about what leaves, and hairpins, whose source is seen as
 * outside.  `query` is the filter's, `external` the address that the route gives us. */
void nat_decide_source(const struct engine *engine, const struct flow *draft,
	const struct filter_query *query, const union addr *external, struct nat_source *source);
/* Whatever was decided, the source becomes this address: a helper has announced it. */
void nat_force_source(const struct engine *engine, const struct flow *draft,
	const union addr *address, struct nat_source *source);
/* Do so: find a port where one is needed, so that the draft's reply key is one that no other flow
 * has.  False where there is none.  The port is taken by flow_confirm(). */
bool nat_bind_source(struct engine *engine, struct flow *draft, const struct nat_source *source);

/* The part of the ports that a guest may have at the `n`-th of `count` addresses, and which of the
 * addresses is its own: *n is what its hash says and may be changed (port blocks, RFC 7422).  False
 * where it has no block. */
bool nat_slice(const struct engine *engine, const struct flow *draft, const struct port_list *list,
	uint32_t count, uint32_t *n, struct ports_slice *slice);

#endif
