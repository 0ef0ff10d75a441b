/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: ordered rules, first match wins.
 *
 * A ruleset is made once, never changed but for its counters, and swapped whole.  The filter sees
 * guests' own addresses in both directions: behind the destination translation and before the
 * source translation, as netfilter's FORWARD does.
 */
#ifndef TUNGATE_ENGINE_FILTER_H
#define TUNGATE_ENGINE_FILTER_H

#include "tungate/engine.h"

struct chain_rules {
	unsigned count;
	uint8_t policy;
	struct rule *rule;
	struct counter *counter; /* count + 1 of them: the last is the policy's */
};

struct ruleset {
	struct chain_rules chain[CHAIN_COUNT];
	struct chain_rules nat;
};

/* What a rule looks at. */
struct filter_query {
	uint16_t in_network; /* NETWORK_NONE: the uplink */
	uint16_t out_network;
	uint8_t family;
	uint8_t protocol;
	uint8_t state;  /* one of RULE_STATE_* */
	bool forwarded; /* made by a published port */
	bool has_ports;
	bool is_icmp;
	uint8_t icmp_type, icmp_code;
	uint16_t source_port, destination_port; /* host order */
	const union addr *source, *destination;
};

/* Index of the first rule that matches, or the chain's count for its policy. */
uint16_t filter_run(const struct chain_rules *chain, const struct filter_query *query);
/* What rule `index` of the chain says. */
static inline uint8_t filter_action(const struct chain_rules *chain, uint16_t index)
{
	return index < chain->count ? chain->rule[index].action : chain->policy;
}

#endif
