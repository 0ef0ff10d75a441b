/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment: datagrams in fragments, without putting them together.
 *
 * The first fragment has the L4 header and goes the way of any packet.  What it said is
 * remembered for the datagram, and lent to the others: with its ports they find its flow, and go
 * the same way.  Those that come before it are held (VERDICT_HELD) and follow it in the order of
 * their arrival.
 *
 * Life of a datagram: WAITING for its first fragment; then PASSED or REFUSED, as that one was;
 * forgotten when all its bytes have been seen, after FRAGMENT_TIMEOUT_MS, or to make room.  An
 * overlap (RFC 5722, and in IPv4 as well: nobody sends one by mistake) refuses it from there on.  A
 * fragment that comes twice is no overlap.
 *
 * Room: no zone has more than a quarter of datagrams or of memory.  Whoever asks for more loses its
 * own oldest, those that wait first.  Where all of them together fill it up, the one with most
 * loses.  A datagram from the uplink counts as the guest's that it is for, as soon as that is
 * known, so strangers' fragments cannot push it out.
 */
#ifndef TUNGATE_ENGINE_FRAGMENT_H
#define TUNGATE_ENGINE_FRAGMENT_H

#include "base/wheel.h"
#include "engine/index.h"
#include "engine/ip_id.h"
#include "engine/store.h"
#include "tungate/engine.h"

/* Long enough for parts that took different ways; with 16 bits of identification, longer is
 * dangerous (RFC 4963). */
#define FRAGMENT_TIMEOUT_MS 30000

struct datagram;

/* What one zone has. */
struct fragment_owner {
	struct wheel_list datagrams[2]; /* decided on, waiting: oldest first */
	uint32_t count;
	uint32_t chunks;
};
#define FRAGMENT_OWNERS (ENGINE_LINKS_MAX + CONFIG_NETWORKS_MAX + 1)

struct fragments {
	struct datagram *datagrams;
	uint32_t max, count;
	uint32_t free_head; /* linked through age.next */
	struct index by_key;
	struct wheel_slab age, kin;
	struct wheel_list oldest; /* all datagrams, in the order of their deadlines */
	struct fragment_owner owner[FRAGMENT_OWNERS];
	uint32_t current; /* the datagram of the fragment that is being decided on */
	struct store store;
	uint32_t held_max;       /* chunks for early fragments; the rest is for `ready` */
	struct store_list ready; /* packets on their way out */
	struct ip_ids ids;
	/* A held fragment while it is decided on. */
	uint8_t scratch[PACKET_HEADROOM + PACKET_BYTES_MAX];
};

struct engine;

struct fragments *fragments_create(
	const struct limits_config *limits, const struct siphash_key *ids_key);
void fragments_free(struct fragments *fragments);

/*
 * A parsed fragment arrives.  VERDICT_SEND: it may go the way of packets, a later one with what
 * the first has lent it, and fragment_leave() must follow; VERDICT_HELD; VERDICT_DROP.
 */
enum verdict fragment_enter(struct engine *engine, struct packet *packet);
/* Remember what became of a first fragment. */
void fragment_decide(struct engine *engine, const struct packet *packet, enum verdict verdict);
/* The next fragment that was held for this first one, in memory of the engine's; false where there
 * is none. */
bool fragment_release(struct engine *engine, struct packet *packet);
/* Forget the datagram if that was all of it. */
void fragment_leave(struct engine *engine);

/* The identification to send a packet under: that of its datagram, or one of its own. */
uint32_t fragment_id(struct engine *engine, const struct packet *packet);

/* Queue what is ready to be sent, behind the packet that is being decided on; false where there is
 * no room for `count` packets of `bytes` each. */
bool fragment_ready_has_room(const struct engine *engine, uint32_t count, uint32_t bytes);
void fragment_ready_push(struct engine *engine, const struct packet *packet);
bool fragment_ready_next(struct engine *engine, struct packet *packet);

/* Forget what is too old, at the cost of one of *budget each. */
void fragments_expire(struct engine *engine, unsigned *budget);
/* When that next has something to do, or UINT64_MAX. */
uint64_t fragments_deadline(const struct engine *engine);

#endif
