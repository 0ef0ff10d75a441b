/* SPDX-License-Identifier: BSD-2-Clause */
/* rule_log: tell the host of a packet that a rule with `log` matched, so often and no oftener. */
#ifndef TUNGATE_ENGINE_RULE_LOG_H
#define TUNGATE_ENGINE_RULE_LOG_H

#include "engine/filter.h"

void rule_log(struct engine *engine, const struct chain_rules *chain, uint16_t rule,
	const struct packet *packet, const struct filter_query *query);

#endif
