/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip_message: where things are in the text of a SIP message (RFC 3261).
 *
 * Nothing is copied or interpreted beyond what an address translator must know: is this a message
 * and where does it end; which request is it or does it answer; which header fields hold
 * addresses, and where.  What looks unlike SIP, or could be read in two ways, is foreign: two
 * Content-Lengths, control characters, lines that do not end in CRLF.
 */
#ifndef TUNGATE_HELPER_SIP_MESSAGE_H
#define TUNGATE_HELPER_SIP_MESSAGE_H

#include "base/addr.h"

/* A piece of a text. */
struct span {
	uint32_t at, length;
};

enum sip_framing {
	SIP_WHOLE,
	SIP_INCOMPLETE, /* so far a message, but not all of it is there */
	SIP_FOREIGN,
};

enum sip_method {
	SIP_OTHER,
	SIP_INVITE,
	SIP_ACK,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_CANCEL,
	SIP_BYE,
	SIP_REGISTER
};

struct sip_message {
	const char *text;
	uint32_t length; /* of the whole message; 0: not known before all of the head is there */
	uint32_t head;   /* of start line and header, with the empty line */
	uint16_t status; /* of a response; 0: a request */
	uint8_t method;  /* enum sip_method; a response answers such a request */
	bool has_sdp;    /* the body is one */
	bool has_expires;
	uint32_t expires_s;
	struct span uri;            /* of a request */
	struct span fields;         /* the lines behind the first */
	struct span call_id;        /* length 0: none */
	struct span content_length; /* its digits; length 0: none */
};

/*
 * Look for a message at the very start of a text.  In a stream it needs a Content-Length; in a
 * datagram it ends, without one, where the datagram does.
 */
enum sip_framing sip_message_parse(
	const char *text, uint32_t bytes, bool stream, struct sip_message *message);

/* ---- header fields ---- */

enum sip_name {
	SIP_FIELD_OTHER,
	SIP_VIA,
	SIP_CONTACT,
	SIP_FROM,
	SIP_TO,
	SIP_ROUTE,
	SIP_RECORD_ROUTE,
	SIP_CALL_ID,
	SIP_CSEQ,
	SIP_EXPIRES,
	SIP_CONTENT_LENGTH,
	SIP_CONTENT_TYPE
};

struct sip_field {
	uint8_t name; /* enum sip_name, compact forms too */
	struct span value;
};
/* The field at `*at`, which moves on; starts at message->fields.at.  False behind the last. */
bool sip_field_next(const struct sip_message *message, uint32_t *at, struct sip_field *field);

/* ---- addresses ---- */

/* A host and a port in a text; `family` is 0 where the host is a name. */
struct sip_place {
	struct span host; /* with the brackets of IPv6 */
	struct span port; /* the digits; length 0: none */
	union addr address;
	uint8_t family;
	uint16_t number; /* of the port; 0: none */
};

/* "192.0.2.1:5060", "[2001:db8::1]", "example.com" at the start of a text.  False where there is
 * no host. */
bool sip_place_parse(const char *text, struct span where, struct sip_place *place);
/* The next URI in a list of URIs and addresses in brackets; `rest` shrinks to what follows it
 * (its parameters first). */
bool sip_uri_next(const char *text, struct span *rest, struct sip_place *place);
/* The sent-by of the first element of a Via; `rest` becomes its parameters. */
bool sip_via_parse(const char *text, struct span *rest, struct sip_place *place);
/* The value of a parameter of the element that `rest` is in ("expires", "received").  False where
 * it has none; of length 0 where it has no value. */
bool sip_parameter(const char *text, struct span rest, const char *name, struct span *value);
/* Digits alone, up to 4294967295. */
bool sip_number(const char *text, struct span digits, uint32_t *number);

#endif
