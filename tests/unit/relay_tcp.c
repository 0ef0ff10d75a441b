/* SPDX-License-Identifier: BSD-2-Clause */
/* relay_tcp: real connections through a relay, all in one thread: whoever waits runs the loop. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../support/world.h"
#include "daemon/relay.h"
#include "host/netns.h"

#define PATIENCE_MS 5000

struct world {
	uv_loop_t loop;
	struct relay *relay;
	struct sockaddr_in relay_address, target_address;
	int target; /* listening */
	bool has_target;
	struct sockaddr_in refusing_address; /* tried first, where it has a port */
	unsigned attempts;
	struct relay_client client; /* that was asked for last */
	const char *greeting;       /* NULL: none */
};

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* A listening socket on a free port, which `address` receives. */
static int listener(int fd, struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);

	*address = loopback(0);
	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
	cr_assert_eq(listen(fd, 16), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)address, &size), 0);
	return fd;
}

static int stream_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool give_target(void *context, const struct relay_client *client, unsigned attempt,
	struct sockaddr_storage *address)
{
	struct world *world = context;
	const bool first = world->refusing_address.sin_port != 0;

	world->client = *client;
	world->attempts++;
	memcpy(address, first && attempt == 0 ? &world->refusing_address : &world->target_address,
		sizeof(world->target_address));
	return world->has_target && attempt <= first;
}

static size_t give_greeting(void *context, const struct relay_client *client, uint8_t *bytes)
{
	const struct world *world = context;

	(void)client;
	if (world->greeting == NULL)
		return 0;
	memcpy(bytes, world->greeting, strlen(world->greeting));
	return strlen(world->greeting);
}

static struct world *world_open(int target, int target_netns, unsigned connections_max)
{
	struct world *world = calloc(1, sizeof(*world));

	uv_loop_init(&world->loop);
	world->has_target = true;
	world->target = listener(target, &world->target_address);
	const struct relay_settings settings = {
		.listen_fd = listener(stream_socket(), &world->relay_address),
		.target_netns = target_netns,
		.target = give_target,
		.greeting = give_greeting,
		.context = world,
		.connections_max = connections_max,
		.tcp_connect_ms = 200,
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

/* ---- waiting ---- */

/* Run the loop once; the test fails when it has waited too long. */
static void turn(struct world *world, unsigned *waited_ms)
{
	uv_run(&world->loop, UV_RUN_NOWAIT);
	if (++*waited_ms > PATIENCE_MS)
		cr_assert_fail("nothing comes");
	if (*waited_ms > 20)
		usleep(1000);
}

static int client_connect(struct world *world)
{
	const int fd = stream_socket();

	connect(fd, (struct sockaddr *)&world->relay_address, sizeof(world->relay_address));
	return fd;
}

static int target_accept(struct world *world)
{
	unsigned waited_ms = 0;
	int fd;

	while ((fd = accept4(world->target, NULL, NULL, SOCK_NONBLOCK)) < 0)
		turn(world, &waited_ms);
	return fd;
}

static void say(struct world *world, int fd, const char *text)
{
	unsigned waited_ms = 0;

	while (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		turn(world, &waited_ms);
}

/* Bytes that come, 0 at the end, -errno. */
static ssize_t hear(struct world *world, int fd, void *bytes, size_t size)
{
	unsigned waited_ms = 0;
	ssize_t got;

	while ((got = recv(fd, bytes, size, 0)) < 0 && errno == EAGAIN)
		turn(world, &waited_ms);
	return got < 0 ? -errno : got;
}

static void expect_heard(struct world *world, int fd, const char *text)
{
	char heard[256];
	size_t length = 0;

	while (length < strlen(text)) {
		const ssize_t got = hear(world, fd, heard + length, sizeof(heard) - length - 1);
		cr_assert_gt(got, 0, "waiting for %s", text);
		length += (size_t)got;
	}
	heard[length] = 0;
	cr_expect_str_eq(heard, text);
}

static void expect_end(struct world *world, int fd, ssize_t expected)
{
	char byte;

	cr_expect_eq(hear(world, fd, &byte, 1), expected);
}

/* ---- tests ---- */

Test(relay_tcp, carries_both_ways)
{
	struct world *world = world_open(stream_socket(), -1, 10);
	const int client = client_connect(world), target = target_accept(world);

	say(world, client, "question");
	expect_heard(world, target, "question");
	say(world, target, "answer");
	expect_heard(world, client, "answer");
	close(client);
	expect_end(world, target, 0);
	close(target);
	world_close(world);
}

Test(relay_tcp, one_direction_ends_before_the_other)
{
	struct world *world = world_open(stream_socket(), -1, 10);
	const int client = client_connect(world), target = target_accept(world);

	say(world, client, "all of the question");
	shutdown(client, SHUT_WR);
	expect_heard(world, target, "all of the question");
	expect_end(world, target, 0);
	say(world, target, "first, ");
	say(world, target, "second");
	expect_heard(world, client, "first, second");
	close(target);
	expect_end(world, client, 0);
	close(client);
	world_close(world);
}

Test(relay_tcp, the_target_may_speak_first_and_end_first)
{
	struct world *world = world_open(stream_socket(), -1, 10);
	const int client = client_connect(world), target = target_accept(world);

	say(world, target, "220 ready");
	shutdown(target, SHUT_WR);
	expect_heard(world, client, "220 ready");
	expect_end(world, client, 0);
	say(world, client, "QUIT");
	expect_heard(world, target, "QUIT");
	close(client);
	expect_end(world, target, 0);
	close(target);
	world_close(world);
}

#define TRANSFER_BYTES (8 << 20)

struct transfer {
	int from, to;
	size_t sent, received;
	uint64_t seed_sent, seed_received;
};

/* The next byte of an endless stream that never repeats within a buffer. */
static uint8_t stream_byte(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint8_t)(*seed >> 56);
}

static void transfer_send(struct transfer *transfer)
{
	static uint8_t bytes[50000];
	size_t length = TRANSFER_BYTES - transfer->sent;
	uint64_t seed = transfer->seed_sent;

	if (length > sizeof(bytes))
		length = sizeof(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = stream_byte(&seed);
	const ssize_t sent = length ? send(transfer->from, bytes, length, MSG_NOSIGNAL) : -1;
	for (ssize_t i = 0; i < sent; i++)
		stream_byte(&transfer->seed_sent);
	if (sent <= 0)
		return;
	transfer->sent += (size_t)sent;
	if (transfer->sent == TRANSFER_BYTES)
		shutdown(transfer->from, SHUT_WR);
}

/* True at the end of the stream. */
static bool transfer_receive(struct transfer *transfer)
{
	static uint8_t bytes[30000];
	const ssize_t got = recv(transfer->to, bytes, sizeof(bytes), 0);

	for (ssize_t i = 0; i < got; i++, transfer->received++)
		cr_assert_eq(bytes[i], stream_byte(&transfer->seed_received), "byte %zu",
			transfer->received);
	return got == 0;
}

Test(relay_tcp, eight_megabytes_each_way_at_once_arrive_whole)
{
	struct world *world = world_open(stream_socket(), -1, 10);
	const int client = client_connect(world), target = target_accept(world);
	struct transfer out = {client, target, .seed_sent = 1, .seed_received = 1};
	struct transfer in = {target, client, .seed_sent = 2, .seed_received = 2};
	bool out_ended = false, in_ended = false;

	for (unsigned i = 0; !(out_ended && in_ended) && i < 100000; i++) {
		transfer_send(&out);
		transfer_send(&in);
		uv_run(&world->loop, UV_RUN_NOWAIT);
		out_ended |= transfer_receive(&out);
		in_ended |= i % 4 == 0 && transfer_receive(&in); /* a slow reader */
	}
	cr_expect_eq(out.received, TRANSFER_BYTES);
	cr_expect_eq(in.received, TRANSFER_BYTES);
	close(client);
	close(target);
	world_close(world);
}

Test(relay_tcp, a_reader_that_stops_holds_the_writer_back)
{
	struct world *world = world_open(stream_socket(), -1, 10);
	const int small = 4096;
	const int client = client_connect(world);
	setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	const int target = target_accept(world);
	struct transfer out = {client, target, .seed_sent = 1, .seed_received = 1};

	for (unsigned i = 0; i < 5000; i++) {
		transfer_send(&out);
		uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	cr_expect_lt(out.sent, TRANSFER_BYTES, "all was taken although nobody read");
	for (unsigned i = 0; i < 100000 && !transfer_receive(&out); i++) {
		transfer_send(&out);
		uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	cr_expect_eq(out.received, TRANSFER_BYTES);
	close(client);
	close(target);
	world_close(world);
}

Test(relay_tcp, a_refusal_reaches_the_client_as_a_reset)
{
	struct world *world = world_open(stream_socket(), -1, 10);

	close(world->target);
	world->target = -1;
	const int client = client_connect(world);
	expect_end(world, client, -ECONNRESET);
	close(client);
	world_close(world);
}

/* An address of which nobody knows anything. */
static struct sockaddr_in nobody(void)
{
	struct sockaddr_in address;

	close(listener(stream_socket(), &address));
	return address;
}

Test(relay_tcp, a_refusal_leads_to_the_next_target)
{
	struct world *world = world_open(stream_socket(), -1, 10);

	world->refusing_address = nobody();
	const int client = client_connect(world);
	say(world, client, "hello");
	const int target = target_accept(world);
	expect_heard(world, target, "hello");
	say(world, target, "here");
	expect_heard(world, client, "here");
	cr_expect_eq(world->attempts, 2);
	close(client);
	close(target);
	world_close(world);
}

Test(relay_tcp, when_all_targets_refuse_the_client_is_reset)
{
	struct world *world = world_open(stream_socket(), -1, 10);

	world->refusing_address = nobody();
	close(world->target);
	world->target = -1;
	const int client = client_connect(world);
	expect_end(world, client, -ECONNRESET);
	close(client);
	world_close(world);
}

Test(relay_tcp, the_greeting_comes_first)
{
	struct world *world = world_open(stream_socket(), -1, 10);

	world->greeting = "this is a client: ";
	const int client = client_connect(world);
	say(world, client, "hello");
	const int target = target_accept(world);
	expect_heard(world, target, "this is a client: hello");
	say(world, target, "plain");
	expect_heard(world, client, "plain");
	close(client);
	close(target);

	const int silent = client_connect(world);
	const int other = target_accept(world);
	expect_heard(world, other, "this is a client: ");
	close(silent);
	expect_end(world, other, 0);
	close(other);
	world_close(world);
}

Test(relay_tcp, a_client_is_known_by_what_its_target_sees)
{
	struct world *world = world_open(stream_socket(), -1, 10);
	const int first = client_connect(world);
	struct sockaddr_storage seen = {0};
	struct sockaddr_in own;
	socklen_t size = sizeof(seen);
	struct relay_client found;

	const int first_target = target_accept(world);
	const int second = client_connect(world), second_target = target_accept(world);
	cr_assert_eq(getpeername(first_target, (struct sockaddr *)&seen, &size), 0);
	cr_assert(relay_find(world->relay, &seen, &found));
	size = sizeof(own);
	cr_assert_eq(getsockname(first, (struct sockaddr *)&own, &size), 0);
	cr_expect_eq(found.family, AF_INET);
	cr_expect_eq(found.peer.v4, own.sin_addr.s_addr);
	cr_expect_eq(found.peer_port, ntohs(own.sin_port));
	cr_expect_eq(found.local_port, ntohs(world->relay_address.sin_port));
	((struct sockaddr_in *)&seen)->sin_port = 0;
	cr_expect_not(relay_find(world->relay, &seen, &found));
	close(first);
	close(second);
	close(first_target);
	close(second_target);
	world_close(world);
}

Test(relay_tcp, without_a_target_the_client_is_reset)
{
	struct world *world = world_open(stream_socket(), -1, 10);

	world->has_target = false;
	const int client = client_connect(world);
	expect_end(world, client, -ECONNRESET);
	close(client);
	world_close(world);
}

Test(relay_tcp, a_target_that_is_silent_is_given_up)
{
	struct world *world = world_open(stream_socket(), -1, 10);
	int waiting[64];

	/* A full queue of connections: the kernel ignores further ones. */
	listen(world->target, 0);
	for (unsigned i = 0; i < 2; i++) {
		waiting[i] = stream_socket();
		connect(waiting[i], (struct sockaddr *)&world->target_address,
			sizeof(world->target_address));
	}
	const int client = client_connect(world);
	expect_end(world, client, -ECONNRESET);
	close(client);
	for (unsigned i = 0; i < 2; i++)
		close(waiting[i]);
	world_close(world);
}

Test(relay_tcp, a_reset_is_passed_on)
{
	struct world *world = world_open(stream_socket(), -1, 10);
	const struct linger reset = {.l_onoff = 1};
	int client = client_connect(world), target = target_accept(world);

	say(world, client, "begun");
	expect_heard(world, target, "begun");
	setsockopt(target, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(target);
	expect_end(world, client, -ECONNRESET);
	close(client);

	client = client_connect(world);
	target = target_accept(world);
	say(world, client, "begun");
	expect_heard(world, target, "begun");
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	expect_end(world, target, -ECONNRESET);
	close(target);
	world_close(world);
}

Test(relay_tcp, connections_are_bounded)
{
	struct world *world = world_open(stream_socket(), -1, 2);
	const int first = client_connect(world), first_target = target_accept(world);
	const int second = client_connect(world), second_target = target_accept(world);
	const int third = client_connect(world);

	expect_end(world, third, -ECONNRESET);
	say(world, first, "still here");
	expect_heard(world, first_target, "still here");

	close(second);
	expect_end(world, second_target, 0);
	close(second_target);
	unsigned waited_ms = 0;
	while (waited_ms < 10)
		turn(world, &waited_ms);
	const int fourth = client_connect(world), fourth_target = target_accept(world);
	say(world, fourth, "welcome");
	expect_heard(world, fourth_target, "welcome");
	close(first);
	close(first_target);
	close(third);
	close(fourth);
	close(fourth_target);
	world_close(world);
}

Test(relay_tcp, stop_resets_what_is_open)
{
	struct world *world = world_open(stream_socket(), -1, 10);
	const int client = client_connect(world), target = target_accept(world);
	char byte;

	say(world, client, "hello");
	expect_heard(world, target, "hello");
	world_close(world);
	cr_expect(recv(client, &byte, 1, 0) < 0 && errno == ECONNRESET);
	cr_expect(recv(target, &byte, 1, 0) < 0 && errno == ECONNRESET);
	close(client);
	close(target);
}

Test(relay_tcp, the_target_may_live_in_another_namespace)
{
	const int netns = netns_create(world_log());

	if (netns < 0)
		cr_skip_test("the kernel does not allow namespaces here");
	struct world *world = world_open(netns_socket(netns, AF_INET, SOCK_STREAM, 0), netns, 10);
	const int client = client_connect(world), target = target_accept(world);

	say(world, client, "over the border");
	expect_heard(world, target, "over the border");
	close(client);
	close(target);
	world_close(world);
	close(netns);
}

Test(relay_tcp, what_is_no_socket_is_refused)
{
	const int fd = open("/dev/null", O_RDWR);
	const struct relay_settings settings = {.listen_fd = fd, .connections_max = 1};
	struct relay *relay;
	uv_loop_t loop;

	uv_loop_init(&loop);
	cr_expect_eq(relay_start(&loop, world_log(), &settings, &relay), -ENOTSOCK);
	cr_expect(world_logged("relay: cannot serve"));
	cr_expect_eq(uv_loop_close(&loop), 0);
	close(fd);
}
