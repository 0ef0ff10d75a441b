/* SPDX-License-Identifier: BSD-2-Clause */
/* check: what no single key can tell: whether the parts of a config fit together. */
#ifndef TUNGATE_CONFIG_CHECK_H
#define TUNGATE_CONFIG_CHECK_H

#include "config/problems.h"

/* Whether a host of the subnet may have this address: it is inside, not the first one (the network
 * itself; in IPv6 the routers' anycast address), nor IPv4's last one (broadcast). */
bool subnet_has_host(const struct prefix *subnet, const union addr *address);

/* One network or link by itself; for sections whose keys were all good. */
void check_network(const struct network_config *network, struct problems *problems);
void check_link(
	const struct config *config, const struct link_config *link, struct problems *problems);
/* What networks say of who may reach whom, where `line` begins a [filter forward] of the user's. */
void check_isolation(const struct config *config, unsigned line, struct problems *problems);
/* Owners, ports, quotas: networks against each other and against [gateway]. */
void check_shares(const struct config *config, struct problems *problems);
/* The rules of all chains together: jumps, numbers. */
void check_chains(const struct config *config, struct problems *problems);
/* Networks, links and forwards against each other.  What a faulty section left empty is skipped. */
void check_config(const struct config *config, struct problems *problems);

#endif
