/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port_lock: ranges as names of abstract sockets.
 *
 * The name is taken first and others' are looked at afterwards; so of two that start at once at
 * least one sees the other.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "host/port_lock.h"

#define NAME "tungate-ports-"

static int name_take(struct port_range ports)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
		NAME "%u-%u", ports.first, ports.last);
	const socklen_t bytes =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, bytes) == 0)
		return fd;
	const int error = -errno;
	close(fd);
	return error;
}

/* A port number of the name, and what stands behind it. */
static bool number_read(const char **text, char end, uint16_t *number)
{
	char *rest;
	const unsigned long value = strtoul(*text, &rest, 10);

	if (rest == *text || *rest != end || value > UINT16_MAX)
		return false;
	*number = (uint16_t)value;
	*text = rest + 1;
	return true;
}

/* The range in a line of /proc/net/unix, where an abstract name begins with '@'. */
static bool line_range(const char *line, struct port_range *range)
{
	const char *name = strstr(line, "@" NAME);

	if (name == NULL)
		return false;
	name += strlen("@" NAME);
	return number_read(&name, '-', &range->first) && number_read(&name, '\n', &range->last);
}

/* Somebody's range that overlaps ours and is not the same: ours alone has its name. */
static bool find_overlap(struct port_range ports, struct port_range *other)
{
	char line[512];
	bool found = false;
	FILE *file = fopen("/proc/net/unix", "re");

	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = line_range(line, other) && other->first <= ports.last &&
			ports.first <= other->last &&
			(other->first != ports.first || other->last != ports.last);
	fclose(file);
	return found;
}

int port_lock_take(const struct log *log, struct port_range ports)
{
	struct port_range other = ports;
	int fd = name_take(ports);

	if (fd >= 0) {
		if (!find_overlap(ports, &other))
			return fd;
		close(fd);
		fd = -EADDRINUSE;
	}
	if (fd == -EADDRINUSE)
		log_error(log,
			"ports %u-%u: another tungated holds %u-%u on this host; stop it, or give "
			"this one its own range with `ports` in [gateway]",
			ports.first, ports.last, other.first, other.last);
	else
		log_error(
			log, "cannot lock ports %u-%u: %s", ports.first, ports.last, strerror(-fd));
	return fd;
}
