/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owned: the addresses outside that [nat] makes the gateway's, and what the host has of them.
 *
 * The outside of `map` and `npt` is the gateway's alone, whatever comes to it.  Of an address of
 * `snat` the line's ports are, where the host has it, too; one that the host has not is the
 * gateway's alone as well.  An address of the host inside a prefix stays the host's.
 *
 * A network whose guests may leave untranslated is owned whole: answers come to their own
 * addresses.
 */
#ifndef TUNGATE_DAEMON_OWNED_H
#define TUNGATE_DAEMON_OWNED_H

#include "daemon/daemon.h"
#include "host/claims.h"
#include "host/netlink.h"

struct host_address {
	int ifindex;
	struct prefix subnet; /* that is on the link with it */
	struct claimed_address address;
};

struct owned {
	struct owned_prefix *prefixes;
	unsigned count;
	struct shared_address shared[CLAIMS_SHARED_MAX];
	unsigned shared_count;
	struct host_address *host;
	unsigned host_count;
};

/* Work it out anew from the config and from the addresses that the host has now.  0, or -errno: as
 * before. */
int owned_renew(struct owned *owned, const struct config *config, struct host_netlink *netlink);
void owned_free(struct owned *owned);

/* Is it a single address that the gateway has whole? */
bool owned_is_whole(const struct owned *owned, uint8_t family, const union addr *address);
/* ... or one of the host's of which it has ports of its own? */
bool owned_is_shared(const struct owned *owned, uint8_t family, const union addr *address);

/* Is there one that the host has, too, so that its kernel would answer for it? */
bool owned_is_on_host(const struct owned *owned);

/* Can the gateway have what the config says, without taking it from the host's programs?  0, or
 * -errno with a sentence about what cannot be. */
int owned_check(const struct log *log, const struct config *config, struct host_netlink *netlink,
	struct request_error *error);

#endif
