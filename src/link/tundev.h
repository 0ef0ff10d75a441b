/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tundev: the TUN device under the links `tun` and `netns`, and the TAP under `tap`: made here, its
 * packets carried here.
 */
#ifndef TUNGATE_LINK_TUNDEV_H
#define TUNGATE_LINK_TUNDEV_H

#include "link/link.h"

/*
 * Make a TUN (l2_bytes = 0) or a TAP (14) in the calling thread's network namespace, down and
 * without addresses.  `name` may hold a %d for the kernel to fill; link->device is the name it got.
 * 0 or -errno, logged.  Until the device has been configured the caller closes it by
 * link->ops->close().
 */
int tundev_open(const struct log *log, const char *kind, const char *name, unsigned l2_bytes,
	const struct link_settings *settings, struct link **link);

#endif
