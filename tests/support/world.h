/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world: network namespaces for tests of what talks to the kernel: one of the test's own, and peers
 * at the other end of a veth pair.  Everything goes with the test's process.
 */
#ifndef TUNGATE_TESTS_WORLD_H
#define TUNGATE_TESTS_WORLD_H

#include "base/log.h"

/*
 * For the top of such a test program: without root, be root of a user namespace from before main()
 * on, since no thread may run beside the one that makes a user namespace.
 */
#define WORLD_PROGRAM                                                                              \
	static void __attribute__((constructor)) world_program(void)                               \
	{                                                                                          \
		world_become_root();                                                               \
	}
void world_become_root(void);

/* Move the test's process into a network namespace of its own, `lo` up.  Skips the test where the
 * kernel does not allow it. */
void world_enter(void);
/* As world_enter(); skips the test without access to /dev/net/tun as well. */
void world_enter_with_tun(void);
/* Run a command line of sh; the test fails where it does. */
void sh(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A namespace for sh_in().  Returns its descriptor. */
int world_netns(void);
/* Another namespace at the far end of a new veth pair: `near` here, `far` there, both up, without
 * addresses.  Returns its descriptor. */
int world_peer(const char *near, const char *far);
/* A peer over up0, which is 192.0.2.2/24 and 2001:db8::2/64; its end is net0, .1 and ::1. */
int world_uplink(void);
/* Wait until IPv6 address is at work here: the kernel adds its route in the background. */
void world_await_address6(const char *text);
/* As sh(), in the namespace of `netns_fd`. */
void sh_in(int netns_fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Wait until `fd` is readable; false after `milliseconds`. */
bool world_wait(int fd, int milliseconds);
/* The interface's index; the test fails where there is none. */
int world_ifindex(const char *name);

/* A log that keeps its lines, and whether one of them has `text` in it. */
const struct log *world_log(void);
bool world_logged(const char *text);

#endif
