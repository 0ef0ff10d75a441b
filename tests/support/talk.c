/* SPDX-License-Identifier: BSD-2-Clause */
/* talk: clients of a control socket in the thread of its server. */
#include "talk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 10000

struct talk talk_open(uv_loop_t *loop, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct talk talk = {.loop = loop};

	strcpy(address.sun_path, path);
	talk.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert_geq(talk.fd, 0);
	/* The queue of connections may be full until the loop has run. */
	while (connect(talk.fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		cr_assert_eq(errno, EAGAIN, "connect: %s", strerror(errno));
		uv_run(loop, UV_RUN_NOWAIT);
	}
	return talk;
}

void talk_close(struct talk *talk)
{
	close(talk->fd);
	free(talk->bytes);
}

/* Let the server do its part, or give up. */
static void talk_wait(struct talk *talk, unsigned *waited_ms)
{
	uv_run(talk->loop, UV_RUN_NOWAIT);
	if (++*waited_ms > PATIENCE_MS)
		cr_assert_fail("the server does not answer");
	if (*waited_ms > 10)
		usleep(1000);
}

void talk_send(struct talk *talk, const char *text)
{
	unsigned waited_ms = 0;

	for (size_t left = strlen(text); left > 0;) {
		const ssize_t sent = send(talk->fd, text, left, MSG_NOSIGNAL);
		if (sent < 0 && errno == EPIPE)
			return; /* what the server said before is there to be read */
		cr_assert(sent > 0 || errno == EAGAIN, "send: %s", strerror(errno));
		if (sent > 0) {
			text += sent;
			left -= (size_t)sent;
			waited_ms = 0;
		}
		talk_wait(talk, &waited_ms);
	}
}

static char *line_take(struct talk *talk)
{
	char *newline = talk->length ? memchr(talk->bytes, '\n', talk->length) : NULL;

	if (!newline)
		return NULL;
	char *line = strndup(talk->bytes, (size_t)(newline - talk->bytes));
	talk->length -= (size_t)(newline + 1 - talk->bytes);
	memmove(talk->bytes, newline + 1, talk->length);
	return line;
}

char *talk_line(struct talk *talk)
{
	unsigned waited_ms = 0;
	char *line;

	while (!(line = line_take(talk))) {
		if (talk->size - talk->length < 65536) {
			talk->size = 2 * talk->size + 65536;
			talk->bytes = realloc(talk->bytes, talk->size);
		}
		const ssize_t got =
			recv(talk->fd, talk->bytes + talk->length, talk->size - talk->length, 0);
		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return NULL;
		cr_assert(got > 0 || errno == EAGAIN, "recv: %s", strerror(errno));
		if (got > 0) {
			talk->length += (size_t)got;
			waited_ms = 0;
		}
		talk_wait(talk, &waited_ms);
	}
	return line;
}

json_t *talk_answer(struct talk *talk)
{
	json_error_t error;
	char *line = talk_line(talk);

	if (!line)
		return NULL;
	json_t *answer = json_loads(line, 0, &error);
	cr_assert_not_null(answer, "%s: %s", error.text, line);
	free(line);
	return answer;
}

json_t *talk_ask(struct talk *talk, const char *line)
{
	talk_send(talk, line);
	talk_send(talk, "\n");
	return talk_answer(talk);
}

bool talk_ends(struct talk *talk)
{
	char byte[4096];

	for (unsigned i = 0; i < 1000; i++) {
		uv_run(talk->loop, UV_RUN_NOWAIT);
		const ssize_t got = recv(talk->fd, byte, sizeof(byte), 0);
		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return true;
		usleep(1000);
	}
	return false;
}

void talk_settle(uv_loop_t *loop)
{
	for (unsigned i = 0; i < 50; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}

const char *at(const json_t *json, const char *path)
{
	static char number[32];
	char key[64];

	while (json && *path) {
		const size_t length = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		json = json_object_get(json, key);
		path += length + (path[length] == '.');
	}
	if (json_is_integer(json)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(json));
		return number;
	}
	return json_is_string(json) ? json_string_value(json) : "";
}
