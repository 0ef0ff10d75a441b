/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip: telephones (RFC 3261), and the media that their messages announce (RFC 8866, RFC 3605).
 *
 * What is translated: who sends a message calls itself by its own address (and port), and must be
 * known by the one it is shown by; who receives it is called by that, and must find its own.  So
 * in the request's URI, in Contact, From, To, Route and Record-Route, in the Via that the
 * sender put there or that comes back to it (with its received and rport), exactly those two
 * addresses are exchanged, whoever is the guest and whoever called whom.  All else is none of ours.
 *
 * What is expected:
 *
 *   class       connections                       life
 *   SIGNAL      to a port that the sender is      an hour
 *               called at, not the flow's own
 *   REGISTERED  the same, and the flow's own,     as long as the registrar grants, for which
 *               for who has registered there      the flow, too, is kept
 *   a call's    RTP and RTCP, per medium of the   three minutes after the last description, so
 *               guest's session description       long as ringing may take (RFC 3261, timer C)
 *
 * The media of a call are expected from the other end of the signalling, and from where that end's
 * own description says it sends from: that may be another guest, met on our own external address.
 * A call is known by its Call-ID, of which eight bits are enough: they only decide which of a
 * flow's own expectations end with a BYE.
 *
 * A description with an address that is not its sender's own announces nothing; one with a
 * privileged port, or with too much of anything, stays as it is.  Only whole messages at the start
 * of a datagram or of their place in the stream are looked at (engine/helper.h).  Where the head
 * of a message does not lie in one segment, nothing can be said about that stream any more.
 */
#include "engine/helper.h"
#include "helper/helpers.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "helper/sip_edit.h"
#include "helper/sip_message.h"
#include "helper/sip_sdp.h"

#define SIP_PORT 5060

enum { SIGNAL, REGISTERED, CALL_FIRST };
#define CALL_CLASSES (256 - CALL_FIRST)

#define SIGNAL_MAX       4                   /* ports that one end is called at */
#define MEDIA_MAX        (2 * SDP_MEDIA_MAX) /* of one call */
#define SIGNAL_LIFE_S    3600
#define REGISTER_LIFE_S  64   /* until the registrar has answered: RFC 3261, timer F is 32 */
#define REGISTERED_S     3600 /* where nobody says: RFC 3261, 10.2 */
#define REGISTERED_MAX_S 7200
#define MEDIA_LIFE_S     180

/* One message on its way. */
struct work {
	struct helper_message *message;
	struct sip_message sip;
	struct sip_edits edits;
};

/* ---- addresses ---- */

/* Is an end known to the other by the address, or the port, that it knows itself? */
static bool is_translated(const struct helper_end *end)
{
	return end->own_port != end->shown_port || !addr_equal(&end->own, &end->shown);
}

static bool is_at(const struct sip_place *place, uint8_t family, const union addr *address)
{
	return place->family == family && addr_equal(&place->address, address);
}

/* `port` 0: leave it as it is. */
static void write_place(struct work *work, const struct sip_place *place, uint8_t family,
	const union addr *address, uint16_t port)
{
	char host[ADDR_TEXT_SIZE], text[SIP_EDIT_TEXT_BYTES];
	const bool v6 = family == AF_INET6;
	const bool implied = place->number == 0 && port == SIP_PORT;
	uint32_t length = place->host.length;

	addr_format(family, address, host);
	if (port == 0 || implied) {
		snprintf(text, sizeof(text), v6 ? "[%s]" : "%s", host);
	} else {
		snprintf(text, sizeof(text), v6 ? "[%s]:%u" : "%s:%u", host, port);
		if (place->number != 0)
			length = place->port.at + place->port.length - place->host.at;
	}
	sip_edit(&work->edits, (struct span){place->host.at, length}, text);
}

/* Under which port others reach the sender at one that it is called at; 0: nobody does. */
static uint16_t signal_port(struct work *work, uint16_t port)
{
	const bool registers = work->sip.method == SIP_REGISTER;
	const struct expect_request request = {
		.protocol = work->message->protocol,
		.class = registers ? REGISTERED : SIGNAL,
		.class_max = SIGNAL_MAX,
		.permanent = true,
		.read = true,
		.port = port,
		.life_s = registers ? REGISTER_LIFE_S : SIGNAL_LIFE_S,
	};
	struct expect_answer answer;

	return helper_expect(work->message, &request, &answer) ? answer.port : 0;
}

enum use {
	IDENTITY, /* of no matter for where anything is sent */
	CALLED,   /* requests will be sent there */
	SENT_BY,  /* answers will, unless they take the way back */
};

/* The port of a place that is the sender's; 0: it stays as it is. */
static uint16_t shown_port(struct work *work, uint16_t port, enum use use)
{
	const struct helper_end *sender = &work->message->sender;
	const uint8_t protocol = work->message->protocol;
	struct helper_known known;

	if (port == sender->own_port)
		return sender->shown_port;
	if (helper_known_own(work->message, protocol, port, &known))
		return known.shown;
	if (use == CALLED || (use == SENT_BY && protocol == IPPROTO_UDP))
		return signal_port(work, port);
	return 0;
}

/* The port of a place that the receiver is shown by; 0: it is none of the receiver's. */
static uint16_t own_port(const struct work *work, uint16_t port)
{
	const struct helper_end *receiver = &work->message->receiver;
	struct helper_known known;

	if (port == receiver->shown_port)
		return receiver->own_port;
	if (helper_known_shown(work->message, work->message->protocol, port, &known))
		return known.own;
	return 0;
}

/* A place that is the sender's own, or that the receiver is shown by.  With a port that is
 * neither's it may be another's, but for a Via. */
static void translate(struct work *work, const struct sip_place *place, enum use use)
{
	const struct helper_end *sender = &work->message->sender;
	const struct helper_end *receiver = &work->message->receiver;
	const uint16_t port = place->number != 0 ? place->number : SIP_PORT;
	const bool no_port = use == IDENTITY && place->number == 0;
	const bool address_alone = place->number == 0 || use == SENT_BY;

	if (is_translated(sender) && is_at(place, sender->family, &sender->own)) {
		const uint16_t shown = no_port ? 0 : shown_port(work, port, use);
		if (shown != 0 || address_alone)
			write_place(work, place, sender->family, &sender->shown, shown);
	} else if (is_translated(receiver) && is_at(place, receiver->family, &receiver->shown)) {
		const uint16_t own = no_port ? 0 : own_port(work, port);
		if (own != 0 || address_alone)
			write_place(work, place, receiver->family, &receiver->own, own);
	}
}

static void translate_uris(struct work *work, struct span value, enum use use)
{
	struct sip_place place;

	while (sip_uri_next(work->sip.text, &value, &place))
		translate(work, &place, use);
}

/* ---- header fields ---- */

/* What a server has seen as the sender of the request that this answers. */
static void translate_received(struct work *work, struct span parameters)
{
	const struct helper_end *receiver = &work->message->receiver;
	const char *text = work->sip.text;
	struct sip_place place;
	struct span value;
	uint32_t port;

	if (sip_parameter(text, parameters, "received", &value) &&
		sip_place_parse(text, value, &place) &&
		is_at(&place, receiver->family, &receiver->shown))
		write_place(work, &place, receiver->family, &receiver->own, 0);
	if (sip_parameter(text, parameters, "rport", &value) && sip_number(text, value, &port) &&
		port == receiver->shown_port) {
		char number[8];

		snprintf(number, sizeof(number), "%u", receiver->own_port);
		sip_edit(&work->edits, value, number);
	}
}

/* The first Via is that of a request's sender, or of a response's receiver. */
static void translate_via(struct work *work, struct span value)
{
	struct sip_place place;

	if (!sip_via_parse(work->sip.text, &value, &place))
		return;
	translate(work, &place, SENT_BY);
	if (work->sip.status != 0 && is_translated(&work->message->receiver))
		translate_received(work, value);
}

static void translate_head(struct work *work)
{
	uint32_t at = work->sip.fields.at;
	struct sip_field field;
	bool via_seen = false;

	if (work->sip.status == 0)
		translate_uris(work, work->sip.uri, IDENTITY);
	while (sip_field_next(&work->sip, &at, &field)) {
		switch (field.name) {
		case SIP_VIA:
			if (!via_seen)
				translate_via(work, field.value);
			via_seen = true;
			break;
		case SIP_CONTACT:
		case SIP_RECORD_ROUTE:
			translate_uris(work, field.value, CALLED);
			break;
		case SIP_FROM:
		case SIP_TO:
		case SIP_ROUTE:
			translate_uris(work, field.value, IDENTITY);
			break;
		}
	}
}

/* ---- registration ---- */

/* A port of its own that the sender registers is expected even where it is that of this flow: calls
 * may come from another port of the registrar's. */
static void expect_registered(struct work *work)
{
	const struct helper_end *sender = &work->message->sender;

	if (work->message->protocol == IPPROTO_UDP && sender->is_guest)
		signal_port(work, sender->own_port);
}

/* Seconds that a registrar grants the receiver: those of its Contact, or of all; 0 where it lists
 * no such Contact. */
static uint32_t granted_s(const struct work *work)
{
	const struct helper_end *receiver = &work->message->receiver;
	const char *text = work->sip.text;
	uint32_t at = work->sip.fields.at, seconds;
	struct sip_field field;
	struct sip_place place;
	struct span value;

	while (sip_field_next(&work->sip, &at, &field)) {
		if (field.name != SIP_CONTACT)
			continue;
		while (sip_uri_next(text, &field.value, &place)) {
			if (!is_at(&place, receiver->family, &receiver->shown))
				continue;
			if (sip_parameter(text, field.value, "expires", &value) &&
				sip_number(text, value, &seconds))
				return seconds;
			return work->sip.has_expires ? work->sip.expires_s : REGISTERED_S;
		}
	}
	return 0;
}

static void registered(struct work *work)
{
	const uint32_t granted = granted_s(work);
	const uint16_t seconds =
		(uint16_t)(granted < REGISTERED_MAX_S ? granted : REGISTERED_MAX_S);

	helper_prolong(work->message, REGISTERED, seconds);
	helper_keep(work->message, seconds);
}

/* ---- calls ---- */

static uint8_t call_class(const struct work *work)
{
	const struct span id = work->sip.call_id;
	uint32_t hash = 2166136261;

	for (uint32_t i = 0; i < id.length; i++)
		hash = (hash ^ (uint8_t)work->sip.text[id.at + i]) * 16777619;
	return (uint8_t)(CALL_FIRST + hash % CALL_CLASSES);
}

static bool ends_call(const struct sip_message *sip)
{
	if (sip->status == 0)
		return sip->method == SIP_BYE || sip->method == SIP_CANCEL;
	return sip->method == SIP_INVITE && sip->status >= 300 && sip->status != 401 &&
	       sip->status != 407;
}

static bool expect_media(
	struct work *work, uint16_t port, bool paired, uint16_t wish, struct expect_answer *answer)
{
	const struct expect_request request = {
		.protocol = IPPROTO_UDP,
		.class = call_class(work),
		.class_max = MEDIA_MAX,
		.permanent = true,
		.pair = paired,
		.port = port,
		.wish = wish,
		.life_s = MEDIA_LIFE_S,
	};

	return helper_expect(work->message, &request, answer);
}

static void write_port(struct work *work, struct span digits, uint16_t port)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", port);
	sip_edit(&work->edits, digits, text);
}

static bool is_own(const struct work *work, const struct sdp_address *address)
{
	const struct helper_end *sender = &work->message->sender;

	return address->family == sender->family && addr_equal(&address->address, &sender->own);
}

static void write_address(struct work *work, const struct sdp_address *address)
{
	const struct helper_end *sender = &work->message->sender;
	char text[ADDR_TEXT_SIZE];

	if (address->host.length > 0 && is_own(work, address))
		sip_edit(&work->edits, address->host,
			addr_format(sender->family, &sender->shown, text));
}

/* RTCP that is not on the port behind RTP's. */
static bool translate_rtcp(struct work *work, const struct sdp_media *media, uint16_t rtp_shown)
{
	struct expect_answer answer = {.port = (uint16_t)(rtp_shown + 1)};

	if (media->rtcp_port.length == 0)
		return true;
	if (media->rtcp.host.length > 0 && !is_own(work, &media->rtcp))
		return true;
	if (media->rtcp_number == media->number)
		answer.port = rtp_shown; /* RFC 5761 */
	else if (media->rtcp_number != media->number + 1 &&
		 !expect_media(work, media->rtcp_number, false, 0, &answer))
		return false;
	write_port(work, media->rtcp_port, answer.port);
	write_address(work, &media->rtcp);
	return true;
}

static bool translate_media(struct work *work, const struct sdp *sdp, const struct sdp_media *media)
{
	struct expect_answer answer;

	write_address(work, &media->connection);
	if (!media->known || media->number == 0 || !is_own(work, sdp_media_address(sdp, media)))
		return true;
	if (media->several || !expect_media(work, media->number, media->paired, 0, &answer))
		return false;
	write_port(work, media->port, answer.port);
	return translate_rtcp(work, media, answer.port);
}

/* What a guest says of itself. */
static bool translate_sdp(struct work *work, const struct sdp *sdp)
{
	write_address(work, &sdp->origin);
	write_address(work, &sdp->connection);
	for (unsigned i = 0; i < sdp->count; i++)
		if (!translate_media(work, sdp, &sdp->media[i]))
			return false;
	return true;
}

/* Where an end that is no guest wants its media, and so sends them from: in the flow's own words,
 * since it may say so before the guest has announced anything. */
struct remote {
	uint32_t known; /* class and port, family; 0: nothing */
	union addr address;
};
static_assert(sizeof(struct remote) <= HELPER_STATE_WORDS * sizeof(uint32_t), "fits its place");

static void remember_remote(struct work *work, const struct sdp *sdp)
{
	struct remote remote = {.known = (uint32_t)call_class(work) << 24};

	for (unsigned i = 0; i < sdp->count; i++) {
		const struct sdp_media *media = &sdp->media[i];
		const struct sdp_address *address = sdp_media_address(sdp, media);

		if (!media->known || media->number == 0 || address->family == 0)
			continue;
		remote.known |= (uint32_t)address->family << 16 | media->number;
		remote.address = address->address;
		memcpy(work->message->state, &remote, sizeof(remote));
		return;
	}
}

/* From there, too, the media of this call are expected. */
static void admit_remote(struct work *work)
{
	struct remote remote;

	memcpy(&remote, work->message->state, sizeof(remote));
	const uint8_t class = (uint8_t)(remote.known >> 24), family = (uint8_t)(remote.known >> 16);
	if (class == call_class(work) && family == work->message->sender.family)
		helper_admit(work->message, class, &remote.address, (uint16_t)remote.known);
}

static void translate_body(struct work *work)
{
	const struct span body = {work->sip.head, work->sip.length - work->sip.head};
	const struct sip_edits before = work->edits;
	struct sdp sdp;

	if (!work->sip.has_sdp || !sdp_parse(work->sip.text, body, &sdp))
		return;
	if (!work->message->sender.is_guest)
		remember_remote(work, &sdp);
	else if (!translate_sdp(work, &sdp))
		work->edits = before;
	if (!work->message->sender.is_guest || !work->message->receiver.is_guest)
		admit_remote(work);
}

/* The body has become longer or shorter. */
static void correct_length(struct work *work)
{
	const int32_t more = sip_edits_growth(&work->edits, work->sip.head);
	char text[16];

	if (more == 0 || work->sip.content_length.length == 0)
		return;
	snprintf(text, sizeof(text), "%u",
		(unsigned)((int32_t)(work->sip.length - work->sip.head) + more));
	sip_edit(&work->edits, work->sip.content_length, text);
}

/* ---- the helper ---- */

static uint32_t skip_line_ends(const uint8_t *data, uint32_t length)
{
	uint32_t at = 0;

	while (at < length && (data[at] == '\r' || data[at] == '\n'))
		at++;
	return at;
}

/* Empty lines between messages keep a connection alive (RFC 5626, 3.5.1). */
static uint32_t sip_frame(const uint8_t *data, uint32_t length)
{
	const uint32_t empty = skip_line_ends(data, length);
	struct sip_message message;

	if (empty > 0)
		return empty;
	if (sip_message_parse((const char *)data, length, true, &message) == SIP_FOREIGN)
		return 0;
	return message.length;
}

static enum helper_result sip_read(struct helper_message *message)
{
	struct work work = {.message = message};
	const bool stream = message->protocol == IPPROTO_TCP;

	if (message->sender.family != message->sender.shown_family ||
		sip_message_parse(message->text, message->length, stream, &work.sip) != SIP_WHOLE)
		return HELPER_PASS;
	sip_edits_begin(&work.edits, message->text);
	if (work.sip.method == SIP_REGISTER && work.sip.status == 0)
		expect_registered(&work);
	if (work.sip.method == SIP_REGISTER && work.sip.status / 100 == 2)
		registered(&work);
	translate_head(&work);
	translate_body(&work);
	correct_length(&work);
	if (ends_call(&work.sip))
		helper_prolong(message, call_class(&work), 0);
	sip_edits_apply(&work.edits, message);
	return HELPER_PASS;
}

const struct helper helper_sip = {
	.name = "sip",
	.frame = sip_frame,
	.reads_udp = true,
	.read = sip_read,
};
