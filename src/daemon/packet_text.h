/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_text: a packet from a user's line, for `tungate rules trace`:
 *
 *	[in SIDE] PROTOCOL SOURCE[:PORT] > DESTINATION[:PORT] [WORD...]
 *
 * SIDE is a link, a network (then its link with the source's address is meant), uplink or gateway;
 * without it, the network that the source is in, or the uplink.  PROTOCOL is tcp, udp, icmp or a
 * number.  A WORD is one or several TCP flags with commas (else `syn`), an ICMP type `N[/CODE]` or
 * its name echo-request or echo-reply (else the first), `ttl N`, `length N`.
 */
#ifndef TUNGATE_DAEMON_PACKET_TEXT_H
#define TUNGATE_DAEMON_PACKET_TEXT_H

#include "config/words.h"
#include "daemon/requests.h"
#include "wire/build.h"

/* Build the packet in out->data; false with the reason in `why`. */
bool packet_text_build(const struct daemon_ops *ops, const char *text, struct packet *out,
	const struct sentence *why);

#endif
