/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admit: the first packet of a connection, from which everything about its flow is decided.
 *
 * admit_decide() decides and changes nothing: no counter, no answer, no port, no flow.  admit()
 * decides and carries it out.
 */
#ifndef TUNGATE_ENGINE_ADMIT_H
#define TUNGATE_ENGINE_ADMIT_H

#include "engine/nat.h"
#include "engine/refusal.h"
#include "engine/state.h"

#define ADMIT_UNASKED 0xff /* refused before the filter was asked */

/* What was decided about a first packet, as far as the decisions went. */
struct admission {
	struct flow draft;         /* its reply key is final but for a port that is still to take */
	struct filter_query query; /* what the filter was asked; points into the draft */
	uint32_t expectation;      /* that announced it, or EXPECT_NONE */
	uint8_t chain;             /* enum chain, or ADMIT_UNASKED */
	struct filter_outcome outcome;      /* what it said, if it was asked */
	union addr external;                /* the address that the route to the uplink gives us */
	struct nat_destination destination; /* the rule that translated its destination */
	struct nat_source source;           /* how its source is translated */
	struct refusal refusal;             /* where it is refused */
};

/* Decide about a packet that belongs to no flow; false: it is refused. */
bool admit_decide(struct engine *engine, const struct packet *packet, struct admission *admission);

/*
 * Decide, and do what was decided.  Returns the packet's new flow, or NULL with the packet dropped,
 * counted, and answered where an answer is due.  It counts as `segments` packets.
 */
struct flow *admit(struct engine *engine, struct packet *packet, uint32_t segments);

/* Does this source address belong where the packet came from? */
bool admit_source(
	const struct engine *engine, const struct packet *packet, struct refusal *refusal);

#endif
