/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seqadj: a TCP stream some bytes of which are replaced on their way, and the sequence numbers that
 * this shifts.
 *
 * Each direction of a connection is one stream of two spellings: as its sender numbers it ("own"),
 * and as its receiver sees it ("shown").  They differ by what the edits before a number have added
 * or taken away.  An edit is kept until its receiver has acknowledged all of it, so that
 * whatever part of the stream comes again, in whatever segments, becomes the same bytes at the
 * same numbers; from then on only the sum of the shifts counts.  That is enough: a late copy
 * of older bytes gets a number that lies, as its right one would, below what is acknowledged.
 *
 * A number inside an edit's range has no counterpart in the other spelling.  Whoever has the first
 * byte of the range carries the whole replacement, what follows in another segment
 * vanishes; and an acknowledgment of a part of the replacement acknowledges nothing of it.
 *
 * Acknowledgments, selective ones too, come in the shown spelling of the other side's stream.  They
 * are put into its own before the connection is tracked (seqadj_acknowledgments), sequence numbers
 * into the shown one behind that (seqadj_segment).  So tracking sees nothing but own numbers
 * on either side, as if nothing had ever been replaced.
 */
#ifndef TUNGATE_ENGINE_SEQADJ_H
#define TUNGATE_ENGINE_SEQADJ_H

#include "tungate/packet.h"

#define SEQADJ_EDITS      16  /* unacknowledged ones of one direction */
#define SEQADJ_TEXT_BYTES 116 /* of one replacement */

struct seqadj_edit {
	uint32_t position;   /* own number of the first byte replaced */
	uint16_t old_length; /* bytes taken away */
	uint16_t length;     /* bytes put in their place */
	char text[SEQADJ_TEXT_BYTES];
};

/* One direction's stream. */
struct seqadj {
	uint32_t shift; /* shown minus own, before the first edit below */
	uint32_t count;
	struct seqadj_edit edits[SEQADJ_EDITS]; /* by position */
};

void seqadj_init(struct seqadj *stream);
/* Does anything differ between the two spellings, or did it? */
bool seqadj_is_needed(const struct seqadj *stream);

/* Replace bytes of the stream from now on; they must lie behind all edits before.  False where
 * there is no room. */
bool seqadj_add(struct seqadj *stream, uint32_t position, uint32_t old_length, const char *text,
	uint32_t length);
/* All up to this number (own) has been acknowledged. */
void seqadj_acknowledged(struct seqadj *stream, uint32_t own);
/* The stream begins anew: only the sum of the shifts stays. */
void seqadj_settle(struct seqadj *stream);

uint32_t seqadj_show(const struct seqadj *stream, uint32_t own);
/* `up`: where a number has no counterpart, take the end of the edit, not its start. */
uint32_t seqadj_own(const struct seqadj *stream, uint32_t shown, bool up);

/* Put the acknowledgments in a segment into the own numbers of the stream that they are about. */
void seqadj_acknowledgments(const struct seqadj *stream, struct packet *packet);
/* Put a segment of the stream into the shown spelling, number and bytes.  False where its buffer,
 * or the length of an IP packet, does not suffice. */
bool seqadj_segment(const struct seqadj *stream, struct packet *packet);

#endif
