/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connections: how many live flows came to a rule with `connections`, for each source or
 * destination, exactly.
 *
 * A flow is counted by such a rule when a packet of it meets the rule and all of the rule's other
 * words, once, until it ends.  Which rules have counted a flow is one word of bits per flow, beside
 * the flow table, so that what was added is what is taken away, whatever has changed meanwhile.  A
 * new ruleset begins with the flows that live: those whose words about flows lead to the rule.
 *
 * There are as many records as flows for each rule, allocated with the ruleset: a table is never
 * full.  Rulesets without the word have none of this, and packets of established flows meet it only
 * where their rules do.
 */
#ifndef TUNGATE_ENGINE_CONNECTIONS_H
#define TUNGATE_ENGINE_CONNECTIONS_H

#include "engine/filter.h"

struct flow;

/* Make the tables of a ruleset whose rules are there; false: out of memory. */
bool connections_create(struct ruleset *ruleset, uint32_t flows_max);
void connections_free(struct connections *connections);

/* Do more flows than allowed come to the rule of this table, the packet's included? */
bool connections_over(const struct engine *engine, uint8_t table, const struct filter_query *query);

/* The tables of rules that a packet met, by bits, count its flow from now on. */
void connections_add(struct engine *engine, const struct flow *flow, uint32_t tables);
void connections_end(struct engine *engine, const struct flow *flow);
/* Count the flows that live, for a ruleset that is new. */
void connections_adopt(struct engine *engine);

#endif
