/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index: insertion and deletion; the look-up is inline in the header.
 */
#include "engine/index.h"

void index_init(struct index *index, uint32_t *slots, uint32_t entries)
{
	index->slots = slots;
	index->count = index_slots(entries);
	index->id_bits = 1;
	while (((uint64_t)1 << index->id_bits) <= entries)
		index->id_bits++;
	index->id_mask = ((uint32_t)1 << index->id_bits) - 1;
}

void index_insert(struct index *index, uint32_t hash, uint32_t id)
{
	uint32_t position = index_home(index, hash);

	while (index->slots[position] != 0)
		position = position + 1 == index->count ? 0 : position + 1;
	index->slots[position] = hash << index->id_bits | (id + 1);
}

static uint32_t index_position(const struct index *index, uint32_t hash, uint32_t id)
{
	uint32_t position = index_home(index, hash);

	while ((index->slots[position] & index->id_mask) != id + 1)
		position = position + 1 == index->count ? 0 : position + 1;
	return position;
}

void index_replace(struct index *index, uint32_t hash, uint32_t old_id, uint32_t id)
{
	index->slots[index_position(index, hash, old_id)] = hash << index->id_bits | (id + 1);
}

void index_remove(
	struct index *index, uint32_t hash, uint32_t id, index_hash *hash_of, const void *context)
{
	uint32_t hole = index_position(index, hash, id);
	uint32_t next = hole;

	for (;;) {
		next = next + 1 == index->count ? 0 : next + 1;
		const uint32_t slot = index->slots[next];
		if (slot == 0)
			break;
		const uint32_t home =
			index_home(index, hash_of(context, (slot & index->id_mask) - 1));
		/* The entry may move into the hole unless its home lies between the two. */
		const uint32_t from_home = next >= home ? next - home : next + index->count - home;
		const uint32_t from_hole = next >= hole ? next - hole : next + index->count - hole;
		if (from_home < from_hole)
			continue;
		index->slots[hole] = slot;
		hole = next;
	}
	index->slots[hole] = 0;
}
