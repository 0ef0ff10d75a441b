/* SPDX-License-Identifier: BSD-2-Clause */
/* timeout: lines of [timeouts] that are about ports: "tcp port 22 = 1d". */
#ifndef TUNGATE_CONFIG_TIMEOUT_H
#define TUNGATE_CONFIG_TIMEOUT_H

#include "config/words.h"
#include "tungate/config.h"

/* Is this key of [timeouts] about ports?  All others are in the table of keys. */
bool timeout_is_of_port(const char *name);
/* Add such a line; false with what is allowed in `why`. */
bool timeout_of_port_add(const struct config *config, const char *name, const char *value,
	unsigned line, struct timeouts_config *timeouts, const struct sentence *why);

#endif
