/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port_lock: one gateway per external port and network namespace.
 *
 * With the guard in place no socket holds the external ports, so nothing else tells two instances
 * apart that would send from the same ones.  The lock is an abstract unix socket whose name is
 * the list of ports: it is the namespace's, the kernel drops it however the process ends, and
 * others can be asked which ports they hold.
 */
#ifndef TUNGATE_HOST_PORT_LOCK_H
#define TUNGATE_HOST_PORT_LOCK_H

#include "base/addr.h"
#include "base/log.h"

/* Take the ports: a descriptor to keep open, or -errno after one sentence; -EADDRINUSE where a
 * running instance has one of them. */
int port_lock_take(const struct log *log, const struct port_list *ports);

#endif
