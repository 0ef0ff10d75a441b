/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_protocols: keep the kernel from calling guests' tunnels unreachable.
 *
 * A packet of a protocol that nobody on the host speaks is answered by "protocol unreachable",
 * which ends many a tunnel: PPTP's and others' GRE, ESP.  It is not where a raw socket hears that
 * protocol; these hear nothing.  What the host speaks itself goes on reaching it, whatever sockets
 * there are.
 */
#ifndef TUNGATE_HOST_GUARD_PROTOCOLS_H
#define TUNGATE_HOST_GUARD_PROTOCOLS_H

/* Both families of each protocol. */
#define GUARD_PROTOCOL_SOCKETS 18

struct guard_protocols {
	int fd[GUARD_PROTOCOL_SOCKETS]; /* -1: the kernel would not have it */
};

void guard_protocols_open(struct guard_protocols *guard);
void guard_protocols_close(struct guard_protocols *guard);

#endif
