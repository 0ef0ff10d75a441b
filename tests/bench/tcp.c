/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp: request and answer over one connection, and over a new connection each time. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "traffic.h"

int tcp_rr(const struct run *run)
{
	int fd = server_connect(run, SOCK_STREAM, ECHO_PORT), on = 1;
	char request[REQUEST_SIZE] = {REQUEST_KEEP};
	double seconds = option(run, "seconds", 2);
	uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), before, after = start;
	struct samples samples = {0};

	must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "TCP_NODELAY");
	while (after < end) {
		before = after;
		send_all(fd, request, sizeof(request));
		if (!receive_all(fd, request, sizeof(request)))
			break;
		after = now_ns();
		samples_add(&samples, after - before);
	}
	printf("{\"per_second\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
		(double)samples.count * 1e9 / (double)(after - start),
		samples_quantile_us(&samples, 0.5), samples_quantile_us(&samples, 0.99));
	samples_free(&samples);
	close(fd);
	return 0;
}

/* One of the parallel clients of tcp_crr. */
struct client {
	int fd;
	bool asked;
	uint64_t start_ns;
};

struct crowd {
	const struct run *run;
	int epoll_fd;
	unsigned opened; /* spreads connections over the server's ports */
	unsigned failed;
	struct samples samples;
};

static void client_open(struct crowd *crowd, struct client *client)
{
	uint16_t port = (uint16_t)(ECHO_PORT + crowd->opened++ % ECHO_PORTS);
	struct sockaddr_storage address = server_port(crowd->run, port);
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client};

	client->fd = must(socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
	client->asked = false;
	client->start_ns = now_ns();
	if (connect(client->fd, (struct sockaddr *)&address, crowd->run->server_length) < 0 &&
		errno != EINPROGRESS)
		die("connect");
	must(epoll_ctl(crowd->epoll_fd, EPOLL_CTL_ADD, client->fd, &event), "epoll_ctl");
}

/* The server closes first, so that the client's port is free again at once. */
static void client_on_event(struct crowd *crowd, struct client *client, uint32_t events)
{
	char data[REQUEST_SIZE] = {REQUEST_CLOSE};
	ssize_t got = -1;

	if (!client->asked && (events & EPOLLOUT) && !(events & EPOLLERR)) {
		client->asked = true;
		send(client->fd, data, sizeof(data), MSG_NOSIGNAL);
	}
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
		while ((got = recv(client->fd, data, sizeof(data), 0)) > 0)
			;
	}
	if (got < 0 && errno == EAGAIN && !(events & EPOLLERR))
		return;
	if (got == 0)
		samples_add(&crowd->samples, now_ns() - client->start_ns);
	else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		crowd->failed++;
	else
		return;
	close(client->fd);
	client_open(crowd, client);
}

int tcp_crr(const struct run *run)
{
	unsigned parallel = (unsigned)option(run, "parallel", 32);
	double seconds = option(run, "seconds", 2);
	struct client *clients = calloc(parallel, sizeof(*clients));
	struct crowd crowd = {.run = run, .epoll_fd = must(epoll_create1(0), "epoll_create1")};
	uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);
	struct epoll_event events[64];

	for (unsigned i = 0; i < parallel; i++)
		client_open(&crowd, &clients[i]);
	while (now_ns() < end) {
		int count = epoll_wait(crowd.epoll_fd, events, 64, 100);

		for (int i = 0; i < count; i++)
			client_on_event(&crowd, events[i].data.ptr, events[i].events);
	}
	printf("{\"per_second\": %.0f, \"failed\": %u, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
		(double)crowd.samples.count * 1e9 / (double)(now_ns() - start), crowd.failed,
		samples_quantile_us(&crowd.samples, 0.5),
		samples_quantile_us(&crowd.samples, 0.99));
	samples_free(&crowd.samples);
	free(clients);
	return 0;
}
