/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * defaults: what a config says where its file says nothing.
 *
 * Values of single keys are in the table of keys; here is what needs more than one value: the
 * built-in network and rules, and what follows from other values.
 */
#ifndef TUNGATE_CONFIG_DEFAULTS_H
#define TUNGATE_CONFIG_DEFAULTS_H

#include "tungate/config.h"

#define DEFAULT_NETWORK_NAME   "default"
#define DEFAULT_NETWORK_SUBNET "10.77.0.0/24,fd77:7467::/64"

/* The policy of a chain that has no section, or whose section does not tell. */
enum rule_action default_policy(enum chain chain);
/* Fill a chain without a section, or the [nat] rules, with the built-in rules; false: no memory. */
bool default_rules(struct config *config, enum chain chain);
bool default_nat(struct config *config);
/* Give gateway addresses to a network, and network and device to a link, where they have none. */
void default_gateways(struct network_config *network);
/* A network without a domain is called by its own name. */
void default_domain(struct network_config *network);
void default_link(const struct config *config, struct link_config *link);

/* A link whose network is not known yet. */
#define NETWORK_UNKNOWN UINT16_MAX

#endif
