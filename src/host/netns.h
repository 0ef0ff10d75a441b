/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netns: network namespaces: find one by what a user calls it, make a hidden one, work inside one.
 */
#ifndef TUNGATE_HOST_NETNS_H
#define TUNGATE_HOST_NETNS_H

#include "base/log.h"

/* Open a namespace by NAME (/run/netns/NAME), PATH (with a slash) or pid:N.  The descriptor
 * (close-on-exec), or -errno after logging one sentence. */
int netns_open(const struct log *log, const char *where);
/* A new namespace without a name, `lo` up; lives as long as a descriptor or socket in it.  The
 * descriptor or -errno, logged.  The caller's namespace is unchanged. */
int netns_create(const struct log *log);
/* Enter `netns_fd`; returns a descriptor of the namespace before, for netns_leave(), or -errno. */
int netns_enter(int netns_fd);
/* Go back and close `previous_fd`.  Aborts the program if the kernel refuses (it must not go on in
 * the wrong one). */
void netns_leave(int previous_fd);
/* A socket of the namespace: socket(2) inside it.  The descriptor (close-on-exec, non-blocking) or
 * -errno. */
int netns_socket(int netns_fd, int domain, int type, int protocol);

#endif
