/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal: that a packet does not pass, for which reason, and what its sender is told.
 *
 * Who decides about a packet fills a refusal and changes nothing; packet_refuse() carries it out:
 * counts the drop and puts the answer into the outbox.  So the same decision can be made without
 * consequences, for explanation.
 *
 * Answers towards a guest come from the gateway's address on its network, answers towards the
 * uplink from the address of ours that the packet was sent to, so that no inner address shows
 * outside.
 */
#ifndef TUNGATE_ENGINE_REFUSAL_H
#define TUNGATE_ENGINE_REFUSAL_H

#include "engine/state.h"

enum answer { ANSWER_NONE, ANSWER_RESET, ANSWER_ERROR };

struct refusal {
	uint8_t drop;   /* enum drop */
	uint8_t answer; /* enum answer */
	uint8_t type;   /* of ANSWER_ERROR: an ICMP type of the packet's family */
	uint8_t code;
	uint16_t path; /* of both, towards the uplink */
	uint32_t mtu;  /* ... of "too big" */
};

/* All of these return false, so that a decision can say `return refusal_silent(...)`. */
bool refusal_silent(struct refusal *refusal, enum drop drop);
/* A guest is told why it cannot be reached (an ICMP unreachable of these codes), nobody else. */
bool refusal_unreachable(struct refusal *refusal, const struct packet *packet, enum drop drop,
	uint8_t code4, uint8_t code6);
/* By policy: a guest is told "administratively prohibited". */
bool refusal_prohibited(struct refusal *refusal, const struct packet *packet, enum drop drop);
/* A guest's TCP is reset, whatever else it sent is prohibited; the uplink is not told. */
bool refusal_reject(struct refusal *refusal, const struct packet *packet, enum drop drop);

/* What a rule wants its sender told, guest or not; `path` is the way back through the uplink. */
bool refusal_answer(struct refusal *refusal, const struct packet *packet, enum drop drop,
	enum rule_reject reject, uint16_t path);

/* Count and forget a packet, and answer it where an answer is due. */
enum verdict packet_refuse(
	struct engine *engine, struct packet *packet, const struct refusal *refusal);

#endif
