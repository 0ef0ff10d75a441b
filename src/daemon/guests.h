/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests: the links, as they come and go.
 */
#ifndef TUNGATE_DAEMON_GUESTS_H
#define TUNGATE_DAEMON_GUESTS_H

#include "daemon/daemon.h"
#include "host/netlink.h"
#include "link/link.h"

int guests_create(struct daemon *daemon, struct guests **result);
void guests_free(struct guests *guests);
/* Attach the config's links that are not attached.  One that cannot be is logged and tried again
 * when its namespace may have appeared. */
void guests_start(struct guests *guests);
/* Links of the config changed (reload): detach those that are gone or different, attach the new. */
void guests_update(struct guests *guests);
/* An interface of the host's has appeared, changed, or gone (`interface` is NULL then).  `guests`
 * may be NULL: there are none yet. */
void guests_interface_changed(
	struct guests *guests, int ifindex, const struct host_interface *interface);
/* A link's LAN services have been called: their timer follows. */
void guests_lan_arm(struct guests *guests, zone_id zone);

/* The link of a zone, or NULL. */
struct link *guests_link(const struct guests *guests, zone_id zone);
/* Is any link attached to this network? */
bool guests_on_network(const struct guests *guests, uint16_t network);

/* As in struct daemon_ops. */
bool guests_describe(struct guests *guests, unsigned index, struct daemon_link *link);
const char *guests_name(const struct guests *guests, zone_id zone);
bool guests_find(void *context, uint16_t network, const char *name, uint8_t family,
	uint8_t *found_family, union addr *address);
/* The link of this name, or the one that differs in capitals alone, which DNS does not know; one
 * that is not attached has no addresses. */
bool guests_find_link(
	const struct guests *guests, uint16_t network, const char *name, struct daemon_link *link);
/* The name of the link that was attached with this address, or NULL. */
const char *guests_name_of_address(
	const struct guests *guests, uint16_t network, uint8_t family, const union addr *address);
int guests_attach(struct guests *guests, const struct daemon_attach *attach,
	struct daemon_link *link, struct request_error *error);
int guests_detach(
	struct guests *guests, uint16_t network, const char *name, struct request_error *error);

#endif
