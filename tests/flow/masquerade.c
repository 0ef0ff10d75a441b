/* SPDX-License-Identifier: BSD-2-Clause */
/* masquerade: guests appear outside as the host, each of their sockets as one port of it. */
#include "../support/steps.h"

/* RFC 4787 REQ-1, RFC 5382 REQ-1: one external port, whoever the peer is. */
STORY(masquerade, udp_is_endpoint_independent, LAB(),
	{"guest udp guest:5000 > server:53 len 20", "uplink udp host:$a > server:53 len 20"},
	{"guest udp guest:5000 > server2:53", "uplink udp host:$a > server2:53"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"flows", "3"},
	{"ports", "1"},
	{"uplink udp server:53 > host:$a len 30", "guest udp server:53 > guest:5000 len 30"},
	{"uplink udp server2:53 > host:$a", "guest udp server2:53 > guest:5000"},
	{"events", "3 2 0"});
