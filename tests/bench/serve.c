/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve: the server's side: TCP and UDP echo in one epoll loop, packet rates in a child per client,
 * so that a stream of packets never waits behind an echo.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "traffic.h"

enum role { ROLE_LISTEN, ROLE_CLIENT, ROLE_DATAGRAMS, ROLE_ORDERS };

#define EVENTS    256
#define DATAGRAMS 64

static void watch(int epoll_fd, enum role role, int fd)
{
	struct epoll_event event = {
		.events = EPOLLIN, .data.u64 = (uint64_t)role << 32 | (uint32_t)fd};

	must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static int open_port(const struct run *run, int type, uint16_t port)
{
	struct sockaddr_storage address = server_port(run, port);
	int fd = must(socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
	int on = 1, buffer_bytes = 8 << 20;

	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
	must(bind(fd, (struct sockaddr *)&address, run->server_length), "bind");
	if (type == SOCK_STREAM)
		must(listen(fd, 4096), "listen");
	return fd;
}

static void on_listen(int epoll_fd, int fd)
{
	int client_fd;

	while ((client_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		watch(epoll_fd, ROLE_CLIENT, client_fd);
}

/* Requests are so short that they arrive and leave whole. */
static void on_client(int fd)
{
	char request[REQUEST_SIZE];
	ssize_t got = recv(fd, request, sizeof(request), 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0 || send(fd, request, (size_t)got, MSG_NOSIGNAL) != got ||
		request[0] == REQUEST_CLOSE)
		close(fd);
}

static void on_datagrams(int fd)
{
	static char data[DATAGRAMS][2048];
	static struct sockaddr_storage from[DATAGRAMS];
	struct iovec parts[DATAGRAMS];
	struct mmsghdr messages[DATAGRAMS];
	int count;

	for (int i = 0; i < DATAGRAMS; i++) {
		parts[i] = (struct iovec){data[i], sizeof(data[i])};
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
		};
	}
	count = recvmmsg(fd, messages, DATAGRAMS, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		parts[i].iov_len = messages[i].msg_len;
	for (int sent = 0, n; sent < count; sent += n) {
		n = sendmmsg(fd, messages + sent, (unsigned)(count - sent), 0);
		if (n <= 0) /* an ICMP error of an earlier answer: it is taken now, go on */
			n = errno == ECONNREFUSED ? 0 : 1;
	}
}

static void on_orders(int fd)
{
	int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (client_fd < 0)
		return;
	if (must(fork(), "fork") == 0) {
		order_serve(client_fd);
		exit(0);
	}
	close(client_fd);
}

static void dispatch(int epoll_fd, const struct epoll_event *event)
{
	int fd = (int)(uint32_t)event->data.u64;

	switch ((enum role)(event->data.u64 >> 32)) {
	case ROLE_LISTEN:
		on_listen(epoll_fd, fd);
		break;
	case ROLE_CLIENT:
		on_client(fd);
		break;
	case ROLE_DATAGRAMS:
		on_datagrams(fd);
		break;
	case ROLE_ORDERS:
		on_orders(fd);
		break;
	}
}

int serve(const struct run *run)
{
	int epoll_fd = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	struct epoll_event events[EVENTS];

	descriptors_raise();
	signal(SIGCHLD, SIG_IGN); /* children of orders need no funeral */
	for (uint16_t i = 0; i < ECHO_PORTS; i++) {
		watch(epoll_fd, ROLE_LISTEN,
			open_port(run, SOCK_STREAM, (uint16_t)(ECHO_PORT + i)));
		watch(epoll_fd, ROLE_DATAGRAMS,
			open_port(run, SOCK_DGRAM, (uint16_t)(ECHO_PORT + i)));
	}
	watch(epoll_fd, ROLE_ORDERS, open_port(run, SOCK_STREAM, ORDER_PORT));
	for (;;) {
		int count = epoll_wait(epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < count; i++)
			dispatch(epoll_fd, &events[i]);
	}
}
