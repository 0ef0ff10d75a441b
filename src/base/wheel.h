/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel: hierarchical timing wheels (Varghese and Lauck 1987, scheme 7) over records that are
 * named by a 32-bit index, and FIFO lists over the same records.
 *
 * Four wheels of 64 slots turn at 64 ms, 4 s, 262 s and 4.7 h a slot.  A record lies in the lowest
 * wheel whose present turn still contains its deadline; when a slot of an upper wheel comes up its
 * records move down, and a slot of the lowest wheel expires them: never early, at most 64 ms late.
 *
 * Timers are lazy.  To put a deadline off, a packet's way writes node->deadline_ms and is done: the
 * record stays where it is, and the slot that comes up too soon puts it back where it belongs.  So
 * a busy record costs one move per timeout, not one per packet.  To bring a deadline forward,
 * wheel_remove() and wheel_add().
 *
 * Nothing here is a pointer, so a wheel and its records may lie in a mapped file.
 */
#ifndef TUNGATE_BASE_WHEEL_H
#define TUNGATE_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_NONE      0xffffffffu
#define WHEEL_INDEX_MAX 0x7fffffffu /* indices lie below; the rest of the space names heads */

/* A record's place in a wheel or a list; in neither after wheel_node_init(). */
struct wheel_node {
	uint32_t next;
	uint32_t prev;
	uint32_t deadline_ms; /* the low half of the clock; at most 2^30 ms (12 days) ahead of it */
};

/* Where the nodes are: node(i) lies `stride` bytes times i behind `base`, the node of record 0. */
struct wheel_slab {
	uint8_t *base;
	uint32_t stride; /* bytes */
};

#define WHEEL_LEVELS 4
#define WHEEL_SLOTS  64

struct wheel {
	uint64_t tick;                   /* now, in units of 64 ms, as far as it has been turned */
	uint64_t occupied[WHEEL_LEVELS]; /* bit n: slot n has records */
	uint32_t head[WHEEL_LEVELS][WHEEL_SLOTS];
};

struct wheel_list {
	uint32_t head;
	uint32_t tail;
};

static inline struct wheel_node *wheel_node(const struct wheel_slab *slab, uint32_t index)
{
	return (struct wheel_node *)(slab->base + (uint64_t)index * slab->stride);
}

static inline void wheel_node_init(struct wheel_node *node)
{
	node->next = node->prev = WHEEL_NONE;
}

/* Is it in a wheel or in a list? */
static inline bool wheel_node_linked(const struct wheel_node *node)
{
	return node->prev != WHEEL_NONE;
}

void wheel_init(struct wheel *wheel, uint64_t now_ms);
/* Put a record that is in no wheel and no list into the wheel. */
void wheel_add(
	struct wheel *wheel, const struct wheel_slab *slab, uint32_t index, uint64_t deadline_ms);
/* Take a record out of the wheel; one that is not linked stays as it is. */
void wheel_remove(struct wheel *wheel, const struct wheel_slab *slab, uint32_t index);
/*
 * Turn the wheel up to now: the next record whose deadline has come, taken out of the wheel, or
 * WHEEL_NONE.  Every record looked at costs one of *budget.  With none left the answer is
 * WHEEL_NONE though there may be more, and wheel_deadline() is not later than now.
 */
uint32_t wheel_next_expired(
	struct wheel *wheel, const struct wheel_slab *slab, uint64_t now_ms, unsigned *budget);
/* When wheel_next_expired() next has something to do: perhaps early, never later than the first
 * deadline by more than 64 ms; UINT64_MAX where the wheel is empty. */
uint64_t wheel_deadline(const struct wheel *wheel);

void list_init(struct wheel_list *list);
/* Put a record that is in no wheel and no list behind the last one.  Its deadline is the caller's.
 */
void list_push(struct wheel_list *list, const struct wheel_slab *slab, uint32_t index);
/* Take a record of this list out of it. */
void list_remove(struct wheel_list *list, const struct wheel_slab *slab, uint32_t index);
/* The record that has been in the list for longest, or WHEEL_NONE; it stays. */
static inline uint32_t list_first(const struct wheel_list *list)
{
	return list->head;
}

#endif
