/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns64: questions that wait for their second answer, and the messages made of two.
 *
 * Life of a question: ASKED for AAAA as it came; if the answer will not do, ASKED_A under an
 * identifier of our own, the first answer being kept for the case that there is no IPv4 address
 * either; gone with what the client is sent.  A question about an address of the prefix itself is
 * ASKED_PTR, with the IPv4 address's name in its place (section 5.3.1).
 */
#include "daemon/dns64.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include "base/embed.h"

#define TTL_WITHOUT_SOA 600 /* section 5.1.7 */
#define UDP_BYTES_MIN   512

enum stage { UNUSED, ASKED, ASKED_A, ASKED_PTR };

struct question {
	uint8_t stage; /* enum stage */
	uint16_t id;   /* that we asked with */
	ldns_pkt *query;
	ldns_pkt *first; /* ASKED_A: the answer about AAAA */
};

struct dns64 {
	struct prefix prefix;
	unsigned next; /* to give way */
	struct question question[DNS64_PENDING_MAX];
};

/* ---- life ---- */

static void question_forget(struct question *question)
{
	ldns_pkt_free(question->query);
	ldns_pkt_free(question->first);
	*question = (struct question){.stage = UNUSED};
}

struct dns64 *dns64_create(const struct prefix *prefix)
{
	struct dns64 *dns64 = calloc(1, sizeof(*dns64));

	if (dns64 != NULL)
		dns64->prefix = *prefix;
	return dns64;
}

void dns64_free(struct dns64 *dns64)
{
	if (dns64 == NULL)
		return;
	for (unsigned i = 0; i < DNS64_PENDING_MAX; i++)
		question_forget(&dns64->question[i]);
	free(dns64);
}

/* Takes the query over. */
static void question_add(struct dns64 *dns64, enum stage stage, uint16_t id, ldns_pkt *query)
{
	struct question *question = &dns64->question[dns64->next++ % DNS64_PENDING_MAX];

	question_forget(question);
	*question = (struct question){.stage = (uint8_t)stage, .id = id, .query = query};
}

/* ---- reading ---- */

/* The only question of a message, or NULL. */
static ldns_rr *asked(const ldns_pkt *message)
{
	const ldns_rr_list *list = ldns_pkt_question(message);

	return ldns_rr_list_rr_count(list) == 1 ? ldns_rr_list_rr(list, 0) : NULL;
}

static bool asks_for(const ldns_pkt *message, ldns_rr_type type)
{
	const ldns_rr *question = asked(message);

	return question != NULL && ldns_rr_get_type(question) == type &&
	       ldns_rr_get_class(question) == LDNS_RR_CLASS_IN &&
	       ldns_pkt_get_opcode(message) == LDNS_PACKET_QUERY;
}

/* ::ffff:0/96 is no address to reach anybody at (section 5.1.4). */
static bool aaaa_is_usable(const ldns_rr *rr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);

	return rdf != NULL && ldns_rdf_size(rdf) == 16 &&
	       memcmp(ldns_rdf_data(rdf), mapped, sizeof(mapped)) != 0;
}

static unsigned count_usable(const ldns_pkt *answer, unsigned *unusable)
{
	const ldns_rr_list *list = ldns_pkt_answer(answer);
	unsigned usable = 0;

	*unusable = 0;
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_AAAA)
			continue;
		usable += aaaa_is_usable(rr);
		*unusable += !aaaa_is_usable(rr);
	}
	return usable;
}

/* How long it may be remembered that there is no AAAA (section 5.1.7). */
static uint32_t negative_ttl(const ldns_pkt *answer)
{
	const ldns_rr_list *list = ldns_pkt_authority(answer);

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || ldns_rr_rd_count(rr) < 7)
			continue;
		const uint32_t minimum = ldns_rdf2native_int32(ldns_rr_rdf(rr, 6));
		return minimum < ldns_rr_ttl(rr) ? minimum : ldns_rr_ttl(rr);
	}
	return TTL_WITHOUT_SOA;
}

/* ---- writing ---- */

static bool write_message(const ldns_pkt *message, struct dns64_out *out)
{
	uint8_t *wire = NULL;
	size_t length = 0;

	if (ldns_pkt2wire(&wire, message, &length) != LDNS_STATUS_OK)
		return false;
	const bool fits = length <= DNS64_MESSAGE_MAX;
	if (fits) {
		memcpy(out->bytes, wire, length);
		out->length = length;
	}
	LDNS_FREE(wire);
	return fits;
}

/* What the client is sent: nothing in it yet. */
static ldns_pkt *reply_begin(const ldns_pkt *query, ldns_pkt_rcode rcode)
{
	ldns_pkt *reply = ldns_pkt_new();

	if (reply == NULL)
		return NULL;
	ldns_pkt_set_id(reply, ldns_pkt_id(query));
	ldns_pkt_set_qr(reply, true);
	ldns_pkt_set_rd(reply, ldns_pkt_rd(query));
	ldns_pkt_set_ra(reply, true);
	ldns_pkt_set_cd(reply, ldns_pkt_cd(query));
	ldns_pkt_set_rcode(reply, (uint8_t)rcode);
	ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION, ldns_rr_clone(asked(query)));
	if (ldns_pkt_edns(query)) {
		ldns_pkt_set_edns_udp_size(reply, 1232);
		ldns_pkt_set_edns_do(reply, ldns_pkt_edns_do(query));
	}
	return reply;
}

static size_t udp_bytes(const ldns_pkt *query)
{
	const size_t bytes = ldns_pkt_edns(query) ? ldns_pkt_edns_udp_size(query) : 0;

	return bytes > UDP_BYTES_MIN ? bytes : UDP_BYTES_MIN;
}

/* Send it; where it is longer than the client takes, that there is more (TC). */
static enum dns64_action reply_send(ldns_pkt *reply, const ldns_pkt *query, struct dns64_out *out)
{
	bool sent = write_message(reply, out);

	if (sent && out->length > udp_bytes(query)) {
		ldns_pkt *truncated = reply_begin(query, LDNS_RCODE_NOERROR);
		ldns_pkt_set_tc(truncated, true);
		sent = write_message(truncated, out);
		ldns_pkt_free(truncated);
	}
	ldns_pkt_free(reply);
	return sent ? DNS64_TO_CLIENT : DNS64_PASS;
}

static void push_address(ldns_pkt *reply, const ldns_rdf *owner, uint32_t ttl,
	const struct prefix *prefix, const uint8_t *v4_bytes)
{
	union addr v4 = {0};
	ldns_rr *rr = ldns_rr_new();

	memcpy(v4.bytes, v4_bytes, 4);
	const union addr v6 = embed_address(prefix, &v4);
	ldns_rr_set_owner(rr, ldns_rdf_clone(owner));
	ldns_rr_set_type(rr, LDNS_RR_TYPE_AAAA);
	ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(rr, ttl);
	ldns_rr_push_rdf(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_AAAA, 16, v6.bytes));
	ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, rr);
}

/* ---- a question ---- */

/* RFC 7050: how a client finds the prefix out; nobody else needs to be asked. */
static bool asks_for_prefix(const ldns_pkt *query)
{
	ldns_rdf *name = ldns_dname_new_frm_str("ipv4only.arpa.");
	const bool yes = ldns_dname_compare(ldns_rr_owner(asked(query)), name) == 0;

	ldns_rdf_deep_free(name);
	return yes;
}

static enum dns64_action tell_prefix(
	const struct dns64 *dns64, const ldns_pkt *query, struct dns64_out *out)
{
	static const uint8_t known[][4] = {{192, 0, 0, 170}, {192, 0, 0, 171}};
	ldns_pkt *reply = reply_begin(query, LDNS_RCODE_NOERROR);

	if (reply == NULL)
		return DNS64_PASS;
	for (unsigned i = 0; i < 2; i++)
		push_address(reply, ldns_rr_owner(asked(query)), TTL_WITHOUT_SOA, &dns64->prefix,
			known[i]);
	return reply_send(reply, query, out);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The IPv4 address's name, where an ip6.arpa name is of an address in the prefix; else NULL. */
static ldns_rdf *reverse_name(const struct prefix *prefix, const ldns_rdf *name)
{
	char *text = ldns_rdf2str(name);
	union addr v6 = {0}, v4;
	char v4_name[64];
	bool good =
		text != NULL && strlen(text) == 64 + 9 && strcasecmp(text + 64, "ip6.arpa.") == 0;

	for (unsigned i = 0; good && i < 32; i++) {
		const int digit = hex_digit(text[2 * i]);
		good = digit >= 0 && text[2 * i + 1] == '.';
		v6.bytes[15 - i / 2] |= (uint8_t)((digit & 15) << (i % 2 ? 4 : 0));
	}
	LDNS_FREE(text);
	if (!good || !prefix_contains(prefix, AF_INET6, &v6) || !embed_extract(prefix, &v6, &v4))
		return NULL;
	snprintf(v4_name, sizeof(v4_name), "%u.%u.%u.%u.in-addr.arpa.", v4.bytes[3], v4.bytes[2],
		v4.bytes[1], v4.bytes[0]);
	return ldns_dname_new_frm_str(v4_name);
}

/* The query with another question, under our own identifier. */
static bool ask(const ldns_pkt *query, ldns_rr_type type, const ldns_rdf *name, uint16_t id,
	struct dns64_out *out)
{
	ldns_pkt *other = ldns_pkt_clone(query);
	bool asked_it = other != NULL && asked(other) != NULL;

	if (asked_it) {
		ldns_rr *question = asked(other);
		ldns_rdf_deep_free(ldns_rr_owner(question));
		ldns_rr_set_owner(question, ldns_rdf_clone(name));
		ldns_rr_set_type(question, type);
		ldns_pkt_set_id(other, id);
		asked_it = write_message(other, out);
	}
	ldns_pkt_free(other);
	return asked_it;
}

enum dns64_action dns64_question(struct dns64 *dns64, const uint8_t *bytes, size_t length,
	uint16_t id, struct dns64_out *out)
{
	enum dns64_action action = DNS64_PASS;
	ldns_pkt *query = NULL;

	if (ldns_wire2pkt(&query, bytes, length) != LDNS_STATUS_OK)
		return DNS64_PASS;
	/* Who checks signatures himself must not be lied to (section 5.5). */
	const bool validates = ldns_pkt_cd(query) && ldns_pkt_edns_do(query);
	if (ldns_pkt_qr(query) || validates) {
		ldns_pkt_free(query);
		return DNS64_PASS;
	}
	if (asks_for(query, LDNS_RR_TYPE_AAAA)) {
		if (asks_for_prefix(query)) {
			action = tell_prefix(dns64, query, out);
		} else {
			question_add(dns64, ASKED, ldns_pkt_id(query), query);
			return DNS64_PASS;
		}
	} else if (asks_for(query, LDNS_RR_TYPE_PTR)) {
		ldns_rdf *name = reverse_name(&dns64->prefix, ldns_rr_owner(asked(query)));
		const bool asks = name != NULL && ask(query, LDNS_RR_TYPE_PTR, name, id, out);
		ldns_rdf_deep_free(name);
		if (asks) {
			question_add(dns64, ASKED_PTR, id, query);
			return DNS64_TO_TARGET;
		}
	}
	ldns_pkt_free(query);
	return action;
}

/* ---- an answer ---- */

/* Does the answer belong to this question? */
static bool answers(const struct question *question, const ldns_pkt *answer)
{
	ldns_rr_type type = LDNS_RR_TYPE_AAAA;

	if (question->stage == UNUSED || question->id != ldns_pkt_id(answer) ||
		!ldns_pkt_qr(answer))
		return false;
	if (question->stage == ASKED_PTR)
		return asks_for(answer, LDNS_RR_TYPE_PTR);
	if (question->stage == ASKED_A)
		type = LDNS_RR_TYPE_A;
	return asks_for(answer, type) && ldns_dname_compare(ldns_rr_owner(asked(answer)),
						 ldns_rr_owner(asked(question->query))) == 0;
}

static struct question *question_of(struct dns64 *dns64, const ldns_pkt *answer)
{
	for (unsigned i = 0; i < DNS64_PENDING_MAX; i++)
		if (answers(&dns64->question[i], answer))
			return &dns64->question[i];
	return NULL;
}

/* The answer without the addresses that are of no use, beside others that are. */
static enum dns64_action strip_unusable(
	const ldns_pkt *query, const ldns_pkt *answer, struct dns64_out *out)
{
	const ldns_rr_list *list = ldns_pkt_answer(answer);
	ldns_pkt *reply = reply_begin(query, LDNS_RCODE_NOERROR);

	if (reply == NULL)
		return DNS64_PASS;
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_AAAA || aaaa_is_usable(rr))
			ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, ldns_rr_clone(rr));
	}
	return reply_send(reply, query, out);
}

/* The answer about AAAA; takes it over where the question goes on. */
static enum dns64_action first_answer(
	struct question *question, ldns_pkt **answer, uint16_t id, struct dns64_out *out)
{
	const ldns_pkt_rcode rcode = ldns_pkt_get_rcode(*answer);
	enum dns64_action action = DNS64_PASS;
	unsigned unusable;

	const unsigned usable = count_usable(*answer, &unusable);
	if (usable > 0 && unusable > 0)
		action = strip_unusable(question->query, *answer, out);
	if (usable == 0 && rcode != LDNS_RCODE_NXDOMAIN && !ldns_pkt_tc(*answer) &&
		ask(question->query, LDNS_RR_TYPE_A, ldns_rr_owner(asked(question->query)), id,
			out)) {
		question->stage = ASKED_A;
		question->id = id;
		question->first = *answer;
		*answer = NULL;
		return DNS64_TO_TARGET;
	}
	question_forget(question);
	return action;
}

static bool is_alias(const ldns_rr *rr)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME ||
	       ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNAME;
}

/* The aliases on the way, and an address for each that IPv4 has; returns how many. */
static unsigned push_addresses(const struct dns64 *dns64, const struct question *question,
	const ldns_pkt *answer, ldns_pkt *reply)
{
	const uint32_t ttl_max = negative_ttl(question->first);
	const ldns_rr_list *list = ldns_pkt_answer(answer);
	unsigned count = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
		const uint32_t ttl = ldns_rr_ttl(rr) < ttl_max ? ldns_rr_ttl(rr) : ttl_max;
		if (is_alias(rr))
			ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, ldns_rr_clone(rr));
		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_A || rdf == NULL ||
			ldns_rdf_size(rdf) != 4)
			continue;
		push_address(reply, ldns_rr_owner(rr), ttl, &dns64->prefix, ldns_rdf_data(rdf));
		count++;
	}
	return count;
}

/* The answer about A: make one about AAAA of it, or fall back on the first. */
static enum dns64_action second_answer(const struct dns64 *dns64, const struct question *question,
	const ldns_pkt *answer, struct dns64_out *out)
{
	ldns_pkt *reply = reply_begin(question->query, LDNS_RCODE_NOERROR);

	if (reply == NULL)
		return DNS64_PASS;
	if (ldns_pkt_tc(answer)) {
		ldns_pkt_set_tc(reply, true);
		return reply_send(reply, question->query, out);
	}
	if (push_addresses(dns64, question, answer, reply) > 0)
		return reply_send(reply, question->query, out);
	ldns_pkt_free(reply);
	return write_message(question->first, out) ? DNS64_TO_CLIENT : DNS64_PASS;
}

/* The answer about an IPv4 address's name, behind an alias that leads there. */
static enum dns64_action reverse_answer(
	const struct question *question, const ldns_pkt *answer, struct dns64_out *out)
{
	const ldns_rr_list *list = ldns_pkt_answer(answer);
	ldns_pkt *reply = reply_begin(question->query, ldns_pkt_get_rcode(answer));
	ldns_rr *alias = ldns_rr_new();

	if (reply == NULL || alias == NULL) {
		ldns_pkt_free(reply);
		ldns_rr_free(alias);
		return DNS64_PASS;
	}
	ldns_rr_set_owner(alias, ldns_rdf_clone(ldns_rr_owner(asked(question->query))));
	ldns_rr_set_type(alias, LDNS_RR_TYPE_CNAME);
	ldns_rr_set_class(alias, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(alias, TTL_WITHOUT_SOA);
	ldns_rr_push_rdf(alias, ldns_rdf_clone(ldns_rr_owner(asked(answer))));
	ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, alias);
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		ldns_pkt_push_rr(
			reply, LDNS_SECTION_ANSWER, ldns_rr_clone(ldns_rr_list_rr(list, i)));
	return reply_send(reply, question->query, out);
}

enum dns64_action dns64_answer(struct dns64 *dns64, const uint8_t *bytes, size_t length,
	uint16_t id, struct dns64_out *out)
{
	enum dns64_action action = DNS64_PASS;
	ldns_pkt *answer = NULL;

	if (ldns_wire2pkt(&answer, bytes, length) != LDNS_STATUS_OK)
		return DNS64_PASS;
	struct question *question = question_of(dns64, answer);
	if (question != NULL && question->stage == ASKED) {
		action = first_answer(question, &answer, id, out);
	} else if (question != NULL) {
		action = question->stage == ASKED_A ? second_answer(dns64, question, answer, out)
						    : reverse_answer(question, answer, out);
		question_forget(question);
	}
	ldns_pkt_free(answer);
	return action;
}
