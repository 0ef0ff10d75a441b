/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirects: what [nat] redirects to a program of the host, and what `host-service` offers to
 * guests, carried there.
 *
 * The engine leads such a connection of a guest to a port of the gateway's address.  There a
 * listening socket of the service namespace takes it, and a relay carries it to the same port of
 * the host's loopback.  What a guest sends to the socket of its own accord is reset, so nothing on
 * the loopback is open to it that the config does not lead there, unless the port is that of a
 * `host-service` of its network: then it is the way to a program of the host's.
 */
#ifndef TUNGATE_DAEMON_REDIRECTS_H
#define TUNGATE_DAEMON_REDIRECTS_H

#include "daemon/daemon.h"

int redirects_create(struct daemon *daemon, struct redirects **result);
void redirects_free(struct redirects *redirects);

/* Listen for what the daemon's config redirects and nobody listens for yet.  0, or -errno with a
 * sentence; then everything is as before. */
int redirects_prepare(struct redirects *redirects, struct request_error *error);
/* After that, either no longer listen for what the config has lost, or for what it had gained. */
void redirects_commit(struct redirects *redirects);
void redirects_abort(struct redirects *redirects);

/* The redirected connection whose proxy sees this address of the host as its peer. */
bool redirects_find(const struct redirects *redirects, uint8_t protocol, uint8_t family,
	const union addr *peer, uint16_t port, struct flow_info *flow);

#endif
