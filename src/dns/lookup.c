/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup: one question upstream, until a server has an answer or all have been asked twice.
 *
 * The servers are asked in order.  One that does not answer in time, or cannot be reached, is asked
 * last for a while; one that answers that it cannot tell is left for the next, and its answer
 * stands where that was the last one.  What was truncated is asked for again over TCP, what a
 * server without EDNS refuses again without.
 */
#include <errno.h>
#include <stdlib.h>
#include "dns/parts.h"
#include "dns/rebind.h"
#include "host/sockets.h"

#define ROUNDS      2
#define LOOKUP_MS   8000 /* for all attempts; stub resolvers wait for five seconds, or ten */
#define QUERY_BYTES 512
#define TCP_FACTOR  2 /* a handshake goes before */

/* ---- end ---- */

static void lookup_free(struct dns_lookup *lookup)
{
	LIST_REMOVE(lookup, bucket);
	if (lookup->is_fresh)
		TAILQ_REMOVE(&lookup->forwarder->fresh, lookup, fresh);
	if (lookup->ask != NULL)
		dns_ask_cancel(lookup->ask);
	dns_list_unref(lookup->list);
	free(lookup);
}

void dns_lookup_leave(struct dns_request *request)
{
	struct dns_lookup *lookup = request->lookup;

	TAILQ_REMOVE(&lookup->waiting, request, of_lookup);
	request->lookup = NULL;
	if (TAILQ_EMPTY(&lookup->waiting))
		lookup_free(lookup);
}

/* Tell all who wait; a request that goes on waits for another key, hence in another lookup.  What
 * is remembered is so before the first hears of it. */
static void lookup_finish(
	struct dns_lookup *lookup, const struct dns_message *message, unsigned rcode, bool private)
{
	struct dns_forwarder *forwarder = lookup->forwarder;
	struct dns_requests waiting = TAILQ_HEAD_INITIALIZER(waiting);
	struct dns_request *request;

	TAILQ_CONCAT(&waiting, &lookup->waiting, of_lookup);
	lookup_free(lookup);
	while ((request = TAILQ_FIRST(&waiting)) != NULL) {
		TAILQ_REMOVE(&waiting, request, of_lookup);
		request->lookup = NULL;
		if (dns_request_answered(forwarder, request, message, rcode, private) ||
			dns_request_pursue(forwarder, request))
			dns_request_free(forwarder, request);
		else
			dns_lookup_join(forwarder, request);
	}
}

static void lookup_failed(struct dns_lookup *lookup)
{
	dns_count(lookup->forwarder, lookup->network)->failures++;
	lookup_finish(lookup, NULL, lookup->answered != 0 ? lookup->rcode : DNS_SERVFAIL, false);
}

/* ---- asking ---- */

static void on_answer(void *context, int error, struct dns_message *message, uint8_t *bytes);

static struct dns_server *current(const struct dns_lookup *lookup)
{
	return lookup->order[lookup->tried % lookup->count];
}

/* Our own message: what the client's has besides the question is between it and us.  AD asks to be
 * told whether the answer was validated (RFC 6840, section 5.7). */
static size_t query_write(const struct dns_lookup *lookup, uint8_t bytes[QUERY_BYTES])
{
	const struct dns_key *key = &lookup->key;
	struct dns_writer writer = {.bytes = bytes, .size = QUERY_BYTES};
	const uint16_t flags =
		DNS_RD | DNS_AD | (key->checking_disabled ? (uint16_t)DNS_CD : (uint16_t)0);

	dns_write_question(
		&writer, 0, flags, lookup->question, key->name.length, key->type, key->class);
	if (!lookup->plain && !current(lookup)->plain)
		dns_write_opt(&writer, DNS_UDP_SIZE, 0, key->dnssec_ok, EDE_NONE, NULL);
	return writer.length;
}

static int ask_current(struct dns_lookup *lookup)
{
	struct dns_forwarder *forwarder = lookup->forwarder;
	uint8_t query[QUERY_BYTES];
	const struct dns_ask_settings settings = {
		.loop = forwarder->settings.loop,
		.server = &current(lookup)->address,
		.tcp = lookup->tcp,
		.timeout_ms = lookup->list->timeout_ms * (lookup->tcp ? TCP_FACTOR : 1),
		.query = query,
		.query_length = query_write(lookup, query),
		.scratch = forwarder->upstream,
		.done = on_answer,
		.context = lookup,
	};

	current(lookup)->asked++;
	return dns_ask_start(&settings, &lookup->ask);
}

/* Ask the next server that has not answered yet, if there is one, and time. */
static void lookup_go_on(struct dns_lookup *lookup)
{
	const uint64_t now_ms = uv_now(lookup->forwarder->settings.loop);

	for (; lookup->tried < ROUNDS * lookup->count && now_ms < lookup->deadline_ms;
		lookup->tried++, lookup->tcp = lookup->plain = false) {
		if (lookup->answered >> lookup->tried % lookup->count & 1)
			continue;
		const int error = ask_current(lookup);
		if (error == 0)
			return;
		if (error == -EMFILE || error == -ENFILE || error == -ENOMEM)
			break; /* nothing that the server could help */
		dns_server_failed(current(lookup), now_ms);
	}
	lookup_failed(lookup);
}

/* ---- answers ---- */

/* May another server know better? */
static bool is_useless(const struct dns_message *message)
{
	const unsigned rcode = message->flags & DNS_RCODE;

	return message->extended_rcode != 0 || rcode == DNS_SERVFAIL || rcode == DNS_REFUSED ||
	       rcode == DNS_NOTIMP || rcode == DNS_FORMERR;
}

static bool others_are_left(const struct dns_lookup *lookup)
{
	return (lookup->answered | 1u << lookup->tried % lookup->count) !=
	       (1u << lookup->count) - 1;
}

static void lookup_next(struct dns_lookup *lookup)
{
	lookup->tried++;
	lookup->tcp = lookup->plain = false;
	lookup_go_on(lookup);
}

static void lookup_accept(struct dns_lookup *lookup, struct dns_message *message, uint8_t *bytes)
{
	struct dns_forwarder *forwarder = lookup->forwarder;

	dns_message_drop_opt(message, bytes);
	dns_put16(bytes, 0);
	const bool private = dns_message_is_private(forwarder->config, message);
	dns_cache_add(
		forwarder->cache, &lookup->key, message, private, uv_now(forwarder->settings.loop));
	lookup_finish(lookup, message, message->flags & DNS_RCODE, private);
}

static void lookup_answered(struct dns_lookup *lookup, struct dns_message *message, uint8_t *bytes)
{
	struct dns_server *server = current(lookup);

	dns_server_answered(server);
	const unsigned rcode = message->flags & DNS_RCODE;
	if ((rcode == DNS_FORMERR || rcode == DNS_NOTIMP) && !message->edns && !lookup->plain &&
		!server->plain) {
		lookup->plain = true;
		lookup_go_on(lookup);
	} else if ((message->flags & DNS_TC) && !lookup->tcp) {
		lookup->tcp = true;
		lookup_go_on(lookup);
	} else if (is_useless(message) && others_are_left(lookup)) {
		lookup->answered |= 1u << lookup->tried % lookup->count;
		lookup->rcode = rcode;
		lookup_next(lookup);
	} else if (rcode == DNS_FORMERR && message->length == DNS_HEADER_BYTES) {
		lookup->answered |= 1u << lookup->tried % lookup->count;
		lookup->rcode = DNS_SERVFAIL;
		lookup_failed(lookup);
	} else {
		server->plain |= lookup->plain && !is_useless(message);
		lookup_accept(lookup, message, bytes);
	}
}

static void on_answer(void *context, int error, struct dns_message *message, uint8_t *bytes)
{
	struct dns_lookup *lookup = context;
	struct dns_forwarder *forwarder = lookup->forwarder;

	lookup->ask = NULL;
	if (error != 0) {
		dns_server_failed(current(lookup), uv_now(forwarder->settings.loop));
		lookup_next(lookup);
	} else {
		lookup_answered(lookup, message, bytes);
	}
	dns_lookups_start(forwarder);
}

/* ---- begin ---- */

static unsigned bucket_of(const struct dns_forwarder *forwarder, const struct dns_key *key)
{
	return (unsigned)(dns_key_hash(forwarder->cache, key) >> 32) % DNS_LOOKUP_BUCKETS;
}

static struct dns_lookup *lookup_find(
	const struct dns_forwarder *forwarder, const struct dns_key *key)
{
	struct dns_lookup *lookup;

	LIST_FOREACH(lookup, &forwarder->lookups[bucket_of(forwarder, key)], bucket)
	{
		if (dns_key_equal(&lookup->key, key))
			return lookup;
	}
	return NULL;
}

/* The name in the client's own letters, where it is the client's name that is asked. */
static void question_take(struct dns_lookup *lookup, const struct dns_request *request)
{
	const uint8_t *name = dns_name_equal(&request->key.name, &request->query.name)
				      ? request->question + DNS_HEADER_BYTES
				      : request->key.name.bytes;

	memcpy(lookup->question, name, request->key.name.length);
}

/* A host that asks the gateway for guests' names may have it in its resolv.conf; to ask ourselves
 * would be to wait for ourselves. */
static bool is_ourselves(const struct dns_forwarder *forwarder, const struct dns_server *server)
{
	const uint8_t family = (uint8_t)server->address.ss_family;
	union addr address;
	uint16_t port;

	socket_address_read(&server->address, &address, &port);
	for (unsigned i = 0; i < forwarder->network_count; i++) {
		const struct network_config *network = &forwarder->config->networks[i];
		if (addr_equal(
			    &address, family == AF_INET ? &network->gateway4 : &network->gateway6))
			return true;
	}
	return false;
}

static void servers_choose(struct dns_lookup *lookup, uint64_t now_ms)
{
	struct dns_server *order[DNS_SERVERS_MAX];
	const unsigned count = dns_list_order(lookup->list, now_ms, order);

	for (unsigned i = 0; i < count; i++)
		if (!is_ourselves(lookup->forwarder, order[i]))
			lookup->order[lookup->count++] = order[i];
}

static struct dns_lookup *lookup_new(
	struct dns_forwarder *forwarder, const struct dns_request *request)
{
	struct dns_lookup *lookup = calloc(1, sizeof(*lookup));
	const uint64_t now_ms = uv_now(forwarder->settings.loop);

	if (lookup == NULL)
		return NULL;
	lookup->forwarder = forwarder;
	lookup->key = request->key;
	lookup->network = request->network;
	lookup->list = dns_list_ref(request->list);
	servers_choose(lookup, now_ms);
	lookup->deadline_ms = now_ms + LOOKUP_MS;
	TAILQ_INIT(&lookup->waiting);
	question_take(lookup, request);
	LIST_INSERT_HEAD(&forwarder->lookups[bucket_of(forwarder, &lookup->key)], lookup, bucket);
	return lookup;
}

void dns_lookup_join(struct dns_forwarder *forwarder, struct dns_request *request)
{
	struct dns_lookup *lookup = lookup_find(forwarder, &request->key);
	const bool new = lookup == NULL;

	if (new)
		lookup = lookup_new(forwarder, request);
	if (lookup == NULL) {
		dns_respond_error(forwarder, request, DNS_SERVFAIL, EDE_NONE, NULL);
		dns_request_free(forwarder, request);
		return;
	}
	TAILQ_INSERT_TAIL(&lookup->waiting, request, of_lookup);
	request->lookup = lookup;
	if (!new)
		return;
	dns_count(forwarder, request->network)->forwarded++;
	lookup->is_fresh = true;
	TAILQ_INSERT_TAIL(&forwarder->fresh, lookup, fresh);
}

void dns_lookups_start(struct dns_forwarder *forwarder)
{
	struct dns_lookup *lookup;

	while ((lookup = TAILQ_FIRST(&forwarder->fresh)) != NULL) {
		TAILQ_REMOVE(&forwarder->fresh, lookup, fresh);
		lookup->is_fresh = false;
		lookup_go_on(lookup);
	}
}
