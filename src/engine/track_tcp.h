/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_tcp: a TCP connection as somebody in the middle sees it (RFC 9293), with windows checked
 * as in G. van Rooij, "Real Stateful TCP Packet Filtering in IP Filter" (2000), and resets as in
 * RFC 5961.  The theory is in track_tcp.c.
 */
#ifndef TUNGATE_ENGINE_TRACK_TCP_H
#define TUNGATE_ENGINE_TRACK_TCP_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include "engine/direction.h"
#include "tungate/packet.h"

enum tcp_state {
	TCP_STATE_NONE,
	TCP_STATE_SYN_SENT,     /* a SYN, nothing from the other side yet */
	TCP_STATE_SYN_SENT2,    /* both sides have sent a SYN (simultaneous open) */
	TCP_STATE_SYN_RECEIVED, /* a SYN has been acknowledged by a SYN */
	TCP_STATE_ESTABLISHED,
	TCP_STATE_FIN_WAIT,   /* one side has sent its FIN */
	TCP_STATE_CLOSE_WAIT, /* ... and it has been acknowledged; the other side may go on */
	TCP_STATE_LAST_ACK,   /* both sides have sent their FIN */
	TCP_STATE_TIME_WAIT,  /* ... and both have been acknowledged */
	TCP_STATE_CLOSE,      /* reset */
	TCP_STATE_COUNT
};

/* What one side has sent; sequence numbers in host order. */
struct tcp_peer {
	uint32_t end;     /* past the last octet it has sent (td_end) */
	uint32_t max_end; /* past the last octet that the other side's windows have allowed it */
	uint32_t max_ack; /* highest acknowledgment it has sent; before that, the lowest it may send
			   */
};

struct tcp_track {
	struct tcp_peer peer[DIRECTIONS];
	uint32_t in_doubt; /* number of a segment let through that may yet prove right */
	uint16_t max_window[DIRECTIONS]; /* largest window offered, in units of the side's scale */
	uint8_t flags[DIRECTIONS];
	uint8_t scales; /* window scales: ORIGINAL's in the low four bits */
	uint8_t state;  /* enum tcp_state */
};
static_assert(sizeof(struct tcp_track) == 36, "part of every flow");

enum tcp_result {
	TCP_ACCEPT,       /* in sequence: pass and refresh; the state may have changed */
	TCP_ACCEPT_QUIET, /* pass, but refresh nothing and learn nothing from it */
	TCP_INVALID,      /* no part of this connection: drop */
	TCP_REOPEN,       /* a new SYN on a finished connection: end this flow, begin another */
};

/* Begin with the first packet of a flow: false unless it is a SYN and nothing but a SYN. */
bool track_tcp_new(struct tcp_track *track, const struct packet *packet);
/* Judge a later packet, and learn from it. */
enum tcp_result track_tcp_update(
	struct tcp_track *track, enum direction direction, const struct packet *packet);
/*
 * May a segment that an ICMP error quotes have been sent in this direction?  `sequence` is the
 * quoted one in host order.  True for what has been sent and not long been acknowledged; an
 * off-path sender of forged errors has to guess it (RFC 5927, 4).
 */
bool track_tcp_quoted(const struct tcp_track *track, enum direction direction, uint32_t sequence);

/* "syn-sent", "time-wait" ... */
const char *tcp_state_name(enum tcp_state state);

#endif
