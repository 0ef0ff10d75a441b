/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claims: which of the packets that reach the host are the gateway's, as a classic BPF program.
 *
 * One generator makes both programs, so that what the uplink's socket takes and what the guard
 * keeps from the kernel cannot drift apart.
 */
#ifndef TUNGATE_HOST_CLAIMS_H
#define TUNGATE_HOST_CLAIMS_H

#include <linux/filter.h>
#include "base/addr.h"

struct published {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	struct port_range ports;
};

/* An address of the host that packets of ours are sent to. */
struct claimed_address {
	uint8_t family;
	union addr address;
};

/* Addresses that are the gateway's alone, whatever comes to them. */
struct owned_prefix {
	struct prefix prefix;
	bool on_host; /* the kernel has the address, so it answers for it on the wire: ARP, NDP */
};

/* An address of the host of which the gateway has these ports beside the external ones. */
struct shared_address {
	struct claimed_address address;
	struct port_list ports;
};
#define CLAIMS_SHARED_MAX 32

struct port_claims {
	struct port_list external; /* TCP, UDP, ICMP query identifiers */
	const struct published *published;
	unsigned published_count;
	/*
	 * The host's addresses that are shared with the gateway; none: any destination.  On a host
	 * that forwards for others, the ports of packets passing through are none of ours.
	 */
	const struct claimed_address *addresses;
	unsigned address_count;
	const struct shared_address *shared; /* none of those above */
	unsigned shared_count;
	/* Those above are the host's, even where one of these covers them. */
	const struct owned_prefix *owned;
	unsigned owned_count;
};
#define CLAIMS_ADDRESSES_MAX 64

enum claims_use {
	/*
	 * For a packet socket: 0, or the whole packet.  Takes what is addressed to this host and is
	 * TCP or UDP to our ports, an ICMP query's answer to our identifiers, an ICMP error, or
	 * something that shows no port here (fragments, extension headers, other protocols): the
	 * engine knows whether it belongs to a flow.  Everything but neighbour discovery where the
	 * address is owned.
	 */
	CLAIMS_SOCKET,
	/* For cls_bpf: TC_ACT_SHOT for TCP and UDP to our ports and for what comes to an owned
	 * address (but to one that the host has, neighbour discovery), else TC_ACT_UNSPEC, which
	 * leaves the packet to the filters of others. */
	CLAIMS_GUARD,
};

/* Bytes of link-layer header on an interface of this ARPHRD_* type: 14, 0, or -EOPNOTSUPP where
 * its frames are neither Ethernet nor plain IP. */
int claims_l2_bytes(unsigned type);

/*
 * Write the program into `code` of BPF_MAXINSNS instructions; `l2_bytes` is the link-layer
 * header's length (14 or 0).  Returns the number of instructions, -E2BIG where there are too many
 * published ranges even after merging neighbours, -ENOMEM.
 */
int claims_program(const struct port_claims *claims, enum claims_use use, unsigned l2_bytes,
	struct sock_filter *code);

#endif
