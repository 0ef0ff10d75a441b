/* SPDX-License-Identifier: BSD-2-Clause */
/* peer: who is at the other end of a unix socket. */
#include "control/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Kernels before 4.13 tell no groups; whoever has none is in none but the main one. */
static int groups_read(int fd, struct control_peer *peer)
{
	socklen_t bytes = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes) == 0 || bytes == 0 ||
		errno != ERANGE)
		return 0;
	peer->groups = malloc(bytes);
	if (!peer->groups)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &bytes) < 0) {
		const int err = -errno;

		control_peer_free(peer);
		return err;
	}
	peer->group_count = (unsigned)(bytes / sizeof(gid_t));
	return 0;
}

int control_peer_read(int fd, struct control_peer *peer)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
		return -errno;
	*peer = (struct control_peer){.pid = who.pid, .uid = who.uid, .gid = who.gid};
	return groups_read(fd, peer);
}

void control_peer_free(struct control_peer *peer)
{
	free(peer->groups);
	peer->groups = NULL;
	peer->group_count = 0;
}

bool control_peer_is_in(const struct control_peer *peer, gid_t group)
{
	if (peer->gid == group)
		return true;
	for (unsigned i = 0; i < peer->group_count; i++)
		if (peer->groups[i] == group)
			return true;
	return false;
}
