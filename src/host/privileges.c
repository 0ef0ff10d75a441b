/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges: what a gateway needs, checked at start, and nothing more, kept while it runs.
 *
 *	NET_ADMIN         TUN devices, addresses and routes, tc, neighbours, SO_RCVBUFFORCE
 *	NET_RAW           the packet socket
 *	NET_BIND_SERVICE  published ports below 1024
 *	SYS_ADMIN         setns(2) into guests
 *	CHOWN             sockets for the VMs of a network's owner
 *	SYS_PTRACE        /proc/PID/ns/net of guests that run as other users
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "host/privileges.h"

static const unsigned kept[] = {
	CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_CHOWN};
#define KEPT_COUNT (sizeof(kept) / sizeof(*kept))

static int check_tun(const struct log *log)
{
	const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	const int error = errno;
	if (error == EACCES || error == EPERM)
		log_error(log, "/dev/net/tun may not be opened: run as root, or give your user "
			       "access to it");
	else
		log_error(log,
			"/dev/net/tun cannot be opened (%s): load the driver with `modprobe "
			"tun`, or start the container with `--device /dev/net/tun`",
			strerror(error));
	return -error;
}

static int check_capability(const struct log *log, unsigned capability)
{
	if (capng_have_capability(CAPNG_EFFECTIVE, capability))
		return 0;
	log_error(log,
		"the capability %s is missing: run as root, or without root inside "
		"`unshare -Urnm`",
		capng_capability_to_name(capability));
	return -EPERM;
}

int privileges_check(const struct log *log)
{
	static const unsigned needed[] = {CAP_NET_ADMIN, CAP_NET_RAW};
	int result = check_tun(log);

	if (capng_get_caps_process() < 0) {
		log_error(log, "cannot read the capabilities of the process; is /proc mounted?");
		return -EIO;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		const int error = check_capability(log, needed[i]);

		if (error)
			result = error;
	}
	return result;
}

/* Of those to keep, the ones that are there. */
static void capabilities_choose(void)
{
	bool held[KEPT_COUNT];

	for (size_t i = 0; i < KEPT_COUNT; i++)
		held[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]);
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < KEPT_COUNT; i++)
		if (held[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i]);
}

int privileges_drop(const struct log *log)
{
	if (capng_get_caps_process() < 0) {
		log_error(log, "cannot read the capabilities of the process; is /proc mounted?");
		return -EIO;
	}
	capabilities_choose();
	if (capng_apply(CAPNG_SELECT_CAPS) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		log_error(log, "cannot give up capabilities: %s", strerror(errno));
		return -EPERM;
	}
	return 0;
}
