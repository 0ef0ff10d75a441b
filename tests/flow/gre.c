/* SPDX-License-Identifier: BSD-2-Clause */
/* gre: tunnels and calls that no helper knows.  (Calls with one: pptp.c.) */
#include "../support/steps.h"

/* clang-format off */

STORY(gre, is_tracked_per_address_pair, LAB(),
	{"guest gre guest > server len 20", "uplink proto 47 host > server"},
	{"uplink gre server > host len 20", "guest proto 47 server > guest"},
	{"uplink gre server2 > host len 20", "drop not-for-us"},
	{"states", "replied"});

/* Nothing in an answer could tell whose it is. */
STORY(gre, has_room_for_one_guest_per_server, LAB(),
	{"guest gre guest > server len 20", "uplink proto 47 host > server"},
	{"second gre second > server len 20", "drop no-port",
		"second icmp gateway > second prohibited about proto 47 second > server"},
	{"second gre second > server2 len 20", "uplink proto 47 host > server2"},
	{"uplink gre server > host len 20", "guest proto 47 server > guest"},
	{"uplink gre server2 > host len 20", "second proto 47 server2 > second"});

STORY(gre, waits_30_seconds_for_a_reply, LAB(),
	{"guest gre guest > server len 20", "uplink proto 47 host > server"},
	{"wait 29"}, {"flows", "1"}, {"wait 2"}, {"flows", "0"});

STORY(gre, is_a_stream_with_a_reply, LAB(),
	{"guest gre guest > server len 20", "uplink proto 47 host > server"},
	{"uplink gre server > host len 20", "guest proto 47 server > guest"},
	{"wait 179"}, {"flows", "1"}, {"wait 2"}, {"flows", "0"});

/* The server's call id and the guest's have nothing in common: the pair of addresses has. */
STORY(gre, a_call_without_helper_is_plain, LAB(),
	{"guest gre guest > server call 7", "uplink gre host > server call 7"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"guest gre guest > server call 8", "uplink gre host > server call 8"},
	{"guest gre guest > server len 20", "uplink proto 47 host > server"},
	{"uplink icmp router > host net-unreachable about gre host > server call 7",
		"guest icmp router > guest net-unreachable about gre guest > server call 7"},
	{"flows", "1"});

STORY(gre, unasked_calls_are_dropped, LAB(),
	{"uplink gre server > host call 3", "drop not-for-us"},
	{"uplink icmp router > host net-unreachable about gre host > server call 7",
		"drop no-flow"},
	{"flows", "0"});
