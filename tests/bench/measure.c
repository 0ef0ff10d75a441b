/* SPDX-License-Identifier: BSD-2-Clause */
/* measure: clock, options, sockets and samples that the generators share. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include "traffic.h"

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void sleep_until_ns(uint64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / 1000000000),
		.tv_nsec = (long)(deadline_ns % 1000000000),
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
}

double option(const struct run *run, const char *key, double otherwise)
{
	size_t length = strlen(key);

	for (int i = 0; i < run->argc; i++) {
		if (strncmp(run->argv[i], key, length) == 0 && run->argv[i][length] == '=')
			return strtod(run->argv[i] + length + 1, NULL);
	}
	return otherwise;
}

void die(const char *what)
{
	perror(what);
	exit(1);
}

int must(int result, const char *what)
{
	if (result < 0)
		die(what);
	return result;
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET6)
		((struct sockaddr_in6 *)address)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)address)->sin_port = htons(port);
}

struct sockaddr_storage server_port(const struct run *run, uint16_t port)
{
	struct sockaddr_storage address = run->server;

	set_port(&address, port);
	return address;
}

struct sockaddr_storage local_port(const struct run *run, uint16_t port)
{
	struct sockaddr_storage address = {.ss_family = run->server.ss_family};

	set_port(&address, port);
	return address;
}

int server_connect(const struct run *run, int type, uint16_t port)
{
	struct sockaddr_storage address = server_port(run, port);
	int fd = must(socket(address.ss_family, type | SOCK_CLOEXEC, 0), "socket");

	must(connect(fd, (struct sockaddr *)&address, run->server_length), "connect");
	return fd;
}

int receive_all(int fd, void *data, size_t size)
{
	ssize_t got = recv(fd, data, size, MSG_WAITALL);

	if (got < 0)
		die("recv");
	if (got != 0 && (size_t)got != size) {
		errno = ECONNRESET;
		die("recv");
	}
	return got != 0;
}

void send_all(int fd, const void *data, size_t size)
{
	if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
		die("send");
}

unsigned descriptors_raise(void)
{
	struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};

	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return (unsigned)limit.rlim_cur;
	must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	return (unsigned)limit.rlim_cur;
}

void samples_add(struct samples *samples, uint64_t ns)
{
	if (samples->count == samples->capacity) {
		samples->capacity = samples->capacity ? samples->capacity * 2 : 65536;
		samples->ns = realloc(samples->ns, samples->capacity * sizeof(samples->ns[0]));
		if (!samples->ns)
			die("realloc");
	}
	samples->ns[samples->count++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

double samples_quantile_us(struct samples *samples, double quantile)
{
	if (samples->count == 0)
		return 0;
	qsort(samples->ns, samples->count, sizeof(samples->ns[0]), compare);
	return samples->ns[(size_t)((double)(samples->count - 1) * quantile)] / 1000.0;
}

void samples_free(struct samples *samples)
{
	free(samples->ns);
	*samples = (struct samples){0};
}
