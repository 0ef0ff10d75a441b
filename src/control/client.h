/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client: the other end of the control socket, for programs that ask.  Blocking; nothing is
 * printed, what went wrong is a sentence in client->problem.
 */
#ifndef TUNGATE_CONTROL_CLIENT_H
#define TUNGATE_CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>
#include "control/protocol.h"

struct control_client {
	int fd;           /* close-on-exec */
	const char *path; /* borrowed */
	char *bytes;      /* received and not yet used */
	size_t used, length, size;
	char problem[CONTROL_PROBLEM_SIZE];
};

/*
 * Connect.  0, or -errno: ENAMETOOLONG, EACCES, ENOENT and ECONNREFUSED where nobody listens.  To
 * be closed only after success.
 */
int control_client_open(struct control_client *client, const char *path);
void control_client_close(struct control_client *client);

/* Send a request (`params` taken over), and a descriptor with it if `passed_fd` is not -1.  0, or
 * -EINVAL where it cannot be said. */
int control_client_send(
	struct control_client *client, const char *method, json_t *params, int passed_fd);

/*
 * Wait for the next line and take it apart; to be released with control_answer_release().  0, then
 * the answer may still be an error's; or -ECONNRESET at the end, -EAGAIN when a receive timeout
 * of the socket passed, -EPROTO where it is no answer: then there is nothing to release.
 */
int control_client_receive(struct control_client *client, struct control_answer *answer);

#endif
