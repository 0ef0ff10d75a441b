/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limiter: how many packets in how much time: the buckets of a rule's `limit`.
 *
 * A bucket holds credit, in milliseconds times packets of the rate: each millisecond earns
 * `packets`, a packet costs `seconds * 1000`, and `burst` packets' worth is the most there can be.
 * So every rate is exact in integers.  A super-packet of n segments needs credit for one and pays
 * for all n: what that leaves below zero is earned back first.
 *
 * Buckets per source or destination stand in a table of fixed size, eight to a hash.  A newcomer
 * takes the place of the fullest bucket, with what that one had: mostly one that was idle so long
 * that it is full, which is nothing lost; and where somebody fills the table with addresses, no
 * credit comes of it.
 */
#ifndef TUNGATE_ENGINE_LIMITER_H
#define TUNGATE_ENGINE_LIMITER_H

#include "engine/filter.h"

/* NULL: out of memory. */
struct limiter *limiter_create(const struct rule_limit *limit);
void limiter_free(struct limiter *limiter);
/* Is there no credit for this packet? */
bool limiter_is_over(const struct limiter *limiter, const struct engine *engine,
	const struct filter_query *query);
/* It was for this packet: pay for its segments. */
void limiter_take(struct limiter *limiter, const struct engine *engine,
	const struct filter_query *query, uint32_t segments);

#endif
