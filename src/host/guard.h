/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard: keep the host's kernel from answering packets that are the gateway's (its RST, its
 * port-unreachable), without a firewall rule.
 *
 * clsact: a classic BPF program (cls_bpf, direct action, through libnl) on the interface's ingress,
 * behind the ETH_P_ALL taps and before the IP stack, that shoots TCP and UDP packets to our ports.
 * It has its own handle and priority beside filters of others, is replaced on restart, and removed
 * on a clean exit (the clsact qdisc with it, if we made it and nobody else uses it).  After a kill
 * it stays: the kernel stays silent until the next start.
 *
 * sockets, where clsact is missing: bound sockets with a drop-all filter on each external port,
 * listening for TCP. They are made in small portions (guard_fill) in idle time.
 *
 * In both cases raw sockets that hear nothing keep the kernel silent about protocols without ports
 * (guard_protocols.h).
 */
#ifndef TUNGATE_HOST_GUARD_H
#define TUNGATE_HOST_GUARD_H

#include <stdbool.h>
#include "base/log.h"
#include "host/claims.h"
#include "tungate/config.h"

struct guard;

/* `mode` GUARD_AUTO tries clsact first.  Covers no interface yet.  0 or -errno, logged. */
int guard_open(const struct log *log, enum guard_mode mode, const struct port_claims *claims,
	struct guard **guard);
/* Remove everything. */
void guard_close(struct guard *guard);
/* Cover / uncover an interface.  0 or -errno, logged. */
int guard_cover(struct guard *guard, int ifindex);
void guard_uncover(struct guard *guard, int ifindex);
/* New claims (a forward was added or deleted): filters are replaced atomically.  0 or -errno. */
int guard_claims_set(struct guard *guard, const struct port_claims *claims);
/* Sockets mode: make up to `count` more guard sockets; true while some are missing. */
bool guard_fill(struct guard *guard, unsigned count);
/*
 * For a listening socket of a published port, right after bind(): it hears the host itself alone,
 * what comes from outside is the gateway's.  Without it the kernel would answer outside clients
 * where the guard is made of sockets.  0 or -errno.
 */
int guard_local_only(int fd);
/* "clsact" or "sockets". */
const char *guard_kind(const struct guard *guard);

/* Which socket of the host has exactly this local address: "TCP port 22", or false where none. */
#define GUARD_USER_TEXT_SIZE 24
bool guard_address_user(uint8_t family, const union addr *address, char user[GUARD_USER_TEXT_SIZE]);

/*
 * Check the external ports: 0, or -errno after logging one sentence that names what it overlaps:
 * the kernel's ephemeral range (/proc/sys/net/ipv4/ip_local_port_range) or bound TCP/UDP sockets
 * (sock_diag), with what the user can do.
 */
int guard_check_ports(const struct log *log, const struct port_list *ports);

#endif
