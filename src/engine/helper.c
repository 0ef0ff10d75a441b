/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper: messages cut out of packets, and what helpers make of them.
 */
#include "engine/helper.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include "base/cksum.h"
#include "engine/egress.h"
#include "engine/state.h"
#include "wire/fragment.h"
#include "wire/splice.h"

static inline bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* ---- what helpers use ---- */

uint32_t helper_frame_line(const uint8_t *data, uint32_t length)
{
	const uint8_t *end = memchr(data, '\n', length);

	return end != NULL ? (uint32_t)(end - data) + 1 : 0;
}

uint32_t helper_resume_line(const uint8_t *data, uint32_t length)
{
	return helper_frame_line(data, length);
}

bool helper_expect(struct helper_message *message, const struct expect_request *request,
	struct expect_answer *answer)
{
	const struct extra *extra = extra_of(message->engine, message->flow);

	return expect_create(
		message->engine, message->flow, message->direction, extra->helper, request, answer);
}

bool helper_replace(struct helper_message *message, uint32_t offset, uint32_t old_length,
	const char *text, uint32_t length)
{
	if (message->edit_count == HELPER_EDITS || length > SEQADJ_TEXT_BYTES)
		return false;
	struct helper_edit *edit = &message->edits[message->edit_count++];
	edit->offset = offset;
	edit->old_length = old_length;
	edit->length = length;
	memcpy(edit->text, text, length);
	return true;
}

static bool known_fill(const struct engine *engine, uint32_t id, struct helper_known *known)
{
	if (id == EXPECT_NONE)
		return false;
	const struct expectation *expectation = &engine->expectations.records[id];
	*known = (struct helper_known){
		.own = ntohs(expectation->listener_port),
		.shown = ntohs(expectation->port),
		.class = expectation->class,
	};
	return true;
}

bool helper_known_own(const struct helper_message *message, uint8_t protocol, uint16_t own,
	struct helper_known *known)
{
	return known_fill(message->engine,
		expect_find_own(message->engine, message->flow, message->direction, protocol, own),
		known);
}

bool helper_known_shown(const struct helper_message *message, uint8_t protocol, uint16_t shown,
	struct helper_known *known)
{
	return known_fill(message->engine,
		expect_find_shown(message->engine, message->flow,
			direction_opposite(message->direction), protocol, shown),
		known);
}

void helper_prolong(struct helper_message *message, uint8_t class, uint16_t life_s)
{
	expect_prolong(message->engine, message->flow, class, life_s);
}

void helper_admit(
	struct helper_message *message, uint8_t class, const union addr *address, uint16_t port)
{
	expect_admit(message->engine, message->flow, class, address, port);
}

void helper_keep(struct helper_message *message, uint16_t life_s)
{
	struct engine *engine = message->engine;
	struct extra *extra = extra_of(engine, message->flow);

	extra->keep = life_s > 0;
	extra->keep_until_ms = (uint32_t)engine->now_ms + 1000U * life_s;
	flow_refresh(engine, message->flow);
}

uint64_t helper_timeout_ms(
	const struct engine *engine, const struct flow *flow, uint64_t timeout_ms)
{
	const struct extra *extra = extra_of(engine, flow);

	if (extra == NULL || !extra->keep)
		return timeout_ms;
	const int32_t left = (int32_t)(extra->keep_until_ms - (uint32_t)engine->now_ms);
	return left > 0 && (uint64_t)left > timeout_ms ? (uint64_t)left : timeout_ms;
}

const char *helper_name(const struct engine *engine, uint8_t helper)
{
	return helper < engine->helper_count && engine->helpers[helper] != NULL
		       ? engine->helpers[helper]->name
		       : NULL;
}

/* ---- messages ---- */

static void describe_end(const struct flow *flow, enum direction direction, struct helper_end *end)
{
	const enum direction back = direction_opposite(direction);

	*end = (struct helper_end){
		.family = flow_family(flow, direction),
		.shown_family = flow_family(flow, back),
		.is_guest = ZONE_IS_LINK(flow->zone[direction]),
		.own_port = ntohs(flow->port[direction][SOURCE]),
		.shown_port = ntohs(flow->port[back][DESTINATION]),
		.own = flow->address[direction][SOURCE],
		.shown = flow->address[back][DESTINATION],
	};
}

static enum helper_result message_read(struct engine *engine, struct flow *flow,
	enum direction direction, const uint8_t *data, uint32_t length,
	struct helper_message *message)
{
	struct extra *extra = extra_of(engine, flow);

	message->text = (const char *)data;
	message->length = length;
	message->direction = direction;
	message->protocol = flow->protocol;
	message->state = extra->state;
	message->engine = engine;
	message->flow = flow;
	message->edit_count = 0;
	describe_end(flow, direction, &message->sender);
	describe_end(flow, direction_opposite(direction), &message->receiver);
	return engine->helpers[extra->helper]->read(message);
}

/* ---- streams ---- */

/* What is being read: a part of a segment. */
struct reading {
	struct engine *engine;
	struct flow *flow;
	struct extra *extra;
	const struct helper *helper;
	enum direction direction;
	const uint8_t *data;
	uint32_t length;
	uint32_t position; /* own number of `data` */
};

static void reading_advance(struct reading *reading, uint32_t bytes)
{
	reading->data += bytes;
	reading->length -= bytes;
	reading->position += bytes;
}

/* Let the helper read one message of the stream; false: the packet must not pass. */
static bool reading_message(struct reading *reading, uint32_t length)
{
	struct seqadj *adjust = &reading->extra->adjust[reading->direction];
	struct helper_message message;

	if (message_read(reading->engine, reading->flow, reading->direction, reading->data, length,
		    &message) != HELPER_PASS)
		return false;
	if (adjust->count + message.edit_count > SEQADJ_EDITS)
		return false;
	for (unsigned i = 0; i < message.edit_count; i++) {
		const struct helper_edit *edit = &message.edits[i];
		seqadj_add(adjust, reading->position + edit->offset, edit->old_length, edit->text,
			edit->length);
	}
	if (message.edit_count > 0)
		reading->flow->flags |= FLOW_ADJUSTED;
	return true;
}

/* Go to the next message of a stream that was lost; false: it still is. */
static bool reading_resume(struct reading *reading)
{
	const uint32_t skip = reading->helper->resume != NULL
				      ? reading->helper->resume(reading->data, reading->length)
				      : 0;

	if (skip == 0)
		return false;
	reading_advance(reading, skip);
	reading->extra->stream[reading->direction].flags &= (uint8_t)~STREAM_LOST;
	reading->extra->stream[reading->direction].message = reading->position;
	return true;
}

/* Read all whole messages that the reading has; false: the packet must not pass. */
static bool reading_messages(struct reading *reading)
{
	struct helper_stream *stream = &reading->extra->stream[reading->direction];

	while (reading->length > 0) {
		if (stream->flags & STREAM_LOST) {
			if (!reading_resume(reading))
				return true;
			continue;
		}
		if (after(stream->message, reading->position)) {
			const uint32_t rest = stream->message - reading->position;
			reading_advance(reading, rest < reading->length ? rest : reading->length);
			continue;
		}
		const uint32_t length = reading->helper->frame(reading->data, reading->length);
		if (length == 0) {
			stream->flags |= STREAM_LOST;
			return true;
		}
		stream->message = reading->position + length;
		if (length <= reading->length && !reading_message(reading, length))
			return false;
		reading_advance(reading, length < reading->length ? length : reading->length);
	}
	return true;
}

/* Would the stream be lost behind this part of it, which nothing is known about? */
static bool ends_lost(const struct helper *helper, const uint8_t *data, uint32_t length)
{
	uint32_t at = helper->resume != NULL ? helper->resume(data, length) : 0;

	if (at == 0)
		return true;
	while (at < length) {
		const uint32_t bytes = helper->frame(data + at, length - at);
		if (bytes == 0 || bytes > length - at)
			return true;
		at += bytes;
	}
	return false;
}

/* A segment behind a gap: only where it ends is remembered. */
static void note_ahead(struct helper_stream *stream, const struct helper *helper,
	const uint8_t *data, uint32_t begin, uint32_t end)
{
	if (!(stream->flags & STREAM_AHEAD)) {
		stream->ahead = begin;
		stream->ahead_end = begin;
	} else if (after(stream->ahead, begin)) {
		stream->ahead = begin;
	}
	stream->flags |= STREAM_AHEAD;
	if (!after(end, stream->ahead_end))
		return;
	stream->ahead_end = end;
	if (ends_lost(helper, data, end - begin))
		stream->flags |= STREAM_AHEAD_LOST;
	else
		stream->flags &= (uint8_t)~STREAM_AHEAD_LOST;
}

/* The gap is closed: go on behind what came too early. */
static void skip_ahead(struct helper_stream *stream)
{
	if (!(stream->flags & STREAM_AHEAD) || after(stream->ahead, stream->next))
		return;
	if (after(stream->ahead_end, stream->next)) {
		stream->next = stream->message = stream->ahead_end;
		stream->flags &= (uint8_t)~STREAM_LOST;
		if (stream->flags & STREAM_AHEAD_LOST)
			stream->flags |= STREAM_LOST;
	}
	stream->flags &= (uint8_t) ~(STREAM_AHEAD | STREAM_AHEAD_LOST);
}

/* Read what is new in a segment; false: it must not pass. */
static bool stream_read(struct engine *engine, struct flow *flow, enum direction direction,
	const struct packet *packet)
{
	const struct tcp_header *tcp = packet_l4(packet);
	const uint8_t *data = packet->data + packet->headers.payload;
	const uint32_t begin = ntohl(tcp->sequence) + !!(tcp->flags & TCP_SYN);
	const uint32_t end = begin + packet_payload_bytes(packet);
	struct extra *extra = extra_of(engine, flow);
	struct helper_stream *stream = &extra->stream[direction];
	const struct helper *helper = engine->helpers[extra->helper];

	if (!(stream->flags & STREAM_STARTED) || !after(end, stream->next))
		return true;
	if (after(begin, stream->next)) {
		note_ahead(stream, helper, data, begin, end);
		return true;
	}
	const uint32_t seen = stream->next - begin;
	struct reading reading = {.engine = engine,
		.flow = flow,
		.extra = extra,
		.helper = helper,
		.direction = direction,
		.data = data + seen,
		.length = end - begin - seen,
		.position = stream->next};
	const struct helper_stream before = *stream;
	const uint32_t edits = extra->adjust[direction].count;
	if (!reading_messages(&reading)) {
		*stream = before; /* it will come again */
		extra->adjust[direction].count = edits;
		return false;
	}
	stream->next = end;
	skip_ahead(stream);
	return true;
}

static void stream_start(struct extra *extra, enum direction direction, uint32_t next)
{
	seqadj_settle(&extra->adjust[direction]);
	extra->stream[direction] =
		(struct helper_stream){.next = next, .message = next, .flags = STREAM_STARTED};
}

/* A SYN-ACK that the handshake hangs on says where both streams begin. */
static void streams_start(struct extra *extra, const struct packet *packet)
{
	const struct tcp_header *tcp = packet_l4(packet);

	memset(extra->state, 0, sizeof(extra->state));
	stream_start(extra, ORIGINAL, ntohl(tcp->acknowledgment));
	stream_start(extra, REPLY, ntohl(tcp->sequence) + 1);
}

static bool is_handshake(
	const struct flow *flow, enum direction direction, const struct packet *packet)
{
	const uint8_t both = TCP_SYN | TCP_ACK;

	return direction == REPLY && flow->tcp.state == TCP_STATE_SYN_RECEIVED &&
	       (packet->headers.tcp_flags & both) == both;
}

static bool helper_segment(struct engine *engine, struct flow *flow, enum direction direction,
	bool fresh, struct packet *packet)
{
	const struct tcp_header *tcp = packet_l4(packet);
	struct extra *extra = extra_of(engine, flow);
	struct seqadj *adjust = &extra->adjust[direction];

	if (is_handshake(flow, direction, packet))
		streams_start(extra, packet);
	if (fresh && tcp->flags & TCP_ACK)
		seqadj_acknowledged(&extra->adjust[!direction], ntohl(tcp->acknowledgment));
	if (fresh && packet_payload_bytes(packet) > 0 && packet_checksum_is_sound(packet) &&
		!stream_read(engine, flow, direction, packet))
		return false;
	if (seqadj_is_needed(adjust) && !seqadj_segment(adjust, packet))
		return false;
	splice_fit(packet, egress_mtu(engine, flow, flow->zone[!direction]));
	return true;
}

/* ---- datagrams ---- */

static bool helper_datagram(
	struct engine *engine, struct flow *flow, enum direction direction, struct packet *packet)
{
	struct helper_message message;
	uint32_t more = 0;

	if (packet_is_fragment(packet) || packet->offload.gso_type != OFFLOAD_GSO_NONE ||
		packet_payload_bytes(packet) == 0 || !packet_checksum_is_sound(packet))
		return true;
	if (message_read(engine, flow, direction, packet->data + packet->headers.payload,
		    packet_payload_bytes(packet), &message) != HELPER_PASS)
		return false;
	for (unsigned i = 0; i < message.edit_count; i++)
		more += splice_growth(message.edits[i].old_length, message.edits[i].length);
	if (!splice_has_room(packet, more))
		return false;
	for (unsigned i = message.edit_count; i-- > 0;) {
		const struct helper_edit *edit = &message.edits[i];
		splice(packet, edit->offset, edit->old_length, edit->text, edit->length);
	}
	if (message.edit_count > 0)
		splice_finish(packet);
	return true;
}

/* ---- for the engine ---- */

static bool helper_reads(const struct helper *helper, const struct flow *flow)
{
	return flow->protocol == IPPROTO_TCP ? helper->frame != NULL
					     : flow->protocol == IPPROTO_UDP && helper->reads_udp;
}

void helper_attach(struct engine *engine, struct flow *flow, const struct filter_query *query)
{
	const struct chain_rules *lines = &engine->ruleset->helpers;

	if (lines->count == 0)
		return;
	const uint16_t line = filter_run(lines, query);
	if (line == lines->count)
		return;
	const uint8_t id = lines->rule[line].action;
	if (helper_name(engine, id) == NULL || !helper_reads(engine->helpers[id], flow))
		return;
	struct extra *extra = extra_take(engine, flow);
	if (extra == NULL)
		return;
	lines->counter[line].packets++;
	extra->helper = id;
	flow->flags |= FLOW_HELPED;
}

void helper_adjust(const struct engine *engine, const struct flow *flow, enum direction direction,
	struct packet *packet)
{
	const struct extra *extra = extra_of(engine, flow);

	if (packet->headers.kind == L4_TCP && seqadj_is_needed(&extra->adjust[!direction]))
		seqadj_acknowledgments(&extra->adjust[!direction], packet);
}

void helper_adjust_quoted(const struct engine *engine, const struct flow *flow,
	enum direction direction, struct packet *packet, const struct headers *inner)
{
	const struct extra *extra = extra_of(engine, flow);
	struct tcp_header *tcp = (void *)(packet->data + inner->l4);

	if (inner->kind != L4_TCP)
		return;
	const be32 own = htonl(seqadj_own(&extra->adjust[direction], ntohl(tcp->sequence), false));
	if (inner->end - inner->l4 >= offsetof(struct tcp_header, checksum) + sizeof(be16))
		tcp->checksum = cksum_apply(tcp->checksum, cksum_delta(tcp->sequence, own));
	tcp->sequence = own;
}

bool helper_packet(struct engine *engine, struct flow *flow, enum direction direction, bool fresh,
	struct packet *packet)
{
	bool passes = true;

	if (packet->headers.kind == L4_TCP)
		passes = helper_segment(engine, flow, direction, fresh, packet);
	else if (packet->headers.kind == L4_UDP)
		passes = helper_datagram(engine, flow, direction, packet);
	if (!passes)
		packet_drop(engine, packet, DROP_HELPER);
	return passes;
}
