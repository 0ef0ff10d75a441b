/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parts: what the files of the forwarder share; private to src/dns.
 *
 * Life of a request: it begins on the stack, where most end: answered from own names or the cache.
 * One that must wait is copied to the heap and is then in three lists: its client's, by age; its
 * channel's; and its lookup's.  It ends answered, or with the channel, or gives way to a newer one.
 */
#ifndef TUNGATE_DNS_PARTS_H
#define TUNGATE_DNS_PARTS_H

#include <netinet/in.h>
#include <sys/queue.h>
#include "dns/ask.h"
#include "dns/forwarder.h"
#include "dns/resolv_conf.h"

#define DNS_REQUESTS_MAX   1024 /* that wait, of all guests: as many sockets at most */
#define DNS_CLIENT_MAX     256  /* ... of one */
#define DNS_CLIENT_BUCKETS 256
#define DNS_LOOKUP_BUCKETS 256
#define DNS_QUERY_MAX      4096 /* bytes of a question that we take */
#define DNS_BURST          32
#define DNS_LOG_LINES      10 /* about answers, at most in so much time */
#define DNS_LOG_MS         10000

TAILQ_HEAD(dns_requests, dns_request);

/* What a question came by: a UDP socket, or one TCP connection. */
struct dns_channel {
	struct dns_forwarder *forwarder;
	uint16_t network;
	uint8_t protocol; /* IPPROTO_UDP or IPPROTO_TCP */
	struct dns_requests requests;
	unsigned request_count;
	void (*send)(struct dns_channel *channel, const struct sockaddr_storage *peer,
		const uint8_t *bytes, size_t length);
	void (*close)(struct dns_channel *channel); /* of listeners */
};

/* One guest, while it has requests that wait. */
struct dns_client {
	LIST_ENTRY(dns_client) bucket;
	LIST_ENTRY(dns_client) all;
	zone_id zone;
	uint16_t network;
	uint8_t family;
	union addr address;
	struct dns_requests requests; /* oldest first */
	unsigned count;
};

enum dns_stage {
	STAGE_PLAIN,   /* the answer is the client's */
	STAGE_FIRST,   /* DNS64: about AAAA */
	STAGE_SECOND,  /* ... about A */
	STAGE_REVERSE, /* ... about the IPv4 address's name */
};

struct dns_request {
	TAILQ_ENTRY(dns_request) of_client, of_channel, of_lookup;
	struct dns_channel *channel;
	struct dns_client *client; /* NULL: it does not wait */
	struct dns_lookup *lookup;
	struct sockaddr_storage peer;
	uint8_t family; /* of the peer, and so of the datagrams */
	uint16_t port;
	union addr address;
	zone_id zone;
	uint16_t network;
	struct dns_message query; /* its records are gone, its bytes are `question` */
	uint8_t question[DNS_HEADER_BYTES + DNS_NAME_BYTES_MAX + 4];
	/* What is asked upstream. */
	struct dns_list *list; /* referred to while it waits */
	struct dns_key key;
	bool trusted;   /* the answer may have private addresses */
	uint8_t stage;  /* enum dns_stage */
	uint8_t *first; /* STAGE_SECOND: the answer about AAAA */
	size_t first_length;
};

/* As the policy knows who asks. */
static inline struct dns_asker dns_request_asker(const struct dns_request *request)
{
	return (struct dns_asker){
		request->zone, request->network, request->family, request->address};
}

/* One question upstream. */
struct dns_lookup {
	LIST_ENTRY(dns_lookup) bucket;
	TAILQ_ENTRY(dns_lookup) fresh;
	bool is_fresh;
	struct dns_forwarder *forwarder;
	struct dns_key key;
	struct dns_requests waiting;
	struct dns_list *list;
	struct dns_server *order[DNS_SERVERS_MAX];
	unsigned count, tried; /* servers; attempts */
	uint64_t deadline_ms;
	uint16_t network;  /* whose counters */
	bool tcp, plain;   /* this attempt: over TCP, without EDNS */
	unsigned answered; /* bits of servers whose answer was of no use */
	unsigned rcode;    /* of that */
	struct dns_ask *ask;
	uint8_t question[DNS_NAME_BYTES_MAX]; /* as the first who asks wrote it */
};

struct dns_network {
	struct dns_own *names;
	struct dns_list *list;   /* NULL: the host's */
	struct dns_list **zones; /* in the order of the config */
	unsigned zone_count;
};

struct dns_forwarder {
	struct dns_forwarder_settings settings;
	const struct config *config;
	struct dns_servers *servers;
	struct resolv_conf *host;
	struct dns_cache *cache;
	struct dns_network *networks;
	unsigned network_count;
	struct dns_counters *counters; /* of CONFIG_NETWORKS_MAX networks: they stay */
	LIST_HEAD(, dns_client) clients;
	LIST_HEAD(, dns_client) client_buckets[DNS_CLIENT_BUCKETS];
	LIST_HEAD(, dns_lookup) lookups[DNS_LOOKUP_BUCKETS];
	TAILQ_HEAD(, dns_lookup) fresh; /* that have not asked yet */
	unsigned request_count;
	uint64_t log_from_ms; /* lines about answers are counted from here */
	unsigned log_count;
	/* Messages at work: what upstream says, what was remembered, what is made of it, what the
	 * client is told; and what clients ask. */
	uint8_t upstream[DNS_MESSAGE_MAX], remembered[DNS_MESSAGE_MAX], made[DNS_MESSAGE_MAX],
		reply[DNS_MESSAGE_MAX + DNS_UDP_MIN];
	uint8_t queries[DNS_BURST][DNS_QUERY_MAX];
};

static inline struct dns_counters *dns_count(
	const struct dns_forwarder *forwarder, uint16_t network)
{
	return &forwarder->counters[network];
}

/* ---- question.c ---- */

/* A message has come by a channel. */
void dns_question(struct dns_channel *channel, const struct sockaddr_storage *peer,
	const uint8_t *bytes, size_t length);
/* What a request waits for has been answered (`message` has no OPT record; NULL: nobody answered).
 * Returns whether it is done; if not, its key says what is asked next. */
bool dns_request_answered(struct dns_forwarder *forwarder, struct dns_request *request,
	const struct dns_message *message, unsigned rcode, bool private);
/* Answer it from the cache, as far as that goes; false where it has to wait for its key. */
bool dns_request_pursue(struct dns_forwarder *forwarder, struct dns_request *request);
/* Forget a request that waits; nothing is sent. */
void dns_request_free(struct dns_forwarder *forwarder, struct dns_request *request);
/* All that wait for answers by this channel. */
void dns_channel_forget(struct dns_channel *channel);

/* ---- respond.c ---- */

/* Send a message, in which nothing is written to, under the client's identifier and name. */
void dns_respond(struct dns_forwarder *forwarder, const struct dns_request *request,
	const struct dns_message *message, bool own);
/* Send a message without records. */
void dns_respond_error(struct dns_forwarder *forwarder, const struct dns_request *request,
	unsigned rcode, int ede, const char *text);
/* To what has a header and no more. */
void dns_respond_formerr(
	struct dns_channel *channel, const struct sockaddr_storage *peer, const uint8_t *header);

/* ---- clients.c ---- */

/* Room for one more request of this guest, for which the oldest may give way: of the guest where it
 * has its share, of the one who has most where all together have too many.  0 or -ENOMEM. */
int dns_client_admit(struct dns_forwarder *forwarder, struct dns_request *request);
void dns_client_release(struct dns_forwarder *forwarder, struct dns_request *request);

/* ---- lookup.c ---- */

/* Wait for the answer to request->key, which is asked for by dns_lookups_start(). */
void dns_lookup_join(struct dns_forwarder *forwarder, struct dns_request *request);
/* Begin to ask what somebody has begun to wait for: the last thing that is done about any event. */
void dns_lookups_start(struct dns_forwarder *forwarder);
/* Wait no longer; the last one ends the lookup. */
void dns_lookup_leave(struct dns_request *request);

/* ---- serve_udp.c, serve_tcp.c ---- */

int dns_serve_udp(
	struct dns_forwarder *forwarder, uint16_t network, int fd, struct dns_channel **result);
int dns_serve_tcp(
	struct dns_forwarder *forwarder, uint16_t network, int fd, struct dns_channel **result);

#endif
