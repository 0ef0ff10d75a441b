/* SPDX-License-Identifier: BSD-2-Clause */
/* netns: namespaces by name, path and process; entered and left again. */
#include "host/netns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/world.h"

WORLD_PROGRAM

static ino_t here(void)
{
	struct stat status;

	cr_assert_eq(stat("/proc/thread-self/ns/net", &status), 0);
	return status.st_ino;
}

static ino_t inode(int fd)
{
	struct stat status;

	cr_assert_eq(fstat(fd, &status), 0);
	return status.st_ino;
}

Test(netns, made_entered_and_left, .init = world_enter)
{
	const ino_t home = here();
	const int made = netns_create(world_log());

	cr_assert(made >= 0);
	cr_expect_eq(here(), home, "making one does not move us");
	cr_expect_neq(inode(made), home);

	const int previous = netns_enter(made);
	cr_assert(previous >= 0);
	cr_expect_eq(here(), inode(made));
	sh("ip -br link show lo | grep -q LOOPBACK,UP");
	netns_leave(previous);
	cr_expect_eq(here(), home);
	cr_expect_eq(netns_enter(STDIN_FILENO), -EINVAL);
	cr_expect_eq(here(), home);
	close(made);
}

Test(netns, socket_belongs_to_the_other_namespace, .init = world_enter)
{
	const int made = netns_create(world_log());
	char name[IF_NAMESIZE];

	sh("ip link add only-here type veth peer name other-end");
	const int fd = netns_socket(made, AF_INET, SOCK_DGRAM, 0);
	cr_assert(fd >= 0);
	cr_expect_neq(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "only-here", 9), 0);
	cr_expect_eq(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2), 0);
	cr_expect_not_null(if_indextoname(if_nametoindex("only-here"), name), "we are back");
	cr_expect_eq(netns_socket(made, AF_INET, 99, 0), -EINVAL);
	close(fd);
	close(made);
}

Test(netns, opened_by_path_and_pid, .init = world_enter)
{
	char where[64];

	const int by_path = netns_open(world_log(), "/proc/self/ns/net");
	snprintf(where, sizeof(where), "pid:%d", (int)getpid());
	const int by_pid = netns_open(world_log(), where);
	cr_assert(by_path >= 0 && by_pid >= 0);
	cr_expect_eq(inode(by_path), here());
	cr_expect_eq(inode(by_pid), here());
	close(by_path);
	close(by_pid);
}

Test(netns, refused_with_a_sentence, .init = world_enter)
{
	cr_expect_eq(netns_open(world_log(), "no-such-name"), -ENOENT);
	cr_expect(world_logged("network namespace no-such-name: there is none"));
	cr_expect_eq(netns_open(world_log(), "pid:0"), -EINVAL);
	cr_expect_eq(netns_open(world_log(), "pid:1x"), -EINVAL);
	cr_expect(world_logged("pid:1x: give a NAME, a path with a slash, or pid:N"));
	cr_expect_eq(netns_open(world_log(), "/dev/null"), -EINVAL);
	cr_expect(world_logged("/dev/null is not a network namespace"));
	cr_expect_eq(netns_open(world_log(), "/proc/self/ns/uts"), -EINVAL);
}
