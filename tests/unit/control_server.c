/* SPDX-License-Identifier: BSD-2-Clause */
/* control_server: good clients, bad clients, slow clients, and who may ask. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../support/talk.h"
#include "control/server.h"

/* ---- a server with methods of its own ---- */

struct world {
	uv_loop_t loop;
	struct control_server *server;
	char directory[64];
	char path[128];
	struct control_client *stream;
	unsigned streams_closed, producers_released, calls;
};

static void handle_echo(void *context, struct control_request *request)
{
	(void)context;
	control_reply(request, json_incref(request->params));
}

static void handle_refuse(void *context, struct control_request *request)
{
	(void)context;
	control_fail(request, CONTROL_EXISTS, "%d is taken", 8080);
}

static void handle_bare(void *context, struct control_request *request)
{
	(void)context;
	control_reply(request, json_object());
}

#define ITEMS 100000

struct producing {
	struct world *world;
	int next;
};

static bool produce_number(void *context, json_t **item)
{
	struct producing *producing = context;

	/* Every third call has nothing to say. */
	if (producing->next++ % 3)
		*item = json_integer(producing->next);
	return producing->next < ITEMS;
}

static void produce_end(void *context)
{
	struct producing *producing = context;

	producing->world->producers_released++;
	free(producing);
}

static void handle_count(void *context, struct control_request *request)
{
	struct producing *producing = calloc(1, sizeof(*producing));

	producing->world = context;
	const struct control_producer producer = {
		.next = produce_number,
		.release = produce_end,
		.context = producing,
		.list = true,
	};
	control_produce(request, &producer);
}

static bool produce_once(void *context, json_t **item)
{
	struct producing *producing = context;

	producing->world->calls++;
	if (++producing->next == 1000)
		*item = json_string("done");
	return producing->next <= 1000;
}

static void handle_work(void *context, struct control_request *request)
{
	struct producing *producing = calloc(1, sizeof(*producing));

	producing->world = context;
	const struct control_producer producer = {
		.next = produce_once,
		.release = produce_end,
		.context = producing,
	};
	control_produce(request, &producer);
}

static void on_stream_closed(void *context)
{
	struct world *world = context;

	world->streams_closed++;
	world->stream = NULL;
}

static void handle_follow(void *context, struct control_request *request)
{
	struct world *world = context;

	world->stream = control_stream(request, on_stream_closed, world);
}

static const struct control_method methods[] = {
	{"echo", handle_echo, false},
	{"refuse", handle_refuse, false},
	{"bare", handle_bare, true},
	{"count", handle_count, false},
	{"work", handle_work, false},
	{"follow", handle_follow, false},
};

static void no_sink(void *context, enum log_level level, const char *line)
{
	(void)context, (void)level, (void)line;
}

/* `bare` is for administrators, who are root. */
static bool is_root(void *context, const struct control_peer *peer)
{
	(void)context;
	return peer->uid == 0;
}

static bool only_root(void *context, struct control_request *request, const char *method)
{
	if (is_root(context, request->peer) || strcmp(method, "bare") != 0)
		return true;
	control_fail(request, CONTROL_DENIED, "user %u: allowed: root", request->peer->uid);
	return false;
}

static struct world *world_open_with(uint64_t line_max_ms, bool everybody)
{
	static const struct log silent = {.level = LOG_LEVEL_ERROR, .sink = no_sink};
	struct world *world = calloc(1, sizeof(*world));
	const struct control_settings settings = {
		.path = world->path,
		.everybody = everybody,
		.authorize = everybody ? only_root : NULL,
		.privileged = everybody ? is_root : NULL,
		.methods = methods,
		.method_count = sizeof(methods) / sizeof(methods[0]),
		.context = world,
		.line_max_ms = line_max_ms,
	};

	uv_loop_init(&world->loop);
	strcpy(world->directory, "/tmp/tungate-control.XXXXXX");
	cr_assert_not_null(mkdtemp(world->directory));
	snprintf(world->path, sizeof(world->path), "%s/run/control.sock", world->directory);
	cr_assert_eq(control_server_start(&world->loop, &silent, &settings, &world->server), 0);
	return world;
}

static struct world *world_open(uint64_t line_max_ms)
{
	return world_open_with(line_max_ms, false);
}

/* Stop with whatever clients there are: nothing of it may stay behind. */
static void world_close(struct world *world)
{
	control_server_stop(world->server);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	cr_expect_eq(uv_loop_close(&world->loop), 0, "handles are left");
	cr_expect_eq(rmdir(world->directory), 0, "files are left in %s", world->directory);
	free(world);
}

/* Ask, and expect an answer in which the text at `path` is `expected`. */
static void expect(struct talk *talk, const char *line, const char *path, const char *expected)
{
	json_t *answer = talk_ask(talk, line);

	cr_assert_not_null(answer, "closed after %.80s", line);
	cr_expect_str_eq(at(answer, path), expected, "%.80s: %s", line, path);
	json_decref(answer);
}

/* ---- requests ---- */

Test(control_server, answers_in_order_on_one_connection)
{
	struct world *world = world_open(0);
	struct talk talk = talk_open(&world->loop, world->path);

	talk_send(&talk, "{\"id\":1,\"method\":\"echo\",\"params\":{\"a\":5}}\n"
			 "{\"id\":\"x\",\"method\":\"refuse\"}\n{\"method\":\"bare\"}\n");
	static const char *const lines[] = {
		"{\"id\":1,\"result\":{\"a\":5}}",
		"{\"id\":\"x\",\"error\":{\"code\":\"exists\",\"message\":\"8080 is taken\"}}",
		"{\"id\":null,\"result\":{}}",
	};
	for (unsigned i = 0; i < 3; i++) {
		char *line = talk_line(&talk);
		cr_expect_str_eq(line, lines[i]);
		free(line);
	}
	talk_close(&talk);
	world_close(world);
}

Test(control_server, bad_requests_are_answered_and_the_connection_lives)
{
	static const char *const bad[] = {
		"",
		"nonsense",
		"{\"id\":1",
		"[]",
		"{\"id\":1}",
		"{\"id\":[],\"method\":\"echo\"}",
		"{\"id\":1,\"method\":7}",
		"{\"id\":1,\"method\":\"nobody\"}",
		"{\"id\":1,\"method\":\"echo\",\"params\":[]}",
		"{\"id\":1,\"method\":\"echo\",\"method\":\"echo\"}",
		"{\"id\":1,\"method\":\"bare\",\"params\":{\"a\":1}}",
		"\xff\xfe{}",
	};
	struct world *world = world_open(0);
	struct talk talk = talk_open(&world->loop, world->path);

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(&talk, bad[i], "error.code", "bad-request");
	expect(&talk, "{\"id\":3,\"method\":\"echo\"}", "id", "3");
	talk_close(&talk);
	world_close(world);
}

/* A request of `length` bytes without its newline, for free(). */
static char *long_request(size_t length)
{
	static const char head[] = "{\"method\":\"bare\",\"id\":\"", tail[] = "\"}";
	char *text = malloc(length + 1);

	memset(text, 'x', length);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + length - 2, tail, sizeof(tail));
	return text;
}

Test(control_server, the_longest_line_is_taken_and_a_longer_one_refused)
{
	struct world *world = world_open(0);
	struct talk talk = talk_open(&world->loop, world->path);
	char *longest = long_request(CONTROL_REQUEST_BYTES_MAX);
	char *longer = long_request(CONTROL_REQUEST_BYTES_MAX + 1);

	json_t *answer = talk_ask(&talk, longest);
	cr_expect(json_is_object(json_object_get(answer, "result")));
	json_decref(answer);
	expect(&talk, longer, "error.code", "bad-request");
	cr_expect(talk_ends(&talk));
	free(longest);
	free(longer);
	talk_close(&talk);
	world_close(world);
}

Test(control_server, a_megabyte_without_a_newline_is_cut_off)
{
	struct world *world = world_open(0);
	struct talk talk = talk_open(&world->loop, world->path);
	char *flood = long_request(1 << 20);

	talk_send(&talk, flood);
	json_t *answer = talk_answer(&talk);
	cr_expect_str_eq(at(answer, "error.code"), "bad-request");
	cr_expect(talk_ends(&talk));
	json_decref(answer);
	free(flood);
	talk_close(&talk);
	world_close(world);
}

Test(control_server, a_client_that_ends_its_side_is_answered_and_closed)
{
	struct world *world = world_open(0);
	struct talk talk = talk_open(&world->loop, world->path);

	talk_send(
		&talk, "{\"id\":1,\"method\":\"bare\"}\n{\"id\":2,\"method\":\"bare\"}\n{\"id\":3");
	shutdown(talk.fd, SHUT_WR);
	for (unsigned i = 1; i <= 2; i++) {
		json_t *answer = talk_answer(&talk);
		cr_expect_eq(json_integer_value(json_object_get(answer, "id")), i);
		json_decref(answer);
	}
	cr_expect_null(talk_line(&talk), "the cut-off line is not answered");
	talk_close(&talk);
	world_close(world);
}

Test(control_server, half_a_line_costs_one_slot_and_for_a_time_only)
{
	struct world *world = world_open(100);
	struct talk slow = talk_open(&world->loop, world->path);
	struct talk other = talk_open(&world->loop, world->path);

	talk_send(&slow, "{\"id\":1,");
	expect(&other, "{\"id\":2,\"method\":\"bare\"}", "id", "2");
	for (unsigned i = 0; i < 5; i++) { /* a byte now and then does not prolong it */
		usleep(30 * 1000);
		talk_send(&slow, " ");
	}
	json_t *answer = talk_answer(&slow);
	cr_expect_str_eq(at(answer, "error.code"), "bad-request");
	cr_expect(talk_ends(&slow));
	json_decref(answer);
	expect(&other, "{\"id\":3,\"method\":\"bare\"}", "id", "3");
	talk_close(&slow);
	talk_close(&other);
	world_close(world);
}

/* ---- many clients ---- */

Test(control_server, one_client_too_many_is_told)
{
	struct world *world = world_open(0);
	static struct talk talks[CONTROL_CLIENTS_MAX + 1];
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (unsigned i = 0; i <= CONTROL_CLIENTS_MAX; i++)
		talks[i] = talk_open(&world->loop, world->path);
	json_t *answer = talk_answer(&talks[CONTROL_CLIENTS_MAX]);
	cr_expect_str_eq(at(answer, "error.code"), "failed");
	json_decref(answer);
	cr_expect(talk_ends(&talks[CONTROL_CLIENTS_MAX]));
	expect(&talks[0], "{\"id\":1,\"method\":\"bare\"}", "id", "1");

	/* A slot that becomes free is given again. */
	talk_close(&talks[1]);
	talk_settle(&world->loop);
	talks[1] = talk_open(&world->loop, world->path);
	expect(&talks[1], "{\"id\":2,\"method\":\"bare\"}", "id", "2");
	for (unsigned i = 0; i <= CONTROL_CLIENTS_MAX; i++)
		talk_close(&talks[i]);
	world_close(world);
}

Test(control_server, a_thousand_clients_come_and_go)
{
	struct world *world = world_open(0);

	for (unsigned i = 0; i < 1000; i++) {
		struct talk talk = talk_open(&world->loop, world->path);
		if (i % 3)
			talk_send(&talk, "{\"id\":1,\"method\":\"count\"}\n{\"id\"");
		talk_close(&talk);
	}
	struct talk talk = talk_open(&world->loop, world->path);
	expect(&talk, "{\"id\":1,\"method\":\"bare\"}", "id", "1");
	talk_close(&talk);
	world_close(world);
}

/* ---- long answers and streams ---- */

Test(control_server, a_long_answer_is_made_as_it_is_read)
{
	struct world *world = world_open(0);
	struct talk slow = talk_open(&world->loop, world->path);
	struct talk other = talk_open(&world->loop, world->path);

	talk_send(&slow, "{\"id\":1,\"method\":\"count\"}\n");
	for (unsigned i = 0; i < 20; i++)
		talk_settle(&world->loop);
	expect(&other, "{\"id\":2,\"method\":\"bare\"}", "id", "2");
	cr_expect_eq(world->producers_released, 0, "all was made before it was read");

	json_t *answer = talk_answer(&slow);
	const json_t *list = json_object_get(answer, "result");
	cr_assert_eq(json_array_size(list), ITEMS - (ITEMS + 2) / 3);
	cr_expect_eq(json_integer_value(json_array_get(list, 0)), 2);
	cr_expect_eq(world->producers_released, 1);
	json_decref(answer);
	expect(&slow, "{\"id\":3,\"method\":\"bare\"}", "id", "3");
	talk_close(&slow);
	talk_close(&other);
	world_close(world);
}

Test(control_server, an_answer_of_one_item_can_take_its_time)
{
	struct world *world = world_open(0);
	struct talk talk = talk_open(&world->loop, world->path);

	expect(&talk, "{\"id\":1,\"method\":\"work\"}", "result", "done");
	expect(&talk, "{\"id\":2,\"method\":\"bare\"}", "id", "2");
	talk_close(&talk);
	world_close(world);
}

/* So that a turn of the loop, in which packets wait, does not grow with the number of clients. */
Test(control_server, answers_that_are_made_at_once_share_a_turn)
{
	struct world *world = world_open(0);
	struct talk talks[40];
	unsigned most = 0, before;

	for (unsigned i = 0; i < 40; i++) {
		talks[i] = talk_open(&world->loop, world->path);
		talk_send(&talks[i], "{\"id\":1,\"method\":\"work\"}\n");
	}
	do {
		before = world->calls;
		uv_run(&world->loop, UV_RUN_ONCE);
		if (world->calls - before > most)
			most = world->calls - before;
	} while (world->calls < 40 * 1000);
	cr_expect_leq(most, 2 * 256 + 40, "%u calls in one turn", most);
	for (unsigned i = 0; i < 40; i++) {
		json_decref(talk_answer(&talks[i]));
		talk_close(&talks[i]);
	}
	world_close(world);
}

Test(control_server, a_client_that_leaves_ends_what_is_made_for_it)
{
	struct world *world = world_open(0);
	struct talk talk = talk_open(&world->loop, world->path);

	talk_send(&talk, "{\"id\":1,\"method\":\"count\"}\n");
	talk_settle(&world->loop);
	talk_close(&talk);
	talk_settle(&world->loop);
	cr_expect_eq(world->producers_released, 1);
	world_close(world);
}

Test(control_server, a_stream_carries_events_until_the_client_goes)
{
	struct world *world = world_open(0);
	struct talk talk = talk_open(&world->loop, world->path);

	talk_send(&talk, "{\"id\":7,\"method\":\"follow\"}\n{\"id\":8,\"method\":\"bare\"}\n");
	talk_settle(&world->loop);
	for (int i = 0; i < 3; i++) {
		control_stream_push(world->stream, json_pack("{s:i}", "n", i));
		json_t *event = talk_answer(&talk);
		cr_expect_str_eq(at(event, "id"), "7");
		cr_expect_eq(
			json_integer_value(json_object_get(json_object_get(event, "event"), "n")),
			i);
		json_decref(event);
	}
	talk_close(&talk);
	talk_settle(&world->loop);
	cr_expect_eq(world->streams_closed, 1);
	world_close(world);
}

Test(control_server, a_slow_reader_of_a_stream_is_closed)
{
	struct world *world = world_open(0);
	struct talk talk = talk_open(&world->loop, world->path);
	char *filling = long_request(8192);
	unsigned pushed = 0;

	talk_send(&talk, "{\"id\":1,\"method\":\"follow\"}\n");
	talk_settle(&world->loop);
	for (; world->stream && pushed < 1000; pushed++) {
		control_stream_push(world->stream, json_string(filling));
		uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	cr_expect_eq(world->streams_closed, 1);
	cr_expect_gt(pushed, 100, "closed although little was waiting");
	cr_expect(talk_ends(&talk));
	free(filling);
	talk_close(&talk);
	world_close(world);
}

/* ---- who may ask ---- */

/* Ask as a user and a group; the exit status of who asked: 0 answered, 1 denied, 3 not let in. */
static int ask_as(struct world *world, uid_t user, gid_t group)
{
	static const char request[] = "{\"id\":1,\"method\":\"bare\"}\n";
	int status;
	const pid_t child = fork();

	if (child == 0) { /* the peer's user id is that of the moment of connect() */
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		char line[512] = "";
		strcpy(address.sun_path, world->path);
		const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (setgroups(0, NULL) < 0 || setresgid(group, group, group) < 0 ||
			setresuid(user, user, user) < 0)
			_exit(2);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			_exit(3);
		if (write(fd, request, sizeof(request) - 1) < 0 ||
			read(fd, line, sizeof(line) - 1) <= 0)
			_exit(2);
		_exit(strstr(line, "\"denied\"") ? 1 : 0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		uv_run(&world->loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	return WEXITSTATUS(status);
}

Test(control_server, others_than_root_are_denied)
{
	struct world *world;

	if (geteuid() != 0)
		cr_skip_test("needs root, to be somebody else");
	world = world_open_with(0, true);
	chmod(world->directory, 0755);
	cr_expect_eq(ask_as(world, 65534, 65534), 1);
	cr_expect_eq(ask_as(world, 0, 0), 0);
	/* Everybody may come only as long as somebody who is not root has a network. */
	control_server_open_to(world->server, false);
	cr_expect_eq(ask_as(world, 65534, 65534), 3);
	control_server_open_to(world->server, true);
	cr_expect_eq(ask_as(world, 65534, 65534), 1);
	world_close(world);
}
