/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expect: connections that a helper has read about, before they come.
 *
 * One side of a connection (the master) has said where it listens; the other side, or whoever
 * is told by it, will connect.  An expectation is the key that such a connection's first packet
 * will have (its source perhaps unknown: two look-ups, exact and from anybody), and where it is
 * led to.  Where the listener is masqueraded it has an external port of ours, which it holds.
 *
 * Life: made by a helper, for EXPECT_LIFE_S unless it says otherwise; the same again only
 * prolongs it.  Of each kind (`class`) a flow has so many: one more ends the oldest.  Used by the
 * first packet that matches and passes the filter (`related`), once unless it is permanent; the
 * port is the new flow's then.  It ends with its master.
 *
 * What a guest can get from one is bounded here, whatever a helper has been talked into (NAT
 * slipstreaming): a guest announces no address but its own and no port below 1024; the external
 * port is a free one of the gateway's range, hence none that is published; and the other side is
 * the connection's other side, unless the protocol must leave that open.
 */
#ifndef TUNGATE_ENGINE_EXPECT_H
#define TUNGATE_ENGINE_EXPECT_H

#include "base/wheel.h"
#include "engine/flow.h"
#include "engine/index.h"

#define EXPECT_NONE        0xffffffffu
#define EXPECT_LIFE_S      30
#define EXPECT_LIFE_MASTER UINT16_MAX /* as long as its master */
#define EXPECT_PORT_MIN    1024       /* lowest port that may be announced */

struct extra;

/* What a helper asks for: the sender of a packet listens, its receiver may connect. */
struct expect_request {
	uint8_t protocol;  /* IPPROTO_* of the connection to come */
	uint8_t class;     /* the helper's kinds of expectations, from 0 */
	uint8_t class_max; /* how many of it the flow may have at one time */
	bool any_peer;     /* from anywhere, not from the receiver's address alone */
	bool permanent;    /* until it is too old, however often it is used */
	bool pair;         /* also for port + 1; the external port is even (RTP and RTCP) */
	bool read;         /* the helper wants to read the new flow as well */
	uint16_t port;     /* where the sender listens, host order; GRE: its call id */
	uint16_t wish;     /* external port that would be best; 0: `port` */
	uint16_t life_s;   /* 0: EXPECT_LIFE_S */
	/* NULL: the sender's own.  Only a sender that is no guest may speak for somebody else. */
	const union addr *address;
};

/* What the receiver has to be told. */
struct expect_answer {
	uint8_t family;
	union addr address;
	uint16_t port; /* host order */
};

struct expectation {
	union addr source; /* all zeros: anybody */
	union addr destination;
	union addr listener; /* where it is led to */
	union addr guest;    /* whose it counts as, on `guest_zone` */
	union addr as;       /* as whom a guest comes; zeros: as the rules of [nat] say */
	be16 port;           /* destination's */
	be16 listener_port;
	zone_id zone; /* where the connection comes from; ZONE_NONE: anywhere */
	zone_id listener_zone;
	zone_id guest_zone;
	uint8_t family;
	uint8_t protocol;
	uint8_t helper;
	uint8_t class;
	uint16_t life_s;
	bool live, permanent, holds_port, read;
	uint32_t master;       /* flow */
	struct wheel_node age; /* the engine's wheel of expectations; free records by age.next */
	struct wheel_node kin; /* the master's list */
};

struct expectations {
	struct expectation *records;
	uint32_t max, count;
	uint32_t free_head;
	struct index by_target;   /* the key of the connection that will come */
	struct index by_listener; /* the listener and its external address; holds_port only */
	struct wheel wheel;
	struct wheel_slab age, kin;
	uint32_t owner[ENGINE_LINKS_MAX]; /* how many count as each link's */
};

/* 0 or -ENOMEM. */
int expectations_create(
	struct expectations *expectations, const struct limits_config *limits, uint64_t now_ms);
void expectations_free(struct expectations *expectations);

/*
 * Expect a connection that the sender of a packet of `flow` in `direction` announces; the flow is
 * one that `helper` reads.  Fills `answer` with what its receiver has to be told instead of the
 * sender's own address and port.  False where it may not be, or where there is no room.
 */
bool expect_create(struct engine *engine, struct flow *flow, enum direction direction,
	uint8_t helper, const struct expect_request *request, struct expect_answer *answer);
/* End one; or all that hang on a master's record. */
void expect_end(struct engine *engine, uint32_t id);
void expect_end_all(struct engine *engine, struct extra *extra);
/* It lives for so long from now on. */
void expect_renew(struct engine *engine, uint32_t id, uint16_t life_s);
/* It comes from elsewhere. */
void expect_move(struct engine *engine, uint32_t id, const union addr *source, zone_id zone);

/* For one that is being made, and perhaps the one beside it: the ports at which they are awaited
 * (expect_ports.c).  False where there are none. */
bool expect_ports_take(struct engine *engine, const struct expect_request *request,
	struct expectation *wanted, struct expectation *second);
/* Nobody awaits anything there any more. */
void expect_ports_release(struct engine *engine, const struct expectation *gone);

/* What a flow has announced (expect_known.c): that of its end which sends in `direction`, by the
 * port (host order) where that listens, or that it is shown by.  EXPECT_NONE where there is none.
 */
uint32_t expect_find_own(const struct engine *engine, const struct flow *flow,
	enum direction direction, uint8_t protocol, uint16_t port);
uint32_t expect_find_shown(const struct engine *engine, const struct flow *flow,
	enum direction direction, uint8_t protocol, uint16_t port);
/* Those of a class live for so long from now on; 0 ends them. */
void expect_prolong(struct engine *engine, struct flow *flow, uint8_t class, uint16_t life_s);
/* Those of a class come from this address: from who sends, or listens, there. */
void expect_admit(struct engine *engine, struct flow *flow, uint8_t class,
	const union addr *address, uint16_t port);

/*
 * Is a draft's connection expected?  Its destination is translated accordingly, and it is marked;
 * the number of the expectation, or EXPECT_NONE.
 */
uint32_t expect_bind(const struct engine *engine, struct flow *draft);
/* The helper that has made an expectation. */
uint8_t expect_helper(const struct engine *engine, uint32_t id);
/* Is a packet of this key? */
bool expect_awaits(const struct engine *engine, const struct flow_key *key);
/* As whom a guest has to come that is expected, or NULL: the listener knows it by that address. */
const union addr *expect_source(const struct engine *engine, uint32_t id);
/* The flow that an expectation announced has come to be. */
void expect_claim(struct engine *engine, uint32_t id, struct flow *flow);
/* The external port (network order) under which a draft's source is expected at its external
 * address, which it shall have when it speaks itself; 0 where there is none. */
be16 expect_port_of(const struct engine *engine, const struct flow *draft);
/* Is the external port of a mapped flow, whose last user it is, kept for an expectation? */
bool expect_has_port(const struct engine *engine, const struct flow *flow);

/* Forget what is too old, at the cost of one of *budget each. */
void expect_expire(struct engine *engine, unsigned *budget);
/* When that next has something to do, or UINT64_MAX. */
uint64_t expect_deadline(const struct engine *engine);

#endif
