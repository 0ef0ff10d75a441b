/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names: what a network's gateway knows itself: static names, guests' names, its own, and the names
 * that nobody else should be asked for.
 *
 * In this order, the first that fits:
 *	localhost                   the asker itself (RFC 6761)
 *	dns-name lines              their addresses; and the names of these addresses
 *	gateway.DOMAIN, GUEST.DOMAIN, and both alone; names of addresses in the network's subnets
 *	host.tungate                the gateway's address where the host serves its guests
 *	dns-zone lines              the longest that fits: asked there
 *	DOMAIN, tungate, the subnets' reverse zones: nothing else exists in there
 *	special-use names, private reverse zones: nobody else's business
 * All others are asked for upstream.
 */
#ifndef TUNGATE_DNS_NAMES_H
#define TUNGATE_DNS_NAMES_H

#include "dns/message.h"
#include "tungate/config.h"

#define DNS_OWN_TTL_S 30

/* What the daemon knows about guests; names are in lower case. */
struct dns_directory {
	void *context;
	/* A guest's address by its name. */
	bool (*address)(void *context, uint16_t network, const char *name, uint8_t family,
		union addr *address);
	/* A guest's name by its address. */
	bool (*name)(void *context, uint16_t network, uint8_t family, const union addr *address,
		char name[CONFIG_NAME_SIZE]);
	/* Does the host serve the network's guests anything at the gateway's address? */
	bool (*serves)(void *context, uint16_t network);
};

struct dns_own;

/* For one network; the config must outlive it.  NULL: out of memory. */
struct dns_own *dns_names_create(
	const struct config *config, uint16_t network, const struct dns_directory *directory);
void dns_names_free(struct dns_own *names);

enum dns_names_result {
	NAMES_ANSWERED, /* the answer, but for its flags, is written: no rcode but `rcode` */
	NAMES_ZONE,     /* ask the servers of zone `zone` of the network's config */
	NAMES_UPSTREAM,
};
enum dns_names_result dns_names_find(const struct dns_own *names, const struct dns_message *query,
	struct dns_writer *writer, unsigned *rcode, unsigned *zone);
/* May the name have private addresses (dns-rebind, dns-rebind-allow)? */
bool dns_names_may_be_private(const struct dns_own *names, const struct dns_name *name);

#endif
