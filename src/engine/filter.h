/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: ordered rules, first match wins.
 *
 * A ruleset is made once, never changed but for what it counts, and swapped whole.  The filter sees
 * guests' own addresses in both directions: behind the destination translation and before the
 * source translation, as netfilter's FORWARD does.
 *
 * filter_walk() goes through a chain and those that it jumps to, and changes nothing: whoever wants
 * to act on what it meets (count, take a token, explain) gives it an observer.
 */
#ifndef TUNGATE_ENGINE_FILTER_H
#define TUNGATE_ENGINE_FILTER_H

#include "tungate/engine.h"

struct engine;
struct limiter;

/* What a rule remembers beside its counter. */
struct rule_state {
	struct limiter *limiter;   /* of `limit`; NULL: none */
	struct limiter *log;       /* of its lines in the log; NULL: none */
	uint64_t suppressed;       /* lines since the last that was logged */
	uint64_t suppressed_total; /* ... in all */
	uint8_t connections;       /* of `connections`: which of the ruleset's tables */
};

struct chain_rules {
	const char *name;
	unsigned count;
	uint8_t policy;
	struct rule *rule;
	struct counter *counter; /* count + 1 of them: the last is the policy's */
	struct rule_state *state;
	const struct set *sets; /* the ruleset's */
};

struct ruleset {
	struct chain_rules chain[CHAIN_COUNT];
	struct chain_rules *user;
	unsigned user_count;
	struct chain_rules nat; /* the matches of [nat], with how many connections each decided */
	struct nat_rule *nat_rule; /* their kinds and targets */
	uint32_t *nat_turn;        /* the next target of each */
	struct set *sets;
	unsigned set_count;
	struct connections *connections; /* NULL: no rule asks for them */
	char (*names)[CONFIG_NAME_SIZE]; /* of user's chains */
	struct chain_rules helpers;
};

#define NO_HELPER 0xff

/* What a rule looks at. */
struct filter_query {
	uint16_t in_network; /* NETWORK_NONE: the uplink */
	uint16_t out_network;
	uint8_t family;
	uint8_t protocol;
	uint8_t state;  /* one of RULE_STATE_* */
	uint8_t helper; /* index of the name of the helper that the flow comes from, or NO_HELPER */
	bool forwarded; /* made by a published port */
	bool has_ports;
	uint16_t source_port, destination_port; /* host order */
	const union addr *source, *destination;
	/* NAT64: the IPv4 address that one of them stands for; else NULL. */
	const union addr *source4, *destination4;
	const struct engine *engine; /* for `to domain`: what guests have been told */
	/* What single packets differ in; without `has_packet` such words match nothing. */
	bool has_packet;
	bool is_icmp;
	bool is_tcp;
	uint8_t icmp_type, icmp_code;
	uint8_t tcp_flags;
	uint8_t ttl;
	uint8_t dscp;
	uint16_t length; /* bytes of IP, of a super-packet's segments each */
	/* The flow, for `connections` and `per`. */
	const struct flow *flow; /* may be a draft */
	uint8_t direction;
	zone_id source_zone, destination_zone;
};

/* Index of the first rule that matches, or the chain's count for its policy: for lists without
 * jumps and without words that count. */
uint16_t filter_run(const struct chain_rules *chain, const struct filter_query *query);
/* Whether a single rule does. */
bool filter_matches(
	const struct chain_rules *chain, uint16_t index, const struct filter_query *query);
/* What rule `index` of the chain says. */
static inline uint8_t filter_action(const struct chain_rules *chain, uint16_t index)
{
	return index < chain->count ? chain->rule[index].action : chain->policy;
}

/* A rule that was compared, or a policy that was come to. */
struct filter_step {
	const struct chain_rules *chain;
	uint16_t rule;
	uint8_t missed; /* the first word that does not hold; RULE_WORDS: it matches */
};
typedef void filter_observer(void *context, const struct filter_step *step);

/* What a walk came to. */
struct filter_outcome {
	const struct chain_rules *chain; /* where the rule that decides stands */
	uint16_t rule;
	bool lasting; /* it alone was met, and all packets of the flow will come to it alone */
};

/* Put a packet to a chain; there must be a ruleset.  `observer` may be NULL. */
void filter_walk(const struct engine *engine, enum chain chain, const struct filter_query *query,
	filter_observer *observer, void *context, struct filter_outcome *outcome);

#endif
