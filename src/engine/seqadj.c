/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seqadj: two spellings of one stream.
 */
#include "engine/seqadj.h"

#include <arpa/inet.h>
#include <string.h>
#include "base/cksum.h"
#include "wire/splice.h"

static inline bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static uint32_t edit_end(const struct seqadj_edit *edit)
{
	return edit->position + edit->old_length;
}

/* What an edit adds to the numbers behind it. */
static uint32_t edit_shift(const struct seqadj_edit *edit)
{
	return (uint32_t)edit->length - edit->old_length;
}

void seqadj_init(struct seqadj *stream)
{
	stream->shift = stream->count = 0;
}

bool seqadj_is_needed(const struct seqadj *stream)
{
	return stream->shift != 0 || stream->count > 0;
}

bool seqadj_add(struct seqadj *stream, uint32_t position, uint32_t old_length, const char *text,
	uint32_t length)
{
	if (stream->count == SEQADJ_EDITS || length > SEQADJ_TEXT_BYTES || old_length > UINT16_MAX)
		return false;
	struct seqadj_edit *edit = &stream->edits[stream->count++];
	edit->position = position;
	edit->old_length = (uint16_t)old_length;
	edit->length = (uint16_t)length;
	memcpy(edit->text, text, length);
	return true;
}

/* Forget the first `count` edits, but not what they shift. */
static void forget(struct seqadj *stream, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		stream->shift += edit_shift(&stream->edits[i]);
	stream->count -= count;
	memmove(stream->edits, stream->edits + count, stream->count * sizeof(*stream->edits));
}

void seqadj_acknowledged(struct seqadj *stream, uint32_t own)
{
	uint32_t done = 0;

	while (done < stream->count && !after(edit_end(&stream->edits[done]), own))
		done++;
	if (done > 0)
		forget(stream, done);
}

void seqadj_settle(struct seqadj *stream)
{
	forget(stream, stream->count);
}

uint32_t seqadj_show(const struct seqadj *stream, uint32_t own)
{
	uint32_t shift = stream->shift;

	for (uint32_t i = 0; i < stream->count; i++) {
		const struct seqadj_edit *edit = &stream->edits[i];
		if (!after(own, edit->position))
			break;
		if (after(edit_end(edit), own))
			return edit->position + shift + edit->length;
		shift += edit_shift(edit);
	}
	return own + shift;
}

uint32_t seqadj_own(const struct seqadj *stream, uint32_t shown, bool up)
{
	uint32_t shift = stream->shift;

	for (uint32_t i = 0; i < stream->count; i++) {
		const struct seqadj_edit *edit = &stream->edits[i];
		const uint32_t begin = edit->position + shift;
		if (!after(shown, begin))
			break;
		if (after(begin + edit->length, shown))
			return up ? edit_end(edit) : edit->position;
		shift += edit_shift(edit);
	}
	return shown - shift;
}

/* ---- segments ---- */

static be32 own_word(const struct seqadj *stream, const uint8_t *at, bool up)
{
	be32 word;

	memcpy(&word, at, sizeof(word));
	return htonl(seqadj_own(stream, ntohl(word), up));
}

/* Both edges of each block of the SACK option at `option`, as far as its length goes. */
static void own_blocks(const struct seqadj *stream, uint8_t *option, unsigned length)
{
	for (unsigned at = 2; at + 8 <= length; at += 8) {
		const be32 left = own_word(stream, option + at, true);
		const be32 right = own_word(stream, option + at + 4, false);

		memcpy(option + at, &left, sizeof(left));
		memcpy(option + at + 4, &right, sizeof(right));
	}
}

static void own_options(const struct seqadj *stream, uint8_t *option, const uint8_t *end)
{
	while (option < end && *option != TCP_OPTION_END) {
		if (*option == TCP_OPTION_NOP) {
			option++;
			continue;
		}
		if (end - option < 2 || option[1] < 2 || option[1] > end - option)
			return;
		if (*option == TCP_OPTION_SACK)
			own_blocks(stream, option, option[1]);
		option += option[1];
	}
}

void seqadj_acknowledgments(const struct seqadj *stream, struct packet *packet)
{
	struct tcp_header *tcp = packet_l4(packet);
	const uint32_t bytes = (uint32_t)packet->headers.payload - packet->headers.l4;
	const uint64_t before = cksum_add(tcp, bytes, 0);

	if (!(tcp->flags & TCP_ACK))
		return;
	tcp->acknowledgment = htonl(seqadj_own(stream, ntohl(tcp->acknowledgment), false));
	own_options(stream, (uint8_t *)(tcp + 1), packet->data + packet->headers.payload);
	if (!packet_checksum_is_partial(packet))
		tcp->checksum =
			cksum_apply(tcp->checksum, cksum_delta(before, cksum_add(tcp, bytes, 0)));
}

/* The part of an edit that lies in a segment from `begin` up to `end`. */
struct part {
	uint32_t offset, old_length, length;
};

static bool part_of(const struct seqadj_edit *edit, uint32_t begin, uint32_t end, struct part *part)
{
	const uint32_t from = after(begin, edit->position) ? begin : edit->position;
	const uint32_t to = after(edit_end(edit), end) ? end : edit_end(edit);

	if (!after(to, from))
		return false;
	part->offset = from - begin;
	part->old_length = to - from;
	part->length = from == edit->position ? edit->length : 0;
	return true;
}

/* Carry out all edits that touch the segment, from the last on, so that offsets hold. */
static bool edit_payload(const struct seqadj *stream, struct packet *packet, uint32_t begin)
{
	const uint32_t end = begin + packet_payload_bytes(packet);
	uint32_t more = 0;
	struct part part;
	bool changed = false;

	for (uint32_t i = 0; i < stream->count; i++)
		if (part_of(&stream->edits[i], begin, end, &part))
			more += splice_growth(part.old_length, part.length);
	if (more > 0 && !splice_has_room(packet, more))
		return false;
	for (uint32_t i = stream->count; i-- > 0;) {
		if (!part_of(&stream->edits[i], begin, end, &part))
			continue;
		splice(packet, part.offset, part.old_length, stream->edits[i].text, part.length);
		changed = true;
	}
	if (changed)
		splice_finish(packet);
	return true;
}

bool seqadj_segment(const struct seqadj *stream, struct packet *packet)
{
	struct tcp_header *tcp = packet_l4(packet);
	const uint32_t own = ntohl(tcp->sequence);
	const be32 shown = htonl(seqadj_show(stream, own));

	/* A damaged segment stays one: its receiver will ask for it again. */
	if (stream->count > 0 && packet_checksum_is_sound(packet) &&
		!edit_payload(stream, packet, own + !!(tcp->flags & TCP_SYN)))
		return false;
	if (!packet_checksum_is_partial(packet))
		tcp->checksum = cksum_apply(tcp->checksum, cksum_delta(tcp->sequence, shown));
	tcp->sequence = shown;
	return true;
}
