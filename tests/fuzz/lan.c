/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lan: a story of frames from guests of one Ethernet link, as bytes.  Whatever they are, what is
 * answered is well-formed and from the gateway, what is leased is of the pool, and an address that
 * has passed for one machine passes for no other.
 *
 * A step is a byte that says what (and which of four guests), a length, and as many bytes: an ARP
 * message, an IPv4 or IPv6 packet, a DHCP or DHCPv6 message, an ICMPv6 message; or time passes, or
 * a packet is sent to a guest.  Checksums are put right, as chance does not find them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cksum.h"
#include "lan/lan.h"
#include "wire/arp.h"
#include "wire/build.h"
#include "wire/dhcp.h"
#include "wire/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BUFFER_BYTES (PACKET_HEADROOM + 2048)
#define KEPT         16
#define HANDOVER_MS  3000 /* its holder is asked for so long */

struct story {
	struct network_config network;
	struct lan_settings settings;
	struct lan *lan;
	uint64_t now_ms;
	unsigned learnt;
	/* Who was the last that an address has passed for. */
	struct holder {
		uint8_t family;
		union addr address;
		uint8_t mac[6];
		uint64_t seen_ms;
	} holder[KEPT];
	unsigned holders;
	uint8_t in[BUFFER_BYTES], out[BUFFER_BYTES];
};

static union addr address(const char *text)
{
	union addr parsed = {0};
	uint8_t family;

	assert(addr_parse(text, &parsed, &family));
	return parsed;
}

/* ---- what the services tell ---- */

static bool in_subnet(const struct story *story, uint8_t family, const union addr *address)
{
	return prefix_contains(
		family == AF_INET ? &story->network.subnet4 : &story->network.subnet6, family,
		address);
}

static bool on_learned(void *context, uint8_t family, const union addr *address)
{
	struct story *story = context;

	assert(in_subnet(story, family, address) && !story->settings.many);
	assert(!addr_equal(address, &story->network.gateway6));
	assert(++story->learnt <= LAN_ADDRESSES6);
	return true;
}

static void on_gone(void *context, uint8_t family, const union addr *address)
{
	struct story *story = context;

	assert(in_subnet(story, family, address) && story->learnt > 0);
	story->learnt--;
}

static bool on_elsewhere(void *context, uint8_t family, const union addr *address)
{
	(void)context;
	(void)family;
	return address->bytes[3] == 66;
}

static void on_lease(void *context, const struct lan_lease *lease)
{
	struct story *story = context;

	assert(in_subnet(story, lease->family, &lease->address));
	assert(!addr_equal(&lease->address, &story->network.gateway4));
	if (!story->settings.many)
		assert(addr_equal(&lease->address, lease->family == AF_INET
							   ? &story->settings.address4
							   : &story->settings.address6));
	else if (lease->family == AF_INET)
		assert(addr_range_contains(&story->network.address_pool, AF_INET, &lease->address));
	/* A lease is a reason to change hands. */
	for (unsigned i = 0; i < story->holders; i++)
		if (addr_equal(&story->holder[i].address, &lease->address))
			story->holder[i] = story->holder[--story->holders];
}

static void on_name(void *context, const char *name, uint8_t family, const union addr *address)
{
	const size_t length = strlen(name);

	(void)context;
	(void)family;
	(void)address;
	assert(length > 0 && length < CONFIG_NAME_SIZE && name[0] != '-' &&
		name[length - 1] != '-');
	assert(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length);
}

/* ---- frames in ---- */

static void mac_write(uint8_t mac[6], unsigned guest)
{
	memcpy(mac, "\x02\0\0\0\0", 5);
	mac[5] = (uint8_t)(2 + guest);
}

static void holder_check(struct story *story, const struct packet *packet)
{
	const uint8_t *mac = packet->data - 8;
	const bool v4 = packet->data[0] >> 4 == 4;
	struct holder now = {.family = v4 ? AF_INET : AF_INET6, .seen_ms = story->now_ms};

	memcpy(now.mac, mac, 6);
	memcpy(now.address.bytes, packet->data + (v4 ? 12 : 8), v4 ? 4 : 16);
	if (!story->settings.many)
		return;
	assert(in_subnet(story, now.family, &now.address));
	for (unsigned i = 0; i < story->holders; i++) {
		struct holder *before = &story->holder[i];

		if (before->family != now.family || !addr_equal(&before->address, &now.address))
			continue;
		assert(memcmp(before->mac, now.mac, 6) == 0 ||
			before->seen_ms + HANDOVER_MS <= story->now_ms);
		*before = now;
		return;
	}
	if (story->holders < KEPT)
		story->holder[story->holders++] = now;
}

/* In memory of exactly its size, so that reading on is noticed. */
static void frame_put(struct story *story, unsigned guest, uint16_t type, size_t length)
{
	uint8_t *bytes = malloc(PACKET_HEADROOM + length);
	assert(bytes != NULL);
	struct packet packet = {.data = bytes + PACKET_HEADROOM,
		.capacity = (uint32_t)length,
		.length = (uint32_t)length};
	struct ethernet_header *header = (struct ethernet_header *)(packet.data - ETHERNET_BYTES);

	memcpy(packet.data, story->in + PACKET_HEADROOM, length);
	memset(header->destination, 0xff, 6);
	mac_write(header->source, guest);
	header->type = htons(type);
	if (lan_input(story->lan, &packet, story->now_ms) == LAN_PASS) {
		assert(type == 0x0800 || type == 0x86dd);
		holder_check(story, &packet);
	}
	free(bytes);
}

static void udp_put(
	struct story *story, unsigned guest, uint16_t port, const uint8_t *bytes, size_t length)
{
	struct packet packet = {.data = story->in + PACKET_HEADROOM, .capacity = 2048};
	struct build build = {.family = port == 67 ? AF_INET : AF_INET6,
		.protocol = IPPROTO_UDP,
		.source_port = 68,
		.destination_port = port,
		.payload = bytes,
		.payload_bytes = (uint32_t)length};

	if (port == 547) {
		build.source = address("fe80::2");
		build.destination = address("ff02::1:2");
	} else {
		build.destination.v4 = UINT32_MAX;
	}
	build_packet(&packet, &build);
	frame_put(story, guest, port == 67 ? 0x0800 : 0x86dd, packet.length);
}

/* A DHCP message is too long to be found: what is fixed in it is written, the story says the rest:
 * type, addresses, then options. */
static void dhcp_put(struct story *story, unsigned guest, const uint8_t *bytes, size_t length)
{
	uint8_t message[240 + 256] = {1, 1, 6};

	if (length < 3)
		return;
	mac_write(message + 28, guest);
	memcpy(message + 236, "\x63\x82\x53\x63\x35\x01", 6);
	message[242] = (uint8_t)(1 + bytes[0] % 8);
	if (bytes[1] != 0)
		memcpy(message + 12, (const uint8_t[]){10, 77, 0, bytes[1]}, 4);
	message[10] = bytes[2];
	memcpy(message + 243, bytes + 3, length - 3);
	udp_put(story, guest, 67, message, 243 + length - 3);
}

static void icmp6_put(struct story *story, unsigned guest, const uint8_t *bytes, size_t length)
{
	uint8_t *packet = story->in + PACKET_HEADROOM;
	struct ipv6_header *ip = (struct ipv6_header *)packet;
	union addr source = address("fe80::2"), destination = address("ff02::1");

	if (length < 5)
		return;
	if (bytes[0] & 1) /* detection of duplicates, of what is asked for */
		source = (union addr){0};
	else if (bytes[0] & 2)
		source = address("fd77::5");
	if ((bytes[0] & 4) && length >= 25)
		memcpy(destination.bytes, "\xff\x02\0\0\0\0\0\0\0\0\0\x01\xff", 13),
			memcpy(destination.bytes + 13, bytes + 22, 3);
	*ip = (struct ipv6_header){.version_class_flow = htonl(6U << 28),
		.payload_length = htons((uint16_t)(length - 1)),
		.next_header = IPPROTO_ICMPV6,
		.hop_limit = 255};
	memcpy(ip->source, source.bytes, 16);
	memcpy(ip->destination, destination.bytes, 16);
	uint8_t *icmp = packet + sizeof(*ip);
	memcpy(icmp, bytes + 1, length - 1);
	memset(icmp + 2, 0, 2);
	const uint64_t pseudo = cksum_pseudo(
		AF_INET6, &source, &destination, IPPROTO_ICMPV6, (uint32_t)(length - 1));
	const be16 sum = (be16)~cksum_fold(cksum_add(icmp, length - 1, pseudo));
	memcpy(icmp + 2, &sum, sizeof(sum));
	frame_put(story, guest, 0x86dd, sizeof(*ip) + length - 1);
}

static void raw_put(
	struct story *story, unsigned guest, uint16_t type, const uint8_t *bytes, size_t length)
{
	memcpy(story->in + PACKET_HEADROOM, bytes, length);
	frame_put(story, guest, type, length);
}

/* A whole packet with this last byte of a source. */
static void plain_put(struct story *story, unsigned guest, uint8_t kind, uint8_t last)
{
	struct packet packet = {.data = story->in + PACKET_HEADROOM, .capacity = 2048};
	struct build build = {.family = kind & 1 ? AF_INET : AF_INET6,
		.protocol = IPPROTO_UDP,
		.source_port = 9,
		.destination_port = 9};

	build.source = address(kind & 1 ? "10.77.0.0" : "fd77::");
	build.source.bytes[kind & 1 ? 3 : 15] = last;
	build.destination = address(kind & 1 ? "192.0.2.1" : "2001:db8::1");
	build_packet(&packet, &build);
	frame_put(story, guest, kind & 1 ? 0x0800 : 0x86dd, packet.length);
}

/* ---- frames out ---- */

static void reply_check(const struct story *story, const struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	union addr yours = {0};

	if (headers->family != AF_INET || headers->source_port != htons(67))
		return;
	memcpy(&yours, packet->data + headers->payload + 16, 4);
	if (addr_is_zero(&yours))
		return;
	if (story->settings.many)
		assert(addr_range_contains(&story->network.address_pool, AF_INET, &yours));
	else
		assert(addr_equal(&yours, &story->settings.address4));
}

static void frames_take(struct story *story)
{
	struct packet packet = {.data = story->out + PACKET_HEADROOM, .capacity = 2048};
	struct arp arp;

	while (lan_next_output(story->lan, &packet)) {
		const struct ethernet_header *header =
			(struct ethernet_header *)(packet.data - ETHERNET_BYTES);

		assert(memcmp(header->source, LAN_GATEWAY_MAC, 6) == 0);
		if (header->type == htons(0x0806)) {
			assert(arp_parse(packet.data, packet.length, &arp));
			assert(memcmp(arp.sender_mac, LAN_GATEWAY_MAC, 6) == 0);
		} else {
			assert(packet_parse(&packet));
			reply_check(story, &packet);
		}
		packet.data = story->out + PACKET_HEADROOM;
	}
}

static void guest_send(struct story *story, uint8_t kind, uint8_t last)
{
	struct packet packet = {.data = story->out + PACKET_HEADROOM, .capacity = 2048};
	struct build build = {.family = kind & 1 ? AF_INET : AF_INET6,
		.protocol = IPPROTO_UDP,
		.source_port = 9,
		.destination_port = 9};

	build.source = address(kind & 1 ? "192.0.2.1" : "2001:db8::1");
	build.destination = address(kind & 1 ? "10.77.0.0" : "fd77::");
	build.destination.bytes[kind & 1 ? 3 : 15] = last;
	build_packet(&packet, &build);
	lan_output(story->lan, &packet, story->now_ms);
}

static void time_pass(struct story *story, uint64_t ms)
{
	story->now_ms += ms;
	for (unsigned i = 0; lan_deadline(story->lan) <= story->now_ms; i++) {
		assert(i < 4);
		lan_tick(story->lan, story->now_ms);
	}
}

/* ---- the story ---- */

static void step(struct story *story, uint8_t what, const uint8_t *bytes, size_t length)
{
	const unsigned guest = what >> 4 & 3;
	const uint8_t first = length > 0 ? bytes[0] : 0, second = length > 1 ? bytes[1] : 0;

	switch (what & 15) {
	case 0:
		raw_put(story, guest, 0x0806, bytes, length);
		break;
	case 1:
		raw_put(story, guest, 0x0800, bytes, length);
		break;
	case 2:
		raw_put(story, guest, 0x86dd, bytes, length);
		break;
	case 3:
		udp_put(story, guest, 67, bytes, length);
		break;
	case 4:
		dhcp_put(story, guest, bytes, length);
		break;
	case 5:
		udp_put(story, guest, 547, bytes, length);
		break;
	case 6:
		icmp6_put(story, guest, bytes, length);
		break;
	case 7:
		plain_put(story, guest, first, second);
		break;
	case 8:
		guest_send(story, first, second);
		break;
	case 9:
		time_pass(story, first * 100U);
		break;
	case 10:
		time_pass(story, first * 100000U);
		break;
	case 11:
		lan_reset(story->lan, story->now_ms);
		story->holders = 0;
		break;
	default:
		break;
	}
	frames_take(story);
}

static void story_begin(struct story *story, uint8_t flags)
{
	const struct lan_host host = {story, on_learned, on_gone, on_elsewhere, on_lease, on_name};

	story->now_ms = 1000000;
	story->network = (struct network_config){
		.name = "lab", .domain = "lab.example", .lease_time_s = 60, .ra = true};
	story->network.dhcp = !(flags & 2);
	story->network.dhcp6 = flags & 4;
	prefix_parse("10.77.0.0/24", &story->network.subnet4);
	prefix_parse("fd77::/64", &story->network.subnet6);
	addr_range_parse("10.77.0.100-10.77.0.107", &story->network.address_pool);
	story->network.gateway4 = address("10.77.0.1");
	story->network.gateway6 = address("fd77::1");
	story->settings = (struct lan_settings){
		.network = &story->network, .name = "vm", .many = flags & 1, .mtu = 1500};
	if (!(flags & 1)) {
		story->settings.address4 = address("10.77.0.2");
		story->settings.address6 = address("fd77::2");
	}
	story->lan = lan_create(&story->settings, &host, story->now_ms);
	assert(story->lan != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story *story = calloc(1, sizeof(*story));

	if (size == 0 || story == NULL) {
		free(story);
		return 0;
	}
	story_begin(story, data[0]);
	for (data++, size--; size >= 2;) {
		const size_t length = data[1] < size - 2 ? data[1] : size - 2;
		uint8_t *bytes = malloc(length + 1); /* so that reading behind it is seen */

		assert(bytes != NULL);
		memcpy(bytes, data + 2, length);
		step(story, data[0], bytes, length);
		free(bytes);
		data += 2 + length;
		size -= 2 + length;
	}
	lan_free(story->lan);
	free(story);
	return 0;
}
