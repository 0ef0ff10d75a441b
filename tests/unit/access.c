/* SPDX-License-Identifier: BSD-2-Clause */
/* access: each method, for whom; who owns what. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/access.h"
#include "daemon/requests.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config *config_with(const char *text)
{
	struct config_errors errors = {0};
	struct config *config = config_parse("t", text, &errors);

	cr_assert_not_null(config, "%s", errors.count > 0 ? errors.text[0] : "no memory");
	return config;
}

#define NETWORKS                                                                                   \
	"[network a]\nsubnet = 10.77.0.0/24\nowner = 1001\n"                                       \
	"[network b]\nsubnet = 10.77.0.0/24\nowner = 1002\n"                                       \
	"[network c]\nsubnet = 10.77.0.0/24\nowner-group = 2000\n"                                 \
	"[network d]\nsubnet = 10.77.0.0/24\n"

/* What an owner may call; whatever else there is, now or one day, is the administrator's. */
static const char *const owners[] = {"attach", "connections", "connections.flush",
	"connections.follow", "detach", "drops", "domains", "expectations", "forward.add",
	"forward.del", "forward.list", "guests", "leases", "links", "networks", "status"};

Test(access, each_method_has_a_role)
{
	for (unsigned i = 0; i < requests_method_count; i++) {
		const char *name = requests_methods[i].name;
		enum access_role wanted = ACCESS_ADMIN;

		for (unsigned n = 0; n < COUNT(owners); n++)
			if (strcmp(owners[n], name) == 0)
				wanted = ACCESS_OWNER;
		if (strcmp(name, "version") == 0)
			wanted = ACCESS_ANYBODY;
		cr_expect_eq(access_role_of(name), wanted, "%s", name);
	}
	cr_expect_eq(access_role_of("what nobody has thought of"), ACCESS_ADMIN);
}

Test(access, who_sees_what)
{
	static gid_t in_2000[] = {5, 2000, 6};
	static const struct {
		struct control_peer peer;
		const char *sees; /* a letter for each network */
		int only;
		bool admin;
	} rows[] = {
		{{.uid = 0, .gid = 0}, "abcd", -2, true},
		{{.uid = 1001, .gid = 1001}, "a...", 0, false},
		{{.uid = 1002, .gid = 1001}, ".b..", 1, false},
		{{.uid = 1003, .gid = 2000}, "..c.", 2, false},
		{{.uid = 1001, .gid = 2000}, "a.c.", -2, false},
		{{.uid = 1002, .gid = 7, .group_count = 3, .groups = in_2000}, ".bc.", -2, false},
		{{.uid = 1003, .gid = 7, .group_count = 1, .groups = in_2000}, "....", -1, false},
		{{.uid = 65534, .gid = 65534}, "....", -1, false},
		{{.uid = 1003, .gid = 3000}, "abcd", -2, true},
	};
	struct config_errors errors = {0};
	struct config *config = config_with(NETWORKS);

	cr_assert(access_resolve(config, "t", &errors));
	config->gateway.control_gid = 3000;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		const struct control_peer *peer = &rows[i].peer;

		cr_expect_eq(access_is_admin(config, peer), rows[i].admin, "row %u", i);
		cr_expect_eq(access_only_network(config, peer), rows[i].only, "row %u", i);
		for (unsigned n = 0; n < 4; n++)
			cr_expect_eq(access_sees(config, peer, n), rows[i].sees[n] != '.',
				"row %u, network %u", i, n);
		cr_expect_eq(access_sees(config, peer, 0xffff), rows[i].admin);
	}
	cr_expect(access_is_shared(config));
	config_free(config);
	config = config_with("[network a]\nsubnet = 10.77.0.0/24\n");
	cr_expect_not(access_is_shared(config));
	config_free(config);
}

Test(access, owners_are_looked_up)
{
	static const struct {
		const char *key, *problem;
	} rows[] = {
		{"owner = root", NULL},
		{"owner = daemon", NULL},
		{"owner-group = daemon", NULL},
		{"owner = 12345678", NULL},
		{"owner = nobody-of-this-name",
			"t:1: network `a` has `owner = nobody-of-this-name`"},
		{"owner-group = no-such-group",
			"`owner-group = no-such-group`: allowed: one that exists"},
		{"owner = 65534", "allowed: any but 65534"},
		{"owner-group = 65534", "allowed: any but 65534"},
	};
	char text[128];

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct config_errors errors = {0};

		snprintf(text, sizeof(text), "[network a]\nsubnet = 10.77.0.0/24\n%s\n",
			rows[i].key);
		struct config *config = config_with(text);
		cr_expect_eq(access_resolve(config, "t", &errors), rows[i].problem == NULL, "%s",
			rows[i].key);
		cr_expect_eq(errors.count, rows[i].problem != NULL);
		if (rows[i].problem != NULL && errors.count == 1)
			cr_expect_not_null(
				strstr(errors.text[0], rows[i].problem), "%s", errors.text[0]);
		config_errors_free(&errors);
		config_free(config);
	}
}

/* ---- namespaces ---- */

static bool put(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* A user namespace of one's own, with oneself in it. */
static bool userns_enter(uid_t uid)
{
	char map[32];

	snprintf(map, sizeof(map), "%u %u 1\n", uid, uid);
	return unshare(CLONE_NEWUSER) == 0 && put("/proc/self/uid_map", map) &&
	       put("/proc/self/setgroups", "deny") && put("/proc/self/gid_map", map);
}

/* In a process of its own: become a user, make namespaces, and hand back the descriptor of the
 * network's. */
static int netns_of(uid_t uid, unsigned depth)
{
	int ready[2], go[2];
	char path[64], byte;

	cr_assert(pipe(ready) == 0 && pipe(go) == 0);
	const pid_t child = fork();
	if (child == 0) {
		close(go[1]);
		bool good = setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0 &&
			    prctl(PR_SET_DUMPABLE, 1) == 0;
		for (unsigned i = 0; i < depth; i++)
			good = good && userns_enter(uid);
		good = good && unshare(CLONE_NEWNET) == 0;
		(void)!write(ready[1], good ? "y" : "n", 1);
		(void)!read(go[0], &byte, 1);
		_exit(0);
	}
	close(go[0]);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", child);
	const int fd = byte == 'y' ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	close(go[1]);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	return fd;
}

Test(access, a_namespace_belongs_to_who_made_its_user_namespace)
{
	if (geteuid() != 0)
		cr_skip_test("needs root, to be somebody else");
	const int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	const int theirs = netns_of(1001, 1), inner = netns_of(1001, 2);
	const int roots = netns_of(0, 1);

	if (theirs < 0 || inner < 0)
		cr_skip_test("users cannot make user namespaces here");
	cr_expect(access_owns_netns(theirs, 1001));
	cr_expect(access_owns_netns(inner, 1001));
	cr_expect_not(access_owns_netns(theirs, 1002));
	cr_expect_not(access_owns_netns(inner, 1002));
	cr_expect_not(access_owns_netns(own, 1001));
	cr_expect_not(access_owns_netns(roots, 1001));
	cr_expect_not(access_owns_netns(-1, 1001));
	const int no_namespace = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_expect_not(access_owns_netns(no_namespace, 1001));
	close(no_namespace);
	close(own);
	close(theirs);
	close(inner);
	close(roots);
}
