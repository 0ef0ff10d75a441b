/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * held: packets whose receiver's MAC is not known yet (RFC 1122, 2.3.2.2).
 *
 * A few for each neighbour, the oldest of which gives way, and a few in all.  A super-packet does
 * not fit; it is part of a connection, which sends it again.
 */
#include "lan/state.h"

static struct held *held_place(struct lan *lan, uint16_t neighbour)
{
	struct held *oldest = NULL, *unused = NULL;
	unsigned count = 0;

	for (unsigned i = 0; i < HELD_PACKETS; i++) {
		struct held *held = &lan->held[i];

		if (held->length == 0) {
			unused = held;
		} else if (!held->ready && held->neighbour == neighbour) {
			count++;
			if (oldest == NULL || held->number < oldest->number)
				oldest = held;
		}
	}
	return count >= HELD_PER_NEIGHBOUR || unused == NULL ? oldest : unused;
}

void held_add(struct lan *lan, uint16_t neighbour, const struct packet *packet)
{
	struct held *held = packet->length <= HELD_BYTES ? held_place(lan, neighbour) : NULL;

	if (held == NULL || held->length != 0)
		lan_count(lan, LAN_COUNT_UNRESOLVED);
	if (held == NULL)
		return;
	held->neighbour = neighbour;
	held->ready = false;
	held->number = lan->held_number++;
	held->length = (uint16_t)packet->length;
	held->offload = packet->offload;
	memcpy(held->bytes, packet->data, packet->length);
}

void held_release(struct lan *lan, uint16_t neighbour, const uint8_t mac[6])
{
	for (unsigned i = 0; i < HELD_PACKETS; i++) {
		struct held *held = &lan->held[i];

		if (held->length == 0 || held->ready || held->neighbour != neighbour)
			continue;
		held->ready = true;
		memcpy(held->mac, mac, sizeof(held->mac));
		lan->held_ready++;
	}
}

void held_drop(struct lan *lan, uint16_t neighbour)
{
	for (unsigned i = 0; i < HELD_PACKETS; i++) {
		struct held *held = &lan->held[i];

		if (held->length == 0 || held->ready || held->neighbour != neighbour)
			continue;
		held->length = 0;
		lan_count(lan, LAN_COUNT_UNRESOLVED);
	}
}

bool held_next(struct lan *lan, struct packet *packet)
{
	struct held *first = NULL;

	for (unsigned i = 0; i < HELD_PACKETS && lan->held_ready > 0; i++) {
		struct held *held = &lan->held[i];

		if (held->length != 0 && held->ready &&
			(first == NULL || held->number < first->number))
			first = held;
	}
	if (first == NULL)
		return false;
	lan->held_ready--;
	memcpy(packet->data, first->bytes, first->length);
	packet->length = first->length;
	packet->offload = first->offload;
	packet->parsed = packet->hashed = false;
	frame_address(packet, first->mac);
	first->length = 0;
	return true;
}
