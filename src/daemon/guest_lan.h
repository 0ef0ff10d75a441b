/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_lan: the LAN services of one Ethernet link, and what ties them to the rest of the gateway:
 * addresses that the guest takes, leases that are remembered, names.
 */
#ifndef TUNGATE_DAEMON_GUEST_LAN_H
#define TUNGATE_DAEMON_GUEST_LAN_H

#include "daemon/daemon.h"
#include "lan/lan.h"

struct guest_lan;

struct guest_lan_settings {
	zone_id zone;
	uint16_t network;
	const char *name; /* the link's */
	bool many;
	union addr address4, address6; /* one guest: as they were settled */
	uint16_t mtu;
	const uint8_t *mac; /* one guest: the only one accepted; NULL: any */
};

/* 0, or -ENOMEM.  The services are ready for the link's first frame; the engine must know the link
 * before that. */
int guest_lan_open(
	struct daemon *daemon, const struct guest_lan_settings *wanted, struct guest_lan **result);
/* The network's keys have changed. */
void guest_lan_update(struct guest_lan *own);
/* Before the link is taken from the engine. */
void guest_lan_close(struct guest_lan *own);

/* What frames are given to, and taken from. */
struct lan *guest_lan_services(struct guest_lan *own);

#endif
