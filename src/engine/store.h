/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store: packets set aside, in chunks of memory that was allocated once.
 *
 * Lists are first in, first out.  A packet takes as many chunks as it needs; they belong to
 * exactly one packet of one list, or are free.
 */
#ifndef TUNGATE_ENGINE_STORE_H
#define TUNGATE_ENGINE_STORE_H

#include "tungate/packet.h"

#define STORE_CHUNK_BYTES 2048 /* an Ethernet frame's worth, its bookkeeping included */
#define STORE_NONE        0xffffffffu

struct store_chunk;

struct store {
	struct store_chunk *chunks;
	uint32_t total;
	uint32_t free; /* how many */
	uint32_t free_head;
	uint32_t untouched; /* chunks from here on were never used */
};

struct store_list {
	uint32_t head, tail; /* first chunks of packets */
	uint32_t packets;
	uint32_t chunks; /* of all of them */
};

/* 0 or -ENOMEM. */
int store_create(struct store *store, uint32_t chunks);
void store_free(struct store *store);

/* Chunks that a packet of so many bytes takes. */
uint32_t store_chunks(uint32_t bytes);

void store_list_init(struct store_list *list);
/* Copy a packet to the end of a list, with a place that it came from or goes to.  There must be
 * chunks enough. */
void store_push(struct store *store, struct store_list *list, const struct packet *packet,
	zone_id zone, uint16_t path);
/* Take the first packet: data and length, in_zone and out_zone both as they were given, path.
 * False where there is none. */
bool store_pop(struct store *store, struct store_list *list, struct packet *packet);
/* Forget all of them. */
void store_clear(struct store *store, struct store_list *list);

#endif
