/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_log: packets for the host's log.  What is too much for a rule is counted, and told with the
 * next line.
 */
#include "engine/rule_log.h"
#include "engine/domains.h"
#include "engine/limiter.h"
#include "engine/state.h"

void rule_log(struct engine *engine, const struct chain_rules *chain, uint16_t rule,
	const struct packet *packet, const struct filter_query *query)
{
	struct rule_state *state = &chain->state[rule];

	if (engine->host.log == NULL)
		return;
	if (limiter_is_over(state->log, engine, query)) {
		state->suppressed++;
		state->suppressed_total++;
		return;
	}
	limiter_take(state->log, engine, query, 1);
	const struct rule_log line = {
		.rule = &chain->rule[rule],
		.chain = chain->name,
		.in = query->source_zone,
		.out = query->destination_zone,
		.in_network = query->in_network,
		.out_network = query->out_network,
		.family = query->family,
		.protocol = query->protocol,
		.has_ports = query->has_ports,
		.is_icmp = query->is_icmp,
		.is_tcp = query->is_tcp,
		.icmp_type = query->icmp_type,
		.icmp_code = query->icmp_code,
		.tcp_flags = query->tcp_flags,
		.ttl = query->ttl,
		.source_port = query->source_port,
		.destination_port = query->destination_port,
		.source = *query->source,
		.destination = *query->destination,
		.length = packet->length,
		.suppressed = state->suppressed,
		.domain = domains_name(query, NULL),
	};
	state->suppressed = 0;
	engine->host.log(engine->host.context, &line);
}
