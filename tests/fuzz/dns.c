/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns: whatever guests ask and servers answer, messages are read within their bounds, and what is
 * made of them are messages again.
 *
 * The first byte chooses: a question, for names of ours and for what the client is told; or an
 * answer, for all that looks into one on its way through the cache to the client.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/embed.h"
#include "dns/dns64.h"
#include "dns/parts.h"
#include "dns/rebind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
	"[network lab]\nsubnet = 10.77.0.0/24, fd77::/64\nnat64 = yes\n"
	"dns-zone = corp.example 10.0.0.53\ndns-name = db.lab 10.77.0.50\n"
	"dns-name = db.lab fd77::50\ndns-rebind-allow = ours.example\n";

static bool guest_address(
	void *context, uint16_t network, const char *name, uint8_t family, union addr *address)
{
	(void)context;
	(void)network;
	*address = addr_v4(10, 77, 0, 2);
	return family == AF_INET && strcmp(name, "web") == 0;
}

static bool guest_name(void *context, uint16_t network, uint8_t family, const union addr *address,
	char name[CONFIG_NAME_SIZE])
{
	(void)context;
	(void)network;
	strcpy(name, "web");
	return family == AF_INET && address->bytes[3] == 2;
}

static bool serves(void *context, uint16_t network)
{
	(void)context;
	return network == 0;
}

/* ---- the client ---- */

static size_t limit; /* bytes that it takes */

static void sent(struct dns_channel *channel, const struct sockaddr_storage *peer,
	const uint8_t *bytes, size_t length)
{
	struct dns_message message;

	(void)channel;
	(void)peer;
	assert(length <= limit);
	assert(dns_message_parse(bytes, length, &message) == 0 && message.length == length);
	assert(message.flags & DNS_QR);
}

static void told(void *context, uint8_t family, const union addr *address, uint32_t ttl_s)
{
	char text[ADDR_TEXT_SIZE];

	(void)context;
	(void)ttl_s;
	addr_format(family, address, text);
}

static void tell(struct dns_forwarder *forwarder, const struct dns_message *query,
	const struct dns_message *message, bool tcp, uint16_t udp_size)
{
	struct dns_channel channel = {
		.forwarder = forwarder, .protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP, .send = sent};
	struct dns_request request = {.channel = &channel, .query = *query};

	memcpy(request.question, query->bytes, query->records);
	request.query.bytes = request.question;
	request.query.edns = udp_size > 0;
	request.query.udp_size = udp_size;
	limit = udp_size < DNS_UDP_MIN   ? DNS_UDP_MIN
		: udp_size > DNS_UDP_MAX ? DNS_UDP_MAX
					 : udp_size;
	if (tcp)
		limit = DNS_MESSAGE_MAX;
	dns_respond(forwarder, &request, message, false);
	dns_respond_error(forwarder, &request, DNS_NXDOMAIN, EDE_FILTERED, "not allowed");
}

/* ---- both ways ---- */

static void question(struct dns_forwarder *forwarder, const struct dns_message *query)
{
	struct dns_writer writer = {.bytes = forwarder->made, .size = DNS_MESSAGE_MAX};
	struct dns64_out out = {.bytes = forwarder->remembered};
	struct dns_message message;
	struct dns_name other;
	unsigned rcode = 0, zone = 0;
	bool synthesize;

	if (dns_names_find(forwarder->networks[0].names, query, &writer, &rcode, &zone) ==
		NAMES_ANSWERED) {
		assert(rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN);
		assert(!writer.full);
		assert(dns_message_parse(writer.bytes, writer.length, &message) == 0);
		tell(forwarder, query, &message, false, 0);
	} else {
		assert(zone == 0);
	}
	if (dns64_question(&embed_well_known, query, &synthesize, &other, &out) == DNS64_ANSWER)
		assert(dns_message_parse(out.bytes, out.length, &message) == 0);
}

static void answer(struct dns_forwarder *forwarder, struct dns_message *message, uint8_t *bytes,
	uint8_t choice)
{
	struct dns_key key = {
		.view = 1, .type = message->type, .class = message->class, .name = message->name};
	struct dns64_out out = {.bytes = forwarder->made};
	struct dns_message again;
	bool private = false;

	dns_message_drop_opt(message, bytes);
	assert(dns_message_parse(bytes, message->length, &again) == 0 && !again.edns);
	assert(again.length == message->length);
	const bool was_private = dns_message_is_private(forwarder->config, message);
	dns_message_addresses(message, told, NULL);
	dns_cache_add(forwarder->cache, &key, message, was_private, 1000);
	const size_t length = dns_cache_find(
		forwarder->cache, &key, 1000 + 250u * choice, forwarder->remembered, &private);
	if (length > 0) {
		assert(length == message->length && private == was_private);
		assert(dns_message_parse(forwarder->remembered, length, &again) == 0);
	}
	tell(forwarder, message, message, choice & 1, (uint16_t)(choice << 4));
	(void)dns64_first(message, &out);
	(void)dns64_second(&embed_well_known, message, message, &out);
	(void)dns64_reverse(message, message, &out);
}

static struct dns_forwarder *forwarder_new(void)
{
	static const struct dns_directory directory = {NULL, guest_address, guest_name, serves};
	struct dns_forwarder *forwarder = calloc(1, sizeof(*forwarder));
	struct config_errors errors;

	assert(forwarder != NULL);
	struct config *config = config_parse("fuzz", config_text, &errors);
	assert(config != NULL);
	forwarder->config = config;
	forwarder->counters = calloc(1, sizeof(*forwarder->counters));
	forwarder->networks = calloc(1, sizeof(*forwarder->networks));
	forwarder->cache = dns_cache_create(16);
	assert(forwarder->networks != NULL && forwarder->counters != NULL);
	forwarder->networks[0].names = dns_names_create(config, 0, &directory);
	assert(forwarder->networks[0].names != NULL && forwarder->cache != NULL);
	return forwarder;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_forwarder *forwarder; /* the same for all inputs */
	struct dns_message message;

	if (forwarder == NULL)
		forwarder = forwarder_new();
	if (size < 2 || size > DNS_MESSAGE_MAX)
		return 0;
	/* Memory of exactly this size, so that reading on is noticed. */
	uint8_t *bytes = malloc(size - 2);
	assert(bytes != NULL || size == 2);
	if (size > 2)
		memcpy(bytes, data + 2, size - 2);
	if (size > 2 && dns_message_parse(bytes, size - 2, &message) == 0) {
		char text[DNS_TEXT_SIZE];
		dns_name_format(&message.name, text);
		if (data[0] & 1)
			question(forwarder, &message);
		else
			answer(forwarder, &message, bytes, data[1]);
	}
	free(bytes);
	return 0;
}
