/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbox: make and queue the engine's own answers.
 */
#include <string.h>
#include "engine/outbox.h"

static_assert(ENGINE_OUTPUT_BYTES >= BUILD_ERROR_BYTES_MAX, "any answer fits");

void outbox_init(struct outbox *outbox, uint32_t errors_per_second, uint64_t now_ms)
{
	outbox->head = outbox->count = 0;
	outbox->errors_per_second = errors_per_second;
	outbox->tokens_milli = (uint64_t)errors_per_second * 1000;
	outbox->filled_ms = now_ms;
}

static bool token_is_left(struct outbox *outbox, uint64_t now_ms)
{
	const uint64_t full = (uint64_t)outbox->errors_per_second * 1000;
	const uint64_t earned = (now_ms - outbox->filled_ms) * outbox->errors_per_second;

	outbox->tokens_milli += earned;
	if (outbox->tokens_milli > full)
		outbox->tokens_milli = full;
	outbox->filled_ms = now_ms;
	return outbox->tokens_milli >= 1000;
}

/* The free slot at the end of the ring as a packet to build into; NULL when full. */
static bool slot_open(struct outbox *outbox, struct packet *packet)
{
	if (outbox->count == OUTBOX_PACKETS)
		return false;
	const uint32_t i = (outbox->head + outbox->count) % OUTBOX_PACKETS;
	*packet = (struct packet){
		.data = outbox->packet[i].data,
		.capacity = BUILD_ERROR_BYTES_MAX,
	};
	return true;
}

static void slot_commit(
	struct outbox *outbox, const struct packet *packet, zone_id zone, uint16_t path)
{
	const uint32_t i = (outbox->head + outbox->count++) % OUTBOX_PACKETS;

	outbox->packet[i].zone = zone;
	outbox->packet[i].path = path;
	outbox->packet[i].length = packet->length;
}

void outbox_icmp_error(struct outbox *outbox, uint64_t now_ms, const struct packet *about,
	const union addr *source, uint16_t path, uint8_t type, uint8_t code, uint32_t mtu)
{
	struct packet answer;

	if (!slot_open(outbox, &answer) || !token_is_left(outbox, now_ms) ||
		!build_icmp_error(&answer, about, source, type, code, mtu))
		return;
	outbox->tokens_milli -= 1000;
	slot_commit(outbox, &answer, about->in_zone, path);
}

void outbox_tcp_reset(struct outbox *outbox, const struct packet *about, uint16_t path)
{
	struct packet answer;

	if (slot_open(outbox, &answer) && build_tcp_reset(&answer, about))
		slot_commit(outbox, &answer, about->in_zone, path);
}

bool outbox_next(struct outbox *outbox, struct packet *packet)
{
	if (outbox->count == 0)
		return false;
	const uint32_t i = outbox->head;
	memcpy(packet->data, outbox->packet[i].data, outbox->packet[i].length);
	packet->length = outbox->packet[i].length;
	packet->offload = (struct offload){0};
	packet->parsed = false;
	packet->in_zone = ZONE_NONE;
	packet->out_zone = outbox->packet[i].zone;
	packet->path = outbox->packet[i].path;
	outbox->head = (outbox->head + 1) % OUTBOX_PACKETS;
	outbox->count--;
	return true;
}
