/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * publish: published ports: the engine's forwards, the sockets that hold the ports on the host, and
 * the relays that serve the host itself.
 *
 * From outside a packet meets the engine and is translated; the host's own connections
 * (127.0.0.1:8080, own-address:8080) never cross the uplink, so they arrive at the listening
 * socket and are carried to the guest from the service namespace.
 */
#ifndef TUNGATE_DAEMON_PUBLISH_H
#define TUNGATE_DAEMON_PUBLISH_H

#include "daemon/daemon.h"

int publish_create(struct daemon *daemon, struct publish **result);
void publish_free(struct publish *publish);

int publish_add(
	struct publish *publish, const struct forward *forward, struct request_error *error);
int publish_del(
	struct publish *publish, const struct forward *forward, struct request_error *error);
/* The config is another: so may be what its lines `dnat` lead in.  No socket holds such a port, and
 * the host's own program on it is not heard from outside any more. */
int publish_renew(struct publish *publish);
/* Forward `index`, or NULL past the last. */
const struct forward *publish_get(const struct publish *publish, unsigned index);

#endif
