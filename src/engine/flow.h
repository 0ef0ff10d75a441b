/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow: one tracked connection.
 *
 * Life: a draft is filled on the stack by the path of a first packet (engine.c), and becomes a
 * record with flow_confirm() when everything about it is decided; nothing is ever half there.  From
 * then on it is found by either of its two keys, refreshed by its packets, and ended by its
 * timer, by an event (link or address gone, forward deleted, reopened), or by hand: flow_end()
 * is the only way out.
 *
 * Keys: address[ORIGINAL] and port[ORIGINAL] are what the originator sends, address[REPLY] and
 * port[REPLY] what comes back to us, each together with the zone it comes from.  The
 * translation is nothing else than the difference between one key and the reverse of the
 * other, so a direction's rewrite is the other key read backwards plus its ready-made deltas.
 *
 * Mappings (RFC 4787): flows that use one external port form a ring through `sibling`
 * (mapping.h); the port is given back when the last of them ends.
 *
 * Half open: until its handshake is complete, or without one until its first reply, a flow may have
 * to give way to another of its guest (account.h).
 *
 * Timers: `timer.deadline_ms` is simply moved on by every packet; the wheel looks again when the
 * old one comes.  Finished TCP flows (TIME_WAIT, CLOSE) wait in lists instead, oldest first, since
 * they are what gives way when ports or records run short.
 */
#ifndef TUNGATE_ENGINE_FLOW_H
#define TUNGATE_ENGINE_FLOW_H

#include "base/cksum.h"
#include "base/wheel.h"
#include "engine/direction.h"
#include "engine/track_tcp.h"
#include "tungate/engine.h"
#include "wire/rewrite.h"
#include "wire/translate.h"

struct engine;

#define FLOW_NONE  0xffffffffu
#define EXTRA_NONE 0u /* so that a draft of zeros has none */

/* Both ends of a key: address[direction][SOURCE]. */
enum end { SOURCE, DESTINATION };

/* Packets and bytes in twelve bytes, and a flag, which only ORIGINAL's has. */
struct tally {
	uint64_t bytes : 55;
	uint64_t half_open : 1; /* `opening` is in REPLY's place */
	uint64_t packets : 40;
} __attribute__((packed));
static_assert(sizeof(struct tally) == 12, "part of the flow's size");

/* A half-open flow has next to nothing to count in the reply direction, but a place among those of
 * its guest that give way (account.h).  The node's deadline is eight bits of packets and 24 of
 * bytes, as far as they go. */
struct opening {
	struct wheel_node kin;
};
static_assert(sizeof(struct opening) == sizeof(struct tally), "one in the place of the other");

#define FLOW_LIVE       0x0001          /* the record is in use */
#define FLOW_REPLIED    0x0002          /* a packet in the reply direction was seen */
#define FLOW_MAPPED     0x0004          /* holds an external port through its mapping's ring */
#define FLOW_FORWARDED  0x0008          /* made by a published port */
#define FLOW_FINISHED   0x0010          /* in one of the lists of finished flows */
#define FLOW_RESET      0x0020          /* ... that of CLOSE, not of TIME_WAIT */
#define FLOW_VERDICT(d) (0x0040 << (d)) /* rule[d] is valid for `generation` */
#define FLOW_PATH_CHECK 0x0100          /* routes changed: look whether the path still holds */
#define FLOW_EXPECTED   0x0200          /* announced by a helper: related to another flow */
#define FLOW_HELPED     0x0400          /* a helper reads it */
#define FLOW_ADJUSTED   0x0800          /* its sequence numbers are shifted */
#define FLOW_FAMILIES   0x1000          /* its sides are of different families (NAT64) */
#define FLOW_REDIRECTED 0x2000          /* led to a proxy, not to where its originator wanted */
#define FLOW_INBOUND    0x4000          /* comes in to a mapping: let in, or expected */
#define FLOW_PREFIX     0x8000          /* whole addresses are exchanged: no port is taken */

/* In the order in which a packet's way needs it. */
struct flow {
	union addr address[2][2];
	be16 port[2][2];
	zone_id zone[2];  /* where packets of each direction come from */
	uint8_t family;   /* of ORIGINAL; flow_family() tells REPLY's */
	uint8_t protocol; /* likewise: flow_protocol() */
	uint16_t flags;
	uint16_t generation;    /* of the ruleset that the cached verdicts are from */
	uint16_t path;          /* towards the uplink, whichever direction that is */
	uint16_t rule[2];       /* index in the chain of the last verdict */
	uint16_t address_delta; /* of ORIGINAL; REPLY takes the same out again */
	uint16_t port_delta;
	uint32_t extra; /* record of what few flows have, or EXTRA_NONE */
	struct wheel_node timer;
	union {
		struct tally tally[2];
		struct {
			struct tally tally_original;
			struct opening opening;
		};
	};
	struct tcp_track tcp;
	uint32_t sibling[2]; /* ring of the external port: next, previous */
};
static_assert(sizeof(struct flow) == 176, "191 bytes per flow with its index slots");

/* What a packet is looked up by: the words that are hashed. */
struct flow_key {
	union addr source, destination;
	be16 source_port, destination_port;
	zone_id zone;
	uint8_t family, protocol;
};
static_assert(sizeof(struct flow_key) == 40, "five words");

/* Record `id`, which must be below the engine's limit. */
struct flow *flow_at(const struct engine *engine, uint32_t id);
uint32_t flow_id(const struct engine *engine, const struct flow *flow);

uint32_t flow_hash(const struct engine *engine, const struct flow_key *key);
void flow_key_of_packet(const struct packet *packet, struct flow_key *key);

/* Find the flow of a key and the direction such a packet travels in; NULL if there is none. */
struct flow *flow_find(const struct engine *engine, const struct flow_key *key, uint32_t hash,
	enum direction *direction);
/* Load the cache lines that flow_find() will touch. */
void flow_prefetch_index(const struct engine *engine, uint32_t hash);
void flow_prefetch(const struct engine *engine, uint32_t hash);

/* Make sure that there is a record for one more flow; false where all are taken by flows that
 * must not give way. */
bool flow_make_room(struct engine *engine);
/* Turn a draft into a record, with its deltas and timer.  There must be room. */
struct flow *flow_confirm(struct engine *engine, const struct flow *draft);
void flow_end(struct engine *engine, struct flow *flow);
/* End every flow that `match` says yes to; returns how many. */
unsigned flow_end_all(struct engine *engine,
	bool (*match)(const struct flow *flow, const void *argument), const void *argument);
/* End the finished TCP flow that waits the longest, of those that are `external` outside and of the
 * draft's guest (NULL: of all); false if there is none, or none near the front. */
bool flow_evict_finished(
	struct engine *engine, const union addr *external, const struct flow *draft);

/* A packet of the flow passed: count it; move its deadline on. */
void flow_count(struct flow *flow, enum direction direction, uint32_t packets, uint32_t bytes);
struct counter flow_counter(const struct flow *flow, enum direction direction);
/* A half-open flow's packet passed: is it open now? */
void flow_open(struct engine *engine, struct flow *flow);
void flow_refresh(struct engine *engine, struct flow *flow);

/* Of the addresses of one direction's key. */
static inline uint8_t flow_family(const struct flow *flow, enum direction direction)
{
	if (direction == ORIGINAL || !(flow->flags & FLOW_FAMILIES))
		return flow->family;
	return flow->family == AF_INET ? AF_INET6 : AF_INET;
}

/* Did a stranger begin it, whom endpoint filtering let in to a mapping?  Not if he was expected. */
static inline bool flow_is_strangers(const struct flow *flow)
{
	return (flow->flags & (FLOW_INBOUND | FLOW_EXPECTED)) == FLOW_INBOUND;
}

/* Of the packets of one direction: ICMP and ICMPv6 go together. */
static inline uint8_t flow_protocol(const struct flow *flow, enum direction direction)
{
	if (direction == ORIGINAL || !(flow->flags & FLOW_FAMILIES))
		return flow->protocol;
	return translate_protocol(flow->protocol);
}

/* The translation of a direction. */
static inline void flow_rewrite(
	const struct flow *flow, enum direction direction, struct rewrite *rewrite)
{
	rewrite->source = &flow->address[!direction][DESTINATION];
	rewrite->destination = &flow->address[!direction][SOURCE];
	rewrite->source_port = flow->port[!direction][DESTINATION];
	rewrite->destination_port = flow->port[!direction][SOURCE];
	rewrite->address_delta = direction == ORIGINAL ? flow->address_delta
						       : cksum_delta_inverse(flow->address_delta);
	rewrite->port_delta =
		direction == ORIGINAL ? flow->port_delta : cksum_delta_inverse(flow->port_delta);
}

/* "established", "syn-sent", "replied", "unreplied", "call". */
const char *flow_state_name(const struct flow *flow);

#endif
