/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irc: files and chats from client to client (DCC), offered in messages that the server passes on.
 *
 *	PRIVMSG bob :\001DCC SEND "a file" 172818434 5000 1234\001
 *	             \001DCC CHAT chat 172818434 5000\001
 *	             \001DCC RESUME "a file" 5000 1000\001     \001DCC ACCEPT ...\001 (port,
 *position)
 *
 * The address is an IPv4 address as one decimal number, or an IPv6 address in its own text.  What
 * a client behind us offers, and listens for, is expected from anywhere: only the server knows
 * who bob is.  The offer gets the client's external address and port.  A RESUME names the
 * sender's port of the SEND that it is about, as the other side knows it; so what comes in for
 * a port of ours is given the client's own port again, and what the client answers (ACCEPT), the
 * external one.
 *
 * Port 0 ("reverse" DCC: the other side shall listen) announces nothing.
 *
 * What counts: PRIVMSG and NOTICE, when client and server have shown that they speak IRC (a NICK or
 * USER or the like from one, anything that begins with ":" or is a NOTICE or PING from the other).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "engine/helper.h"
#include "helper/helpers.h"
#include "helper/scan.h"

/* Offers of one client that wait at the same time. */
#define OFFERS_MAX   8
#define OFFER_LIFE_S 120 /* people have to say yes */

/* state[0] are flags; from state[1] on the last offers: own port << 16 | external port. */
enum { STATE_FLAGS, STATE_OFFERS };
#define REGISTERED  1 /* the client has said who it is */
#define ANSWERED    2 /* the server has spoken */
#define OFFER_WORDS (HELPER_STATE_WORDS - STATE_OFFERS)

/* ---- offers that were made ---- */

static void offer_remember(struct helper_message *message, uint16_t own, uint16_t external)
{
	uint32_t *offer = &message->state[STATE_OFFERS];

	memmove(offer + 1, offer, (OFFER_WORDS - 1) * sizeof(*offer));
	offer[0] = (uint32_t)own << 16 | external;
}

static uint16_t offer_own(const struct helper_message *message, uint16_t external)
{
	for (unsigned i = STATE_OFFERS; i < HELPER_STATE_WORDS; i++)
		if ((message->state[i] & 0xffff) == external)
			return (uint16_t)(message->state[i] >> 16);
	return 0;
}

static uint16_t offer_external(const struct helper_message *message, uint16_t own)
{
	for (unsigned i = STATE_OFFERS; i < HELPER_STATE_WORDS; i++)
		if (message->state[i] >> 16 == own)
			return (uint16_t)message->state[i];
	return 0;
}

/* ---- DCC ---- */

/* A file's name, in quotes where it has blanks. */
static bool scan_name(struct scan *scan)
{
	const uint32_t from = scan->at;

	if (scan_byte(scan, '"'))
		return scan_until(scan, "\"\r\n\001") && scan_byte(scan, '"');
	return scan_until(scan, " \r\n\001") && scan->at > from;
}

static bool scan_dcc_address(struct scan *scan, uint8_t family, union addr *address)
{
	uint32_t number;

	if (family == AF_INET6)
		return scan_address(scan, AF_INET6, address);
	if (!scan_number(scan, UINT32_MAX, &number))
		return false;
	*address = (union addr){.v4 = htonl(number)};
	return true;
}

static void replace_number(
	struct helper_message *message, uint32_t offset, uint32_t length, uint32_t number)
{
	char text[12];
	const int bytes = snprintf(text, sizeof(text), "%u", number);

	helper_replace(message, offset, length, text, (uint32_t)bytes);
}

static void replace_address(struct helper_message *message, uint32_t offset, uint32_t length,
	const struct expect_answer *answer)
{
	char text[ADDR_TEXT_SIZE];

	if (answer->family == AF_INET) {
		replace_number(message, offset, length, ntohl(answer->address.v4));
		return;
	}
	addr_format(AF_INET6, &answer->address, text);
	helper_replace(message, offset, length, text, (uint32_t)strlen(text));
}

/* "SEND NAME ADDRESS PORT ..." or "CHAT chat ADDRESS PORT", from the name on. */
static void read_offer(struct helper_message *message, struct scan *scan)
{
	const struct helper_end *sender = &message->sender;
	struct expect_request request = {.protocol = IPPROTO_TCP,
		.class_max = OFFERS_MAX,
		.any_peer = true,
		.life_s = OFFER_LIFE_S};
	struct expect_answer answer;
	union addr address;
	uint32_t port;

	if (!sender->is_guest || !scan_name(scan) || scan_blanks(scan) == 0)
		return;
	const uint32_t address_at = scan->at;
	if (!scan_dcc_address(scan, sender->family, &address))
		return;
	const uint32_t address_end = scan->at;
	if (scan_blanks(scan) == 0)
		return;
	const uint32_t port_at = scan->at;
	if (!scan_number(scan, UINT16_MAX, &port) || port == 0 ||
		!addr_equal(&address, &sender->own))
		return;
	request.port = (uint16_t)port;
	if (!helper_expect(message, &request, &answer))
		return;
	offer_remember(message, request.port, answer.port);
	if (answer.family != sender->family)
		return;
	if (!addr_equal(&answer.address, &address))
		replace_address(message, address_at, address_end - address_at, &answer);
	if (answer.port != port)
		replace_number(message, port_at, scan->at - port_at, answer.port);
}

/* "RESUME NAME PORT POSITION" towards whoever has made the offer, "ACCEPT NAME PORT POSITION" from
 * there; from the name on. */
static void read_reference(struct helper_message *message, struct scan *scan, bool to_offerer)
{
	uint32_t port;

	if (!scan_name(scan) || scan_blanks(scan) == 0)
		return;
	const uint32_t at = scan->at;
	if (!scan_number(scan, UINT16_MAX, &port) || port == 0)
		return;
	const uint16_t other = to_offerer ? offer_own(message, (uint16_t)port)
					  : offer_external(message, (uint16_t)port);
	if (other != 0 && other != port)
		replace_number(message, at, scan->at - at, other);
}

/* Behind "\001DCC ". */
static void read_dcc(struct helper_message *message, struct scan *scan)
{
	const bool outwards = message->direction == ORIGINAL;

	if (scan_word(scan, "SEND ") || scan_word(scan, "CHAT "))
		read_offer(message, scan);
	else if (outwards ? scan_word(scan, "ACCEPT ") : scan_word(scan, "RESUME "))
		read_reference(message, scan, !outwards);
}

/* ---- lines ---- */

static void notice_client(struct helper_message *message)
{
	static const char *const words[] = {"NICK ", "USER ", "PASS ", "CAP "};
	struct scan scan = scan_begin(message->text, message->length);

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (scan_word(&scan, words[i]))
			message->state[STATE_FLAGS] |= REGISTERED;
}

static void notice_server(struct helper_message *message)
{
	struct scan scan = scan_begin(message->text, message->length);

	if (scan_byte(&scan, ':') || scan_word(&scan, "NOTICE ") || scan_word(&scan, "PING "))
		message->state[STATE_FLAGS] |= ANSWERED;
}

/* "[:PREFIX ]PRIVMSG WHOM :\001DCC " */
static bool scan_to_dcc(struct scan *scan)
{
	if (scan_byte(scan, '@')) { /* IRCv3 tags */
		scan_until(scan, " ");
		scan_blanks(scan);
	}
	if (scan_byte(scan, ':')) {
		scan_until(scan, " ");
		scan_blanks(scan);
	}
	if (!scan_word(scan, "PRIVMSG ") && !scan_word(scan, "NOTICE "))
		return false;
	scan_blanks(scan);
	scan_until(scan, " ");
	if (scan_blanks(scan) == 0)
		return false;
	scan_byte(scan, ':');
	return scan_word(scan, "\001DCC ");
}

static enum helper_result read_line(struct helper_message *message)
{
	struct scan scan = scan_begin(message->text, message->length);

	if (message->direction == ORIGINAL)
		notice_client(message);
	else
		notice_server(message);
	if (message->state[STATE_FLAGS] == (REGISTERED | ANSWERED) && scan_to_dcc(&scan))
		read_dcc(message, &scan);
	return HELPER_PASS;
}

const struct helper helper_irc = {
	.name = "irc",
	.frame = helper_frame_line,
	.resume = helper_resume_line,
	.read = read_line,
};
