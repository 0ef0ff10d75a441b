/* SPDX-License-Identifier: BSD-2-Clause */
/* control_socket: who may open the control socket, and that one instance owns it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../support/world.h"
#include "control/socket.h"

struct place {
	char directory[64], parent[80], path[96];
};

static void place_make(struct place *place)
{
	strcpy(place->directory, "/tmp/tungate-socket.XXXXXX");
	cr_assert_not_null(mkdtemp(place->directory));
	snprintf(place->parent, sizeof(place->parent), "%s/run", place->directory);
	snprintf(place->path, sizeof(place->path), "%s/control.sock", place->parent);
}

static int open_at(struct control_socket *socket, const struct place *place)
{
	return control_socket_open(socket, world_log(), place->path, "", false);
}

/* Nothing but the place itself must be left. */
static void place_remove(const struct place *place)
{
	cr_expect_eq(rmdir(place->directory), 0, "files are left in %s", place->directory);
}

static int connect_to(const struct place *place)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = 0;

	strcpy(address.sun_path, place->path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err = -errno;
	close(fd);
	return err;
}

Test(control_socket, only_owner_and_group_may_open_it)
{
	struct control_socket socket;
	struct place place;
	struct stat found;

	umask(0);
	place_make(&place);
	cr_assert_eq(open_at(&socket, &place), 0);
	cr_assert_eq(stat(place.path, &found), 0);
	cr_expect_eq(found.st_mode & 07777, 0660);
	cr_expect_eq(connect_to(&place), 0);
	control_socket_close(&socket);
	place_remove(&place);
}

Test(control_socket, the_mode_does_not_hang_on_the_umask)
{
	struct control_socket socket;
	struct place place;
	struct stat found;

	place_make(&place);
	umask(0777);
	cr_assert_eq(mkdir(place.parent, 0), 0);
	chmod(place.parent, 0700);
	cr_assert_eq(open_at(&socket, &place), 0);
	cr_assert_eq(stat(place.path, &found), 0);
	cr_expect_eq(found.st_mode & 07777, 0660);
	control_socket_close(&socket);
	cr_expect_eq(rmdir(place.parent), 0);
	place_remove(&place);
}

Test(control_socket, it_belongs_to_the_group_that_was_named)
{
	const struct group *group = getgrnam("nogroup");
	struct control_socket socket;
	struct place place;
	struct stat found;

	if (geteuid() != 0 || group == NULL)
		cr_skip_test("needs root and a group `nogroup`");
	place_make(&place);
	cr_assert_eq(control_socket_open(&socket, world_log(), place.path, "nogroup", false), 0);
	cr_assert_eq(stat(place.path, &found), 0);
	cr_expect_eq(found.st_gid, group->gr_gid);
	control_socket_close(&socket);
	place_remove(&place);
}

Test(control_socket, a_second_instance_is_refused)
{
	struct control_socket first, second;
	struct place place;

	place_make(&place);
	cr_assert_eq(open_at(&first, &place), 0);
	cr_expect_eq(open_at(&second, &place), -EADDRINUSE);
	cr_expect(world_logged("another tungated serves"));
	cr_expect_eq(connect_to(&place), 0, "the first is harmed");
	control_socket_close(&first);
	cr_expect_eq(open_at(&second, &place), 0);
	control_socket_close(&second);
	place_remove(&place);
}

/* Try in a process of its own, say so, and hold what was won until `release` ends. */
static pid_t contender(const struct place *place, const int tried[2], const int release[2])
{
	const pid_t child = fork();
	struct control_socket socket;
	char byte = 0;

	if (child != 0)
		return child;
	close(release[1]);
	const int err = open_at(&socket, place);
	if (write(tried[1], &byte, 1) != 1 || read(release[0], &byte, 1) != 0)
		_exit(3);
	_exit(err == 0 ? 1 : (err == -EADDRINUSE ? 0 : 2)); /* without tidying up */
}

Test(control_socket, of_many_that_start_at_once_one_wins)
{
	enum { CONTENDERS = 8, ROUNDS = 20 };
	struct control_socket socket;
	struct place place;

	place_make(&place);
	cr_assert_eq(mkdir(place.parent, 0755), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		pid_t children[CONTENDERS];
		int tried[2], release[2], status, winners = 0;
		char byte;

		cr_assert(pipe(tried) == 0 && pipe(release) == 0);
		for (unsigned i = 0; i < CONTENDERS; i++)
			children[i] = contender(&place, tried, release);
		for (unsigned i = 0; i < CONTENDERS; i++)
			cr_assert_eq(read(tried[0], &byte, 1), 1);
		close(release[1]);
		for (unsigned i = 0; i < CONTENDERS; i++) {
			waitpid(children[i], &status, 0);
			cr_expect_leq(WEXITSTATUS(status), 1);
			winners += WEXITSTATUS(status) == 1;
		}
		cr_expect_eq(winners, 1, "round %u: %d", round, winners);
		close(release[0]);
		close(tried[0]);
		close(tried[1]);
	}
	cr_assert_eq(open_at(&socket, &place), 0);
	control_socket_close(&socket);
	cr_expect_eq(rmdir(place.parent), 0);
	place_remove(&place);
}

Test(control_socket, what_a_dead_instance_left_is_replaced)
{
	struct control_socket socket;
	struct place place;
	int status;

	place_make(&place);
	const pid_t child = fork();
	if (child == 0)
		_exit(open_at(&socket, &place) == 0 ? 0 : 1); /* without tidying up */
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
	cr_assert_eq(connect_to(&place), -ECONNREFUSED);
	cr_assert_eq(open_at(&socket, &place), 0);
	cr_expect_eq(connect_to(&place), 0);
	control_socket_close(&socket);
	cr_expect_eq(rmdir(place.parent), 0, "more is left than the directory that we found");
	place_remove(&place);
}

Test(control_socket, a_file_in_the_way_is_not_touched)
{
	struct control_socket socket;
	struct place place;

	place_make(&place);
	snprintf(place.path, sizeof(place.path), "%s/file", place.directory);
	close(open(place.path, O_CREAT | O_WRONLY, 0600));
	cr_expect_eq(open_at(&socket, &place), -EEXIST);
	cr_expect(world_logged("is in the way and not a socket"));
	cr_expect_eq(unlink(place.path), 0);
	place_remove(&place);
}

Test(control_socket, bad_settings_are_refused_with_a_sentence)
{
	struct control_socket socket;
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	cr_expect_eq(control_socket_open(&socket, world_log(), path, "", false), -ENAMETOOLONG);
	cr_expect(world_logged("1 to 107 characters"));
	cr_expect_eq(control_socket_open(&socket, world_log(), "", "", false), -ENAMETOOLONG);
	cr_expect_eq(
		control_socket_open(&socket, world_log(), "/tmp/x.sock", "no such group", false),
		-EINVAL);
	cr_expect(world_logged("there is no group no such group"));
	cr_expect_eq(control_socket_open(&socket, world_log(), "/nowhere/at/all/x.sock", "", false),
		-ENOENT);
	cr_expect(world_logged("its directory must exist"));
}
