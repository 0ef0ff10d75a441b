/* SPDX-License-Identifier: BSD-2-Clause */
/* gre: which packets are a call's, and what becomes of their call id. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/parsing.h"
#include "wire/rewrite.h"

static struct packet *make_gre(bool v6, const void *bytes, uint32_t count)
{
	const struct build build = {
		.protocol = IPPROTO_GRE, .payload = bytes, .payload_bytes = count};

	return v6 ? packet_make("fd00::5", "2001:db8::1", &build)
		  : packet_make("10.77.0.5", "192.0.2.1", &build);
}

Test(gre, what_is_a_call)
{
	static const struct {
		const char *what;
		uint8_t bytes[12];
		uint8_t count;
		bool is_call;
	} rows[] = {
		{"a sequence number", {0x30, 0x01, 0x88, 0x0b, 0, 0, 0, 7, 0, 0, 0, 1}, 12, true},
		{"an acknowledgment", {0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 7, 0, 0, 0, 1}, 12, true},
		{"neither", {0x20, 0x01, 0x88, 0x0b, 0, 0, 0, 7}, 8, true},
		{"no key", {0x10, 0x01, 0x88, 0x0b, 0, 0, 0, 7}, 8, false},
		{"a checksum", {0xa0, 0x01, 0x88, 0x0b, 0, 0, 0, 7}, 8, false},
		{"version 0 with key", {0x20, 0x00, 0x88, 0x0b, 0, 0, 0, 7}, 8, false},
		{"version 2", {0x20, 0x02, 0x88, 0x0b, 0, 0, 0, 7}, 8, false},
		{"not PPP", {0x20, 0x01, 0x08, 0x00, 0, 0, 0, 7}, 8, false},
		{"too short", {0x20, 0x01, 0x88, 0x0b, 0, 0, 0}, 7, false},
		{"nothing at all", {0}, 0, false},
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		struct packet *packet = make_gre(i % 2, rows[i / 2].bytes, rows[i / 2].count);
		const struct headers *headers = &packet->headers;
		const bool is_call = rows[i / 2].is_call;

		expect_parsed(packet, rows[i / 2].what);
		cr_expect_eq(
			headers->kind, is_call ? L4_GRE_CALL : L4_OTHER, "%s", rows[i / 2].what);
		cr_expect_eq(headers->source_port, is_call ? PACKET_CALL_PORT : 0);
		cr_expect_eq(headers->destination_port, is_call ? htons(7) : 0);
		cr_expect_eq(headers->payload, headers->l4 + (is_call ? 8 : 0));
		packet_dispose(packet);
	}
}

Test(gre, another_call_id_and_nothing_else)
{
	static const uint8_t bytes[] = {0x30, 0x01, 0x88, 0x0b, 0, 4, 0, 7, 0, 0, 0, 1, 'd', 'a'};
	const union addr source = {.v4 = htonl(0xc0000202)},
			 destination = {.v4 = htonl(0xc6336401)};
	struct rewrite rewrite = {&source, &destination, PACKET_CALL_PORT, htons(0xfffe), 0, 0};
	struct packet *packet = make_gre(false, bytes, sizeof(bytes));
	uint8_t wanted[sizeof(bytes)];

	expect_parsed(packet, "a call");
	rewrite_prepare(&rewrite, AF_INET, &packet->headers.source, &packet->headers.destination,
		PACKET_CALL_PORT, htons(7));
	packet_rewrite(packet, &rewrite);
	memcpy(wanted, bytes, sizeof(bytes));
	memcpy(wanted + 6, "\xff\xfe", 2);
	cr_expect_arr_eq(packet_l4(packet), wanted, sizeof(wanted));
	cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
	cr_expect_eq(packet->headers.destination_port, htons(0xfffe));
	packet_dispose(packet);
}
