/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timeout: how long a flow lives without packets.
 */
#ifndef TUNGATE_ENGINE_TIMEOUT_H
#define TUNGATE_ENGINE_TIMEOUT_H

#include "tungate/engine.h"

struct engine;
struct flow;

/* Which of the ports' own timeouts a port has: its number plus one, or 0.  By protocol: TCP, UDP.
 */
struct port_timeouts {
	uint8_t of_port[2][UINT16_MAX + 1];
};

uint64_t timeout_ms(const struct engine *engine, const struct flow *flow);

#endif
