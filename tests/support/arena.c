/* SPDX-License-Identifier: BSD-2-Clause */
/* arena: an engine's memory, from the kernel. */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE_BYTES 4096
#define ALIGNMENT  64

static size_t pages_bytes(size_t bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* What the alignment leaves over lies before the arena, so that its end meets the guard. */
static size_t lead_bytes(size_t bytes)
{
	return (pages_bytes(bytes) - bytes) / ALIGNMENT * ALIGNMENT;
}

void *arena_map(size_t bytes)
{
	const size_t pages = pages_bytes(bytes);
	uint8_t *base = mmap(NULL, pages + PAGE_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED || mprotect(base + pages, PAGE_BYTES, PROT_NONE) < 0)
		abort();
	return base + lead_bytes(bytes);
}

void arena_unmap(void *arena, size_t bytes)
{
	munmap((uint8_t *)arena - lead_bytes(bytes), pages_bytes(bytes) + PAGE_BYTES);
}
