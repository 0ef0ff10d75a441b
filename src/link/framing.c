/* SPDX-License-Identifier: BSD-2-Clause */
/* framing: frames out of a stream of bytes. */
#include "link/framing.h"

#include <arpa/inet.h>
#include <string.h>

void framing_reset(struct framing *framing)
{
	framing->begin = framing->end = 0;
}

/* Only the beginning of a frame is ever moved, and only where the rest of it has no room. */
uint8_t *framing_space(struct framing *framing, size_t *room)
{
	const size_t left = framing->end - framing->begin;

	if (left == 0 || sizeof(framing->bytes) - framing->end < sizeof(framing->bytes) / 2) {
		memmove(framing->bytes, framing->bytes + framing->begin, left);
		framing->begin = 0;
		framing->end = left;
	}
	*room = sizeof(framing->bytes) - framing->end;
	return framing->bytes + framing->end;
}

void framing_add(struct framing *framing, size_t bytes)
{
	framing->end += bytes;
}

static uint32_t length_of(const struct framing *framing)
{
	uint32_t length;

	memcpy(&length, framing->bytes + framing->begin, sizeof(length));
	return ntohl(length);
}

enum framing_result framing_look(const struct framing *framing, uint32_t most)
{
	const size_t left = framing->end - framing->begin;

	if (left < FRAMING_LENGTH_BYTES)
		return FRAMING_WAIT;
	if (length_of(framing) > most)
		return FRAMING_BROKEN;
	return left - FRAMING_LENGTH_BYTES < length_of(framing) ? FRAMING_WAIT : FRAMING_FRAME;
}

enum framing_result framing_next(
	struct framing *framing, uint32_t most, const uint8_t **frame, uint32_t *length)
{
	const enum framing_result result = framing_look(framing, most);

	if (result == FRAMING_FRAME) {
		*length = length_of(framing);
		*frame = framing->bytes + framing->begin + FRAMING_LENGTH_BYTES;
		framing->begin += FRAMING_LENGTH_BYTES + *length;
	}
	return result;
}

void framing_prefix(uint8_t *at, uint32_t length)
{
	const uint32_t bytes = htonl(length);

	memcpy(at, &bytes, sizeof(bytes));
}
