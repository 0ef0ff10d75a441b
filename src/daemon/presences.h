/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * presences: on each uplink, the answers for addresses of [nat] that the host has not.
 */
#ifndef TUNGATE_DAEMON_PRESENCES_H
#define TUNGATE_DAEMON_PRESENCES_H

#include "daemon/owned.h"
#include "daemon/uplinks_state.h"

/* Answer on the uplink for what is owned, is not the host's, and lies in a subnet that is on the
 * link there; or no longer for anything. */
void presence_renew(struct uplink *uplink, const struct owned *owned);
/* The interface changed: tell the neighbours again. */
void presence_repeat(struct uplink *uplink);
void presence_stop(struct uplink *uplink);

#endif
