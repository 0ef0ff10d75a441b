/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway: a whole engine, made from the text of a config, in a small world with a virtual clock.
 *
 * The host is 192.0.2.1 and 2001:db8::1.  Its routes: 198.51.100.0/24 and 2001:db8:51::/48 through
 * a second path with an MTU of 1280; 203.0.113.0/24 nowhere, 198.18.0.0/15 prohibited; everything
 * else through the first path, MTU 1500.  Links are numbered in the order of the config.  The same
 * config and packets give the same ports, since the seed is a constant.
 */
#ifndef TUNGATE_TESTS_GATEWAY_H
#define TUNGATE_TESTS_GATEWAY_H

#include "tungate/engine.h"

struct gateway {
	struct config *config;
	void *arena;
	size_t arena_bytes;
	struct engine *engine;
	uint64_t now_ms;
};

/* Prints the config's errors and aborts where it has some.  With `flows` other than 0 the table of
 * flows is that small, whatever the config says. */
struct gateway *gateway_create(const char *config_text, uint32_t flows);
void gateway_free(struct gateway *gateway);

/* The zone of a link's name, of "uplink", or ZONE_NONE. */
zone_id gateway_zone(const struct gateway *gateway, const char *name);
/* Move the clock on, with every timer on the way, at the time that the engine asks for. */
void gateway_advance(struct gateway *gateway, uint64_t milliseconds);
/* engine_input() from a zone, now. */
enum verdict gateway_input(struct gateway *gateway, zone_id zone, struct packet *packet);
/* End every flow; returns how many there were. */
unsigned gateway_end_flows(struct gateway *gateway);

#endif
