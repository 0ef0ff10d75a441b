/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl: switches of IPv6 that an interface has; /proc shows the reader's own namespace. */
#include "link/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int sysctl_ipv6_set(const char *device, const char *name, int value)
{
	char path[96], text[16] = "";

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", device, name);
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int before = read(fd, text, sizeof(text) - 1) > 0 ? (int)strtol(text, NULL, 10) : -errno;
	snprintf(text, sizeof(text), "%d", value);
	if (before >= 0 && before != value &&
		pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text))
		before = -errno;
	close(fd);
	return before;
}
