/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request: ask the kernel one thing over netlink and have the answer before going on.
 *
 * rtnetlink and sock_diag answer inside sendmsg(2): by the time it returns, the answer is in our
 * queue.  The receive timeout is there so that a lost answer (ENOBUFS) is an error and no stall.
 * An exchange ends with the ACK where one was asked for, with NLMSG_DONE where the answer has
 * parts, else with the one message of the answer.  Left-overs of an exchange that broke off are
 * recognised by their sequence number and skipped.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "host/request.h"

#define ANSWER_TIMEOUT_S    2
#define ANSWER_BUFFER_BYTES (32 * 1024) /* what the kernel fills per message of a dump at most */

/* One request under way. */
struct exchange {
	request_answer *answer;
	void *context;
	uint32_t sequence;
	bool wants_ack;
	bool done;
	int error; /* -errno of the kernel */
};

int request_open(int protocol, struct nl_sock **socket)
{
	const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	struct nl_sock *opened = nl_socket_alloc();

	if (!opened)
		return -ENOMEM;
	/* The size is known, so libnl need not peek before each receive. */
	nl_socket_disable_msg_peek(opened);
	nl_socket_set_msg_buf_size(opened, ANSWER_BUFFER_BYTES);
	nl_socket_disable_auto_ack(opened);
	errno = 0;
	if (nl_connect(opened, protocol) < 0 ||
		setsockopt(nl_socket_get_fd(opened), SOL_SOCKET, SO_RCVTIMEO, &timeout,
			sizeof(timeout)) < 0) {
		const int error = errno ? -errno : -ENOTSUP;

		nl_socket_free(opened);
		return error;
	}
	*socket = opened;
	return 0;
}

void request_close(struct nl_sock *socket)
{
	nl_socket_free(socket);
}

void request_start(
	struct request *request, uint16_t type, uint16_t flags, const void *head, size_t head_bytes)
{
	request_start_sized(request, type, flags, head, head_bytes, REQUEST_BYTES);
}

void request_start_sized(struct request *request, uint16_t type, uint16_t flags, const void *head,
	size_t head_bytes, size_t attribute_bytes)
{
	request->overflow = false;
	request->message = nlmsg_alloc_size(NLMSG_SPACE(head_bytes) + attribute_bytes);
	if (!request->message)
		return;
	nlmsg_put(request->message, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags);
	nlmsg_append(request->message, (void *)head, head_bytes, NLMSG_ALIGNTO);
}

void request_put(struct request *request, uint16_t type, const void *data, size_t bytes)
{
	if (request->message && nla_put(request->message, type, (int)bytes, data) < 0)
		request->overflow = true;
}

void request_put_u8(struct request *request, uint16_t type, uint8_t value)
{
	request_put(request, type, &value, sizeof(value));
}

void request_put_u32(struct request *request, uint16_t type, uint32_t value)
{
	request_put(request, type, &value, sizeof(value));
}

void request_put_text(struct request *request, uint16_t type, const char *text)
{
	request_put(request, type, text, strlen(text) + 1);
}

void request_put_addr(
	struct request *request, uint16_t type, uint8_t family, const union addr *address)
{
	request_put(request, type, address, addr_bits(family) / 8);
}

struct nlattr *request_nest(struct request *request, uint16_t type)
{
	struct nlattr *nest = request->message ? nla_nest_start(request->message, type) : NULL;

	if (!nest)
		request->overflow = true;
	return nest;
}

void request_nest_end(struct request *request, struct nlattr *nest)
{
	if (nest)
		nla_nest_end(request->message, nest);
}

static int on_sequence(struct nl_msg *message, void *context)
{
	const struct exchange *exchange = context;

	return nlmsg_hdr(message)->nlmsg_seq == exchange->sequence ? NL_OK : NL_SKIP;
}

static int on_message(struct nl_msg *message, void *context)
{
	struct exchange *exchange = context;
	struct nlmsghdr *header = nlmsg_hdr(message);

	if (exchange->answer)
		exchange->answer(exchange->context, header);
	if (!exchange->wants_ack && !(header->nlmsg_flags & NLM_F_MULTI))
		exchange->done = true;
	return NL_OK;
}

static int on_end(struct nl_msg *message, void *context)
{
	struct exchange *exchange = context;

	(void)message;
	exchange->done = true;
	return NL_OK;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *context)
{
	struct exchange *exchange = context;

	(void)from;
	exchange->error = error->error;
	exchange->done = true;
	return NL_SKIP;
}

/* Something changed while the kernel listed it: what was listed is used all the same, since the
 * change itself arrives as a notification. */
static int on_interrupted(struct nl_msg *message, void *context)
{
	(void)message;
	(void)context;
	return NL_OK;
}

static int exchange_run(struct nl_sock *socket, struct nl_msg *message, struct exchange *exchange)
{
	struct nl_cb *callbacks = nl_cb_alloc(NL_CB_DEFAULT);
	int status = 0;

	if (!callbacks)
		return -ENOMEM;
	nl_cb_set(callbacks, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, exchange);
	nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_message, exchange);
	nl_cb_set(callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_end, exchange);
	nl_cb_set(callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_end, exchange);
	nl_cb_set(callbacks, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, exchange);
	nl_cb_err(callbacks, NL_CB_CUSTOM, on_error, exchange);
	exchange->wants_ack = nlmsg_hdr(message)->nlmsg_flags & NLM_F_ACK;
	nl_complete_msg(socket, message);
	exchange->sequence = nlmsg_hdr(message)->nlmsg_seq;
	errno = 0;
	if (nl_send(socket, message) < 0)
		status = -1;
	while (status >= 0 && !exchange->done)
		status = nl_recvmsgs(socket, callbacks);
	nl_cb_put(callbacks);
	if (exchange->done)
		return exchange->error;
	return errno ? -errno : -EIO;
}

int request_run(
	struct nl_sock *socket, struct request *request, request_answer *answer, void *context)
{
	struct exchange exchange = {.answer = answer, .context = context};
	int error = -ENOMEM;

	if (request->message && !request->overflow)
		error = exchange_run(socket, request->message, &exchange);
	nlmsg_free(request->message);
	request->message = NULL;
	return error;
}
