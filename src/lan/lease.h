/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease: the addresses that DHCP gives on a link of many guests.
 *
 * A machine is its MAC address, which is what its packets are held to; so it has one address of
 * each family, whatever client identifiers its boot loader, its initial system and its system
 * come with.  An identifier counts where its machine has got another MAC and the lease is over
 * (RFC 4361).
 *
 *	none -> OFFERED       an offer, kept for a moment
 *	OFFERED, ENDED -> BOUND   the guest takes it
 *	BOUND -> ENDED        it is given back, or its time is over: remembered for its machine
 *			      until nothing else is left for others
 *	-> DECLINED           somebody else uses the address; nobody is given it for a while
 *
 * A free address is looked for from a place in the pool that the MAC says, so that a machine finds
 * its address even where the memory of it was lost.
 */
#ifndef TUNGATE_LAN_LEASE_H
#define TUNGATE_LAN_LEASE_H

#include "lan/lan.h"

#define LEASES_MAX    1024
#define LEASE_BUCKETS 256
#define LEASE_NONE    0xffff

enum lease_state { LEASE_FREE, LEASE_OFFERED, LEASE_BOUND, LEASE_DECLINED };

struct lease {
	uint8_t state;
	uint16_t next; /* of its bucket, or of the free ones */
	struct lan_lease lease;
};

struct leases {
	uint16_t max, free;
	uint16_t bucket[LEASE_BUCKETS];
	struct lease *lease;
	struct lan_reservation *reservation; /* copies */
	unsigned reservation_count;
	uint64_t none_until_ms; /* there is no free address; it was looked for just now */
};

/* Who asks. */
struct lease_client {
	uint8_t family;
	const uint8_t *mac;
	const uint8_t *id;
	uint8_t id_length;
	union addr wish; /* zero: none */
};

bool leases_create(struct lan *lan, uint16_t max);
/* Other reservations. */
bool leases_reserve(struct lan *lan, const struct network_config *network);
void leases_free(struct lan *lan);

/* The address that the client may have, and its record, which is its alone for a moment from now
 * on; NULL: there is none. */
struct lease *lease_offer(struct lan *lan, const struct lease_client *client);
/* The client's record, where it has an address that it may keep; NULL: none. */
struct lease *lease_of_client(struct lan *lan, const struct lease_client *client);
void lease_bind(
	struct lan *lan, struct lease *lease, const struct lease_client *client, uint32_t seconds);
void lease_end(struct lan *lan, struct lease *lease);
void lease_decline(struct lan *lan, struct lease *lease);
/* An offer that was not taken. */
void lease_withdraw(struct lan *lan, struct lease *lease);

/* Is the address leased to another MAC, now? */
bool lease_is_anothers(
	struct lan *lan, uint8_t family, const union addr *address, const uint8_t mac[6]);
/* The reservation of a MAC, or NULL. */
const struct lan_reservation *lease_reservation(
	const struct lan *lan, uint8_t family, const uint8_t mac[6]);

#endif
