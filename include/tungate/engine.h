/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine: the pure core of the gateway.  A packet goes in, a verdict and the rewritten packet come
 * out.  It makes no system call, reads no clock (time is `now_ms`, monotonic milliseconds, passed
 *in), and allocates nothing after engine_create().  It is not thread-safe: one thread owns an
 *engine.
 *
 * The shape is that of a sans-I/O library: whoever embeds it moves the packets.
 *
 *	verdict = engine_input(engine, &packet, now_ms);
 *	... send, deliver or forget the packet ...
 *	while (engine_next_output(engine, &packet)) ... send it ...
 *	sleep until engine_deadline(engine), then engine_tick(engine, now_ms)
 *
 * See examples/embed.c for a whole program.
 */
#ifndef TUNGATE_ENGINE_H
#define TUNGATE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tungate/config.h"
#include "tungate/packet.h"
#include "tungate/verdict.h"

struct engine;
struct helper;

/* ---- what the engine asks of its host ---- */

enum route_result {
	ROUTE_UPLINK,     /* `route` is filled */
	ROUTE_LOCAL,      /* an address of the host itself */
	ROUTE_NONE,       /* unreachable */
	ROUTE_PROHIBITED, /* an administrator's prohibit or blackhole route */
};

/* Where new flows to a destination leave, as the kernel's FIB says. */
#define ENGINE_PATHS_MAX 4096
struct route {
	uint16_t path;     /* below ENGINE_PATHS_MAX, given back in packet->path */
	uint16_t mtu;      /* bytes; 0: unknown */
	union addr source; /* the host's address that such packets carry */
};

/* A packet that a rule with `log` matched. */
struct rule_log {
	const struct rule *rule;
	const char *chain;                /* where the rule stands */
	zone_id in, out;                  /* link, uplink or service */
	uint16_t in_network, out_network; /* by index; 0xffff: the uplink */
	uint8_t family, protocol;
	bool has_ports, is_icmp, is_tcp;
	uint8_t icmp_type, icmp_code, tcp_flags, ttl;
	uint16_t source_port, destination_port; /* host order */
	union addr source, destination;         /* guests' own */
	uint32_t length;                        /* bytes of IP */
	uint64_t suppressed;                    /* lines of the rule left out since its last one */
	const char *domain; /* that the sender has asked for and got this destination; NULL: none */
};

struct flow_info;
enum flow_event { FLOW_NEW, FLOW_ESTABLISHED, FLOW_END };

struct engine_host {
	void *context;
	/* The host's route to a destination; called for the first packet of a flow only. */
	enum route_result (*route)(
		void *context, uint8_t family, const union addr *destination, struct route *route);
	/* Told of flows while engine_watch() is on; may be NULL. */
	void (*event)(void *context, enum flow_event event, const struct flow_info *flow);
	/* Told of packets that rules log, of each rule ten a second at most; may be NULL. */
	void (*log)(void *context, const struct rule_log *line);
};

/* ---- life ---- */

/* External addresses whose ports can be in use at the same time. */
#define ENGINE_NAT_ADDRESSES_MAX 64

struct engine_params {
	const struct limits_config *limits;
	const struct timeouts_config *timeouts;
	struct port_list ports;         /* external ports */
	unsigned nat_addresses;         /* external addresses in use at once; 0: the most */
	uint8_t seed[16];               /* random: hashes and port choice hang on it */
	const struct engine_host *host; /* copied */
	/* Those that understand protocols, by enum helper_id; NULL where there is none.  Not
	 * copied. */
	const struct helper *const *helpers;
	unsigned helper_count;
	uint64_t now_ms;
};

/* Bytes of arena for these limits; the arena holds every table, without pointers. */
size_t engine_arena_bytes(const struct engine_params *params);
/* `arena` must be zeroed, 64-byte aligned, engine_arena_bytes() long, and outlive the engine.
 * Returns NULL if out of memory. */
struct engine *engine_create(void *arena, const struct engine_params *params);
void engine_free(struct engine *engine);

/* ---- packets ---- */

/* Optional first steps of engine_input(), so that a burst's cache misses overlap: the first call
 * parses, hashes and prefetches the index, a second one prefetches the flow.  Nothing is decided
 * or changed but `packet`; one that does not parse is left for engine_input() to drop. */
void engine_prefetch(const struct engine *engine, struct packet *packet);
/* A packet received from packet->in_zone, a link or the uplink. */
enum verdict engine_input(struct engine *engine, struct packet *packet, uint64_t now_ms);
/* A packet that our own services on network packet->network send (chain output). */
enum verdict engine_output(struct engine *engine, struct packet *packet, uint64_t now_ms);
/* Take the next packet that follows what was put in: a part of it, a fragment that was held, or
 * what the engine itself made (ICMP error, reset).  It is copied into packet->data (capacity at
 * least ENGINE_OUTPUT_BYTES); packet->out_zone may be a service's.  False when there is none. */
#define ENGINE_OUTPUT_BYTES PACKET_BYTES_MAX
bool engine_next_output(struct engine *engine, struct packet *packet);

/* Expire what is due; returns how many flows ended.  Bounded work per call: call again while
 * engine_deadline() is not later than now. */
unsigned engine_tick(struct engine *engine, uint64_t now_ms);
/* When engine_tick() next has something to do, or UINT64_MAX. */
uint64_t engine_deadline(const struct engine *engine);

/* ---- topology ---- */

/* Replace the networks (subnets, gateway addresses), by index.  Live flows stay. */
void engine_networks_set(
	struct engine *engine, const struct network_config *networks, unsigned count);

/* A link, or its whole-subnet form.  `id` is below ENGINE_LINKS_MAX. */
#define ENGINE_LINKS_MAX 1024
struct engine_link {
	uint16_t network;
	uint16_t mtu;        /* bytes; 0: no limit */
	bool whole_subnet;   /* any address of the network is behind it (link `tun`) */
	union addr address4; /* the guest's; zero: none */
	union addr address6;
};
/* Add or change a link; one that gets another network or address loses its flows.  Returns 0,
 * -EEXIST where its address belongs to another link, -EINVAL. */
int engine_link_set(struct engine *engine, zone_id id, const struct engine_link *link);
/* Addresses that its guest has taken besides, as IPv6 hosts do.  Add: 0, also where the link has it
 * already, -EEXIST where another link has it, -EINVAL where it is none of the network's, -ENOSPC.
 * Del ends the flows of that address. */
#define ENGINE_LINK_ADDRESSES_MAX 8
int engine_link_address_add(
	struct engine *engine, zone_id id, uint8_t family, const union addr *address);
void engine_link_address_del(
	struct engine *engine, zone_id id, uint8_t family, const union addr *address);
/* The link that has this address of a network, or stands for it; ZONE_SERVICE(network) for the
 * gateway's own, ZONE_NONE: nobody has it. */
zone_id engine_locate(
	const struct engine *engine, uint16_t network, uint8_t family, const union addr *address);
/* Remove it, and end its flows. */
void engine_link_remove(struct engine *engine, zone_id id);

/* The host's own addresses on uplinks: what inbound packets may be addressed to, what outbound
 * flows may be masqueraded as.  Deleting one ends the flows that use it; returns how many.  Add: 0
 * or -ENOSPC. */
#define ENGINE_EXTERNALS_MAX 16
int engine_external_add(struct engine *engine, uint8_t family, const union addr *address);
unsigned engine_external_del(struct engine *engine, uint8_t family, const union addr *address);
/* Paths changed (route, link): flows of `path` ask for their route anew with their next packet; a
 * flow whose source address would differ ends, as MASQUERADE does. */
void engine_path_invalidate(struct engine *engine);

/* ---- policy ---- */

/* A compiled, immutable ruleset: the chains, the sets and the NAT rules, with their counters. */
struct ruleset;
struct ruleset *ruleset_create(const struct config *config); /* NULL: out of memory */
void ruleset_free(struct ruleset *ruleset);
/* Swap the ruleset whole, which until then lets nothing begin; returns the one before (the caller
 * frees it) or NULL.  Counters of rules with the same text in the same chain are carried over.
 * Flows stay; their cached verdicts do not.
 */
struct ruleset *engine_ruleset_swap(struct engine *engine, struct ruleset *ruleset);
/* New limits of all guests; `flows` and the sizes for fragments stay as they were.  What a guest
 * has beyond a lower one it keeps. */
void engine_limits_set(struct engine *engine, const struct limits_config *limits);
/* New timeouts; they apply from each flow's next packet on. */
void engine_timeouts_set(struct engine *engine, const struct timeouts_config *timeouts);

/* Published ports.  Add: 0, -EEXIST (overlaps another), -EINVAL (overlaps the external ports),
 * -ENOSPC.  Del: 0 or -ENOENT (exact match of
 * protocol, host, ports); live flows through it end. */
#define ENGINE_FORWARDS_MAX 1024
int engine_forward_add(struct engine *engine, const struct forward *forward);
int engine_forward_del(struct engine *engine, const struct forward *forward);

/* An address that the gateway's DNS is about to tell a guest for a name. */
struct domain_answer {
	zone_id link;         /* the guest's */
	uint8_t asker_family; /* where it has asked from; who is meant, behind a link for a */
	union addr asker;     /* whole subnet */
	const char *name;     /* without the final dot */
	uint8_t family;
	union addr address;
	uint32_t ttl_s;
};
/* What `to domain` of rules goes by.  New connections to the address match such rules for `ttl_s`
 * seconds, at least for `domain` of the timeouts, at most for a week; live ones beyond that. */
void engine_domain_learn(
	struct engine *engine, const struct domain_answer *answer, uint64_t now_ms);
/* Does a rule that accepts, of chain forward or one that it leads to, name this domain in its
 * `to domain` for guests of a network? */
bool engine_domain_allowed(const struct engine *engine, uint16_t network, const char *name);

/* ---- looking inside ---- */

/* An address that a guest may begin connections to as one of a name, as far as rules let it. */
struct domain_info {
	zone_id link;
	uint16_t network;
	union addr asker; /* whose, behind a link for a whole subnet; zero: of all of the link */
	uint8_t family;   /* of `address`, and of `asker` */
	union addr address;
	const char *name;
	bool allowed;        /* engine_domain_allowed() */
	uint64_t expires_ms; /* from now */
};
/* Walk all of them: *cursor starts at 0.  As engine_flow_next(). */
bool engine_domain_next(
	const struct engine *engine, uint32_t *cursor, uint64_t now_ms, struct domain_info *info);

struct counter {
	uint64_t packets; /* GSO segments count as packets */
	uint64_t bytes;   /* of IP */
};

struct rule_info {
	const struct rule *rule; /* NULL: the chain's policy, always the last one */
	uint8_t policy;          /* RULE_RETURN for the user's chains */
	struct counter counter;
	uint64_t log_suppressed; /* lines that were too many for the log */
};
/* Rule `index` of a chain; false past the policy.  The user's chains follow those of the filter. */
bool engine_rule_info(
	const struct engine *engine, unsigned chain, unsigned index, struct rule_info *info);
/* A chain's name, or NULL past the last. */
const char *engine_chain_name(const struct engine *engine, unsigned chain);

struct flow_info {
	uint32_t id;
	uint8_t family;    /* of direction[0] */
	uint8_t protocol;  /* likewise: ICMP may be answered by ICMPv6 */
	const char *state; /* "established", "syn-sent" ... as ss and conntrack say */
	bool replied;
	bool forwarded;       /* its destination was translated: published port, dnat, redirect */
	bool redirected;      /* ... to a proxy */
	zone_id link[2];      /* where each side is: [0] of the original's source */
	uint16_t network;     /* of the LAN side */
	uint16_t networks[2]; /* of each side; 0xffff: the uplink */
	/* As the originator sees it ([0] what it sends, [1] what the other end sends back). */
	struct {
		union addr source, destination;
		uint16_t source_port, destination_port; /* host order */
		struct counter counter;
		uint8_t family; /* NAT64: each its own */
	} direction[2];
	uint64_t expires_ms; /* from now, unless a packet comes */
	const char *helper;  /* that reads it, or that announced it; NULL: none */
	bool expected;       /* announced by another flow: */
	uint32_t master;     /* the id of that; ENGINE_NO_FLOW: it has ended */
};
#define ENGINE_NO_FLOW 0xffffffffu
/* Walk all flows: *cursor starts at 0.  Safe against changes in between (a flow may be missed or,
 * if it is new, seen; none is seen twice). */
bool engine_flow_next(const struct engine *engine, uint32_t *cursor, struct flow_info *info);
/* The same in small steps, since there may be a million records without a flow: false at the end,
 * else whether the next record has been `found` to hold one. */
bool engine_flow_look(
	const struct engine *engine, uint32_t *cursor, struct flow_info *info, bool *found);
/* The flow that a packet from this zone with these ends (ports in host order) belongs to; false if
 * there is none. */
struct flow_ends {
	zone_id zone;
	uint8_t family;
	uint8_t protocol;
	union addr source, destination;
	uint16_t source_port, destination_port;
};
bool engine_flow_find(
	const struct engine *engine, const struct flow_ends *ends, struct flow_info *info);
/* End the flow of this id; false if there is none. */
bool engine_flow_end(struct engine *engine, uint32_t id);

/* A connection that a helper has read about and that has not come yet. */
struct expectation_info {
	const char *helper;
	uint8_t family; /* of the side that will connect */
	uint8_t protocol;
	bool permanent;    /* may be used more than once */
	uint16_t network;  /* of the LAN side */
	zone_id from;      /* where it will come from; ZONE_NONE: anywhere */
	union addr source; /* zeros: anybody */
	union addr destination;
	uint16_t port; /* host order */
	zone_id to;    /* where it is led to */
	union addr listener;
	uint16_t listener_port;
	uint32_t master; /* id of the flow that announced it */
	uint64_t expires_ms;
};
/* Walk all expectations, as engine_flow_next(). */
bool engine_expectation_next(
	const struct engine *engine, uint32_t *cursor, struct expectation_info *info);
/* Whether host->event is called. */
void engine_watch(struct engine *engine, bool on);

/* What a guest was refused, or lost, because of its limits. */
#define GUEST_REFUSED(X)                                                                           \
	X(FLOWS, "flows")             /* connections at one time */                                \
	X(NEW_FLOWS, "new_flows")     /* connections a second */                                   \
	X(HALF_OPEN, "half_open")     /* half-open connections ended for newer ones */             \
	X(PORTS, "ports")             /* external ports */                                         \
	X(RATE, "rate")               /* packets above its packets or bytes a second */            \
	X(FRAGMENTS, "fragments")     /* datagrams in fragments forgotten for newer ones */        \
	X(ICMP_ERRORS, "icmp_errors") /* it was not told */
enum guest_refusal {
#define X(name, text) GUEST_REFUSED_##name,
	GUEST_REFUSED(X)
#undef X
		GUEST_REFUSALS
};
const char *guest_refusal_name(enum guest_refusal refusal);

/* One guest: that of a link, or one address behind a link for a whole subnet. */
struct guest_info {
	zone_id link;
	uint16_t network;
	bool rest;                     /* addresses of a whole-subnet link without a record */
	union addr address4, address6; /* zero: none */
	uint32_t flows[2];             /* not finished; [0] that it began, [1] to it */
	uint32_t half_open[2];
	uint32_t ports[3]; /* external ones: TCP, UDP, identifiers of ICMP */
	uint32_t fragments;
	uint32_t expectations;
	uint64_t refused[GUEST_REFUSALS];
	struct guest_limits limits; /* 0: unlimited */
};
/* Walk all guests: *cursor starts at 0.  As engine_flow_next(). */
bool engine_guest_next(const struct engine *engine, uint32_t *cursor, struct guest_info *info);

/* All guests of a network together. */
struct network_info {
	uint32_t flows, half_open; /* not finished */
	uint32_t ports[3];         /* external ones: TCP, UDP, identifiers of ICMP */
	uint64_t flows_created;
	uint64_t refused[GUEST_REFUSALS]; /* because of the network's limits */
	uint64_t drops[DROP_COUNT];       /* of packets from its guests and its gateway */
	struct network_limits limits;     /* 0: none; of flows as many as it could have now */
};
/* False past the last network. */
bool engine_network_info(const struct engine *engine, unsigned network, struct network_info *info);

struct engine_status {
	uint32_t flows, flows_max;
	uint64_t flows_created;
	uint32_t ports_used, ports_max;    /* of the busiest protocol and address */
	struct counter in[2];              /* [0] from LAN, [1] from the uplink */
	struct counter out[2];             /* [0] to LAN, [1] to the uplink */
	uint32_t fragments, fragments_max; /* datagrams in fragments that are not complete */
	uint32_t expectations, expectations_max;
	uint32_t helped, helped_max; /* flows that a helper reads or has announced */
	uint64_t drops[DROP_COUNT];
	struct {
		struct counter in, out;
	} link[ENGINE_LINKS_MAX]; /* from and to the guest */
};
const struct engine_status *engine_status(const struct engine *engine);
/* Count a drop that happened outside the engine (DROP_NEIGHBOUR, DROP_SEND). */
void engine_count_drop(struct engine *engine, enum drop drop);

#endif
