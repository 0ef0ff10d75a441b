/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbox: make and queue the engine's own answers.
 */
#include <string.h>
#include "engine/outbox.h"

#define ERRORS_BURST_MS 1000

static_assert(ENGINE_OUTPUT_BYTES >= BUILD_ERROR_BYTES_MAX, "any answer fits");

void outbox_init(struct outbox *outbox, uint32_t errors_per_second)
{
	*outbox = (struct outbox){.errors_per_second = errors_per_second};
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
	bucket_time *errors = &outbox->errors[about->in_zone == ZONE_UPLINK];

	if (!slot_open(outbox, &answer) ||
		!bucket_has(*errors, now_ms, outbox->errors_per_second, ERRORS_BURST_MS, 1) ||
		!build_icmp_error(&answer, about, source, type, code, mtu))
		return;
	bucket_pay(errors, now_ms, outbox->errors_per_second, 1);
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
