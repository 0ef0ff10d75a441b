/* SPDX-License-Identifier: BSD-2-Clause */
/* frame: the ring of frames that are made here.  When it is full an answer is simply not given, as
 * if it had been lost: who asked asks again. */
#include "lan/state.h"

bool mac_is_station(const uint8_t mac[6])
{
	static const uint8_t nobody[6] = {0};

	return !mac_is_group(mac) && !mac_equal(mac, nobody) && !mac_equal(mac, LAN_GATEWAY_MAC);
}

static void header_write(struct ethernet_header *header, const uint8_t mac[6], uint16_t type)
{
	memcpy(header->destination, mac, sizeof(header->destination));
	memcpy(header->source, LAN_GATEWAY_MAC, sizeof(header->source));
	header->type = htons(type);
}

uint8_t *frame_begin(struct lan *lan, const uint8_t destination[6], uint16_t type)
{
	if (lan->made_count == MADE_FRAMES) {
		lan_count(lan, LAN_COUNT_BUSY);
		return NULL;
	}
	/* An empty ring begins anew, so that seldom more than its first pages are in use. */
	if (lan->made_count == 0)
		lan->made_head = 0;
	struct made *made = &lan->made[(lan->made_head + lan->made_count) % MADE_FRAMES];
	header_write((struct ethernet_header *)made->bytes, destination, type);
	return made->bytes + ETHERNET_BYTES;
}

void frame_end(struct lan *lan, size_t length)
{
	struct made *made = &lan->made[(lan->made_head + lan->made_count++) % MADE_FRAMES];

	made->length = (uint16_t)(ETHERNET_BYTES + length);
}

void frame_packet(struct lan *lan, const uint8_t destination[6], const struct build *build)
{
	struct packet packet = {.capacity = MADE_BYTES - ETHERNET_BYTES};

	packet.data = frame_begin(
		lan, destination, build->family == AF_INET ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	if (packet.data != NULL && build_packet(&packet, build) > 0)
		frame_end(lan, packet.length);
}

void frame_address(struct packet *packet, const uint8_t destination[6])
{
	header_write((struct ethernet_header *)(packet->data - ETHERNET_BYTES), destination,
		packet->data[0] >> 4 == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
}

bool frame_next(struct lan *lan, struct packet *packet)
{
	const struct made *made = &lan->made[lan->made_head];

	if (lan->made_count == 0)
		return false;
	lan->made_head = (uint16_t)((lan->made_head + 1) % MADE_FRAMES);
	lan->made_count--;
	memcpy(packet->data - ETHERNET_BYTES, made->bytes, made->length);
	packet->length = made->length - ETHERNET_BYTES;
	packet->offload = (struct offload){0};
	packet->parsed = packet->hashed = false;
	return true;
}
