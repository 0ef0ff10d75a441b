/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockets: addresses for the socket calls, and listening sockets in a namespace of choice.
 */
#ifndef TUNGATE_HOST_SOCKETS_H
#define TUNGATE_HOST_SOCKETS_H

#include <netinet/in.h>
#include "base/addr.h"

/* `port` in host byte order. */
void socket_address(
	struct sockaddr_storage *storage, uint8_t family, const union addr *address, uint16_t port);
/* ... and read one. */
void socket_address_read(
	const struct sockaddr_storage *storage, union addr *address, uint16_t *port);
/* A bound socket, listening where `type` is SOCK_STREAM, in namespace `netns` (-1: ours).  A zero
 * address is any address of the family, and of that one alone.  The descriptor or -errno. */
int socket_listen(int netns, int type, uint8_t family, const union addr *address, uint16_t port);

#endif
