/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setup: give an interface its addresses, routes and MTU, over a netlink socket of the namespace
 * that it is in.  Every function returns 0 or the kernel's -errno and logs nothing.
 */
#ifndef TUNGATE_LINK_SETUP_H
#define TUNGATE_LINK_SETUP_H

#include "base/addr.h"

struct nl_sock;

/* The interface's index, or -errno (-ENODEV: there is none of this name). */
int setup_find(struct nl_sock *socket, const char *name);
/* Move it into the namespace of `netns_fd` as `name`. */
int setup_move(struct nl_sock *socket, int ifindex, int netns_fd, const char *name);
/* MTU (0: leave it), a queue for bursts, no link-local IPv6 address (so that an idle guest sends no
 * solicitations and reports). */
int setup_tune(struct nl_sock *socket, int ifindex, uint16_t mtu);
int setup_up(struct nl_sock *socket, int ifindex);
int setup_down(struct nl_sock *socket, int ifindex);
/* Make it part of a bridge. */
int setup_join(struct nl_sock *socket, int ifindex, int master);
/* IN6_ADDR_GEN_MODE_*: how the kernel makes link-local IPv6 addresses. */
int setup_address_mode(struct nl_sock *socket, int ifindex, uint8_t mode);
/* `flags`: IFA_F_*. */
int setup_address(struct nl_sock *socket, int ifindex, uint8_t family, const union addr *address,
	uint8_t prefix_length, uint32_t flags);
int setup_address_remove(struct nl_sock *socket, int ifindex, uint8_t family,
	const union addr *address, uint8_t prefix_length);
/* `gateway` may be NULL: directly reached. */
int setup_route(struct nl_sock *socket, int ifindex, const struct prefix *destination,
	const union addr *gateway);

#endif
