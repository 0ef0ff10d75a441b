/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns64: IPv6 addresses for names that have IPv4 ones only (RFC 6147).
 *
 * A client's question for AAAA is asked as it came.  If what comes back has no usable address, the
 * same name is asked for A, and the answer to the client is made of both: the IPv4 addresses in the
 * prefix of the client's network.
 *
 * Nothing here sends, waits or remembers: whoever asks shows each message, and is told what is to
 * be done next.
 */
#ifndef TUNGATE_DNS_DNS64_H
#define TUNGATE_DNS_DNS64_H

#include "dns/message.h"

enum dns64_action {
	DNS64_PASS,   /* as it is */
	DNS64_ANSWER, /* `out` is the answer to the client */
	DNS64_ASK,    /* ask something else first */
};

/* A message, in memory of DNS_MESSAGE_MAX bytes of the caller's. */
struct dns64_out {
	uint8_t *bytes;
	size_t length;
};

/* A client's question.  DNS64_PASS: ask it; where `*synthesize`, show the answer to dns64_first().
 * DNS64_ASK: ask for PTR of `other`, and show the answer to dns64_reverse(). */
enum dns64_action dns64_question(const struct prefix *prefix, const struct dns_message *query,
	bool *synthesize, struct dns_name *other, struct dns64_out *out);
/* The answer about AAAA.  DNS64_ASK: ask for A of the same name, and show both to
 * dns64_second(). */
enum dns64_action dns64_first(const struct dns_message *answer, struct dns64_out *out);
/* The answer about A beside the first; DNS64_PASS: the first stands. */
enum dns64_action dns64_second(const struct prefix *prefix, const struct dns_message *first,
	const struct dns_message *second, struct dns64_out *out);
/* The answer about an IPv4 address's name, behind an alias that leads there. */
enum dns64_action dns64_reverse(
	const struct dns_message *query, const struct dns_message *answer, struct dns64_out *out);

#endif
