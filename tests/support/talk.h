/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk: clients of a control socket that is served by a loop in the same thread: whoever waits runs
 * the loop meanwhile.
 */
#ifndef TUNGATE_TESTS_TALK_H
#define TUNGATE_TESTS_TALK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct talk {
	uv_loop_t *loop;
	int fd; /* non-blocking */
	char *bytes;
	size_t length, size;
};

/* Connect; the test fails where that fails. */
struct talk talk_open(uv_loop_t *loop, const char *path);
void talk_close(struct talk *talk);
void talk_send(struct talk *talk, const char *text);
/* The next line, without its newline, for free(); NULL when the server closed. */
char *talk_line(struct talk *talk);
/* talk_line() as JSON; NULL when the server closed. */
json_t *talk_answer(struct talk *talk);
/* Send a line and take its answer. */
json_t *talk_ask(struct talk *talk, const char *line);
/* Whether the server closes, within a second, after any further lines. */
bool talk_ends(struct talk *talk);
/* Run the loop for as long as it has something to do at once. */
void talk_settle(uv_loop_t *loop);

/* The text at a path of keys joined by dots ("error.code"), or "" (numbers as decimals). */
const char *at(const json_t *json, const char *path);

#endif
