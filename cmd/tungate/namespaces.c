/* SPDX-License-Identifier: BSD-2-Clause */
/* namespaces: those that a command of `tungate run` lives in. */
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include "call.h"

static bool put(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const ssize_t length = (ssize_t)strlen(text);
	const bool written = fd >= 0 && write(fd, text, (size_t)length) == length;

	if (fd >= 0)
		close(fd);
	return written;
}

/* In the new user namespace we are who we were, or root; nobody else is there. */
static bool identity_map(uid_t uid, gid_t gid, bool map_root)
{
	char map[48];

	snprintf(map, sizeof(map), "%u %u 1\n", map_root ? 0 : uid, uid);
	if (!put("/proc/self/uid_map", map) || !put("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "%u %u 1\n", map_root ? 0 : gid, gid);
	return put("/proc/self/gid_map", map);
}

/* So that ping needs no rights: it is an ordinary user's who has none here. */
static void ping_permit(void)
{
	char range[32];

	snprintf(range, sizeof(range), "%u %u", getegid(), getegid());
	(void)put("/proc/sys/net/ipv4/ping_group_range", range);
}

int namespaces_enter(bool map_root)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	const bool user = uid != 0 || map_root;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS | (user ? CLONE_NEWUSER : 0)) < 0) {
		complain("cannot make a %snetwork namespace: %s%s", user ? "user and a " : "",
			strerror(errno),
			errno != EPERM && errno != ENOSPC ? ""
			: user ? ": this system lets only root make user namespaces"
			       : ": run as root");
		return STATUS_FAILED;
	}
	if (user && !identity_map(uid, gid, map_root)) {
		complain("cannot keep your user id in a user namespace: %s", strerror(errno));
		return STATUS_FAILED;
	}
	/* What we mount must not show outside. */
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		complain("cannot make mounts private: %s", strerror(errno));
		return STATUS_FAILED;
	}
	ping_permit();
	return STATUS_OK;
}

bool namespaces_proc(void)
{
	return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

static bool child_succeeds(pid_t child)
{
	int status;

	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

/* A container may hide parts of its /proc, and then lets nobody mount another: tried out where it
 * leaves nothing behind. */
static void proc_try(void)
{
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		_exit(1);
	const pid_t child = fork();
	if (child == 0)
		_exit(namespaces_proc() ? 0 : 1);
	_exit(child_succeeds(child) ? 0 : 1);
}

bool namespaces_pids(void)
{
	const pid_t child = fork();

	if (child == 0)
		proc_try();
	return child_succeeds(child) && unshare(CLONE_NEWPID) == 0;
}
