/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl: switches of IPv6 that an interface has, and that netlink does not reach.
 */
#ifndef TUNGATE_LINK_SYSCTL_H
#define TUNGATE_LINK_SYSCTL_H

/* Set net.ipv6.conf.DEVICE.NAME in the calling thread's network namespace.  The value before, or
 * -errno; -ENOENT where there is no IPv6. */
int sysctl_ipv6_set(const char *device, const char *name, int value);

#endif
