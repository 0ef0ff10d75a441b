/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port_lock: lists of ports as names of abstract sockets.
 *
 * The name is taken first and others' are looked at afterwards; so of two that start at once at
 * least one sees the other.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "host/port_lock.h"

#define NAME "tungate:"
static_assert(sizeof(NAME) + PORT_LIST_TEXT_SIZE < sizeof(((struct sockaddr_un *)NULL)->sun_path),
	"the longest list is a name");

static int name_take(const char *ports)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int length =
		snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, NAME "%s", ports);
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

/* The next range of "61000-61499,63000", and what follows it. */
static bool range_read(const char **text, struct port_range *range)
{
	char *end;
	const unsigned long first = strtoul(*text, &end, 10);

	if (end == *text)
		return false;
	const unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
	if (first > last || last > UINT16_MAX)
		return false;
	*range = (struct port_range){(uint16_t)first, (uint16_t)last};
	*text = *end == ',' ? end + 1 : end;
	return true;
}

/* The list in a line of /proc/net/unix, where an abstract name begins with '@'; NULL: none. */
static char *line_list(char *line)
{
	char *name = strstr(line, "@" NAME);

	if (name == NULL)
		return NULL;
	name += strlen("@" NAME);
	name[strcspn(name, "\n")] = '\0';
	return name;
}

static bool list_overlaps(const char *list, const struct port_list *ports)
{
	struct port_range range;

	while (range_read(&list, &range))
		if (port_list_overlaps(ports, range))
			return true;
	return false;
}

/* Somebody's list that overlaps ours, in `other`; ours alone has the name `own`. */
static bool find_overlap(
	const struct port_list *ports, const char *own, char other[PORT_LIST_TEXT_SIZE])
{
	char line[512];
	bool found = false;
	FILE *file = fopen("/proc/net/unix", "re");

	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		const char *list = line_list(line);
		if (list == NULL || strcmp(list, own) == 0 || !list_overlaps(list, ports))
			continue;
		snprintf(other, PORT_LIST_TEXT_SIZE, "%s", list);
		found = true;
	}
	fclose(file);
	return found;
}

int port_lock_take(const struct log *log, const struct port_list *ports)
{
	char own[PORT_LIST_TEXT_SIZE], other[PORT_LIST_TEXT_SIZE];
	int fd = name_take(port_list_format(ports, own));

	snprintf(other, sizeof(other), "%s", own);
	if (fd >= 0) {
		if (!find_overlap(ports, own, other))
			return fd;
		close(fd);
		fd = -EADDRINUSE;
	}
	if (fd == -EADDRINUSE)
		log_error(log,
			"ports %s: another tungated holds %s on this host; stop it, or give this "
			"one its own ports with `ports` in [gateway]",
			own, other);
	else
		log_error(log, "cannot lock ports %s: %s", own, strerror(-fd));
	return fd;
}
