/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leases: the addresses that guests were given by DHCP, and the names that they have, in a file
 * that outlives the gateway.
 *
 * A line of it, in words, for people and for the next start:
 *
 *	NETWORK LINK ADDRESS MAC EXPIRES NAME CLIENT-ID
 *	lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z web 01525400123456
 *
 * with `-` where there is none.  The file is replaced whole, never written into.  Lines that cannot
 * be read are reported, and what they were is left in `leases.damaged`.
 *
 * One that is over is remembered for a month, so that a guest that comes back finds its address.
 */
#ifndef TUNGATE_DAEMON_LEASES_H
#define TUNGATE_DAEMON_LEASES_H

#include "daemon/daemon.h"
#include "lan/lan.h"

#define LEASE_ID_TEXT_SIZE (2 * LAN_CLIENT_ID_MAX + 1)

struct known_lease {
	char network[CONFIG_NAME_SIZE];
	char link[CONFIG_NAME_SIZE];
	char name[CONFIG_NAME_SIZE]; /* "": none */
	uint8_t family;
	union addr address;
	uint8_t mac[6];
	uint8_t id_length;
	uint8_t id[LAN_CLIENT_ID_MAX];
	int64_t expires_s; /* Unix time */
};

/* A text of lines as above.  `line_failed` is told of those that are none. */
struct lease_list {
	struct known_lease *lease;
	unsigned count;
};
void leases_parse(struct lease_list *list, const char *text,
	void (*line_failed)(void *context, unsigned line, const char *text), void *context);
/* One line of at most LEASE_LINE_SIZE bytes, with its end of line. */
#define LEASE_LINE_SIZE 512
void lease_format(const struct known_lease *lease, char line[LEASE_LINE_SIZE]);

struct leases_file;

/* Read what there is.  0 or -ENOMEM. */
int leases_open(struct daemon *daemon, struct leases_file **result);
/* Write what has not been written yet. */
void leases_close(struct leases_file *leases);

/* A link's services tell of a lease, and of a name.  A name that somebody else of the network has
 * stays his, whatever family his address is of; nobody is called `wpad` or `isatap` whom the config
 * does not call so. */
void leases_changed(struct leases_file *leases, uint16_t network, const char *link,
	const struct lan_lease *told);
void leases_named(struct leases_file *leases, uint16_t network, uint8_t family,
	const union addr *address, const char *name);
/* Give a link's services what they gave before. */
void leases_restore(
	const struct leases_file *leases, uint16_t network, const char *link, struct lan *lan);

/* The address that a link's guest had; false: none. */
bool leases_of_link(const struct leases_file *leases, uint16_t network, const char *link,
	uint8_t family, union addr *address);
/* Is the address leased, now, by another link than this? */
bool leases_has(const struct leases_file *leases, uint16_t network, const char *link,
	uint8_t family, const union addr *address);
/* A guest's address by its name, and the other way round. */
bool leases_find_name(const struct leases_file *leases, uint16_t network, const char *name,
	uint8_t family, union addr *address);
const char *leases_name_of(const struct leases_file *leases, uint16_t network, uint8_t family,
	const union addr *address);

/* The leases one by one; NULL past the last. */
const struct known_lease *leases_at(const struct leases_file *leases, unsigned index);

#endif
