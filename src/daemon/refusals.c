/* SPDX-License-Identifier: BSD-2-Clause */
/* refusals: a bounded list. */
#include "daemon/refusals.h"

#include <string.h>

#define LOG_WINDOW_MS 1000

static bool is_guests(const struct refusal_record *record, const struct daemon_refusal *refusal)
{
	return record->refusal.network == refusal->network &&
	       addr_equal(&record->refusal.address, &refusal->address) &&
	       strcmp(record->refusal.link, refusal->link) == 0;
}

static bool is_same(const struct refusal_record *record, const struct daemon_refusal *refusal)
{
	return is_guests(record, refusal) && record->refusal.resolved == refusal->resolved &&
	       strcmp(record->refusal.name, refusal->name) == 0;
}

/* The record of the same, else a free one, else the oldest: of the guest's, if he has his part. */
static struct refusal_record *record_of(
	struct refusals *refusals, const struct daemon_refusal *refusal)
{
	struct refusal_record *oldest = &refusals->record[0], *own = NULL;
	unsigned owned = 0;

	for (unsigned i = 0; i < REFUSALS_MAX; i++) {
		struct refusal_record *record = &refusals->record[i];
		if (record->turn < oldest->turn)
			oldest = record;
		if (record->turn == 0 || !is_guests(record, refusal))
			continue;
		if (is_same(record, refusal))
			return record;
		if (own == NULL || record->turn < own->turn)
			own = record;
		owned++;
	}
	return owned < REFUSALS_OF_GUEST ? oldest : own;
}

void refusals_add(struct refusals *refusals, const struct daemon_refusal *refusal, uint64_t now_ms)
{
	struct refusal_record *record = record_of(refusals, refusal);

	if (record->turn == 0 || !is_same(record, refusal)) {
		record->refusal = *refusal;
		record->refusal.count = 0;
	}
	record->refusal.count++;
	record->last_ms = now_ms;
	record->turn = ++refusals->newest;
}

bool refusals_may_log(
	struct refusals *refusals, zone_id zone, uint64_t now_ms, uint64_t *suppressed)
{
	const unsigned guest = zone < ENGINE_LINKS_MAX ? zone : ENGINE_LINKS_MAX;

	if (refusals->log[guest].lines == 0 ||
		now_ms - refusals->log[guest].window_ms >= LOG_WINDOW_MS) {
		refusals->log[guest].window_ms = now_ms;
		refusals->log[guest].lines = 0;
	}
	if (refusals->log[guest].lines == REFUSALS_LINES_MAX) {
		refusals->log[guest].suppressed++;
		return false;
	}
	refusals->log[guest].lines++;
	*suppressed = refusals->log[guest].suppressed;
	refusals->log[guest].suppressed = 0;
	return true;
}

/* The newest that is older than a turn. */
static const struct refusal_record *record_before(const struct refusals *refusals, uint64_t turn)
{
	const struct refusal_record *found = NULL;

	for (unsigned i = 0; i < REFUSALS_MAX; i++) {
		const struct refusal_record *record = &refusals->record[i];
		if (record->turn != 0 && record->turn < turn &&
			(found == NULL || record->turn > found->turn))
			found = record;
	}
	return found;
}

bool refusals_get(const struct refusals *refusals, unsigned index, uint64_t now_ms,
	struct daemon_refusal *refusal)
{
	const struct refusal_record *record = record_before(refusals, UINT64_MAX);

	while (record != NULL && index-- > 0)
		record = record_before(refusals, record->turn);
	if (record == NULL)
		return false;
	*refusal = record->refusal;
	refusal->age_ms = now_ms - record->last_ms;
	return true;
}
