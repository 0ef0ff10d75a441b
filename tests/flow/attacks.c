/* SPDX-License-Identifier: BSD-2-Clause */
/* attacks: what is known to have worked against gateways, tried on this one.  Spoofing, bouncing
 * and the like are in protection.c, fragments in fragments.c. */
#include "../support/packets.h"
#include "../support/steps.h"

/* clang-format off */

/* CVE-2021-3773: a guest that speaks from the port of a host's service, to the port from which the
 * host's client speaks, has another port outside; what comes to the service is not its. */
STORY(attacks, port_shadow, LAB(),
	{"guest udp guest:1405 > server:41404", "uplink udp host:$a > server:41404"},
	{"uplink udp server:41404 > host:1405", "drop not-for-us"},
	{"guest tcp guest:22 > server:5000 S", "uplink tcp host:$b > server:5000 S"},
	{"uplink tcp server:5000 > host:22 S", "drop not-for-us"});

/* IPv4 in disguise (RFC 4942, 2.2): on the wire these are nobody's, whatever the rules say. */
STORY(attacks, ipv4_addresses_in_ipv6, LAB("[filter forward]\npolicy = accept\n",
	.families = LAB_IPV6),
	{"guest tcp guest:4000 > [::ffff:127.0.0.1]:22 S", "drop martian"},
	{"guest tcp guest:4000 > [::ffff:169.254.169.254]:80 S", "drop martian"},
	{"guest tcp guest:4000 > [::192.0.2.1]:22 S", "drop martian"},
	{"uplink udp [::ffff:10.77.0.2]:53 > host:61000", "drop martian"},
	{"uplink udp [::127.0.0.1]:53 > host:61000", "drop martian"});

/* By the built-in rules neither a translator nor a relay of the uplink's leads to what is the
 * host's alone. */
STORY(attacks, metadata_by_way_of_translators, LAB(.families = LAB_IPV6),
	{"guest tcp guest:4000 > [64:ff9b::169.254.169.254]:80 S seq 5",
		"drop reject", "guest tcp"},
	{"guest tcp guest:4000 > [64:ff9b::127.0.0.1]:22 S seq 5", "drop reject", "guest tcp"},
	{"guest tcp guest:4000 > [2002:a9fe:a9fe::1]:80 S seq 5", "drop reject", "guest tcp"},
	{"guest tcp guest:4000 > [2002:7f00:1::1]:22 S seq 5", "drop reject", "guest tcp"},
	{"guest tcp guest:4000 > [2002:6464:64c8::1]:80 S seq 5", "drop reject", "guest tcp"});

/* SAD DNS: no port of the range ever answers, open or closed, so that its errors' rate tells
 * nothing either. */
STORY(attacks, the_uplink_hears_nothing_of_ports, LAB(.ports = {61000, 61003}),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server2:53 > host:61000", "drop not-for-us"},
	{"uplink udp server2:53 > host:61001", "drop not-for-us"},
	{"uplink udp server2:53 > host:61002", "drop not-for-us"},
	{"uplink udp server2:53 > host:61003", "drop not-for-us"},
	{"uplink udp server2:53 > host:9", "drop not-for-us"},
	{"uplink tcp server2:53 > host:61000 S", "drop not-for-us"},
	{"uplink tcp server2:53 > host:61000 A", "drop no-flow"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"});

/* ReDAN: whoever sweeps the range with resets, or with errors about connections that he guesses,
 * ends none and learns nothing. */
STORY(attacks, a_sweep_of_resets_and_errors, LAB(.ports = {61000, 61000}),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001",
		"guest tcp server:80 > guest:4000 SA"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001 len 100",
		"uplink tcp host:$a > server:80 A"},
	{"uplink tcp server:80 > host:60999 R seq 905001", "drop no-flow"},
	{"uplink tcp server:80 > host:61000 R seq 905001", "drop invalid"},
	{"uplink tcp server:80 > host:61000 RA seq 905001 ack 1101", "drop invalid"},
	{"uplink tcp server:80 > host:61001 R seq 905001", "drop no-flow"},
	{"uplink tcp server:80 > host:$a S seq 77", "drop invalid"},
	{"uplink icmp router > host too-big 600 about tcp host:$a > server:80 A seq 909001 len 500",
		"drop invalid"},
	{"uplink icmp router > host port-unreachable about tcp host:$a > server:80 A seq 909001",
		"drop invalid"},
	{"states", "established"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 1101 len 10",
		"guest tcp server:80 > guest:4000 A len 10"});

/* A packet to one's own mapping, from inside: it does not go round. */
STORY(attacks, a_guest_calls_its_own_mapping, LAB("[filter forward]\npolicy = accept\n"),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"guest udp guest:5000 > host:$a", "drop host", "guest icmp gateway > guest prohibited"},
	{"flows", "1"});

/* Christmas trees, and what else no connection has. */
STORY(attacks, flags_of_no_connection, LAB(),
	{"guest tcp guest:4000 > server:80 FSRPAU", "drop bad-flags"},
	{"guest tcp guest:4000 > server:80 FPU", "drop bad-flags"},
	{"guest tcp guest:4000 > server:80 SF", "drop bad-flags"},
	{"guest tcp guest:4000 > server:80 SR", "drop bad-flags"},
	{"guest udp guest:0 > server:80", "drop bad-header"},
	{"guest udp guest:5000 > server:0", "drop bad-header"},
	{"flows", "0"});
