/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tftp: a server that answers from a port of its own choice.
 */
#include "../support/steps.h"

#define TFTP LAB(.config = "[helpers]\ntftp =\n")

#define READS  "data \"\\0\\1name\\0octet\\0\""
#define WRITES "data \"\\0\\2name\\0octet\\0\""

STORY(tftp, read, TFTP,
	{"guest udp guest:4000 > server:69 " READS, "uplink udp host:$a > server:69 " READS},
	{"expectations", "1"}, {"uplink udp server2:5000 > host:$a len 516", "drop not-for-us"},
	{"uplink udp server:5000 > host:$a len 516", "guest udp server:5000 > guest:4000"},
	{"guest udp guest:4000 > server:5000 len 4", "uplink udp host:$a > server:5000"},
	{"uplink udp server:5000 > host:$a len 516", "guest"}, {"flows", "2"}, {"ports", "1"},
	/* Once. */
	{"uplink udp server:5001 > host:$a len 516", "drop not-for-us"});

STORY(tftp, write, TFTP,
	{"guest udp guest:4000 > server:69 " WRITES, "uplink udp host:$a > server:69"},
	{"uplink udp server:5000 > host:$a len 4", "guest udp server:5000 > guest:4000"});

/* What comes in keeps an expected flow alive: it is not a stranger's. */
STORY(tftp, a_slow_sender, TFTP,
	{"guest udp guest:4000 > server:69 " READS, "uplink udp host:$a > server:69"}, {"wait 20"},
	{"uplink udp server:5000 > host:$a len 4", "guest"}, {"wait 200"},
	{"uplink udp server:5000 > host:$a len 4", "guest"}, {"wait 200"},
	{"uplink udp server:5000 > host:$a len 4", "guest"});

/* Asked again, perhaps since the first request was lost. */
STORY(tftp, twice, TFTP,
	{"guest udp guest:4000 > server:69 " READS, "uplink udp host:$a > server:69"}, {"wait 20"},
	{"guest udp guest:4000 > server:69 " READS, "uplink udp host:$a > server:69"},
	{"expectations", "1"}, {"wait 20"},
	{"uplink udp server:5000 > host:$a len 4", "guest udp server:5000 > guest:4000"});

STORY(tftp, too_late, TFTP,
	{"guest udp guest:4000 > server:69 " READS, "uplink udp host:$a > server:69"},
	{"wait 30.1"}, {"uplink udp server:5000 > host:$a len 4", "drop not-for-us"},
	{"ports", "1"});

STORY(tftp, server_behind_a_forward, TFTP, {"forward udp 6969 guest:69", "ok"},
	{"uplink udp server:4000 > host:6969 " READS, "guest udp server:4000 > guest:69 " READS},
	{"expectations", "1"},
	{"guest udp guest:5000 > server:4000 len 516", "uplink udp host:$b > server:4000"},
	{"expectations", "0"},
	{"uplink udp server:4000 > host:$b len 4", "guest udp server:4000 > guest:5000"});

/* Data, no name, no mode, no end; and what only looks like a request on another port. */
STORY(tftp, what_is_no_request, TFTP,
	{"guest udp guest:4000 > server:69 data \"\\0\\3\\0\\1aaaa\"", "uplink udp host:$a"},
	{"guest udp guest:4000 > server:69 data \"\\0\\1\\0octet\\0\"", "uplink"},
	{"guest udp guest:4000 > server:69 data \"\\0\\1name\\0\"", "uplink"},
	{"guest udp guest:4000 > server:69 data \"\\0\\1name\\0octet\"", "uplink"},
	{"guest udp guest:4000 > server:69 data \"\\0\\1nameoctet\"", "uplink"},
	{"guest udp guest:4000 > server:6969 " READS, "uplink"}, {"expectations", "0"});

/* A client that uses a port below 1024 is not helped. */
STORY(tftp, privileged_client, TFTP,
	{"guest udp guest:1000 > server:69 " READS, "uplink udp host:$a > server:69"},
	{"expectations", "0"});

/* Of one guest so many wait, whatever it asks for. */
STORY(tftp, guest_limit, LAB(.config = "[helpers]\ntftp =\n[limits]\nguest-expectations = 2\n"),
	{"guest udp guest:4000 > server:69 " READS, "uplink udp host:$a > server:69"},
	{"guest udp guest:4001 > server:69 " READS, "uplink udp host:$b > server:69"},
	{"guest udp guest:4002 > server:69 " READS, "uplink udp host:$c > server:69"},
	{"expectations", "2"},
	{"second udp second:4000 > server:69 " READS, "uplink udp host:$d > server:69"},
	{"expectations", "3"}, {"uplink udp server:5000 > host:$c len 4", "drop not-for-us"},
	{"uplink udp server:5000 > host:$b len 4", "guest udp server:5000 > guest:4001"});

/* Records of helped flows: a quarter for each guest, then it goes on without. */
STORY(tftp, helped_limit, LAB(.config = "[helpers]\ntftp =\n[limits]\nhelped-flows = 16\n"),
	{"guest udp guest:4000 > server:69 " READS, "uplink udp host:$a"},
	{"guest udp guest:4001 > server:69 " READS, "uplink udp host:$b"},
	{"guest udp guest:4002 > server:69 " READS, "uplink udp host:$c"},
	{"guest udp guest:4003 > server:69 " READS, "uplink udp host:$d"},
	{"guest udp guest:4004 > server:69 " READS, "uplink udp host:$e"}, {"expectations", "4"},
	{"second udp second:4000 > server:69 " READS, "uplink udp host:$f"}, {"expectations", "5"});
