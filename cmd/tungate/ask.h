/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask: what each subcommand asks of the daemon.
 */
#ifndef TUNGATE_ASK_H
#define TUNGATE_ASK_H

#include <jansson.h>
#include "command.h"

/* Parameters of a request, a new reference, from the words of a command line. */
json_t *no_params(const struct arguments *arguments);
json_t *forward_add_params(const struct arguments *arguments);
json_t *forward_del_params(const struct arguments *arguments);
json_t *original_params(const struct arguments *arguments);
json_t *detach_params(const struct arguments *arguments);
json_t *trace_params(const struct arguments *arguments);
json_t *filter_params(const struct arguments *arguments);
/* Those of --name, --network, --address, with the descriptor of a namespace announced. */
json_t *attach_params(const struct arguments *arguments);
/* The same for the namespace that we are in, for as long as we are there. */
json_t *run_params(const struct arguments *arguments);

/* One call; its result is printed as JSON or shown.  Returns the exit status. */
int ask(const struct arguments *arguments, const char *method, json_t *params, int passed_fd);
/* Handlers of subcommands that are more than that. */
int ask_attach(const struct arguments *arguments);
int ask_connections(const struct arguments *arguments);

#endif
