/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports: who uses which external port (or ICMP identifier) of which of our addresses.
 *
 * An address has a table for each protocol, from the first flow on that takes a port of it until
 * the last one gives its port back; then the tables may become another's.  They are part of the
 * arena, as many as the engine was made with, and cost memory only where they are touched.
 *
 * A table is a bit and an entry per port.  The entry of a port in use is a flow that uses it: the
 * first of the ring of all flows that do (flow.c).  Mostly that is one mapping; under pressure
 * guests with different peers share a port, and the ring holds the mappings one behind the other.
 * The entry of a free port says until when it rests (RFC 6888 REQ-8), if it does.
 *
 * A free port is found exactly: a few at random, then from a random one on the next free one, a
 * word of bits at a time, so the last one is found too.  What is random is a keyed hash of a
 * counter, so the next port cannot be told from those before (RFC 6056).
 */
#ifndef TUNGATE_ENGINE_PORTS_H
#define TUNGATE_ENGINE_PORTS_H

#include "base/siphash.h"
#include "tungate/engine.h"

enum ports_protocol { PORTS_TCP, PORTS_UDP, PORTS_ICMP, PORTS_PROTOCOLS };

#define PORTS_NOBODY   0xffffffffu /* a free port's user */
#define PORTS_RESERVED 0x7ffffffeu /* user of a port that is kept for a flow to come */
#define PORTS_REST_S   120         /* RFC 6888 REQ-8 */

struct ports_address {
	uint8_t family; /* 0: never used */
	union addr address;
	uint32_t used[PORTS_PROTOCOLS]; /* ports with users */
};

struct ports {
	uint32_t *entries; /* [address][protocol][port], in the arena */
	uint64_t *bits;    /* [address][protocol][port / 64], likewise */
	unsigned count;    /* of addresses */
	struct ports_address address[ENGINE_NAT_ADDRESSES_MAX];
	struct siphash_key key;
	uint64_t counter;
};

/* One table. */
struct ports_table {
	uint8_t address;
	uint8_t protocol;
};

/* Where to look for a port: `count` ports of a list, from its `first`-th on. */
struct ports_slice {
	const struct port_list *list;
	uint32_t first, count;
};

/* Bytes of arena for the tables of so many addresses. */
size_t ports_bytes(unsigned addresses);
void ports_init(
	struct ports *ports, void *memory, unsigned addresses, const struct siphash_key *key);

/* The protocol's table, or -1 for protocols without ports, as ICMP is for the other family. */
int ports_protocol(uint8_t family, uint8_t ip_protocol);
/* Find an address's table; false where nobody uses a port of it, or the protocol has none. */
bool ports_find(const struct ports *ports, uint8_t family, const union addr *address,
	uint8_t ip_protocol, struct ports_table *table);
/* ... or make one; false where all are others', or the protocol has none. */
bool ports_open(struct ports *ports, uint8_t family, const union addr *address, uint8_t ip_protocol,
	struct ports_table *table);

/* An unpredictable number below `bound`. */
uint32_t ports_random(struct ports *ports, uint32_t bound);
/* The whole of a list. */
struct ports_slice ports_whole(const struct port_list *list);
/* May the port be taken: nobody uses it, and it does not rest? */
bool ports_is_free(
	const struct ports *ports, struct ports_table table, uint16_t port, uint64_t now_ms);
/* A random free port (host order) that does not rest; 0 when there is none.  It is not taken. */
uint16_t ports_find_free(struct ports *ports, struct ports_table table,
	const struct ports_slice *slice, uint64_t now_ms);

/* The user of a port: a flow, PORTS_RESERVED or PORTS_NOBODY. */
uint32_t ports_user(const struct ports *ports, struct ports_table table, uint16_t port);
/* Give a port, free or not, to a user. */
void ports_take(struct ports *ports, struct ports_table table, uint16_t port, uint32_t user);
/* Nobody uses it any more.  It rests until `rest_until_ms`, if that is not 0. */
void ports_release(
	struct ports *ports, struct ports_table table, uint16_t port, uint64_t rest_until_ms);

#endif
