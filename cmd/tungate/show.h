/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show: results of the daemon as people read them.
 */
#ifndef TUNGATE_SHOW_H
#define TUNGATE_SHOW_H

#include <jansson.h>
#include "command.h"

typedef void result_shower(const struct arguments *arguments, const json_t *result);

result_shower show_status, show_networks, show_links, show_forwards, show_forwards_added,
	show_forwards_deleted, show_connections, show_expectations, show_flushed, show_rules,
	show_trace, show_drops, show_guests, show_domains, show_leases, show_dns, show_dns_flushed,
	show_attached, show_detached, show_original, show_reloaded, show_version;

/* One line for an event of connections.follow. */
void show_connection_event(const json_t *event);

#endif
