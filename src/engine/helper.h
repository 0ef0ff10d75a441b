/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper: protocols whose connections announce other connections (FTP, IRC, SIP ...), and what
 * the engine does for those who understand them.
 *
 * The engine names no protocol.  It is handed a table of helpers (engine_params), and [helpers]
 * says which flows each of them reads; that is decided with a flow's first packet.  A helper
 * sees whole messages, one at a time, and may
 *
 *	expect a connection to where the message's sender listens      helper_expect()
 *	replace a part of the message by other text                    helper_replace()
 *	refuse the packet                                              HELPER_REFUSE
 *	remember a few words                                           message->state
 *
 * UDP: a message is a datagram, never a fragment of one, and no super-packet.
 *
 * TCP: messages are cut out of the stream by the helper's frame(), in the position where they
 * stand.  Reading begins at the handshake; from then on it is known for every byte whether it
 *begins a message.  Only what comes in its turn is read: not what a gap precedes, and nothing
 *twice.  A message that does not lie in one segment is not read, but passes as it is: a line whose
 *first half has left cannot be changed any more, and to hold it back (as Linux does, by dropping
 *it, in the hope that the sender repeats it in one piece) can stall a connection for good.  So text
 * that only looks like a message, at the start of a segment in the middle of another one, never
 * counts as one (NAT slipstreaming).  What a helper replaces is made good by seqadj.
 */
#ifndef TUNGATE_ENGINE_HELPER_H
#define TUNGATE_ENGINE_HELPER_H

#include "engine/expect.h"
#include "engine/extra.h"
#include "engine/filter.h"

#define HELPER_EDITS SEQADJ_EDITS /* replacements in one message */

/* One of the two ends of a flow. */
struct helper_end {
	uint8_t family;       /* of `own` */
	uint8_t shown_family; /* of `shown`: another only behind NAT64 */
	bool is_guest;
	uint16_t own_port, shown_port; /* host order */
	union addr own;                /* as it calls itself */
	union addr shown;              /* as the other end knows it */
};

struct helper_edit {
	uint32_t offset, old_length, length;
	char text[SEQADJ_TEXT_BYTES];
};

struct helper_message {
	const char *text; /* not terminated; lines come with their end */
	uint32_t length;
	enum direction direction;
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	struct helper_end sender, receiver;
	uint32_t *state; /* HELPER_STATE_WORDS of the flow's, zeros at first */
	/* The engine's own. */
	struct engine *engine;
	struct flow *flow;
	unsigned edit_count;
	struct helper_edit edits[HELPER_EDITS];
};

enum helper_result { HELPER_PASS, HELPER_REFUSE };

/* Bytes of the message that `data` begins with: more than `length` where it goes on in another
 * segment, 0 where it cannot be said how long it is. */
typedef uint32_t helper_frame(const uint8_t *data, uint32_t length);
/* Bytes up to the next place where a message certainly begins, `length` at most; 0: none. */
typedef uint32_t helper_resume(const uint8_t *data, uint32_t length);

struct helper {
	const char *name;
	helper_frame *frame;   /* of TCP; NULL: it reads none */
	helper_resume *resume; /* NULL: a stream is lost for good */
	bool reads_udp;
	enum helper_result (*read)(struct helper_message *message);
};

/* For protocols of lines that end in LF. */
helper_frame helper_frame_line;
helper_resume helper_resume_line;

/* For use in read(). */

/* Expect a connection to where the sender listens; `answer` is what the receiver must be told
 * instead.  False where it may not be, or where there is no room. */
bool helper_expect(struct helper_message *message, const struct expect_request *request,
	struct expect_answer *answer);
/* Replace `old_length` bytes at `offset` of the message; from its front to its back.  False where
 * there are too many of them, or `length` is above SEQADJ_TEXT_BYTES. */
bool helper_replace(struct helper_message *message, uint32_t offset, uint32_t old_length,
	const char *text, uint32_t length);

/* A port that has been announced before: of the sender, by its own number; of the receiver, by the
 * one that it is shown by.  False where nothing is expected there. */
struct helper_known {
	uint16_t own, shown;
	uint8_t class;
};
bool helper_known_own(const struct helper_message *message, uint8_t protocol, uint16_t own,
	struct helper_known *known);
bool helper_known_shown(const struct helper_message *message, uint8_t protocol, uint16_t shown,
	struct helper_known *known);
/* All of a class live for so long from now on; 0 ends them. */
void helper_prolong(struct helper_message *message, uint8_t class, uint16_t life_s);
/* All of a class come from an address that was announced, not from the connection's other end.  It
 * may be an external one of ours, where another guest listens on that port, who it is then. */
void helper_admit(
	struct helper_message *message, uint8_t class, const union addr *address, uint16_t port);
/* The flow lives for so long from now on, even in silence. */
void helper_keep(struct helper_message *message, uint16_t life_s);

/* For the engine. */

/* How long a flow that is read lives, whose state would have it live for `timeout_ms`. */
uint64_t helper_timeout_ms(
	const struct engine *engine, const struct flow *flow, uint64_t timeout_ms);

/* Has somebody to read this new flow?  Decided by the [helpers] lines, which see what the filter
 * saw. */
void helper_attach(struct engine *engine, struct flow *flow, const struct filter_query *query);
/* Put the acknowledgments of a packet of a FLOW_ADJUSTED flow into own numbers, for tracking. */
void helper_adjust(const struct engine *engine, const struct flow *flow, enum direction direction,
	struct packet *packet);
/* The same for the sequence number of a packet of `direction` that an ICMP error quotes. */
void helper_adjust_quoted(const struct engine *engine, const struct flow *flow,
	enum direction direction, struct packet *packet, const struct headers *inner);
/*
 * A packet of a FLOW_HELPED flow that may pass: let the helper read what is new in it, and change
 * it as was asked for now or before.  `fresh`: tracking has learnt from it.  False: it was dropped.
 */
bool helper_packet(struct engine *engine, struct flow *flow, enum direction direction, bool fresh,
	struct packet *packet);

/* Name of a helper by its number, NULL for HELPER_NONE. */
const char *helper_name(const struct engine *engine, uint8_t helper);

#endif
