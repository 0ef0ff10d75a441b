/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netns: network namespaces: find one by what a user calls it, make a hidden one, work inside one.
 *
 * A thread enters a namespace, does its work and goes back, holding a descriptor of where it came
 * from.  Sockets belong for good to the namespace they were made in, so the visit is short.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "host/netns.h"

#define OWN_NETNS "/proc/thread-self/ns/net"

static const char *open_advice(int error)
{
	switch (error) {
	case ENOENT:
		return "there is none; `ip netns list` shows the names, pid:N takes a process's";
	case EACCES:
	case EPERM:
		return "run as its owner or as root";
	default:
		return strerror(error);
	}
}

/* The file that `where` means.  False if it does not fit or is no process id. */
static bool netns_path(const char *where, char *path, size_t size)
{
	int length;

	if (strncmp(where, "pid:", 4) == 0) {
		char *end;
		const unsigned long pid = strtoul(where + 4, &end, 10);

		if (pid == 0 || *end)
			return false;
		length = snprintf(path, size, "/proc/%lu/ns/net", pid);
	} else if (strchr(where, '/')) {
		length = snprintf(path, size, "%s", where);
	} else {
		length = snprintf(path, size, "/run/netns/%s", where);
	}
	return length > 0 && (size_t)length < size;
}

int netns_open(const struct log *log, const char *where)
{
	char path[4096];

	if (!netns_path(where, path, sizeof(path))) {
		log_error(log, "network namespace %s: give a NAME, a path with a slash, or pid:N",
			where);
		return -EINVAL;
	}
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		const int error = errno;

		log_error(log, "network namespace %s: %s", where, open_advice(error));
		return -error;
	}
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		log_error(log, "network namespace %s: %s is not a network namespace", where, path);
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/* Without `lo`, a service could not even reach itself. */
static int loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		error = -errno;
	close(fd);
	return error;
}

/* In the new namespace already: its descriptor, or -errno. */
static int own_netns_ready(void)
{
	const int error = loopback_up();

	if (error)
		return error;
	const int fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int netns_create(const struct log *log)
{
	const int previous = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	int made;

	if (previous < 0) {
		made = -errno;
		log_error(log, "cannot open %s: %s; is /proc mounted?", OWN_NETNS, strerror(errno));
		return made;
	}
	if (unshare(CLONE_NEWNET) < 0) {
		made = -errno;
		close(previous);
	} else {
		made = own_netns_ready();
		netns_leave(previous);
	}
	if (made < 0)
		log_error(log,
			"cannot make a network namespace: %s; run as root, or inside "
			"`unshare -Urnm`",
			strerror(-made));
	return made;
}

int netns_enter(int netns_fd)
{
	const int previous = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);

	if (previous < 0)
		return -errno;
	if (setns(netns_fd, CLONE_NEWNET) < 0) {
		const int error = -errno;

		close(previous);
		return error;
	}
	return previous;
}

void netns_leave(int previous_fd)
{
	if (setns(previous_fd, CLONE_NEWNET) < 0)
		abort();
	close(previous_fd);
}

int netns_socket(int netns_fd, int domain, int type, int protocol)
{
	const int previous = netns_enter(netns_fd);

	if (previous < 0)
		return previous;
	const int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	const int result = fd < 0 ? -errno : fd;
	netns_leave(previous);
	return result;
}
