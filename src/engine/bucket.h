/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bucket: a token bucket in one word (the generic cell rate algorithm): until when what has passed
 * so far lasts at the permitted rate.  A bucket of zeros is full.
 */
#ifndef TUNGATE_ENGINE_BUCKET_H
#define TUNGATE_ENGINE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t bucket_time; /* nanoseconds on the engine's clock */

#define BUCKET_NS_PER_MS 1000000ULL
#define BUCKET_NS_PER_S  1000000000ULL

/*
 * May `amount` pass at `rate` a second (0: nothing may), with bursts of what `burst_ms` are worth?
 * An amount larger than a burst passes when the bucket is full, and is paid for afterwards.
 */
static inline bool bucket_has(
	bucket_time until, uint64_t now_ms, uint32_t rate, uint32_t burst_ms, uint32_t amount)
{
	const uint64_t now = now_ms * BUCKET_NS_PER_MS;

	if (rate == 0)
		return false;
	return until <= now ||
	       until - now + amount * BUCKET_NS_PER_S / rate <= burst_ms * BUCKET_NS_PER_MS;
}

static inline void bucket_pay(bucket_time *until, uint64_t now_ms, uint32_t rate, uint32_t amount)
{
	const uint64_t now = now_ms * BUCKET_NS_PER_MS;

	*until = (*until > now ? *until : now) + amount * BUCKET_NS_PER_S / rate;
}

#endif
