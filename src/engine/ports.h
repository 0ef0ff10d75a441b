/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports: the external ports (and ICMP identifiers) of each of the host's addresses.
 *
 * Per address and protocol one counter per port of the range: how many mappings use it.  Zero is
 * free, more than one means that guests with different peers share it, which only happens under
 * pressure (nat.c).  A free port is found exactly: random start, then the next free one, so
 * the last one is found too; and where to start is a keyed hash of a counter, so the next port
 * cannot be told from those before (RFC 6056).
 */
#ifndef TUNGATE_ENGINE_PORTS_H
#define TUNGATE_ENGINE_PORTS_H

#include "base/siphash.h"
#include "tungate/engine.h"

enum ports_protocol { PORTS_TCP, PORTS_UDP, PORTS_ICMP, PORTS_PROTOCOLS };

struct ports {
	uint16_t *users; /* [address][protocol][port - first], in the arena */
	uint32_t used[ENGINE_EXTERNALS_MAX][PORTS_PROTOCOLS]; /* ports with users */
	struct port_range range;
	struct siphash_key key;
	uint64_t counter;
};

/* Bytes of arena for a range. */
size_t ports_bytes(struct port_range range);
void ports_init(struct ports *ports, uint16_t *users, struct port_range range,
	const struct siphash_key *key);
uint32_t ports_size(const struct ports *ports);
/* The protocol's table, or -1 for protocols without ports, as ICMP is for the other family. */
int ports_protocol(uint8_t family, uint8_t ip_protocol);

/* An unpredictable number below `bound`. */
uint32_t ports_random(struct ports *ports, uint32_t bound);
/* Take a random free port (host order); 0 when all are in use. */
uint16_t ports_take_free(struct ports *ports, unsigned external, enum ports_protocol protocol);
/* Take a given port, free or not. */
void ports_take(
	struct ports *ports, unsigned external, enum ports_protocol protocol, uint16_t port);
void ports_release(
	struct ports *ports, unsigned external, enum ports_protocol protocol, uint16_t port);

#endif
