/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account: what each guest has, and may have (RFC 6888 REQ-4, REQ-5).
 *
 * Whose account.  A link with a guest of its own has one, for all its addresses.  Behind a link
 * that stands for a whole subnet every address has one, from a table of fixed size; whoever finds
 * it full shares the link's own.  A record stays until its place is needed by another and nothing
 * is left on it, so that nobody renews his rates by ending his connections.
 *
 * What is charged.  A connection is charged to the guest that began it (OUTBOUND), or, if it came
 * from the uplink, to the guest that it is for (INBOUND).  The two are counted apart: a flood
 * against a published port takes nothing from what the guest itself begins.  The gateway's own
 * connections are nobody's.
 *
 * Giving way.  A connection is half open until its handshake is complete, or, without one, until
 * its first reply.  Half-open ones are in a list by age.  Who is at a limit, or finds the table of
 * flows full, loses the oldest of its own for the new one; open ones never give way (RFC 6888
 * REQ-11), nor does anything of another guest.  All that is half open from outside may have a
 * quarter of the table together: beyond that, too, a guest's next one costs it its own oldest.
 * Finished TCP connections are not counted: their records and ports are free to whoever needs them.
 *
 * Networks.  Above the guests' accounts there is one of each network (account_network.h): whatever
 * a guest is charged, its network is as well.
 *
 * Rates are token buckets: a second's worth at once for connections and ICMP errors, a quarter of a
 * second's for packets and bytes.
 */
#ifndef TUNGATE_ENGINE_ACCOUNT_H
#define TUNGATE_ENGINE_ACCOUNT_H

#include "base/wheel.h"
#include "engine/account_network.h"
#include "engine/bucket.h"
#include "engine/direction.h"
#include "engine/index.h"
#include "engine/ports.h"
#include "tungate/engine.h"

struct engine;
struct flow;

/* Addresses behind whole-subnet links that have records of their own. */
#define ACCOUNT_HOSTS 4096
#define ACCOUNTS      (ENGINE_LINKS_MAX + ACCOUNT_HOSTS)
#define ACCOUNT_NONE  0xffffffffu

/* Who began it. */
enum account_side { OUTBOUND, INBOUND, ACCOUNT_SIDES };

struct account {
	/* Of an address behind a whole-subnet link. */
	union addr address;
	uint8_t family;
	bool indexed;
	zone_id zone;
	uint32_t hash;
	struct wheel_node idle;

	uint32_t users; /* flows that refer to it */
	uint32_t flows[ACCOUNT_SIDES];
	uint32_t half_open[ACCOUNT_SIDES];
	struct wheel_list oldest[ACCOUNT_SIDES]; /* of the half-open ones */
	uint32_t ports[PORTS_PROTOCOLS];
	bucket_time new_flows[ACCOUNT_SIDES];
	bucket_time packets[2]; /* from and to the guest */
	bucket_time bytes[2];
	bucket_time errors;
	uint64_t refused[GUEST_REFUSALS];
};

struct accounts {
	struct account account[ACCOUNTS]; /* one per link, then those of addresses */
	uint32_t hosts;                   /* of these, how many were ever used */
	struct wheel_list idle;           /* addresses with nothing left, oldest first */
	struct wheel_slab idle_slab, kin_slab;
	struct index by_address;
	uint32_t half_open; /* INBOUND, of all guests */
	struct network_accounts networks;
	struct limits_config limits;
	struct guest_limits of_network[CONFIG_NETWORKS_MAX]; /* nothing left open */
	uint8_t polices[CONFIG_NETWORKS_MAX];                /* packets or bytes have a rate */
};

struct accounts *accounts_create(struct engine *engine, const struct limits_config *limits);
void accounts_free(struct accounts *accounts);
/* The networks' own limits, or [limits], have changed. */
void accounts_limits_set(struct engine *engine);
/* A link is gone, its flows have ended: forget what was counted. */
void account_forget_link(struct engine *engine, zone_id zone);

/* ---- whose ---- */

/* Does the link have one guest, with all its addresses? */
bool account_is_link_s(const struct engine *engine, zone_id zone);
/* The account of a link's guest or of an address behind it; the link's own where it has none. */
struct account *account_find(
	const struct engine *engine, zone_id zone, uint8_t family, const union addr *address);
const struct guest_limits *account_limits(const struct engine *engine, zone_id zone);

/* ---- flows ---- */

/*
 * May the draft's guest have one more flow?  Its oldest half-open one ends where that makes room.
 * False, and counted as refused, where it may not.
 */
bool account_admit(struct engine *engine, struct flow *draft);
/* End the oldest half-open flow of the draft's guest, for want of records; false if it has none. */
bool account_give_way(struct engine *engine, const struct flow *draft);
/* Charge a new record, and list it as half open. */
void account_begin(struct engine *engine, struct flow *flow);
/* The handshake is complete, or was answered with a no. */
void account_open(struct engine *engine, struct flow *flow);
/* It has become a finished TCP connection, or lives again. */
void account_finish(struct engine *engine, const struct flow *flow, bool finished);
void account_end(struct engine *engine, struct flow *flow);

/* ---- ports ---- */

/* May the draft's guest have one more external port of this protocol? */
bool account_may_take_port(
	struct engine *engine, const struct flow *draft, enum ports_protocol protocol);
/* The draft got no port: is that why?  It is counted as refused then. */
bool account_lacks_port(struct engine *engine, const struct flow *draft);
/* A mapping of this flow's guest begins or ends. */
void account_port(struct engine *engine, const struct flow *flow, bool begins);

/* ---- rates ---- */

/* May a packet of the flow pass, as the guests on either side have rates?  Only where
 * engine->polices. */
bool account_police(struct engine *engine, const struct flow *flow, enum direction direction,
	uint32_t packets, uint32_t bytes);
/* May the sender of this packet, a guest, be told by ICMP? */
bool account_may_tell(struct engine *engine, const struct packet *packet);

/* A packet was dropped: count it for the network that it came from, if that was one. */
void account_drop(struct engine *engine, const struct packet *packet, enum drop drop);
/* Datagrams in fragments that a zone may have. */
uint32_t account_fragments(const struct engine *engine, zone_id zone);

#endif
