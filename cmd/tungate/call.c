/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call: ask the daemon over its control socket, and say to people what went wrong.
 */
#include "call.h"

#include <errno.h>
#include <string.h>

int call_open(struct call *call, const struct arguments *arguments)
{
	const int error = control_client_open(&call->client, arguments->socket);

	if (error == 0)
		return STATUS_OK;
	complain("%s%s", call->client.problem,
		error == -EACCES || error == -ENAMETOOLONG
			? ""
			: " --socket or TUNGATE_SOCKET names another socket");
	return error == -ENAMETOOLONG ? STATUS_USAGE : STATUS_UNREACHABLE;
}

void call_close(struct call *call)
{
	control_client_close(&call->client);
}

int call_send(struct call *call, const char *method, json_t *params, int passed_fd)
{
	if (control_client_send(&call->client, method, params, passed_fd) == 0)
		return STATUS_OK;
	complain("%s", call->client.problem);
	return STATUS_USAGE;
}

static int answer_complain(const struct control_answer *answer)
{
	const char *line = answer->message;

	while (*line) {
		const size_t length = strcspn(line, "\n");
		complain("%.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
	return control_code_status(answer->code);
}

int call_receive(struct call *call, struct control_answer *answer)
{
	if (control_client_receive(&call->client, answer) < 0) {
		complain("%s", call->client.problem);
		return STATUS_UNREACHABLE;
	}
	if (!answer->message)
		return STATUS_OK;
	const int status = answer_complain(answer);
	control_answer_release(answer);
	return status;
}

int call_method(const struct arguments *arguments, const char *method, json_t *params,
	int passed_fd, json_t **result)
{
	struct call call;
	struct control_answer answer;
	int status = call_open(&call, arguments);

	if (status != STATUS_OK) {
		json_decref(params);
		return status;
	}
	status = call_send(&call, method, params, passed_fd);
	if (status == STATUS_OK)
		status = call_receive(&call, &answer);
	if (status == STATUS_OK) {
		*result = json_incref(answer.result);
		control_answer_release(&answer);
	}
	call_close(&call);
	return status;
}
