/* SPDX-License-Identifier: BSD-2-Clause */
/* packet_log: a packet that a rule logs as one line of NAME=VALUE, for people and for programs. */
#ifndef TUNGATE_DAEMON_PACKET_LOG_H
#define TUNGATE_DAEMON_PACKET_LOG_H

#include "tungate/engine.h"

#define PACKET_LOG_SIZE 768

/*
 * rule "PREFIX" chain=forward verdict=drop in=lab from=web out=uplink proto=tcp src=... sport=...
 * dst=... dport=... domain=... flags=S ttl=64 len=60 suppressed=N
 *
 * `domain` is a name that the guest has got the destination for.  `links` are the names of the
 * links that it comes from and goes to, NULL where there is none. Returns `text`.
 */
char *packet_log_format(const struct config *config, const struct rule_log *line,
	const char *const links[2], char text[PACKET_LOG_SIZE]);

#endif
