/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service: the gateway's own hosts on its networks.
 *
 * Each network has a hidden namespace with one TUN in it, which has the gateway's address.  What
 * guests send to that address is handed to this TUN and answered by an ordinary kernel: ping, a
 * closed port, and the sockets that we open in there (DNS).  A namespace for each, so
 * that networks can have the same subnet, and what serves one cannot be reached from another.  The
 * other way round, whatever we connect to from in there (a published port used by the host itself)
 * reaches guests on any kind of link through the engine, as chain output.  So no TCP stack had to
 * be written.
 */
#ifndef TUNGATE_DAEMON_SERVICE_H
#define TUNGATE_DAEMON_SERVICE_H

#include "daemon/daemon.h"
#include "link/link.h"

/* Serve the config's networks.  0 or -errno, logged. */
int service_create(struct daemon *daemon, struct service **result);
/* Serve networks that the config has gained, and those no longer that a reload which failed has
 * taken back.  0 or -errno, logged. */
int service_update(struct service *service);
void service_free(struct service *service);
/* Descriptor of a network's namespace, or -1. */
int service_netns(const struct service *service, uint16_t network);
/* The device of a network, or NULL. */
struct link *service_link(const struct service *service, uint16_t network);

#endif
