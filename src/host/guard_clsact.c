/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_clsact: a classic BPF filter (cls_bpf, direct action) on the interfaces' clsact ingress
 * hook.
 *
 * Order on receipt: ETH_P_ALL taps (our packet socket), then tc's ingress, then the IP stack.  The
 * filter shoots what is ours and answers TC_ACT_UNSPEC for the rest, so filters of others go on as
 * if it were not there.  Its priority number is low on purpose: a filter of others in front of it
 * that ends the walk (a redirect to an ifb for shaping, typically at 10) would let our packets
 * through to the kernel, which resets them.
 *
 * Replacing.  RTM_NEWTFILTER with the handle of an existing filter swaps its program atomically;
 * so do new claims, and so does a new instance with what a killed one left behind.
 *
 * Whose qdisc.  The clsact qdisc holds filters of everybody; it goes with our filter if it
 * was made by us and is empty.  A killed instance's filter must tell the next one whether that was
 * so: it is in the handle.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "host/guard_clsact.h"
#include "host/netns.h"
#include "host/request.h"

#define FILTER_PRIORITY 7
/* The low half of the handle; the high half is the first of the external ports, which no other
 * instance on the host has (port_lock.c). */
#define HANDLE_QDISC_THEIRS 0x7401 /* the qdisc was there before us */
#define HANDLE_QDISC_OURS   0x7402

#define PARENT_INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define PARENT_EGRESS  TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

#define LOOPBACK_IFINDEX 1

/* A program for interfaces with one length of link-layer header. */
struct filter_program {
	struct sock_filter *code;
	unsigned length;
};

/* An interface with our filter on it. */
struct covered {
	int ifindex;
	uint8_t l2_bytes;
	uint16_t first_port; /* the lowest external one */
	uint32_t handle;
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

/* ---- messages ---- */

static struct tcmsg filter_head(int ifindex, uint32_t handle)
{
	return (struct tcmsg){
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_parent = PARENT_INGRESS,
		.tcm_handle = handle,
		.tcm_info = TC_H_MAKE(FILTER_PRIORITY << 16, htons(ETH_P_ALL)),
	};
}

static int filter_set(
	struct nl_sock *socket, const struct covered *at, const struct filter_program *program)
{
	const struct tcmsg head = filter_head(at->ifindex, at->handle);
	const size_t code_bytes = program->length * sizeof(*program->code);
	const uint16_t length = (uint16_t)program->length;
	struct request request;

	request_start_sized(&request, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE, &head, sizeof(head),
		REQUEST_BYTES + code_bytes);
	request_put_text(&request, TCA_KIND, "bpf");
	struct nlattr *options = request_nest(&request, TCA_OPTIONS);
	request_put(&request, TCA_BPF_OPS_LEN, &length, sizeof(length));
	request_put(&request, TCA_BPF_OPS, program->code, code_bytes);
	request_put_u32(&request, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	request_nest_end(&request, options);
	return request_run(socket, &request, NULL, NULL);
}

static int filter_delete(struct nl_sock *socket, const struct covered *at)
{
	const struct tcmsg head = filter_head(at->ifindex, at->handle);
	struct request request;

	request_start(&request, RTM_DELTFILTER, NLM_F_ACK, &head, sizeof(head));
	request_put_text(&request, TCA_KIND, "bpf");
	return request_run(socket, &request, NULL, NULL);
}

static bool filter_exists(struct nl_sock *socket, int ifindex, uint32_t handle)
{
	const struct tcmsg head = filter_head(ifindex, handle);
	struct request request;

	request_start(&request, RTM_GETTFILTER, 0, &head, sizeof(head));
	request_put_text(&request, TCA_KIND, "bpf");
	return request_run(socket, &request, NULL, NULL) == 0;
}

static void count_filter(void *context, struct nlmsghdr *message)
{
	unsigned *count = context;

	if (message->nlmsg_type == RTM_NEWTFILTER)
		++*count;
}

static bool has_filters(struct nl_sock *socket, int ifindex, uint32_t parent)
{
	const struct tcmsg head = {.tcm_ifindex = ifindex, .tcm_parent = parent};
	struct request request;
	unsigned count = 0;

	request_start(&request, RTM_GETTFILTER, NLM_F_DUMP, &head, sizeof(head));
	return request_run(socket, &request, count_filter, &count) != 0 || count > 0;
}

static int qdisc_change(struct nl_sock *socket, int ifindex, uint16_t type, uint16_t flags)
{
	const struct tcmsg head = {
		.tcm_ifindex = ifindex,
		.tcm_parent = TC_H_CLSACT,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
	};
	struct request request;

	request_start(&request, type, NLM_F_ACK | flags, &head, sizeof(head));
	request_put_text(&request, TCA_KIND, "clsact");
	return request_run(socket, &request, NULL, NULL);
}

static int qdisc_add(struct nl_sock *socket, int ifindex)
{
	return qdisc_change(socket, ifindex, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
}

/* ---- covering ---- */

static uint32_t handle_of(const struct covered *at, uint32_t whose)
{
	return (uint32_t)at->first_port << 16 | whose;
}

/* Make or find the qdisc, and say which handle our filter on it has. */
static int qdisc_take(struct nl_sock *socket, struct covered *at)
{
	const uint32_t ours = handle_of(at, HANDLE_QDISC_OURS);
	const int error = qdisc_add(socket, at->ifindex);

	at->handle = error == 0 || filter_exists(socket, at->ifindex, ours)
			     ? ours
			     : handle_of(at, HANDLE_QDISC_THEIRS);
	return error == -EEXIST ? 0 : error;
}

static void qdisc_release(struct nl_sock *socket, const struct covered *at)
{
	if (at->handle != handle_of(at, HANDLE_QDISC_OURS) ||
		has_filters(socket, at->ifindex, PARENT_INGRESS) ||
		has_filters(socket, at->ifindex, PARENT_EGRESS))
		return;
	qdisc_change(socket, at->ifindex, RTM_DELQDISC, 0);
}

static int cover(struct nl_sock *socket, const struct filter_program *program, struct covered *at)
{
	int error = qdisc_take(socket, at);

	if (error)
		return error;
	error = filter_set(socket, at, program);
	if (error)
		qdisc_release(socket, at);
	return error;
}

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
		if (clsact->covered[i].ifindex == ifindex)
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
	struct covered at = {.ifindex = ifindex, .first_port = clsact->first_port};
	const int l2_bytes = interface_l2_bytes(clsact->socket, ifindex);
	int error;

	if (l2_bytes < 0)
		return l2_bytes;
	at.l2_bytes = (uint8_t)l2_bytes;
	error = cover(clsact->socket, program_for(clsact, &at), &at);
	if (error)
		return error;
	error = covered_add(clsact, &at);
	if (error) {
		filter_delete(clsact->socket, &at);
		qdisc_release(clsact->socket, &at);
	}
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
			ifindex, FILTER_PRIORITY, strerror(-error));
	return error;
}

void guard_clsact_uncover(struct guard_clsact *clsact, int ifindex)
{
	struct covered *at = covered_find(clsact, ifindex);

	if (!at)
		return;
	filter_delete(clsact->socket, at);
	qdisc_release(clsact->socket, at);
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
		const int error = filter_set(clsact->socket, at, program_for(clsact, at));

		if (error && error != -ENODEV && !result)
			result = error;
	}
	return result;
}

/* ---- life ---- */

static int try_on_loopback(const struct filter_program *program)
{
	struct covered at = {.ifindex = LOOPBACK_IFINDEX};
	struct nl_sock *socket;
	int error = request_open(NETLINK_ROUTE, &socket);

	if (error)
		return error;
	error = cover(socket, program, &at);
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
		guard_clsact_uncover(clsact, clsact->covered[0].ifindex);
	request_close(clsact->socket);
	free(clsact->covered);
	free(clsact->plain.code);
	free(clsact->ethernet.code);
	free(clsact);
}
