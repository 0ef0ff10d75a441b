/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6: messages of DHCP for IPv6 (RFC 8415), as UDP payloads: what a server reads of a client's,
 * and what it answers.
 */
#ifndef TUNGATE_WIRE_DHCP6_H
#define TUNGATE_WIRE_DHCP6_H

#include <stddef.h>
#include "wire/headers.h"

#define DHCP6_CLIENT_PORT   546
#define DHCP6_SERVER_PORT   547
#define DHCP6_IAS_MAX       4 /* identity associations of a message that are read */
#define DHCP6_ADDRESSES_MAX 4 /* addresses in one */

enum dhcp6_type {
	DHCP6_SOLICIT = 1,
	DHCP6_ADVERTISE,
	DHCP6_REQUEST,
	DHCP6_CONFIRM,
	DHCP6_RENEW,
	DHCP6_REBIND,
	DHCP6_REPLY,
	DHCP6_RELEASE,
	DHCP6_DECLINE,
	DHCP6_RECONFIGURE,
	DHCP6_INFORMATION,
};

enum dhcp6_option {
	DHCP6_OPTION_CLIENT_ID = 1,
	DHCP6_OPTION_SERVER_ID = 2,
	DHCP6_OPTION_IA = 3, /* for non-temporary addresses */
	DHCP6_OPTION_ADDRESS = 5,
	DHCP6_OPTION_WANTED = 6,
	DHCP6_OPTION_STATUS = 13,
	DHCP6_OPTION_RAPID_COMMIT = 14,
	DHCP6_OPTION_DNS = 23,    /* RFC 3646 */
	DHCP6_OPTION_SEARCH = 24, /* RFC 3646 */
	DHCP6_OPTION_FQDN = 39,   /* RFC 4704 */
};

enum dhcp6_status {
	DHCP6_SUCCESS = 0,
	DHCP6_NO_ADDRESSES = 2,
	DHCP6_NO_BINDING = 3,
	DHCP6_NOT_ON_LINK = 4,
};

/* A part of the message. */
struct dhcp6_text {
	const uint8_t *bytes; /* NULL: not there */
	uint16_t length;
};

struct dhcp6_ia {
	uint32_t id;
	unsigned count;
	union addr address[DHCP6_ADDRESSES_MAX];
};

struct dhcp6 {
	uint8_t type; /* enum dhcp6_type */
	uint8_t transaction[3];
	struct dhcp6_text client_id, server_id;
	struct dhcp6_text wanted; /* codes of options that are asked for */
	struct dhcp6_text fqdn;   /* a name, in labels */
	bool rapid_commit;
	unsigned ia_count;
	struct dhcp6_ia ia[DHCP6_IAS_MAX];
};

/* False where it is no message of a client's with well-formed options.  Texts point into the
 * bytes. */
bool dhcp6_parse(const uint8_t *bytes, size_t length, struct dhcp6 *dhcp);
/* Did the client ask for this option, or ask for none in particular? */
bool dhcp6_wants(const struct dhcp6 *dhcp, enum dhcp6_option option);

/* A message that is being written. */
struct dhcp6_reply {
	uint8_t *bytes;
	size_t length, capacity;
};
void dhcp6_reply_begin(struct dhcp6_reply *reply, uint8_t *bytes, size_t capacity,
	const struct dhcp6 *request, enum dhcp6_type type);
/* Left out where there is no room. */
void dhcp6_reply_option(
	struct dhcp6_reply *reply, enum dhcp6_option option, const void *data, size_t length);
void dhcp6_reply_status(struct dhcp6_reply *reply, enum dhcp6_status status);
/* An association.  What is written behind it is in it, until it is ended; its place is what the
 * first returns. */
size_t dhcp6_reply_ia_begin(
	struct dhcp6_reply *reply, uint32_t id, uint32_t renew_s, uint32_t rebind_s);
void dhcp6_reply_address(struct dhcp6_reply *reply, const union addr *address, uint32_t seconds);
void dhcp6_reply_ia_end(struct dhcp6_reply *reply, size_t place);

#endif
