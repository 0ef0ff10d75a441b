/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traffic: small generators for what iperf3 cannot show: packet rates, transactions, new flows.
 *
 * `traffic serve` runs in the server's namespace; every other command runs in the guest's, takes
 * the server's address and `key=value` options, and prints one line of JSON.  A command's own limit
 * is what it reports over the bare path.
 */
#ifndef TESTS_BENCH_TRAFFIC_H
#define TESTS_BENCH_TRAFFIC_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* Ports of the server: echo over TCP and UDP on each of a few, and orders for packet rates. */
#define ECHO_PORT    7100
#define ECHO_PORTS   16
#define ORDER_PORT   7099
#define REQUEST_SIZE 64 /* bytes of a request, and of its answer */

/* First byte of a TCP request: does the server close after the answer? */
#define REQUEST_KEEP  'k'
#define REQUEST_CLOSE 'c'

struct run {
	int argc; /* key=value words */
	char **argv;
	struct sockaddr_storage server; /* without port */
	socklen_t server_length;
};

int serve(const struct run *run);
int tcp_rr(const struct run *run);
int tcp_crr(const struct run *run);
int udp_rate(const struct run *run);
int udp_new(const struct run *run);
int udp_alive(const struct run *run);
int udp_first(const struct run *run);

/* Serve one client that has orders for packet rates (udp_rate.c). */
void order_serve(int client_fd);

/* ---- measure.c ---- */

uint64_t now_ns(void);
void sleep_until_ns(uint64_t deadline_ns);
/* The value of `key=NUMBER` among the words, or `otherwise`. */
double option(const struct run *run, const char *key, double otherwise);
/* Print a sentence with errno's text and exit. */
_Noreturn void die(const char *what);
/* A value that a system call returned: die where it is negative. */
int must(int result, const char *what);

/* A socket connected to the server's port; dies on failure. */
int server_connect(const struct run *run, int type, uint16_t port);
/* The server's address with this port. */
struct sockaddr_storage server_port(const struct run *run, uint16_t port);
/* The wildcard address of the same family with this port. */
struct sockaddr_storage local_port(const struct run *run, uint16_t port);
/* Exactly `size` bytes; dies on failure, returns 0 at the end of the stream. */
int receive_all(int fd, void *data, size_t size);
void send_all(int fd, const void *data, size_t size);
/* Allow as many descriptors as the kernel does; returns how many. */
unsigned descriptors_raise(void);

struct samples {
	uint32_t *ns;
	size_t count;
	size_t capacity;
};

void samples_add(struct samples *samples, uint64_t ns);
/* The given quantile (0 to 1) in microseconds; sorts. 0 where there are none. */
double samples_quantile_us(struct samples *samples, double quantile);
void samples_free(struct samples *samples);

#endif
