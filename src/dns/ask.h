/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask: one question to one server, once, over UDP or TCP.
 *
 * Each has a socket of its own, connected to the server: so its port is a new one that the kernel
 * chooses at random, datagrams of others do not reach it, and a server that is not there is noticed
 * at once.  Of what comes, only an answer with our random identifier and our question counts (RFC
 * 5452).
 */
#ifndef TUNGATE_DNS_ASK_H
#define TUNGATE_DNS_ASK_H

#include <uv.h>
#include "dns/message.h"

struct dns_ask;

/* The answer in `message`, whose bytes may be written to until the function returns; or NULL with
 * -errno.  The ask is over, whichever it is. */
typedef void dns_ask_done(void *context, int error, struct dns_message *message, uint8_t *bytes);

struct dns_ask_settings {
	uv_loop_t *loop;
	const struct sockaddr_storage *server;
	bool tcp;
	unsigned timeout_ms;
	const uint8_t *query; /* its identifier is replaced */
	size_t query_length;
	uint8_t *scratch; /* DNS_MESSAGE_MAX bytes, for use while a callback runs */
	dns_ask_done *done;
	void *context;
};

/* 0, or -errno and `done` is never called; nor is it before this returns. */
int dns_ask_start(const struct dns_ask_settings *settings, struct dns_ask **result);
/* Forget it: `done` is not called. */
void dns_ask_cancel(struct dns_ask *ask);

#endif
