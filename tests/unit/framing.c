/* SPDX-License-Identifier: BSD-2-Clause */
/* framing: frames come out as they went in, however the stream is cut. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "link/framing.h"

#define MOST 70000

static struct framing *framing_new(void)
{
	struct framing *framing = calloc(1, sizeof(*framing));

	cr_assert_not_null(framing);
	return framing;
}

static void feed(struct framing *framing, const uint8_t *bytes, size_t length)
{
	size_t room;
	uint8_t *space = framing_space(framing, &room);

	cr_assert_leq(length, room);
	memcpy(space, bytes, length);
	framing_add(framing, length);
}

/* Frame `i` of the stream: its length and what is in it. */
static uint32_t frame_length(unsigned i)
{
	static const uint32_t lengths[] = {60, 1, 1514, 0, 65549, 42, 9000, MOST};

	return lengths[i % (sizeof(lengths) / sizeof(*lengths))];
}

static uint8_t frame_byte(unsigned i, uint32_t at)
{
	return (uint8_t)(i * 31 + at * 7 + (at >> 8));
}

static size_t stream_make(uint8_t *stream, unsigned frames)
{
	size_t length = 0;

	for (unsigned i = 0; i < frames; i++) {
		framing_prefix(stream + length, frame_length(i));
		length += FRAMING_LENGTH_BYTES;
		for (uint32_t at = 0; at < frame_length(i); at++)
			stream[length++] = frame_byte(i, at);
	}
	return length;
}

/* Take all whole frames, and compare them. */
static void take_all(struct framing *framing, unsigned *taken)
{
	const uint8_t *frame;
	uint32_t length;

	while (framing_look(framing, MOST) == FRAMING_FRAME) {
		cr_assert_eq(framing_next(framing, MOST, &frame, &length), FRAMING_FRAME);
		cr_assert_eq(length, frame_length(*taken), "frame %u", *taken);
		for (uint32_t at = 0; at < length; at++)
			cr_assert_eq(
				frame[at], frame_byte(*taken, at), "frame %u, byte %u", *taken, at);
		++*taken;
	}
	cr_assert_eq(framing_next(framing, MOST, &frame, &length), FRAMING_WAIT);
}

Test(framing, frames_survive_every_way_of_cutting)
{
	static uint8_t stream[3 * 1024 * 1024];
	static const size_t steps[] = {1, 2, 3, 5, 1000, 1518, 4096, 65536, 120000};
	const unsigned frames = 100;
	const size_t bytes = stream_make(stream, frames);

	for (unsigned s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
		struct framing *framing = framing_new();
		unsigned taken = 0;

		for (size_t at = 0; at < bytes; at += steps[s]) {
			feed(framing, stream + at, bytes - at < steps[s] ? bytes - at : steps[s]);
			take_all(framing, &taken);
		}
		cr_expect_eq(taken, frames, "in steps of %zu", steps[s]);
		free(framing);
	}
}

Test(framing, there_is_room_for_the_rest_of_any_frame)
{
	static uint8_t big[FRAMING_LENGTH_BYTES + MOST];
	struct framing *framing = framing_new();
	const uint8_t *frame;
	uint32_t length;
	size_t room;

	/* Many frames have been read and one of them not taken: the buffer is full to its end. */
	framing_prefix(big, MOST);
	for (unsigned i = 0; i < 3; i++)
		feed(framing, big, sizeof(big));
	framing_space(framing, &room);
	cr_expect_gt(room, 0);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(framing_next(framing, MOST, &frame, &length), FRAMING_FRAME);
	feed(framing, big, 10);
	framing_space(framing, &room);
	cr_expect_geq(room, MOST);
	free(framing);
}

Test(framing, a_length_beyond_the_most_is_the_end)
{
	static const struct {
		uint32_t length;
		enum framing_result result;
	} rows[] = {
		{MOST, FRAMING_WAIT},
		{MOST + 1, FRAMING_BROKEN},
		{0x80000000, FRAMING_BROKEN},
		{UINT32_MAX, FRAMING_BROKEN},
		{UINT32_MAX - 3, FRAMING_BROKEN},
	};
	const uint8_t *frame;
	uint32_t length;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct framing *framing = framing_new();
		uint8_t prefix[FRAMING_LENGTH_BYTES];

		framing_prefix(prefix, rows[i].length);
		feed(framing, prefix, 3);
		cr_expect_eq(framing_look(framing, MOST), FRAMING_WAIT);
		feed(framing, prefix + 3, 1);
		cr_expect_eq(framing_look(framing, MOST), rows[i].result, "%x", rows[i].length);
		cr_expect_eq(framing_next(framing, MOST, &frame, &length), rows[i].result);
		framing_reset(framing);
		cr_expect_eq(framing_look(framing, MOST), FRAMING_WAIT);
		free(framing);
	}
}
