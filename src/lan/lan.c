/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lan: a frame's way through the services of its link.
 *
 * Who sends is settled first: by the MAC on a link of one guest, by MAC and address on one of many.
 * What the services do not take is the engine's.
 */
#include <stdlib.h>
#include "lan/name.h"
#include "lan/state.h"
#include "wire/dhcp.h"
#include "wire/dhcp6.h"
#include "wire/parse.h"

#define DEFEND_MS     10000 /* RFC 5227, 1.1: DEFEND_INTERVAL */
#define GUEST_IDLE_MS 30000 /* a guest that is silent for so long may have got another MAC */

/* ---- addresses ---- */

bool lan_subnet_has(const struct lan *lan, uint8_t family, const union addr *address)
{
	const struct prefix *subnet =
		family == AF_INET ? &lan->network.subnet4 : &lan->network.subnet6;

	return subnet->family != 0 && prefix_contains(subnet, family, address);
}

const union addr *lan_gateway(const struct lan *lan, uint8_t family)
{
	return family == AF_INET ? &lan->network.gateway4 : &lan->network.gateway6;
}

static bool is_guests_own(struct lan *lan, uint8_t family, const union addr *address)
{
	const struct neighbour *neighbour;

	if (family == AF_INET)
		return addr_equal(address, &lan->settings.address4);
	neighbour = neighbour_find(lan, family, address);
	return neighbour != NULL && neighbour->state == NEIGHBOUR_KNOWN;
}

bool lan_is_elsewhere(const struct lan *lan, uint8_t family, const union addr *address)
{
	return lan->host.is_elsewhere != NULL &&
	       lan->host.is_elsewhere(lan->host.context, family, address);
}

bool lan_answers_for(struct lan *lan, uint8_t family, const union addr *address)
{
	const union addr link_local = LAN_GATEWAY_LINK_LOCAL;

	if (family == AF_INET6 && addr_equal(address, &link_local))
		return true;
	if (!lan_subnet_has(lan, family, address))
		return false;
	if (addr_equal(address, lan_gateway(lan, family)))
		return true;
	return lan->settings.many ? lan_is_elsewhere(lan, family, address)
				  : !is_guests_own(lan, family, address);
}

bool lan_may_defend(struct lan *lan, uint64_t *defended_ms)
{
	if (*defended_ms != 0 && *defended_ms + DEFEND_MS > lan->now_ms)
		return false;
	*defended_ms = lan->now_ms;
	return true;
}

/* ---- life ---- */

struct lan *lan_create(
	const struct lan_settings *settings, const struct lan_host *host, uint64_t now_ms)
{
	const uint16_t neighbours = settings->many ? NEIGHBOURS_MANY : NEIGHBOURS_ONE;
	struct lan *lan = calloc(1, sizeof(*lan));

	if (lan == NULL)
		return NULL;
	lan->neighbour = calloc(neighbours, sizeof(*lan->neighbour));
	lan->host = *host;
	lan->settings = *settings;
	lan->settings.name = lan->name;
	if (settings->name != NULL && strchr(settings->name, '.') == NULL)
		name_of_text((const uint8_t *)settings->name, strlen(settings->name), lan->name);
	memcpy(&lan->key, settings->seed, sizeof(lan->key));
	lan->neighbour_max = neighbours;
	if (lan->neighbour == NULL || !leases_create(lan, settings->many ? LEASES_MAX : 0) ||
		!lan_configure(lan, settings, now_ms)) {
		lan_free(lan);
		return NULL;
	}
	neighbours_init(lan);
	return lan;
}

bool lan_configure(struct lan *lan, const struct lan_settings *settings, uint64_t now_ms)
{
	if (!leases_reserve(lan, settings->network))
		return false;
	lan->now_ms = now_ms;
	lan->network = *settings->network;
	lan->network.reservations = NULL;
	lan->network.reservation_count = 0;
	lan->settings.network = &lan->network;
	lan->settings.dns4_count = settings->dns4_count;
	lan->settings.dns6_count = settings->dns6_count;
	memcpy(lan->settings.dns4, settings->dns4, sizeof(settings->dns4));
	memcpy(lan->settings.dns6, settings->dns6, sizeof(settings->dns6));
	ra_start(lan);
	return true;
}

void lan_free(struct lan *lan)
{
	if (lan == NULL)
		return;
	leases_free(lan);
	free(lan->neighbour);
	free(lan);
}

void lan_reset(struct lan *lan, uint64_t now_ms)
{
	lan->now_ms = now_ms;
	lan->has_guest = false;
	neighbours_forget(lan);
	ra_start(lan);
}

void lan_say_goodbye(struct lan *lan, uint64_t now_ms)
{
	lan->now_ms = now_ms;
	ra_stop(lan);
}

/* ---- in ---- */

static void guest_adopt(struct lan *lan, const uint8_t mac[6])
{
	lan->has_guest = true;
	memcpy(lan->guest_mac, mac, sizeof(lan->guest_mac));
	neighbours_arrived(lan);
}

/* Is the frame from the guest of a link of one? */
static bool is_from_guest(struct lan *lan, const uint8_t mac[6])
{
	if (lan->has_guest && mac_equal(mac, lan->guest_mac)) {
		lan->guest_seen_ms = lan->now_ms;
		return true;
	}
	if (lan->settings.has_mac && !mac_equal(mac, lan->settings.mac))
		return false;
	if (lan->has_guest) {
		if (lan->guest_seen_ms + GUEST_IDLE_MS > lan->now_ms)
			return false;
		neighbours_forget(lan);
	}
	lan->guest_seen_ms = lan->now_ms;
	guest_adopt(lan, mac);
	return true;
}

/* Is it UDP to this port?  Asked before a packet is parsed, and of few bytes. */
static bool is_to_port(const struct packet *packet, uint32_t l4, uint8_t protocol, uint16_t port)
{
	const struct udp_header *udp = (const struct udp_header *)(packet->data + l4);

	return protocol == IPPROTO_UDP && packet->length >= l4 + sizeof(*udp) &&
	       udp->destination_port == htons(port);
}

static enum lan_verdict ipv4_input(struct lan *lan, struct packet *packet)
{
	const struct ipv4_header *ip = (const struct ipv4_header *)packet->data;

	if (packet->length < sizeof(*ip) || ip->version_length >> 4 != 4)
		return lan_drop(lan, LAN_COUNT_MALFORMED);
	const union addr source = {.v4 = ip->source};
	if (is_to_port(packet, (ip->version_length & 0xf) * 4U, ip->protocol, DHCP_SERVER_PORT) &&
		lan->network.dhcp && lan->network.subnet4.family != 0)
		return packet_parse(packet) ? dhcp_input(lan, packet)
					    : lan_drop(lan, LAN_COUNT_MALFORMED);
	if (lan->settings.many &&
		!neighbour_learn(lan, AF_INET, &source, frame_header(packet)->source))
		return lan_drop(lan, LAN_COUNT_ADDRESS_SPOOFED);
	return LAN_PASS;
}

/* ICMPv6 that is about the link itself; LAN_PASS: it is not. */
static enum lan_verdict icmp6_input(struct lan *lan, struct packet *packet)
{
	const union addr link_local = LAN_GATEWAY_LINK_LOCAL;

	switch (packet->headers.icmp_type) {
	case ICMP6_ROUTER_SOLICITATION:
		return solicited_input(lan, packet);
	case ICMP6_NEIGHBOUR_SOLICITATION:
	case ICMP6_NEIGHBOUR_ADVERTISEMENT:
		return ndp_input(lan, packet);
	case ICMP6_ROUTER_ADVERTISEMENT:
	case ICMP6_NEIGHBOUR_REDIRECT:
		return lan_drop(lan, LAN_COUNT_ROGUE);
	case ICMP6_MLD_QUERY:
	case ICMP6_MLD_REPORT:
	case ICMP6_MLD_DONE:
	case ICMP6_MLD2_REPORT:
		return LAN_CONSUMED;
	case ICMP6_ECHO:
		if (addr_equal(&packet->headers.destination, &link_local))
			return echo_input(lan, packet);
		return LAN_PASS;
	default:
		return LAN_PASS;
	}
}

/* What a packet's first bytes say may be the services' own. */
static bool may_be_ours6(const struct packet *packet, const struct ipv6_header *ip)
{
	return ip->next_header == IPPROTO_ICMPV6 || ip->next_header == IPPROTO_HOPOPTS ||
	       is_to_port(packet, sizeof(*ip), ip->next_header, DHCP6_SERVER_PORT);
}

static enum lan_verdict ours6_input(struct lan *lan, struct packet *packet)
{
	const struct headers *headers = &packet->headers;

	if (!packet_parse(packet)) /* the engine drops it, by its reason */
		return LAN_PASS;
	if (headers->protocol == IPPROTO_ICMPV6 && headers->kind != L4_FRAGMENT)
		return icmp6_input(lan, packet);
	if (headers->kind == L4_UDP && headers->destination_port == htons(DHCP6_SERVER_PORT) &&
		lan->network.dhcp6)
		return dhcp6_input(lan, packet);
	return LAN_PASS;
}

static enum lan_verdict ipv6_input(struct lan *lan, struct packet *packet)
{
	const struct ipv6_header *ip = (const struct ipv6_header *)packet->data;
	union addr source, destination;

	if (packet->length < sizeof(*ip) || packet->data[0] >> 4 != 6)
		return lan_drop(lan, LAN_COUNT_MALFORMED);
	if (may_be_ours6(packet, ip) && ours6_input(lan, packet) == LAN_CONSUMED)
		return LAN_CONSUMED;
	memcpy(source.bytes, ip->source, sizeof(ip->source));
	memcpy(destination.bytes, ip->destination, sizeof(ip->destination));
	if (addr_is_link_local(AF_INET6, &source) || addr_is_link_local(AF_INET6, &destination))
		return lan_drop(lan, LAN_COUNT_LINK_LOCAL);
	if (!neighbour_learn(lan, AF_INET6, &source, frame_header(packet)->source))
		return lan_drop(lan, LAN_COUNT_ADDRESS_SPOOFED);
	return LAN_PASS;
}

enum lan_verdict lan_input(struct lan *lan, struct packet *packet, uint64_t now_ms)
{
	const struct ethernet_header *header = frame_header(packet);

	lan->now_ms = now_ms;
	if (!mac_is_group(header->destination) && !mac_equal(header->destination, LAN_GATEWAY_MAC))
		return lan_drop(lan, LAN_COUNT_NOT_OURS);
	if (!mac_is_station(header->source) ||
		(!lan->settings.many && !is_from_guest(lan, header->source)))
		return lan_drop(lan, LAN_COUNT_MAC_SPOOFED);
	switch (ntohs(header->type)) {
	case ETHERTYPE_IPV4:
		return ipv4_input(lan, packet);
	case ETHERTYPE_IPV6:
		return ipv6_input(lan, packet);
	case ETHERTYPE_ARP:
		return arp_input(lan, packet);
	default:
		return lan_drop(lan, LAN_COUNT_PROTOCOL);
	}
}

/* ---- out ---- */

static enum lan_send output4(struct lan *lan, struct packet *packet)
{
	const struct ipv4_header *ip = (const struct ipv4_header *)packet->data;
	const union addr destination = {.v4 = ip->destination};

	return neighbour_resolve(lan, AF_INET, &destination, packet);
}

static enum lan_send output6(struct lan *lan, struct packet *packet)
{
	const struct ipv6_header *ip = (const struct ipv6_header *)packet->data;
	union addr destination;

	memcpy(destination.bytes, ip->destination, sizeof(ip->destination));
	return neighbour_resolve(lan, AF_INET6, &destination, packet);
}

enum lan_send lan_output(struct lan *lan, struct packet *packet, uint64_t now_ms)
{
	lan->now_ms = now_ms;
	if (!lan->settings.many && lan->has_guest) {
		frame_address(packet, lan->guest_mac);
		return LAN_SEND;
	}
	return packet->data[0] >> 4 == 4 ? output4(lan, packet) : output6(lan, packet);
}

bool lan_next_output(struct lan *lan, struct packet *packet)
{
	return frame_next(lan, packet) || held_next(lan, packet);
}

/* ---- time ---- */

void lan_tick(struct lan *lan, uint64_t now_ms)
{
	lan->now_ms = now_ms;
	neighbours_tick(lan);
	ra_tick(lan);
}

uint64_t lan_deadline(const struct lan *lan)
{
	return lan->due_ms < lan->ra_due_ms ? lan->due_ms : lan->ra_due_ms;
}

/* ---- looking inside ---- */

const struct lan_counters *lan_counters(const struct lan *lan)
{
	return &lan->counters;
}

const char *lan_counter_name(enum lan_counter counter)
{
	static const char *const names[] = {
#define X(name, text) text,
		LAN_COUNTERS(X)
#undef X
	};

	return names[counter];
}

bool lan_guest_mac(const struct lan *lan, uint8_t mac[6])
{
	if (lan->has_guest)
		memcpy(mac, lan->guest_mac, sizeof(lan->guest_mac));
	return lan->has_guest;
}
