/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockets: bound sockets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "host/sockets.h"
#include "host/netns.h"

#define BACKLOG 128

void socket_address(
	struct sockaddr_storage *storage, uint8_t family, const union addr *address, uint16_t port)
{
	memset(storage, 0, sizeof(*storage));
	storage->ss_family = family;
	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)storage;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = address->v4;
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, address->bytes, sizeof(in6->sin6_addr));
	}
}

void socket_address_read(
	const struct sockaddr_storage *storage, union addr *address, uint16_t *port)
{
	*address = (union addr){0};
	if (storage->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)storage;
		*port = ntohs(in->sin_port);
		address->v4 = in->sin_addr.s_addr;
	} else {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;
		*port = ntohs(in6->sin6_port);
		memcpy(address->bytes, &in6->sin6_addr, sizeof(in6->sin6_addr));
	}
}

static int socket_open(int netns, int type, uint8_t family)
{
	if (netns >= 0)
		return netns_socket(netns, family, type, 0);
	const int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

/* Old connections in TIME_WAIT must not keep a port from being published again; a second
 * listener is refused all the same. */
static int socket_prepare(int fd, int type, uint8_t family)
{
	const int on = 1;

	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return -errno;
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return -errno;
	return 0;
}

int socket_listen(int netns, int type, uint8_t family, const union addr *address, uint16_t port)
{
	struct sockaddr_storage storage;
	const int fd = socket_open(netns, type, family);
	int error;

	if (fd < 0)
		return fd;
	socket_address(&storage, family, address, port);
	error = socket_prepare(fd, type, family);
	if (error != 0)
		goto failed;
	if (bind(fd, (struct sockaddr *)&storage,
		    family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) !=
			0 ||
		(type == SOCK_STREAM && listen(fd, BACKLOG) != 0)) {
		error = -errno;
		goto failed;
	}
	return fd;

failed:
	close(fd);
	return error;
}
