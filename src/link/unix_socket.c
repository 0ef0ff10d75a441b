/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_socket: a socket with a name in the file system that belongs to one user.
 *
 * Its mode is set before its name appears, and it listens once its owner is set: there is no moment
 * at which too many could connect.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "link/unix_socket.h"

bool unix_socket_is_alive(const struct sockaddr_un *address, socklen_t bytes, int type)
{
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive = true;

	if (fd < 0)
		return alive;
	if (connect(fd, (const struct sockaddr *)address, bytes) < 0)
		alive = errno != ECONNREFUSED && errno != ENOENT;
	close(fd);
	return alive;
}

/* Remove the socket that a dead program left.  0 or -errno, logged. */
static int stale_remove(const struct log *log, const struct sockaddr_un *address, int type)
{
	const char *path = address->sun_path;
	struct stat found;

	if (lstat(path, &found) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(found.st_mode)) {
		log_error(log, "%s is in the way and no socket: remove it", path);
		return -EEXIST;
	}
	if (unix_socket_is_alive(address, sizeof(*address), type)) {
		log_error(log, "another program has the socket %s: take another path", path);
		return -EADDRINUSE;
	}
	return unlink(path) < 0 ? -errno : 0;
}

/* The file that our name means, if it is a socket of ours: in a directory of somebody else's it may
 * have been replaced, by a link to whatever they want to have. */
static int own_file(const char *path, struct stat *found)
{
	const int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (file < 0)
		return -errno;
	if (fstat(file, found) == 0 && S_ISSOCK(found->st_mode) && found->st_uid == geteuid())
		return file;
	close(file);
	return -EEXIST;
}

static int give_away(struct unix_socket *made, uid_t owner, gid_t group)
{
	struct stat found = {0};
	int error = 0;

	const int file = own_file(made->address.sun_path, &found);
	if (file < 0)
		return file;
	if ((owner != (uid_t)-1 || group != (gid_t)-1) &&
		fchownat(file, "", owner, group, AT_EMPTY_PATH) < 0)
		error = -errno;
	close(file);
	made->device = found.st_dev;
	made->inode = found.st_ino;
	return error;
}

static int bind_with_mode(const struct unix_socket *made, mode_t mode)
{
	int error = fchmod(made->fd, mode) < 0 ? -errno : 0;
	const mode_t mask = umask(0);

	if (!error &&
		bind(made->fd, (const struct sockaddr *)&made->address, sizeof(made->address)) < 0)
		error = -errno;
	umask(mask);
	return error;
}

static int name_it(struct unix_socket *made, int type, uid_t owner, gid_t group)
{
	int error = bind_with_mode(made, group != (gid_t)-1 ? 0660 : 0600);

	if (error)
		return error;
	error = give_away(made, owner, group);
	if (!error && type == SOCK_STREAM && listen(made->fd, 1) < 0)
		error = -errno;
	if (error)
		unlink(made->address.sun_path);
	return error;
}

static int socket_make(struct unix_socket *made, int type, uid_t owner, gid_t group)
{
	made->fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (made->fd < 0)
		return -errno;
	const int error = name_it(made, type, owner, group);
	if (error)
		close(made->fd);
	return error;
}

int unix_socket_open(const struct log *log, const char *path, int type, uid_t owner, gid_t group,
	struct unix_socket *made)
{
	*made = (struct unix_socket){.address.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(made->address.sun_path)) {
		log_error(log, "the path of a socket has at most %zu characters: %s",
			sizeof(made->address.sun_path) - 1, path);
		return -ENAMETOOLONG;
	}
	strcpy(made->address.sun_path, path);
	int error = stale_remove(log, &made->address, type);
	if (error == -EEXIST || error == -EADDRINUSE)
		return error;
	if (!error)
		error = socket_make(made, type, owner, group);
	if (error)
		log_error(log, "cannot make the socket %s: %s; its directory must exist", path,
			strerror(-error));
	return error;
}

void unix_socket_close(const struct unix_socket *made)
{
	const char *path = made->address.sun_path;
	struct stat found;

	close(made->fd);
	if (lstat(path, &found) == 0 && found.st_dev == made->device && found.st_ino == made->inode)
		unlink(path);
}
