/* SPDX-License-Identifier: BSD-2-Clause */
/* lan_arp: who is answered, who is believed, and what waits for an answer. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../support/segment.h"
#include "wire/headers.h"

static struct segment segment;

static void one(void)
{
	segment_init(&segment, false);
	segment_start(&segment);
}

static void many(void)
{
	segment_init(&segment, true);
	segment_start(&segment);
}

static void stop(void)
{
	segment_stop(&segment);
}

TestSuite(arp_one, .init = one, .fini = stop);
TestSuite(arp_many, .init = many, .fini = stop);

static void expect_reply(uint8_t to, const char *about, const char *asker)
{
	const struct mac mac = mac_of(to);
	const union addr target = address_of(about), sender = address_of(asker);
	struct arp arp;

	cr_assert(segment_take_arp(&segment, &arp), "no answer about %s", about);
	cr_expect_eq(arp.operation, ARP_REPLY);
	cr_expect_eq(memcmp(arp.sender_mac, LAN_GATEWAY_MAC, 6), 0);
	cr_expect_eq(memcmp(segment_header(&segment)->source, LAN_GATEWAY_MAC, 6), 0);
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac.byte, 6), 0);
	cr_expect(addr_equal(&arp.sender, &target));
	cr_expect(addr_equal(&arp.target, &sender));
}

static void expect_request(const char *about)
{
	const union addr target = address_of(about);
	struct arp arp;

	cr_assert(segment_take_arp(&segment, &arp), "nobody asks for %s", about);
	cr_expect_eq(arp.operation, ARP_REQUEST);
	cr_expect(addr_equal(&arp.sender, &segment.network.gateway4));
	cr_expect(addr_equal(&arp.target, &target));
}

static void expect_silence(void)
{
	cr_expect_not(segment_take(&segment));
}

/* ---- one guest ---- */

Test(arp_one, gateway_is_answered)
{
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.1");
	expect_reply(2, "10.77.0.1", "10.77.0.2");
	expect_silence();
}

Test(arp_one, all_others_of_the_subnet_are_behind_the_gateway)
{
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.9");
	expect_reply(2, "10.77.0.9", "10.77.0.2");
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "192.0.2.1");
	expect_silence();
}

/* RFC 5227, 2.1.1: silence means that the address is free. */
Test(arp_one, probe_for_the_own_address_is_left_alone)
{
	segment_arp(&segment, 2, ARP_REQUEST, NULL, "10.77.0.2");
	expect_silence();
}

Test(arp_one, probe_for_anothers_address_is_defended)
{
	segment_arp(&segment, 2, ARP_REQUEST, NULL, "10.77.0.1");
	expect_reply(2, "10.77.0.1", NULL);
	segment_arp(&segment, 2, ARP_REQUEST, NULL, "10.77.0.3");
	expect_reply(2, "10.77.0.3", NULL);
}

Test(arp_one, announcement_of_the_own_address_says_nothing_new)
{
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.2");
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 0);
}

/* RFC 5227, 2.4 c: the gateway's own address is defended, once in ten seconds. */
Test(arp_one, claim_of_the_gateways_address_is_defended_not_too_often)
{
	struct arp arp;

	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.1", "10.77.0.1");
	cr_assert(segment_take_arp(&segment, &arp));
	cr_expect(addr_equal(&arp.sender, &segment.network.gateway4));
	cr_expect(addr_equal(&arp.target, &segment.network.gateway4));
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_everybody, 6), 0);
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.1", "10.77.0.1");
	expect_silence();
	segment_wait(&segment, 10000);
	segment_arp(&segment, 2, ARP_REPLY, "10.77.0.1", "10.77.0.2");
	cr_expect(segment_take_arp(&segment, &arp));
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 3);
}

Test(arp_one, foreign_sender_is_refused)
{
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.3", "10.77.0.1");
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 1);
}

Test(arp_one, message_with_another_mac_than_its_frame_is_refused)
{
	struct arp arp = {.operation = ARP_REQUEST,
		.sender = address_of("10.77.0.2"),
		.sender_mac = {2, 0, 0, 0, 0, 9},
		.target = address_of("10.77.0.1")};
	uint8_t bytes[ARP_BYTES];

	arp_build(&arp, bytes);
	segment_in(&segment, mac_of(2).byte, mac_everybody, 0x0806, bytes, sizeof(bytes));
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MAC_SPOOFED), 1);
}

Test(arp_one, first_mac_is_the_guests)
{
	uint8_t mac[6];

	cr_expect_not(lan_guest_mac(segment.lan, mac));
	cr_expect_eq(segment_packet(&segment, 2, "10.77.0.2", "192.0.2.1"), LAN_PASS);
	cr_expect(lan_guest_mac(segment.lan, mac));
	cr_expect_eq(mac[5], 2);
	cr_expect_eq(segment_packet(&segment, 3, "10.77.0.2", "192.0.2.1"), LAN_CONSUMED);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MAC_SPOOFED), 1);
}

Test(arp_one, another_mac_is_accepted_after_a_reset_or_silence)
{
	cr_expect_eq(segment_packet(&segment, 2, "10.77.0.2", "192.0.2.1"), LAN_PASS);
	lan_reset(segment.lan, segment.now_ms);
	cr_expect_eq(segment_packet(&segment, 3, "10.77.0.2", "192.0.2.1"), LAN_PASS);
	segment_wait(&segment, 29999);
	cr_expect_eq(segment_packet(&segment, 4, "10.77.0.2", "192.0.2.1"), LAN_CONSUMED);
	segment_wait(&segment, 1);
	cr_expect_eq(segment_packet(&segment, 4, "10.77.0.2", "192.0.2.1"), LAN_PASS);
}

Test(arp_one, configured_mac_is_the_only_one)
{
	segment_stop(&segment);
	segment_init(&segment, false);
	segment.settings.has_mac = true;
	memcpy(segment.settings.mac, mac_of(5).byte, 6);
	segment_start(&segment);
	cr_expect_eq(segment_packet(&segment, 2, "10.77.0.2", "192.0.2.1"), LAN_CONSUMED);
	cr_expect_eq(segment_packet(&segment, 5, "10.77.0.2", "192.0.2.1"), LAN_PASS);
}

Test(arp_one, frames_to_others_and_from_nobody_are_dropped)
{
	static const uint8_t group[6] = {3, 0, 0, 0, 0, 2};
	const uint8_t byte = 0;

	segment_in(&segment, mac_of(2).byte, mac_of(9).byte, 0x0800, &byte, 1);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_NOT_OURS), 1);
	segment_in(&segment, group, mac_everybody, 0x0800, &byte, 1);
	segment_in(&segment, LAN_GATEWAY_MAC, mac_everybody, 0x0800, &byte, 1);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MAC_SPOOFED), 2);
	segment_in(&segment, mac_of(2).byte, mac_everybody, 0x8100, &byte, 1);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_PROTOCOL), 1);
	segment_in(&segment, mac_of(2).byte, mac_everybody, 0x0800, &byte, 1);
	segment_in(&segment, mac_of(2).byte, mac_everybody, 0x86dd, &byte, 1);
	segment_in(&segment, mac_of(2).byte, mac_everybody, 0x0806, &byte, 1);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MALFORMED), 3);
}

Test(arp_one, packet_waits_for_the_guests_mac)
{
	cr_expect_eq(segment_send(&segment, "192.0.2.1", "10.77.0.2"), LAN_HELD);
	expect_request("10.77.0.2");
	expect_silence();
	segment_arp(&segment, 2, ARP_REPLY, "10.77.0.2", "10.77.0.1");
	cr_assert(segment_take(&segment));
	cr_expect_eq(segment_header(&segment)->type, htons(0x0800));
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(2).byte, 6), 0);
	expect_silence();
	cr_expect_eq(segment_send(&segment, "192.0.2.1", "10.77.0.2"), LAN_SEND);
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(2).byte, 6), 0);
	segment_wait(&segment, 1000);
	expect_silence();
	cr_expect_eq(lan_deadline(segment.lan), UINT64_MAX);
}

/* ---- many guests ---- */

Test(arp_many, only_the_gateway_and_what_is_elsewhere_is_answered)
{
	segment.elsewhere = address_of("10.77.0.50");
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.1");
	expect_reply(2, "10.77.0.1", "10.77.0.2");
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.50");
	expect_reply(2, "10.77.0.50", "10.77.0.2");
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.3");
	expect_silence();
}

Test(arp_many, address_is_pinned_to_the_first_mac)
{
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.2");
	cr_expect_eq(segment_packet(&segment, 2, "10.77.0.2", "192.0.2.1"), LAN_PASS);
	cr_expect_eq(segment_packet(&segment, 3, "10.77.0.2", "192.0.2.1"), LAN_CONSUMED);
	segment_arp(&segment, 3, ARP_REQUEST, "10.77.0.2", "10.77.0.2");
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 2);
	expect_silence();
	/* ... and a probe of it is answered. */
	segment_arp(&segment, 3, ARP_REQUEST, NULL, "10.77.0.2");
	expect_reply(3, "10.77.0.2", NULL);
	segment_arp(&segment, 2, ARP_REQUEST, NULL, "10.77.0.2");
	expect_silence();
	segment_send(&segment, "192.0.2.1", "10.77.0.2");
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(2).byte, 6), 0);
}

/* The holder is asked before anybody else gets the address. */
Test(arp_many, contested_address_stays_with_a_holder_that_answers)
{
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.2");
	segment_wait(&segment, 20000);
	segment_arp(&segment, 3, ARP_REQUEST, "10.77.0.2", "10.77.0.2");
	expect_request("10.77.0.2");
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(2).byte, 6), 0);
	segment_arp(&segment, 2, ARP_REPLY, "10.77.0.2", "10.77.0.1");
	segment_wait(&segment, 10000);
	expect_silence();
	cr_expect_eq(segment_packet(&segment, 2, "10.77.0.2", "192.0.2.1"), LAN_PASS);
}

Test(arp_many, address_of_one_that_is_gone_is_free)
{
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.2");
	segment_wait(&segment, 20000);
	segment_arp(&segment, 3, ARP_REQUEST, "10.77.0.2", "10.77.0.2");
	segment_wait(&segment, 2999);
	cr_expect_eq(segment_packet(&segment, 3, "10.77.0.2", "192.0.2.1"), LAN_CONSUMED);
	segment_wait(&segment, 1);
	for (unsigned i = 0; i < 3; i++)
		expect_request("10.77.0.2");
	expect_silence();
	cr_expect_eq(segment_packet(&segment, 3, "10.77.0.2", "192.0.2.1"), LAN_PASS);
}

Test(arp_many, unresolved_guest_is_asked_for_three_times_then_unreachable)
{
	cr_expect_eq(segment_send(&segment, "192.0.2.1", "10.77.0.9"), LAN_HELD);
	cr_expect_eq(segment_send(&segment, "192.0.2.1", "10.77.0.9"), LAN_HELD);
	segment_wait(&segment, 2999);
	for (unsigned i = 0; i < 3; i++)
		expect_request("10.77.0.9");
	expect_silence();
	segment_wait(&segment, 1);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_UNRESOLVED), 2);
	cr_expect_eq(segment_send(&segment, "192.0.2.1", "10.77.0.9"), LAN_UNREACHABLE);
	segment_wait(&segment, 3000);
	cr_expect_eq(segment_send(&segment, "192.0.2.1", "10.77.0.9"), LAN_HELD);
}

Test(arp_many, held_packets_are_few_and_the_oldest_gives_way)
{
	for (unsigned i = 0; i < 6; i++)
		cr_expect_eq(segment_send(&segment, "192.0.2.1", "10.77.0.9"), LAN_HELD);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_UNRESOLVED), 2);
	expect_request("10.77.0.9");
	segment_arp(&segment, 9, ARP_REPLY, "10.77.0.9", "10.77.0.1");
	for (unsigned i = 0; i < 4; i++) {
		cr_assert(segment_take(&segment));
		cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(9).byte, 6), 0);
	}
	expect_silence();
}

Test(arp_many, silent_neighbour_is_asked_while_packets_go_to_it)
{
	segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.2");
	segment_wait(&segment, 30000);
	cr_expect_eq(segment_send(&segment, "192.0.2.1", "10.77.0.2"), LAN_SEND);
	expect_request("10.77.0.2");
	segment_wait(&segment, 3000);
	cr_expect_eq(segment_send(&segment, "192.0.2.1", "10.77.0.2"), LAN_HELD);
}

Test(arp_many, one_machine_has_sixteen_addresses_at_most)
{
	char text[ADDR_TEXT_SIZE];

	for (unsigned i = 10; i < 30; i++) {
		snprintf(text, sizeof(text), "10.77.0.%u", i);
		segment_arp(&segment, 2, ARP_REQUEST, text, text);
	}
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 4);
}

/* ---- the ring of frames ---- */

Test(arp_one, answers_beyond_the_ring_are_not_given)
{
	for (unsigned i = 0; i < 40; i++)
		segment_arp(&segment, 2, ARP_REQUEST, "10.77.0.2", "10.77.0.1");
	cr_expect_eq(segment_count(&segment, LAN_COUNT_BUSY), 8);
	for (unsigned i = 0; i < 32; i++)
		expect_reply(2, "10.77.0.1", "10.77.0.2");
	expect_silence();
}
