/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns64: what a client of an IPv6-only network is told, message by message (RFC 6147, RFC 7050).
 */
#include "daemon/dns64.h"

#include <criterion/criterion.h>
#include <ldns/ldns.h>
#include <stdio.h>

#include "base/embed.h"

#define CLIENT_ID 0x1111
#define OWN_ID    0x2222

static struct dns64 *dns64;
static uint8_t bytes[DNS64_MESSAGE_MAX];
static struct dns64_out out = {bytes, 0};
static char text[8192];

static void begin(void)
{
	dns64 = dns64_create(&embed_well_known);
	cr_assert_not_null(dns64);
}

static void end(void)
{
	dns64_free(dns64);
}

TestSuite(dns64, .init = begin, .fini = end);

struct options {
	ldns_pkt_rcode rcode;
	const char *answer[4], *authority;
	bool cd, edns_do, tc;
};

static ldns_pkt *message(uint16_t id, const char *name, ldns_rr_type type, const struct options *o)
{
	ldns_pkt *made =
		ldns_pkt_query_new(ldns_dname_new_frm_str(name), type, LDNS_RR_CLASS_IN, LDNS_RD);
	ldns_rr *rr;

	ldns_pkt_set_id(made, id);
	ldns_pkt_set_cd(made, o->cd);
	ldns_pkt_set_tc(made, o->tc);
	ldns_pkt_set_rcode(made, (uint8_t)o->rcode);
	if (o->edns_do) {
		ldns_pkt_set_edns_udp_size(made, 4096);
		ldns_pkt_set_edns_do(made, true);
	}
	for (unsigned i = 0; i < 4 && o->answer[i] != NULL; i++) {
		cr_assert_eq(ldns_rr_new_frm_str(&rr, o->answer[i], 0, NULL, NULL), 0, "%s",
			o->answer[i]);
		ldns_pkt_push_rr(made, LDNS_SECTION_ANSWER, rr);
	}
	if (o->authority != NULL) {
		cr_assert_eq(ldns_rr_new_frm_str(&rr, o->authority, 0, NULL, NULL), 0);
		ldns_pkt_push_rr(made, LDNS_SECTION_AUTHORITY, rr);
	}
	return made;
}

static enum dns64_action say(ldns_pkt *packet, bool from_target)
{
	uint8_t *wire = NULL;
	size_t length = 0;
	ldns_pkt *told = NULL;

	ldns_pkt_set_qr(packet, from_target);
	cr_assert_eq(ldns_pkt2wire(&wire, packet, &length), LDNS_STATUS_OK);
	ldns_pkt_free(packet);
	out.length = 0;
	const enum dns64_action action =
		from_target ? dns64_answer(dns64, wire, length, OWN_ID, &out)
			    : dns64_question(dns64, wire, length, OWN_ID, &out);
	LDNS_FREE(wire);
	text[0] = '\0';
	if (action == DNS64_PASS)
		return action;
	cr_assert_eq(ldns_wire2pkt(&told, out.bytes, out.length), LDNS_STATUS_OK);
	char *all = ldns_pkt2str(told);
	for (char *c = all; *c; c++)
		*c = *c == '\t' ? ' ' : *c;
	snprintf(text, sizeof(text), "%s", all);
	LDNS_FREE(all);
	cr_expect_eq(ldns_pkt_id(told), action == DNS64_TO_CLIENT ? CLIENT_ID : OWN_ID);
	cr_expect_eq(ldns_pkt_qr(told), action == DNS64_TO_CLIENT);
	ldns_pkt_free(told);
	return action;
}

#define ASK(name, type, ...)                                                                       \
	say(message(CLIENT_ID, name, type, &(struct options){__VA_ARGS__}), false)
#define TELL(id, name, type, ...) say(message(id, name, type, &(struct options){__VA_ARGS__}), true)
#define expect_text(part)         cr_expect(strstr(text, part) != NULL, "%s", text)
#define expect_no_text(part)      cr_expect(strstr(text, part) == NULL, "%s", text)
#define A                         LDNS_RR_TYPE_A
#define AAAA                      LDNS_RR_TYPE_AAAA
#define PTR                       LDNS_RR_TYPE_PTR

static void ask_twice(const char *name)
{
	cr_assert_eq(ASK(name, AAAA), DNS64_PASS);
	cr_assert_eq(TELL(CLIENT_ID, name, AAAA), DNS64_TO_TARGET);
	expect_text(" IN A");
}

Test(dns64, a_name_without_aaaa)
{
	ask_twice("www.example.");
	cr_assert_eq(TELL(OWN_ID, "www.example.", A,
			     .answer = {"www.example. 300 IN A 192.0.2.33",
				     "www.example. 300 IN A 192.0.2.34"}),
		DNS64_TO_CLIENT);
	expect_text("www.example. 300 IN AAAA 64:ff9b::c000:221");
	expect_text("www.example. 300 IN AAAA 64:ff9b::c000:222");
	expect_no_text(" IN A ");
	expect_text("NOERROR");
}

Test(dns64, a_name_with_aaaa_passes)
{
	cr_expect_eq(ASK("www.example.", AAAA), DNS64_PASS);
	cr_expect_eq(TELL(CLIENT_ID, "www.example.", AAAA,
			     .answer = {"www.example. 300 IN AAAA 2001:db8::1"}),
		DNS64_PASS);
	/* nothing is left that an answer could belong to */
	cr_expect_eq(TELL(CLIENT_ID, "www.example.", AAAA), DNS64_PASS);
}

Test(dns64, other_questions_pass)
{
	cr_expect_eq(ASK("www.example.", A), DNS64_PASS);
	cr_expect_eq(TELL(CLIENT_ID, "www.example.", A), DNS64_PASS);
	cr_expect_eq(ASK("www.example.", LDNS_RR_TYPE_MX), DNS64_PASS);
}

/* Section 5.1.2: no name is no name; 5.1.3: other errors may be about AAAA alone. */
Test(dns64, errors)
{
	cr_expect_eq(ASK("no.example.", AAAA), DNS64_PASS);
	cr_expect_eq(
		TELL(CLIENT_ID, "no.example.", AAAA, .rcode = LDNS_RCODE_NXDOMAIN), DNS64_PASS);
	cr_expect_eq(ASK("odd.example.", AAAA), DNS64_PASS);
	cr_expect_eq(TELL(CLIENT_ID, "odd.example.", AAAA, .rcode = LDNS_RCODE_SERVFAIL),
		DNS64_TO_TARGET);
}

/* Section 5.1.6: without IPv4 either, the first answer stands. */
Test(dns64, a_name_without_any_address)
{
	cr_assert_eq(ASK("mx.example.", AAAA), DNS64_PASS);
	cr_assert_eq(TELL(CLIENT_ID, "mx.example.", AAAA,
			     .authority = "example. 900 IN SOA ns. root. 1 2 3 4 60"),
		DNS64_TO_TARGET);
	cr_assert_eq(TELL(OWN_ID, "mx.example.", A), DNS64_TO_CLIENT);
	expect_text("SOA");
	expect_text(" IN AAAA");
}

/* Section 5.1.7. */
Test(dns64, how_long_it_may_be_remembered)
{
	cr_assert_eq(ASK("www.example.", AAAA), DNS64_PASS);
	cr_assert_eq(TELL(CLIENT_ID, "www.example.", AAAA,
			     .authority = "example. 900 IN SOA ns. root. 1 2 3 4 60"),
		DNS64_TO_TARGET);
	cr_assert_eq(
		TELL(OWN_ID, "www.example.", A, .answer = {"www.example. 300 IN A 192.0.2.33"}),
		DNS64_TO_CLIENT);
	expect_text("www.example. 60 IN AAAA");
	ask_twice("other.example.");
	cr_assert_eq(TELL(OWN_ID, "other.example.", A,
			     .answer = {"other.example. 86400 IN A 192.0.2.33"}),
		DNS64_TO_CLIENT);
	expect_text("other.example. 600 IN AAAA");
}

/* Section 5.1.5: aliases are kept. */
Test(dns64, aliases)
{
	cr_assert_eq(ASK("www.example.", AAAA), DNS64_PASS);
	cr_assert_eq(TELL(CLIENT_ID, "www.example.", AAAA,
			     .answer = {"www.example. 300 IN CNAME web.example."}),
		DNS64_TO_TARGET);
	cr_assert_eq(TELL(OWN_ID, "www.example.", A,
			     .answer = {"www.example. 300 IN CNAME web.example.",
				     "web.example. 300 IN A 192.0.2.33"}),
		DNS64_TO_CLIENT);
	expect_text("www.example. 300 IN CNAME web.example.");
	expect_text("web.example. 300 IN AAAA 64:ff9b::c000:221");
}

/* Section 5.1.4. */
Test(dns64, mapped_addresses_do_not_count)
{
	cr_assert_eq(ASK("www.example.", AAAA), DNS64_PASS);
	cr_expect_eq(TELL(CLIENT_ID, "www.example.", AAAA,
			     .answer = {"www.example. 300 IN AAAA ::ffff:192.0.2.33"}),
		DNS64_TO_TARGET);
	cr_assert_eq(ASK("both.example.", AAAA), DNS64_PASS);
	cr_expect_eq(TELL(CLIENT_ID, "both.example.", AAAA,
			     .answer = {"both.example. 300 IN AAAA ::ffff:192.0.2.33",
				     "both.example. 300 IN AAAA 2001:db8::1"}),
		DNS64_TO_CLIENT);
	expect_text("2001:db8::1");
	expect_no_text("ffff");
}

/* Section 5.5: who checks himself is not lied to. */
Test(dns64, validating_clients)
{
	cr_expect_eq(ASK("www.example.", AAAA, .cd = true, .edns_do = true), DNS64_PASS);
	cr_expect_eq(TELL(CLIENT_ID, "www.example.", AAAA), DNS64_PASS);
	cr_expect_eq(ASK("www.example.", AAAA, .edns_do = true), DNS64_PASS);
	cr_expect_eq(TELL(CLIENT_ID, "www.example.", AAAA), DNS64_TO_TARGET);
	cr_assert_eq(
		TELL(OWN_ID, "www.example.", A, .answer = {"www.example. 300 IN A 192.0.2.33"}),
		DNS64_TO_CLIENT);
	expect_no_text("flags: qr aa ad");
	expect_text("64:ff9b::c000:221");
}

/* RFC 7050. */
Test(dns64, the_prefix)
{
	cr_expect_eq(ASK("ipv4only.arpa.", AAAA), DNS64_TO_CLIENT);
	expect_text("64:ff9b::c000:aa");
	expect_text("64:ff9b::c000:ab");
	cr_expect_eq(ASK("IPv4Only.arpa.", AAAA), DNS64_TO_CLIENT);
	cr_expect_eq(ASK("ipv4only.arpa.", A), DNS64_PASS);
}

/* Section 5.3.1. */
Test(dns64, names_of_addresses)
{
	static const char name[] =
		"1.2.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0."
		"ip6.arpa.";

	cr_assert_eq(ASK(name, PTR), DNS64_TO_TARGET);
	expect_text("33.2.0.192.in-addr.arpa. IN PTR");
	cr_assert_eq(TELL(OWN_ID, "33.2.0.192.in-addr.arpa.", PTR,
			     .answer = {"33.2.0.192.in-addr.arpa. 60 IN PTR www.example."}),
		DNS64_TO_CLIENT);
	expect_text("ip6.arpa. 600 IN CNAME 33.2.0.192.in-addr.arpa.");
	expect_text("PTR www.example.");
	cr_expect_eq(ASK("1.2.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.1."
			 "ip6.arpa.",
			     PTR),
		DNS64_PASS);
	cr_expect_eq(ASK("www.example.", PTR), DNS64_PASS);
}

/* Over UDP, what the client cannot take is asked for again over TCP. */
Test(dns64, answers_that_are_too_long)
{
	ask_twice("www.example.");
	cr_assert_eq(TELL(OWN_ID, "www.example.", A, .tc = true), DNS64_TO_CLIENT);
	expect_text("tc");
	cr_assert_eq(ASK("www.example.", AAAA), DNS64_PASS);
	cr_expect_eq(TELL(CLIENT_ID, "www.example.", AAAA, .tc = true), DNS64_PASS);
}

Test(dns64, answers_to_nothing)
{
	ask_twice("www.example.");
	cr_expect_eq(TELL(OWN_ID, "other.example.", A), DNS64_PASS);
	cr_expect_eq(TELL(OWN_ID, "www.example.", AAAA), DNS64_PASS);
	cr_expect_eq(TELL(OWN_ID + 1, "www.example.", A), DNS64_PASS);
}

Test(dns64, the_oldest_question_gives_way)
{
	char name[32];

	ask_twice("first.example.");
	for (unsigned i = 0; i < DNS64_PENDING_MAX; i++) {
		snprintf(name, sizeof(name), "n%u.example.", i);
		cr_assert_eq(ASK(name, AAAA), DNS64_PASS);
	}
	cr_expect_eq(TELL(OWN_ID, "first.example.", A), DNS64_PASS);
}

/* Whatever it is, it is no reason to fall over. */
Test(dns64, noise)
{
	uint8_t noise[600];
	uint32_t seed = 1;

	ask_twice("www.example.");
	for (unsigned round = 0; round < 20000; round++) {
		ldns_pkt *made = message(OWN_ID, "www.example.", A,
			&(struct options){.answer = {"www.example. 300 IN A 192.0.2.33"}});
		uint8_t *wire = NULL;
		size_t length = 0;

		ldns_pkt_set_qr(made, true);
		ldns_pkt2wire(&wire, made, &length);
		ldns_pkt_free(made);
		memcpy(noise, wire, length);
		LDNS_FREE(wire);
		for (unsigned i = 0; i < 3; i++) {
			seed = seed * 1664525 + 1013904223;
			noise[2 + (seed >> 8) % (length - 2)] = (uint8_t)(seed >> 24);
		}
		length -= (seed >> 4) % 20;
		(void)dns64_answer(dns64, noise, length, OWN_ID, &out);
		(void)dns64_question(dns64, noise, length, OWN_ID, &out);
		if (round % 50 == 0) {
			(void)ASK("www.example.", AAAA);
			(void)TELL(CLIENT_ID, "www.example.", AAAA);
		}
	}
}
