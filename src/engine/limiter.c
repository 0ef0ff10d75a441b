/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limiter: buckets of credit.
 */
#include <stdlib.h>
#include "engine/limiter.h"
#include "engine/state.h"

#define WAYS    8
#define BUCKETS 1024 /* of a limit per source or destination */

struct bucket {
	union addr address;
	uint64_t filled_ms;
	int64_t credit;
	zone_id zone;
	uint8_t family; /* 0: full, and nobody's */
};

struct limiter {
	struct rule_limit limit;
	uint32_t count;
	struct bucket bucket[];
};

static int64_t packet_cost(const struct limiter *limiter)
{
	return (int64_t)limiter->limit.seconds * 1000;
}

struct limiter *limiter_create(const struct rule_limit *limit)
{
	const uint32_t count = limit->per == PER_RULE ? 1 : BUCKETS;
	struct limiter *limiter = calloc(1, sizeof(*limiter) + count * sizeof(limiter->bucket[0]));

	if (limiter == NULL)
		return NULL;
	limiter->limit = *limit;
	limiter->count = count;
	return limiter;
}

void limiter_free(struct limiter *limiter)
{
	free(limiter);
}

/* What a bucket holds by now. */
static int64_t bucket_credit(
	const struct limiter *limiter, const struct bucket *bucket, uint64_t now_ms)
{
	const int64_t most = limiter->limit.burst * packet_cost(limiter);
	const uint64_t missing = (uint64_t)(most - bucket->credit);
	const uint64_t elapsed = now_ms - bucket->filled_ms;

	if (bucket->family == 0 || elapsed > missing / limiter->limit.packets)
		return most;
	return bucket->credit + (int64_t)(elapsed * limiter->limit.packets);
}

static uint32_t address_hash(
	const struct engine *engine, uint8_t family, zone_id zone, const union addr *address)
{
	const uint64_t words[] = {
		(uint64_t)zone << 8 | family, address->halves[0], address->halves[1]};

	return (uint32_t)(siphash_words(&engine->hash_key, words, 3) >> 32);
}

/* Whose bucket it is: the address's own, or that which it will take over. */
static uint32_t bucket_find(
	const struct limiter *limiter, const struct engine *engine, const struct bucket *wanted)
{
	const uint32_t hash = address_hash(engine, wanted->family, wanted->zone, &wanted->address);
	const uint32_t first = hash % (limiter->count / WAYS) * WAYS;
	uint32_t fullest = first;

	for (uint32_t i = first; i < first + WAYS; i++) {
		const struct bucket *bucket = &limiter->bucket[i];
		if (bucket->family == wanted->family && bucket->zone == wanted->zone &&
			addr_equal(&bucket->address, &wanted->address))
			return i;
		if (bucket_credit(limiter, bucket, engine->now_ms) >
			bucket_credit(limiter, &limiter->bucket[fullest], engine->now_ms))
			fullest = i;
	}
	return fullest;
}

/* The bucket that a packet is paid from, and by whom. */
static uint32_t bucket_of(const struct limiter *limiter, const struct engine *engine,
	const struct filter_query *query, struct bucket *owner)
{
	const bool source = limiter->limit.per == PER_SOURCE;

	*owner = (struct bucket){.family = query->family};
	if (limiter->limit.per == PER_RULE)
		return 0;
	owner->address = source ? *query->source : *query->destination;
	owner->zone = source ? query->source_zone : query->destination_zone;
	return bucket_find(limiter, engine, owner);
}

bool limiter_is_over(const struct limiter *limiter, const struct engine *engine,
	const struct filter_query *query)
{
	struct bucket owner;
	const uint32_t i = bucket_of(limiter, engine, query, &owner);

	return bucket_credit(limiter, &limiter->bucket[i], engine->now_ms) < packet_cost(limiter);
}

void limiter_take(struct limiter *limiter, const struct engine *engine,
	const struct filter_query *query, uint32_t segments)
{
	struct bucket owner;
	const uint32_t i = bucket_of(limiter, engine, query, &owner);

	owner.credit = bucket_credit(limiter, &limiter->bucket[i], engine->now_ms) -
		       segments * packet_cost(limiter);
	owner.filled_ms = engine->now_ms;
	limiter->bucket[i] = owner;
}
