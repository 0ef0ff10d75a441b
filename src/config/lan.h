/* SPDX-License-Identifier: BSD-2-Clause */
/* lan: the keys of [network NAME] that say what guests of Ethernet links are told. */
#ifndef TUNGATE_CONFIG_LAN_H
#define TUNGATE_CONFIG_LAN_H

#include "config/problems.h"
#include "config/words.h"

/* As value_parse(). */
bool pool_value(const char *text, struct addr_range *pool, const struct sentence *why);
bool domain_value(const char *text, char domain[CONFIG_DOMAIN_SIZE], const struct sentence *why);
bool route_value(const char *text, struct network_config *network, const struct sentence *why);
bool lease_value(const char *text, unsigned line, struct network_config *network,
	const struct sentence *why);

/* Whether they fit the network. */
void check_network_lan(const struct network_config *network, struct problems *problems);

#endif
