/* SPDX-License-Identifier: BSD-2-Clause */
/* host: the keys of [network NAME] that make the host a neighbour of its guests. */
#ifndef TUNGATE_CONFIG_HOST_H
#define TUNGATE_CONFIG_HOST_H

#include "config/problems.h"
#include "config/words.h"

/* As value_parse(): one more service. */
bool host_service_value(const char *text, unsigned line, struct network_config *network,
	const struct sentence *why);

/* Whether they fit the network, and each other. */
void check_network_host(const struct network_config *network, struct problems *problems);

#endif
