/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admit: the first packet of a connection, from which everything about its flow is decided.
 */
#ifndef TUNGATE_ENGINE_ADMIT_H
#define TUNGATE_ENGINE_ADMIT_H

#include "engine/state.h"

/*
 * Decide about a packet that belongs to no flow.  Returns its new flow, or NULL with the packet
 * dropped, counted, and answered where an answer is due.  It counts as `segments` packets.
 */
struct flow *admit(struct engine *engine, struct packet *packet, uint32_t segments);

/* Refuse a packet by policy: a guest is told (reset, administratively prohibited), the uplink is
 * not. */
void admit_refuse(struct engine *engine, struct packet *packet, enum drop drop);

/* Does this source address belong where the packet came from?  Else the packet is dropped. */
bool admit_source(struct engine *engine, struct packet *packet);

#endif
