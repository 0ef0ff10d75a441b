/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_parts: what the files of requests share; private to requests*.c.
 */
#ifndef TUNGATE_DAEMON_REQUESTS_PARTS_H
#define TUNGATE_DAEMON_REQUESTS_PARTS_H

#include <jansson.h>
#include <sys/queue.h>
#include "control/params.h"
#include "daemon/access.h"
#include "daemon/requests.h"

struct follower;

struct requests {
	struct daemon_ops ops;
	LIST_HEAD(, follower) followers; /* of connections.follow */
};

#define ARRAY_COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- JSON (requests_json.c) ---- */

struct member {
	const char *key;
	json_t *value; /* taken over */
};
/* An object of these members; NULL where one of them is NULL: out of memory. */
json_t *object_json(const struct member *members, unsigned count);

/* The text, or null where it is NULL. */
json_t *text_json(const char *text);
json_t *number_json(uint64_t number);
/* "tcp", "udp", "icmp", "icmpv6", or the number. */
void protocol_format(uint8_t protocol, char *text, size_t size);
/* Null where the address is zero, or the prefix has no family. */
json_t *address_json(uint8_t family, const union addr *address);
json_t *prefix_json(const struct prefix *prefix);
json_t *counter_json(const struct counter *counter);
json_t *link_json(struct requests *requests, const struct daemon_link *link);

/* Is the network named so one that the peer sees?  Its index, or -1. */
int network_named(struct requests *requests, const struct control_peer *peer, const char *name);
/* The name of a network; "?" where a reload has taken it away. */
const char *network_name(struct requests *requests, unsigned network);

/* The link that `NAME` or `NETWORK/NAME` means; false after the request was answered. */
bool link_choose(struct requests *requests, struct control_request *request, const char *text,
	struct daemon_link *link);

/* Answer with the error that an operation of the daemon returned. */
void request_fail_with(struct control_request *request, int err, const struct request_error *error);

/* ---- who asks ---- */

/* Does whoever asks see what belongs to this network? */
bool peer_sees(struct requests *requests, const struct control_peer *peer, unsigned network);
bool peer_is_admin(struct requests *requests, const struct control_peer *peer);
/* Guests and networks as whoever asks knows them. */
struct peer_view {
	struct requests *requests;
	const struct control_peer *peer;
};
struct config_names peer_names(struct peer_view *view);

/* What a network has, and whether its owner may have (so many) more. */
unsigned link_count(struct requests *requests, unsigned network);
unsigned forward_count(struct requests *requests, unsigned network);
bool links_have_room(struct requests *requests, unsigned network);
bool forwards_have_room(struct requests *requests, unsigned network, unsigned more);

/* ---- lists that may have thousands of items (requests_view.c) ---- */

struct list_walk {
	struct requests *requests;
	const struct control_peer *peer;
	uint32_t cursor; /* 0 at first */
	unsigned second; /* where a list follows another; likewise */
};
/* Answer with a list, whose items `next` makes one by one, as control_producer.next does; its
 * context is a struct list_walk. */
void list_reply(struct requests *requests, struct control_request *request,
	bool (*next)(void *context, json_t **item));

/* ---- handlers ---- */

typedef void request_handler(void *context, struct control_request *request);

request_handler handle_attach, handle_detach, handle_reload, handle_original;
request_handler handle_forward_add, handle_forward_del, handle_forward_list;
request_handler handle_rules, handle_rules_trace;
request_handler handle_dns, handle_dns_flush;
request_handler handle_guests, handle_domains, handle_leases;
request_handler handle_connections, handle_connections_follow, handle_connections_flush;
request_handler handle_expectations;

#endif
