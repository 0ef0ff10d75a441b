/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns64: IPv6 addresses for names that have IPv4 ones only (RFC 6147), as they pass the DNS relay.
 *
 * A client's question for AAAA goes to the resolver as it came.  If what comes back has no usable
 * address, the same question is asked for A, and the answer to the client is made of both: the
 * IPv4 addresses in the prefix of the client's network.  All other messages pass unchanged.
 *
 * Nothing here sends or waits: each message that comes is answered with what is to be done, and
 * one struct dns64 holds, for one client, a few questions that are not answered yet.  An older one
 * gives way to a newer.
 */
#ifndef TUNGATE_DAEMON_DNS64_H
#define TUNGATE_DAEMON_DNS64_H

#include <stddef.h>
#include "base/addr.h"

#define DNS64_MESSAGE_MAX 65535
#define DNS64_PENDING_MAX 8

enum dns64_action {
	DNS64_PASS,      /* the message goes on as it is */
	DNS64_TO_CLIENT, /* `out` goes to the client instead */
	DNS64_TO_TARGET, /* `out` goes to the resolver instead */
};

/* A message, in memory of DNS64_MESSAGE_MAX bytes of the caller's. */
struct dns64_out {
	uint8_t *bytes;
	size_t length;
};

struct dns64;

/* For one client of a network with this prefix; NULL: out of memory. */
struct dns64 *dns64_create(const struct prefix *prefix);
void dns64_free(struct dns64 *dns64);

/* A message from the client; `id` is random, for the case that a question of our own is asked. */
enum dns64_action dns64_question(struct dns64 *dns64, const uint8_t *bytes, size_t length,
	uint16_t id, struct dns64_out *out);
/* A message from the resolver. */
enum dns64_action dns64_answer(struct dns64 *dns64, const uint8_t *bytes, size_t length,
	uint16_t id, struct dns64_out *out);

#endif
