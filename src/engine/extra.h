/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extra: what few flows have: a helper that reads them, or another flow that announced them.
 *
 * A record belongs to one flow, which names it in flow->extra, and is given back by flow_end().
 * Records are few (`helped-flows` in [limits]); no zone has more than a quarter of them, so that no
 * guest can take the helpers away from the others.  Both ends of a connection between guests pay
 * for it.
 */
#ifndef TUNGATE_ENGINE_EXTRA_H
#define TUNGATE_ENGINE_EXTRA_H

#include "base/wheel.h"
#include "engine/flow.h"
#include "engine/seqadj.h"

#define HELPER_NONE        0xff
#define HELPER_STATE_WORDS 8

/* How far a helper has read one direction of a TCP stream; own numbers. */
struct helper_stream {
	uint32_t next;      /* all before it has been read or passed over */
	uint32_t message;   /* where the next message begins, unless STREAM_LOST */
	uint32_t ahead;     /* STREAM_AHEAD: what came too early, from here ... */
	uint32_t ahead_end; /* ... to here */
	uint8_t flags;
};
#define STREAM_STARTED    0x01
#define STREAM_LOST       0x02 /* in the middle of a message whose end is not known */
#define STREAM_AHEAD      0x04
#define STREAM_AHEAD_LOST 0x08 /* ... and would be lost at ahead_end */

struct extra {
	uint32_t next; /* free records */
	uint32_t flow; /* whose it is; FLOW_NONE: free */
	/* Announced by a helper. */
	uint32_t master;      /* the flow that it read then; FLOW_NONE: none, or gone */
	uint8_t announced_by; /* the helper, or HELPER_NONE */
	/* Read by a helper. */
	uint8_t helper;                     /* or HELPER_NONE */
	uint32_t keep_until_ms;             /* it wants the flow to live so long ... */
	bool keep;                          /* ... if it wants anything */
	uint32_t children;                  /* flows that have this one for a master */
	struct wheel_list expectations;     /* that it made, oldest first */
	uint32_t state[HELPER_STATE_WORDS]; /* the helper's own; zeros at first */
	struct helper_stream stream[DIRECTIONS];
	struct seqadj adjust[DIRECTIONS];
};

struct extras {
	struct extra *records; /* [0] is EXTRA_NONE's */
	uint32_t max, count;
	uint32_t touched;                 /* records[1] to this one have been in use */
	uint32_t free_head;               /* of these */
	uint32_t owner[ENGINE_LINKS_MAX]; /* records of each link's flows */
};

/* 0 or -ENOMEM. */
int extras_create(struct extras *extras, uint32_t max);
void extras_free(struct extras *extras);

/* The record of a flow, or NULL. */
struct extra *extra_of(const struct engine *engine, const struct flow *flow);
/* Is there a record for one more flow like this one, a draft perhaps? */
bool extra_has_room(const struct engine *engine, const struct flow *flow);
/* The record of a flow, a new one where it has none; NULL where there is no room. */
struct extra *extra_take(struct engine *engine, struct flow *flow);
/* The flow ends: whatever hangs on its record does too. */
void extra_release(struct engine *engine, struct flow *flow);

#endif
