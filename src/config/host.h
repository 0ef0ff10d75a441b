/* SPDX-License-Identifier: BSD-2-Clause */
/* host: the keys of [network NAME] that make the host a neighbour of its guests. */
#ifndef TUNGATE_CONFIG_HOST_H
#define TUNGATE_CONFIG_HOST_H

#include "config/problems.h"
#include "config/words.h"

#define HOST_LINK_NAME "host-" /* and the network's name */

/* As value_parse(). */
bool host_link_value(const char *text, unsigned line, struct network_config *network,
	const struct sentence *why);
/* One more service. */
bool host_service_value(const char *text, unsigned line, struct network_config *network,
	const struct sentence *why);

/* Whether they fit the network, and each other. */
void check_network_host(const struct network_config *network, struct problems *problems);
/* Whether the host would have two routes to the same addresses. */
void check_host_routes(const struct config *config, const struct link_config *link,
	const struct link_config *other, struct problems *problems);

/* The link that a network's `host-link` stands for: all but its name. */
void host_link_fill(const struct network_config *network, uint16_t index, struct link_config *link);

#endif
