/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket: the control socket as a file: who may open it, and that one instance owns it.
 *
 * Ownership is a lock on PATH.lock, held as long as the instance lives and let go by the kernel
 * when it dies, so a socket found while the lock is ours belongs to nobody and is replaced.  The
 * lock file is removed by its holder; whoever opened it just before sees that the name is gone and
 * starts over.
 *
 * The socket's mode is set before its name appears, and it listens only once its group is set:
 * there is no moment at which too many could connect.
 */
#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

static bool parent_make(const char *path)
{
	char parent[108];

	snprintf(parent, sizeof(parent), "%s", path);
	char *slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return false;
	*slash = 0;
	return mkdir(parent, 0755) == 0;
}

static void parent_remove(char *path)
{
	*strrchr(path, '/') = 0;
	(void)rmdir(path); /* fails, rightly, where others put files into it */
}

static bool is_same_file(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && lstat(path, &named) == 0 && ours.st_ino == named.st_ino &&
	       ours.st_dev == named.st_dev;
}

/* The descriptor of the locked file, or -errno; -EWOULDBLOCK where somebody else holds it. */
static int lock_take(const char *path)
{
	for (;;) {
		const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			const int err = errno;
			close(fd);
			return -err;
		}
		if (is_same_file(fd, path))
			return fd;
		close(fd); /* its holder removed it between our open and our lock */
	}
}

/* Remove a socket that a dead instance left.  0, or -errno where something else is in the way. */
static int stale_remove(const char *path)
{
	struct stat found;

	if (lstat(path, &found) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(found.st_mode))
		return -EEXIST;
	return unlink(path) < 0 ? -errno : 0;
}

static int group_find(const char *name, gid_t *gid)
{
	const struct group *group = getgrnam(name);

	if (!group)
		return -EINVAL;
	*gid = group->gr_gid;
	return 0;
}

static mode_t socket_mode(bool everybody)
{
	return everybody ? 0666 : 0660;
}

/* A socket of this group, listening at `path`.  The descriptor or -errno. */
static int listen_at(const char *path, gid_t gid, bool everybody)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int err;

	strcpy(address.sun_path, path);
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0660) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		err = -errno;
		goto close_socket;
	}
	if ((gid != (gid_t)-1 && lchown(path, -1, gid) < 0) ||
		chmod(path, socket_mode(everybody)) < 0 || listen(fd, BACKLOG) < 0) {
		err = -errno;
		goto unlink_socket;
	}
	return fd;

unlink_socket:
	unlink(path);
close_socket:
	close(fd);
	return err;
}

int control_socket_open(struct control_socket *sock, const struct log *log, const char *path,
	const char *group, bool everybody)
{
	gid_t gid = (gid_t)-1;
	int err;

	*sock = (struct control_socket){0};
	if (!*path || strlen(path) >= sizeof(sock->path)) {
		log_error(log, "control socket: the path must have 1 to %zu characters: %s",
			sizeof(sock->path) - 1, path);
		return -ENAMETOOLONG;
	}
	if (group && *group && group_find(group, &gid) < 0) {
		log_error(log,
			"control socket: there is no group %s: create it, or change "
			"control-group in [gateway]",
			group);
		return -EINVAL;
	}
	snprintf(sock->path, sizeof(sock->path), "%s", path);
	snprintf(sock->lock, sizeof(sock->lock), "%s.lock", path);
	sock->made_parent = parent_make(path);

	err = sock->lock_fd = lock_take(sock->lock);
	if (err == -EWOULDBLOCK) {
		log_error(log,
			"another tungated serves %s: stop it first, or give this one a "
			"control socket of its own in [gateway]",
			path);
		return -EADDRINUSE;
	}
	if (err < 0)
		goto remove_parent;
	err = stale_remove(path);
	if (err == -EEXIST)
		log_error(log, "%s is in the way and not a socket: remove it", path);
	if (err < 0)
		goto unlock;
	err = sock->fd = listen_at(path, gid, everybody);
	if (err < 0)
		goto unlock;
	return 0;

unlock:
	unlink(sock->lock);
	close(sock->lock_fd);
remove_parent:
	if (sock->made_parent)
		parent_remove(sock->path);
	if (err != -EEXIST)
		log_error(log,
			"control socket %s: %s: its directory must exist and be writable, see "
			"control in [gateway]",
			path, strerror(-err));
	return err;
}

void control_socket_open_to(
	const struct control_socket *sock, const struct log *log, bool everybody)
{
	if (chmod(sock->path, socket_mode(everybody)) < 0)
		log_error(log, "control socket %s: its mode stays as it was: %s", sock->path,
			strerror(errno));
}

void control_socket_close(struct control_socket *sock)
{
	close(sock->fd);
	unlink(sock->path);
	unlink(sock->lock);
	close(sock->lock_fd);
	if (sock->made_parent)
		parent_remove(sock->path);
}
