/* SPDX-License-Identifier: BSD-2-Clause */
/* parse: TCP options. */
#include "wire/parse.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/parsing.h"

/* A SYN with these option bytes, a multiple of four. */
static struct packet *syn_with(const uint8_t *options, uint32_t count)
{
	struct packet *packet = TCP_PACKET(
		GUEST6, SERVER6, .tcp_flags = TCP_SYN, .payload = options, .payload_bytes = count);

	packet->data[52] = (uint8_t)((5 + count / 4) << 4);
	expect_parsed(packet, "options");
	return packet;
}

Test(tcp_options, of_a_syn)
{
	struct packet *packet = TCP_PACKET(GUEST4, SERVER4, .tcp_flags = TCP_SYN, .mss = 1460,
		.scale = 7, .sack_permitted = true);
	struct tcp_options options;

	expect_parsed(packet, "SYN");
	packet_tcp_options(packet, &options);
	cr_expect_eq(options.mss, 1460);
	cr_expect_eq(options.mss_offset, 42);
	cr_expect(options.has_scale);
	cr_expect_eq(options.scale, 7);
	cr_expect(options.sack_permitted);
	cr_expect_eq(options.sack_count, 0);
	packet_dispose(packet);
}

Test(tcp_options, rows)
{
	static const struct {
		const char *what;
		uint8_t bytes[28];
		struct tcp_options expected;
	} rows[] = {
		{"none", {0}, {0}},
		{"nothing behind the end", {0, 2, 4, 5, 220}, {0}},
		{"scale above 14", {1, 3, 3, 15}, {.has_scale = true, .scale = 14}},
		{"scale 0", {3, 3, 0, 0}, {.has_scale = true}},
		{"MSS of a wrong size", {2, 3, 5, 3, 3, 2}, {.has_scale = true, .scale = 2}},
		{"unknown, then known", {254, 5, 9, 9, 9, 4, 2}, {.sack_permitted = true}},
		{"size 0 ends the walk", {254, 0, 2, 4, 5, 220}, {0}},
		{"size 1 ends the walk", {254, 1, 2, 4, 5, 220}, {0}},
		{"longer than the header", {1, 1, 1, 1, 254, 25}, {0}},
		{"one block", {1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9},
			{.sack_count = 1, .sack_highest = 9}},
		{"highest of three, over the wrap",
			{1, 1, 5, 26, 255, 255, 255, 1, 255, 255, 255, 9, 0, 0, 0, 1, 0, 0, 0, 7,
				255, 255, 255, 11, 255, 255, 255, 19},
			{.sack_count = 3, .sack_highest = 7}},
		{"half a block", {5, 14, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1}, {0}},
		{"SACK without a block", {5, 2}, {0}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct packet *packet = syn_with(rows[i].bytes, sizeof(rows[i].bytes));
		const struct tcp_options *expected = &rows[i].expected;
		struct tcp_options found;

		packet_tcp_options(packet, &found);
		cr_expect(found.mss == expected->mss && found.has_scale == expected->has_scale &&
				  found.scale == expected->scale &&
				  found.sack_permitted == expected->sack_permitted &&
				  found.sack_count == expected->sack_count &&
				  found.sack_highest == expected->sack_highest,
			"%s", rows[i].what);
		packet_dispose(packet);
	}
}

Test(tcp_options, tcp_option_without_a_size)
{
	uint8_t options[8] = {1, 1, 1, 1, 1, 1, 1, 2};
	struct packet *packet = syn_with(options, sizeof(options));
	struct tcp_options found;

	packet_tcp_options(packet, &found);
	cr_expect_eq(found.mss_offset, 0);
	packet_dispose(packet);
}
