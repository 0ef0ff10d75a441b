/* SPDX-License-Identifier: BSD-2-Clause */
/* relay_udp: real datagrams through a relay, all in one thread: whoever waits runs the loop. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../support/world.h"
#include "daemon/relay.h"

#define PATIENCE_MS 2000
#define IDLE_MS     200

struct world {
	uv_loop_t loop;
	struct relay *relay;
	struct sockaddr_storage relay_address, target_address;
	socklen_t address_size;
	int target;
	bool has_target;
	struct sockaddr_storage refusing_address; /* tried first, where it has a family */
};

/* A bound socket, whose address `address` receives. */
static int bound_socket(const char *ip, struct sockaddr_storage *address, socklen_t *size)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const bool is_v4 = inet_pton(AF_INET, ip, &v4.sin_addr) == 1;

	cr_assert(is_v4 || inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1);
	*size = is_v4 ? sizeof(v4) : sizeof(v6);
	memcpy(address, is_v4 ? (void *)&v4 : (void *)&v6, *size);
	const int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_geq(fd, 0);
	if (bind(fd, (struct sockaddr *)address, *size) < 0)
		cr_skip_test("there is no %s here: %s", ip, strerror(errno));
	cr_assert_eq(getsockname(fd, (struct sockaddr *)address, size), 0);
	return fd;
}

static bool give_target(void *context, const struct relay_client *client, unsigned attempt,
	struct sockaddr_storage *address)
{
	const struct world *world = context;
	const bool first = world->refusing_address.ss_family != 0;

	(void)client;
	*address = first && attempt == 0 ? world->refusing_address : world->target_address;
	return world->has_target && attempt <= first;
}

/* A relay at `ip` with a target at `target_ip`. */
static struct world *world_open(const char *ip, const char *target_ip, unsigned exchanges_max)
{
	struct world *world = calloc(1, sizeof(*world));
	socklen_t size;

	uv_loop_init(&world->loop);
	world->has_target = true;
	world->target = bound_socket(target_ip, &world->target_address, &size);
	const struct relay_settings settings = {
		.listen_fd = bound_socket(ip, &world->relay_address, &world->address_size),
		.target_netns = -1,
		.target = give_target,
		.context = world,
		.connections_max = exchanges_max,
		.udp_idle_ms = IDLE_MS,
	};
	cr_assert_eq(relay_start(&world->loop, world_log(), &settings, &world->relay), 0);
	return world;
}

static void world_close(struct world *world)
{
	relay_stop(world->relay);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	cr_expect_eq(uv_loop_close(&world->loop), 0, "handles are left");
	close(world->target);
	free(world);
}

/* A client whose datagrams go to the relay at this address of the host. */
static int client_at(struct world *world, const char *relay_ip)
{
	struct sockaddr_storage address = world->relay_address;
	const int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (address.ss_family == AF_INET)
		inet_pton(AF_INET, relay_ip, &((struct sockaddr_in *)&address)->sin_addr);
	else
		inet_pton(AF_INET6, relay_ip, &((struct sockaddr_in6 *)&address)->sin6_addr);
	/* Connected: an answer from another address would not be heard. */
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, world->address_size), 0);
	return fd;
}

/* Receive a datagram, running the loop meanwhile: its length, or -1 when none comes. */
static ssize_t receive(struct world *world, int fd, void *bytes, size_t size,
	struct sockaddr_storage *from, unsigned patience_ms)
{
	for (unsigned waited_ms = 0; waited_ms < patience_ms; waited_ms++) {
		socklen_t from_size = sizeof(*from);
		uv_run(&world->loop, UV_RUN_NOWAIT);
		const ssize_t got = recvfrom(
			fd, bytes, size, 0, (struct sockaddr *)from, from ? &from_size : NULL);
		if (got >= 0)
			return got;
		usleep(1000);
	}
	return -1;
}

static void expect_text(
	struct world *world, int fd, const char *text, struct sockaddr_storage *from)
{
	char bytes[64] = "";
	const ssize_t got = receive(world, fd, bytes, sizeof(bytes) - 1, from, PATIENCE_MS);

	cr_assert_eq(got, (ssize_t)strlen(text), "waiting for %s", text);
	cr_expect_str_eq(bytes, text);
}

static void say(int fd, const char *text)
{
	cr_assert_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void answer(struct world *world, const char *text, const struct sockaddr_storage *to)
{
	cr_assert_eq(sendto(world->target, text, strlen(text), 0, (const struct sockaddr *)to,
			     world->address_size),
		(ssize_t)strlen(text));
}

/* ---- tests ---- */

static void exchange_between(const char *relay_ip, const char *written_ip, const char *target_ip)
{
	struct world *world = world_open(relay_ip, target_ip, 10);
	const int one = client_at(world, written_ip), two = client_at(world, written_ip);
	struct sockaddr_storage from_one, from_two;

	say(one, "one?");
	expect_text(world, world->target, "one?", &from_one);
	say(two, "two?");
	expect_text(world, world->target, "two?", &from_two);
	answer(world, "two!", &from_two);
	answer(world, "one!", &from_one);
	expect_text(world, one, "one!", NULL);
	expect_text(world, two, "two!", NULL);

	/* A second datagram goes the same way. */
	struct sockaddr_storage again;
	say(one, "and?");
	expect_text(world, world->target, "and?", &again);
	cr_expect_eq(memcmp(&again, &from_one, world->address_size), 0);
	close(one);
	close(two);
	world_close(world);
}

Test(relay_udp, answers_find_their_clients)
{
	exchange_between("127.0.0.1", "127.0.0.1", "127.0.0.1");
}

Test(relay_udp, answers_come_from_the_address_that_was_written_to)
{
	exchange_between("0.0.0.0", "127.0.0.9", "127.0.0.1");
}

Test(relay_udp, ipv6_alike)
{
	exchange_between("::", "::1", "::1");
}

Test(relay_udp, one_socket_of_a_client_may_write_to_two_addresses)
{
	struct world *world = world_open("0.0.0.0", "127.0.0.1", 10);
	struct sockaddr_storage self, from_one, from_two;
	socklen_t size;
	const int client = bound_socket("127.0.0.1", &self, &size);
	struct sockaddr_in relay;

	memcpy(&relay, &world->relay_address, sizeof(relay));
	for (unsigned i = 2; i <= 3; i++) {
		relay.sin_addr.s_addr = htonl(0x7f000000 + i);
		sendto(client, "x", 1, 0, (struct sockaddr *)&relay, sizeof(relay));
	}
	expect_text(world, world->target, "x", &from_one);
	expect_text(world, world->target, "x", &from_two);
	for (unsigned i = 2; i <= 3; i++) {
		struct sockaddr_storage from;
		answer(world, "y", i == 2 ? &from_one : &from_two);
		expect_text(world, client, "y", &from);
		cr_expect_eq(((struct sockaddr_in *)&from)->sin_addr.s_addr, htonl(0x7f000000 + i));
	}
	close(client);
	world_close(world);
}

Test(relay_udp, any_length_passes)
{
	struct world *world = world_open("127.0.0.1", "127.0.0.1", 10);
	const int client = client_at(world, "127.0.0.1");
	static char sent[65507], got[65536];
	static const size_t lengths[] = {0, 1, 1472, 65507};

	memset(sent, 'z', sizeof(sent));
	for (unsigned i = 0; i < 4; i++) {
		struct sockaddr_storage from;
		cr_assert_eq(send(client, sent, lengths[i], 0), (ssize_t)lengths[i]);
		cr_assert_eq(receive(world, world->target, got, sizeof(got), &from, PATIENCE_MS),
			(ssize_t)lengths[i]);
		sendto(world->target, sent, lengths[i], 0, (struct sockaddr *)&from,
			world->address_size);
		cr_assert_eq(receive(world, client, got, sizeof(got), NULL, PATIENCE_MS),
			(ssize_t)lengths[i]);
	}
	close(client);
	world_close(world);
}

Test(relay_udp, an_idle_exchange_ends_and_a_used_one_stays)
{
	struct world *world = world_open("127.0.0.1", "127.0.0.1", 10);
	const int used = client_at(world, "127.0.0.1"), idle = client_at(world, "127.0.0.1");
	struct sockaddr_storage first_used, first_idle, later;
	char byte;

	say(idle, "a");
	expect_text(world, world->target, "a", &first_idle);
	say(used, "a");
	expect_text(world, world->target, "a", &first_used);
	for (unsigned i = 0; i < 6; i++) {
		receive(world, used, &byte, 1, NULL, IDLE_MS / 3);
		say(used, "a");
		expect_text(world, world->target, "a", &later);
		cr_expect_eq(memcmp(&later, &first_used, world->address_size), 0);
	}
	/* Its socket is gone, and with it who it was for. */
	answer(world, "too late", &first_idle);
	cr_expect_eq(receive(world, idle, &byte, 1, NULL, 50), -1);
	close(used);
	close(idle);
	world_close(world);
}

Test(relay_udp, the_oldest_exchange_makes_room)
{
	struct world *world = world_open("127.0.0.1", "127.0.0.1", 2);
	int clients[3];
	struct sockaddr_storage from[3];
	char byte;

	for (unsigned i = 0; i < 3; i++) {
		clients[i] = client_at(world, "127.0.0.1");
		say(clients[i], "a");
		expect_text(world, world->target, "a", &from[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		answer(world, "b", &from[i]);
	cr_expect_eq(receive(world, clients[0], &byte, 1, NULL, 50), -1);
	expect_text(world, clients[1], "b", NULL);
	expect_text(world, clients[2], "b", NULL);
	for (unsigned i = 0; i < 3; i++)
		close(clients[i]);
	world_close(world);
}

Test(relay_udp, a_target_that_is_away_for_a_time_is_found_again)
{
	struct world *world = world_open("127.0.0.1", "127.0.0.1", 10);
	const int client = client_at(world, "127.0.0.1");
	struct sockaddr_storage from;
	char byte;

	close(world->target); /* its kernel answers: port unreachable */
	for (unsigned i = 0; i < 3; i++) {
		say(client, "a");
		cr_expect_eq(receive(world, client, &byte, 1, NULL, 10), -1);
	}
	world->target = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(
		bind(world->target, (struct sockaddr *)&world->target_address, world->address_size),
		0);
	say(client, "back?");
	expect_text(world, world->target, "back?", &from);
	answer(world, "back!", &from);
	expect_text(world, client, "back!", NULL);

	world->has_target = false;
	const int other = client_at(world, "127.0.0.1");
	say(other, "a");
	cr_expect_eq(receive(world, world->target, &byte, 1, NULL, 20), -1);
	close(client);
	close(other);
	world_close(world);
}

Test(relay_udp, a_refusal_leads_to_the_next_target)
{
	struct world *world = world_open("127.0.0.1", "127.0.0.1", 10);
	const int client = client_at(world, "127.0.0.1");
	struct sockaddr_storage from = {0};
	socklen_t size;
	char bytes[16];

	close(bound_socket("127.0.0.1", &world->refusing_address, &size));
	/* The first one is lost, as a datagram may be. */
	cr_assert_eq(send(client, "one", 3, 0), 3);
	cr_expect_eq(receive(world, world->target, bytes, sizeof(bytes), NULL, 50), -1);
	cr_assert_eq(send(client, "two", 3, 0), 3);
	expect_text(world, world->target, "two", &from);
	cr_assert_eq(sendto(world->target, "yes", 3, 0, (struct sockaddr *)&from, size), 3);
	expect_text(world, client, "yes", NULL);
	close(client);
	world_close(world);
}

Test(relay_udp, a_client_is_known_by_what_its_target_sees)
{
	struct world *world = world_open("127.0.0.1", "127.0.0.1", 10);
	const int client = client_at(world, "127.0.0.1");
	struct sockaddr_storage from = {0};
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	struct relay_client found;

	cr_assert_eq(send(client, "hello", 5, 0), 5);
	expect_text(world, world->target, "hello", &from);
	cr_assert(relay_find(world->relay, &from, &found));
	cr_assert_eq(getsockname(client, (struct sockaddr *)&own, &size), 0);
	cr_expect_eq(found.peer_port, ntohs(own.sin_port));
	cr_expect_eq(found.peer.v4, own.sin_addr.s_addr);
	cr_expect_eq(found.local.v4, htonl(INADDR_LOOPBACK));
	cr_expect_eq(
		found.local_port, ntohs(((struct sockaddr_in *)&world->relay_address)->sin_port));
	((struct sockaddr_in *)&from)->sin_port = 0;
	cr_expect_not(relay_find(world->relay, &from, &found));
	close(client);
	world_close(world);
}
