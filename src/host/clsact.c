/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clsact: a classic BPF filter of ours at the ingress of an interface.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include "host/clsact.h"
#include "host/request.h"

/* The low half of the handle; the high half is its owner. */
#define HANDLE_QDISC_THEIRS 0x7401 /* the qdisc was there before us */
#define HANDLE_QDISC_OURS   0x7402

#define PARENT_INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define PARENT_EGRESS  TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

/* ---- messages ---- */

static struct tcmsg filter_head(int ifindex, uint32_t handle)
{
	return (struct tcmsg){
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_parent = PARENT_INGRESS,
		.tcm_handle = handle,
		.tcm_info = TC_H_MAKE(CLSACT_PRIORITY << 16, htons(ETH_P_ALL)),
	};
}

int clsact_replace(struct nl_sock *socket, const struct clsact_filter *filter,
	struct sock_filter *code, unsigned length)
{
	const struct tcmsg head = filter_head(filter->ifindex, filter->handle);
	const size_t code_bytes = length * sizeof(*code);
	const uint16_t count = (uint16_t)length;
	struct request request;

	request_start_sized(&request, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE, &head, sizeof(head),
		REQUEST_BYTES + code_bytes);
	request_put_text(&request, TCA_KIND, "bpf");
	struct nlattr *options = request_nest(&request, TCA_OPTIONS);
	request_put(&request, TCA_BPF_OPS_LEN, &count, sizeof(count));
	request_put(&request, TCA_BPF_OPS, code, code_bytes);
	request_put_u32(&request, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	request_nest_end(&request, options);
	return request_run(socket, &request, NULL, NULL);
}

static int filter_delete(struct nl_sock *socket, const struct clsact_filter *filter)
{
	const struct tcmsg head = filter_head(filter->ifindex, filter->handle);
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

/* ---- attaching ---- */

static uint32_t handle_of(const struct clsact_filter *filter, uint32_t whose)
{
	return (uint32_t)filter->owner << 16 | whose;
}

/* Make or find the qdisc, and say which handle our filter on it has. */
static int qdisc_take(struct nl_sock *socket, struct clsact_filter *filter)
{
	const uint32_t ours = handle_of(filter, HANDLE_QDISC_OURS);
	const int error = qdisc_add(socket, filter->ifindex);

	filter->handle = error == 0 || filter_exists(socket, filter->ifindex, ours)
				 ? ours
				 : handle_of(filter, HANDLE_QDISC_THEIRS);
	return error == -EEXIST ? 0 : error;
}

static void qdisc_release(struct nl_sock *socket, const struct clsact_filter *filter)
{
	if (filter->handle != handle_of(filter, HANDLE_QDISC_OURS) ||
		has_filters(socket, filter->ifindex, PARENT_INGRESS) ||
		has_filters(socket, filter->ifindex, PARENT_EGRESS))
		return;
	qdisc_change(socket, filter->ifindex, RTM_DELQDISC, 0);
}

int clsact_attach(struct nl_sock *socket, struct clsact_filter *filter, struct sock_filter *code,
	unsigned length)
{
	int error = qdisc_take(socket, filter);

	if (error)
		return error;
	error = clsact_replace(socket, filter, code, length);
	if (error)
		qdisc_release(socket, filter);
	return error;
}

void clsact_detach(struct nl_sock *socket, const struct clsact_filter *filter)
{
	filter_delete(socket, filter);
	qdisc_release(socket, filter);
}
