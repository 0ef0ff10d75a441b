/* SPDX-License-Identifier: BSD-2-Clause */
/* dns_tcp: what one client's connections may cost, and what they cost others. */
#include "dns/parts.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../support/world.h"

#define QUESTIONS 64
#define NAMES     256 /* addresses of one name: answers of 4 KiB */

static struct dns_forwarder *forwarder;
static struct dns_channel *listener;
static struct config *config;
static struct sockaddr_in place = {.sin_family = AF_INET};
static zone_id zone; /* of the next connection */

static zone_id client(void *context, uint16_t network, uint8_t protocol, uint8_t family,
	const union addr *peer, uint16_t port)
{
	(void)context;
	(void)network;
	(void)protocol;
	(void)family;
	(void)peer;
	(void)port;
	return zone;
}

static void begin(void)
{
	static char text[NAMES * 64];
	struct config_errors errors;
	socklen_t size = sizeof(place);
	const int little = 4096;
	char *end = text + sprintf(text, "[network lab]\nsubnet = 10.77.0.0/16\n");

	for (unsigned i = 0; i < NAMES; i++)
		end += sprintf(end, "dns-name = big.example 10.77.1.%u\n", i);
	config = config_parse("test", text, &errors);
	cr_assert_not_null(config);
	const struct dns_forwarder_settings settings = {.loop = uv_default_loop(),
		.log = world_log(),
		.resolv_conf = "/etc/resolv.conf",
		.client = client};
	cr_assert_eq(dns_forwarder_create(&settings, config, &forwarder), 0);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&place, sizeof(place)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
	cr_assert_eq(listen(fd, 64), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&place, &size), 0);
	cr_assert_eq(dns_forwarder_listen(forwarder, 0, fd, &listener), 0);
}

static void turn(void)
{
	for (unsigned i = 0; i < 100; i++)
		uv_run(uv_default_loop(), UV_RUN_NOWAIT);
}

static void end(void)
{
	dns_listener_close(listener);
	dns_forwarder_free(forwarder);
	turn();
	config_free(config);
}

TestSuite(dns_tcp, .init = begin, .fini = end);

static int open_from(zone_id link)
{
	const int fd = socket(AF_INET, SOCK_STREAM, 0), little = 4096;

	zone = link;
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&place, sizeof(place)), 0);
	turn();
	return fd;
}

static bool is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

/* Copies of one machine ask from one address. */
Test(dns_tcp, one_link_does_not_close_what_another_of_its_address_has)
{
	const int first = open_from(1), second = open_from(2);

	for (unsigned i = 0; i < 40; i++)
		(void)open_from(2);
	cr_expect(is_open(first));
	cr_expect_not(is_open(second));
}

Test(dns_tcp, who_does_not_read_is_not_read_from)
{
	static const uint8_t question[] = "\0\035\0\7\1\0\0\1\0\0\0\0\0\0\3big\7example\0\0\1\0\1";
	const uint64_t *queries = &dns_forwarder_counters(forwarder, 0)->queries;
	const int fd = open_from(1);
	static uint8_t bytes[65536];
	size_t got = 0;
	ssize_t more;

	for (unsigned i = 0; i < QUESTIONS; i++)
		cr_assert_eq(send(fd, question, sizeof(question) - 1, 0), sizeof(question) - 1);
	turn();
	cr_expect_gt(*queries, 16);
	cr_expect_lt(*queries, QUESTIONS);
	/* Nothing is lost of what was not read. */
	for (unsigned i = 0; i < 10000 && got < (size_t)QUESTIONS * 16 * NAMES; i++) {
		more = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		got += more > 0 ? (size_t)more : 0;
		turn();
	}
	cr_expect_eq(*queries, QUESTIONS);
	cr_expect_gt(got, (size_t)QUESTIONS * 16 * NAMES);
}
