/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * networks: which network is meant.
 *
 * Networks may have the same subnet, and guests of different networks the same name.  So a guest is
 * written GUEST where that is clear, and NETWORK/GUEST anywhere: "web", "lab/web",
 * "lab/10.77.0.2".
 */
#ifndef TUNGATE_CONFIG_NETWORKS_H
#define TUNGATE_CONFIG_NETWORKS_H

#include "config/words.h"
#include "tungate/config.h"

#define NETWORK_ANY       (-1)
#define NETWORK_NOWHERE   (-1)
#define NETWORK_AMBIGUOUS (-2) /* the sentence has been said */

/* Does whoever asks know of this network? */
bool network_is_seen(const struct config_names *names, unsigned network);
/* The subnet of a network, of one family (family 0 in it: none). */
const struct prefix *network_subnet(const struct network_config *network, uint8_t family);
/* Is it the gateway's address on one of the networks? */
bool networks_have_gateway(const struct config *config, uint8_t family, const union addr *address);

/*
 * Step over "NETWORK/" at the beginning of *text, if it is there, and say which one; else *network
 * is NETWORK_ANY.  False, with a sentence, where there is no such network.
 */
bool network_cut(const struct config *config, const struct config_names *names, const char **text,
	int *network, const struct sentence *why);

/* The network with this address: `wanted`, where that is one, or the only one that has it. */
int network_find(const struct config *config, const struct config_names *names, int wanted,
	uint8_t family, const union addr *address, const struct sentence *why);

#endif
