/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy: the header of the PROXY protocol, version 2 (haproxy's doc/proxy-protocol.txt), which
 * tells a server behind a relay whom it is talking to and where that one wanted to go.
 */
#ifndef TUNGATE_WIRE_PROXY_H
#define TUNGATE_WIRE_PROXY_H

#include <stddef.h>
#include "base/addr.h"

#define PROXY_HEADER_BYTES_MAX 52

/* One end of a connection; `port` in host byte order. */
struct proxy_end {
	const union addr *address;
	uint16_t port;
};

/* The header of a TCP connection between two ends of one family, in `bytes` of
 * PROXY_HEADER_BYTES_MAX; returns its length. */
size_t proxy_header(
	uint8_t *bytes, uint8_t family, struct proxy_end source, struct proxy_end destination);

#endif
