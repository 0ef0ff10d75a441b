/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol: lines taken apart and put together. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "control/protocol.h"

/* ---- requests ---- */

Test(protocol, a_request_is_taken_apart)
{
	static const char line[] = "{\"id\":5,\"method\":\"links\",\"params\":{\"a\":[1]}}";
	struct control_call call;

	cr_assert(control_call_parse(line, strlen(line), &call), "%s", call.problem);
	cr_expect_eq(json_integer_value(call.id), 5);
	cr_expect_str_eq(call.method, "links");
	cr_expect_eq(json_array_size(json_object_get(call.params, "a")), 1);
	control_call_release(&call);
}

Test(protocol, params_and_id_may_be_absent)
{
	static const char line[] = "{\"method\":\"links\"}";
	struct control_call call;

	cr_assert(control_call_parse(line, strlen(line), &call), "%s", call.problem);
	cr_expect_null(call.id);
	cr_expect(json_is_object(call.params));
	control_call_release(&call);
}

Test(protocol, a_bad_request_is_explained)
{
	static const struct {
		const char *line, *problem;
		int id; /* that the answer can carry; 0: none */
	} rows[] = {
		{"", "not JSON", 0},
		{"{\"id\":1", "not JSON", 0},
		{"{} {}", "not JSON", 0},
		{"\"text\"", "not JSON", 0},
		{"[1]", "a request is a JSON object", 0},
		{"{\"id\":1}", "`method` is missing", 1},
		{"{\"id\":1,\"method\":2}", "`method` is missing or not", 1},
		{"{\"id\":2,\"method\":\"m\",\"params\":3}", "`params` must be", 2},
		{"{\"id\":2.5,\"method\":\"m\"}", "`id` must be", 0},
		{"{\"id\":1,\"id\":2,\"method\":\"m\"}", "not JSON: duplicate", 0},
		{"{\"method\":\"\xff\"}", "not JSON", 0},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct control_call call;
		cr_expect_not(control_call_parse(rows[i].line, strlen(rows[i].line), &call));
		cr_expect_not_null(strstr(call.problem, rows[i].problem), "%s: %s", rows[i].line,
			call.problem);
		cr_expect_eq(json_integer_value(call.id), rows[i].id, "%s", rows[i].line);
		control_call_release(&call);
	}
}

Test(protocol, depth_is_bounded)
{
	enum { DEPTH = 60000 };
	char *line = malloc(DEPTH);
	struct control_call call;

	memset(line, '[', DEPTH);
	cr_expect_not(control_call_parse(line, DEPTH, &call));
	control_call_release(&call);
	free(line);
}

/* ---- lines to send ---- */

static void expect_text(char *text, const char *expected)
{
	cr_expect_str_eq(text, expected);
	free(text);
}

Test(protocol, lines_are_whole)
{
	json_t *id = json_integer(3);

	expect_text(control_call_text(1, "m", json_object()),
		"{\"id\":1,\"method\":\"m\",\"params\":{}}\n");
	expect_text(control_result_text(id, json_true()), "{\"id\":3,\"result\":true}\n");
	expect_text(control_event_text(id, json_true()), "{\"id\":3,\"event\":true}\n");
	expect_text(control_error_text(NULL, CONTROL_NOT_FOUND, "a \"b\"\nc"),
		"{\"id\":null,\"error\":{\"code\":\"not-found\",\"message\":\"a "
		"\\\"b\\\"\\nc\"}}\n");
	json_decref(id);
}

Test(protocol, a_result_in_pieces_reads_as_one)
{
	json_t *id = json_string("a\"b");
	char *head = control_result_head(id, true);
	char text[128];
	struct control_answer answer;

	snprintf(text, sizeof(text), "%s1,2%s", head, control_result_tail(true));
	cr_assert(control_answer_parse(text, strlen(text) - 1, &answer));
	cr_expect_eq(json_array_size(answer.result), 2);
	cr_expect_str_eq(json_string_value(json_object_get(answer.root, "id")), "a\"b");
	control_answer_release(&answer);
	free(head);

	head = control_result_head(NULL, false);
	snprintf(text, sizeof(text), "%s{}%s", head, control_result_tail(false));
	cr_expect_str_eq(text, "{\"id\":null,\"result\":{}}\n");
	free(head);
	json_decref(id);
}

Test(protocol, text_that_is_not_utf8_can_be_said)
{
	json_t *text = control_string("caf\xe9 open");

	cr_expect_str_eq(json_string_value(text), "caf? open");
	json_decref(text);
	text = control_string("caf\xc3\xa9");
	cr_expect_str_eq(json_string_value(text), "caf\xc3\xa9");
	json_decref(text);
}

/* ---- answers and codes ---- */

Test(protocol, answers_are_told_from_anything_else)
{
	static const struct {
		const char *line;
		bool valid;
	} rows[] = {
		{"{\"id\":1,\"result\":[]}", true},
		{"{\"id\":1,\"event\":{}}", true},
		{"{\"id\":1,\"error\":{\"code\":\"denied\",\"message\":\"no\"}}", true},
		{"{\"id\":1,\"error\":{\"code\":\"denied\"}}", false},
		{"{\"id\":1,\"error\":\"no\"}", false},
		{"{\"id\":1}", false},
		{"[]", false},
		{"HTTP/1.1 400 Bad Request", false},
		{"", false},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct control_answer answer;
		cr_expect_eq(control_answer_parse(rows[i].line, strlen(rows[i].line), &answer),
			rows[i].valid, "%s", rows[i].line);
		control_answer_release(&answer);
	}
}

Test(protocol, every_code_has_a_name_and_a_status)
{
	for (unsigned code = 0; code < CONTROL_CODE_COUNT; code++) {
		cr_expect_eq(control_code_parse(control_code_name(code)), code);
		cr_expect_gt(control_code_status(code), 0);
		cr_expect_neq(control_code_status(code), 3, "3 is: not reached");
	}
	cr_expect_eq(control_code_parse("from the future"), CONTROL_FAILED);
}
