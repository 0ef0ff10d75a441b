/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * egress: the last steps of a packet that may pass: hop limit, size, translation, counters.
 */
#ifndef TUNGATE_ENGINE_EGRESS_H
#define TUNGATE_ENGINE_EGRESS_H

#include "engine/refusal.h"
#include "engine/state.h"

/* Bytes that one of a flow's zones carries in one packet; 0: no limit known. */
uint32_t egress_mtu(const struct engine *engine, const struct flow *flow, zone_id zone);
/* Will the hop limit outlast us?  Else the packet is refused, and its sender told. */
bool egress_ttl(const struct packet *packet, const struct flow *flow, enum direction direction,
	struct refusal *refusal);
/* ... and does it fit where it goes, segment by segment?  A draft will do for a flow: what may not
 * leave begins none. */
bool egress_may_leave(const struct engine *engine, const struct packet *packet,
	const struct flow *flow, enum direction direction, struct refusal *refusal);
/* Lower the MSS of a SYN to what both sides' MTUs carry. */
void egress_clamp_mss(struct engine *engine, struct packet *packet, const struct flow *flow);
/* Decrement the hop limit, count, and say where it leaves.  The packet is translated by then. */
enum verdict egress_send(struct engine *engine, struct packet *packet, const struct flow *flow,
	enum direction direction, uint32_t segments);

/* Count a packet in where it came from. */
void egress_count_in(struct engine *engine, const struct packet *packet, uint32_t segments);

#endif
