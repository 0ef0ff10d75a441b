/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusals: the names that guests were refused lately, for `tungate domains`, and how many lines of
 * the log they are worth.
 *
 * The list is bounded, and each guest's part of it: the oldest give way, first those of the guest
 * who has his part.  Guests are known by their names, since a link's number is another guest's
 * soon.
 */
#ifndef TUNGATE_DAEMON_REFUSALS_H
#define TUNGATE_DAEMON_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/requests.h"

#define REFUSALS_MAX       256
#define REFUSALS_OF_GUEST  32
#define REFUSALS_LINES_MAX 10 /* of one guest in the log, each second */

struct refusals {
	uint64_t newest; /* turn of the record that changed last */
	struct refusal_record {
		struct daemon_refusal refusal;
		uint64_t turn; /* 0: free */
		uint64_t last_ms;
	} record[REFUSALS_MAX];
	struct {
		uint64_t window_ms; /* when it began */
		unsigned lines;
		uint64_t suppressed;
	} log[ENGINE_LINKS_MAX + 1]; /* the last for guests that are not known */
};

/* Count one; its `count` and `age_ms` are filled in here. */
void refusals_add(struct refusals *refusals, const struct daemon_refusal *refusal, uint64_t now_ms);
/* Is it worth a line?  Then how many were not, since the last that was. */
bool refusals_may_log(
	struct refusals *refusals, zone_id zone, uint64_t now_ms, uint64_t *suppressed);
/* The index-th, newest first; false past the last. */
bool refusals_get(const struct refusals *refusals, unsigned index, uint64_t now_ms,
	struct daemon_refusal *refusal);

#endif
