/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard: keep the host's kernel from answering packets that are the gateway's: one of two ways.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "host/guard.h"
#include "host/guard_clsact.h"
#include "host/guard_protocols.h"
#include "host/guard_sockets.h"

struct guard {
	/* Exactly one of the two is there. */
	struct guard_clsact *clsact;
	struct guard_sockets *sockets;
	struct guard_protocols protocols;
};

static int clsact_open(const struct log *log, enum guard_mode mode,
	const struct port_claims *claims, struct guard *guard)
{
	const int error = guard_clsact_open(log, claims, &guard->clsact);

	if (error == -EOPNOTSUPP && mode == GUARD_AUTO)
		log_info(log, "the kernel has no clsact or cls_bpf: guarding ports with sockets");
	else if (error == -EOPNOTSUPP)
		log_error(log, "`guard = clsact` needs the kernel modules sch_ingress and cls_bpf: "
			       "`modprobe` them, or use `guard = sockets`");
	else if (error)
		log_error(log, "cannot set up the guard: %s", strerror(-error));
	return error;
}

static int any_open(const struct log *log, enum guard_mode mode, const struct port_claims *claims,
	struct guard *guard)
{
	int error;

	if (mode != GUARD_SOCKETS) {
		error = clsact_open(log, mode, claims, guard);
		if (error != -EOPNOTSUPP || mode == GUARD_CLSACT)
			return error;
	}
	error = guard_sockets_open(log, &claims->external, &guard->sockets);
	if (error)
		log_error(log, "cannot set up the guard's sockets: %s", strerror(-error));
	return error;
}

int guard_open(const struct log *log, enum guard_mode mode, const struct port_claims *claims,
	struct guard **guard)
{
	struct guard *opened = calloc(1, sizeof(*opened));

	if (!opened) {
		log_error(log, "out of memory for the guard");
		return -ENOMEM;
	}
	const int error = any_open(log, mode, claims, opened);
	if (error) {
		free(opened);
		return error;
	}
	guard_protocols_open(&opened->protocols);
	*guard = opened;
	return 0;
}

void guard_close(struct guard *guard)
{
	guard_protocols_close(&guard->protocols);
	if (guard->clsact)
		guard_clsact_close(guard->clsact);
	if (guard->sockets)
		guard_sockets_close(guard->sockets);
	free(guard);
}

int guard_cover(struct guard *guard, int ifindex)
{
	return guard->clsact ? guard_clsact_cover(guard->clsact, ifindex) : 0;
}

void guard_uncover(struct guard *guard, int ifindex)
{
	if (guard->clsact)
		guard_clsact_uncover(guard->clsact, ifindex);
}

int guard_claims_set(struct guard *guard, const struct port_claims *claims)
{
	if (guard->clsact)
		return guard_clsact_claims_set(guard->clsact, claims);
	return guard_sockets_ports_set(guard->sockets, &claims->external);
}

bool guard_fill(struct guard *guard, unsigned count)
{
	return guard->sockets && guard_sockets_fill(guard->sockets, count);
}

int guard_local_only(int fd)
{
	return guard_sockets_local_only(fd);
}

const char *guard_kind(const struct guard *guard)
{
	return guard->clsact ? "clsact" : "sockets";
}
