/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena: an engine's memory as the daemon gives it: zeroed by the kernel, so that what a test does
 * not touch costs it nothing, and with an inaccessible page behind its end.
 */
#ifndef TUNGATE_TESTS_ARENA_H
#define TUNGATE_TESTS_ARENA_H

#include <stddef.h>

/* Aborts where there is no memory. */
void *arena_map(size_t bytes);
void arena_unmap(void *arena, size_t bytes);

#endif
