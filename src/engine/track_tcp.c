/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_tcp: a TCP connection as somebody in the middle sees it.
 *
 * State.  Each side goes its own way: it sends a SYN, that is acknowledged, it sends a FIN, that is
 * acknowledged (enum progress).  What RFC 9293 calls the state of a connection is a matter of how
 * far both have come, so it is read from a table of pairs instead of being stepped through; that
 * covers crossing SYNs and crossing FINs without a case of their own.  An acknowledgment
 * counts only by its number: a challenge ACK never passes for that of a FIN.
 *
 * Windows.  A segment of one side ("sender") is part of the connection if it passes the four bounds
 * of van Rooij's paper, with s the sender and r the receiver:
 *	I    sequence <= s.max_end                      not past what r's windows have allowed
 *	II   sequence + length >= s.end - r.max_window  not older than any window of r reaches back
 *	III  acknowledgment <= r.end                    nothing is acknowledged that was not sent
 *	IV   acknowledgment >= r.end - max(s.max_window, 66000)     nor anything long gone
 * Outside I or III it is forged or lost: dropped.  Below II or IV it is a late copy, whose receiver
 * needs to see it in order to answer with what it has (lost ACKs would otherwise stall the
 * connection): it passes, and we learn nothing from it.  In III and for windows a SACK block counts
 *as acknowledged.  IV is exact as long as r's SYN is unacknowledged: s.max_ack then says where it
 *ends.
 *
 * Resets (RFC 5961, 3).  Only one with the very next sequence number ends an open connection.  One
 *that is merely in the window passes and changes nothing: its receiver answers with a challenge
 *ACK, and if the sender meant it the answer to that is exact.  Once a connection is closing, any in
 *the window will do.
 *
 * Being wrong.  One end may have lost the connection while the other, and we, still hold it.  So a
 *SYN of the original side passes on a live connection, and what comes back tells: a challenge ACK
 * (ordinary, in the window), which the client answers with an exact reset; or a SYN-ACK of
 * just that SYN, which begins the connection anew in this record.  The other way round, an answer
 *to our SYN that acknowledges something else is left to the client, whose reset for it passes and
 *leaves the attempt alone.  in_doubt holds the number that the second segment must match.
 */
#include <arpa/inet.h>
#include <string.h>
#include "engine/track_tcp.h"
#include "wire/parse.h"

/* How far one side has come. */
enum progress {
	SILENT, /* nothing that counts */
	SYN,    /* its SYN was seen */
	OPEN,   /* ... and acknowledged */
	FIN,    /* its FIN was seen: its end moves no more */
	DONE,   /* ... and acknowledged */
	PROGRESS_COUNT
};
#define FLAG_PROGRESS 0x07
#define FLAG_SCALE    0x08 /* its SYN had a window scale option */
#define FLAG_SACK     0x10 /* its SYN permitted SACK */
#define FLAG_IN_DOUBT 0x20 /* this side's segment is the one in doubt */

/* The state that two sides make; [ORIGINAL][REPLY], and symmetric but for its first row. */
static const uint8_t states[PROGRESS_COUNT][PROGRESS_COUNT] = {
	/* No flow begins before the SYN of its original side. */
	[SILENT] = {TCP_STATE_NONE, TCP_STATE_NONE, TCP_STATE_NONE, TCP_STATE_NONE, TCP_STATE_NONE},
	[SYN] =
		{
			[SILENT] = TCP_STATE_SYN_SENT,
			[SYN] = TCP_STATE_SYN_SENT2,     /* SYNs crossed, neither acknowledged */
			[OPEN] = TCP_STATE_SYN_RECEIVED, /* ... theirs acknowledged first */
			[FIN] = TCP_STATE_FIN_WAIT,      /* they close before we have answered */
			[DONE] = TCP_STATE_CLOSE_WAIT,
		},
	[OPEN] =
		{
			[SILENT] = TCP_STATE_SYN_SENT,  /* an ACK without a SYN opens nothing */
			[SYN] = TCP_STATE_SYN_RECEIVED, /* the usual SYN-ACK */
			[OPEN] = TCP_STATE_ESTABLISHED,
			[FIN] = TCP_STATE_FIN_WAIT,
			[DONE] = TCP_STATE_CLOSE_WAIT, /* half closed: we may go on for long */
		},
	[FIN] =
		{
			[SILENT] = TCP_STATE_SYN_SENT,
			[SYN] = TCP_STATE_FIN_WAIT,
			[OPEN] = TCP_STATE_FIN_WAIT,
			[FIN] = TCP_STATE_LAST_ACK, /* crossed (RFC 9293: CLOSING), or the second */
			[DONE] = TCP_STATE_LAST_ACK,
		},
	[DONE] =
		{
			[SILENT] = TCP_STATE_SYN_SENT,
			[SYN] = TCP_STATE_CLOSE_WAIT,
			[OPEN] = TCP_STATE_CLOSE_WAIT,
			[FIN] = TCP_STATE_LAST_ACK,
			[DONE] = TCP_STATE_TIME_WAIT,
		},
};

const char *tcp_state_name(enum tcp_state state)
{
	static const char *const names[TCP_STATE_COUNT] = {
		[TCP_STATE_NONE] = "none",
		[TCP_STATE_SYN_SENT] = "syn-sent",
		[TCP_STATE_SYN_SENT2] = "syn-sent2",
		[TCP_STATE_SYN_RECEIVED] = "syn-received",
		[TCP_STATE_ESTABLISHED] = "established",
		[TCP_STATE_FIN_WAIT] = "fin-wait",
		[TCP_STATE_CLOSE_WAIT] = "close-wait",
		[TCP_STATE_LAST_ACK] = "last-ack",
		[TCP_STATE_TIME_WAIT] = "time-wait",
		[TCP_STATE_CLOSE] = "close",
	};
	return state < TCP_STATE_COUNT ? names[state] : "none";
}

/* ---- sequence numbers and segments ---- */

static inline bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool after(uint32_t a, uint32_t b)
{
	return before(b, a);
}

struct segment {
	uint8_t flags;
	uint16_t window; /* as it is in the header */
	uint32_t sequence;
	uint32_t end; /* past its last octet, SYN and FIN counted */
	uint32_t ack;
	uint32_t sack; /* the highest number that it acknowledges, selectively or not */
};

static inline void segment_read(const struct packet *packet, struct segment *segment)
{
	const struct tcp_header *tcp = packet_l4(packet);
	const uint8_t flags = tcp->flags;

	segment->flags = flags;
	segment->window = ntohs(tcp->window);
	segment->sequence = ntohl(tcp->sequence);
	segment->end = segment->sequence + packet_payload_bytes(packet) + !!(flags & TCP_SYN) +
		       !!(flags & TCP_FIN);
	segment->ack = segment->sack = ntohl(tcp->acknowledgment);
}

/* Are the options just the two NOPs and the timestamp of RFC 7323, appendix A?  Nearly always. */
static inline bool only_timestamp(const struct tcp_header *tcp)
{
	static const uint8_t usual[] = {TCP_OPTION_NOP, TCP_OPTION_NOP, 8, 10};

	return tcp->offset >> 4 == 8 && memcmp(tcp + 1, usual, sizeof(usual)) == 0;
}

/* The highest right edge of its SACK blocks, or the acknowledgment where that is higher. */
static uint32_t sack_highest(const struct packet *packet, uint32_t ack)
{
	struct tcp_options options;

	packet_tcp_options(packet, &options);
	return options.sack_count > 0 && after(options.sack_highest, ack) ? options.sack_highest
									  : ack;
}

/* ---- sides ---- */

static inline enum progress progress(const struct tcp_track *track, enum direction side)
{
	return track->flags[side] & FLAG_PROGRESS;
}

static void progress_set(struct tcp_track *track, enum direction side, enum progress progress)
{
	track->flags[side] = (uint8_t)((track->flags[side] & ~FLAG_PROGRESS) | progress);
}

static inline bool may_have_sack(
	const struct tcp_track *track, enum direction side, const struct packet *packet)
{
	const struct tcp_header *tcp = packet_l4(packet);

	return track->flags[direction_opposite(side)] & FLAG_SACK && tcp->offset >> 4 != 5 &&
	       !only_timestamp(tcp);
}

static inline unsigned scale(const struct tcp_track *track, enum direction side)
{
	return track->scales >> (4 * side) & 15;
}

static inline uint32_t max_window(const struct tcp_track *track, enum direction side)
{
	return (uint32_t)track->max_window[side] << scale(track, side);
}

static void max_window_raise(struct tcp_track *track, enum direction side, uint32_t bytes)
{
	const unsigned shift = scale(track, side);
	const uint32_t units = (bytes + (1u << shift) - 1) >> shift;

	if (units > track->max_window[side])
		track->max_window[side] = (uint16_t)(units < UINT16_MAX ? units : UINT16_MAX);
}

/* Change the scale, and keep the window that was offered. */
static void scale_set(struct tcp_track *track, enum direction side, unsigned new_scale)
{
	const uint32_t bytes = max_window(track, side);

	track->scales = (uint8_t)((track->scales & 0xf0u >> (4 * side)) | new_scale << (4 * side));
	track->max_window[side] = 0;
	max_window_raise(track, side, bytes);
}

/* The sender's segment acknowledges up to `sack` and offers `window` bytes from there. */
static void allow(struct tcp_peer *receiver, uint32_t sack, uint32_t window)
{
	/* A closed window still admits the octet of a probe. */
	const uint32_t max_end = sack + (window > 0 ? window : 1);

	if (after(max_end, receiver->max_end))
		receiver->max_end = max_end;
}

/* RFC 7323, 2.2: windows are scaled only if both SYNs have the option. */
static void agree_on_scale(struct tcp_track *track)
{
	if (track->flags[ORIGINAL] & track->flags[REPLY] & FLAG_SCALE)
		return;
	scale_set(track, ORIGINAL, 0);
	scale_set(track, REPLY, 0);
}

/* Learn all about a side from its SYN or SYN-ACK. */
static void learn_syn(struct tcp_track *track, enum direction side, const struct packet *packet,
	const struct segment *segment)
{
	const enum direction other = direction_opposite(side);
	struct tcp_peer *peer = &track->peer[side];
	struct tcp_options options;

	packet_tcp_options(packet, &options);
	track->flags[side] = (uint8_t)(SYN | (options.has_scale ? FLAG_SCALE : 0) |
				       (options.sack_permitted ? FLAG_SACK : 0));
	track->max_window[side] = segment->window > 0 ? segment->window : 1;
	track->scales &= (uint8_t)(0xf0u >> (4 * side));
	scale_set(track, side, options.has_scale ? options.scale : 0);
	track->peer[other].max_ack = segment->sequence + 1;
	peer->end = peer->max_end = segment->end;
	if (progress(track, other) == SILENT)
		return;
	agree_on_scale(track);
	allow(peer, peer->end, max_window(track, other));
	allow(&track->peer[other], track->peer[other].end, segment->window);
}

/* ---- windows ---- */

enum fit { INSIDE, LATE, OUTSIDE };

/* The window up to which acknowledgments may lag: 66000 covers a full unscaled one and a segment.
 */
static inline uint32_t ack_window(const struct tcp_track *track, enum direction side)
{
	const uint32_t window = max_window(track, side);

	return window > 66000 ? window : 66000;
}

static inline enum fit segment_fit(
	const struct tcp_track *track, enum direction side, const struct segment *segment)
{
	const enum direction other = direction_opposite(side);
	const struct tcp_peer *sender = &track->peer[side], *receiver = &track->peer[other];

	if (after(segment->sequence, sender->max_end) || after(segment->sack, receiver->end))
		return OUTSIDE;
	if (progress(track, other) <= SYN && before(segment->ack, sender->max_ack))
		return OUTSIDE;
	if (before(segment->end, sender->end - max_window(track, other)) ||
		before(segment->sack, receiver->end - ack_window(track, side)))
		return LATE;
	return INSIDE;
}

static inline void learn(
	struct tcp_track *track, enum direction side, const struct segment *segment)
{
	const enum direction other = direction_opposite(side);
	struct tcp_peer *sender = &track->peer[side], *receiver = &track->peer[other];
	const uint32_t window = segment->flags & TCP_SYN
					? segment->window
					: (uint32_t)segment->window << scale(track, side);

	max_window_raise(track, side, window + (segment->sack - segment->ack));
	if (after(segment->end, sender->end))
		sender->end = segment->end;
	if (after(segment->ack, sender->max_ack))
		sender->max_ack = segment->ack;
	if (after(segment->end, sender->max_end)) /* it knows of a larger window than we do */
		max_window_raise(
			track, other, max_window(track, other) + (segment->end - sender->max_end));
	allow(receiver, segment->sack, window);
}

/* Move both sides on by what a segment inside the window says; the new state. */
static void advance(struct tcp_track *track, enum direction side, const struct segment *segment)
{
	const enum direction other = direction_opposite(side);

	if (segment->flags & TCP_FIN && progress(track, side) < FIN)
		progress_set(track, side, FIN);
	if (progress(track, other) == SYN)
		progress_set(track, other, OPEN);
	if (progress(track, other) == FIN && track->peer[side].max_ack == track->peer[other].end)
		progress_set(track, other, DONE);
	track->state = states[progress(track, ORIGINAL)][progress(track, REPLY)];
}

/* ---- segments by kind ---- */

/* A reset connection only lingers, and nothing shortens (RFC 1337) or prolongs a TIME_WAIT. */
static enum tcp_result update_finished(
	struct tcp_track *track, enum direction side, const struct segment *segment)
{
	if (progress(track, REPLY) == SILENT || segment_fit(track, side, segment) == OUTSIDE)
		return TCP_INVALID;
	return TCP_ACCEPT_QUIET;
}

/* All that most segments are to us. */
static inline enum tcp_result update_window(
	struct tcp_track *track, enum direction side, const struct segment *segment)
{
	const enum fit fit = segment_fit(track, side, segment);

	if (fit != INSIDE)
		return fit == LATE ? TCP_ACCEPT_QUIET : TCP_INVALID;
	learn(track, side, segment);
	return TCP_ACCEPT;
}

/* A segment without SYN and RST. */
static enum tcp_result update_data(
	struct tcp_track *track, enum direction side, const struct segment *segment)
{
	if (progress(track, side) >= FIN && after(segment->end, track->peer[side].end))
		return TCP_INVALID; /* more data behind a FIN */
	const enum tcp_result result = update_window(track, side, segment);
	if (result == TCP_ACCEPT)
		advance(track, side, segment);
	return result;
}

/* The other side answers a SYN with something that is not an answer to it: the client will tell it
 * so, by a reset with the very number that is acknowledged here. */
static enum tcp_result update_syn_sent(
	struct tcp_track *track, enum direction side, const struct segment *segment)
{
	if (side == ORIGINAL || segment->flags & TCP_FIN)
		return TCP_INVALID;
	track->in_doubt = segment->ack;
	track->flags[REPLY] |= FLAG_IN_DOUBT;
	return TCP_ACCEPT_QUIET;
}

/* Is it the SYN again that the other side has to acknowledge? */
static bool repeats_syn(
	const struct tcp_track *track, enum direction side, const struct segment *segment)
{
	return segment->sequence + 1 == track->peer[direction_opposite(side)].max_ack;
}

/* A SYN of the side that was called: only a simultaneous open has one. */
static enum tcp_result update_syn_reply(
	struct tcp_track *track, const struct packet *packet, const struct segment *segment)
{
	if (track->state == TCP_STATE_SYN_SENT) {
		learn_syn(track, REPLY, packet, segment);
		track->state = TCP_STATE_SYN_SENT2;
		return TCP_ACCEPT;
	}
	return progress(track, REPLY) == SYN && repeats_syn(track, REPLY, segment)
		       ? TCP_ACCEPT_QUIET
		       : TCP_INVALID;
}

static enum tcp_result update_syn(
	struct tcp_track *track, const struct packet *packet, const struct segment *segment)
{
	if (track->state >= TCP_STATE_TIME_WAIT)
		return TCP_REOPEN;
	if (track->state == TCP_STATE_SYN_SENT) {
		if (!repeats_syn(track, ORIGINAL, segment))
			track_tcp_new(track, packet); /* the client has begun again */
		return TCP_ACCEPT_QUIET;
	}
	track->in_doubt = segment->end;
	track->flags[ORIGINAL] |= FLAG_IN_DOUBT;
	return TCP_ACCEPT_QUIET;
}

/* The SYN-ACK proves a SYN right that passed in doubt: forget the connection before it.  The SYN's
 * own options were not kept; a side whose scale is not known counts with the largest. */
static void begin_anew(struct tcp_track *track, const struct packet *packet)
{
	const uint32_t syn_end = track->in_doubt;
	struct tcp_options options;

	packet_tcp_options(packet, &options);
	*track = (struct tcp_track){.state = TCP_STATE_SYN_SENT};
	track->flags[ORIGINAL] = (uint8_t)(SYN | (options.has_scale ? FLAG_SCALE : 0) |
					   (options.sack_permitted ? FLAG_SACK : 0));
	track->scales = options.has_scale ? 14 : 0;
	max_window_raise(track, ORIGINAL, UINT16_MAX);
	track->peer[ORIGINAL].end = track->peer[ORIGINAL].max_end = syn_end;
	track->peer[REPLY].max_ack = syn_end;
}

/* Does it acknowledge the other side's SYN, or all that came with it? */
static bool acknowledges_syn(
	const struct tcp_track *track, enum direction side, const struct segment *segment)
{
	const enum direction other = direction_opposite(side);

	return progress(track, other) >= SYN && !before(segment->ack, track->peer[side].max_ack) &&
	       !after(segment->ack, track->peer[other].end);
}

static enum tcp_result update_syn_ack(struct tcp_track *track, enum direction side,
	const struct packet *packet, const struct segment *segment)
{
	if (side == REPLY && track->flags[ORIGINAL] & FLAG_IN_DOUBT &&
		segment->ack == track->in_doubt && !acknowledges_syn(track, REPLY, segment))
		begin_anew(track, packet);

	const uint8_t old_state = track->state;
	if (progress(track, side) <= SYN && acknowledges_syn(track, side, segment)) {
		/* Perhaps another SYN than before: SYN cookies change with time. */
		if (progress(track, side) == SILENT || !repeats_syn(track, side, segment))
			learn_syn(track, side, packet, segment);
	} else if (old_state == TCP_STATE_SYN_SENT) {
		return update_syn_sent(track, side, segment);
	} else if (segment_fit(track, side, segment) == OUTSIDE) {
		return TCP_INVALID;
	} else if (old_state != TCP_STATE_SYN_RECEIVED) {
		return TCP_ACCEPT_QUIET; /* a late one; those of a simultaneous open count */
	}
	learn(track, side, segment);
	advance(track, side, segment);
	return track->state != old_state ? TCP_ACCEPT : TCP_ACCEPT_QUIET;
}

static enum tcp_result reset(struct tcp_track *track)
{
	track->state = TCP_STATE_CLOSE;
	return TCP_ACCEPT;
}

/* A reset while nothing but the client's SYN is known. */
static enum tcp_result update_reset_syn_sent(
	struct tcp_track *track, enum direction side, const struct segment *segment)
{
	if (side == REPLY) /* RFC 9293, 3.10.7.3 */
		return segment->flags & TCP_ACK && acknowledges_syn(track, REPLY, segment)
			       ? reset(track)
			       : TCP_INVALID;
	if (track->flags[REPLY] & FLAG_IN_DOUBT && segment->sequence == track->in_doubt)
		return TCP_ACCEPT_QUIET;
	return segment->sequence == track->peer[ORIGINAL].end ? reset(track) : TCP_INVALID;
}

static enum tcp_result update_reset(
	struct tcp_track *track, enum direction side, struct segment *segment)
{
	const enum direction other = direction_opposite(side);
	const struct tcp_peer *sender = &track->peer[side];
	const uint32_t expected = track->peer[other].max_ack;

	if (track->state == TCP_STATE_SYN_SENT)
		return update_reset_syn_sent(track, side, segment);
	if (segment->flags & TCP_ACK && side == REPLY && segment->ack == track->in_doubt &&
		track->flags[ORIGINAL] & FLAG_IN_DOUBT)
		return reset(track); /* the server refuses the SYN that passed in doubt */
	if (!(segment->flags & TCP_ACK))
		segment->ack = segment->sack = track->peer[other].end;
	if (track->state >= TCP_STATE_TIME_WAIT)
		return update_finished(track, side, segment);
	if (segment->sequence == expected || segment->sequence == sender->end)
		return reset(track);
	if (track->state >= TCP_STATE_FIN_WAIT)
		return segment_fit(track, side, segment) == INSIDE ? reset(track) : TCP_INVALID;
	if (before(segment->sequence, expected) || after(segment->sequence, sender->max_end))
		return TCP_INVALID;
	return TCP_ACCEPT_QUIET;
}

bool track_tcp_new(struct tcp_track *track, const struct packet *packet)
{
	struct segment segment;

	segment_read(packet, &segment);
	if ((segment.flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) != TCP_SYN)
		return false;
	*track = (struct tcp_track){.state = TCP_STATE_SYN_SENT};
	learn_syn(track, ORIGINAL, packet, &segment);
	return true;
}

/* Everything but an ordinary segment of an established connection. */
static __attribute__((noinline)) enum tcp_result update_special(
	struct tcp_track *track, enum direction side, const struct packet *packet)
{
	struct segment segment;

	segment_read(packet, &segment);
	if (segment.flags & TCP_RST)
		return update_reset(track, side, &segment);
	if ((segment.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return side == ORIGINAL ? update_syn(track, packet, &segment)
					: update_syn_reply(track, packet, &segment);
	if (!(segment.flags & TCP_ACK))
		return TCP_INVALID;
	if (may_have_sack(track, side, packet))
		segment.sack = sack_highest(packet, segment.ack);
	if (track->state >= TCP_STATE_TIME_WAIT)
		return update_finished(track, side, &segment);
	if (segment.flags & TCP_SYN)
		return update_syn_ack(track, side, packet, &segment);
	if (track->state == TCP_STATE_SYN_SENT)
		return update_syn_sent(track, side, &segment);
	return update_data(track, side, &segment);
}

enum tcp_result track_tcp_update(
	struct tcp_track *track, enum direction direction, const struct packet *packet)
{
	const uint8_t special = TCP_SYN | TCP_FIN | TCP_RST;
	struct segment segment;

	segment_read(packet, &segment);
	if (track->state != TCP_STATE_ESTABLISHED ||
		(segment.flags & (special | TCP_ACK)) != TCP_ACK)
		return update_special(track, direction, packet);
	if (may_have_sack(track, direction, packet))
		segment.sack = sack_highest(packet, segment.ack);
	return update_window(track, direction, &segment);
}

bool track_tcp_quoted(const struct tcp_track *track, enum direction direction, uint32_t sequence)
{
	const uint32_t acked = track->peer[direction_opposite(direction)].max_ack;

	return !after(sequence, track->peer[direction].end) &&
	       !before(sequence, acked - ack_window(track, direction_opposite(direction)));
}
