/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns: what the DNS forwarder knows about the gateway: whose question it is, guests' names, policy.
 */
#ifndef TUNGATE_DAEMON_DNS_H
#define TUNGATE_DAEMON_DNS_H

#include "daemon/daemon.h"

/* Make daemon->dns.  0 or -errno. */
int daemon_dns_create(struct daemon *daemon);

#endif
