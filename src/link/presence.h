/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * presence: addresses on the uplink's wire that the host itself does not have.
 *
 * Who answers there for an address gets its packets.  So for those that are the gateway's alone it
 * answers ARP requests and neighbour solicitations with the interface's own MAC address, tells
 * the neighbours without being asked when an address is new or the MAC another, and says in the
 * log when somebody else claims one of them.
 */
#ifndef TUNGATE_LINK_PRESENCE_H
#define TUNGATE_LINK_PRESENCE_H

#include "base/addr.h"
#include "base/log.h"

struct presence;

/* Open on an interface with Ethernet header.  Nothing is answered yet.  0 or -errno, logged. */
int presence_open(const struct log *log, const char *name, int ifindex, const uint8_t mac[6],
	struct presence **presence);
void presence_close(struct presence *presence);
/* For polling; presence_readable() when there is something to answer. */
int presence_fd(const struct presence *presence);
void presence_readable(struct presence *presence);

/* From now on answer for these prefixes (copied), but not for the addresses of `host`, each of full
 * length, that are in them; announce those that are new.  0 or -ENOMEM: as before. */
int presence_set(struct presence *presence, const struct prefix *prefixes, unsigned count,
	const struct prefix *host, unsigned host_count);
/* Announce all of them (again): the link was down, or the MAC address is another. */
void presence_announce(struct presence *presence, const uint8_t mac[6]);

#endif
