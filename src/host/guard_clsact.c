/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_clsact: the guard as a filter at the interfaces' ingress (clsact.h): it shoots what is
 * ours.  New claims swap its program atomically.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "host/clsact.h"
#include "host/guard_clsact.h"
#include "host/netns.h"
#include "host/request.h"

#define LOOPBACK_IFINDEX 1

/* A program for interfaces with one length of link-layer header. */
struct filter_program {
	struct sock_filter *code;
	unsigned length;
};

/* An interface with our filter on it. */
struct covered {
	struct clsact_filter filter; /* its owner: the first of the external ports, which no other
					instance on the host has (port_lock.c) */
	uint8_t l2_bytes;
};

struct guard_clsact {
	const struct log *log;
	struct nl_sock *socket;
	struct filter_program ethernet, plain;
	uint16_t first_port; /* the lowest external one */
	struct covered *covered;
	unsigned covered_count;
};

/* ---- programs ---- */

static int program_make(
	struct filter_program *program, const struct port_claims *claims, unsigned l2_bytes)
{
	struct sock_filter *code = calloc(BPF_MAXINSNS, sizeof(*code));
	const int length = code ? claims_program(claims, CLAIMS_GUARD, l2_bytes, code) : -ENOMEM;

	if (length < 0) {
		free(code);
		return length;
	}
	*program = (struct filter_program){code, (unsigned)length};
	return 0;
}

static int programs_make(struct filter_program *ethernet, struct filter_program *plain,
	const struct port_claims *claims)
{
	int error = program_make(ethernet, claims, ETH_HLEN);

	if (error)
		return error;
	error = program_make(plain, claims, 0);
	if (error)
		free(ethernet->code);
	return error;
}

/* ---- covering ---- */

static const struct filter_program *program_for(
	const struct guard_clsact *clsact, const struct covered *at)
{
	return at->l2_bytes ? &clsact->ethernet : &clsact->plain;
}

static void store_type(void *context, struct nlmsghdr *message)
{
	const struct ifinfomsg *info = nlmsg_data(message);
	int *type = context;

	*type = info->ifi_type;
}

/* The interface's link-layer header in bytes, or -errno. */
static int interface_l2_bytes(struct nl_sock *socket, int ifindex)
{
	const struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct request request;
	int type = 0;

	request_start(&request, RTM_GETLINK, 0, &info, sizeof(info));
	const int error = request_run(socket, &request, store_type, &type);
	return error ? error : claims_l2_bytes((unsigned)type);
}

static struct covered *covered_find(struct guard_clsact *clsact, int ifindex)
{
	for (unsigned i = 0; i < clsact->covered_count; i++)
		if (clsact->covered[i].filter.ifindex == ifindex)
			return &clsact->covered[i];
	return NULL;
}

static int covered_add(struct guard_clsact *clsact, const struct covered *at)
{
	struct covered *more =
		realloc(clsact->covered, (clsact->covered_count + 1) * sizeof(*clsact->covered));

	if (!more)
		return -ENOMEM;
	clsact->covered = more;
	clsact->covered[clsact->covered_count++] = *at;
	return 0;
}

static int cover_and_remember(struct guard_clsact *clsact, int ifindex)
{
	struct covered at = {.filter = {.ifindex = ifindex, .owner = clsact->first_port}};
	const int l2_bytes = interface_l2_bytes(clsact->socket, ifindex);
	int error;

	if (l2_bytes < 0)
		return l2_bytes;
	at.l2_bytes = (uint8_t)l2_bytes;
	const struct filter_program *program = program_for(clsact, &at);
	error = clsact_attach(clsact->socket, &at.filter, program->code, program->length);
	if (error)
		return error;
	error = covered_add(clsact, &at);
	if (error)
		clsact_detach(clsact->socket, &at.filter);
	return error;
}

int guard_clsact_cover(struct guard_clsact *clsact, int ifindex)
{
	if (covered_find(clsact, ifindex))
		return 0;
	const int error = cover_and_remember(clsact, ifindex);
	if (error)
		log_error(clsact->log,
			"cannot put the guard's filter on interface %d (tc clsact, priority %d): "
			"%s; "
			"`guard = sockets` does without",
			ifindex, CLSACT_PRIORITY, strerror(-error));
	return error;
}

void guard_clsact_uncover(struct guard_clsact *clsact, int ifindex)
{
	struct covered *at = covered_find(clsact, ifindex);

	if (!at)
		return;
	clsact_detach(clsact->socket, &at->filter);
	*at = clsact->covered[--clsact->covered_count];
}

int guard_clsact_claims_set(struct guard_clsact *clsact, const struct port_claims *claims)
{
	struct filter_program ethernet, plain;
	int result = programs_make(&ethernet, &plain, claims);

	if (result)
		return result;
	free(clsact->ethernet.code);
	free(clsact->plain.code);
	clsact->ethernet = ethernet;
	clsact->plain = plain;
	for (unsigned i = 0; i < clsact->covered_count; i++) {
		const struct covered *at = &clsact->covered[i];
		const struct filter_program *program = program_for(clsact, at);
		const int error =
			clsact_replace(clsact->socket, &at->filter, program->code, program->length);

		if (error && error != -ENODEV && !result)
			result = error;
	}
	return result;
}

/* ---- life ---- */

static int try_on_loopback(const struct filter_program *program)
{
	struct clsact_filter filter = {.ifindex = LOOPBACK_IFINDEX};
	struct nl_sock *socket;
	int error = request_open(NETLINK_ROUTE, &socket);

	if (error)
		return error;
	error = clsact_attach(socket, &filter, program->code, program->length);
	request_close(socket);
	return error;
}

/* Try it out in a namespace that goes away with everything in it. */
static int probe(const struct log *log, const struct filter_program *program)
{
	const int netns = netns_create(log);
	int result;

	if (netns < 0)
		return netns;
	const int previous = netns_enter(netns);
	if (previous < 0) {
		result = previous;
	} else {
		result = try_on_loopback(program);
		netns_leave(previous);
	}
	close(netns);
	return result == -ENOENT || result == -EINVAL ? -EOPNOTSUPP : result;
}

int guard_clsact_open(
	const struct log *log, const struct port_claims *claims, struct guard_clsact **clsact)
{
	struct guard_clsact *opened = calloc(1, sizeof(*opened));
	int error = -ENOMEM;

	if (!opened)
		return error;
	opened->log = log;
	opened->first_port = claims->external.range[0].first;
	error = programs_make(&opened->ethernet, &opened->plain, claims);
	if (error)
		goto free_opened;
	error = probe(log, &opened->ethernet);
	if (error)
		goto free_programs;
	error = request_open(NETLINK_ROUTE, &opened->socket);
	if (error)
		goto free_programs;
	*clsact = opened;
	return 0;

free_programs:
	free(opened->plain.code);
	free(opened->ethernet.code);
free_opened:
	free(opened);
	return error;
}

void guard_clsact_close(struct guard_clsact *clsact)
{
	while (clsact->covered_count > 0)
		guard_clsact_uncover(clsact, clsact->covered[0].filter.ifindex);
	request_close(clsact->socket);
	free(clsact->covered);
	free(clsact->plain.code);
	free(clsact->ethernet.code);
	free(clsact);
}
