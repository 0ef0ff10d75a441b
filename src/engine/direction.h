/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * direction: which way a packet of a flow goes.  ORIGINAL is that of its first packet.
 */
#ifndef TUNGATE_ENGINE_DIRECTION_H
#define TUNGATE_ENGINE_DIRECTION_H

enum direction { ORIGINAL, REPLY };
#define DIRECTIONS 2

static inline enum direction direction_opposite(enum direction direction)
{
	return direction == ORIGINAL ? REPLY : ORIGINAL;
}

#endif
