/* SPDX-License-Identifier: BSD-2-Clause */
/* dhcp_talk: a DHCP client of a segment, a message at a time. */
#ifndef TUNGATE_TESTS_DHCP_TALK_H
#define TUNGATE_TESTS_DHCP_TALK_H

#include "segment.h"
#include "wire/dhcp.h"

#define DHCP_TALK_LEASE_S 3600

struct dhcp_talk {
	struct segment segment;
	/* The answer that was taken last. */
	const uint8_t *message;
	size_t length;
	uint8_t type;
	char yours[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];
};

/* A segment with DHCP: a pool of 10.77.0.100 to 109, domain lab.example, an hour's leases, the link
 * called `web`. */
void dhcp_talk_init(struct dhcp_talk *talk, bool many);
/* Another instance, with what has become of the settings. */
void dhcp_talk_again(struct dhcp_talk *talk);

/* A client's message; what is NULL or 0 is left out. */
struct ask {
	uint8_t from; /* number of the guest */
	enum dhcp_type type;
	const char *requested, *client, *server, *relay;
	const char *host_name, *id, *fqdn, *parameters;
	bool broadcast, rapid;
	uint8_t mac; /* 0: that of the frame */
};

/* The message's bytes, for those who want to spoil them; returns the length. */
size_t dhcp_talk_make(const struct ask *ask, uint8_t *bytes);
/* One option; returns its length. */
size_t dhcp_talk_option_put(uint8_t *at, uint8_t code, const void *data, size_t length);
void dhcp_talk_send(
	struct dhcp_talk *talk, const uint8_t mac[6], const uint8_t *bytes, size_t length);
void dhcp_talk_ask(struct dhcp_talk *talk, struct ask ask);

/* Take an answer; false: there is none. */
bool dhcp_talk_take(struct dhcp_talk *talk);
/* The value of an option of it, NULL where it is not there. */
const uint8_t *dhcp_talk_option(const struct dhcp_talk *talk, uint8_t code, uint8_t *length);
/* One answer, of this type; `yours` NULL: any. */
void dhcp_talk_expect(struct dhcp_talk *talk, enum dhcp_type type, const char *yours);
void dhcp_talk_expect_option(
	const struct dhcp_talk *talk, uint8_t code, const void *wanted, size_t wanted_length);
/* A whole exchange; the address stays in talk->yours. */
void dhcp_talk_lease(struct dhcp_talk *talk, uint8_t guest);

#endif
