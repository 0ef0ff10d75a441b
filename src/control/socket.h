/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket: the control socket as a file: who may open it, and that one instance owns it.
 */
#ifndef TUNGATE_CONTROL_SOCKET_H
#define TUNGATE_CONTROL_SOCKET_H

#include <stdbool.h>
#include "base/log.h"

struct control_socket {
	int fd; /* listening, non-blocking */
	int lock_fd;
	char path[108];
	char lock[sizeof(".lock") + 107];
	bool made_parent;
};

/* 0 or -errno, logged; -EADDRINUSE where a live instance owns the path. */
int control_socket_open(struct control_socket *sock, const struct log *log, const char *path,
	const char *group, bool everybody);
/* Everybody, or its owner and group alone, may connect from now on. */
void control_socket_open_to(
	const struct control_socket *sock, const struct log *log, bool everybody);
/* Stop listening and remove what opening made. */
void control_socket_close(struct control_socket *sock);

#endif
