/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pptp: the control connection of PPTP (RFC 2637), which announces calls carried in GRE.
 *
 * Each end gives a call an id of its own, tells the other, and is sent that id in every GRE packet
 *of the call.  So whoever names its id listens there, and its packets are expected under it, or
 * under the one that its guest is shown by (engine/gre.h).  Whichever side made the connection,
 * and whichever is the guest: an id belongs to who sends it (`own`), or to who receives it
 * (`peer`), and is translated accordingly.
 *
 *	             first  second
 *	request      own             both kinds of call
 *	reply        own    peer     counts only where it says connected
 *	connected    peer            the incoming call's third message
 *	clear, disconnected  own     the end of the sender's id
 *	error, link info     peer
 *
 * All fields are as long as before.  Both ids of a call have one class, and end with it, or with
 *the control connection.
 */
#include "engine/helper.h"
#include "helper/helpers.h"

#include <arpa/inet.h>
#include <string.h>
#include "wire/pptp.h"

/* Calls of one control connection, each with a class of its own: more than any client has. */
#define CALLS_MAX 16

enum whose { NOBODYS, OWN, PEERS };

static const struct call_fields {
	uint8_t first, second; /* enum whose */
	bool announces, ends;
	bool has_result;
} calls[] = {
	[PPTP_OUTGOING_REQUEST] = {.first = OWN, .announces = true},
	[PPTP_OUTGOING_REPLY] = {OWN, PEERS, .announces = true, .has_result = true},
	[PPTP_INCOMING_REQUEST] = {.first = OWN, .announces = true},
	[PPTP_INCOMING_REPLY] = {OWN, PEERS, .announces = true, .has_result = true},
	[PPTP_INCOMING_CONNECT] = {.first = PEERS},
	[PPTP_CLEAR_REQUEST] = {.first = OWN},
	[PPTP_DISCONNECTED] = {.first = OWN, .ends = true},
	[PPTP_WAN_ERROR] = {.first = PEERS},
	[PPTP_LINK_INFO] = {.first = PEERS},
};

static uint32_t pptp_frame(const uint8_t *data, uint32_t length)
{
	const struct pptp_header *header = (const void *)data;

	if (length < sizeof(*header) || header->type != htons(PPTP_CONTROL) ||
		header->cookie != htonl(PPTP_COOKIE) || ntohs(header->length) < sizeof(*header))
		return 0;
	return ntohs(header->length);
}

static uint16_t call_at(const struct helper_message *message, uint32_t offset)
{
	be16 call;

	memcpy(&call, message->text + offset, sizeof(call));
	return ntohs(call);
}

static void write_call(struct helper_message *message, uint32_t offset, uint16_t call)
{
	const be16 field = htons(call);

	if (call != call_at(message, offset))
		helper_replace(message, offset, sizeof(field), (const char *)&field, sizeof(field));
}

/* The class of the sender's id: as of its other end, as before, or a new one. */
static uint8_t class_of(struct helper_message *message, const struct call_fields *fields)
{
	struct helper_known known;

	if (fields->second == PEERS && helper_known_shown(message, IPPROTO_GRE,
					       call_at(message, PPTP_SECOND_CALL), &known))
		return known.class;
	if (helper_known_own(message, IPPROTO_GRE, call_at(message, PPTP_FIRST_CALL), &known))
		return known.class;
	return (uint8_t)(message->state[0]++ % CALLS_MAX);
}

static void own_call(struct helper_message *message, const struct call_fields *fields)
{
	const uint16_t call = call_at(message, PPTP_FIRST_CALL);
	struct helper_known known;
	struct expect_answer answer;

	if (fields->announces) {
		const struct expect_request request = {
			.protocol = IPPROTO_GRE,
			.class = class_of(message, fields),
			.class_max = 2,
			.permanent = true,
			.port = call,
			.life_s = EXPECT_LIFE_MASTER,
		};
		if (helper_expect(message, &request, &answer))
			write_call(message, PPTP_FIRST_CALL, answer.port);
		return;
	}
	if (!helper_known_own(message, IPPROTO_GRE, call, &known))
		return;
	write_call(message, PPTP_FIRST_CALL, known.shown);
	if (fields->ends)
		helper_prolong(message, known.class, 0);
}

static void peers_call(struct helper_message *message, uint32_t offset)
{
	struct helper_known known;

	if (helper_known_shown(message, IPPROTO_GRE, call_at(message, offset), &known))
		write_call(message, offset, known.own);
}

/* A reply that says no names no call of its sender. */
static bool is_refusal(const struct helper_message *message, const struct call_fields *fields)
{
	return fields->has_result && message->text[PPTP_RESULT] != PPTP_CONNECTED;
}

/* By the fields that we look at. */
static uint32_t bytes_needed(uint16_t control)
{
	if (calls[control].has_result)
		return PPTP_RESULT + 1;
	return PPTP_FIRST_CALL + sizeof(be16);
}

static enum helper_result pptp_read(struct helper_message *message)
{
	const struct pptp_header *header = (const void *)message->text;
	const uint16_t control = ntohs(header->control);

	if (control >= sizeof(calls) / sizeof(calls[0]) || message->length < bytes_needed(control))
		return HELPER_PASS;
	const struct call_fields *fields = &calls[control];
	if (fields->first == OWN && !is_refusal(message, fields))
		own_call(message, fields);
	else if (fields->first == PEERS)
		peers_call(message, PPTP_FIRST_CALL);
	if (fields->second == PEERS)
		peers_call(message, PPTP_SECOND_CALL);
	return HELPER_PASS;
}

const struct helper helper_pptp = {
	.name = "pptp",
	.frame = pptp_frame,
	.read = pptp_read,
};
