/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call: ask the daemon over its control socket.
 */
#include "call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)

int call_open(struct call *call, const struct arguments *arguments)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = arguments->socket;

	*call = (struct call){.path = path};
	if (strlen(path) >= sizeof(address.sun_path)) {
		complain("the path of a socket has at most %zu characters: %s",
			sizeof(address.sun_path) - 1, path);
		return STATUS_USAGE;
	}
	strcpy(address.sun_path, path);
	call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (call->fd >= 0 && connect(call->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return STATUS_OK;
	if (errno == EACCES)
		complain("may not open the control socket %s: ask as root, or as a member of its "
			 "group",
			path);
	else
		complain("cannot reach tungated at %s (%s): is it running? --socket or "
			 "TUNGATE_SOCKET names another socket",
			path, strerror(errno));
	if (call->fd >= 0)
		close(call->fd);
	return STATUS_UNREACHABLE;
}

void call_close(struct call *call)
{
	close(call->fd);
	free(call->bytes);
}

/* ---- sending ---- */

static ssize_t send_with_descriptor(int fd, const char *bytes, size_t length, int passed_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec data = {.iov_base = (char *)bytes, .iov_len = length};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(passed_fd));
	memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof(passed_fd));
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

int call_send(struct call *call, const char *method, json_t *params, int passed_fd)
{
	char *text = params ? control_call_text(1, method, params) : NULL;

	if (!text) {
		complain("cannot make the request: a word is not UTF-8, or memory is short");
		return STATUS_USAGE;
	}
	const size_t length = strlen(text);
	for (size_t at = 0; at < length;) {
		const ssize_t sent =
			passed_fd >= 0
				? send_with_descriptor(call->fd, text + at, length - at, passed_fd)
				: send(call->fd, text + at, length - at, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			break; /* the daemon closed: what it said before is there to be read */
		at += (size_t)sent;
		passed_fd = -1;
	}
	free(text);
	return STATUS_OK;
}

/* ---- receiving ---- */

/* Have more than `searched` unused bytes.  False at the end. */
static bool call_read_more(struct call *call, size_t searched)
{
	if (call->length - call->used > searched)
		return true;
	if (call->used > 0) {
		call->length -= call->used;
		memmove(call->bytes, call->bytes + call->used, call->length);
		call->used = 0;
	}
	if (call->size - call->length < READ_BYTES) {
		const size_t size = 2 * call->size + READ_BYTES;
		char *bytes = realloc(call->bytes, size);
		if (!bytes)
			return false;
		call->bytes = bytes;
		call->size = size;
	}
	ssize_t got;
	do {
		got = recv(call->fd, call->bytes + call->length, call->size - call->length, 0);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return false;
	call->length += (size_t)got;
	return true;
}

/* The next line, without its newline; NULL at the end. */
static const char *call_line(struct call *call, size_t *length)
{
	size_t searched = 0;

	while (call_read_more(call, searched)) {
		const char *line = call->bytes + call->used;
		const size_t there = call->length - call->used;
		const char *newline = memchr(line + searched, '\n', there - searched);
		if (newline) {
			*length = (size_t)(newline - line);
			call->used += *length + 1;
			return line;
		}
		searched = there;
	}
	return NULL;
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
	size_t length;
	const char *line = call_line(call, &length);

	if (!line) {
		complain("tungated at %s closed the connection without an answer", call->path);
		return STATUS_UNREACHABLE;
	}
	if (!control_answer_parse(line, length, answer)) {
		complain("what listens at %s does not speak as tungated does", call->path);
		control_answer_release(answer);
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
