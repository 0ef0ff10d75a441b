/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arp: the gateway's answers, and what guests are believed (RFC 826, RFC 5227).
 *
 * A message says who its sender is: that is learnt, or refused where it is somebody else's address.
 * A probe says nothing, it asks whether an address is free; a guest's own is, what is another's is
 * defended.
 */
#include "lan/state.h"
#include "wire/arp.h"

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void arp_send(struct lan *lan, const struct arp *arp, const uint8_t destination[6])
{
	uint8_t *bytes = frame_begin(lan, destination, ETHERTYPE_ARP);

	if (bytes == NULL)
		return;
	arp_build(arp, bytes);
	frame_end(lan, ARP_BYTES);
}

void arp_ask(struct lan *lan, const union addr *address, const uint8_t mac[6])
{
	struct arp request = {
		.operation = ARP_REQUEST,
		.sender = lan->network.gateway4,
		.target = *address,
	};

	memcpy(request.sender_mac, LAN_GATEWAY_MAC, sizeof(request.sender_mac));
	arp_send(lan, &request, mac != NULL ? mac : everybody);
}

static void arp_answer(struct lan *lan, const struct arp *request)
{
	const struct arp reply = arp_reply(request, LAN_GATEWAY_MAC);

	arp_send(lan, &reply, request->sender_mac);
}

/* Has somebody else the address that a guest would like to have? */
static bool is_taken(struct lan *lan, const union addr *address, const uint8_t mac[6])
{
	if (lan_answers_for(lan, AF_INET, address))
		return true;
	return lan->settings.many && neighbour_is_anothers(lan, AF_INET, address, mac);
}

/* Somebody says to have an address that it cannot have.  All who have heard that of the gateway's
 * own hear the truth, though not more often than is good (RFC 5227, 2.4 c). */
static enum lan_verdict arp_refuse(struct lan *lan, const struct arp *arp)
{
	if (addr_equal(&arp->sender, &lan->network.gateway4) &&
		lan_may_defend(lan, &lan->defended4_ms)) {
		const struct arp defence =
			arp_announcement(&lan->network.gateway4, LAN_GATEWAY_MAC);

		arp_send(lan, &defence, everybody);
	}
	return lan_drop(lan, LAN_COUNT_ADDRESS_SPOOFED);
}

enum lan_verdict arp_input(struct lan *lan, const struct packet *packet)
{
	struct arp arp;

	if (!arp_parse(packet->data, packet->length, &arp))
		return lan_drop(lan, LAN_COUNT_MALFORMED);
	if (!mac_equal(arp.sender_mac, frame_header(packet)->source))
		return lan_drop(lan, LAN_COUNT_MAC_SPOOFED);
	if (addr_is_zero(&arp.sender)) {
		if (arp.operation == ARP_REQUEST && is_taken(lan, &arp.target, arp.sender_mac))
			arp_answer(lan, &arp);
		return LAN_CONSUMED;
	}
	if (!neighbour_learn(lan, AF_INET, &arp.sender, arp.sender_mac))
		return arp_refuse(lan, &arp);
	if (arp.operation == ARP_REQUEST && lan_answers_for(lan, AF_INET, &arp.target))
		arp_answer(lan, &arp);
	return LAN_CONSUMED;
}
