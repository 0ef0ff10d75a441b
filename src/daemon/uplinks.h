/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uplinks: the host's interfaces that routes lead out of, and the paths over them.
 *
 * An uplink is opened when a route first names it, and closed when the interface goes.  A path is
 * what a packet needs to leave: uplink, next hop, its MAC.  The engine knows paths by number only.
 */
#ifndef TUNGATE_DAEMON_UPLINKS_H
#define TUNGATE_DAEMON_UPLINKS_H

#include "daemon/daemon.h"
#include "host/claims.h"

int uplinks_create(struct daemon *daemon, struct uplinks **result);
void uplinks_free(struct uplinks *uplinks);
/* Open the uplinks of the default routes (the engine exists by now).  Never fails: without a
 * default route a warning says so, and routes that appear later are followed. */
void uplinks_start(struct uplinks *uplinks);

/* engine_host.route. */
enum route_result uplinks_route(
	void *context, uint8_t family, const union addr *destination, struct route *route);
/* Send packets by their packet->path, in order. */
void uplinks_send(struct uplinks *uplinks, struct packet *const *packets, unsigned count);

/* Published ports changed: filters and guard follow.  0 or -errno. */
int uplinks_claims_set(struct uplinks *uplinks, const struct published *published, unsigned count);
/* Can the gateway have the addresses that [nat] of a config gives it?  0, or -errno with a
 * sentence. */
int uplinks_owned_check(
	struct uplinks *uplinks, const struct config *config, struct request_error *error);
/* The daemon's config has another [nat]: filters, guard and neighbours follow.  0 or -errno. */
int uplinks_owned_renew(struct uplinks *uplinks);
/* An address that only a default route leads to.  Nothing is sent to it. */
union addr uplinks_far_address(uint8_t family);
/* Does the guard keep packets from sockets of the host (clsact), or only silence it (sockets)? */
bool uplinks_are_shielded(const struct uplinks *uplinks);
/* Is this interface an uplink, or one of the config's that may become one? */
bool uplinks_named(const struct uplinks *uplinks, const char *name);
/* For `status`. */
void uplinks_status(struct uplinks *uplinks, struct daemon_status *status);

#endif
