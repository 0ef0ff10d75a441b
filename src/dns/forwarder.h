/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forwarder: answers guests' DNS questions at the gateway's addresses.
 *
 *	serve_udp, serve_tcp    a question comes
 *	question                what it may be answered with: own names, policy, DNS64, the cache
 *	lookup, ask             upstream, for as many as ask the same at one time
 *	respond                 what the client is told: private addresses, policy, size
 *	clients                 how much of all this one guest may have
 *
 * Listening sockets are in whatever namespace they were made in; servers are asked from the
 * current one, the host's.
 */
#ifndef TUNGATE_DNS_FORWARDER_H
#define TUNGATE_DNS_FORWARDER_H

#include <uv.h>
#include "base/log.h"
#include "dns/cache.h"
#include "dns/names.h"
#include "dns/policy.h"
#include "dns/servers.h"

struct dns_forwarder;
struct dns_channel;

struct dns_forwarder_settings {
	uv_loop_t *loop;
	const struct log *log;
	const char *resolv_conf; /* path; must outlive the forwarder */
	struct dns_directory directory;
	struct dns_policy policy; /* functions may be NULL: everything is allowed */
	/* The link that a client's datagram or connection came by; ZONE_NONE: unknown. */
	zone_id (*client)(void *context, uint16_t network, uint8_t protocol, uint8_t family,
		const union addr *peer, uint16_t port);
	void *context;
};

/* Of one network. */
#define DNS_COUNTERS(X)                                                                            \
	X(queries)   /* that came */                                                               \
	X(own)       /* answered from names of ours */                                             \
	X(hits)      /* ... from the cache */                                                      \
	X(forwarded) /* asked upstream */                                                          \
	X(failures)  /* ... without any server's answer */                                         \
	X(refused)   /* names that policy forbids */                                               \
	X(blocked)   /* answers with private addresses */                                          \
	X(truncated) /* answers too long for UDP */                                                \
	X(malformed) /* messages that are none, or no question */                                  \
	X(dropped)   /* that gave way to newer ones, or came on too many connections */
struct dns_counters {
#define X(name) uint64_t name;
	DNS_COUNTERS(X)
#undef X
};

/* 0 or -errno.  `config` must outlive its use: until the next update, or the end. */
int dns_forwarder_create(const struct dns_forwarder_settings *settings, const struct config *config,
	struct dns_forwarder **result);
/* Take up another configuration; what was remembered is forgotten.  0 or -errno, and nothing has
 * changed. */
int dns_forwarder_update(struct dns_forwarder *forwarder, const struct config *config);
/* No listening socket may be left.  Memory is freed once libuv has let go of its handles. */
void dns_forwarder_free(struct dns_forwarder *forwarder);

/* Answer what comes to a bound socket, SOCK_DGRAM or listening SOCK_STREAM, for guests of a
 * network; the socket is the forwarder's once this succeeds.  0 or -errno. */
int dns_forwarder_listen(
	struct dns_forwarder *forwarder, uint16_t network, int fd, struct dns_channel **listener);
void dns_listener_close(struct dns_channel *listener);

/* ---- looking inside ---- */

void dns_forwarder_flush(struct dns_forwarder *forwarder);
void dns_forwarder_cache(const struct dns_forwarder *forwarder, struct dns_cache_status *status);
const struct dns_counters *dns_forwarder_counters(
	const struct dns_forwarder *forwarder, uint16_t network);
/* The servers that a network asks. */
const struct dns_list *dns_forwarder_servers(struct dns_forwarder *forwarder, uint16_t network);

#endif
