/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_rate: the highest rate of small datagrams that arrive with less than the allowed loss.
 *
 * The client's order goes over TCP; the datagrams go over a flow that the client opens, whichever
 * way they run.  The rate is searched by bisection on a logarithmic scale; a trial that fails is
 * repeated once, for a hiccup of the machine is not the gateway's limit.  A sender that is held
 * back (a full queue makes it wait) ends the search: more cannot be had.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "traffic.h"

#define BATCH        64
#define PACE_NS      50000    /* a sender sleeps this long between batches */
#define DRAIN_NS     30000000 /* what is still under way arrives within this */
#define SIZE_MAX_UDP 1472

struct order {
	uint32_t in; /* server to client */
	uint32_t size;
	double rate; /* packets a second */
	double seconds;
};

struct tally {
	uint64_t packets;
	uint64_t elapsed_ns;
};

static void messages_init(struct mmsghdr *messages, struct iovec *parts, char *data, size_t size)
{
	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){data, size};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
	}
}

static struct tally blast(int fd, const struct order *order)
{
	static char data[SIZE_MAX_UDP];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	uint64_t start = now_ns(), elapsed = 0, sent = 0, due;

	prctl(PR_SET_TIMERSLACK, 1);
	messages_init(messages, parts, data, order->size);
	while ((double)elapsed < order->seconds * 1e9) {
		due = (uint64_t)(order->rate * (double)elapsed / 1e9);
		while (sent < due) {
			uint64_t count = due - sent < BATCH ? due - sent : BATCH;
			int n = sendmmsg(fd, messages, (unsigned)count, 0);

			if (n < 0 && errno != ECONNREFUSED && errno != ENOBUFS)
				die("sendmmsg");
			sent += n > 0 ? (uint64_t)n : 0;
			elapsed = now_ns() - start;
			if ((double)elapsed >= order->seconds * 1e9)
				break;
		}
		sleep_until_ns(start + elapsed + PACE_NS);
		elapsed = now_ns() - start;
	}
	return (struct tally){.packets = sent, .elapsed_ns = elapsed};
}

/* Count datagrams until the other side has something to say over `order_fd`. */
static uint64_t count_datagrams(int fd, int order_fd, uint32_t size)
{
	static char data[SIZE_MAX_UDP];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = order_fd, .events = POLLIN}};
	uint64_t count = 0;
	int n;

	messages_init(messages, parts, data, sizeof(data));
	for (;;) {
		while ((n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL)) > 0) {
			for (int i = 0; i < n; i++)
				count += messages[i].msg_len == size;
		}
		if (polled[1].revents)
			return count;
		must(poll(polled, 2, -1), "poll");
	}
}

static void buffer_enlarge(int fd)
{
	int bytes = 8 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* A fresh UDP socket, connected to whoever greets it; tells the client its port first. */
static int meet_client(int order_fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int fd;
	char greeting;

	must(getsockname(order_fd, (struct sockaddr *)&address, &length), "getsockname");
	((struct sockaddr_in *)&address)->sin_port = 0; /* at the same place for IPv6 */
	fd = must(socket(address.ss_family, SOCK_DGRAM, 0), "socket");
	buffer_enlarge(fd);
	must(bind(fd, (struct sockaddr *)&address, length), "bind");
	must(getsockname(fd, (struct sockaddr *)&address, &length), "getsockname");
	send_all(order_fd, &((struct sockaddr_in *)&address)->sin_port, sizeof(in_port_t));
	must((int)recvfrom(fd, &greeting, 1, 0, (struct sockaddr *)&address, &length), "recvfrom");
	must(connect(fd, (struct sockaddr *)&address, length), "connect");
	send_all(order_fd, "!", 1);
	return fd;
}

void order_serve(int client_fd)
{
	struct order order;

	while (receive_all(client_fd, &order, sizeof(order))) {
		struct tally tally = {0};
		char end;
		int fd = meet_client(client_fd);

		if (order.in) {
			tally = blast(fd, &order);
			sleep_until_ns(now_ns() + DRAIN_NS);
		} else {
			tally.packets = count_datagrams(fd, client_fd, order.size);
			receive_all(client_fd, &end, 1);
		}
		send_all(client_fd, &tally, sizeof(tally));
		close(fd);
	}
}

/* The client's socket, known to the server. */
static int meet_server(const struct run *run, int order_fd)
{
	struct pollfd polled = {.fd = order_fd, .events = POLLIN};
	in_port_t port;
	char met;
	int fd;

	receive_all(order_fd, &port, sizeof(port));
	fd = server_connect(run, SOCK_DGRAM, ntohs(port));
	buffer_enlarge(fd);
	do
		send(fd, "?", 1, 0);
	while (poll(&polled, 1, 50) == 0);
	receive_all(order_fd, &met, 1);
	return fd;
}

struct trial {
	double sent_rate;
	double received_rate;
	double loss;
};

static struct trial trial_run(const struct run *run, int order_fd, const struct order *order)
{
	struct tally sent, received = {0};
	int fd;

	send_all(order_fd, order, sizeof(*order));
	fd = meet_server(run, order_fd);
	if (order->in) {
		received.packets = count_datagrams(fd, order_fd, order->size);
		receive_all(order_fd, &sent, sizeof(sent));
	} else {
		sent = blast(fd, order);
		sleep_until_ns(now_ns() + DRAIN_NS);
		send_all(order_fd, ".", 1);
		receive_all(order_fd, &received, sizeof(received));
	}
	close(fd);
	return (struct trial){
		.sent_rate = (double)sent.packets * 1e9 / (double)sent.elapsed_ns,
		.received_rate = (double)received.packets * 1e9 / (double)sent.elapsed_ns,
		.loss = sent.packets ? 1 - (double)received.packets / (double)sent.packets : 1,
	};
}

int udp_rate(const struct run *run)
{
	int order_fd = server_connect(run, SOCK_STREAM, ORDER_PORT);
	double low = option(run, "from", 10e3), high = option(run, "to", 1.5e6),
	       loss = option(run, "loss", 0.01);
	struct order order = {
		.in = option(run, "in", 0) != 0,
		.size = (uint32_t)option(run, "size", 64),
		.seconds = option(run, "trial_ms", 300) / 1e3,
	};
	struct trial best = {0}, trial;
	bool held_back = false;

	while (high / low > 1.03 && !held_back) {
		order.rate = sqrt(low * high);
		trial = trial_run(run, order_fd, &order);
		if (trial.loss >= loss)
			trial = trial_run(run, order_fd, &order);
		if (trial.loss >= loss) {
			high = order.rate;
			continue;
		}
		low = order.rate;
		if (trial.received_rate > best.received_rate)
			best = trial;
		held_back = trial.sent_rate < 0.9 * order.rate;
	}
	printf("{\"kpps\": %.1f, \"loss\": %.4f, \"held_back\": %s}\n", best.received_rate / 1e3,
		best.loss, held_back ? "true" : "false");
	close(order_fd);
	return 0;
}
