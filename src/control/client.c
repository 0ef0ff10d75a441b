/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client: the other end of the control socket, for programs that ask.
 */
#include "control/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)

static int __attribute__((format(printf, 3, 4)))
fail(struct control_client *client, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(client->problem, sizeof(client->problem), format, arguments);
	va_end(arguments);
	return error;
}

int control_client_open(struct control_client *client, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*client = (struct control_client){.path = path};
	if (strlen(path) >= sizeof(address.sun_path))
		return fail(client, -ENAMETOOLONG,
			"the path of a socket has at most %zu characters: %s",
			sizeof(address.sun_path) - 1, path);
	strcpy(address.sun_path, path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd >= 0 &&
		connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	const int error = -errno;
	if (client->fd >= 0)
		close(client->fd);
	if (error == -EACCES)
		return fail(client, error,
			"may not open the control socket %s: ask as root, as a member of its "
			"group, or have a network of your own (`owner`)",
			path);
	return fail(client, error, "cannot reach tungated at %s (%s): is it running?", path,
		strerror(-error));
}

void control_client_close(struct control_client *client)
{
	close(client->fd);
	free(client->bytes);
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

int control_client_send(
	struct control_client *client, const char *method, json_t *params, int passed_fd)
{
	char *text = params ? control_call_text(1, method, params) : NULL;

	if (!text)
		return fail(client, -EINVAL,
			"cannot make the request: a word is not UTF-8, or memory is short");
	const size_t length = strlen(text);
	for (size_t at = 0; at < length;) {
		const ssize_t sent =
			passed_fd >= 0 ? send_with_descriptor(
						 client->fd, text + at, length - at, passed_fd)
				       : send(client->fd, text + at, length - at, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			break; /* the daemon closed: what it said before is there to be read */
		at += (size_t)sent;
		passed_fd = -1;
	}
	free(text);
	return 0;
}

/* ---- receiving ---- */

/* Have more than `searched` unused bytes: 0 or -errno. */
static int read_more(struct control_client *client, size_t searched)
{
	if (client->length - client->used > searched)
		return 0;
	if (client->used > 0) {
		client->length -= client->used;
		memmove(client->bytes, client->bytes + client->used, client->length);
		client->used = 0;
	}
	if (client->size - client->length < READ_BYTES) {
		const size_t size = 2 * client->size + READ_BYTES;
		char *bytes = realloc(client->bytes, size);
		if (!bytes)
			return -ENOMEM;
		client->bytes = bytes;
		client->size = size;
	}
	ssize_t got;
	do {
		got = recv(client->fd, client->bytes + client->length,
			client->size - client->length, 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (got <= 0)
		return -ECONNRESET;
	client->length += (size_t)got;
	return 0;
}

/* The next line, without its newline: 0 or -errno. */
static int next_line(struct control_client *client, const char **line, size_t *length)
{
	size_t searched = 0;
	int error;

	while ((error = read_more(client, searched)) == 0) {
		const size_t there = client->length - client->used;

		*line = client->bytes + client->used;
		const char *newline = memchr(*line + searched, '\n', there - searched);
		if (newline) {
			*length = (size_t)(newline - *line);
			client->used += *length + 1;
			return 0;
		}
		searched = there;
	}
	return error;
}

int control_client_receive(struct control_client *client, struct control_answer *answer)
{
	const char *line;
	size_t length;
	const int error = next_line(client, &line, &length);

	if (error == -EAGAIN)
		return fail(client, error, "tungated at %s does not answer in time", client->path);
	if (error)
		return fail(client, error, "tungated at %s closed the connection without an answer",
			client->path);
	if (control_answer_parse(line, length, answer))
		return 0;
	control_answer_release(answer);
	return fail(client, -EPROTO, "what listens at %s does not speak as tungated does",
		client->path);
}
