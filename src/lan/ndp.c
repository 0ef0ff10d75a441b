/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndp: neighbour discovery as arp is for IPv4 (RFC 4861, RFC 4862), and the gateway's link-local
 * address, which is nowhere else: its echo is answered here, too.
 *
 * A guest of a link of one has the addresses that it says it will have: they are learnt from
 * duplicate address detection, from what it advertises, and from its packets.  One that cannot be
 * its own is defended, so that it does not take it.
 */
#include "wire/ndp.h"

#include "lan/state.h"
#include "wire/parse.h"

static const union addr link_local = {.bytes = {0xfe, 0x80, [15] = 1}};

/* ---- sending ---- */

static void ndp_send(struct lan *lan, const struct ndp *ndp, const uint8_t destination[6])
{
	uint8_t *bytes = frame_begin(lan, destination, ETHERTYPE_IPV6);

	if (bytes != NULL)
		frame_end(lan, ndp_build(ndp, bytes));
}

void ndp_ask(struct lan *lan, const union addr *address, const uint8_t mac[6])
{
	struct ndp ndp = {
		.type = ICMP6_NEIGHBOUR_SOLICITATION,
		.source = link_local,
		.destination = mac != NULL ? *address : ndp_solicited_node(address),
		.target = *address,
		.has_mac = true,
	};
	uint8_t group[6];

	memcpy(ndp.mac, LAN_GATEWAY_MAC, sizeof(ndp.mac));
	ndp_group_mac(&ndp.destination, group);
	ndp_send(lan, &ndp, mac != NULL ? mac : group);
}

static bool is_gateways(const struct lan *lan, const union addr *address)
{
	return addr_equal(address, &link_local) ||
	       (!addr_is_zero(address) && addr_equal(address, &lan->network.gateway6));
}

/* Who answers for others does not override what is known of them (RFC 4861, 7.2.8). */
static void ndp_reply(struct lan *lan, const struct ndp *solicitation, const uint8_t mac[6])
{
	struct ndp answer = ndp_answer(solicitation, LAN_GATEWAY_MAC, NDP_ROUTER);

	if (!is_gateways(lan, &solicitation->target))
		answer.flags &= (uint8_t)~NDP_OVERRIDE;
	ndp_send(lan, &answer, mac);
}

/* ---- solicitations ---- */

/* May a guest that is about to take an address have it? */
static bool may_take(struct lan *lan, const union addr *address, const uint8_t mac[6])
{
	if (is_gateways(lan, address))
		return false;
	if (!lan_subnet_has(lan, AF_INET6, address))
		return true;
	if (lan_is_elsewhere(lan, AF_INET6, address))
		return false;
	return lan->settings.many ? !neighbour_is_anothers(lan, AF_INET6, address, mac)
				  : neighbour_learn(lan, AF_INET6, address, mac);
}

static enum lan_verdict solicitation_input(
	struct lan *lan, const struct ndp *ndp, const uint8_t mac[6])
{
	if (addr_is_zero(&ndp->source)) {
		if (!may_take(lan, &ndp->target, mac))
			ndp_reply(lan, ndp, mac);
		return LAN_CONSUMED;
	}
	if (!addr_is_link_local(AF_INET6, &ndp->source) &&
		!neighbour_learn(lan, AF_INET6, &ndp->source, mac))
		return lan_drop(lan, LAN_COUNT_ADDRESS_SPOOFED);
	if (lan_answers_for(lan, AF_INET6, &ndp->target))
		ndp_reply(lan, ndp, mac);
	return LAN_CONSUMED;
}

/* ---- advertisements ---- */

static enum lan_verdict advertisement_input(
	struct lan *lan, const struct ndp *ndp, const uint8_t mac[6])
{
	uint8_t group[6];

	if (is_gateways(lan, &ndp->target)) {
		const struct ndp defence =
			ndp_announcement(&ndp->target, LAN_GATEWAY_MAC, NDP_ROUTER);

		ndp_group_mac(&defence.destination, group);
		if (lan_may_defend(lan, &lan->defended6_ms))
			ndp_send(lan, &defence, group);
		return lan_drop(lan, LAN_COUNT_ADDRESS_SPOOFED);
	}
	/* Link-local ones are their own business. */
	if (addr_is_link_local(AF_INET6, &ndp->target))
		return LAN_CONSUMED;
	if (!neighbour_learn(lan, AF_INET6, &ndp->target, mac))
		return lan_drop(lan, LAN_COUNT_ADDRESS_SPOOFED);
	return LAN_CONSUMED;
}

enum lan_verdict ndp_input(struct lan *lan, const struct packet *packet)
{
	const uint8_t *mac = frame_header(packet)->source;
	struct ndp ndp;

	if (!ndp_parse(packet->data, packet->length, &ndp))
		return lan_drop(lan, LAN_COUNT_MALFORMED);
	if (ndp.has_mac && !mac_equal(ndp.mac, mac))
		return lan_drop(lan, LAN_COUNT_MAC_SPOOFED);
	return ndp.type == ICMP6_NEIGHBOUR_SOLICITATION ? solicitation_input(lan, &ndp, mac)
							: advertisement_input(lan, &ndp, mac);
}

/* ---- echo ---- */

enum lan_verdict echo_input(struct lan *lan, const struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	const struct icmp_header *icmp = packet_l4(packet);
	const struct build reply = {
		.family = AF_INET6,
		.protocol = IPPROTO_ICMPV6,
		.source = link_local,
		.destination = headers->source,
		.icmp_type = ICMP6_ECHO_REPLY,
		.source_port = ntohs(icmp->query.id),
		.destination_port = ntohs(icmp->query.sequence),
		.payload = packet->data + headers->payload,
		.payload_bytes = packet_payload_bytes(packet),
	};

	frame_packet(lan, frame_header(packet)->source, &reply);
	return LAN_CONSUMED;
}
