/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * namespaces: those that a command of `tungate run` lives in.
 *
 *	user      only where the caller is not root, or wants to look like root: it gives the right
 *	          to make the others, and says to the daemon whose they are
 *	network   what is attached to the gateway
 *	mount     for a resolv.conf, and a /proc, of the command's own
 *	PID       so that nothing of the command outlives it, or us; where /proc can be mounted
 */
#ifndef TUNGATE_NAMESPACES_H
#define TUNGATE_NAMESPACES_H

#include <stdbool.h>

/* Enter them, but that of PIDs.  The exit status, after a complaint where it is not STATUS_OK. */
int namespaces_enter(bool map_root);
/* Have the next child begin a PID namespace.  False where it could not have a /proc of its own. */
bool namespaces_pids(void);
/* ... and in the child: show it its own processes in /proc.  False with errno. */
bool namespaces_proc(void);

#endif
