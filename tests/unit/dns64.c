/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns64: what a client of an IPv6-only network is told, message by message (RFC 6147, RFC 7050).
 */
#include "dns/dns64.h"

#include <criterion/criterion.h>
#include <ldns/ldns.h>
#include <stdio.h>

#include "base/embed.h"

static uint8_t bytes[DNS_MESSAGE_MAX];
static struct dns64_out out = {bytes, 0};
static char text[8192];

struct options {
	ldns_pkt_rcode rcode;
	const char *answer[4], *authority;
	bool cd, edns_do;
};

/* A message on the wire, of which the reader is told. */
static struct wire {
	uint8_t bytes[DNS_MESSAGE_MAX];
	struct dns_message message;
} query, first, second;

static void push(ldns_pkt *made, ldns_pkt_section section, const char *record)
{
	ldns_rr *rr;

	cr_assert_eq(ldns_rr_new_frm_str(&rr, record, 0, NULL, NULL), 0, "%s", record);
	ldns_pkt_push_rr(made, section, rr);
}

static const struct dns_message *compose(
	struct wire *wire, const char *name, ldns_rr_type type, const struct options *o)
{
	ldns_pkt *made =
		ldns_pkt_query_new(ldns_dname_new_frm_str(name), type, LDNS_RR_CLASS_IN, LDNS_RD);
	uint8_t *encoded = NULL;
	size_t length = 0;

	ldns_pkt_set_qr(made, wire != &query);
	ldns_pkt_set_cd(made, o->cd);
	ldns_pkt_set_rcode(made, (uint8_t)o->rcode);
	if (o->edns_do) {
		ldns_pkt_set_edns_udp_size(made, 4096);
		ldns_pkt_set_edns_do(made, true);
	}
	for (unsigned i = 0; i < 4 && o->answer[i] != NULL; i++)
		push(made, LDNS_SECTION_ANSWER, o->answer[i]);
	if (o->authority != NULL)
		push(made, LDNS_SECTION_AUTHORITY, o->authority);
	cr_assert_eq(ldns_pkt2wire(&encoded, made, &length), LDNS_STATUS_OK);
	ldns_pkt_free(made);
	memcpy(wire->bytes, encoded, length);
	LDNS_FREE(encoded);
	cr_assert_eq(dns_message_parse(wire->bytes, length, &wire->message), 0);
	return &wire->message;
}

/* What the client would be told. */
static enum dns64_action read_out(enum dns64_action action)
{
	ldns_pkt *told = NULL;

	text[0] = '\0';
	if (action != DNS64_ANSWER)
		return action;
	cr_assert_eq(ldns_wire2pkt(&told, out.bytes, out.length), LDNS_STATUS_OK);
	char *all = ldns_pkt2str(told);
	for (char *c = all; *c; c++)
		*c = *c == '\t' ? ' ' : *c;
	snprintf(text, sizeof(text), "%s", all);
	LDNS_FREE(all);
	cr_expect(ldns_pkt_qr(told));
	ldns_pkt_free(told);
	return action;
}

static bool synthesize;
static struct dns_name other;

static enum dns64_action ask(const char *name, ldns_rr_type type, const struct options *o)
{
	return read_out(dns64_question(
		&embed_well_known, compose(&query, name, type, o), &synthesize, &other, &out));
}

static enum dns64_action tell_first(const char *name, const struct options *o)
{
	return read_out(dns64_first(compose(&first, name, LDNS_RR_TYPE_AAAA, o), &out));
}

static enum dns64_action tell_second(const char *name, const struct options *o)
{
	return read_out(dns64_second(&embed_well_known, &first.message,
		compose(&second, name, LDNS_RR_TYPE_A, o), &out));
}

#define ASK(name, type, ...) ask(name, type, &(struct options){__VA_ARGS__})
#define FIRST(name, ...)     tell_first(name, &(struct options){__VA_ARGS__})
#define SECOND(name, ...)    tell_second(name, &(struct options){__VA_ARGS__})
#define expect_text(part)    cr_expect(strstr(text, part) != NULL, "%s", text)
#define expect_no_text(part) cr_expect(strstr(text, part) == NULL, "%s", text)
#define A                    LDNS_RR_TYPE_A
#define AAAA                 LDNS_RR_TYPE_AAAA
#define PTR                  LDNS_RR_TYPE_PTR

static void ask_aaaa(const char *name)
{
	cr_assert_eq(ASK(name, AAAA), DNS64_PASS);
	cr_assert(synthesize);
}

Test(dns64, a_name_without_aaaa)
{
	ask_aaaa("www.example.");
	cr_assert_eq(FIRST("www.example."), DNS64_ASK);
	cr_assert_eq(SECOND("www.example.", .answer = {"www.example. 300 IN A 192.0.2.33",
						    "www.example. 300 IN A 192.0.2.34"}),
		DNS64_ANSWER);
	expect_text("www.example. 300 IN AAAA 64:ff9b::c000:221");
	expect_text("www.example. 300 IN AAAA 64:ff9b::c000:222");
	expect_no_text(" IN A ");
	expect_text("NOERROR");
}

Test(dns64, a_name_with_aaaa_passes)
{
	cr_expect_eq(FIRST("www.example.", .answer = {"www.example. 300 IN AAAA 2001:db8::1"}),
		DNS64_PASS);
}

Test(dns64, other_questions_pass)
{
	cr_expect_eq(ASK("www.example.", A), DNS64_PASS);
	cr_expect_not(synthesize);
	cr_expect_eq(ASK("www.example.", LDNS_RR_TYPE_MX), DNS64_PASS);
	cr_expect_not(synthesize);
}

/* Section 5.1.2: no name is no name; 5.1.3: other errors may be about AAAA alone. */
Test(dns64, errors)
{
	cr_expect_eq(FIRST("no.example.", .rcode = LDNS_RCODE_NXDOMAIN), DNS64_PASS);
	cr_expect_eq(FIRST("odd.example.", .rcode = LDNS_RCODE_SERVFAIL), DNS64_ASK);
}

/* Section 5.1.6: without IPv4 either, the first answer stands. */
Test(dns64, a_name_without_any_address)
{
	cr_assert_eq(FIRST("mx.example.", .authority = "example. 900 IN SOA ns. root. 1 2 3 4 60"),
		DNS64_ASK);
	cr_assert_eq(SECOND("mx.example."), DNS64_PASS);
}

/* Section 5.1.7. */
Test(dns64, how_long_it_may_be_remembered)
{
	cr_assert_eq(FIRST("www.example.", .authority = "example. 900 IN SOA ns. root. 1 2 3 4 60"),
		DNS64_ASK);
	cr_assert_eq(SECOND("www.example.", .answer = {"www.example. 300 IN A 192.0.2.33"}),
		DNS64_ANSWER);
	expect_text("www.example. 60 IN AAAA");
	cr_assert_eq(FIRST("other.example."), DNS64_ASK);
	cr_assert_eq(SECOND("other.example.", .answer = {"other.example. 86400 IN A 192.0.2.33"}),
		DNS64_ANSWER);
	expect_text("other.example. 600 IN AAAA");
}

/* Section 5.1.5: aliases are kept. */
Test(dns64, aliases)
{
	cr_assert_eq(FIRST("www.example.", .answer = {"www.example. 300 IN CNAME web.example."}),
		DNS64_ASK);
	cr_assert_eq(SECOND("www.example.", .answer = {"www.example. 300 IN CNAME web.example.",
						    "web.example. 300 IN A 192.0.2.33"}),
		DNS64_ANSWER);
	expect_text("www.example. 300 IN CNAME web.example.");
	expect_text("web.example. 300 IN AAAA 64:ff9b::c000:221");
}

/* Section 5.1.4. */
Test(dns64, mapped_addresses_do_not_count)
{
	cr_expect_eq(
		FIRST("www.example.", .answer = {"www.example. 300 IN AAAA ::ffff:192.0.2.33"}),
		DNS64_ASK);
	cr_expect_eq(
		FIRST("both.example.", .answer = {"both.example. 300 IN AAAA ::ffff:192.0.2.33",
					       "both.example. 300 IN AAAA 2001:db8::1"}),
		DNS64_ANSWER);
	expect_text("2001:db8::1");
	expect_no_text("ffff");
}

/* Section 5.5: who checks himself is not lied to. */
Test(dns64, validating_clients)
{
	cr_expect_eq(ASK("www.example.", AAAA, .cd = true, .edns_do = true), DNS64_PASS);
	cr_expect_not(synthesize);
	cr_expect_eq(ASK("www.example.", AAAA, .edns_do = true), DNS64_PASS);
	cr_expect(synthesize);
}

/* RFC 7050. */
Test(dns64, the_prefix)
{
	cr_expect_eq(ASK("ipv4only.arpa.", AAAA), DNS64_ANSWER);
	expect_text("64:ff9b::c000:aa");
	expect_text("64:ff9b::c000:ab");
	cr_expect_eq(ASK("IPv4Only.arpa.", AAAA), DNS64_ANSWER);
	cr_expect_eq(ASK("ipv4only.arpa.", A), DNS64_PASS);
}

/* Section 5.3.1. */
Test(dns64, names_of_addresses)
{
	static const char name[] =
		"1.2.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0."
		"ip6.arpa.";
	char asked[DNS_TEXT_SIZE];

	cr_assert_eq(ASK(name, PTR), DNS64_ASK);
	cr_expect_str_eq(dns_name_format(&other, asked), "33.2.0.192.in-addr.arpa");
	compose(&first, "33.2.0.192.in-addr.arpa.", PTR,
		&(struct options){.answer = {"33.2.0.192.in-addr.arpa. 60 IN PTR www.example."}});
	cr_assert_eq(read_out(dns64_reverse(&query.message, &first.message, &out)), DNS64_ANSWER);
	expect_text("ip6.arpa. 600 IN CNAME 33.2.0.192.in-addr.arpa.");
	expect_text("PTR www.example.");
	cr_expect_eq(ASK("1.2.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.1."
			 "ip6.arpa.",
			     PTR),
		DNS64_PASS);
	cr_expect_eq(ASK("www.example.", PTR), DNS64_PASS);
}

/* Whatever it is, it is no reason to fall over. */
Test(dns64, noise)
{
	uint8_t noise[600];
	struct dns_message told;
	uint32_t seed = 1;

	FIRST("www.example.");
	compose(&second, "www.example.", A,
		&(struct options){.answer = {"www.example. 300 IN CNAME web.example.",
					  "web.example. 300 IN A 192.0.2.33"}});
	for (unsigned round = 0; round < 20000; round++) {
		size_t length = second.message.length;

		memcpy(noise, second.bytes, length);
		for (unsigned i = 0; i < 3; i++) {
			seed = seed * 1664525 + 1013904223;
			noise[2 + (seed >> 8) % (length - 2)] = (uint8_t)(seed >> 24);
		}
		length -= (seed >> 4) % 20;
		if (dns_message_parse(noise, length, &told) != 0)
			continue;
		(void)dns64_first(&told, &out);
		(void)dns64_second(&embed_well_known, &first.message, &told, &out);
		(void)dns64_reverse(&first.message, &told, &out);
	}
}
