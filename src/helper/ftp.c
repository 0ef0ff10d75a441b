/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ftp: connections for data, announced on the control connection (RFC 959, 2428, 1123 4.1.2).
 *
 *	client   PORT 10,77,0,2,19,137         the server will connect to 10.77.0.2:5001
 *	client   EPRT |2|fd77::2|5001|
 *	server   227 Entering Passive Mode (192,0,2,9,195,80)      the client will
 *	server   229 Entering Extended Passive Mode (|||50000|)
 *
 * The listener may be either side, and behind the gateway or not: where it is masqueraded, address
 * and port are replaced by those that it has outside; where it is not, the connection is just
 * expected, so that the filter knows what it is related to.
 *
 * What counts.  Commands only when the server has greeted (220 or 120), else it is no FTP server
 * that the client speaks to; a 227 or 229 only as the first answer that can be one to a PASV or
 *EPSV. The address must be the sender's own (or in a 227 the one that the client knows it by, which
 * some servers are told to say); a PORT to somebody else ("FTP bounce", RFC 2577) and what cannot
 *be understood passes as it is, and nothing is expected.  One announcement replaces the one before.
 *
 * In a reply of several lines ("227-...", RFC 959 4.2) only the last line ("227 ") says something.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "engine/helper.h"
#include "helper/helpers.h"
#include "helper/scan.h"

enum { STATE_FLAGS };
#define GREETED 1 /* the server has */
#define PASSIVE 2 /* the client has asked for it, and not been answered */

/* An address and port as a line has it, and where. */
struct announcement {
	uint32_t offset, length; /* of the text to replace */
	bool has_address;
	union addr address;
	uint8_t family;
	uint16_t port;
	char delimiter; /* of the extended spelling; 0: six numbers */
};

/* "10,77,0,2,19,137" */
static bool scan_six(struct scan *scan, struct announcement *found)
{
	uint32_t number[6];

	found->offset = scan->at;
	for (unsigned i = 0; i < 6; i++) {
		if (i > 0 && !scan_byte(scan, ','))
			return false;
		if (!scan_number(scan, UINT8_MAX, &number[i]))
			return false;
	}
	found->length = scan->at - found->offset;
	found->has_address = true;
	found->family = AF_INET;
	found->address = addr_v4(
		(uint8_t)number[0], (uint8_t)number[1], (uint8_t)number[2], (uint8_t)number[3]);
	found->port = (uint16_t)(number[4] << 8 | number[5]);
	return true;
}

/* "|1|10.77.0.2|5001|", "|2|fd77::2|5001|"; after an EPSV also "|||5001|".  Any printable byte but
 * a digit may be the delimiter. */
static bool scan_extended(struct scan *scan, bool reply, struct announcement *found)
{
	const int delimiter = scan_peek(scan);
	uint32_t number;

	found->offset = scan->at;
	if (delimiter < 33 || delimiter > 126 || (delimiter >= '0' && delimiter <= '9'))
		return false;
	found->delimiter = (char)delimiter;
	scan_byte(scan, found->delimiter);
	if (scan_number(scan, 2, &number)) {
		found->family = number == 1 ? AF_INET : AF_INET6;
		if (number == 0 || !scan_byte(scan, found->delimiter) ||
			!scan_address(scan, found->family, &found->address))
			return false;
		found->has_address = true;
	} else if (!reply || !scan_byte(scan, found->delimiter)) {
		return false;
	}
	if (!scan_byte(scan, found->delimiter) || !scan_number(scan, UINT16_MAX, &number) ||
		!scan_byte(scan, found->delimiter))
		return false;
	found->length = scan->at - found->offset;
	found->port = (uint16_t)number;
	return true;
}

static int write_announcement(const struct announcement *found, const struct expect_answer *answer,
	char text[SEQADJ_TEXT_BYTES])
{
	const uint8_t *octet = answer->address.bytes;
	const char d = found->delimiter;
	char address[ADDR_TEXT_SIZE];

	if (d == 0)
		return snprintf(text, SEQADJ_TEXT_BYTES, "%u,%u,%u,%u,%u,%u", octet[0], octet[1],
			octet[2], octet[3], (unsigned)answer->port >> 8, answer->port & 0xffu);
	if (!found->has_address)
		return snprintf(text, SEQADJ_TEXT_BYTES, "%c%c%c%u%c", d, d, d, answer->port, d);
	return snprintf(text, SEQADJ_TEXT_BYTES, "%c%d%c%s%c%u%c", d,
		answer->family == AF_INET ? 1 : 2, d,
		addr_format(answer->family, &answer->address, address), d, answer->port, d);
}

static bool is_senders(const struct helper_message *message, const struct announcement *found)
{
	const struct helper_end *sender = &message->sender;

	if (!found->has_address)
		return true;
	return (found->family == sender->family && addr_equal(&found->address, &sender->own)) ||
	       (found->family == sender->shown_family &&
		       addr_equal(&found->address, &sender->shown));
}

static void announce(struct helper_message *message, const struct announcement *found)
{
	const struct expect_request request = {
		.protocol = IPPROTO_TCP, .class_max = 1, .port = found->port};
	char text[SEQADJ_TEXT_BYTES];
	struct expect_answer answer;

	if (!is_senders(message, found) || !helper_expect(message, &request, &answer))
		return;
	if (found->port == answer.port &&
		(!found->has_address || (found->family == answer.family &&
						addr_equal(&found->address, &answer.address))))
		return;
	if (found->delimiter == 0 && answer.family != AF_INET)
		return;
	helper_replace(message, found->offset, found->length, text,
		(uint32_t)write_announcement(found, &answer, text));
}

static void read_command(struct helper_message *message)
{
	struct scan scan = scan_begin(message->text, message->length);
	struct announcement found = {0};

	if (!(message->state[STATE_FLAGS] & GREETED))
		return;
	scan_blanks(&scan);
	if (scan_word(&scan, "PASV") || scan_word(&scan, "EPSV")) {
		if (scan_blanks(&scan) > 0 ? !scan_word(&scan, "ALL") : scan_line_ends(&scan))
			message->state[STATE_FLAGS] |= PASSIVE;
		return;
	}
	if (scan_word(&scan, "PORT") ? scan_blanks(&scan) > 0 && scan_six(&scan, &found)
				     : scan_word(&scan, "EPRT") && scan_blanks(&scan) > 0 &&
					       scan_extended(&scan, false, &found)) {
		if (scan_line_ends(&scan))
			announce(message, &found);
	}
}

/* "Entering Passive Mode (h1,h2,h3,h4,p1,p2)": neither the words nor the parentheses are certain,
 * so the first digit begins the address (RFC 1123, 4.1.2.6). */
static bool scan_227(struct scan *scan, struct announcement *found)
{
	return scan_until(scan, "0123456789") && scan_six(scan, found);
}

/* "Entering Extended Passive Mode (|||6446|)": RFC 2428 is exact about it. */
static bool scan_229(struct scan *scan, struct announcement *found)
{
	return scan_until(scan, "(") && scan_byte(scan, '(') && scan_extended(scan, true, found) &&
	       scan_byte(scan, ')');
}

static void read_reply(struct helper_message *message)
{
	struct scan scan = scan_begin(message->text, message->length);
	struct announcement found = {0};
	uint32_t code;

	if (!scan_number(&scan, 999, &code) || scan.at != 3 || !scan_byte(&scan, ' '))
		return;
	if (code == 220 || code == 120)
		message->state[STATE_FLAGS] |= GREETED;
	if (!(message->state[STATE_FLAGS] & PASSIVE) || code < 200)
		return;
	if (code == 227 ? scan_227(&scan, &found) : code == 229 && scan_229(&scan, &found)) {
		message->state[STATE_FLAGS] &= ~(uint32_t)PASSIVE;
		announce(message, &found);
	} else if (code >= 400) {
		message->state[STATE_FLAGS] &= ~(uint32_t)PASSIVE;
	}
}

static enum helper_result read_line(struct helper_message *message)
{
	if (message->direction == ORIGINAL)
		read_command(message);
	else
		read_reply(message);
	return HELPER_PASS;
}

const struct helper helper_ftp = {
	.name = "ftp",
	.frame = helper_frame_line,
	.resume = helper_resume_line,
	.read = read_line,
};
