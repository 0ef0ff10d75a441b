/* SPDX-License-Identifier: BSD-2-Clause */
/* neighbours: ARP and neighbour discovery, as bytes and as what they mean. */
#include <criterion/criterion.h>
#include <string.h>

#include "../support/packets.h"
#include "wire/arp.h"
#include "wire/ndp.h"

static const uint8_t ours[6] = {2, 0, 0, 0, 0, 1}, theirs[6] = {2, 0, 0, 0, 0, 9};

static union addr address(const char *text)
{
	union addr parsed;
	uint8_t family;

	cr_assert(addr_parse(text, &parsed, &family));
	return parsed;
}

static void expect_address(const union addr *got, const char *wanted)
{
	const union addr parsed = address(wanted);

	cr_expect(addr_equal(got, &parsed), "%s", wanted);
}

/* ---- ARP ---- */

/* Who has 192.0.2.7? Tell 192.0.2.9. */
static const uint8_t request[ARP_BYTES] = {
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9, 192, 0, 2, 9, 0, 0, 0, 0, 0, 0, 192, 0, 2, 7};

Test(neighbours, arp_request_and_reply)
{
	static const uint8_t reply_bytes[ARP_BYTES] = {0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1,
		192, 0, 2, 7, 2, 0, 0, 0, 0, 9, 192, 0, 2, 9};
	uint8_t bytes[ARP_BYTES];
	struct arp asked;

	cr_assert(arp_parse(request, sizeof(request), &asked));
	cr_expect_eq(asked.operation, ARP_REQUEST);
	expect_address(&asked.sender, "192.0.2.9");
	expect_address(&asked.target, "192.0.2.7");
	cr_expect_eq(memcmp(asked.sender_mac, theirs, 6), 0);
	const struct arp reply = arp_reply(&asked, ours);
	arp_build(&reply, bytes);
	cr_expect_eq(memcmp(bytes, reply_bytes, sizeof(bytes)), 0);
}

Test(neighbours, arp_announcement)
{
	static const uint8_t wanted[ARP_BYTES] = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 0,
		2, 7, 0, 0, 0, 0, 0, 0, 192, 0, 2, 7};
	const union addr own = address("192.0.2.7");
	const struct arp announcement = arp_announcement(&own, ours);
	uint8_t bytes[ARP_BYTES];

	arp_build(&announcement, bytes);
	cr_expect_eq(memcmp(bytes, wanted, sizeof(bytes)), 0);
}

Test(neighbours, arp_that_is_not_ours_to_understand)
{
	/* hardware, protocol, their lengths, operation */
	static const uint8_t at[] = {1, 0, 2, 3, 4, 5, 7, 6};
	struct arp arp;

	cr_expect_not(arp_parse(request, sizeof(request) - 1, &arp), "cut off");
	for (size_t i = 0; i < sizeof(at); i++) {
		uint8_t bytes[ARP_BYTES];

		memcpy(bytes, request, sizeof(bytes));
		bytes[at[i]] ^= 0x10;
		cr_expect_not(arp_parse(bytes, sizeof(bytes), &arp), "byte %u", at[i]);
	}
}

/* ---- neighbour discovery ---- */

#define ASKER "2001:db8::9"
#define OWN   "2001:db8::1:2:7"
#define GROUP "ff02::1:ff02:7"

static struct ndp solicitation(void)
{
	struct ndp ndp = {
		.type = ICMP6_NEIGHBOUR_SOLICITATION,
		.source = address(ASKER),
		.destination = address(GROUP),
		.target = address(OWN),
		.has_mac = true,
	};

	memcpy(ndp.mac, theirs, sizeof(ndp.mac));
	return ndp;
}

/* Build and look at it with other eyes, then with our own. */
static bool passes(const struct ndp *ndp, struct ndp *parsed)
{
	uint8_t bytes[NDP_BYTES];
	const size_t length = ndp_build(ndp, bytes);
	struct packet *packet = packet_from_bytes(bytes, (uint32_t)length, NDP_BYTES);
	const char *fault = packet_fault(packet);

	cr_expect_null(fault, "%s", fault);
	const bool valid = ndp_parse(packet->data, packet->length, parsed);
	packet_dispose(packet);
	return valid;
}

Test(neighbours, solicitation_and_answer)
{
	const struct ndp sent = solicitation();
	struct ndp got, again;

	cr_assert(passes(&sent, &got));
	cr_expect_eq(memcmp(&got, &sent, sizeof(got)), 0);
	const struct ndp answer = ndp_answer(&got, ours, NDP_ROUTER);
	cr_assert(passes(&answer, &again));
	cr_expect_eq(again.type, ICMP6_NEIGHBOUR_ADVERTISEMENT);
	cr_expect_eq(again.flags, NDP_ROUTER | NDP_SOLICITED | NDP_OVERRIDE);
	expect_address(&again.source, OWN);
	expect_address(&again.target, OWN);
	expect_address(&again.destination, ASKER);
	cr_expect_eq(memcmp(again.mac, ours, 6), 0);
}

Test(neighbours, advertisement_as_bytes)
{
	static const uint8_t message[32] = {136, 0, 0, 0, 0x60, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8, 0,
		0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 7, 2, 1, 2, 0, 0, 0, 0, 1};
	const struct ndp sent = solicitation(), answer = ndp_answer(&sent, ours, 0);
	uint8_t bytes[NDP_BYTES];

	cr_assert_eq(ndp_build(&answer, bytes), 72);
	cr_expect_eq(bytes[0], 0x60);
	cr_expect_eq(bytes[5], 32);
	cr_expect_eq(bytes[6], 58);
	cr_expect_eq(bytes[7], 255);
	bytes[42] = bytes[43] = 0; /* the checksum */
	cr_expect_eq(memcmp(bytes + 40, message, sizeof(message)), 0);
}

/* Whoever tries out whether the address is free is told that it is not (RFC 4862, 5.4). */
Test(neighbours, duplicate_address_detection_is_answered_to_all)
{
	struct ndp probe = solicitation(), got;

	probe.source = (union addr){0};
	cr_expect_not(passes(&probe, &got), "with a link-layer address");
	probe.has_mac = false;
	cr_assert(passes(&probe, &got));
	const struct ndp answer = ndp_answer(&got, ours, 0);
	expect_address(&answer.destination, "ff02::1");
	cr_expect_eq(answer.flags, NDP_OVERRIDE);
	cr_expect(passes(&answer, &got));
	probe.destination = address(OWN);
	cr_expect_not(passes(&probe, &got), "not to the group");
}

Test(neighbours, announcement)
{
	const union addr own = address(OWN);
	const struct ndp announcement = ndp_announcement(&own, ours, NDP_ROUTER);
	struct ndp got;

	cr_assert(passes(&announcement, &got));
	expect_address(&got.destination, "ff02::1");
	cr_expect_eq(got.flags, NDP_ROUTER | NDP_OVERRIDE);
	cr_expect(got.has_mac);
}

/* RFC 4861, 7.1: each of these makes a message one to ignore. */
Test(neighbours, invalid_messages)
{
	static const struct {
		unsigned at;
		uint8_t value;
		const char *what;
	} rows[] = {{0, 0x40, "version"}, {6, 17, "next header"}, {7, 254, "hop limit"},
		{5, 23, "too short"}, {5, 33, "longer than the packet"}, {5, 28, "half an option"},
		{8, 0xff, "multicast source"}, {40, 137, "type"}, {41, 1, "code"},
		{48, 0xff, "multicast target"}, {65, 0, "option of length 0"},
		{65, 2, "option beyond the end"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct ndp sent = solicitation();
		uint8_t bytes[NDP_BYTES];
		struct ndp got;

		ndp_build(&sent, bytes);
		/* The checksum stays right: another word makes up for the difference. */
		const uint8_t old = bytes[rows[i].at];
		bytes[rows[i].at] = rows[i].value;
		uint8_t *makeup = bytes + 46 + (rows[i].at & 1);
		if (rows[i].at != 0 && rows[i].at != 7) {
			uint32_t word = (uint32_t)old + *makeup;
			*makeup = (uint8_t)(word - rows[i].value);
		}
		cr_expect_not(ndp_parse(bytes, sizeof(bytes), &got), "%s", rows[i].what);
	}
}

Test(neighbours, checksum_length_and_flags)
{
	const struct ndp sent = solicitation();
	struct ndp answer = ndp_answer(&sent, ours, 0), got;
	uint8_t bytes[NDP_BYTES];

	ndp_build(&sent, bytes);
	cr_expect(ndp_parse(bytes, sizeof(bytes), &got));
	for (size_t length = 0; length < sizeof(bytes); length++)
		cr_expect_not(ndp_parse(bytes, length, &got), "%zu bytes", length);
	bytes[63] ^= 1;
	cr_expect_not(ndp_parse(bytes, sizeof(bytes), &got), "checksum");
	answer.destination = address("ff02::1");
	cr_expect_not(passes(&answer, &got), "solicited, and to all");
}

Test(neighbours, groups)
{
	const union addr own = address("2001:db8::aabb:ccdd"), group = ndp_solicited_node(&own);
	static const uint8_t wanted[6] = {0x33, 0x33, 0xff, 0xbb, 0xcc, 0xdd};
	uint8_t mac[6];

	expect_address(&group, "ff02::1:ffbb:ccdd");
	ndp_group_mac(&group, mac);
	cr_expect_eq(memcmp(mac, wanted, sizeof(mac)), 0);
}
