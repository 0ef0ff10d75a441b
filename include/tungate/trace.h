/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace: what would happen to a packet, and why, without its happening: no counter, no token, no
 * port, no flow is touched.  The host is asked for a route.
 */
#ifndef TUNGATE_TRACE_H
#define TUNGATE_TRACE_H

#include "tungate/engine.h"

/* A rule that the packet is compared with, valid during the call. */
struct trace_rule {
	const char *chain;
	const struct rule *rule; /* NULL: the chain's policy */
	unsigned index;
	uint8_t action; /* enum rule_action, the policy's as well */
	uint8_t missed; /* enum rule_word: the first that does not hold; RULE_WORDS: it matches */
};

struct trace_query { /* the packet as the filter sees it */
	zone_id in, out;
	uint16_t in_network, out_network; /* 0xffff: the uplink */
	uint8_t family, protocol, state;  /* RULE_STATE_* */
	bool has_ports;
	uint16_t source_port, destination_port; /* host order */
	union addr source, destination;
	uint8_t icmp_type, icmp_code, tcp_flags, ttl, dscp;
	uint16_t length;
	bool domain_holds;
	const char *domain; /* that the sender has asked for and got the destination; or NULL */
};

enum trace_answer { TRACE_SILENT, TRACE_RESET, TRACE_ICMP };

struct trace {
	bool passes;
	uint8_t drop;   /* enum drop, where it does not */
	uint8_t answer; /* enum trace_answer: what its sender is told */
	uint8_t icmp_type, icmp_code;
	bool known;        /* part of a live connection: */
	uint32_t flow;     /* its id */
	bool reply;        /* against the direction in which that began */
	const char *state; /* its state's name */
	bool asked;        /* the filter was; else `query` is not filled */
	struct trace_query query;
	bool forwarded;      /* its destination is behind a published port */
	bool source_decided; /* it came as far as the source NAT: */
	bool translated;     /* and gets `source`, with a port where it has any */
	union addr source;
	const struct rule *nat_rule; /* that said so; NULL: none was asked, or none matched */
	const struct rule *destination_rule; /* of [nat], about its destination; or NULL */
};

/* The rules are shown to `visit` in the order in which they are tried. */
typedef void trace_visit(void *context, const struct trace_rule *rule, const struct trace *trace);
/* `packet` is as for engine_input(), or for engine_output() where in_zone is a service's. */
void engine_trace(struct engine *engine, struct packet *packet, uint64_t now_ms, trace_visit *visit,
	void *context, struct trace *trace);

#endif
