/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call: ask the daemon.  All functions print what went wrong and return an exit status.
 */
#ifndef TUNGATE_CALL_H
#define TUNGATE_CALL_H

#include <jansson.h>
#include "command.h"
#include "control/client.h"

struct call {
	struct control_client client;
};

/* Connect. */
int call_open(struct call *call, const struct arguments *arguments);
void call_close(struct call *call);
/* Send a request (`params` taken over), and a descriptor with it if `passed_fd` is not -1. */
int call_send(struct call *call, const char *method, json_t *params, int passed_fd);
/* Wait for the next line and take it apart; an error that it carries is printed.  To be released
 * with control_answer_release() if STATUS_OK. */
int call_receive(struct call *call, struct control_answer *answer);

/* All of it: the result of one method, a new reference. */
int call_method(const struct arguments *arguments, const char *method, json_t *params,
	int passed_fd, json_t **result);

#endif
