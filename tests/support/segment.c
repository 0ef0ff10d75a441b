/* SPDX-License-Identifier: BSD-2-Clause */
/* segment: see segment.h. */
#include <criterion/criterion.h>
#include <string.h>

#include "segment.h"
#include "wire/build.h"
#include "wire/headers.h"

const uint8_t mac_everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct mac mac_of(uint8_t number)
{
	return (struct mac){{2, 0, 0, 0, 0, number}};
}

union addr address_of(const char *text)
{
	union addr parsed = {0};
	uint8_t family;

	cr_assert(text == NULL || addr_parse(text, &parsed, &family), "%s", text);
	return parsed;
}

/* ---- what the services tell ---- */

static bool is_elsewhere(void *context, uint8_t family, const union addr *address)
{
	const struct segment *segment = context;

	(void)family;
	return addr_equal(address, &segment->elsewhere);
}

static bool address_learned(void *context, uint8_t family, const union addr *address)
{
	struct segment *segment = context;

	if (is_elsewhere(context, family, address))
		return false;
	cr_assert_lt(segment->learnt_count, SEGMENT_LEARNT);
	segment->learnt[segment->learnt_count++] = *address;
	return true;
}

static void address_gone(void *context, uint8_t family, const union addr *address)
{
	struct segment *segment = context;

	(void)family;
	for (unsigned i = 0; i < segment->learnt_count; i++)
		if (addr_equal(&segment->learnt[i], address)) {
			segment->learnt[i] = segment->learnt[--segment->learnt_count];
			return;
		}
	cr_assert_fail("an address is gone that was not there");
}

static void lease_changed(void *context, const struct lan_lease *lease)
{
	struct segment *segment = context;

	segment->lease = *lease;
	segment->lease_changes++;
}

static void guest_name(void *context, const char *name, uint8_t family, const union addr *address)
{
	struct segment *segment = context;

	(void)family;
	strcpy(segment->name, name);
	segment->named = *address;
}

/* ---- life ---- */

void segment_init(struct segment *segment, bool many)
{
	*segment = (struct segment){.now_ms = 1000000};
	strcpy(segment->network.name, "lab");
	cr_assert_null(prefix_parse("10.77.0.0/24", &segment->network.subnet4));
	cr_assert_null(prefix_parse("fd77::/64", &segment->network.subnet6));
	segment->network.gateway4 = address_of("10.77.0.1");
	segment->network.gateway6 = address_of("fd77::1");
	segment->settings = (struct lan_settings){.many = many, .mtu = 1500};
	if (!many) {
		segment->settings.address4 = address_of("10.77.0.2");
		segment->settings.address6 = address_of("fd77::2");
	}
}

void segment_start(struct segment *segment)
{
	const struct lan_host host = {
		segment, address_learned, address_gone, is_elsewhere, lease_changed, guest_name};

	segment->settings.network = &segment->network;
	segment->lan = lan_create(&segment->settings, &host, segment->now_ms);
	cr_assert_not_null(segment->lan);
}

void segment_stop(struct segment *segment)
{
	lan_free(segment->lan);
}

/* ---- frames ---- */

enum lan_verdict segment_in(struct segment *segment, const uint8_t source[6],
	const uint8_t destination[6], uint16_t type, const void *bytes, size_t length)
{
	uint8_t *data = segment->in_buffer + PACKET_HEADROOM;
	struct ethernet_header *header = (struct ethernet_header *)(data - ETHERNET_BYTES);

	memcpy(header->destination, destination, 6);
	memcpy(header->source, source, 6);
	header->type = htons(type);
	if (bytes != data)
		memcpy(data, bytes, length);
	segment->in.data = data;
	segment->in.length = (uint32_t)length;
	segment->in.capacity = 2048;
	return lan_input(segment->lan, &segment->in, segment->now_ms);
}

bool segment_take(struct segment *segment)
{
	segment->out.data = segment->out_buffer + PACKET_HEADROOM;
	segment->out.capacity = 2048;
	return lan_next_output(segment->lan, &segment->out);
}

const struct ethernet_header *segment_header(const struct segment *segment)
{
	return (const struct ethernet_header *)(segment->out.data - ETHERNET_BYTES);
}

void segment_wait(struct segment *segment, uint64_t ms)
{
	const uint64_t until = segment->now_ms + ms;

	for (uint64_t due; (due = lan_deadline(segment->lan)) <= until;) {
		segment->now_ms = due > segment->now_ms ? due : segment->now_ms;
		lan_tick(segment->lan, segment->now_ms);
		cr_assert_gt(lan_deadline(segment->lan), segment->now_ms);
	}
	segment->now_ms = until;
}

uint64_t segment_count(const struct segment *segment, enum lan_counter counter)
{
	return lan_counters(segment->lan)->count[counter];
}

/* ---- ARP ---- */

void segment_arp(struct segment *segment, uint8_t from, uint16_t operation, const char *sender,
	const char *target)
{
	const struct mac mac = mac_of(from);
	struct arp arp = {
		.operation = operation,
		.sender = address_of(sender),
		.target = address_of(target),
	};
	uint8_t bytes[ARP_BYTES];

	memcpy(arp.sender_mac, mac.byte, 6);
	arp_build(&arp, bytes);
	cr_expect_eq(segment_in(segment, mac.byte, mac_everybody, 0x0806, bytes, sizeof(bytes)),
		LAN_CONSUMED);
}

bool segment_take_arp(struct segment *segment, struct arp *arp)
{
	if (!segment_take(segment))
		return false;
	cr_assert_eq(segment_header(segment)->type, htons(0x0806));
	cr_assert(arp_parse(segment->out.data, segment->out.length, arp));
	return true;
}

/* ---- IP ---- */

static void packet_make(
	struct packet *packet, uint8_t *data, const char *source, const char *destination)
{
	struct build build = {.protocol = IPPROTO_UDP, .source_port = 1000, .destination_port = 7};

	cr_assert(addr_parse(source, &build.source, &build.family));
	cr_assert(addr_parse(destination, &build.destination, &build.family));
	*packet = (struct packet){.data = data, .capacity = 2048};
	packet->length = build_packet(packet, &build);
}

enum lan_verdict segment_packet(
	struct segment *segment, uint8_t from, const char *source, const char *destination)
{
	const struct mac mac = mac_of(from);
	uint8_t *data = segment->in_buffer + PACKET_HEADROOM;

	packet_make(&segment->in, data, source, destination);
	return segment_in(segment, mac.byte, LAN_GATEWAY_MAC, data[0] >> 4 == 4 ? 0x0800 : 0x86dd,
		data, segment->in.length);
}

enum lan_send segment_send(struct segment *segment, const char *source, const char *destination)
{
	packet_make(&segment->out, segment->out_buffer + PACKET_HEADROOM, source, destination);
	return lan_output(segment->lan, &segment->out, segment->now_ms);
}
