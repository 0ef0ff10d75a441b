/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extra: a slab of records for few flows.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "engine/expect.h"
#include "engine/extra.h"
#include "engine/state.h"

int extras_create(struct extras *extras, uint32_t max)
{
	*extras = (struct extras){.max = max > 0 ? max : 1};
	extras->records = calloc(extras->max + 1, sizeof(*extras->records));
	if (extras->records == NULL)
		return -ENOMEM;
	extras->free_head = EXTRA_NONE;
	return 0;
}

void extras_free(struct extras *extras)
{
	free(extras->records);
}

struct extra *extra_of(const struct engine *engine, const struct flow *flow)
{
	return flow->extra == EXTRA_NONE ? NULL : &engine->extras.records[flow->extra];
}

static uint32_t share(const struct extras *extras)
{
	return extras->max / 4 > 0 ? extras->max / 4 : 1;
}

bool extra_has_room(const struct engine *engine, const struct flow *flow)
{
	const struct extras *extras = &engine->extras;

	for (enum direction d = ORIGINAL; d <= REPLY; d++)
		if (flow->zone[d] < ENGINE_LINKS_MAX &&
			extras->owner[flow->zone[d]] >= share(extras))
			return false;
	return extras->count < extras->max;
}

/* One that was given back, or the next that was never used: memory is touched as it is needed. */
static uint32_t record_take(struct extras *extras)
{
	const uint32_t id = extras->free_head;

	extras->count++;
	if (id == EXTRA_NONE)
		return ++extras->touched;
	extras->free_head = extras->records[id].next;
	return id;
}

/* Count a record to, or from, the links of its flow. */
static void owners_add(struct extras *extras, const struct flow *flow, uint32_t one)
{
	for (enum direction d = ORIGINAL; d <= REPLY; d++)
		if (flow->zone[d] < ENGINE_LINKS_MAX)
			extras->owner[flow->zone[d]] += one;
}

struct extra *extra_take(struct engine *engine, struct flow *flow)
{
	struct extras *extras = &engine->extras;

	if (flow->extra != EXTRA_NONE)
		return extra_of(engine, flow);
	if (!extra_has_room(engine, flow))
		return NULL;
	flow->extra = record_take(extras);
	struct extra *extra = extra_of(engine, flow);
	owners_add(extras, flow, 1);
	extra->flow = flow_id(engine, flow);
	extra->master = FLOW_NONE;
	extra->announced_by = extra->helper = HELPER_NONE;
	extra->children = 0;
	list_init(&extra->expectations);
	for (unsigned i = 0; i < HELPER_STATE_WORDS; i++)
		extra->state[i] = 0;
	for (enum direction d = ORIGINAL; d <= REPLY; d++) {
		extra->stream[d] = (struct helper_stream){0};
		seqadj_init(&extra->adjust[d]);
	}
	return extra;
}

/* Those that this flow announced go on without it. */
static void children_orphan(struct engine *engine, uint32_t master)
{
	for (uint32_t id = 1; id <= engine->extras.touched; id++)
		if (engine->extras.records[id].master == master)
			engine->extras.records[id].master = FLOW_NONE;
}

static void child_leave(struct engine *engine, const struct extra *extra)
{
	struct extra *master = extra->master == FLOW_NONE
				       ? NULL
				       : extra_of(engine, flow_at(engine, extra->master));

	if (master != NULL)
		master->children--;
}

void extra_release(struct engine *engine, struct flow *flow)
{
	struct extra *extra = extra_of(engine, flow);

	expect_end_all(engine, extra);
	if (extra->children > 0)
		children_orphan(engine, extra->flow);
	child_leave(engine, extra);
	owners_add(&engine->extras, flow, -1u);
	extra->flow = extra->master = FLOW_NONE;
	extra->next = engine->extras.free_head;
	engine->extras.free_head = flow->extra;
	engine->extras.count--;
	flow->extra = EXTRA_NONE;
}
