/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index: a hash index from 32-bit hashes to record numbers, open addressing with linear probing.
 *
 * A slot is one 32-bit word: the record's number plus one in the low bits, and in the bits above
 * as many of the hash's low bits as fit (the high ones choose the slot).  So a look-up touches one
 * cache line of slots, and a record only when it is almost certainly the right one.  Deletion
 * shifts the following slots back, which keeps probing short and needs the hashes of the records
 * that move: the owner recomputes them. There are no pointers and nothing is allocated: the slots
 * are part of the engine's arena.
 *
 * The home slot of a hash is hash * slots / 2^32 (Lemire, "Fast random integer generation in an
 * interval"), so any number of slots will do and the table can be filled to INDEX_LOAD.
 */
#ifndef TUNGATE_ENGINE_INDEX_H
#define TUNGATE_ENGINE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE 0xffffffffu
/* Slots per entry, in percent: full tables are 80 % loaded. */
#define INDEX_SLOTS_PERCENT 125

struct index {
	uint32_t *slots;
	uint32_t count;   /* of slots */
	uint32_t id_mask; /* low bits of a slot that hold id + 1 */
	uint32_t id_bits; /* how many those are */
};

/* Recompute the hash of record `id`, which is in the index. */
typedef uint32_t index_hash(const void *context, uint32_t id);

/* Slots that `entries` entries need, and the bytes of them. */
static inline uint32_t index_slots(uint32_t entries)
{
	return (uint32_t)((uint64_t)entries * INDEX_SLOTS_PERCENT / 100) + 16;
}

/* `slots` is zeroed memory for index_slots(entries) words; ids are below `entries`. */
void index_init(struct index *index, uint32_t *slots, uint32_t entries);

static inline uint32_t index_home(const struct index *index, uint32_t hash)
{
	return (uint32_t)(((uint64_t)hash * index->count) >> 32);
}

/*
 * Walk the candidates for a hash: start with `position = index_home()`, then the id of the next
 * candidate or INDEX_NONE; the caller compares the record and calls again to go on.
 */
static inline uint32_t index_candidate(const struct index *index, uint32_t hash, uint32_t *position)
{
	const uint32_t tag = hash << index->id_bits;

	for (;;) {
		const uint32_t slot = index->slots[*position];
		if (slot == 0)
			return INDEX_NONE;
		if (++*position == index->count)
			*position = 0;
		if ((slot & ~index->id_mask) == tag)
			return (slot & index->id_mask) - 1;
	}
}

void index_insert(struct index *index, uint32_t hash, uint32_t id);
/* Remove `id`, which must be in the index under `hash`. */
void index_remove(
	struct index *index, uint32_t hash, uint32_t id, index_hash *hash_of, const void *context);
/* Put `id` in the place of `old_id`, which must be in the index under the same hash. */
void index_replace(struct index *index, uint32_t hash, uint32_t old_id, uint32_t id);

#endif
