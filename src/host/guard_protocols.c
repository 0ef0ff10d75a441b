/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_protocols: a deaf raw socket per protocol and family.
 */
#include "host/guard_protocols.h"

#include <assert.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOL_ETHERIP 97
#define PROTOCOL_L2TP    115

/* What guests' tunnels and transports are made of. */
static const int protocols[] = {IPPROTO_IPIP, IPPROTO_DCCP, IPPROTO_IPV6, IPPROTO_GRE, IPPROTO_ESP,
	IPPROTO_AH, PROTOCOL_ETHERIP, PROTOCOL_L2TP, IPPROTO_SCTP};
static_assert(2 * sizeof(protocols) / sizeof(*protocols) == GUARD_PROTOCOL_SOCKETS, "two each");

/* -1 where it cannot be; then the kernel answers as ever. */
static int deaf_socket(int family, int protocol)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog program = {.len = 1, .filter = nothing};
	const int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd >= 0 &&
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void guard_protocols_open(struct guard_protocols *guard)
{
	for (unsigned i = 0; i < GUARD_PROTOCOL_SOCKETS; i++)
		guard->fd[i] = deaf_socket(i % 2 ? AF_INET6 : AF_INET, protocols[i / 2]);
}

void guard_protocols_close(struct guard_protocols *guard)
{
	for (unsigned i = 0; i < GUARD_PROTOCOL_SOCKETS; i++)
		if (guard->fd[i] >= 0)
			close(guard->fd[i]);
}
