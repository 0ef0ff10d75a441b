/* SPDX-License-Identifier: BSD-2-Clause */
/* lan_dhcp6: addresses by DHCPv6, for one guest and for many. */
#include <criterion/criterion.h>
#include <string.h>

#include "../support/segment.h"
#include "wire/build.h"
#include "wire/dhcp6.h"
#include "wire/parse.h"

#define SERVER_ID "\x00\x03\x00\x01\x02\x74\x67\x00\x00\x01"
#define LEASE_S   3600

static struct segment segment;

static void prepare(bool many)
{
	segment_init(&segment, many);
	segment.network.dhcp6 = true;
	segment.network.lease_time_s = LEASE_S;
	strcpy(segment.network.domain, "lab");
	segment.settings.name = "web";
	segment.settings.dns6[segment.settings.dns6_count++] = address_of("fd77::1");
	segment_start(&segment);
}

static void one(void)
{
	prepare(false);
}

static void many(void)
{
	prepare(true);
}

static void stop(void)
{
	segment_stop(&segment);
}

TestSuite(dhcp6_one, .init = one, .fini = stop);
TestSuite(dhcp6_many, .init = many, .fini = stop);

/* ---- asking ---- */

struct ask {
	uint8_t from;
	enum dhcp6_type type;
	bool server; /* names us */
	bool no_client, rapid;
	const char *address; /* in an association */
	const char *to;      /* NULL: all servers */
	bool second;         /* another association */
	bool no_ia;
	const char *fqdn; /* flags and labels */
};

static size_t put(uint8_t *at, unsigned code, const void *data, size_t length)
{
	const uint8_t head[4] = {
		(uint8_t)(code >> 8), (uint8_t)code, (uint8_t)(length >> 8), (uint8_t)length};

	memcpy(at, head, 4);
	memcpy(at + 4, data, length);
	return 4 + length;
}

static size_t ia_put(uint8_t *at, uint8_t id, const char *text)
{
	uint8_t value[64] = {0, 0, 0, id}, address[24] = {0};
	const union addr parsed = address_of(text);
	size_t length = 12;

	memcpy(address, parsed.bytes, 16);
	if (text != NULL)
		length += put(value + length, 5, address, sizeof(address));
	return put(at, 3, value, length);
}

static size_t message_make(const struct ask *ask, uint8_t *bytes)
{
	uint8_t client[10] = {0, 3, 0, 1, 2, 0, 0, 0, 0, ask->from};
	size_t length = 4;

	memcpy(bytes, "\0\xab\xcd\xef", 4);
	bytes[0] = (uint8_t)ask->type;
	if (!ask->no_client)
		length += put(bytes + length, 1, client, sizeof(client));
	if (ask->server)
		length += put(bytes + length, 2, SERVER_ID, 10);
	if (ask->rapid)
		length += put(bytes + length, 14, "", 0);
	if (!ask->no_ia)
		length += ia_put(bytes + length, 7, ask->address);
	if (ask->second)
		length += ia_put(bytes + length, 8, NULL);
	if (ask->fqdn != NULL)
		length += put(bytes + length, 39, ask->fqdn, strlen(ask->fqdn));
	return length;
}

static void bytes_send(uint8_t from, const char *to, const uint8_t *bytes, size_t length)
{
	struct build build = {.family = AF_INET6,
		.protocol = IPPROTO_UDP,
		.source = address_of("fe80::99"),
		.destination = address_of(to != NULL ? to : "ff02::1:2"),
		.source_port = 546,
		.destination_port = 547,
		.payload = bytes,
		.payload_bytes = (uint32_t)length};
	struct packet packet = {.data = segment.in_buffer + PACKET_HEADROOM, .capacity = 2048};

	build_packet(&packet, &build);
	cr_expect_eq(segment_in(&segment, mac_of(from).byte, LAN_GATEWAY_MAC, 0x86dd, packet.data,
			     packet.length),
		LAN_CONSUMED);
}

static void ask_send(struct ask ask)
{
	uint8_t bytes[512];

	bytes_send(ask.from, ask.to, bytes, message_make(&ask, bytes));
}
#define ask(...) ask_send((struct ask){__VA_ARGS__})

/* ---- answers ---- */

static const uint8_t *message;
static size_t message_length;

/* An option's value among those of `at`; NULL: it is not there. */
static const uint8_t *option_in(const uint8_t *at, size_t left, unsigned code, size_t *length)
{
	for (; left >= 4; left -= 4 + *length, at += 4 + *length) {
		*length = (size_t)(at[2] << 8 | at[3]);
		if ((at[0] << 8 | at[1]) == (int)code)
			return at + 4;
	}
	return NULL;
}

static const uint8_t *option(unsigned code, size_t *length)
{
	return option_in(message + 4, message_length - 4, code, length);
}

static void expect(enum dhcp6_type type)
{
	const union addr gateway = address_of("fe80::1"), guest = address_of("fe80::99");
	size_t length;

	cr_assert(segment_take(&segment), "no answer");
	cr_assert(packet_parse(&segment.out));
	const struct headers *headers = &segment.out.headers;
	cr_expect(addr_equal(&headers->source, &gateway));
	cr_expect(addr_equal(&headers->destination, &guest));
	cr_expect_eq(headers->destination_port, htons(546));
	message = segment.out.data + headers->payload;
	message_length = headers->end - headers->payload;
	cr_expect_eq(message[0], type);
	cr_expect_eq(memcmp(message + 1, "\xab\xcd\xef", 3), 0);
	const uint8_t *server = option(2, &length);
	cr_assert(server != NULL && length == 10 && memcmp(server, SERVER_ID, 10) == 0);
	cr_expect_not(segment_take(&segment));
}

/* The address of the (first) association, with its valid lifetime. */
static union addr leased(uint32_t *seconds)
{
	union addr address = {0};
	size_t length;
	const uint8_t *ia = option(3, &length);

	cr_assert_not_null(ia);
	cr_expect_eq(ia[3], 7, "the client's number of it");
	const uint8_t *value = option_in(ia + 12, length - 12, 5, &length);
	cr_assert_not_null(value, "there is no address");
	memcpy(address.bytes, value, 16);
	*seconds = (uint32_t)value[20] << 24 | (uint32_t)value[21] << 16 |
		   (uint32_t)value[22] << 8 | value[23];
	return address;
}

static void expect_address(const char *text)
{
	const union addr wanted = address_of(text);
	uint32_t seconds;
	const union addr got = leased(&seconds);

	cr_expect(addr_equal(&got, &wanted));
	cr_expect_eq(seconds, LEASE_S);
}

static unsigned status(const uint8_t *at, size_t left)
{
	size_t length;
	const uint8_t *value = option_in(at, left, 13, &length);

	return value != NULL ? (unsigned)(value[0] << 8 | value[1]) : 0xffff;
}

static void expect_silence(void)
{
	cr_expect_not(segment_take(&segment));
}

/* ---- one guest ---- */

Test(dhcp6_one, guest_gets_the_address_of_its_link)
{
	size_t length;

	ask(.from = 2, .type = DHCP6_SOLICIT);
	expect(DHCP6_ADVERTISE);
	expect_address("fd77::2");
	cr_expect_eq(segment.lease_changes, 0);
	ask(.from = 2, .type = DHCP6_REQUEST, .server = true, .address = "fd77::2");
	expect(DHCP6_REPLY);
	expect_address("fd77::2");
	const uint8_t *dns = option(23, &length);
	cr_assert(dns != NULL && length == 16 && dns[0] == 0xfd && dns[15] == 1);
	const uint8_t *search = option(24, &length);
	cr_assert(search != NULL && length == 5 && memcmp(search, "\x03lab", 5) == 0);
	cr_expect_eq(segment.lease_changes, 1);
	cr_expect_eq(segment.lease.expires_ms, segment.now_ms + LEASE_S * 1000);
	cr_expect_str_eq(segment.name, "web");
}

Test(dhcp6_one, rapid_commit)
{
	size_t length;

	ask(.from = 2, .type = DHCP6_SOLICIT, .rapid = true);
	expect(DHCP6_REPLY);
	cr_expect_not_null(option(14, &length));
	expect_address("fd77::2");
	cr_expect_eq(segment.lease_changes, 1);
}

/* RFC 8415, 18.3.4: what it should not have ends. */
Test(dhcp6_one, renewal_of_another_address_ends_that)
{
	size_t length;

	ask(.from = 2, .type = DHCP6_RENEW, .server = true, .address = "fd77::3");
	expect(DHCP6_REPLY);
	expect_address("fd77::2");
	const uint8_t *ia = option(3, &length);
	cr_expect_eq(length, 12 + 2 * 28);
	cr_expect_eq(ia[12 + 28 + 4 + 15], 3);
	cr_expect_eq(memcmp(ia + 12 + 28 + 20, "\0\0\0\0\0\0\0\0", 8), 0, "for no time");
	ask(.from = 2, .type = DHCP6_REBIND, .address = "fd77::2");
	expect(DHCP6_REPLY);
	expect_address("fd77::2");
}

Test(dhcp6_one, confirm)
{
	ask(.from = 2, .type = DHCP6_CONFIRM, .address = "fd77::99");
	expect(DHCP6_REPLY);
	cr_expect_eq(status(message + 4, message_length - 4), DHCP6_SUCCESS);
	ask(.from = 2, .type = DHCP6_CONFIRM, .address = "fd78::2");
	expect(DHCP6_REPLY);
	cr_expect_eq(status(message + 4, message_length - 4), DHCP6_NOT_ON_LINK);
	ask(.from = 2, .type = DHCP6_CONFIRM);
	expect_silence();
}

Test(dhcp6_one, release)
{
	size_t length;

	ask(.from = 2, .type = DHCP6_RELEASE, .server = true, .address = "fd77::2");
	expect(DHCP6_REPLY);
	cr_expect_eq(status(message + 4, message_length - 4), DHCP6_SUCCESS);
	cr_expect_eq(segment.lease.expires_ms, segment.now_ms);
	ask(.from = 2, .type = DHCP6_RELEASE, .server = true, .address = "fd77::3");
	expect(DHCP6_REPLY);
	const uint8_t *ia = option(3, &length);
	cr_assert_not_null(ia);
	cr_expect_eq(status(ia + 12, length - 12), DHCP6_NO_BINDING);
}

Test(dhcp6_one, information_without_an_address)
{
	size_t length;

	ask(.from = 2, .type = DHCP6_INFORMATION, .no_ia = true, .no_client = true);
	expect(DHCP6_REPLY);
	cr_expect_not_null(option(23, &length));
	cr_expect_null(option(3, &length));
}

Test(dhcp6_one, one_address_only)
{
	size_t length;

	ask(.from = 2, .type = DHCP6_SOLICIT, .second = true);
	expect(DHCP6_ADVERTISE);
	expect_address("fd77::2");
	const uint8_t *first = option(3, &length);
	const uint8_t *second = option_in(
		first + length, message_length - (size_t)(first + length - message), 3, &length);
	cr_assert_not_null(second);
	cr_expect_eq(second[3], 8);
	cr_expect_eq(status(second + 12, length - 12), DHCP6_NO_ADDRESSES);
}

/* RFC 8415, 16. */
Test(dhcp6_one, invalid_messages)
{
	ask(.from = 2, .type = DHCP6_SOLICIT, .no_client = true);
	ask(.from = 2, .type = DHCP6_SOLICIT, .server = true);
	ask(.from = 2, .type = DHCP6_REQUEST);
	ask(.from = 2, .type = DHCP6_RENEW);
	ask(.from = 2, .type = DHCP6_REBIND, .server = true);
	ask(.from = 2, .type = DHCP6_INFORMATION);
	ask(.from = 2, .type = DHCP6_SOLICIT, .to = "fe80::1");
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MALFORMED), 7);
	ask(.from = 2, .type = DHCP6_ADVERTISE);
	ask(.from = 2, .type = DHCP6_REPLY);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_ROGUE), 2);
	expect_silence();
}

Test(dhcp6_one, truncated_messages)
{
	const struct ask good = {
		.from = 2, .type = DHCP6_SOLICIT, .address = "fd77::2", .fqdn = "\x01\x03web"};
	uint8_t bytes[512];
	const size_t length = message_make(&good, bytes);
	unsigned answers = 0;

	for (size_t cut = 0; cut < length; cut++) {
		bytes_send(2, NULL, bytes, cut);
		while (segment_take(&segment))
			answers++;
	}
	/* Cut between two options it is a message: behind the identifier, and behind the IA. */
	cr_expect_eq(answers, 2);
	cr_expect_eq(segment_count(&segment, LAN_COUNT_MALFORMED), length - 2);
}

Test(dhcp6_one, without_it_nobody_answers)
{
	segment_stop(&segment);
	segment.network.dhcp6 = false;
	segment_start(&segment);
	ask(.from = 2, .type = DHCP6_SOLICIT);
	expect_silence();
	cr_expect_eq(segment_count(&segment, LAN_COUNT_LINK_LOCAL), 1);
}

/* ---- many guests ---- */

static union addr lease(uint8_t guest)
{
	uint32_t seconds;

	ask(.from = guest, .type = DHCP6_SOLICIT, .rapid = true);
	expect(DHCP6_REPLY);
	const union addr address = leased(&seconds);
	cr_expect(prefix_contains(&segment.network.subnet6, AF_INET6, &address));
	return address;
}

Test(dhcp6_many, each_machine_has_one_address_and_keeps_it)
{
	const union addr first = lease(2), second = lease(3);
	char text[ADDR_TEXT_SIZE];

	cr_expect_not(addr_equal(&first, &second));
	const union addr again = lease(2);
	cr_expect(addr_equal(&first, &again));
	segment_wait(&segment, 100 * LEASE_S * 1000);
	while (segment_take(&segment))
		;
	const union addr later = lease(3);
	cr_expect(addr_equal(&second, &later));
	/* ... which nobody else may use. */
	addr_format(AF_INET6, &second, text);
	cr_expect_eq(segment_packet(&segment, 2, text, "2001:db8::1"), LAN_CONSUMED);
	cr_expect_eq(segment_packet(&segment, 3, text, "2001:db8::1"), LAN_PASS);
}

Test(dhcp6_many, reservation_and_name)
{
	struct lan_reservation kept = {
		.mac = {2, 0, 0, 0, 0, 7}, .family = AF_INET6, .name = "printer"};

	kept.address = address_of("fd77::7");
	segment.network.reservations = &kept;
	segment.network.reservation_count = 1;
	segment_stop(&segment);
	segment_start(&segment);
	ask(.from = 7, .type = DHCP6_SOLICIT, .rapid = true);
	expect(DHCP6_REPLY);
	expect_address("fd77::7");
	cr_expect_str_eq(segment.name, "printer");
	ask(.from = 8, .type = DHCP6_REQUEST, .server = true, .address = "fd77::7",
		.fqdn = "\x01\x03mail");
	expect(DHCP6_REPLY);
	cr_expect_str_eq(segment.name, "mai");
	uint32_t seconds;
	const union addr other = leased(&seconds);
	cr_expect_not(addr_equal(&other, &kept.address));
}

Test(dhcp6_many, declined_address_is_left_alone)
{
	const union addr first = lease(2);
	char text[ADDR_TEXT_SIZE];

	addr_format(AF_INET6, &first, text);
	ask(.from = 2, .type = DHCP6_DECLINE, .server = true, .address = text);
	expect(DHCP6_REPLY);
	const union addr second = lease(2);
	cr_expect_not(addr_equal(&first, &second));
}
