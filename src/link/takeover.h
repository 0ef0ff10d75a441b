/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * takeover: what is changed on an interface of the host so that the kernel stays out of it, and put
 * back when it is given back.
 *
 *	begin   refused: no Ethernet, loopback, has addresses, part of a bridge or a bond
 *	        a filter at its ingress shoots all frames, behind our packet socket (clsact.h)
 *	        no link-local IPv6 addresses: those of the kernel's making go, and no new ones come
 *	        up, if it was down
 *	end     all of it backwards, as far as the interface is still there
 *
 * Where we were killed, the filter and the mode of addresses stay, so that the kernel is silent
 * until the next start, which takes both for what it found, and the filter for its own.
 */
#ifndef TUNGATE_LINK_TAKEOVER_H
#define TUNGATE_LINK_TAKEOVER_H

#include <net/if.h>
#include "base/addr.h"
#include "base/log.h"
#include "host/clsact.h"

#define TAKEOVER_ADDRESSES_MAX 4

struct takeover {
	int ifindex;
	uint32_t mtu; /* bytes */
	bool was_down;
	bool has_carrier; /* as it was found; what comes, netlink tells */
	bool mode_changed;
	uint8_t mode; /* IN6_ADDR_GEN_MODE_*, as it was */
	unsigned address_count;
	struct {
		union addr address;
		uint8_t prefix_length;
	} address[TAKEOVER_ADDRESSES_MAX]; /* link-local ones that were removed */
	struct clsact_filter filter;
};

/* 0 or -errno, logged; -ENODEV, and nothing logged, where there is no interface of this name. */
int takeover_begin(const struct log *log, const char *name, struct takeover *takeover);
void takeover_end(const struct takeover *takeover);

#endif
