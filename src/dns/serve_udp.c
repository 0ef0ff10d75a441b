/* SPDX-License-Identifier: BSD-2-Clause */
/* serve_udp: questions that come in datagrams. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "dns/parts.h"

struct udp_listener {
	struct dns_channel channel;
	uv_poll_t poll;
	int fd;
};

/* A full queue loses datagrams, as a network does. */
static void udp_send(struct dns_channel *channel, const struct sockaddr_storage *peer,
	const uint8_t *bytes, size_t length)
{
	const struct udp_listener *listener = (const struct udp_listener *)channel;
	const socklen_t size = peer->ss_family == AF_INET ? sizeof(struct sockaddr_in)
							  : sizeof(struct sockaddr_in6);

	(void)!sendto(listener->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)peer, size);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct udp_listener *listener = poll->data;
	struct dns_forwarder *forwarder = listener->channel.forwarder;
	struct sockaddr_storage peers[DNS_BURST] = {0};
	struct mmsghdr messages[DNS_BURST];
	struct iovec parts[DNS_BURST];

	(void)events;
	for (unsigned i = 0; i < DNS_BURST; i++) {
		parts[i] = (struct iovec){forwarder->queries[i], DNS_QUERY_MAX};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
			.msg_namelen = sizeof(peers[i]),
			.msg_iov = &parts[i],
			.msg_iovlen = 1};
	}
	const int count = recvmmsg(listener->fd, messages, DNS_BURST, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		dns_question(
			&listener->channel, &peers[i], forwarder->queries[i], messages[i].msg_len);
	if (status < 0) /* libuv stops polling at POLLERR */
		uv_poll_start(poll, UV_READABLE, on_readable);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void udp_close(struct dns_channel *channel)
{
	struct udp_listener *listener = (struct udp_listener *)channel;

	dns_channel_forget(channel);
	uv_close((uv_handle_t *)&listener->poll, on_closed);
	close(listener->fd);
}

/* Large answers over IPv4 may be cut on their way: a sender of datagrams does not hear in time that
 * one was too large.  Over IPv6 there are none (respond.c). */
static void allow_fragments(int fd)
{
	const int never = IP_PMTUDISC_DONT;

	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never));
}

int dns_serve_udp(
	struct dns_forwarder *forwarder, uint16_t network, int fd, struct dns_channel **result)
{
	struct udp_listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		return -ENOMEM;
	listener->channel = (struct dns_channel){.forwarder = forwarder,
		.network = network,
		.protocol = IPPROTO_UDP,
		.send = udp_send,
		.close = udp_close};
	TAILQ_INIT(&listener->channel.requests);
	listener->fd = fd;
	const int error = uv_poll_init(forwarder->settings.loop, &listener->poll, fd);
	if (error != 0) {
		free(listener);
		return error;
	}
	allow_fragments(fd);
	listener->poll.data = listener;
	uv_poll_start(&listener->poll, UV_READABLE, on_readable);
	*result = &listener->channel;
	return 0;
}
