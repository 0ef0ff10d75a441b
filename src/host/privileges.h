/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges: check at start what is there, and give up what is not needed once everything is open.
 */
#ifndef TUNGATE_HOST_PRIVILEGES_H
#define TUNGATE_HOST_PRIVILEGES_H

#include "base/log.h"

/* Can we do our work at all?  /dev/net/tun usable, CAP_NET_ADMIN and CAP_NET_RAW (libcap-ng).  0,
 * or -errno after one sentence per missing thing with what to do. */
int privileges_check(const struct log *log);
/* Keep only the capabilities that a running gateway needs (NET_ADMIN, NET_RAW, NET_BIND_SERVICE,
 * SYS_ADMIN for setns, SYS_PTRACE for /proc/PID/ns, CHOWN for owners' sockets), no new
 * privileges.  0 or -errno, logged. */
int privileges_drop(const struct log *log);

#endif
