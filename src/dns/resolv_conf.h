/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolv_conf: the host's resolvers, as resolv.conf(5) names them, and its changes.
 *
 * The directory of the file is watched, that of what it links to (systemd-resolved's own file, for
 * one), and the file itself, which may be a mount of its own.  Where nothing can be watched, or an
 * event is missed, the file's times are looked at, at most once a second, when there is a question.
 */
#ifndef TUNGATE_DNS_RESOLV_CONF_H
#define TUNGATE_DNS_RESOLV_CONF_H

#include <uv.h>
#include "base/log.h"
#include "dns/servers.h"

struct resolv_conf;

/* `changed` is called when the file has been read anew.  NULL: out of memory. */
struct resolv_conf *resolv_conf_create(uv_loop_t *loop, const struct log *log, const char *path,
	struct dns_servers *all, void (*changed)(void *context), void *context);
/* It frees itself once libuv has let go of its handles. */
void resolv_conf_close(struct resolv_conf *conf);
/* The list of now; never NULL.  Borrowed until the loop runs again. */
struct dns_list *resolv_conf_list(struct resolv_conf *conf);

/* Add what a file's text says to a list. */
void resolv_conf_parse(char *text, struct dns_list *list, struct dns_servers *all);

#endif
