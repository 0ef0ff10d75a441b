/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * share: something limited that several have together, so that none of them can take it from the
 * others, and none need be idle: half of it is kept for them in equal parts, the other half is for
 * whoever comes first.
 *
 * What somebody has beyond the own part is counted as common.
 */
#ifndef TUNGATE_BASE_SHARE_H
#define TUNGATE_BASE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct share {
	uint32_t kept; /* for each */
	uint32_t pool; /* for all */
};

static inline struct share share_of(uint32_t all, uint32_t sharers)
{
	const uint32_t kept = sharers > 0 ? all / 2 / sharers : all;

	return (struct share){.kept = kept, .pool = all - kept * sharers};
}

/* Of `own`, what lies in the common half. */
static inline uint32_t share_common(const struct share *share, uint32_t own)
{
	return own > share->kept ? own - share->kept : 0;
}

/* May somebody with `own` have `more`, where all together have `common` of the common half? */
static inline bool share_allows(
	const struct share *share, uint32_t own, uint32_t more, uint32_t common)
{
	return share_common(share, own + more) - share_common(share, own) <=
	       (common < share->pool ? share->pool - common : 0);
}

#endif
