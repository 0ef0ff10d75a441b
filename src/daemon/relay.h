/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay: carry TCP connections and UDP exchanges between two network namespaces through ordinary
 * sockets of ours: accept here, connect there.
 *
 * It serves what never crosses the uplink: the host's own connections to a published port
 * (listen in the host's namespace, connect to the guest from the service namespace), and guests'
 * connections that are redirected to the host (the other way round).
 */
#ifndef TUNGATE_DAEMON_RELAY_H
#define TUNGATE_DAEMON_RELAY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <uv.h>
#include "base/addr.h"
#include "base/log.h"

struct relay;

/* A client and the address of ours that it came to; ports in host byte order. */
struct relay_client {
	uint8_t family;
	union addr peer, local;
	uint16_t peer_port, local_port;
};
#define RELAY_GREETING_BYTES 64

struct relay_settings {
	int listen_fd;    /* bound socket, SOCK_STREAM already listening, or SOCK_DGRAM; the
			     relay's own once relay_start() succeeded */
	int target_netns; /* descriptor of the namespace to connect in; -1: the current one.
			     Borrowed. */
	/* Where to connect to for this client; asked per connection or UDP exchange, and again with
	 * the next `attempt` where that is refused.  Returns false when there is no (other) target:
	 * the client is reset or the datagram dropped. */
	bool (*target)(void *context, const struct relay_client *client, unsigned attempt,
		struct sockaddr_storage *address);
	/* What a TCP target is told before the client's first byte: written to `bytes` of
	 * RELAY_GREETING_BYTES; returns its length.  May be NULL. */
	size_t (*greeting)(void *context, const struct relay_client *client, uint8_t *bytes);
	void *context;
	unsigned connections_max; /* clients at one time; TCP: further ones are reset at once,
				     UDP: the oldest exchange goes */
	unsigned udp_idle_ms;     /* an exchange without datagrams ends after this */
	unsigned tcp_connect_ms;  /* give up connecting after this */
};

/* Start; uses the listening socket's type to know TCP from UDP.  0 or -errno, logged. */
int relay_start(uv_loop_t *loop, const struct log *log, const struct relay_settings *settings,
	struct relay **relay);
/* The client whose target sees `peer` as whom it talks to; false if there is none. */
bool relay_find(const struct relay *relay, const struct sockaddr_storage *peer,
	struct relay_client *client);
/* Close all; the relay frees itself once libuv has let go of its handles. */
void relay_stop(struct relay *relay);

#endif
