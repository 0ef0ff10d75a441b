/* SPDX-License-Identifier: BSD-2-Clause */
/* control_descriptors: what clients of the control socket pass, and what to close it costs. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../support/talk.h"
#include "control/server.h"

#define PLACES_OF_USER 64

struct world {
	uv_loop_t loop;
	struct control_server *server;
	char directory[64];
	char path[128];
	struct stat passed;
};

static void handle_bare(void *context, struct control_request *request)
{
	(void)context;
	control_reply(request, json_object());
}

static void handle_pass(void *context, struct control_request *request)
{
	struct world *world = context;
	const int fd = control_take_descriptor(request);

	if (fd < 0)
		return control_fail(request, CONTROL_INVALID, "no descriptor");
	fstat(fd, &world->passed);
	close(fd);
	control_reply(request, json_object());
}

static const struct control_method methods[] = {
	{"bare", handle_bare, true},
	{"pass", handle_pass, false},
};

static void no_sink(void *context, enum log_level level, const char *line)
{
	(void)context, (void)level, (void)line;
}

static bool nobody(void *context, const struct control_peer *peer)
{
	(void)context, (void)peer;
	return false;
}

/* Clients are administrators, or all are ordinary users. */
static struct world *world_open(bool admins)
{
	static const struct log silent = {.level = LOG_LEVEL_ERROR, .sink = no_sink};
	struct world *world = calloc(1, sizeof(*world));
	const struct control_settings settings = {
		.path = world->path,
		.privileged = admins ? NULL : nobody,
		.methods = methods,
		.method_count = sizeof(methods) / sizeof(methods[0]),
		.context = world,
	};

	uv_loop_init(&world->loop);
	strcpy(world->directory, "/tmp/tungate-control.XXXXXX");
	cr_assert_not_null(mkdtemp(world->directory));
	snprintf(world->path, sizeof(world->path), "%s/control.sock", world->directory);
	cr_assert_eq(control_server_start(&world->loop, &silent, &settings, &world->server), 0);
	return world;
}

static void world_close(struct world *world)
{
	control_server_stop(world->server);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	cr_expect_eq(uv_loop_close(&world->loop), 0, "handles are left");
	rmdir(world->directory);
	free(world);
}

static void send_descriptors(int socket, const char *text, const int *fds, unsigned count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = {0};
	struct iovec data = {.iov_base = (char *)text, .iov_len = strlen(text)};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int))};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	cr_assert_eq(sendmsg(socket, &message, 0), (ssize_t)strlen(text));
}

static unsigned descriptors_open(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

Test(control_descriptors, a_descriptor_comes_with_its_request)
{
	struct world *world = world_open(true);
	struct talk talk = talk_open(&world->loop, world->path);
	const int fds[] = {open("/dev/null", O_RDONLY), open("/dev/zero", O_RDONLY)};
	struct stat zero;

	json_t *none = talk_ask(&talk, "{\"id\":1,\"method\":\"pass\"}");
	cr_expect_str_eq(at(none, "error.code"), "invalid");
	json_decref(none);
	const unsigned before = descriptors_open();
	send_descriptors(talk.fd, "{\"id\":2,\"method\":\"pass\"}\n", fds, 2);
	json_t *answer = talk_answer(&talk);
	cr_expect(json_is_object(json_object_get(answer, "result")));
	json_decref(answer);
	fstat(fds[1], &zero);
	cr_expect_eq(world->passed.st_rdev, zero.st_rdev, "the last one counts");

	/* What nobody takes is closed with the connection. */
	send_descriptors(talk.fd, "{\"id\":3,\"method\":\"bare\"}\n", fds, 2);
	json_decref(talk_answer(&talk));
	talk_close(&talk);
	talk_settle(&world->loop);
	cr_expect_eq(descriptors_open(), before - 2, "the two ends of the connection are gone");
	world_close(world);
}

/* A TCP socket that will wait for seconds when it is closed for good: nobody reads what it has
 * sent. */
static int lingering_socket(int *listener)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 5};
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	static const char bytes[65536];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(*listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(*listener, 1), 0);
	getsockname(*listener, (struct sockaddr *)&address, &size);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return fd;
}

/* To close what somebody has passed may take as long as they like. */
Test(control_descriptors, a_descriptor_that_is_slow_to_close_holds_up_nobody)
{
	struct world *world = world_open(false);
	struct talk talk = talk_open(&world->loop, world->path);
	int listener;
	const int fd = lingering_socket(&listener);
	const unsigned open_before = descriptors_open() - 2;
	const uint64_t before = uv_hrtime();

	send_descriptors(talk.fd, "{\"id\":1,\"method\":\"bare\"}\n", &fd, 1);
	close(fd);
	json_decref(talk_answer(&talk));
	talk_close(&talk);
	talk = talk_open(&world->loop, world->path);
	for (unsigned i = 0; i < 10; i++)
		json_decref(talk_ask(&talk, "{\"id\":2,\"method\":\"bare\"}"));
	talk_close(&talk);
	cr_expect_lt(uv_hrtime() - before, 2000000000u);
	close(listener); /* which resets the connection: the wait is over */
	world_close(world);
	cr_expect_lt(descriptors_open(), open_before, "all of them are closed at last");
}

/* ... nor does what waits in the queue of a connection that is not let in. */
Test(control_descriptors, a_slow_descriptor_of_one_too_many_holds_up_nobody)
{
	struct world *world = world_open(false);
	struct talk talks[PLACES_OF_USER];
	int listener;
	const int fd = lingering_socket(&listener);
	const uint64_t before = uv_hrtime();

	for (unsigned i = 0; i < PLACES_OF_USER; i++)
		talks[i] = talk_open(&world->loop, world->path);
	struct talk refused = talk_open(&world->loop, world->path);
	send_descriptors(refused.fd, "{\"id\":1,\"method\":\"bare\"}\n", &fd, 1);
	close(fd);
	json_t *answer = talk_answer(&refused);
	cr_expect_str_eq(at(answer, "error.code"), "failed");
	json_decref(answer);
	talk_close(&refused);
	json_decref(talk_ask(&talks[0], "{\"id\":2,\"method\":\"bare\"}"));
	cr_expect_lt(uv_hrtime() - before, 2000000000u);
	for (unsigned i = 0; i < PLACES_OF_USER; i++)
		talk_close(&talks[i]);
	close(listener);
	world_close(world);
}

Test(control_descriptors, a_hoard_of_descriptors_ends_its_client)
{
	struct world *world = world_open(true);
	struct talk talk = talk_open(&world->loop, world->path);
	const int fds[] = {0, 1, 2, 0};
	const unsigned before = descriptors_open() - 1;

	for (unsigned i = 0; i < 4; i++) {
		send_descriptors(talk.fd, "{\"id\":1,\"method\":\"bare\"}\n", fds, 4);
		json_decref(talk_answer(&talk));
	}
	send_descriptors(talk.fd, "{\"id\":1,\"method\":\"bare\"}\n", fds, 4);
	cr_expect(talk_ends(&talk));
	talk_close(&talk);
	talk_settle(&world->loop);
	cr_expect_eq(descriptors_open(), before);
	world_close(world);
}
