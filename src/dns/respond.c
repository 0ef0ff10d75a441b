/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * respond: what the client is told.
 *
 * The message goes out as it came, under the client's identifier and with the name as the client
 * wrote it (some compare the case), with an OPT record of ours where the client sent one.  What is
 * too long for the client's datagrams loses first what is beside the answer, then all records, and
 * is marked so that the client asks again over TCP.
 */
#include "dns/parts.h"

#define OPT_BYTES 11 /* without options */
#define EDE_BYTES 6  /* before its text */

/* ---- policy ---- */

struct resolved {
	const struct dns_forwarder *forwarder;
	const struct dns_request *request;
	const char *name;
};

static void tell_address(void *context, uint8_t family, const union addr *address, uint32_t ttl_s)
{
	const struct resolved *resolved = context;
	const struct dns_policy *policy = &resolved->forwarder->settings.policy;
	const struct dns_asker asker = dns_request_asker(resolved->request);

	policy->resolved(policy->context, &asker, resolved->name, family, address, ttl_s);
}

static void tell_policy(const struct dns_forwarder *forwarder, const struct dns_request *request,
	const struct dns_message *message)
{
	char text[DNS_TEXT_SIZE];
	struct resolved resolved = {forwarder, request, text};

	if (forwarder->settings.policy.resolved == NULL || message->count[DNS_ANSWER] == 0)
		return;
	dns_name_format(&request->query.name, text);
	dns_message_addresses(message, tell_address, &resolved);
}

/* ---- size ---- */

/* Nobody cuts IPv6 datagrams on their way, so they are as long as any link takes. */
static size_t client_limit(const struct dns_request *request)
{
	const size_t most = request->family == AF_INET6 ? DNS_UDP_SIZE : DNS_UDP_MAX;

	if (request->channel->protocol != IPPROTO_UDP)
		return DNS_MESSAGE_MAX;
	if (!request->query.edns || request->query.udp_size < DNS_UDP_MIN)
		return DNS_UDP_MIN;
	return request->query.udp_size < most ? request->query.udp_size : most;
}

static void cut_additional(struct dns_writer *writer, const struct dns_message *message)
{
	writer->length = message->section[DNS_ADDITIONAL];
	dns_put16(writer->bytes + 6 + 2 * DNS_ADDITIONAL, 0);
}

static void cut_records(struct dns_writer *writer, const struct dns_message *message)
{
	writer->length = message->records;
	memset(writer->bytes + 6, 0, 6);
	dns_put16(writer->bytes + 2, dns_get16(writer->bytes + 2) | DNS_TC);
}

/* ---- sending ---- */

static uint16_t reply_flags(
	const struct dns_request *request, const struct dns_message *message, bool own)
{
	const uint16_t asked = request->query.flags;
	uint16_t flags = DNS_QR | DNS_RA | (asked & (DNS_RD | DNS_CD)) |
			 (message->flags & (DNS_RCODE | DNS_TC));

	/* RFC 6840, section 5.7: who has not asked does not know what to do with it. */
	if ((asked & DNS_AD) || request->query.dnssec_ok)
		flags |= message->flags & DNS_AD;
	return own ? flags | DNS_AA : flags;
}

static void finish(struct dns_forwarder *forwarder, const struct dns_request *request,
	struct dns_writer *writer, uint8_t extended_rcode, int ede, const char *text)
{
	if (request->query.edns)
		dns_write_opt(
			writer, DNS_UDP_SIZE, extended_rcode, request->query.dnssec_ok, ede, text);
	(void)forwarder;
	request->channel->send(request->channel, &request->peer, writer->bytes, writer->length);
}

void dns_respond(struct dns_forwarder *forwarder, const struct dns_request *request,
	const struct dns_message *message, bool own)
{
	struct dns_writer writer = {.bytes = forwarder->reply,
		.size = sizeof(forwarder->reply),
		.length = message->length};
	const size_t opt = request->query.edns ? OPT_BYTES : 0;
	const size_t limit = client_limit(request);

	memcpy(writer.bytes, message->bytes, message->length);
	dns_put16(writer.bytes, request->query.id);
	dns_put16(writer.bytes + 2, reply_flags(request, message, own));
	if (message->name.length == request->query.name.length)
		memcpy(writer.bytes + DNS_HEADER_BYTES, request->question + DNS_HEADER_BYTES,
			message->name.length);
	if (writer.length + opt > limit)
		cut_additional(&writer, message);
	if (writer.length + opt > limit) {
		dns_count(forwarder, request->network)->truncated++;
		cut_records(&writer, message);
	} else {
		tell_policy(forwarder, request, message);
	}
	finish(forwarder, request, &writer, 0, EDE_NONE, NULL);
}

void dns_respond_error(struct dns_forwarder *forwarder, const struct dns_request *request,
	unsigned rcode, int ede, const char *text)
{
	struct dns_writer writer = {.bytes = forwarder->reply, .size = sizeof(forwarder->reply)};
	const struct dns_message none = {.flags = (uint16_t)(rcode & DNS_RCODE)};
	const uint16_t opcode = request->query.flags & DNS_OPCODE;

	dns_write_question(&writer, request->query.id, reply_flags(request, &none, false) | opcode,
		request->question + DNS_HEADER_BYTES, request->query.name.length,
		request->query.type, request->query.class);
	finish(forwarder, request, &writer, (uint8_t)(rcode >> 4), ede, text);
}

void dns_respond_formerr(
	struct dns_channel *channel, const struct sockaddr_storage *peer, const uint8_t *header)
{
	uint8_t reply[DNS_HEADER_BYTES] = {header[0], header[1]};
	const uint16_t kept = dns_get16(header + 2) & (DNS_OPCODE | DNS_RD);

	dns_put16(reply + 2, DNS_QR | kept | DNS_FORMERR);
	channel->send(channel, peer, reply, sizeof(reply));
}
