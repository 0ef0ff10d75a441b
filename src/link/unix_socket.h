/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_socket: a socket with a name in the file system that belongs to one user.
 */
#ifndef TUNGATE_LINK_UNIX_SOCKET_H
#define TUNGATE_LINK_UNIX_SOCKET_H

#include <sys/types.h>
#include <sys/un.h>
#include "base/log.h"

struct unix_socket {
	int fd;
	struct sockaddr_un address;
	dev_t device; /* of the file that was made, so that no other is removed */
	ino_t inode;
};

/*
 * Make one, `type` SOCK_STREAM (listening) or SOCK_DGRAM, close-on-exec and non-blocking: of this
 * owner ((uid_t)-1: ours) with mode 0600; and of this group, unless (gid_t)-1, with mode 0660.  One
 * that a dead program left is replaced.  0 or -errno, logged.
 */
int unix_socket_open(const struct log *log, const char *path, int type, uid_t owner, gid_t group,
	struct unix_socket *made);
/* Close it and remove its name. */
void unix_socket_close(const struct unix_socket *made);

/* Does anybody have a socket of this name and type? */
bool unix_socket_is_alive(const struct sockaddr_un *address, socklen_t bytes, int type);

#endif
