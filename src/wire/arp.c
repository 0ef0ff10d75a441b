/* SPDX-License-Identifier: BSD-2-Clause */
/* arp: parse and build the one format there is. */
#include "wire/arp.h"

#include <string.h>

#define HARDWARE_ETHERNET 1
#define PROTOCOL_IPV4     0x0800

bool arp_parse(const uint8_t *bytes, size_t length, struct arp *arp)
{
	const struct arp_header *header = (const struct arp_header *)bytes;

	if (length < ARP_BYTES || header->hardware != htons(HARDWARE_ETHERNET) ||
		header->protocol != htons(PROTOCOL_IPV4) || header->hardware_bytes != 6 ||
		header->protocol_bytes != 4)
		return false;
	*arp = (struct arp){
		.operation = ntohs(header->operation),
		.sender.v4 = header->sender,
		.target.v4 = header->target,
	};
	memcpy(arp->sender_mac, header->sender_mac, sizeof(arp->sender_mac));
	memcpy(arp->target_mac, header->target_mac, sizeof(arp->target_mac));
	return arp->operation == ARP_REQUEST || arp->operation == ARP_REPLY;
}

void arp_build(const struct arp *arp, uint8_t bytes[ARP_BYTES])
{
	struct arp_header *header = (struct arp_header *)bytes;

	*header = (struct arp_header){
		.hardware = htons(HARDWARE_ETHERNET),
		.protocol = htons(PROTOCOL_IPV4),
		.hardware_bytes = 6,
		.protocol_bytes = 4,
		.operation = htons(arp->operation),
		.sender = arp->sender.v4,
		.target = arp->target.v4,
	};
	memcpy(header->sender_mac, arp->sender_mac, sizeof(header->sender_mac));
	memcpy(header->target_mac, arp->target_mac, sizeof(header->target_mac));
}

struct arp arp_reply(const struct arp *request, const uint8_t mac[6])
{
	struct arp reply = {
		.operation = ARP_REPLY,
		.sender = request->target,
		.target = request->sender,
	};

	memcpy(reply.sender_mac, mac, sizeof(reply.sender_mac));
	memcpy(reply.target_mac, request->sender_mac, sizeof(reply.target_mac));
	return reply;
}

struct arp arp_announcement(const union addr *address, const uint8_t mac[6])
{
	struct arp announcement = {
		.operation = ARP_REQUEST,
		.sender = *address,
		.target = *address,
	};

	memcpy(announcement.sender_mac, mac, sizeof(announcement.sender_mac));
	return announcement;
}
