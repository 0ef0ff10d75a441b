/* SPDX-License-Identifier: BSD-2-Clause */
/* lan_dhcp_many: who gets which address of a pool, and keeps it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../support/dhcp_talk.h"

static struct dhcp_talk talk;
#define segment talk.segment
#define reply   talk

#define ask(...)           dhcp_talk_ask(&talk, (struct ask){__VA_ARGS__})
#define expect(...)        dhcp_talk_expect(&talk, __VA_ARGS__)
#define lease(guest)       dhcp_talk_lease(&talk, guest)
#define expect_option(...) dhcp_talk_expect_option(&talk, __VA_ARGS__)

static void start(void)
{
	dhcp_talk_init(&talk, true);
	segment_start(&segment);
}

static void stop(void)
{
	segment_stop(&segment);
}

TestSuite(dhcp_many, .init = start, .fini = stop);

static void expect_silence(void)
{
	cr_expect_not(segment_take(&segment));
}

Test(dhcp_many, each_machine_has_one_address_and_keeps_it)
{
	char first[ADDR_TEXT_SIZE], second[ADDR_TEXT_SIZE];

	lease(2);
	strcpy(first, reply.yours);
	lease(3);
	strcpy(second, reply.yours);
	cr_expect_str_neq(first, second);
	lease(2);
	cr_expect_str_eq(reply.yours, first);
	/* with another identifier it is the same machine; and after the lease was over, too */
	ask(.from = 3, .type = DHCP_DISCOVER, .id = "another system");
	expect(DHCP_OFFER, second);
	segment_wait(&segment, 100 * DHCP_TALK_LEASE_S * 1000);
	lease(3);
	cr_expect_str_eq(reply.yours, second);
}

/* The place in the pool hangs on the MAC alone. */
Test(dhcp_many, machine_finds_its_address_where_the_memory_was_lost)
{
	char before[ADDR_TEXT_SIZE];

	lease(2);
	strcpy(before, reply.yours);
	segment.settings.seed[0] ^= 1;
	dhcp_talk_again(&talk);
	lease(2);
	cr_expect_str_eq(reply.yours, before);
}

Test(dhcp_many, addresses_are_of_the_pool_until_there_is_none)
{
	char seen[10][ADDR_TEXT_SIZE];

	for (uint8_t i = 0; i < 10; i++) {
		unsigned last;

		lease((uint8_t)(10 + i));
		cr_assert_eq(sscanf(reply.yours, "10.77.0.%u", &last), 1);
		cr_expect(last >= 100 && last <= 109, "%s", reply.yours);
		strcpy(seen[i], reply.yours);
		for (uint8_t j = 0; j < i; j++)
			cr_expect_str_neq(seen[i], seen[j]);
	}
	ask(.from = 30, .type = DHCP_DISCOVER);
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_FULL), 1);
	/* One is given back. */
	ask(.from = 13, .type = DHCP_RELEASE, .client = seen[3], .server = "10.77.0.1");
	segment_wait(&segment, 1000);
	lease(30);
	cr_expect_str_eq(reply.yours, seen[3]);
}

Test(dhcp_many, wish_is_granted_where_it_can_be)
{
	ask(.from = 2, .type = DHCP_DISCOVER, .requested = "10.77.0.105");
	expect(DHCP_OFFER, "10.77.0.105");
	ask(.from = 3, .type = DHCP_DISCOVER, .requested = "10.77.0.105");
	expect(DHCP_OFFER, NULL);
	cr_expect_str_neq(reply.yours, "10.77.0.105");
	ask(.from = 4, .type = DHCP_DISCOVER, .requested = "10.77.0.9");
	expect(DHCP_OFFER, NULL);
	cr_expect_str_neq(reply.yours, "10.77.0.9", "not of the pool");
	/* After the gateway was without its memory, a guest's own says what it had. */
	ask(.from = 5, .type = DHCP_REQUEST, .requested = "10.77.0.107");
	expect(DHCP_ACK, "10.77.0.107");
}

Test(dhcp_many, offer_that_is_not_taken_is_free_for_others)
{
	ask(.from = 2, .type = DHCP_DISCOVER, .requested = "10.77.0.105");
	expect(DHCP_OFFER, "10.77.0.105");
	ask(.from = 2, .type = DHCP_REQUEST, .requested = "10.9.9.9", .server = "10.9.9.1");
	expect_silence();
	ask(.from = 3, .type = DHCP_DISCOVER, .requested = "10.77.0.105");
	expect(DHCP_OFFER, "10.77.0.105");
	segment_wait(&segment, 30000);
	ask(.from = 4, .type = DHCP_REQUEST, .requested = "10.77.0.105");
	expect(DHCP_ACK, "10.77.0.105");
}

Test(dhcp_many, anothers_address_is_refused)
{
	char first[ADDR_TEXT_SIZE];

	lease(2);
	strcpy(first, reply.yours);
	ask(.from = 3, .type = DHCP_REQUEST, .requested = first);
	expect(DHCP_NAK, NULL);
	ask(.from = 3, .type = DHCP_REQUEST, .client = first);
	expect(DHCP_NAK, NULL);
	ask(.from = 3, .type = DHCP_RELEASE, .client = first, .server = "10.77.0.1");
	ask(.from = 3, .type = DHCP_DECLINE, .requested = first, .server = "10.77.0.1");
	expect_silence();
	lease(2);
	cr_expect_str_eq(reply.yours, first);
}

/* A lease pins the address, before its guest has sent anything. */
Test(dhcp_many, leased_address_is_its_machines)
{
	lease(2);
	cr_expect_eq(segment_packet(&segment, 3, reply.yours, "192.0.2.1"), LAN_CONSUMED);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ADDRESS_SPOOFED), 1);
	cr_expect_eq(segment_send(&segment, "192.0.2.1", reply.yours), LAN_SEND);
	cr_expect_eq(memcmp(segment_header(&segment)->destination, mac_of(2).byte, 6), 0);
	cr_expect_eq(segment_packet(&segment, 2, reply.yours, "192.0.2.1"), LAN_PASS);
}

Test(dhcp_many, address_in_use_is_not_leased)
{
	segment_arp(&segment, 9, ARP_REQUEST, "10.77.0.105", "10.77.0.105");
	ask(.from = 2, .type = DHCP_DISCOVER, .requested = "10.77.0.105");
	expect(DHCP_OFFER, NULL);
	cr_expect_str_neq(reply.yours, "10.77.0.105");
	segment.elsewhere = address_of("10.77.0.106");
	ask(.from = 3, .type = DHCP_REQUEST, .requested = "10.77.0.106");
	expect(DHCP_NAK, NULL);
}

Test(dhcp_many, declined_address_is_left_alone_for_a_while)
{
	ask(.from = 2, .type = DHCP_DISCOVER, .requested = "10.77.0.105");
	expect(DHCP_OFFER, "10.77.0.105");
	ask(.from = 2, .type = DHCP_REQUEST, .requested = "10.77.0.105", .server = "10.77.0.1");
	expect(DHCP_ACK, "10.77.0.105");
	ask(.from = 2, .type = DHCP_DECLINE, .requested = "10.77.0.105", .server = "10.77.0.1");
	expect_silence();
	ask(.from = 2, .type = DHCP_DISCOVER, .requested = "10.77.0.105");
	expect(DHCP_OFFER, NULL);
	cr_expect_str_neq(reply.yours, "10.77.0.105");
	segment_wait(&segment, 600000);
	ask(.from = 3, .type = DHCP_REQUEST, .requested = "10.77.0.105");
	expect(DHCP_ACK, "10.77.0.105");
}

/* One machine does not take the whole pool away. */
Test(dhcp_many, not_many_addresses_are_declined_by_one)
{
	for (unsigned i = 0; i < 5; i++) {
		char address[ADDR_TEXT_SIZE];
		snprintf(address, sizeof(address), "10.77.0.10%u", i + 1);
		ask(.from = 2, .type = DHCP_REQUEST, .requested = address);
		expect(DHCP_ACK, address);
		ask(.from = 2, .type = DHCP_DECLINE, .requested = address, .server = "10.77.0.1");
		expect_silence();
	}
	ask(.from = 3, .type = DHCP_REQUEST, .requested = "10.77.0.104");
	expect(DHCP_NAK, NULL);
	ask(.from = 3, .type = DHCP_REQUEST, .requested = "10.77.0.105");
	expect(DHCP_ACK, "10.77.0.105");
}

Test(dhcp_many, reservations)
{
	struct lan_reservation kept[2] = {
		{.mac = {2, 0, 0, 0, 0, 7}, .family = AF_INET, .name = "printer"},
		{.mac = {2, 0, 0, 0, 0, 8}, .family = AF_INET}};

	kept[0].address = address_of("10.77.0.20"); /* beside the pool */
	kept[1].address = address_of("10.77.0.103");
	segment.network.reservations = kept;
	segment.network.reservation_count = 2;
	dhcp_talk_again(&talk);
	lease(7);
	cr_expect_str_eq(reply.yours, "10.77.0.20");
	expect_option(12, "printer", 7);
	cr_expect_str_eq(segment.name, "printer");
	ask(.from = 7, .type = DHCP_REQUEST, .requested = "10.77.0.104");
	expect(DHCP_NAK, NULL);
	for (uint8_t i = 0; i < 9; i++) {
		lease((uint8_t)(20 + i));
		cr_expect_str_neq(reply.yours, "10.77.0.103");
	}
	ask(.from = 40, .type = DHCP_REQUEST, .requested = "10.77.0.103");
	expect(DHCP_NAK, NULL);
	lease(8);
	cr_expect_str_eq(reply.yours, "10.77.0.103");
}

/* RFC 4361: a machine that has got another network card, once the lease is over. */
Test(dhcp_many, identifier_finds_the_address_of_a_machine_with_another_mac)
{
	ask(.from = 2, .type = DHCP_REQUEST, .requested = "10.77.0.105", .id = "the machine");
	expect(DHCP_ACK, "10.77.0.105");
	ask(.from = 3, .type = DHCP_DISCOVER, .id = "the machine");
	expect(DHCP_OFFER, NULL);
	cr_expect_str_neq(reply.yours, "10.77.0.105", "which nobody can take from another");
	ask(.from = 2, .type = DHCP_RELEASE, .client = "10.77.0.105", .server = "10.77.0.1");
	ask(.from = 4, .type = DHCP_DISCOVER, .id = "the machine");
	expect(DHCP_OFFER, "10.77.0.105");
}

Test(dhcp_many, names)
{
	static const struct {
		const char *host_name, *fqdn, *name;
	} rows[] = {
		{"Web-1", NULL, "web-1"},
		{"web.example.org", NULL, "web"},
		{NULL,
			"\x01"
			"aaquux.example",
			"quux"},
		{"a",
			"\x05"
			"aa\x04mail\x03"
			"lan",
			"mail"},
		{"-web", NULL, ""},
		{"web_1", NULL, ""},
		{"a\x80", NULL, ""},
		{".lab", NULL, ""},
		{"a-name-of-more-than-thirty-one-bytes", NULL, ""},
	};

	for (uint8_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		segment.name[0] = '\0';
		ask(.from = (uint8_t)(2 + i), .type = DHCP_DISCOVER, .rapid = true,
			.host_name = rows[i].host_name, .fqdn = rows[i].fqdn);
		expect(DHCP_ACK, NULL);
		cr_expect_str_eq(segment.name, rows[i].name);
		cr_expect_str_eq(segment.lease.name, rows[i].name);
	}
}

Test(dhcp_many, leases_are_restored)
{
	struct lan_lease known = {
		.family = AF_INET, .mac = {2, 0, 0, 0, 0, 5}, .expires_ms = segment.now_ms + 1000};

	known.address = address_of("10.77.0.108");
	cr_expect(lan_lease_restore(segment.lan, &known));
	cr_expect_not(lan_lease_restore(segment.lan, &known), "twice");
	segment_arp(&segment, 9, ARP_REQUEST, NULL, "10.77.0.108");
	cr_expect(segment_take(&segment), "another's probe is answered");
	lease(5);
	cr_expect_str_eq(reply.yours, "10.77.0.108");
	known.address = address_of("10.78.0.108");
	cr_expect_not(lan_lease_restore(segment.lan, &known));
	known.address = address_of("10.77.0.1");
	cr_expect_not(lan_lease_restore(segment.lan, &known));
	/* Its time is over, but it is remembered while others find room. */
	known = (struct lan_lease){.family = AF_INET, .mac = {2, 0, 0, 0, 0, 6}};
	known.address = address_of("10.77.0.100");
	cr_expect(lan_lease_restore(segment.lan, &known));
	for (uint8_t i = 0; i < 8; i++)
		lease((uint8_t)(20 + i));
	lease(6);
	cr_expect_str_eq(reply.yours, "10.77.0.100");
}

/* As many machines as anybody likes to be: nothing but the pool is used up. */
Test(dhcp_many, starvation)
{
	for (unsigned i = 0; i < 5000; i++) {
		const struct ask asked = {.type = DHCP_DISCOVER};
		uint8_t bytes[1024], mac[6] = {2, 1, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};

		const size_t length = dhcp_talk_make(&asked, bytes);
		memcpy(bytes + 28, mac, 6);
		dhcp_talk_send(&talk, mac, bytes, length);
		while (segment_take(&segment))
			;
	}
	segment_wait(&segment, 30000);
	lease(2);
}
