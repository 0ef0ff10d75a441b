/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_clsact: the guard as a filter at the interfaces' ingress.
 */
#ifndef TUNGATE_HOST_GUARD_CLSACT_H
#define TUNGATE_HOST_GUARD_CLSACT_H

#include "base/log.h"
#include "host/claims.h"

struct guard_clsact;

/* 0 or -errno; -EOPNOTSUPP, and nothing logged, where the kernel cannot do it. */
int guard_clsact_open(
	const struct log *log, const struct port_claims *claims, struct guard_clsact **clsact);
void guard_clsact_close(struct guard_clsact *clsact);
int guard_clsact_cover(struct guard_clsact *clsact, int ifindex);
void guard_clsact_uncover(struct guard_clsact *clsact, int ifindex);
int guard_clsact_claims_set(struct guard_clsact *clsact, const struct port_claims *claims);

#endif
