/* SPDX-License-Identifier: BSD-2-Clause */
/* world: network namespaces for tests of what talks to the kernel. */
#include "world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/netns.h"

#define COMMAND_SIZE 1024

static bool write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return written;
}

void world_become_root(void)
{
	const unsigned uid = geteuid(), gid = getegid();
	char map[64];

	if (uid == 0 || unshare(CLONE_NEWUSER) < 0)
		return;
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
}

void world_enter(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		cr_skip_test("the kernel does not allow namespaces here");
	sh("ip link set lo up");
}

void world_enter_with_tun(void)
{
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		cr_skip_test("/dev/net/tun may not be used here");
	world_enter();
}

static void run(const char *prefix, const char *format, va_list arguments)
{
	char command[COMMAND_SIZE];
	const int length = snprintf(command, sizeof(command), "%s", prefix);

	vsnprintf(command + length, sizeof(command) - (size_t)length, format, arguments);
	cr_assert_eq(system(command), 0, "%s", command);
}

void sh(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	run("", format, arguments);
	va_end(arguments);
}

void sh_in(int netns_fd, const char *format, ...)
{
	char prefix[64];
	va_list arguments;

	snprintf(prefix, sizeof(prefix), "exec nsenter --net=/proc/self/fd/%d ", netns_fd);
	va_start(arguments, format);
	run(prefix, format, arguments);
	va_end(arguments);
}

int world_netns(void)
{
	const int made = netns_create(world_log());

	cr_assert(made >= 0);
	fcntl(made, F_SETFD, 0); /* nsenter inherits it */
	return made;
}

int world_peer(const char *near, const char *far)
{
	const int peer = world_netns();

	sh("ip link add %s type veth peer name %s netns /proc/%d/fd/%d", near, far, (int)getpid(),
		peer);
	sh("ip link set %s up", near);
	sh_in(peer, "ip link set %s up", far);
	return peer;
}

#define AWAIT_ADDRESS6                                                                             \
	"sh -c 'for i in $(seq 200); do ip -6 route show table local | grep -q ^local.%s && "      \
	"exit; "                                                                                   \
	"sleep 0.01; done; exit 1'"

void world_await_address6(const char *text)
{
	sh(AWAIT_ADDRESS6, text);
}

int world_uplink(void)
{
	const int peer = world_peer("up0", "net0");

	sh("ip addr add 192.0.2.2/24 dev up0; ip addr add 2001:db8::2/64 dev up0 nodad");
	sh_in(peer, "ip addr add 192.0.2.1/24 dev net0");
	sh_in(peer, "ip addr add 2001:db8::1/64 dev net0 nodad");
	world_await_address6("2001:db8::2");
	sh_in(peer, AWAIT_ADDRESS6, "2001:db8::1");
	return peer;
}

bool world_wait(int fd, int milliseconds)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, milliseconds) == 1;
}

int world_ifindex(const char *name)
{
	const unsigned ifindex = if_nametoindex(name);

	cr_assert_neq(ifindex, 0, "no interface %s", name);
	return (int)ifindex;
}

static char logged[16384];

static void keep_line(void *context, enum log_level level, const char *line)
{
	const size_t length = strlen(logged);

	(void)context;
	snprintf(logged + length, sizeof(logged) - length, "%s: %s\n", log_level_name(level), line);
}

const struct log *world_log(void)
{
	static const struct log log = {.level = LOG_LEVEL_INFO, .sink = keep_line};

	return &log;
}

bool world_logged(const char *text)
{
	return strstr(logged, text) != NULL;
}
