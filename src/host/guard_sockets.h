/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_sockets: the guard as sockets that hold the ports and hear nothing.
 */
#ifndef TUNGATE_HOST_GUARD_SOCKETS_H
#define TUNGATE_HOST_GUARD_SOCKETS_H

#include <stdbool.h>
#include "base/addr.h"
#include "base/log.h"

struct guard_sockets;

int guard_sockets_open(
	const struct log *log, const struct port_list *ports, struct guard_sockets **sockets);
void guard_sockets_close(struct guard_sockets *sockets);
/* Make up to `count` more; true while some are missing. */
bool guard_sockets_fill(struct guard_sockets *sockets, unsigned count);
/* Other ports: begin anew where they differ. */
int guard_sockets_ports_set(struct guard_sockets *sockets, const struct port_list *ports);
/* Drop what arrives from outside, before it wakes anybody: for a socket of ours that only the
 * host itself may reach.  0 or -errno. */
int guard_sockets_local_only(int fd);

#endif
