/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request: ask the kernel one thing over netlink (libnl-3) and have the answer before going on.
 *
 * libnl folds the kernel's errno into fewer codes of its own ("unreachable" and "prohibited"
 * become the same failure), so answers are read here, and -errno is what the kernel said.
 *
 *	request_start(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_ACK, &head, sizeof(head));
 *	request_put(&request, IFA_LOCAL, &address, 4);
 *	error = request_run(socket, &request, NULL, NULL);
 *
 * A failure while building is remembered and returned by request_run().
 */
#ifndef TUNGATE_HOST_REQUEST_H
#define TUNGATE_HOST_REQUEST_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/addr.h"

struct nl_msg;
struct nl_sock;

struct request {
	struct nl_msg *message; /* NULL: out of memory */
	bool overflow;          /* an attribute did not fit */
};

/* Bytes of attributes that fit unless request_start_sized() asked for more. */
#define REQUEST_BYTES 1024

/* A socket for requests in the calling thread's network namespace; `protocol` NETLINK_ROUTE or
 * NETLINK_SOCK_DIAG.  0 or -errno.  It works on that namespace wherever the thread goes. */
int request_open(int protocol, struct nl_sock **socket);
void request_close(struct nl_sock *socket);

/* Begin with the message's fixed header.  NLM_F_REQUEST is implied; what changes something must
 * carry NLM_F_ACK, which tells request_run() what kind of answer ends the exchange. */
void request_start(struct request *request, uint16_t type, uint16_t flags, const void *head,
	size_t head_bytes);
void request_start_sized(struct request *request, uint16_t type, uint16_t flags, const void *head,
	size_t head_bytes, size_t attribute_bytes);
void request_put(struct request *request, uint16_t type, const void *data, size_t bytes);
void request_put_u8(struct request *request, uint16_t type, uint8_t value);
void request_put_u32(struct request *request, uint16_t type, uint32_t value);
void request_put_text(struct request *request, uint16_t type, const char *text);
/* An address: 4 or 16 bytes. */
void request_put_addr(
	struct request *request, uint16_t type, uint8_t family, const union addr *address);
/* Open and close a nested attribute. */
struct nlattr *request_nest(struct request *request, uint16_t type);
void request_nest_end(struct request *request, struct nlattr *nest);

/*
 * Send, and hand each message of the answer to `answer` (may be NULL).  Frees the request.
 * Returns 0 or the kernel's -errno.
 */
typedef void request_answer(void *context, struct nlmsghdr *message);
int request_run(
	struct nl_sock *socket, struct request *request, request_answer *answer, void *context);

#endif
