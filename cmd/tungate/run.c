/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run: a command in a network namespace of its own, whose only way out is the gateway.
 *
 *	connect       to the daemon, so that nothing is begun without one
 *	unshare       user, network and mounts (namespaces.h)
 *	attach        the new namespace, "hold": the link ends with our connection, however we end
 *	resolv.conf   of our own, bound over the one of /etc in our mounts only
 *	fork          the first process of a PID namespace, which waits for the command and for
 *	              whatever that leaves behind
 *	fork, exec    the command; we pass signals on and wait
 *	hang up       and wait until the daemon has let go of the link
 *
 * The first process is killed when we are (PR_SET_PDEATHSIG), and with it all that the command has
 * begun; so is all of it when the command ends.  Where there can be no PID namespace, it is the
 * command alone that is killed.  The command inherits of us stdin, stdout, stderr, the terminal and
 * the process group: what the terminal sends (^C, ^Z) reaches it without us.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ask.h"
#include "call.h"
#include "namespaces.h"

#define RESOLV_CONF    "/etc/resolv.conf"
#define HANG_UP_WAIT_S 5

/* ---- the resolver ---- */

/* Copy the lines that are not about servers: search domains and options. */
static void resolv_conf_copy(FILE *file)
{
	FILE *old = fopen(RESOLV_CONF, "re");
	char *line = NULL;
	size_t size = 0;

	if (!old)
		return;
	while (getline(&line, &size, old) > 0)
		if (strncmp(line, "search", 6) == 0 || strncmp(line, "domain", 6) == 0 ||
			strncmp(line, "options", 7) == 0)
			fputs(line, file);
	free(line);
	fclose(old);
}

/* Write the resolv.conf for these servers to a descriptor (which is closed). */
static bool resolv_conf_write(int fd, const json_t *servers)
{
	FILE *file = fdopen(fd, "w");
	size_t i;
	json_t *server;

	if (!file) {
		close(fd);
		return false;
	}
	resolv_conf_copy(file);
	json_array_foreach(servers, i, server)
		fprintf(file, "nameserver %s\n", json_string_value(server));
	const bool written = fchmod(fd, 0644) == 0 && !ferror(file);
	return (fclose(file) == 0) & written;
}

/* Have our mounts show a resolv.conf with these servers.  Without it only names do not resolve: a
 * warning. */
static void resolv_conf_bind(const json_t *servers)
{
	char path[] = "/tmp/tungate-resolv.XXXXXX";

	if (json_array_size(servers) == 0)
		return;
	const int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0 || !resolv_conf_write(fd, servers) ||
		mount(path, RESOLV_CONF, NULL, MS_BIND, NULL) < 0)
		complain("warning: names may not resolve inside: cannot replace " RESOLV_CONF
			 ": %s",
			strerror(errno));
	if (fd >= 0)
		unlink(path); /* the mount keeps the file */
}

/* ---- the command ---- */

/* Who is to be told of signals, and what we shall hear of. */
struct family {
	sigset_t signals, mask; /* `mask`: as it was */
	int parent_fd;          /* hangs up when our parent has ended */
};

/* Die with the parent, which may have died already. */
static void parent_follow(const struct family *family)
{
	struct pollfd parent = {.fd = family->parent_fd};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&parent, 1, 0) > 0)
		_exit(STATUS_FAILED);
}

static void exec_command(char **command, const struct family *family)
{
	sigprocmask(SIG_SETMASK, &family->mask, NULL);
	execvp(command[0], command);
	const int err = errno;
	complain("cannot run %s: %s", command[0], strerror(err));
	_exit(err == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

/* Pass signals on until the child ends; its exit status as a shell would tell it.  Orphans that the
 * kernel has given us are let go. */
static int child_wait(pid_t child, const struct family *family)
{
	siginfo_t info;
	pid_t ended;
	int status;

	for (;;) {
		if (sigwaitinfo(&family->signals, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD) {
			/* What the kernel sent came from the terminal, to the command as well. */
			if (info.si_code != SI_KERNEL)
				kill(child, info.si_signo);
			continue;
		}
		while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
			if (ended == child)
				return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status)
							   : WEXITSTATUS(status);
	}
}

/* The first process of a PID namespace: when it ends, all others in there are killed. */
static void first_process(char **command, const struct family *family)
{
	parent_follow(family);
	if (!namespaces_proc())
		complain("warning: /proc shows other processes: %s", strerror(errno));
	const pid_t child = fork();
	if (child < 0) {
		complain("cannot start a process: %s", strerror(errno));
		_exit(STATUS_FAILED);
	}
	if (child == 0)
		exec_command(command, family);
	_exit(child_wait(child, family));
}

static int command_run(char **command)
{
	static const int passed_on[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD};
	struct family family;
	int ends[2];

	const bool pids = namespaces_pids();
	if (pipe2(ends, O_CLOEXEC) < 0) {
		complain("cannot make a pipe: %s", strerror(errno));
		return STATUS_FAILED;
	}
	family.parent_fd = ends[0];
	sigemptyset(&family.signals);
	for (unsigned i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(&family.signals, passed_on[i]);
	sigprocmask(SIG_BLOCK, &family.signals, &family.mask);
	const pid_t child = fork();
	if (child < 0) {
		complain("cannot start a process: %s", strerror(errno));
		return STATUS_FAILED;
	}
	if (child > 0)
		return child_wait(child, &family);
	close(ends[1]);
	if (pids)
		first_process(command, &family);
	parent_follow(&family);
	exec_command(command, &family);
	return STATUS_FAILED;
}

/* ---- the link ---- */

static int attach(struct call *call, const struct arguments *arguments, json_t **attached)
{
	struct control_answer answer;

	const int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (netns < 0) {
		complain("cannot open /proc/self/ns/net: %s", strerror(errno));
		return STATUS_FAILED;
	}
	int status = call_send(call, "attach", run_params(arguments), netns);
	close(netns);
	if (status == STATUS_OK)
		status = call_receive(call, &answer);
	if (status == STATUS_OK) {
		*attached = json_incref(answer.event);
		control_answer_release(&answer);
	}
	return status;
}

/* Tell the daemon that we are done; it closes once the link is gone. */
static void hang_up(struct call *call)
{
	const struct timeval patience = {.tv_sec = HANG_UP_WAIT_S};
	char byte;

	setsockopt(call->client.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	shutdown(call->client.fd, SHUT_WR);
	while (recv(call->client.fd, &byte, sizeof(byte), 0) > 0)
		;
}

int run(const struct arguments *arguments)
{
	char *shell[] = {getenv("SHELL"), NULL};
	char **command = arguments->operand_count ? arguments->operands : shell;
	struct call call;
	json_t *attached;
	int status;

	if (!command[0])
		command[0] = (char *)"/bin/sh";
	status = call_open(&call, arguments);
	if (status != STATUS_OK)
		return status;
	status = namespaces_enter(option_value(arguments, "--map-root") != NULL);
	if (status == STATUS_OK)
		status = attach(&call, arguments, &attached);
	if (status == STATUS_OK) {
		resolv_conf_bind(json_object_get(attached, "dns"));
		json_decref(attached);
		status = command_run(command);
		hang_up(&call);
	}
	call_close(&call);
	/* No exit(): a sanitizer would look for leaks by a child, and ours are born in the
	 * command's PID namespace, where it does not find us. */
	fflush(NULL);
	_exit(status);
}
