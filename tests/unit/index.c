/* SPDX-License-Identifier: BSD-2-Clause */
/* index: against an array, with full tables, long probe runs and runs over the end. */
#include "engine/index.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "../support/packets.h"

#define ENTRIES 500

struct table {
	struct index index;
	uint32_t slots[ENTRIES * 2];
	uint32_t hash[ENTRIES]; /* of each id */
	bool present[ENTRIES];
	unsigned count;
};

static uint32_t hash_of(const void *context, uint32_t id)
{
	return ((const struct table *)context)->hash[id];
}

static void table_init(struct table *table)
{
	*table = (struct table){.count = 0};
	cr_assert_leq(index_slots(ENTRIES), ENTRIES * 2);
	index_init(&table->index, table->slots, ENTRIES);
}

static void table_insert(struct table *table, uint32_t id, uint32_t hash)
{
	table->hash[id] = hash;
	table->present[id] = true;
	table->count++;
	index_insert(&table->index, hash, id);
}

static void table_remove(struct table *table, uint32_t id)
{
	index_remove(&table->index, table->hash[id], id, hash_of, table);
	table->present[id] = false;
	table->count--;
}

static bool table_finds(const struct table *table, uint32_t id, uint32_t hash)
{
	uint32_t position = index_home(&table->index, hash), found;

	do
		found = index_candidate(&table->index, hash, &position);
	while (found != id && found != INDEX_NONE);
	return found == id;
}

static void expect_sound(const struct table *table)
{
	uint32_t used = 0;

	for (uint32_t id = 0; id < ENTRIES; id++)
		cr_assert_eq(table_finds(table, id, table->hash[id]), table->present[id]);
	for (uint32_t i = 0; i < table->index.count; i++)
		used += table->slots[i] != 0;
	cr_assert_eq(used, table->count);
}

/* How hashes are spread: evenly, in few clusters, all at the end of the table, all the same. */
static uint32_t random_hash(uint64_t *random, unsigned spread)
{
	const uint32_t hash = (uint32_t)test_random(random);

	switch (spread) {
	case 0:
		return hash;
	case 1:
		return hash & 0xf00000ff;
	case 2:
		return 0xffff0000 | hash;
	default:
		return 0xfffffff0;
	}
}

Test(index, is_what_an_array_says)
{
	static struct table table;
	uint64_t random = 1;

	for (unsigned spread = 0; spread < 4; spread++) {
		table_init(&table);
		for (unsigned step = 0; step < 20000; step++) {
			const uint32_t id = (uint32_t)(test_random(&random) % ENTRIES);
			if (table.present[id])
				table_remove(&table, id);
			else
				table_insert(&table, id, random_hash(&random, spread));
			if (step % 500 == 0)
				expect_sound(&table);
		}
		expect_sound(&table);
	}
}

Test(index, can_be_full)
{
	static struct table table;
	uint64_t random = 2;

	for (unsigned spread = 0; spread < 4; spread++) {
		table_init(&table);
		for (uint32_t id = 0; id < ENTRIES; id++)
			table_insert(&table, id, random_hash(&random, spread));
		expect_sound(&table);
		for (uint32_t id = 0; id < ENTRIES; id += 2)
			table_remove(&table, id);
		expect_sound(&table);
		for (uint32_t id = 1; id < ENTRIES; id += 2)
			table_remove(&table, id);
		expect_sound(&table);
	}
}

Test(index, an_id_can_take_another_s_place)
{
	static struct table table;
	const uint32_t hash = 0x12345678;

	table_init(&table);
	for (uint32_t id = 0; id < 10; id++)
		table_insert(&table, id, hash);
	table.hash[100] = hash;
	index_replace(&table.index, hash, 5, 100);
	table.present[5] = false;
	table.present[100] = true;
	expect_sound(&table);
	table_remove(&table, 100);
	expect_sound(&table);
}

/* The first and the last id, and a hash without a bit. */
Test(index, extreme_ids_and_hashes)
{
	static const uint32_t hashes[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
	static struct table table;

	for (unsigned i = 0; i < 5; i++) {
		table_init(&table);
		table_insert(&table, 0, hashes[i]);
		table_insert(&table, ENTRIES - 1, hashes[i]);
		cr_expect(table_finds(&table, 0, hashes[i]));
		cr_expect(table_finds(&table, ENTRIES - 1, hashes[i]));
		cr_expect_not(table_finds(&table, 1, hashes[i]));
		table_remove(&table, 0);
		table_remove(&table, ENTRIES - 1);
		expect_sound(&table);
	}
}

/* A million entries are told apart by so many bits of their hashes that a look-up rarely meets a
 * stranger. */
Test(index, strangers_are_rare)
{
	const uint32_t entries = 1 << 20;
	uint32_t *slots = calloc(index_slots(entries), sizeof(*slots));
	struct index index;
	uint64_t random = 3;
	unsigned strangers = 0;

	cr_assert_not_null(slots);
	index_init(&index, slots, entries);
	for (uint32_t id = 0; id < entries; id++)
		index_insert(&index, (uint32_t)test_random(&random), id);
	for (unsigned i = 0; i < 100000; i++) {
		const uint32_t hash = (uint32_t)test_random(&random);
		uint32_t position = index_home(&index, hash);
		while (index_candidate(&index, hash, &position) != INDEX_NONE)
			strangers++;
	}
	cr_expect_lt(strangers, 2000, "%u in 100000", strangers);
	free(slots);
}
