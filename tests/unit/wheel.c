/* SPDX-License-Identifier: BSD-2-Clause */
/* wheel: against a plain array that is searched from end to end, over years of virtual time. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "base/wheel.h"

#define RECORDS 512
#define GRAIN   64 /* ms: how late the wheel may be */

struct record {
	uint64_t before;
	struct wheel_node node;
	uint32_t after;
};

struct world {
	struct wheel wheel;
	struct wheel_slab slab;
	struct record record[RECORDS];
	uint64_t deadline_ms[RECORDS]; /* UINT64_MAX: not in the wheel */
	uint64_t now_ms;
};

static struct world *world_create(uint64_t now_ms)
{
	struct world *w = calloc(1, sizeof(*w));

	w->slab = (struct wheel_slab){(uint8_t *)&w->record[0].node, sizeof(struct record)};
	w->now_ms = now_ms;
	wheel_init(&w->wheel, now_ms);
	for (uint32_t i = 0; i < RECORDS; i++) {
		wheel_node_init(&w->record[i].node);
		w->deadline_ms[i] = UINT64_MAX;
	}
	return w;
}

static void world_add(struct world *w, uint32_t i, uint64_t deadline_ms)
{
	w->deadline_ms[i] = deadline_ms;
	wheel_add(&w->wheel, &w->slab, i, deadline_ms);
}

/* Take out what is due and check each against the array; returns how many. */
static unsigned world_expire(struct world *w, unsigned budget)
{
	unsigned count = 0;
	uint32_t i;

	while ((i = wheel_next_expired(&w->wheel, &w->slab, w->now_ms, &budget)) != WHEEL_NONE) {
		cr_assert_lt(i, RECORDS);
		cr_assert_leq(w->deadline_ms[i], w->now_ms, "record %u came early", i);
		cr_assert_not(wheel_node_linked(&w->record[i].node));
		w->deadline_ms[i] = UINT64_MAX;
		count++;
	}
	return count;
}

static uint64_t world_first(const struct world *w)
{
	uint64_t first = UINT64_MAX;

	for (uint32_t i = 0; i < RECORDS; i++)
		if (w->deadline_ms[i] < first)
			first = w->deadline_ms[i];
	return first;
}

/* Nothing that is due by more than the grain may still lie in the wheel. */
static void world_check(const struct world *w)
{
	const uint64_t first = world_first(w), deadline = wheel_deadline(&w->wheel);

	if (first == UINT64_MAX) {
		cr_assert_eq(deadline, UINT64_MAX);
		return;
	}
	cr_assert_gt(first + GRAIN, w->now_ms, "overdue since %lu", w->now_ms - first);
	cr_assert_leq(deadline, first + GRAIN);
}

Test(wheel, empty_has_no_deadline)
{
	struct world *w = world_create(123456);

	cr_assert_eq(wheel_deadline(&w->wheel), UINT64_MAX);
	cr_assert_eq(world_expire(w, 10), 0);
	free(w);
}

Test(wheel, fires_late_by_less_than_a_slot_and_never_early)
{
	const uint64_t delays[] = {0, 1, 63, 64, 65, 4095, 4096, 4097, 262143, 262145, 7440000,
		16777215, 16777217, 432000000, 1ULL << 30};
	const uint64_t starts[] = {0, 1, 4095, 0xfffff000ULL, 0x100000000ULL - 1, 0x3ffffffffULL};

	for (size_t s = 0; s < sizeof(starts) / sizeof(*starts); s++) {
		for (size_t d = 0; d < sizeof(delays) / sizeof(*delays); d++) {
			struct world *w = world_create(starts[s]);
			world_add(w, 7, starts[s] + delays[d]);
			while (wheel_deadline(&w->wheel) != UINT64_MAX) {
				w->now_ms = wheel_deadline(&w->wheel);
				world_check(w);
				world_expire(w, 1);
			}
			cr_assert_eq(w->deadline_ms[7], UINT64_MAX);
			cr_assert_lt(w->now_ms, starts[s] + delays[d] + GRAIN);
			free(w);
		}
	}
}

Test(wheel, deadline_in_the_past_fires_at_once)
{
	struct world *w = world_create(1000000);

	world_add(w, 1, 5);
	cr_assert_leq(wheel_deadline(&w->wheel), w->now_ms);
	cr_assert_eq(world_expire(w, 10), 1);
	free(w);
}

Test(wheel, a_deadline_put_off_is_honoured_without_touching_the_wheel)
{
	struct world *w = world_create(0);

	world_add(w, 3, 1000);
	for (w->now_ms = 0; w->now_ms < 100000; w->now_ms += 500) {
		w->deadline_ms[3] = w->now_ms + 1000;
		w->record[3].node.deadline_ms = (uint32_t)w->deadline_ms[3];
		cr_assert_eq(world_expire(w, 10), 0);
	}
	w->now_ms = w->deadline_ms[3] + GRAIN;
	cr_assert_eq(world_expire(w, 10), 1);
	free(w);
}

Test(wheel, work_is_bounded_by_the_budget)
{
	struct world *w = world_create(0);

	for (uint32_t i = 0; i < RECORDS; i++)
		world_add(w, i, 300000); /* all in one slot of an upper wheel */
	w->now_ms = 400000;
	unsigned expired = 0, rounds = 0;
	while (wheel_deadline(&w->wheel) <= w->now_ms) {
		const unsigned before = expired;
		expired += world_expire(w, 10);
		cr_assert_leq(expired - before, 10);
		cr_assert_lt(++rounds, 1000);
	}
	cr_assert_eq(expired, RECORDS);
	cr_assert_geq(rounds, RECORDS / 10);
	free(w);
}

Test(wheel, an_empty_wheel_may_stand_still_for_years)
{
	struct world *w = world_create(0xfffff000ULL);

	for (unsigned i = 0; i < 400; i++) {
		w->now_ms += 250000000ULL * i; /* three days, six, nine ... three years */
		world_add(w, 5, w->now_ms + 1000);
		world_add(w, 6, w->now_ms);
		cr_assert_leq(world_expire(w, 20), 1);
		cr_assert_gt(wheel_deadline(&w->wheel), w->now_ms, "turns on the spot");
		w->now_ms += 1000 + GRAIN;
		world_expire(w, 1000);
		cr_assert_eq(wheel_deadline(&w->wheel), UINT64_MAX);
	}
	free(w);
}

Test(wheel, remove_takes_out_first_middle_last_and_is_idle_twice)
{
	struct world *w = world_create(0);

	for (uint32_t i = 0; i < 3; i++)
		world_add(w, i, 100);
	for (uint32_t i = 0; i < 3; i++) {
		wheel_remove(&w->wheel, &w->slab, (i + 1) % 3);
		wheel_remove(&w->wheel, &w->slab, (i + 1) % 3);
		w->deadline_ms[(i + 1) % 3] = UINT64_MAX;
	}
	world_check(w);
	w->now_ms = 1000;
	cr_assert_eq(world_expire(w, 10), 0);
	free(w);
}

/* xorshift: the same years in every run */
static uint32_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}

/* One random thing happens to record i: in, out, or put off. */
static void disturb(struct world *w, uint32_t i, uint64_t *random)
{
	const uint64_t delay = next_random(random) % (2u << next_random(random) % 30);

	if (w->deadline_ms[i] == UINT64_MAX) {
		world_add(w, i, w->now_ms + delay);
	} else if (next_random(random) % 3 == 0) {
		wheel_remove(&w->wheel, &w->slab, i);
		w->deadline_ms[i] = UINT64_MAX;
	} else if (w->now_ms + delay > w->deadline_ms[i]) {
		w->deadline_ms[i] = w->now_ms + delay;
		w->record[i].node.deadline_ms = (uint32_t)w->deadline_ms[i];
	}
}

Test(wheel, agrees_with_an_array_over_years)
{
	struct world *w = world_create(0xfffff000ULL);
	uint64_t random = 88172645463325252ULL;
	unsigned expired = 0;

	for (unsigned step = 0; step < 30000; step++) {
		for (unsigned n = next_random(&random) % 8; n > 0; n--)
			disturb(w, next_random(&random) % RECORDS, &random);
		/* seconds as a rule, now and then days; a small budget leaves work half done */
		w->now_ms += next_random(&random) % (step % 100 == 0 ? 400000000 : 3000);
		expired += world_expire(w, next_random(&random) % 5);
		if (step % 2 == 0) {
			expired += world_expire(w, 1000000);
			world_check(w);
		}
	}
	cr_assert_gt(expired, 10000);
	free(w);
}

static uint32_t list_pop(struct wheel_list *list, const struct wheel_slab *slab)
{
	const uint32_t first = list_first(list);

	if (first != WHEEL_NONE)
		list_remove(list, slab, first);
	return first;
}

Test(list, first_in_first_out)
{
	struct world *w = world_create(0);
	struct wheel_list list;

	list_init(&list);
	cr_assert_eq(list_first(&list), WHEEL_NONE);
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 5; i++)
			list_push(&list, &w->slab, 10 * i);
		for (uint32_t i = 0; i < 5; i++)
			cr_assert_eq(list_pop(&list, &w->slab), 10 * i);
		cr_assert_eq(list_pop(&list, &w->slab), WHEEL_NONE);
	}
	free(w);
}

Test(list, remove_anywhere)
{
	struct world *w = world_create(0);
	struct wheel_list list;

	list_init(&list);
	for (uint32_t i = 0; i < 5; i++)
		list_push(&list, &w->slab, i);
	cr_assert(wheel_node_linked(&w->record[0].node));
	list_remove(&list, &w->slab, 0);
	list_remove(&list, &w->slab, 4);
	list_remove(&list, &w->slab, 2);
	cr_assert_not(wheel_node_linked(&w->record[0].node));
	list_push(&list, &w->slab, 4);
	cr_assert_eq(list_pop(&list, &w->slab), 1);
	cr_assert_eq(list_pop(&list, &w->slab), 3);
	cr_assert_eq(list_pop(&list, &w->slab), 4);
	cr_assert_eq(list_pop(&list, &w->slab), WHEEL_NONE);
	free(w);
}
