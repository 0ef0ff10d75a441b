/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing: frames out of a stream of bytes, each with its length before it, 32 bits in network byte
 * order, as QEMU's `-netdev stream` has it.
 *
 * One read brings many frames, and may end in the middle of one, or of a length.
 */
#ifndef TUNGATE_LINK_FRAMING_H
#define TUNGATE_LINK_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#define FRAMING_LENGTH_BYTES 4
#define FRAMING_BYTES        (256 * 1024)

/* Large: part of a link, not of a stack frame; all zero is empty. */
struct framing {
	size_t begin, end; /* of what has been read and not taken */
	uint8_t bytes[FRAMING_BYTES];
};

/* Where to read the next bytes to, and how many; never 0.  Frames taken before are invalid then. */
uint8_t *framing_space(struct framing *framing, size_t *room);
void framing_add(struct framing *framing, size_t bytes);

enum framing_result {
	FRAMING_WAIT,   /* there is no whole frame */
	FRAMING_FRAME,  /* `frame` is `length` bytes, which is at most the most allowed */
	FRAMING_BROKEN, /* a longer one: what follows makes no sense */
};
/* Take the next frame.  `most` is at most FRAMING_BYTES - FRAMING_LENGTH_BYTES. */
enum framing_result framing_next(
	struct framing *framing, uint32_t most, const uint8_t **frame, uint32_t *length);
/* What framing_next() would answer. */
enum framing_result framing_look(const struct framing *framing, uint32_t most);

/* Forget what has been read: another stream begins. */
void framing_reset(struct framing *framing);

/* Write the length of the frame that follows. */
void framing_prefix(uint8_t *at, uint32_t length);

#endif
