/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port_lock: one gateway per external range and network namespace.
 *
 * With the guard in place no socket holds the external ports, so nothing else tells two instances
 * apart that would send from the same ones.  The lock is an abstract unix socket whose name is
 * the range: it is the namespace's, the kernel drops it however the process ends, and others can
 * be asked which ranges they hold.
 */
#ifndef TUNGATE_HOST_PORT_LOCK_H
#define TUNGATE_HOST_PORT_LOCK_H

#include "base/addr.h"
#include "base/log.h"

/* Take the range: a descriptor to keep open, or -errno after one sentence; -EADDRINUSE where a
 * running instance has a range that overlaps. */
int port_lock_take(const struct log *log, struct port_range ports);

#endif
