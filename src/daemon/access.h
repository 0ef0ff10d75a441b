/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access: who may do what over the control socket.
 *
 * An administrator (root, whoever runs the daemon, members of `control-group`) may do everything.
 * An owner of networks acts on these, and sees nothing of others: `access_sees` is asked about
 * every network that something belongs to.  Anybody else may ask for the version.
 *
 * Each method has its role in one table (access.c); one that is forgotten there is for
 * administrators.
 */
#ifndef TUNGATE_DAEMON_ACCESS_H
#define TUNGATE_DAEMON_ACCESS_H

#include "control/server.h"
#include "tungate/config.h"

enum access_role { ACCESS_ADMIN, ACCESS_OWNER, ACCESS_ANYBODY };

/* The role that a method needs. */
enum access_role access_role_of(const char *method);

bool access_is_admin(const struct config *config, const struct control_peer *peer);
/* Is the peer an administrator, or an owner of this network? */
bool access_sees(const struct config *config, const struct control_peer *peer, unsigned network);
/* The only network that the peer sees; -1: there is none; -2: there are several. */
int access_only_network(const struct config *config, const struct control_peer *peer);
/* May the peer call the method?  False after the request was answered. */
bool access_authorize(
	const struct config *config, struct control_request *request, const char *method);

/* Does some network have an owner? */
bool access_is_shared(const struct config *config);
/* Look up the users and groups that the config names, of the file `path`.  False, with errors,
 * where there is none such. */
bool access_resolve(struct config *config, const char *path, struct config_errors *errors);

/* Does a network namespace belong to a user: was it, or a namespace around it, made by them? */
bool access_owns_netns(int netns_fd, uid_t uid);

#endif
