/* SPDX-License-Identifier: BSD-2-Clause */
/* store: packets in chains of chunks. */
#include "engine/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_DATA (STORE_CHUNK_BYTES - 16)

struct store_chunk {
	uint32_t next;   /* of the same packet, or free */
	uint32_t behind; /* first chunk of the list's next packet */
	uint32_t length; /* of the packet */
	zone_id zone;
	uint16_t path;
	uint8_t data[CHUNK_DATA];
};
static_assert(sizeof(struct store_chunk) == STORE_CHUNK_BYTES, "what the limit counts");

int store_create(struct store *store, uint32_t chunks)
{
	*store = (struct store){.total = chunks, .free = chunks, .free_head = STORE_NONE};
	store->chunks = malloc((size_t)chunks * sizeof(*store->chunks));
	return store->chunks == NULL ? -ENOMEM : 0;
}

void store_free(struct store *store)
{
	free(store->chunks);
}

uint32_t store_chunks(uint32_t bytes)
{
	return (bytes + CHUNK_DATA - 1) / CHUNK_DATA;
}

void store_list_init(struct store_list *list)
{
	*list = (struct store_list){.head = STORE_NONE, .tail = STORE_NONE};
}

static uint32_t chunk_take(struct store *store)
{
	const uint32_t id = store->free_head;

	store->free--;
	if (id == STORE_NONE)
		return store->untouched++;
	store->free_head = store->chunks[id].next;
	return id;
}

static uint32_t chunk_give(struct store *store, uint32_t id)
{
	const uint32_t next = store->chunks[id].next;

	store->chunks[id].next = store->free_head;
	store->free_head = id;
	store->free++;
	return next;
}

void store_push(struct store *store, struct store_list *list, const struct packet *packet,
	zone_id zone, uint16_t path)
{
	uint32_t first = STORE_NONE, *link = &first;

	for (uint32_t at = 0; at < packet->length; at += CHUNK_DATA) {
		const uint32_t left = packet->length - at;
		const uint32_t id = chunk_take(store);
		struct store_chunk *chunk = &store->chunks[id];

		chunk->next = STORE_NONE;
		memcpy(chunk->data, packet->data + at, left < CHUNK_DATA ? left : CHUNK_DATA);
		*link = id;
		link = &chunk->next;
	}
	struct store_chunk *head = &store->chunks[first];
	head->behind = STORE_NONE;
	head->length = packet->length;
	head->zone = zone;
	head->path = path;
	if (list->tail == STORE_NONE)
		list->head = first;
	else
		store->chunks[list->tail].behind = first;
	list->tail = first;
	list->packets++;
	list->chunks += store_chunks(packet->length);
}

/* Take the first packet out, into `to` where that is not NULL. */
static void list_shift(struct store *store, struct store_list *list, uint8_t *to)
{
	const struct store_chunk head = store->chunks[list->head];
	uint32_t id = list->head, left = head.length;

	list->head = head.behind;
	if (list->head == STORE_NONE)
		list->tail = STORE_NONE;
	list->packets--;
	list->chunks -= store_chunks(left);
	while (id != STORE_NONE) {
		const uint32_t bytes = left < CHUNK_DATA ? left : CHUNK_DATA;

		if (to != NULL)
			to = mempcpy(to, store->chunks[id].data, bytes);
		left -= bytes;
		id = chunk_give(store, id);
	}
}

bool store_pop(struct store *store, struct store_list *list, struct packet *packet)
{
	if (list->head == STORE_NONE)
		return false;
	const struct store_chunk *head = &store->chunks[list->head];
	packet->length = head->length;
	packet->in_zone = packet->out_zone = head->zone;
	packet->path = head->path;
	packet->offload = (struct offload){0};
	packet->parsed = false;
	list_shift(store, list, packet->data);
	return true;
}

void store_clear(struct store *store, struct store_list *list)
{
	while (list->head != STORE_NONE)
		list_shift(store, list, NULL);
}
