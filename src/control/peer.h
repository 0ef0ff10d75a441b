/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer: who is at the other end of a unix socket, as the kernel says (SO_PEERCRED, SO_PEERGROUPS):
 * who it was when it connected.
 */
#ifndef TUNGATE_CONTROL_PEER_H
#define TUNGATE_CONTROL_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct control_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	unsigned group_count; /* supplementary ones */
	gid_t *groups;        /* malloc()ed */
};

/* 0 or -errno. */
int control_peer_read(int fd, struct control_peer *peer);
void control_peer_free(struct control_peer *peer);
bool control_peer_is_in(const struct control_peer *peer, gid_t group);

#endif
