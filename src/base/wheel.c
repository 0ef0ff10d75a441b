/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel: hierarchical timing wheels over indices.
 *
 * Time is counted in ticks of 64 ms.  Six bits of a tick's number choose a slot on each level, the
 * lowest six on level 0.  A record goes to the level of the highest bit in which its tick differs
 * from the wheel's: everything on one level is then due before anything on the next, an occupied
 * slot is always ahead of the wheel's own position, and turning never meets a slot twice.  Only the
 * uppermost level wraps around.
 *
 * A slot comes up at its first tick.  On level 0 that is the (rounded up) deadline.  Above, the
 * records in it are placed anew and end on a lower level; the wheel's position then lies in the
 * slot that is being emptied, which is why equal ticks prefer the upper level: half-done work
 * first.
 *
 * Lists are doubly linked.  The first record's prev names the head that it hangs on, so that a
 * record leaves in constant time although its deadline, changed since, no longer tells its slot.
 */
#include "base/wheel.h"

#define TICK_SHIFT 6 /* 64 ms */
#define SLOT_SHIFT 6
#define SLOT_MASK  (WHEEL_SLOTS - 1)
#define HEAD_WHEEL 0x80000000u /* prev of a slot's first record: with level and slot */
#define HEAD_LIST  0xfffffffeu /* prev of a list's first record */
/* How far ahead the uppermost level can tell turns apart.  A later record comes up that early, and
 * goes around again. */
#define TICKS_AHEAD ((uint64_t)(WHEEL_SLOTS - 1) << (SLOT_SHIFT * (WHEEL_LEVELS - 1)))

/* The longest delay that a deadline may have: 2^30 ms. */
#define DELAY_TICKS (1ULL << (30 - TICK_SHIFT))

struct place {
	unsigned level;
	unsigned slot;
};

void wheel_init(struct wheel *wheel, uint64_t now_ms)
{
	wheel->tick = now_ms >> TICK_SHIFT;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		wheel->occupied[level] = 0;
		for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
			wheel->head[level][slot] = WHEEL_NONE;
	}
}

/* The first tick that is not before the deadline; the wheel's own if that has passed. */
static uint64_t deadline_tick(const struct wheel *wheel, uint32_t deadline_ms)
{
	const int32_t ahead_ms = (int32_t)(deadline_ms - (uint32_t)(wheel->tick << TICK_SHIFT));

	if (ahead_ms <= 0)
		return wheel->tick;
	const uint64_t ahead = ((uint64_t)ahead_ms + (1 << TICK_SHIFT) - 1) >> TICK_SHIFT;
	return wheel->tick + (ahead < TICKS_AHEAD ? ahead : TICKS_AHEAD);
}

static struct place tick_place(const struct wheel *wheel, uint64_t tick)
{
	const uint64_t differing = tick ^ wheel->tick;
	unsigned level = 0;

	while (level < WHEEL_LEVELS - 1 && differing >> (SLOT_SHIFT * (level + 1)) != 0)
		level++;
	return (struct place){level, (unsigned)(tick >> (SLOT_SHIFT * level)) & SLOT_MASK};
}

static void place_record(struct wheel *wheel, const struct wheel_slab *slab, uint32_t index)
{
	struct wheel_node *node = wheel_node(slab, index);
	const struct place place = tick_place(wheel, deadline_tick(wheel, node->deadline_ms));
	uint32_t *head = &wheel->head[place.level][place.slot];

	node->prev = HEAD_WHEEL | place.level << SLOT_SHIFT | place.slot;
	node->next = *head;
	if (*head != WHEEL_NONE)
		wheel_node(slab, *head)->prev = index;
	*head = index;
	wheel->occupied[place.level] |= 1ULL << place.slot;
}

static bool is_empty(const struct wheel *wheel)
{
	uint64_t occupied = 0;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		occupied |= wheel->occupied[level];
	return occupied == 0;
}

/* Nobody turns an empty wheel: it may lie so far behind that deadlines, of 32 bits, would seem to
 * have passed.  As none is set more than the longest delay ahead of now, that long before it is
 * safe. */
static void catch_up(struct wheel *wheel, uint64_t deadline_ms)
{
	const uint64_t tick = deadline_ms >> TICK_SHIFT;

	if (tick > wheel->tick + DELAY_TICKS && is_empty(wheel))
		wheel->tick = tick - DELAY_TICKS;
}

void wheel_add(
	struct wheel *wheel, const struct wheel_slab *slab, uint32_t index, uint64_t deadline_ms)
{
	catch_up(wheel, deadline_ms);
	wheel_node(slab, index)->deadline_ms = (uint32_t)deadline_ms;
	place_record(wheel, slab, index);
}

/* The first record of a slot goes: the next one, if any, is the first. */
static void head_replace(struct wheel *wheel, uint32_t prev, uint32_t next)
{
	const unsigned level = prev >> SLOT_SHIFT & (WHEEL_LEVELS - 1), slot = prev & SLOT_MASK;

	wheel->head[level][slot] = next;
	if (next == WHEEL_NONE)
		wheel->occupied[level] &= ~(1ULL << slot);
}

void wheel_remove(struct wheel *wheel, const struct wheel_slab *slab, uint32_t index)
{
	struct wheel_node *node = wheel_node(slab, index);

	if (!wheel_node_linked(node))
		return;
	if (node->next != WHEEL_NONE)
		wheel_node(slab, node->next)->prev = node->prev;
	if (node->prev & HEAD_WHEEL)
		head_replace(wheel, node->prev, node->next);
	else
		wheel_node(slab, node->prev)->next = node->next;
	wheel_node_init(node);
}

/* The level's next occupied slot, counted from the wheel's position; the level is not empty. */
static unsigned slots_ahead(const struct wheel *wheel, unsigned level)
{
	const unsigned position = (unsigned)(wheel->tick >> (SLOT_SHIFT * level)) & SLOT_MASK;
	const uint64_t occupied = wheel->occupied[level];
	const uint64_t turned = occupied >> position | occupied << (-position & SLOT_MASK);

	return (unsigned)__builtin_ctzll(turned);
}

/* The tick at which the next slot comes up, and the slot; UINT64_MAX where there is none. */
static uint64_t next_slot(const struct wheel *wheel, struct place *place)
{
	uint64_t first = UINT64_MAX;

	for (unsigned level = WHEEL_LEVELS; level-- > 0;) {
		if (wheel->occupied[level] == 0)
			continue;
		const unsigned shift = SLOT_SHIFT * level;
		const uint64_t turn = (wheel->tick >> shift) + slots_ahead(wheel, level);
		if (turn << shift >= first)
			continue;
		first = turn << shift;
		*place = (struct place){level, (unsigned)turn & SLOT_MASK};
	}
	return first;
}

/* Turn the wheel to its next occupied slot, if that has come up by now, else to now itself. */
static bool turn_to_slot(struct wheel *wheel, uint64_t now, struct place *place)
{
	const uint64_t tick = next_slot(wheel, place);
	const uint64_t reached = tick < now ? tick : now;

	if (wheel->tick < reached)
		wheel->tick = reached;
	return tick <= now;
}

uint32_t wheel_next_expired(
	struct wheel *wheel, const struct wheel_slab *slab, uint64_t now_ms, unsigned *budget)
{
	struct place place = {0};

	while (*budget > 0) {
		if (!turn_to_slot(wheel, now_ms >> TICK_SHIFT, &place))
			return WHEEL_NONE;
		--*budget;
		const uint32_t index = wheel->head[place.level][place.slot];
		wheel_remove(wheel, slab, index);
		if ((int32_t)(wheel_node(slab, index)->deadline_ms - (uint32_t)now_ms) <= 0)
			return index;
		place_record(wheel, slab, index);
	}
	return WHEEL_NONE;
}

uint64_t wheel_deadline(const struct wheel *wheel)
{
	struct place place;
	const uint64_t tick = next_slot(wheel, &place);

	return tick == UINT64_MAX ? UINT64_MAX : tick << TICK_SHIFT;
}

void list_init(struct wheel_list *list)
{
	list->head = list->tail = WHEEL_NONE;
}

void list_push(struct wheel_list *list, const struct wheel_slab *slab, uint32_t index)
{
	struct wheel_node *node = wheel_node(slab, index);

	node->next = WHEEL_NONE;
	node->prev = list->tail == WHEEL_NONE ? HEAD_LIST : list->tail;
	if (list->tail == WHEEL_NONE)
		list->head = index;
	else
		wheel_node(slab, list->tail)->next = index;
	list->tail = index;
}

void list_remove(struct wheel_list *list, const struct wheel_slab *slab, uint32_t index)
{
	struct wheel_node *node = wheel_node(slab, index);

	if (node->next == WHEEL_NONE)
		list->tail = node->prev == HEAD_LIST ? WHEEL_NONE : node->prev;
	else
		wheel_node(slab, node->next)->prev = node->prev;
	if (node->prev == HEAD_LIST)
		list->head = node->next;
	else
		wheel_node(slab, node->prev)->next = node->next;
	wheel_node_init(node);
}
