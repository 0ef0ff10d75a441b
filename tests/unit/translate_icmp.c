/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate_icmp: every row of RFC 7915, 4.2 and 5.2, and the packets that errors quote.  Checksums
 * of the error and of what it quotes are worked out anew by packet_fault().
 */
#include "wire/translate.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../support/describe.h"
#include "../support/packets.h"
#include "base/cksum.h"

#define NONE -1

/* Room for an error to grow by. */
static struct packet *roomy(struct packet *packet, uint32_t more)
{
	struct packet *copy =
		packet_from_bytes(packet->data, packet->length, packet->length + more);

	packet_dispose(packet);
	return copy;
}

static union addr address(const char *text)
{
	union addr parsed;
	uint8_t family;

	cr_assert(addr_parse(text, &parsed, &family));
	return parsed;
}

/* The error in `text`, translated; it is from the middle of a flow between 192.0.2.1 and
 * 198.51.100.2, or fd00::5 and 64:ff9b::c633:6402. */
static bool translate(struct packet *packet, uint32_t mtu)
{
	const union addr v4[] = {address("192.0.2.1"), address("198.51.100.2")};
	const union addr v6[] = {address("fd00::5"), address("64:ff9b::c633:6402")};
	const union addr router6 = address("64:ff9b::cb00:7109");
	struct headers inner;

	cr_assert(packet_parse(packet), "%s", drop_name(packet->drop));
	cr_assert_eq(packet->headers.kind, L4_ICMP_ERROR);
	cr_assert(packet_parse_quoted(packet, &inner));
	const bool to6 = packet->headers.family == AF_INET;
	const struct translate_error error = {
		.source = to6 ? &router6 : &v4[0],
		.destination = to6 ? &v6[0] : &v4[1],
		.quoted_source = to6 ? &v6[0] : &v4[1],
		.quoted_destination = to6 ? &v6[1] : &v4[0],
		.mtu = mtu,
	};
	return packet_translate_error(packet, &inner, &error);
}

/* A packet like those that came in: as it describes itself, with right sums inside and outside. */
static void expect_sound(const struct packet *packet, uint8_t kind)
{
	struct packet *copy = packet_copy(packet);
	const char *fault = packet_fault(copy);

	cr_expect_null(fault, "%s", fault);
	cr_assert(packet_parse(copy), "%s", drop_name(copy->drop));
	cr_expect_eq(copy->headers.kind, kind);
	cr_expect_eq(copy->headers.family, packet->headers.family);
	cr_expect_eq(copy->headers.protocol, packet->headers.protocol);
	cr_expect_eq(copy->headers.l4, packet->headers.l4);
	cr_expect_eq(copy->headers.payload, packet->headers.payload);
	cr_expect_eq(copy->headers.end, packet->headers.end);
	cr_expect_eq(copy->headers.icmp_type, packet->headers.icmp_type);
	cr_expect_eq(copy->headers.icmp_code, packet->headers.icmp_code);
	cr_expect(addr_equal(&copy->headers.source, &packet->headers.source));
	cr_expect(addr_equal(&copy->headers.destination, &packet->headers.destination));
	packet_dispose(copy);
}

/* The quoted packet as one of its own. */
static struct packet *quoted(const struct packet *packet)
{
	const uint32_t bytes = packet->headers.end - packet->headers.payload;

	return packet_from_bytes(packet->data + packet->headers.payload, bytes, bytes);
}

struct row {
	int type, code;
	uint32_t rest;
	int new_type, new_code; /* NONE: there is none */
	uint32_t new_rest;
};

/* clang-format off */
static const struct row rows4[] = {
	{3, 0, 0, 1, 0, 0}, {3, 1, 0, 1, 0, 0}, {3, 2, 0, 4, 1, 6}, {3, 3, 0, 1, 4, 0},
	{3, 4, 1400, 2, 0, 1420}, {3, 5, 0, 1, 0, 0}, {3, 6, 0, 1, 0, 0}, {3, 7, 0, 1, 0, 0},
	{3, 8, 0, 1, 0, 0}, {3, 9, 0, 1, 1, 0}, {3, 10, 0, 1, 1, 0}, {3, 11, 0, 1, 0, 0},
	{3, 12, 0, 1, 0, 0}, {3, 13, 0, 1, 1, 0}, {3, 14, 0, NONE, 0, 0}, {3, 15, 0, 1, 1, 0},
	{3, 16, 0, NONE, 0, 0},
	{11, 0, 0, 3, 0, 0}, {11, 1, 0, 3, 1, 0},
	{12, 1, 0, NONE, 0, 0}, {12, 3, 0, NONE, 0, 0},
	/* pointers: version, TOS, length, id, flags, TTL, protocol, checksum, addresses, options */
	{12, 0, 0U << 24, 4, 0, 0}, {12, 0, 1U << 24, 4, 0, 1}, {12, 0, 2U << 24, 4, 0, 4},
	{12, 0, 3U << 24, 4, 0, 4}, {12, 0, 4U << 24, NONE, 0, 0}, {12, 0, 5U << 24, NONE, 0, 0},
	{12, 0, 6U << 24, NONE, 0, 0}, {12, 0, 7U << 24, NONE, 0, 0}, {12, 0, 8U << 24, 4, 0, 7},
	{12, 0, 9U << 24, 4, 0, 6}, {12, 0, 10U << 24, NONE, 0, 0}, {12, 0, 11U << 24, NONE, 0, 0},
	{12, 0, 12U << 24, 4, 0, 8}, {12, 2, 15U << 24, 4, 0, 8}, {12, 0, 16U << 24, 4, 0, 24},
	{12, 2, 19U << 24, 4, 0, 24}, {12, 0, 20U << 24, NONE, 0, 0}, {12, 2, 255U << 24, NONE, 0, 0},
};

static const struct row rows6[] = {
	{1, 0, 0, 3, 1, 0}, {1, 1, 0, 3, 10, 0}, {1, 2, 0, 3, 1, 0}, {1, 3, 0, 3, 1, 0},
	{1, 4, 0, 3, 3, 0}, {1, 5, 0, NONE, 0, 0}, {1, 6, 0, NONE, 0, 0},
	{2, 0, 1400, 3, 4, 1380}, {2, 0, 100000, 3, 4, 65535}, {2, 0, 7, 3, 4, 0},
	{3, 0, 0, 11, 0, 0}, {3, 1, 0, 11, 1, 0},
	{4, 1, 6, 3, 2, 0}, {4, 2, 6, NONE, 0, 0}, {4, 3, 6, NONE, 0, 0},
	/* pointers: version, class, flow, length, next header, hop limit, addresses, behind */
	{4, 0, 0, 12, 0, 0U << 24}, {4, 0, 1, 12, 0, 1U << 24}, {4, 0, 2, NONE, 0, 0},
	{4, 0, 3, NONE, 0, 0}, {4, 0, 4, 12, 0, 2U << 24}, {4, 0, 5, 12, 0, 2U << 24},
	{4, 0, 6, 12, 0, 9U << 24}, {4, 0, 7, 12, 0, 8U << 24}, {4, 0, 8, 12, 0, 12U << 24},
	{4, 0, 23, 12, 0, 12U << 24}, {4, 0, 24, 12, 0, 16U << 24}, {4, 0, 39, 12, 0, 16U << 24},
	{4, 0, 40, NONE, 0, 0}, {4, 0, 0xffffffff, NONE, 0, 0},
};
/* clang-format on */

static void row_play(const char *format, const struct row *row)
{
	char text[200];

	snprintf(text, sizeof(text), format, row->type, row->code, row->rest);
	struct packet *packet = roomy(packet_describe(text), 64);
	const bool translated = translate(packet, 0);
	cr_expect_eq(translated, row->new_type != NONE, "%s", text);
	if (!translated) {
		cr_expect_eq(packet->drop, DROP_ICMP_TYPE);
		packet_dispose(packet);
		return;
	}
	const struct icmp_header *icmp = packet_l4(packet);
	cr_expect_eq(icmp->type, row->new_type, "%s: type %u", text, icmp->type);
	cr_expect_eq(icmp->code, row->new_code, "%s: code %u", text, icmp->code);
	cr_expect_eq(ntohl(icmp->rest), row->new_rest, "%s: rest %x", text, ntohl(icmp->rest));
	cr_expect_eq(packet->headers.ttl, 60);
	expect_sound(packet, L4_ICMP_ERROR);
	struct packet *quote = quoted(packet);
	cr_expect(packet_parse(quote), "%s: %s", text, drop_name(quote->drop));
	cr_expect_null(packet_fault(quote), "%s: %s", text, packet_fault(quote));
	cr_expect_eq(quote->headers.ttl, 3);
	packet_dispose(quote);
	packet_dispose(packet);
}

Test(translate_icmp, errors_from_ipv4)
{
	for (unsigned i = 0; i < sizeof(rows4) / sizeof(rows4[0]); i++)
		row_play("icmp 203.0.113.9 > 192.0.2.1 ttl 60 type %d code %d rest %u about udp "
			 "192.0.2.1:61000 > 198.51.100.2:53 len 33 ttl 3",
			&rows4[i]);
}

Test(translate_icmp, errors_from_ipv6)
{
	for (unsigned i = 0; i < sizeof(rows6) / sizeof(rows6[0]); i++)
		row_play("icmp fd00::5 > 64:ff9b::c633:6402 ttl 60 type %d code %d rest %u about "
			 "tcp [64:ff9b::c633:6402]:80 > [fd00::5]:4000 SA len 7 ttl 3",
			&rows6[i]);
}

/* RFC 7915, 4.2: what the next hops carry, the plateau tables, and nothing below 1280. */
Test(translate_icmp, mtu)
{
	static const struct {
		uint32_t mtu, bytes, limit, expected;
	} rows[] = {
		{1480, 1480, 0, 1500},
		{1480, 1480, 1400, 1400},
		{1480, 1480, 9000, 1500},
		{1480, 1480, 1000, 1280},
		{576, 1480, 0, 1280},
		{0, 1480, 0, 1280},
		{0, 1500, 0, 1512},
		{0, 9000, 0, 8186},
		{0, 65000, 0, 32020},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text),
			"icmp 203.0.113.9 > 192.0.2.1 type 3 code 4 rest %u quote 64 about udp "
			"192.0.2.1:61000 > 198.51.100.2:53 len %u",
			rows[i].mtu, rows[i].bytes - 28);
		struct packet *packet = roomy(packet_describe(text), 64);
		cr_assert(translate(packet, rows[i].limit));
		const struct icmp_header *icmp = packet_l4(packet);
		cr_expect_eq(
			ntohl(icmp->rest), rows[i].expected, "row %u: %u", i, ntohl(icmp->rest));
		packet_dispose(packet);
	}
}

Test(translate_icmp, mtu_towards_ipv4_is_no_more_than_the_next_hop_carries)
{
	struct packet *packet =
		packet_describe("icmp fd00::5 > 64:ff9b::c633:6402 type 2 rest 1500 about udp "
				"[64:ff9b::c633:6402]:53 > [fd00::5]:4000 len 7");

	cr_assert(translate(packet, 1300));
	cr_expect_eq(ntohl(((struct icmp_header *)packet_l4(packet))->rest), 1300);
	packet_dispose(packet);
}

/* An echo in the quote has its type and its checksum translated. */
Test(translate_icmp, about_an_echo)
{
	struct packet *packet = roomy(packet_describe("icmp 203.0.113.9 > 192.0.2.1 type 11 about "
						      "icmp 192.0.2.1 > 198.51.100.2 echo id 7 "
						      "seq 3 len 57"),
		64);

	cr_assert(translate(packet, 0));
	expect_sound(packet, L4_ICMP_ERROR);
	struct packet *quote = quoted(packet);
	cr_assert(packet_parse(quote), "%s", drop_name(quote->drop));
	cr_expect_null(packet_fault(quote));
	cr_expect_eq(quote->headers.icmp_type, ICMP6_ECHO);
	cr_expect_eq(quote->headers.protocol, IPPROTO_ICMPV6);
	packet_dispose(quote);
	packet_dispose(packet);
}

/* Of a quoted fragment's header, the identification and the position remain. */
Test(translate_icmp, about_a_fragment)
{
	struct packet *packet = roomy(packet_describe("icmp 203.0.113.9 > 192.0.2.1 type 11 code 1 "
						      "about udp 192.0.2.1:61000 > 198.51.100.2:53 "
						      "len 64"),
		64);
	struct ipv4_header *ip = (void *)(packet->data + 28);
	struct headers inner;

	ip->id = htons(0x1234);
	ip->fragment = htons(IPV4_MF);
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, sizeof(*ip)));
	struct icmp_header *icmp = (void *)(packet->data + 20);
	icmp->checksum = 0;
	icmp->checksum = (be16)~cksum_fold(cksum_add(icmp, packet->length - 20, 0));
	cr_assert(translate(packet, 0));
	expect_sound(packet, L4_ICMP_ERROR);
	cr_assert(packet_parse_quoted(packet, &inner));
	cr_expect(inner.more_fragments);
	const struct ipv6_fragment *fragment =
		(void *)(packet->data + packet->headers.payload + 40);
	cr_expect_eq(ntohl(fragment->id), 0x1234);
	cr_expect_eq(ntohs(fragment->offset), 1);
	packet_dispose(packet);
}

/* As much of the quote as an error may be long. */
Test(translate_icmp, long_quotes_are_cut)
{
	struct packet *packet =
		roomy(packet_describe("icmp 203.0.113.9 > 192.0.2.1 type 3 code 3 about udp "
				      "192.0.2.1:61000 > 198.51.100.2:53 len 1400"),
			64);

	cr_assert(translate(packet, 0));
	cr_expect_eq(packet->length, 1280);
	expect_sound(packet, L4_ICMP_ERROR);
	packet_dispose(packet);

	packet = packet_describe("icmp fd00::5 > 64:ff9b::c633:6402 type 1 code 4 about udp "
				 "[64:ff9b::c633:6402]:53 > [fd00::5]:4000 len 1100");
	cr_assert(translate(packet, 0));
	cr_expect_eq(packet->length, 576);
	expect_sound(packet, L4_ICMP_ERROR);
	packet_dispose(packet);
}

/* Where the buffer has no room for the longer headers, the quote pays. */
Test(translate_icmp, tight_buffers)
{
	struct packet *packet =
		packet_describe("icmp 203.0.113.9 > 192.0.2.1 type 3 code 3 about udp "
				"192.0.2.1:61000 > 198.51.100.2:53 len 100");
	const uint32_t before = packet->length;

	cr_assert(translate(packet, 0));
	cr_expect_eq(packet->length, before + TRANSLATE_WHOLE);
	expect_sound(packet, L4_ICMP_ERROR);
	packet_dispose(packet);

	packet = packet_describe("icmp 203.0.113.9 > 192.0.2.1 type 3 code 3 about proto 47 "
				 "192.0.2.1 > 198.51.100.2 len 0");
	cr_expect_not(translate(packet, 0));
	cr_expect_eq(packet->drop, DROP_TRUNCATED);
	packet_dispose(packet);
}

/* An error with an RFC 4884 extension: an object of 8 bytes behind a quote of 128. */
static struct packet *extended(const char *text)
{
	struct packet *packet = packet_describe(text);
	const bool v4 = packet->data[0] >> 4 == 4;
	const uint32_t l4 = v4 ? 20 : 40, quote_end = l4 + 8 + 128;
	struct packet *longer = packet_from_bytes(packet->data, packet->length, quote_end + 200);
	struct icmp_header *icmp = (void *)(longer->data + l4);

	cr_assert_eq(packet->length, quote_end);
	packet_dispose(packet);
	memcpy(longer->data + quote_end, "\x20\0\xbe\xefmpls", 8);
	longer->length += 8;
	((uint8_t *)&icmp->rest)[v4 ? 1 : 0] = v4 ? 128 / 4 : 128 / 8;
	if (v4) {
		struct ipv4_header *ip = (void *)longer->data;
		ip->total_length = htons((uint16_t)longer->length);
		ip->checksum = 0;
		ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, sizeof(*ip)));
	} else {
		((struct ipv6_header *)longer->data)->payload_length =
			htons((uint16_t)(longer->length - 40));
	}
	icmp->checksum = 0;
	union addr ends[2] = {0};
	if (!v4)
		memcpy(ends, longer->data + 8, 32);
	icmp->checksum = (be16)~cksum_fold(cksum_add(icmp, longer->length - l4,
		v4 ? 0
		   : cksum_pseudo(
			     AF_INET6, &ends[0], &ends[1], IPPROTO_ICMPV6, longer->length - l4)));
	return longer;
}

Test(translate_icmp, extensions_are_kept)
{
	struct packet *packet = extended("icmp 203.0.113.9 > 192.0.2.1 type 11 about udp "
					 "192.0.2.1:61000 > 198.51.100.2:53 len 100");

	cr_assert(translate(packet, 0));
	expect_sound(packet, L4_ICMP_ERROR);
	const uint8_t *rest = (uint8_t *)packet_l4(packet) + 4;
	cr_expect_eq(rest[0] * 8, 152, "%u", rest[0] * 8); /* 148 bytes of quote, padded */
	cr_expect_arr_eq(packet->data + packet->length - 4, "mpls", 4);
	cr_expect_eq(packet->length, 40 + 8 + 152 + 8);
	packet_dispose(packet);

	packet = extended("icmp fd00::5 > 64:ff9b::c633:6402 type 3 about udp "
			  "[64:ff9b::c633:6402]:53 > [fd00::5]:4000 len 80");
	cr_assert(translate(packet, 0));
	expect_sound(packet, L4_ICMP_ERROR);
	rest = (uint8_t *)packet_l4(packet) + 4;
	cr_expect_eq(rest[1] * 4, 128);
	cr_expect_arr_eq(packet->data + packet->length - 4, "mpls", 4);
	packet_dispose(packet);
}

/* ... but not where the new type has no word for their place. */
Test(translate_icmp, extensions_of_too_big_are_left_out)
{
	struct packet *packet = extended("icmp 203.0.113.9 > 192.0.2.1 type 3 code 4 rest 1400 "
					 "about udp 192.0.2.1:61000 > 198.51.100.2:53 len 100");

	cr_assert(translate(packet, 0));
	expect_sound(packet, L4_ICMP_ERROR);
	cr_expect_eq(packet->length, 40 + 8 + 148);
	packet_dispose(packet);
}

Test(translate_icmp, types_for_the_filter)
{
	uint8_t type = ICMP4_ECHO, code = 0;

	cr_expect(translate_icmp_type(AF_INET, &type, &code));
	cr_expect_eq(type, ICMP6_ECHO);
	cr_expect(translate_icmp_type(AF_INET6, &type, &code));
	cr_expect_eq(type, ICMP4_ECHO);
	type = ICMP4_TIMESTAMP;
	cr_expect_not(translate_icmp_type(AF_INET, &type, &code));
	type = 135; /* neighbour solicitation */
	cr_expect_not(translate_icmp_type(AF_INET6, &type, &code));
}
