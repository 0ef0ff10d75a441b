/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * protocol: the lines of the control socket, built and taken apart.
 */
#include "control/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int status;
} codes[CONTROL_CODE_COUNT] = {
#define X(name, text, status) [CONTROL_##name] = {text, status},
	CONTROL_ERRORS(X)
#undef X
};

const char *control_code_name(enum control_code code)
{
	return codes[code].name;
}

int control_code_status(enum control_code code)
{
	return codes[code].status;
}

enum control_code control_code_parse(const char *name)
{
	for (unsigned code = 0; code < CONTROL_CODE_COUNT; code++)
		if (strcmp(codes[code].name, name) == 0)
			return code;
	return CONTROL_FAILED;
}

json_t *control_string(const char *text)
{
	json_t *string = json_string(text);
	if (string)
		return string;
	char *copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = json_string(copy);
	free(copy);
	return string;
}

/* ---- requests ---- */

static bool call_refuse(struct control_call *call, const char *problem)
{
	snprintf(call->problem, sizeof(call->problem), "%s", problem);
	return false;
}

bool control_call_parse(const char *line, size_t length, struct control_call *call)
{
	json_error_t error;

	*call = (struct control_call){0};
	call->root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (!call->root) {
		snprintf(call->problem, sizeof(call->problem), "not JSON: %s", error.text);
		return false;
	}
	if (!json_is_object(call->root))
		return call_refuse(call, "a request is a JSON object with `method` and `params`");

	const json_t *id = json_object_get(call->root, "id");
	if (id && !json_is_null(id)) {
		if (!json_is_integer(id) && !json_is_string(id))
			return call_refuse(call, "`id` must be an integer, a string or null");
		call->id = id;
	}
	call->method = json_string_value(json_object_get(call->root, "method"));
	if (!call->method)
		return call_refuse(call, "`method` is missing or not a string");
	call->params = json_object_get(call->root, "params");
	if (!call->params) {
		call->params = json_object();
		if (json_object_set_new(call->root, "params", call->params) < 0)
			return call_refuse(call, "out of memory");
	}
	if (!json_is_object(call->params))
		return call_refuse(call, "`params` must be an object");
	return true;
}

void control_call_release(struct control_call *call)
{
	json_decref(call->root);
	*call = (struct control_call){0};
}

/* ---- lines to send ---- */

/* The text of a line; takes over `root`. */
static char *line_text(json_t *root)
{
	char *json = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	if (!json)
		return NULL;
	const size_t length = strlen(json);
	char *line = realloc(json, length + 2);
	if (!line) {
		free(json);
		return NULL;
	}
	memcpy(line + length, "\n", 2);
	return line;
}

char *control_call_text(int id, const char *method, json_t *params)
{
	return line_text(
		json_pack("{s:i, s:s, s:o}", "id", id, "method", method, "params", params));
}

char *control_result_text(const json_t *id, json_t *result)
{
	return line_text(json_pack("{s:O?, s:o}", "id", id, "result", result));
}

char *control_event_text(const json_t *id, json_t *event)
{
	return line_text(json_pack("{s:O?, s:o}", "id", id, "event", event));
}

char *control_error_text(const json_t *id, enum control_code code, const char *message)
{
	return line_text(json_pack("{s:O?, s:{s:s, s:o}}", "id", id, "error", "code",
		control_code_name(code), "message", control_string(message)));
}

char *control_result_head(const json_t *id, bool list)
{
	char *name = id ? json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY) : strdup("null");
	char *head = NULL;

	if (name && asprintf(&head, "{\"id\":%s,\"result\":%s", name, list ? "[" : "") < 0)
		head = NULL;
	free(name);
	return head;
}

const char *control_result_tail(bool list)
{
	return list ? "]}\n" : "}\n";
}

/* ---- answers ---- */

bool control_answer_parse(const char *line, size_t length, struct control_answer *answer)
{
	*answer = (struct control_answer){0};
	answer->root = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(answer->root))
		return false;
	answer->result = json_object_get(answer->root, "result");
	answer->event = json_object_get(answer->root, "event");
	if (answer->result || answer->event)
		return true;

	const json_t *error = json_object_get(answer->root, "error");
	const char *code = json_string_value(json_object_get(error, "code"));
	answer->message = json_string_value(json_object_get(error, "message"));
	if (!code || !answer->message)
		return false;
	answer->code = control_code_parse(code);
	return true;
}

void control_answer_release(struct control_answer *answer)
{
	json_decref(answer->root);
	*answer = (struct control_answer){0};
}
