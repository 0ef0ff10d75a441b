/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns64: the messages that are made of two (RFC 6147; sections below are its own).
 *
 * A question about an address of the prefix itself is asked with the IPv4 address's name in its
 * place, and answered with an alias that leads there (section 5.3.1).
 */
#include "dns/dns64.h"

#include <ldns/ldns.h>
#include "base/embed.h"

#define TTL_WITHOUT_SOA 600 /* section 5.1.7 */

/* ---- reading ---- */

static ldns_pkt *packet_of(const struct dns_message *message)
{
	ldns_pkt *packet = NULL;

	return ldns_wire2pkt(&packet, message->bytes, message->length) == LDNS_STATUS_OK &&
			       ldns_rr_list_rr_count(ldns_pkt_question(packet)) == 1
		       ? packet
		       : (ldns_pkt_free(packet), NULL);
}

static const ldns_rr *asked(const ldns_pkt *packet)
{
	return ldns_rr_list_rr(ldns_pkt_question(packet), 0);
}

/* ::ffff:0:0/96 is no address to reach anybody at (section 5.1.4). */
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

static ldns_pkt *reply_begin(const ldns_rr *question, ldns_pkt_rcode rcode)
{
	ldns_pkt *reply = ldns_pkt_new();

	if (reply == NULL)
		return NULL;
	ldns_pkt_set_qr(reply, true);
	ldns_pkt_set_rcode(reply, (uint8_t)rcode);
	ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION, ldns_rr_clone(question));
	return reply;
}

/* Takes the reply over. */
static enum dns64_action reply_end(ldns_pkt *reply, struct dns64_out *out)
{
	uint8_t *wire = NULL;
	size_t length = 0;
	const bool made =
		ldns_pkt2wire(&wire, reply, &length) == LDNS_STATUS_OK && length <= DNS_MESSAGE_MAX;

	if (made) {
		memcpy(out->bytes, wire, length);
		out->length = length;
	}
	LDNS_FREE(wire);
	ldns_pkt_free(reply);
	return made ? DNS64_ANSWER : DNS64_PASS;
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
static enum dns64_action tell_prefix(
	const struct prefix *prefix, const struct dns_message *query, struct dns64_out *out)
{
	static const uint8_t known[][4] = {{192, 0, 0, 170}, {192, 0, 0, 171}};
	struct dns_writer writer = {.bytes = out->bytes, .size = DNS_MESSAGE_MAX};

	dns_write_question(&writer, query->id, DNS_QR, query->bytes + DNS_HEADER_BYTES,
		query->name.length, query->type, query->class);
	for (unsigned i = 0; i < 2; i++) {
		union addr v4 = {0};

		memcpy(v4.bytes, known[i], sizeof(known[i]));
		const union addr v6 = embed_address(prefix, &v4);
		dns_write_address(&writer, NULL, AF_INET6, &v6, TTL_WITHOUT_SOA);
	}
	out->length = writer.length;
	return DNS64_ANSWER;
}

/* The IPv4 address's name, where the name is of an address in the prefix. */
static bool reverse_name(
	const struct prefix *prefix, const struct dns_name *name, struct dns_name *other)
{
	struct prefix v4 = {.family = AF_INET, .length = 32}, v6;

	if (!dns_name_prefix(name, &v6) || v6.family != AF_INET6 || v6.length != 128 ||
		!prefix_contains(prefix, AF_INET6, &v6.base) ||
		!embed_extract(prefix, &v6.base, &v4.base))
		return false;
	dns_name_of_prefix(&v4, other);
	return true;
}

enum dns64_action dns64_question(const struct prefix *prefix, const struct dns_message *query,
	bool *synthesize, struct dns_name *other, struct dns64_out *out)
{
	static const struct dns_name known = {15, "\010ipv4only\004arpa"};

	*synthesize = false;
	/* Who checks signatures himself must not be lied to (section 5.5). */
	if (query->class != DNS_IN || ((query->flags & DNS_CD) && query->dnssec_ok))
		return DNS64_PASS;
	if (query->type == DNS_AAAA && dns_name_equal(&query->name, &known))
		return tell_prefix(prefix, query, out);
	*synthesize = query->type == DNS_AAAA;
	return query->type == DNS_PTR && reverse_name(prefix, &query->name, other) ? DNS64_ASK
										   : DNS64_PASS;
}

/* ---- answers ---- */

/* The answer without the addresses that are of no use, beside others that are. */
static enum dns64_action strip_unusable(const ldns_pkt *answer, struct dns64_out *out)
{
	const ldns_rr_list *list = ldns_pkt_answer(answer);
	ldns_pkt *reply = reply_begin(asked(answer), LDNS_RCODE_NOERROR);

	if (reply == NULL)
		return DNS64_PASS;
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_AAAA || aaaa_is_usable(rr))
			ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, ldns_rr_clone(rr));
	}
	return reply_end(reply, out);
}

enum dns64_action dns64_first(const struct dns_message *answer, struct dns64_out *out)
{
	ldns_pkt *packet = packet_of(answer);
	enum dns64_action action = DNS64_PASS;
	unsigned unusable;

	if (packet == NULL)
		return DNS64_PASS;
	const unsigned usable = count_usable(packet, &unusable);
	if (usable > 0 && unusable > 0)
		action = strip_unusable(packet, out);
	if (usable == 0 && (answer->flags & DNS_RCODE) != DNS_NXDOMAIN)
		action = DNS64_ASK;
	ldns_pkt_free(packet);
	return action;
}

static bool is_alias(const ldns_rr *rr)
{
	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME ||
	       ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNAME;
}

/* The aliases on the way, and an address for each that IPv4 has; returns how many. */
static unsigned push_addresses(
	const struct prefix *prefix, const ldns_pkt *first, const ldns_pkt *second, ldns_pkt *reply)
{
	const uint32_t ttl_max = negative_ttl(first);
	const ldns_rr_list *list = ldns_pkt_answer(second);
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
		push_address(reply, ldns_rr_owner(rr), ttl, prefix, ldns_rdf_data(rdf));
		count++;
	}
	return count;
}

enum dns64_action dns64_second(const struct prefix *prefix, const struct dns_message *first,
	const struct dns_message *second, struct dns64_out *out)
{
	ldns_pkt *about_aaaa = packet_of(first), *about_a = packet_of(second);
	ldns_pkt *reply = about_aaaa == NULL || about_a == NULL
				  ? NULL
				  : reply_begin(asked(about_aaaa), LDNS_RCODE_NOERROR);
	enum dns64_action action = DNS64_PASS;

	if (reply != NULL && push_addresses(prefix, about_aaaa, about_a, reply) > 0) {
		action = reply_end(reply, out);
		reply = NULL;
	}
	ldns_pkt_free(reply);
	ldns_pkt_free(about_a);
	ldns_pkt_free(about_aaaa);
	return action;
}

static ldns_rr *alias_new(const ldns_rdf *owner, const ldns_rdf *target)
{
	ldns_rr *alias = ldns_rr_new();

	if (alias == NULL)
		return NULL;
	ldns_rr_set_owner(alias, ldns_rdf_clone(owner));
	ldns_rr_set_type(alias, LDNS_RR_TYPE_CNAME);
	ldns_rr_set_class(alias, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(alias, TTL_WITHOUT_SOA);
	ldns_rr_push_rdf(alias, ldns_rdf_clone(target));
	return alias;
}

enum dns64_action dns64_reverse(
	const struct dns_message *query, const struct dns_message *answer, struct dns64_out *out)
{
	ldns_rdf *owner =
		ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, query->name.length, query->name.bytes);
	ldns_rr *question = ldns_rr_new();
	ldns_pkt *packet = packet_of(answer);
	enum dns64_action action = DNS64_PASS;

	if (question == NULL || owner == NULL || packet == NULL)
		goto free_all;
	ldns_rr_set_question(question, true);
	ldns_rr_set_owner(question, ldns_rdf_clone(owner));
	ldns_rr_set_type(question, LDNS_RR_TYPE_PTR);
	ldns_rr_set_class(question, LDNS_RR_CLASS_IN);
	ldns_pkt *reply = reply_begin(question, ldns_pkt_get_rcode(packet));
	ldns_rr *alias = alias_new(owner, ldns_rr_owner(asked(packet)));
	if (reply == NULL || alias == NULL) {
		ldns_pkt_free(reply);
		ldns_rr_free(alias);
		goto free_all;
	}
	ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, alias);
	const ldns_rr_list *list = ldns_pkt_answer(packet);
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		ldns_pkt_push_rr(
			reply, LDNS_SECTION_ANSWER, ldns_rr_clone(ldns_rr_list_rr(list, i)));
	action = reply_end(reply, out);

free_all:
	ldns_pkt_free(packet);
	ldns_rr_free(question);
	ldns_rdf_deep_free(owner);
	return action;
}
