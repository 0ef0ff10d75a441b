/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gre: calls of PPTP, and GRE of all other kinds.
 *
 * Plain GRE is tracked per address pair, as every protocol without ports is.  A packet of a PPTP
 * call (RFC 2637) shows the call id that its receiver has chosen, and nothing of its sender's; so
 * the two directions of a call cannot be told to be one by looking at them.  They are two flows,
 *one per direction, and nothing ever comes back on either:
 *
 *	ORIGINAL               REPLY
 *	guest:* > server:7     server:7 > host:*     what the guest sends in the server's call 7
 *	server:* > host:$a     guest:3 > server:*    what the server sends in the guest's call 3
 *
 * with PACKET_CALL_PORT for the stars.  The guest's call id becomes another outside, as its port
 * would: so two guests that count their calls in the same way reach one server.  The reverse keys
 * are no packet's, but those of ICMP errors about the call.
 *
 * Both flows are expected, by the helper that reads the control connection.  Where nobody expects
 * them, because there is no helper for it, a call's packets are plain GRE: one guest can still use
 * one server at a time.
 */
#ifndef TUNGATE_ENGINE_GRE_H
#define TUNGATE_ENGINE_GRE_H

#include "engine/expect.h"
#include "engine/state.h"

/* Is the packet, or the one that a fragment belongs to, one of a call? */
static inline bool gre_is_call(const struct headers *headers)
{
	return headers->protocol == IPPROTO_GRE && headers->source_port == PACKET_CALL_PORT;
}

/* Look at a call's packet as plain GRE from now on: headers and hash are those of a pair. */
void gre_forget_call(const struct engine *engine, struct packet *packet);
/* Give an announced call an id at its external address that no other call with its peer has: its
 * own, if it can be.  False where there is none. */
bool gre_call_take(struct engine *engine, struct expectation *expectation);

#endif
