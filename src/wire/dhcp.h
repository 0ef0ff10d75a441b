/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp: messages of DHCP for IPv4 (RFC 2131, RFC 2132), as UDP payloads.
 *
 * Parsing yields what a server acts on, with options out of the fields `file` and `sname` where
 * they are overloaded.  Building writes options one after the other as long as there is room.
 */
#ifndef TUNGATE_WIRE_DHCP_H
#define TUNGATE_WIRE_DHCP_H

#include <stddef.h>
#include "wire/headers.h"

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_BYTES_LEAST 300 /* what BOOTP relays and old clients expect: RFC 1542, 2.1 */

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
};

enum dhcp_option {
	DHCP_OPTION_PAD = 0,
	DHCP_OPTION_MASK = 1,
	DHCP_OPTION_ROUTER = 3,
	DHCP_OPTION_DNS = 6,
	DHCP_OPTION_HOST_NAME = 12,
	DHCP_OPTION_DOMAIN = 15,
	DHCP_OPTION_MTU = 26,
	DHCP_OPTION_BROADCAST = 28,
	DHCP_OPTION_REQUESTED = 50,
	DHCP_OPTION_LEASE_TIME = 51,
	DHCP_OPTION_OVERLOAD = 52,
	DHCP_OPTION_TYPE = 53,
	DHCP_OPTION_SERVER = 54,
	DHCP_OPTION_PARAMETERS = 55,
	DHCP_OPTION_MESSAGE = 56,
	DHCP_OPTION_MAX_SIZE = 57,
	DHCP_OPTION_T1 = 58,
	DHCP_OPTION_T2 = 59,
	DHCP_OPTION_CLIENT_ID = 61,
	DHCP_OPTION_RAPID_COMMIT = 80, /* RFC 4039 */
	DHCP_OPTION_FQDN = 81,         /* RFC 4702 */
	DHCP_OPTION_SEARCH = 119,      /* RFC 3397 */
	DHCP_OPTION_ROUTES = 121,      /* RFC 3442 */
	DHCP_OPTION_END = 255,
};

#define DHCP_FLAG_BROADCAST 0x8000

/* A part of the message. */
struct dhcp_text {
	const uint8_t *bytes; /* NULL: not there */
	uint8_t length;
};

struct dhcp {
	uint8_t type; /* enum dhcp_type */
	be32 transaction;
	uint16_t flags;
	union addr client; /* ciaddr */
	union addr relay;  /* giaddr */
	uint8_t mac[6];    /* chaddr */
	/* options; zero where they are absent */
	union addr requested;
	union addr server;
	uint16_t max_size; /* of the IP packet that the client takes */
	bool rapid_commit;
	struct dhcp_text client_id;
	struct dhcp_text host_name;
	struct dhcp_text fqdn; /* its name, as text or, with fqdn_is_wire, as labels */
	bool fqdn_is_wire;
	struct dhcp_text parameters; /* codes of options that are asked for */
};

/* False where it is no request of an Ethernet client with well-formed options.  Texts point into
 * the bytes. */
bool dhcp_parse(const uint8_t *bytes, size_t length, struct dhcp *dhcp);
/* Did the client ask for this option, or ask for none in particular? */
bool dhcp_wants(const struct dhcp *dhcp, enum dhcp_option option);

/* A reply that is being written. */
struct dhcp_reply {
	uint8_t *bytes;
	size_t length, capacity;
};
/* Begin with what goes back as it came; capacity: DHCP_BYTES_LEAST at least. */
void dhcp_reply_begin(struct dhcp_reply *reply, uint8_t *bytes, size_t capacity,
	const struct dhcp *request, enum dhcp_type type, const union addr *yours);
/* Left out where there is no room. */
void dhcp_reply_option(
	struct dhcp_reply *reply, enum dhcp_option option, const void *data, size_t length);
void dhcp_reply_u32(struct dhcp_reply *reply, enum dhcp_option option, uint32_t value);
/* Returns the length. */
size_t dhcp_reply_end(struct dhcp_reply *reply);

#endif
