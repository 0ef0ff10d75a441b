/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * butler: the methods of the control socket, asked over a real one, of the engine of a lab and of a
 * daemon that only remembers what it was told to do.
 */
#ifndef TUNGATE_TESTS_BUTLER_H
#define TUNGATE_TESTS_BUTLER_H

#include "daemon/requests.h"
#include "lab.h"
#include "talk.h"

#define BUTLER_FORWARDS_MAX 8

struct butler {
	struct lab *lab; /* IPv4; links `guest` and `second` are there */
	uv_loop_t loop;
	struct requests *requests;
	struct control_server *server;
	struct talk talk; /* a client */
	char directory[64], path[128];

	struct forward forwards[BUTLER_FORWARDS_MAX];
	unsigned forward_count;
	struct daemon_attach attach; /* the last one */
	char attach_name[64], attach_where[CONFIG_TEXT_SIZE], attach_device[64];
	bool attached;     /* the link `fresh` */
	unsigned detaches; /* that were asked for */
	int refusal;       /* below 0: what every action returns, with a sentence */
};

struct butler *butler_open(void);
/* ... in a lab with these options, which outlive it. */
struct butler *butler_open_in(const struct lab_options *options);
/* Stop with whatever clients there are: nothing of it may stay behind. */
void butler_close(struct butler *butler);

/* Tell the lab's engine of one packet, as steps.h has it. */
void play(struct butler *butler, const char *in, const char *out);
/* Three flows: a question of guest to server:53, answered; a SYN of guest to server2:443; a
 * question of second to server:53. */
void make_flows(struct butler *butler);

/* The result of a method with these parameters (JSON, or NULL); the test fails where it has none.
 */
json_t *result_of(struct butler *butler, const char *method, const char *params);
/* Expect an error with this code, and this in its message. */
void expect_error(struct butler *butler, const char *method, const char *params, const char *code,
	const char *message);

/* Texts at paths of an object (at() of talk.h), ended by a NULL path. */
struct expected {
	const char *path, *text;
};
void expect_texts(const json_t *object, const struct expected *rows);

#endif
