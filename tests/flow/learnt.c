/* SPDX-License-Identifier: BSD-2-Clause */
/* learnt: addresses that a guest takes while its link is there. */
#include "../support/steps.h"

/* clang-format off */

STORY(learnt, an_address_is_a_guests_once_it_is_learnt, LAB(),
	{"guest udp nobody:5000 > server:53", "drop spoofed"},
	{"learn guest nobody", "0"},
	{"guest udp nobody:5000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > nobody:5000"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$b > server:53"},
	{"second udp nobody:5000 > server:53", "drop spoofed"},
	{"learn second nobody", "-17"});

STORY(learnt, what_is_forgotten_ends, LAB(),
	{"learn guest nobody", "0"},
	{"guest udp nobody:5000 > server:53", "uplink udp host:$a > server:53"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$b > server:53"},
	{"flows", "2"},
	{"forget guest nobody"},
	{"flows", "1"},
	{"uplink udp server:53 > host:$a", "drop not-for-us"},
	{"uplink udp server:53 > host:$b", "guest udp server:53 > guest:5000"},
	{"guest udp nobody:5000 > server:53", "drop spoofed"},
	{"learn second nobody", "0"},
	{"second udp nobody:5000 > server:53", "uplink udp host:$c > server:53"});

/* A published port leads to it as to any address of a link. */
STORY(learnt, an_address_that_others_reach, LAB(),
	{"learn guest nobody", "0"},
	{"forward tcp 8080 nobody:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S seq 1", "guest tcp server:4000 > nobody:80 S"},
	{"guest tcp nobody:80 > server:4000 SA seq 9 ack 2", "uplink tcp host:8080 > server:4000 SA"});
