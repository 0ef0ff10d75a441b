/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_flows: many UDP flows: how fast new ones come about, how well many live, when the first
 * packet comes back.
 *
 * Each flow has a socket bound to a source port of its own, in ascending order, so that no mapping
 * is met twice.  A flow counts when the server's echo is back.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "traffic.h"

#define FIRST_PORT  2000
#define FLOWS_MAX   (65536 - FIRST_PORT)
#define PATIENCE_NS 100000000 /* an echo not back after this is lost */
#define WINDOW      256       /* flows waiting for their echo at one time */

#define SILENT_MAX 10 /* windows without any echo, after which asking is given up */

/* A socket from the flow's own source port to the server, or -1 where that port is taken. */
static int flow_open(const struct run *run, unsigned index)
{
	struct sockaddr_storage from = local_port(run, (uint16_t)(FIRST_PORT + index));
	struct sockaddr_storage to = server_port(run, ECHO_PORT);
	int fd = must(socket(from.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0), "socket");

	if (bind(fd, (struct sockaddr *)&from, run->server_length) < 0 ||
		connect(fd, (struct sockaddr *)&to, run->server_length) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool flow_ask(int fd)
{
	char request[REQUEST_SIZE] = {0};

	return send(fd, request, sizeof(request), 0) == sizeof(request);
}

static bool flow_answered(int fd)
{
	char answer[REQUEST_SIZE];

	return recv(fd, answer, sizeof(answer), MSG_DONTWAIT) == sizeof(answer);
}

/* ---- new flows a second ---- */

struct waiting {
	int fd; /* -1: free */
	uint64_t since_ns;
};

static void waiting_start(
	const struct run *run, int epoll_fd, struct waiting *waiting, unsigned index)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = waiting};

	waiting->fd = flow_open(run, index);
	if (waiting->fd < 0)
		return;
	must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, waiting->fd, &event), "epoll_ctl");
	waiting->since_ns = now_ns();
	flow_ask(waiting->fd);
}

static void waiting_end(struct waiting *waiting)
{
	close(waiting->fd);
	waiting->fd = -1;
}

/* Give up on what is overdue.  Returns how many. */
static unsigned waiting_sweep(struct waiting *waiting, unsigned count, uint64_t now)
{
	unsigned lost = 0;

	for (unsigned i = 0; i < count; i++) {
		if (waiting[i].fd >= 0 && now - waiting[i].since_ns > PATIENCE_NS) {
			waiting_end(&waiting[i]);
			lost++;
		}
	}
	return lost;
}

int udp_new(const struct run *run)
{
	unsigned parallel = (unsigned)option(run, "parallel", 64), flows = 0, answered = 0,
		 lost = 0;
	uint64_t start = now_ns(), end = start + (uint64_t)(option(run, "seconds", 1) * 1e9),
		 now = start;
	struct waiting *waiting = calloc(parallel, sizeof(*waiting));
	int epoll_fd = must(epoll_create1(0), "epoll_create1");
	struct epoll_event events[64];

	for (unsigned i = 0; i < parallel; i++)
		waiting[i].fd = -1;
	while (now < end && flows < FLOWS_MAX) {
		for (unsigned i = 0; i < parallel && flows < FLOWS_MAX; i++) {
			if (waiting[i].fd < 0)
				waiting_start(run, epoll_fd, &waiting[i], flows++);
		}
		int count = epoll_wait(epoll_fd, events, 64, 10);

		for (int i = 0; i < count; i++) {
			struct waiting *done = events[i].data.ptr;

			answered += flow_answered(done->fd);
			waiting_end(done);
		}
		now = now_ns();
		if (count < 64)
			lost += waiting_sweep(waiting, parallel, now);
	}
	printf("{\"per_second\": %.0f, \"flows\": %u, \"answered\": %u, \"lost\": %u}\n",
		(double)answered * 1e9 / (double)(now - start), flows, answered, lost);
	free(waiting);
	return 0;
}

/* ---- many flows alive ---- */

/* Ask over every flow, a window at a time; returns how many answer.  `only_missing`: ask where
 * alive[] is false.  Where window after window stays silent, the rest is not asked. */
static unsigned flows_ask(const int *fds, bool *alive, unsigned count, bool only_missing)
{
	unsigned answered = 0, silent = 0;

	for (unsigned first = 0; first < count && silent < SILENT_MAX; first += WINDOW) {
		unsigned last = first + WINDOW < count ? first + WINDOW : count, pending = 0,
			 before = answered;
		uint64_t deadline = now_ns() + PATIENCE_NS;

		for (unsigned i = first; i < last; i++) {
			if (only_missing && alive[i])
				continue;
			alive[i] = false;
			pending += fds[i] >= 0 && flow_ask(fds[i]);
		}
		while (pending > 0 && now_ns() < deadline) {
			for (unsigned i = first; i < last && pending > 0; i++) {
				if (!alive[i] && fds[i] >= 0 && flow_answered(fds[i])) {
					alive[i] = true;
					pending--;
				}
			}
			if (pending > 0)
				usleep(200);
		}
		for (unsigned i = first; i < last; i++)
			answered += alive[i];
		silent = answered > before ? 0 : silent + 1;
	}
	return answered;
}

/* Round trips over flows picked at random among the living. */
static void flows_measure(
	const int *fds, const bool *alive, unsigned count, double seconds, struct samples *samples)
{
	uint64_t end = now_ns() + (uint64_t)(seconds * 1e9), before, after = now_ns();
	unsigned state = 1;

	while (after < end) { /* where none lives, this only waits */
		state = state * 1103515245 + 12345;
		unsigned i = (state >> 8) % count;

		if (!alive[i]) {
			after = now_ns();
			continue;
		}
		before = now_ns();
		flow_ask(fds[i]);
		do
			after = now_ns();
		while (!flow_answered(fds[i]) && after - before < PATIENCE_NS);
		samples_add(samples, after - before);
	}
}

/*
 * One process may hold fewer descriptors than there are flows: shares of them live in children,
 * which do one step after the other when the parent says so.
 */
enum step { STEP_OPEN, STEP_MEASURE, STEP_COUNT_ALIVE, STEPS };

struct share {
	unsigned first, count;
	int *fds;
	bool *alive;
	int parent_fd; /* the child's end */
	int child_fd;  /* the parent's */
};

static void share_step(const struct run *run, struct share *share, enum step step, double seconds)
{
	struct samples samples = {0};
	uint32_t answer = 0;

	switch (step) {
	case STEP_OPEN:
		for (unsigned i = 0; i < share->count; i++)
			share->fds[i] = flow_open(run, share->first + i);
		flows_ask(share->fds, share->alive, share->count, true);
		answer = flows_ask(share->fds, share->alive, share->count, true);
		send_all(share->parent_fd, &answer, sizeof(answer));
		return;
	case STEP_MEASURE:
		flows_measure(share->fds, share->alive, share->count, seconds, &samples);
		answer = (uint32_t)samples.count;
		send_all(share->parent_fd, &answer, sizeof(answer));
		for (size_t i = 0; i < samples.count; i++)
			send_all(share->parent_fd, &samples.ns[i], sizeof(samples.ns[i]));
		samples_free(&samples);
		return;
	case STEP_COUNT_ALIVE:
		answer = flows_ask(share->fds, share->alive, share->count, false);
		send_all(share->parent_fd, &answer, sizeof(answer));
		return;
	case STEPS:
		return;
	}
}

_Noreturn static void share_live(const struct run *run, struct share *share, double seconds)
{
	uint32_t step;

	share->fds = calloc(share->count, sizeof(*share->fds));
	share->alive = calloc(share->count, sizeof(*share->alive));
	while (receive_all(share->parent_fd, &step, sizeof(step)))
		share_step(run, share, (enum step)step, seconds);
	exit(0);
}

/* Have the child do a step; returns its answer. */
static uint32_t share_order(const struct share *share, enum step step)
{
	uint32_t word = step;

	send_all(share->child_fd, &word, sizeof(word));
	if (!receive_all(share->child_fd, &word, sizeof(word)))
		die("a share of the flows");
	return word;
}

static void samples_collect(const struct share *share, struct samples *samples)
{
	for (uint32_t left = share_order(share, STEP_MEASURE), ns; left > 0; left--) {
		receive_all(share->child_fd, &ns, sizeof(ns));
		samples_add(samples, ns);
	}
}

int udp_alive(const struct run *run)
{
	unsigned flows = (unsigned)option(run, "flows", 50000), shares, alive = 0;
	unsigned most = descriptors_raise() - 64;
	struct samples samples = {0};
	struct share *share;

	shares = (flows + most - 1) / most;
	share = calloc(shares, sizeof(*share));
	for (unsigned i = 0; i < shares; i++) {
		int pair[2];

		share[i].first = i * most;
		share[i].count = flows - share[i].first < most ? flows - share[i].first : most;
		must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
		share[i].child_fd = pair[0];
		share[i].parent_fd = pair[1];
		if (must(fork(), "fork") == 0) {
			close(pair[0]);
			share_live(run, &share[i], option(run, "seconds", 1) / shares);
		}
		close(pair[1]);
	}
	for (unsigned i = 0; i < shares; i++)
		share_order(&share[i], STEP_OPEN);
	for (unsigned i = 0; i < shares; i++)
		samples_collect(&share[i], &samples);
	for (unsigned i = 0; i < shares; i++)
		alive += share_order(&share[i], STEP_COUNT_ALIVE);
	printf("{\"alive\": %u, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", alive,
		samples_quantile_us(&samples, 0.5), samples_quantile_us(&samples, 0.99));
	samples_free(&samples);
	free(share);
	return 0;
}

/* ---- the first packet ---- */

int udp_first(const struct run *run)
{
	uint64_t end = now_ns() + (uint64_t)(option(run, "seconds", 10) * 1e9);
	struct sockaddr_storage to = server_port(run, ECHO_PORT);
	int fd = must(socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0), "socket");
	char request[REQUEST_SIZE] = {0};
	struct timespec now;

	while (now_ns() < end) {
		sendto(fd, request, sizeof(request), 0, (struct sockaddr *)&to, run->server_length);
		usleep(200);
		if (flow_answered(fd)) {
			clock_gettime(CLOCK_REALTIME, &now);
			printf("{\"realtime_us\": %lld}\n",
				(long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
			close(fd);
			return 0;
		}
	}
	fputs("no packet came back\n", stderr);
	return 1;
}
