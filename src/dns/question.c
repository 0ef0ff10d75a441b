/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * question: from what a guest asks to what it is answered with, one step after the other.
 */
#include <errno.h>
#include <stdlib.h>
#include "dns/dns64.h"
#include "dns/parts.h"
#include "host/sockets.h"

/* ---- life of a request ---- */

void dns_request_free(struct dns_forwarder *forwarder, struct dns_request *request)
{
	if (request->lookup != NULL)
		dns_lookup_leave(request);
	TAILQ_REMOVE(&request->channel->requests, request, of_channel);
	request->channel->request_count--;
	dns_client_release(forwarder, request);
	dns_list_unref(request->list);
	free(request->first);
	free(request);
}

void dns_channel_forget(struct dns_channel *channel)
{
	struct dns_request *request;

	while ((request = TAILQ_FIRST(&channel->requests)) != NULL)
		/* It takes itself out of the list, which the analyzer does not see.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		dns_request_free(channel->forwarder, request);
}

/* Go on waiting, on the heap. */
static void request_wait(struct dns_forwarder *forwarder, const struct dns_request *draft)
{
	struct dns_request *request = malloc(sizeof(*request));

	if (request != NULL)
		*request = *draft;
	if (request == NULL || dns_client_admit(forwarder, request) != 0) {
		dns_respond_error(forwarder, draft, DNS_SERVFAIL, EDE_NONE, NULL);
		free(draft->first);
		free(request);
		return;
	}
	request->query.bytes = request->question;
	dns_list_ref(request->list);
	TAILQ_INSERT_TAIL(&request->channel->requests, request, of_channel);
	request->channel->request_count++;
	dns_lookup_join(forwarder, request);
}

/* ---- answers ---- */

/* What DNS64 makes of two answers, or of an address's name. */
static void respond_made(struct dns_forwarder *forwarder, const struct dns_request *request,
	enum dns64_action action, const struct dns64_out *out, const struct dns_message *otherwise)
{
	struct dns_message made;

	if (action == DNS64_ANSWER && dns_message_parse(out->bytes, out->length, &made) == 0)
		dns_respond(forwarder, request, &made, false);
	else if (otherwise != NULL)
		dns_respond(forwarder, request, otherwise, false);
	else
		dns_respond_error(forwarder, request, DNS_SERVFAIL, EDE_NONE, NULL);
}

/* The answer about AAAA, or none; it is kept where the question goes on. */
static bool first_answered(struct dns_forwarder *forwarder, struct dns_request *request,
	const struct dns_message *message)
{
	struct dns64_out out = {.bytes = forwarder->made};
	const enum dns64_action action = dns64_first(message, &out);

	if (action == DNS64_ASK)
		request->first = malloc(message->length);
	if (action != DNS64_ASK || request->first == NULL) {
		respond_made(forwarder, request, action, &out, message);
		return true;
	}
	memcpy(request->first, message->bytes, message->length);
	request->first_length = message->length;
	request->stage = STAGE_SECOND;
	request->key.type = DNS_A;
	return false;
}

static void second_answered(struct dns_forwarder *forwarder, const struct dns_request *request,
	const struct dns_message *message)
{
	const struct prefix *prefix = &forwarder->config->networks[request->network].nat64;
	struct dns64_out out = {.bytes = forwarder->made};
	enum dns64_action action = DNS64_PASS;
	struct dns_message first;

	if (dns_message_parse(request->first, request->first_length, &first) != 0)
		return;
	if (message != NULL && prefix->family != 0)
		action = dns64_second(prefix, &first, message, &out);
	respond_made(forwarder, request, action, &out, &first);
}

bool dns_request_answered(struct dns_forwarder *forwarder, struct dns_request *request,
	const struct dns_message *message, unsigned rcode, bool private)
{
	struct dns64_out out = {.bytes = forwarder->made};
	char text[DNS_TEXT_SIZE], peer[ADDR_TEXT_SIZE];

	if (message != NULL && private && !request->trusted) {
		dns_count(forwarder, request->network)->blocked++;
		if (forwarder->log_count++ < DNS_LOG_LINES)
			log_info(forwarder->settings.log,
				"network %s: %s asked for %s, whose servers say a private address:"
				" not told (dns-rebind)",
				forwarder->config->networks[request->network].name,
				addr_format(request->family, &request->address, peer),
				dns_name_format(&request->query.name, text));
		dns_respond_error(forwarder, request, DNS_NOERROR, EDE_BLOCKED, "private address");
	} else if (request->stage == STAGE_SECOND) {
		second_answered(forwarder, request, message);
	} else if (message == NULL) {
		dns_respond_error(forwarder, request, rcode,
			rcode == DNS_SERVFAIL ? EDE_NO_REACHABLE_AUTHORITY : EDE_NONE, NULL);
	} else if (request->stage == STAGE_FIRST) {
		return first_answered(forwarder, request, message);
	} else if (request->stage == STAGE_REVERSE) {
		respond_made(forwarder, request, dns64_reverse(&request->query, message, &out),
			&out, NULL);
	} else {
		dns_respond(forwarder, request, message, false);
	}
	return true;
}

bool dns_request_pursue(struct dns_forwarder *forwarder, struct dns_request *request)
{
	const uint64_t now_ms = uv_now(forwarder->settings.loop);
	struct dns_message message;
	bool private = false, done = false;

	while (!done) {
		const size_t length = dns_cache_find(
			forwarder->cache, &request->key, now_ms, forwarder->remembered, &private);
		if (length == 0 || dns_message_parse(forwarder->remembered, length, &message) != 0)
			break;
		dns_count(forwarder, request->network)->hits++;
		done = dns_request_answered(
			forwarder, request, &message, message.flags & DNS_RCODE, private);
	}
	return done;
}

/* ---- questions ---- */

/* Whom to ask, and whether they may answer with private addresses. */
static void request_direct(struct dns_forwarder *forwarder, struct dns_request *request,
	enum dns_names_result result, unsigned zone)
{
	const struct dns_network *network = &forwarder->networks[request->network];

	if (result == NAMES_ZONE)
		request->list = network->zones[zone];
	else
		request->list =
			network->list != NULL ? network->list : resolv_conf_list(forwarder->host);
	request->trusted = result == NAMES_ZONE ||
			   dns_names_may_be_private(network->names, &request->query.name);
	request->key = (struct dns_key){
		.view = request->list->view,
		.type = request->query.type,
		.class = request->query.class,
		.dnssec_ok = request->query.dnssec_ok,
		.checking_disabled = request->query.flags & DNS_CD,
		.name = request->query.name,
	};
}

/* Whether DNS64 has answered already; else what is asked for it. */
static bool request_dns64(struct dns_forwarder *forwarder, struct dns_request *request)
{
	const struct network_config *network = &forwarder->config->networks[request->network];
	struct dns64_out out = {.bytes = forwarder->made};
	bool synthesize;

	if (network->nat64.family == 0 || !network->dns64)
		return false;
	const enum dns64_action action = dns64_question(
		&network->nat64, &request->query, &synthesize, &request->key.name, &out);
	if (action == DNS64_ANSWER)
		respond_made(forwarder, request, action, &out, NULL);
	if (action == DNS64_ASK)
		request->stage = STAGE_REVERSE;
	else if (synthesize)
		request->stage = STAGE_FIRST;
	return action == DNS64_ANSWER;
}

static bool is_allowed(const struct dns_forwarder *forwarder, const struct dns_request *request)
{
	const struct dns_policy *policy = &forwarder->settings.policy;
	const struct dns_asker asker = dns_request_asker(request);
	char text[DNS_TEXT_SIZE];

	return policy->may_resolve == NULL || policy->may_resolve(policy->context, &asker,
						      dns_name_format(&request->query.name, text));
}

/* Whether a name of ours was asked for, which is answered then. */
static bool own_name(struct dns_forwarder *forwarder, const struct dns_request *request,
	enum dns_names_result *result, unsigned *zone)
{
	struct dns_writer writer = {.bytes = forwarder->made, .size = DNS_MESSAGE_MAX};
	struct dns_message message;
	unsigned rcode = DNS_SERVFAIL;

	*result = dns_names_find(forwarder->networks[request->network].names, &request->query,
		&writer, &rcode, zone);
	if (*result != NAMES_ANSWERED)
		return false;
	dns_count(forwarder, request->network)->own++;
	dns_put16(writer.bytes + 2, DNS_QR | DNS_AA | rcode);
	if (writer.full || dns_message_parse(writer.bytes, writer.length, &message) != 0)
		dns_respond_error(forwarder, request, DNS_SERVFAIL, EDE_NONE, NULL);
	else
		dns_respond(forwarder, request, &message, true);
	return true;
}

static void request_begin(struct dns_forwarder *forwarder, struct dns_request *request)
{
	enum dns_names_result result;
	unsigned zone = 0;

	if (own_name(forwarder, request, &result, &zone))
		return;
	if (!is_allowed(forwarder, request)) {
		dns_count(forwarder, request->network)->refused++;
		dns_respond_error(forwarder, request, DNS_NXDOMAIN, EDE_FILTERED, "not allowed");
		return;
	}
	request_direct(forwarder, request, result, zone);
	if (!request_dns64(forwarder, request) && !dns_request_pursue(forwarder, request))
		request_wait(forwarder, request);
	else
		free(request->first);
}

/* What is asked of whole zones or servers is not for us to pass on. */
static unsigned query_fault(const struct dns_message *query)
{
	if ((query->flags & DNS_OPCODE) != 0)
		return DNS_NOTIMP;
	if (query->edns && query->version > 0)
		return DNS_BADVERS;
	if (query->type == DNS_OPT || (query->type >= DNS_TKEY && query->type <= DNS_AXFR))
		return DNS_REFUSED;
	return DNS_NOERROR;
}

static void request_fill(struct dns_request *request, struct dns_channel *channel,
	const struct sockaddr_storage *peer, const struct dns_message *query)
{
	request->channel = channel;
	request->client = NULL;
	request->lookup = NULL;
	request->first = NULL;
	request->list = NULL;
	request->stage = STAGE_PLAIN;
	request->peer = *peer;
	request->family = (uint8_t)peer->ss_family;
	request->network = channel->network;
	socket_address_read(peer, &request->address, &request->port);
	request->query = *query;
	memcpy(request->question, query->bytes, query->records);
	request->query.bytes = request->question;
}

/* How much is logged is not for guests to say. */
static void log_window(struct dns_forwarder *forwarder)
{
	const uint64_t now_ms = uv_now(forwarder->settings.loop);

	if (now_ms - forwarder->log_from_ms < DNS_LOG_MS)
		return;
	forwarder->log_from_ms = now_ms;
	forwarder->log_count = 0;
}

void dns_question(struct dns_channel *channel, const struct sockaddr_storage *peer,
	const uint8_t *bytes, size_t length)
{
	struct dns_forwarder *forwarder = channel->forwarder;
	const struct dns_forwarder_settings *settings = &forwarder->settings;
	struct dns_counters *counters = dns_count(forwarder, channel->network);
	struct dns_request request;
	struct dns_message query;
	const int error = dns_message_parse(bytes, length, &query);

	counters->queries++;
	if (channel->network >= forwarder->network_count || error == -EINVAL ||
		(query.flags & DNS_QR)) {
		counters->malformed++;
		return;
	}
	if (error != 0) {
		counters->malformed++;
		dns_respond_formerr(channel, peer, bytes);
		return;
	}
	request_fill(&request, channel, peer, &query);
	request.zone = settings->client(settings->context, channel->network, channel->protocol,
		request.family, &request.address, request.port);
	const unsigned fault = query_fault(&query);
	log_window(forwarder);
	if (fault != DNS_NOERROR)
		dns_respond_error(forwarder, &request, fault, EDE_NONE, NULL);
	else
		request_begin(forwarder, &request);
	dns_lookups_start(forwarder);
}
