/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing: a machine's stream, cut as the first byte of each portion says.  However it is cut, the
 * frames are those that it has when it is read at once.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "link/framing.h"

#define MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct framing framing;

/* Feed in portions of `step` bytes; a sum over all frames, and whether the stream broke. */
static uint64_t frames_of(const uint8_t *data, size_t size, size_t step)
{
	uint64_t sum = 0;

	framing_reset(&framing);
	for (size_t at = 0; at < size;) {
		size_t room, length = size - at < step ? size - at : step;
		uint8_t *space = framing_space(&framing, &room);
		enum framing_result result;
		const uint8_t *frame;
		uint32_t bytes;

		assert(room >= MOST);
		length = length < room ? length : room;
		memcpy(space, data + at, length);
		framing_add(&framing, length);
		at += length;
		while ((result = framing_next(&framing, MOST, &frame, &bytes)) == FRAMING_FRAME) {
			assert(bytes <= MOST);
			sum = sum * 31 + bytes;
			for (uint32_t i = 0; i < bytes; i++)
				sum = sum * 31 + frame[i];
		}
		if (result == FRAMING_BROKEN)
			return sum * 31 + 1;
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const uint64_t whole = frames_of(data + 1, size - 1, size);
	assert(frames_of(data + 1, size - 1, (size_t)data[0] + 1) == whole);
	return 0;
}
