/* SPDX-License-Identifier: BSD-2-Clause */
/* outbox: a ring of answers, and a bucket of tokens. */
#include "engine/outbox.h"

#include <criterion/criterion.h>
#include <string.h>

#include "../support/packets.h"

#define START_MS 5000

static struct outbox outbox;
static struct packet *about, *out;
static union addr gateway;

static void setup(void)
{
	uint8_t family;

	outbox_init(&outbox, 1000);
	about = UDP_PACKET("10.77.0.2:5000", "192.0.2.1:53", .payload_bytes = 20);
	about->in_zone = 7;
	cr_assert(packet_parse(about));
	out = packet_with_room(ENGINE_OUTPUT_BYTES);
	addr_parse("10.77.0.1", &gateway, &family);
}

static void teardown(void)
{
	packet_dispose(about);
	packet_dispose(out);
}

TestSuite(outbox, .init = setup, .fini = teardown);

static void add(uint64_t now_ms, uint8_t code)
{
	outbox_icmp_error(&outbox, now_ms, about, &gateway, 5, ICMP4_UNREACHABLE, code, 0);
}

static unsigned drain(void)
{
	unsigned count = 0;

	while (outbox_next(&outbox, out))
		count++;
	return count;
}

Test(outbox, an_answer_goes_back_where_the_packet_came_from)
{
	add(START_MS, ICMP4_PORT_UNREACHABLE);
	out->offload.gso_type = OFFLOAD_GSO_TCPV4;
	out->parsed = true;
	cr_assert(outbox_next(&outbox, out));
	cr_expect_null(packet_fault(out));
	cr_expect_eq(out->out_zone, 7);
	cr_expect_eq(out->path, 5);
	cr_expect_eq(out->offload.gso_type, OFFLOAD_GSO_NONE);
	cr_expect_not(out->parsed);
	cr_assert(packet_parse(out));
	cr_expect(addr_equal(&out->headers.source, &gateway));
	cr_expect(addr_equal(&out->headers.destination, &about->headers.source));
	cr_expect_not(outbox_next(&outbox, out));
}

Test(outbox, first_in_first_out_around_the_ring)
{
	uint8_t in = 0, expected = 0;

	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 1 + round % OUTBOX_PACKETS; i++)
			add(START_MS + round * 1000, in++);
		while (outbox_next(&outbox, out))
			cr_assert_eq(out->data[21], expected++);
		cr_assert_eq(in, expected);
	}
}

Test(outbox, what_does_not_fit_is_not_said)
{
	for (unsigned i = 0; i < OUTBOX_PACKETS + 10; i++)
		add(START_MS, 0);
	cr_expect_eq(drain(), OUTBOX_PACKETS);
	add(START_MS, 0);
	cr_expect_eq(drain(), 1);
}

Test(outbox, a_second_s_worth_of_errors)
{
	outbox_init(&outbox, 10);
	for (unsigned i = 0; i < 20; i++)
		add(START_MS, 0);
	cr_expect_eq(drain(), 10);
	add(START_MS + 99, 0);
	cr_expect_eq(drain(), 0);
	add(START_MS + 100, 0);
	add(START_MS + 100, 0);
	cr_expect_eq(drain(), 1);
	/* However long nothing was said, no more than that. */
	for (unsigned i = 0; i < 20; i++)
		add(START_MS + 1000000000, 0);
	cr_expect_eq(drain(), 10);
}

/* Fractions are kept: 7 a second are 7 a second in steps of a millisecond. */
Test(outbox, fractions_of_tokens_are_kept)
{
	unsigned count = 0;

	outbox_init(&outbox, 7);
	for (unsigned ms = 0; ms <= 10000; ms++) {
		add(START_MS + ms, 0);
		count += drain();
	}
	cr_expect_eq(count, 7 + 70);
}

Test(outbox, none_at_all)
{
	outbox_init(&outbox, 0);
	add(START_MS + 100000, 0);
	cr_expect_eq(drain(), 0);
}

/* What must not be answered costs no token. */
Test(outbox, no_error_about_an_error)
{
	struct packet *error = ICMP_PACKET("10.77.0.2", "192.0.2.1", .icmp_type = ICMP4_UNREACHABLE,
		.payload = about->data, .payload_bytes = about->length);

	cr_assert(packet_parse(error));
	outbox_init(&outbox, 1);
	outbox_icmp_error(&outbox, START_MS, error, &gateway, 0, ICMP4_UNREACHABLE, 0, 0);
	cr_expect_eq(drain(), 0);
	add(START_MS, 0);
	cr_expect_eq(drain(), 1);
	packet_dispose(error);
}

Test(outbox, resets_need_no_token)
{
	struct packet *segment = TCP_PACKET(
		"10.77.0.2:5000", "192.0.2.1:80", .tcp_flags = TCP_ACK, .acknowledgment = 77);
	struct packet *reset = TCP_PACKET("10.77.0.2:5000", "192.0.2.1:80", .tcp_flags = TCP_RST);

	cr_assert(packet_parse(segment) && packet_parse(reset));
	outbox_init(&outbox, 0);
	outbox_tcp_reset(&outbox, reset, 0);
	cr_expect_eq(drain(), 0);
	outbox_tcp_reset(&outbox, segment, 0);
	cr_assert(outbox_next(&outbox, out));
	cr_expect_null(packet_fault(out));
	cr_assert(packet_parse(out));
	cr_expect_eq(out->headers.tcp_flags, TCP_RST);
	packet_dispose(segment);
	packet_dispose(reset);
}
