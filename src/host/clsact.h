/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clsact: a classic BPF filter of ours (cls_bpf, direct action) at the ingress of an interface.
 *
 * Order on receipt: ETH_P_ALL taps (packet sockets), then tc's ingress, then bridges and the IP
 * stack.  A program answers TC_ACT_SHOT for what the kernel must not see, and TC_ACT_UNSPEC for
 * the rest, so filters of others go on as if it were not there.  Its priority number is low on
 * purpose: a filter of others in front of it that ends the walk (a redirect to an ifb for shaping,
 * typically at 10) would let our packets through to the kernel.
 *
 * Replacing.  RTM_NEWTFILTER with the handle of an existing filter swaps its program atomically;
 * so does a new instance with what a killed one left behind.
 *
 * Whose qdisc.  The clsact qdisc holds filters of everybody; it goes with our filter if it was made
 * by us and is empty.  A killed instance's filter must tell the next one whether that was so: it
 * is in the handle.
 */
#ifndef TUNGATE_HOST_CLSACT_H
#define TUNGATE_HOST_CLSACT_H

#include <linux/filter.h>
#include <stdint.h>

struct nl_sock;

#define CLSACT_PRIORITY 7

struct clsact_filter {
	int ifindex;
	uint16_t owner;  /* tells filters of ours on one interface apart; half of the handle */
	uint32_t handle; /* clsact_attach() fills it */
};

/* Put the filter there; 0 or -errno, with nothing changed. */
int clsact_attach(struct nl_sock *socket, struct clsact_filter *filter, struct sock_filter *code,
	unsigned length);
/* Another program in its place.  0 or -errno. */
int clsact_replace(struct nl_sock *socket, const struct clsact_filter *filter,
	struct sock_filter *code, unsigned length);
/* Remove it, and the qdisc if that was ours. */
void clsact_detach(struct nl_sock *socket, const struct clsact_filter *filter);

#endif
