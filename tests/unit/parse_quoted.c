/* SPDX-License-Identifier: BSD-2-Clause */
/* parse: packets quoted in ICMP errors. */
#include "wire/parse.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "../support/parsing.h"

/* An ICMP error from a router that quotes the first `bytes` of `about`, which is disposed of. */
static struct packet *quote(struct packet *about, uint32_t bytes)
{
	const bool v4 = about->data[0] >> 4 == 4;
	struct packet *error =
		ICMP_PACKET(v4 ? "198.51.100.1" : "2001:db8::ff", v4 ? "10.77.0.5" : "fd00::5",
			.icmp_type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
			.payload = about->data, .payload_bytes = bytes);

	packet_dispose(about);
	return error;
}

static void expect_quoted(struct packet *error, uint8_t kind, uint32_t l4, uint8_t tcp_flags)
{
	struct headers inner;

	expect_parsed(error, "error");
	cr_expect_eq(error->headers.kind, L4_ICMP_ERROR);
	cr_assert(packet_parse_quoted(error, &inner));
	cr_expect_eq(inner.family, error->headers.family);
	cr_expect_eq(inner.kind, kind);
	cr_expect_eq(inner.l4, error->headers.payload + l4);
	cr_expect_eq(inner.payload, inner.l4);
	cr_expect_eq(inner.end, error->length);
	cr_expect_eq(inner.tcp_flags, tcp_flags);
	if (kind == L4_TCP || kind == L4_UDP)
		cr_expect(ntohs(inner.source_port) == 4000 && ntohs(inner.destination_port) == 80);
	packet_dispose(error);
}

Test(parse_quoted, quoted_packets)
{
	expect_quoted(quote(make_good(TCP4), 28), L4_TCP, 20, 0);
	expect_quoted(quote(make_good(TCP4), 39), L4_TCP, 20, 0);
	expect_quoted(quote(make_good(TCP4), 40), L4_TCP, 20, TCP_ACK);
	expect_quoted(quote(make_good(TCP6), 48), L4_TCP, 40, 0);
	expect_quoted(quote(make_good(TCP6), 76), L4_TCP, 40, TCP_ACK);
	expect_quoted(quote(make_good(UDP4), 28), L4_UDP, 20, 0);
	expect_quoted(quote(make_good(UDP6), 64), L4_UDP, 40, 0);
	expect_quoted(quote(make_good(ECHO4), 28), L4_ICMP_QUERY, 20, 0);
	expect_quoted(quote(make_good(ECHO6), 48), L4_ICMP_QUERY, 40, 0);
	expect_quoted(
		quote(with_options(make_good(UDP4), (uint8_t[8]){148, 4}, 8), 36), L4_UDP, 28, 0);
	expect_quoted(quote(fragment(make_good(UDP4), 0, true), 28), L4_UDP, 20, 0);
	expect_quoted(quote(fragment(make_good(UDP4), 800, true), 28), L4_FRAGMENT, 20, 0);
	expect_quoted(quote(fragment(make_good(UDP6), 800, true), 56), L4_FRAGMENT, 48, 0);
	expect_quoted(
		quote(extend(make_good(UDP6), IPPROTO_DSTOPTS, (uint8_t[8]){0, 0, 1, 4}, 8), 56),
		L4_UDP, 48, 0);
}

static void expect_no_quote(struct packet *error, const char *what)
{
	struct headers inner;

	expect_parsed(error, what);
	cr_expect_not(packet_parse_quoted(error, &inner), "%s", what);
	packet_dispose(error);
}

Test(parse_quoted, quotes_that_cannot_be_understood)
{
	struct packet *about;

	expect_no_quote(quote(make_good(TCP4), 20), "an IPv4 header");
	expect_no_quote(quote(make_good(TCP6), 40), "an IPv6 header");
	expect_no_quote(quote(make_good(TCP4), 27), "seven bytes of TCP");
	expect_no_quote(quote(make_good(UDP6), 47), "seven bytes of UDP");
	expect_no_quote(quote(make_good(ECHO4), 27), "seven bytes of ICMP");
	about = make_good(TCP4);
	packet_ipv4(about)->checksum ^= 1;
	expect_no_quote(quote(about, 28), "inner header checksum");
	about = make_good(TCP4);
	about->data[0] = 0x44;
	expect_no_quote(quote(about, 28), "inner header length");
	about = make_good(TCP4);
	about->data[0] = 0x48;
	expect_no_quote(quote(about, 28), "inner header longer than the quote");
	about = make_good(TCP4);
	about->data[0] = 0x65;
	expect_no_quote(ICMP_PACKET("198.51.100.1", "10.77.0.5", .icmp_type = ICMP4_UNREACHABLE,
				.payload = about->data, .payload_bytes = 48),
		"the other family");
	packet_dispose(about);
	about = make_good(TCP4);
	expect_no_quote(ICMP_PACKET("2001:db8::ff", "fd00::5", .icmp_type = ICMP6_UNREACHABLE,
				.payload = about->data, .payload_bytes = 56),
		"the other family");
	packet_dispose(about);
}

Test(parse_quoted, errors_too_short_to_quote)
{
	expect_drop(quote(make_good(TCP4), 19), DROP_TRUNCATED, "19 bytes quoted");
	expect_drop(quote(make_good(TCP6), 39), DROP_TRUNCATED, "39 bytes quoted");
}

/* RFC 4884: the quote is padded, and objects follow. */
Test(parse_quoted, quote_ends_where_the_packet_did)
{
	struct packet *about = make_good(UDP4);
	uint8_t padded[140] = {0};
	struct headers inner;

	memcpy(padded, about->data, about->length);
	struct packet *error = ICMP_PACKET("198.51.100.1", "10.77.0.5",
		.icmp_type = ICMP4_UNREACHABLE, .payload = padded, .payload_bytes = sizeof(padded));
	expect_parsed(error, "extended");
	cr_assert(packet_parse_quoted(error, &inner));
	cr_expect_eq(inner.end, 28 + about->length);
	packet_dispose(error);
	packet_dispose(about);
}
