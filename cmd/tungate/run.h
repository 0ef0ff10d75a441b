/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run: a command in a network namespace of its own, whose only way out is the gateway.
 */
#ifndef TUNGATE_RUN_H
#define TUNGATE_RUN_H

#include "command.h"

/* The handler of `tungate run`; returns what the command returned. */
int run(const struct arguments *arguments);

#endif
