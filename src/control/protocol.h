/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * protocol: the lines of the control socket, built and taken apart.  Pure: no system call.
 */
#ifndef TUNGATE_CONTROL_PROTOCOL_H
#define TUNGATE_CONTROL_PROTOCOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "tungate/control.h"

enum control_code {
#define X(name, text, status) CONTROL_##name,
	CONTROL_ERRORS(X)
#undef X
		CONTROL_CODE_COUNT
};

/* The name on the wire, and the exit status of `tungate`. */
const char *control_code_name(enum control_code code);
int control_code_status(enum control_code code);
/* The code of this name; CONTROL_FAILED for names that we do not know. */
enum control_code control_code_parse(const char *name);

/* A JSON string of any text: bytes that are not UTF-8 become '?'.  NULL: out of memory. */
json_t *control_string(const char *text);

#define CONTROL_PROBLEM_SIZE 256

/* One request.  `id`, `method` and `params` point into `root`. */
struct control_call {
	json_t *root;
	const json_t *id; /* an integer, a string, or NULL */
	const char *method;
	json_t *params; /* an object */
	char problem[CONTROL_PROBLEM_SIZE];
};

/*
 * Take a request line apart (given without its newline).  Returns false with a sentence in
 * call->problem; call->id is then what could be told of the id.  To be released either way.
 */
bool control_call_parse(const char *line, size_t length, struct control_call *call);
void control_call_release(struct control_call *call);

/*
 * Whole lines to send, with their newline, for free().  References (params, result, event) are
 * taken over.  NULL: out of memory.
 */
char *control_call_text(int id, const char *method, json_t *params);
char *control_result_text(const json_t *id, json_t *result);
char *control_event_text(const json_t *id, json_t *event);
char *control_error_text(const json_t *id, enum control_code code, const char *message);
/* The beginning and the end of a result line that is sent in pieces; `list`: an array's items. */
char *control_result_head(const json_t *id, bool list);
const char *control_result_tail(bool list);

/* One line from the server.  One of `result`, `event`, `message` is set; all point into `root`. */
struct control_answer {
	json_t *root;
	json_t *result;
	json_t *event;
	enum control_code code;
	const char *message;
};
/* Returns false where the line is not an answer.  To be released either way. */
bool control_answer_parse(const char *line, size_t length, struct control_answer *answer);
void control_answer_release(struct control_answer *answer);

#endif
