/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * servers: whom questions are asked, in which order, and who has been of no use lately.
 *
 * A server is one address, shared by all lists that name it, so that what one network finds out
 * about it the others know.  A list never changes: a new configuration is a new list with a new
 * number, its view, which the cache tells answers apart by.  Both live as long as somebody refers
 * to them.
 */
#ifndef TUNGATE_DNS_SERVERS_H
#define TUNGATE_DNS_SERVERS_H

#include <sys/queue.h>
#include "tungate/config.h"

#define DNS_PORT       53
#define DNS_PENALTY_MS 10000 /* a server that did not answer is asked last */
#define DNS_TIMEOUT_MS 1500  /* for one answer, unless the host's resolv.conf says more or less */

struct dns_servers;

struct dns_server {
	LIST_ENTRY(dns_server) link;
	unsigned references;
	struct dns_servers *all;
	struct sockaddr_storage address;
	uint64_t penalty_until_ms;
	bool plain; /* it does not know EDNS */
	uint64_t asked, failed;
};

struct dns_list {
	unsigned references;
	uint32_t view;
	unsigned timeout_ms;
	bool rotate; /* the servers take turns */
	unsigned next;
	unsigned count;
	struct dns_server *server[DNS_SERVERS_MAX];
};

/* All servers that are known. */
struct dns_servers *dns_servers_create(void);
/* No list may be left. */
void dns_servers_free(struct dns_servers *all);
/* The servers one after the other: NULL first, NULL past the last. */
const struct dns_server *dns_servers_next(
	const struct dns_servers *all, const struct dns_server *server);

/* A list without servers, with one reference.  NULL: out of memory. */
struct dns_list *dns_list_create(struct dns_servers *all);
/* False where it is full, or out of memory. */
bool dns_list_add(
	struct dns_list *list, struct dns_servers *all, const struct sockaddr_storage *address);
struct dns_list *dns_list_ref(struct dns_list *list);
void dns_list_unref(struct dns_list *list);

/* The order to ask in now: those in penalty come last.  Returns how many. */
unsigned dns_list_order(
	struct dns_list *list, uint64_t now_ms, struct dns_server *order[DNS_SERVERS_MAX]);
void dns_server_failed(struct dns_server *server, uint64_t now_ms);
void dns_server_answered(struct dns_server *server);

#endif
