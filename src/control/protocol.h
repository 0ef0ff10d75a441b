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

/* One request.  `id` and `params` point into `root`. */
struct control_call {
	json_t *root;
	const json_t *id; /* an integer, a string or null */
	const char *method;
	json_t *params; /* an object, never NULL */
};

/*
 * Take a request line apart (without its newline).  Returns NULL and `call`, to be released with
 * control_call_release(); or a sentence, in `error` or static, that says what is wrong: `call->id`
 * is then what could be told of the id, and `call` is to be released as well.
 */
const char *control_call_parse(
	const char *line, size_t length, struct control_call *call, char *error, size_t error_size);
void control_call_release(struct control_call *call);

/* Lines to send, with the newline; new references and `params` etc. are taken over; the text is
 * for free().  NULL: out of memory. */
char *control_call_text(int id, const char *method, json_t *params, size_t *length);
char *control_result_text(const json_t *id, json_t *result, size_t *length);
char *control_event_text(const json_t *id, json_t *event, size_t *length);
char *control_error_text(
	const json_t *id, enum control_code code, const char *message, size_t *length);

/* One line from the server.  Exactly one of `result`, `event`, `message` is set; they point into
 * root. */
struct control_answer {
	json_t *root;
	json_t *result;
	json_t *event;
	enum control_code code;
	const char *message;
};
/* Returns false where the line is not an answer; to be released either way. */
bool control_answer_parse(const char *line, size_t length, struct control_answer *answer);
void control_answer_release(struct control_answer *answer);

#endif
