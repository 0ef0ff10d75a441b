/* SPDX-License-Identifier: BSD-2-Clause */
/* import: `tungate import FILE`, which asks no daemon. */
#ifndef TUNGATE_IMPORT_COMMAND_H
#define TUNGATE_IMPORT_COMMAND_H

#include "command.h"

int import(const struct arguments *arguments);

#endif
