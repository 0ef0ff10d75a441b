/* SPDX-License-Identifier: BSD-2-Clause */
/* dns_message: names and messages on the wire, and how long they may be remembered. */
#include "dns/message.h"

#include <criterion/criterion.h>
#include <errno.h>

static uint8_t bytes[65535];
static struct dns_writer writer;
static struct dns_message message;

static struct dns_name name_of(const char *text)
{
	struct dns_name name;

	cr_assert(dns_name_parse(text, &name), "%s", text);
	return name;
}

static void begin(const char *text, uint16_t type, uint16_t flags)
{
	const struct dns_name name = name_of(text);

	writer = (struct dns_writer){.bytes = bytes, .size = sizeof(bytes)};
	dns_write_question(&writer, 7, flags, name.bytes, name.length, type, DNS_IN);
}

static void record(enum dns_section section, const char *owner, uint16_t type, uint32_t ttl,
	const void *data, size_t length)
{
	const struct dns_name name = name_of(owner);

	dns_write_record(&writer, section, &name, type, ttl, data, length);
}

static void alias(const char *owner, uint32_t ttl, const char *target)
{
	const struct dns_name name = name_of(target);

	record(DNS_ANSWER, owner, DNS_CNAME, ttl, name.bytes, name.length);
}

static int parse(void)
{
	cr_assert_not(writer.full);
	return dns_message_parse(bytes, writer.length, &message);
}

/* ---- names ---- */

Test(dns_message, names_are_read_with_pointers_in_lower_case)
{
	static const uint8_t wire[] = "############\003WWW\007Example\0\004Mail\300\020";
	char text[DNS_TEXT_SIZE];
	struct dns_name name;
	size_t at = 12;

	cr_assert(dns_name_read(wire, sizeof(wire) - 1, &at, &name));
	cr_expect_str_eq(dns_name_format(&name, text), "www.example");
	cr_expect_eq(at, 25);
	cr_assert(dns_name_read(wire, sizeof(wire) - 1, &at, &name));
	cr_expect_str_eq(dns_name_format(&name, text), "mail.example");
	cr_expect_eq(at, sizeof(wire) - 1);
}

/* Forward, to themselves, in circles, into the header, over the end. */
Test(dns_message, bad_pointers)
{
	static const struct {
		const char *wire;
		size_t length, at;
	} rows[] = {
		{"############\300\016\001a", 16, 12}, {"############\300\014", 14, 12},
		{"############\001a\300\014", 16, 12},
		{"############\001a\300\020\300\014", 18, 16}, {"############\300\002", 14, 12},
		{"############\300", 13, 12}, {"############\005abc", 16, 12},
		{"############\001a", 14, 12}, {"############\100abc", 16, 12},
		{"############\001\300\014\0", 16, 13}, /* to what runs over it */
	};
	struct dns_name name;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t at = rows[i].at;

		cr_expect_not(
			dns_name_read((const uint8_t *)rows[i].wire, rows[i].length, &at, &name),
			"row %u", i);
	}
}

/* `*.corp.example` must not take a label with a dot in it for two. */
Test(dns_message, dots_in_labels_are_no_dots_in_texts)
{
	static const uint8_t wire[] = "############\006x.corp\007example\0";
	char text[DNS_TEXT_SIZE];
	struct dns_name name;
	size_t at = 12;

	cr_assert(dns_name_read(wire, sizeof(wire) - 1, &at, &name));
	cr_expect_str_eq(dns_name_format(&name, text), "x\\046corp.example");
}

Test(dns_message, names_have_255_bytes_at_most)
{
	uint8_t wire[300] = {0};
	struct dns_name name;
	size_t at = 12, end = 12;

	for (unsigned i = 0; i < 127; i++, end += 2) {
		wire[end] = 1;
		wire[end + 1] = 'a';
	}
	cr_expect(dns_name_read(wire, end + 1, &at, &name));
	cr_expect_eq(name.length, 255);
	wire[12] = 2;
	memmove(wire + 14, wire + 13, end - 13);
	at = 12;
	cr_expect_not(dns_name_read(wire, end + 2, &at, &name));
}

Test(dns_message, text_of_odd_names)
{
	static const uint8_t wire[] = "############\005a.b\\c\003\0 \377";
	char text[DNS_TEXT_SIZE];
	struct dns_name name;
	size_t at = 12;

	cr_assert(dns_name_read(wire, sizeof(wire), &at, &name));
	cr_expect_str_eq(dns_name_format(&name, text), "a\\046b\\\\c.\\000\\032\\255");
	name = name_of(".");
	cr_expect_str_eq(dns_name_format(&name, text), ".");
}

Test(dns_message, names_within_zones)
{
	const struct dns_name zone = name_of("corp.example"), below = name_of("a.b.corp.example"),
			      beside = name_of("xcorp.example"), root = name_of(".");

	cr_expect(dns_name_within(&zone, &zone));
	cr_expect(dns_name_within(&below, &zone));
	cr_expect_not(dns_name_within(&beside, &zone));
	cr_expect_not(dns_name_within(&zone, &below));
	cr_expect(dns_name_within(&zone, &root));
}

Test(dns_message, names_of_addresses)
{
	static const struct {
		const char *name, *prefix;
	} rows[] = {
		{"4.3.2.1.in-addr.arpa", "1.2.3.4"},
		{"77.10.in-addr.arpa", "10.77.0.0/16"},
		{"in-addr.arpa", "0.0.0.0/0"},
		{"8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::/32"},
		{"f.ip6.arpa", "f000::/4"},
	};
	static const char *const none[] = {"256.in-addr.arpa", "01.in-addr.arpa", "x.in-addr.arpa",
		"5.4.3.2.1.in-addr.arpa", "g.ip6.arpa", "12.ip6.arpa", "arpa", "example"};
	struct prefix prefix, wanted;
	char text[DNS_TEXT_SIZE];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dns_name name = name_of(rows[i].name);

		cr_assert_null(prefix_parse(rows[i].prefix, &wanted));
		cr_assert(dns_name_prefix(&name, &prefix), "%s", rows[i].name);
		cr_expect(prefix.length == wanted.length && prefix.family == wanted.family &&
				  addr_equal(&prefix.base, &wanted.base),
			"%s", rows[i].name);
		dns_name_of_prefix(&prefix, &name);
		cr_expect_str_eq(dns_name_format(&name, text), rows[i].name);
	}
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		const struct dns_name name = name_of(none[i]);

		cr_expect_not(dns_name_prefix(&name, &prefix), "%s", none[i]);
	}
}

/* ---- messages ---- */

Test(dns_message, a_question_with_edns)
{
	begin("www.example", DNS_AAAA, DNS_RD | DNS_CD);
	dns_write_opt(&writer, 4096, 0, true, EDE_NONE, NULL);
	cr_assert_eq(parse(), 0);
	cr_expect(message.edns && message.dnssec_ok);
	cr_expect_eq(message.udp_size, 4096);
	cr_expect_eq(message.type, DNS_AAAA);
	cr_expect_eq(message.flags, DNS_RD | DNS_CD);
	dns_message_drop_opt(&message, bytes);
	cr_assert_eq(dns_message_parse(bytes, message.length, &message), 0);
	cr_expect_not(message.edns);
}

Test(dns_message, what_is_none)
{
	begin("www.example", DNS_A, 0);
	cr_expect_eq(dns_message_parse(bytes, 11, &message), -EINVAL);
	cr_expect_eq(dns_message_parse(bytes, writer.length - 1, &message), -EBADMSG);
	bytes[5] = 2; /* questions */
	cr_expect_eq(parse(), -EBADMSG);
	bytes[5] = 0;
	cr_expect_eq(parse(), -EBADMSG);
	bytes[5] = 1;
	bytes[7] = 1; /* an answer that is not there */
	cr_expect_eq(parse(), -EBADMSG);
	begin("www.example", DNS_A, 0);
	dns_write_opt(&writer, 1232, 0, false, EDE_NONE, NULL);
	dns_write_opt(&writer, 1232, 0, false, EDE_NONE, NULL);
	cr_expect_eq(parse(), -EBADMSG);
}

static union addr seen_address;
static uint32_t seen_ttl;
static unsigned seen_count;

static void seen(void *context, uint8_t family, const union addr *address, uint32_t ttl_s)
{
	(void)context;
	(void)family;
	seen_address = *address;
	seen_ttl = ttl_s;
	seen_count++;
}

/* What belongs to other names is not what was asked for. */
Test(dns_message, addresses_at_the_end_of_aliases)
{
	static const uint8_t wanted[4] = {192, 0, 2, 1}, other[4] = {192, 0, 2, 99};
	const union addr expected = addr_v4(192, 0, 2, 1);

	begin("a.example", DNS_A, DNS_QR);
	record(DNS_ANSWER, "c.example", DNS_A, 300, wanted, 4);
	alias("b.example", 20, "c.example");
	alias("a.example", 100, "b.example");
	record(DNS_ANSWER, "d.example", DNS_A, 300, other, 4);
	record(DNS_ADDITIONAL, "c.example", DNS_A, 300, other, 4);
	cr_assert_eq(parse(), 0);
	dns_message_addresses(&message, seen, NULL);
	cr_expect_eq(seen_count, 1);
	cr_expect(addr_equal(&seen_address, &expected));
	cr_expect_eq(seen_ttl, 20);
}

Test(dns_message, aliases_in_circles)
{
	begin("a.example", DNS_A, DNS_QR);
	alias("a.example", 100, "b.example");
	alias("b.example", 100, "a.example");
	cr_assert_eq(parse(), 0);
	dns_message_addresses(&message, seen, NULL);
	cr_expect_eq(seen_count, 0);
}

/* Whoever has a zone of his own may have answers of thousands of records. */
Test(dns_message, addresses_of_endless_answers)
{
	begin("a.example", DNS_A, DNS_QR);
	for (uint8_t i = 0; i < 250; i++) {
		const union addr address = addr_v4(192, 0, 2, i);
		for (unsigned j = 0; j < 15; j++)
			dns_write_address(&writer, NULL, AF_INET, &address, 60);
	}
	cr_assert_eq(parse(), 0);
	dns_message_addresses(&message, seen, NULL);
	cr_expect_eq(seen_count, 512);
}

static uint32_t ttl(void)
{
	cr_assert_eq(parse(), 0);
	return dns_message_ttl(&message);
}

Test(dns_message, how_long_answers_may_be_remembered)
{
	static const uint8_t address[4] = {192, 0, 2, 1};
	const struct dns_name zone = name_of("example");

	begin("a.example", DNS_A, DNS_QR);
	cr_expect_eq(ttl(), 0, "nothing says for how long there is nothing");
	dns_write_soa(&writer, &zone, 30);
	cr_expect_eq(ttl(), 30);
	begin("a.example", DNS_A, DNS_QR | DNS_NXDOMAIN);
	dns_write_soa(&writer, &zone, 1000000);
	cr_expect_eq(ttl(), 3 * 60 * 60);
	begin("a.example", DNS_A, DNS_QR);
	record(DNS_ANSWER, "a.example", DNS_A, 300, address, 4);
	record(DNS_ANSWER, "a.example", DNS_A, 200, address, 4);
	dns_write_opt(&writer, 1232, 0, false, EDE_NONE, NULL);
	cr_expect_eq(ttl(), 200);
	begin("a.example", DNS_A, DNS_QR);
	record(DNS_ANSWER, "a.example", DNS_A, 0x80000000, address, 4);
	cr_expect_eq(ttl(), 0);
	begin("a.example", DNS_A, DNS_QR);
	record(DNS_ANSWER, "a.example", DNS_A, 1000000, address, 4);
	cr_expect_eq(ttl(), 24 * 60 * 60);
	begin("a.example", DNS_A, DNS_QR | DNS_TC);
	record(DNS_ANSWER, "a.example", DNS_A, 300, address, 4);
	cr_expect_eq(ttl(), 0);
	begin("a.example", DNS_A, DNS_QR | DNS_SERVFAIL);
	dns_write_soa(&writer, &zone, 30);
	cr_expect_eq(ttl(), 0);
	/* An alias that leads to nothing is a negative answer. */
	begin("a.example", DNS_A, DNS_QR);
	alias("a.example", 10, "b.example");
	dns_write_soa(&writer, &zone, 30);
	cr_expect_eq(ttl(), 10);
}

/* RFC 8914, with a text and without. */
Test(dns_message, extended_errors)
{
	begin("www.example", DNS_A, DNS_QR);
	dns_write_opt(&writer, 1232, 0, false, EDE_FILTERED, "no");
	cr_assert_eq(parse(), 0);
	cr_expect_eq(memcmp(bytes + writer.length - 10, "\0\10\0\017\0\4\0\021no", 10), 0);
	begin("www.example", DNS_A, DNS_QR);
	dns_write_opt(&writer, 1232, 0, false, EDE_BLOCKED, NULL);
	cr_assert_eq(parse(), 0);
	cr_expect_eq(memcmp(bytes + writer.length - 8, "\0\6\0\017\0\2\0\017", 8), 0);
}

Test(dns_message, what_does_not_fit_is_told)
{
	uint8_t few[20];
	const struct dns_name name = name_of("www.example");

	writer = (struct dns_writer){.bytes = few, .size = sizeof(few)};
	dns_write_question(&writer, 7, 0, name.bytes, name.length, DNS_A, DNS_IN);
	cr_expect(writer.full);
	cr_expect_leq(writer.length, sizeof(few));
}
