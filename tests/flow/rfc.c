/* SPDX-License-Identifier: BSD-2-Clause */
/* rfc: requirements of the NAT documents that no other story is about; docs/rfc.md has them all. */
#include "../support/steps.h"

/* clang-format off */

/* RFC 4787 REQ-3a, REQ-4: neither the class of a port nor its parity is kept: all ports outside are
 * of one range, far from those of the host's own services. */
STORY(rfc, ports_keep_neither_class_nor_parity, LAB(.ports = {61000, 61001}),
	{"guest udp guest:500 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:502 > server:99", "uplink udp host:$b > server:99"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:500"},
	{"uplink udp server:99 > host:$b", "guest udp server:99 > guest:502"},
	{"ports", "2"});

/* RFC 4787 REQ-6: what the peer sends from where it was asked refreshes as well. */
STORY(rfc, answers_refresh_a_udp_mapping, LAB(),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"wait 250"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"wait 250"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"wait 250"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"});

/* ... and what is not let in does not. */
STORY(rfc, strangers_refresh_nothing, LAB(),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"wait 250"},
	{"uplink udp server2:99 > host:$a", "drop not-for-us"},
	{"wait 51"},
	{"flows", "0"});

/* QUIC's idle timeouts are below five minutes (RFC 9308, 3.2): a connection that was silent for as
 * long goes on, in either direction, from the same port. */
STORY(rfc, a_udp_stream_survives_five_minutes, LAB(),
	{"guest udp guest:5000 > server:443 len 1200", "uplink udp host:$a > server:443"},
	{"uplink udp server:443 > host:$a len 1200", "guest udp server:443 > guest:5000"},
	{"guest udp guest:5000 > server:443 len 90", "uplink udp host:$a > server:443"},
	{"wait 300"},
	{"guest udp guest:5000 > server:443 len 40", "uplink udp host:$a > server:443"},
	{"wait 300"},
	{"uplink udp server:443 > host:$a len 40", "guest udp server:443 > guest:5000"},
	{"flows", "1"});

/* RFC 4787 REQ-7: outside is an address that is also inside.  Everything else is reached as ever;
 * who outside has a guest's address is not, and does not pass for one. */
STORY(rfc, an_uplink_address_inside_a_guest_network, LAB(),
	{"address-new nobody", "ok"},
	{"route server nobody"},
	{"guest udp guest:5000 > server:99", "uplink udp nobody:$a > server:99"},
	{"uplink udp server:99 > nobody:$a", "guest udp server:99 > guest:5000"},
	{"uplink udp second:99 > nobody:$a", "drop spoofed"});

/* RFC 4787 REQ-11: the same at ten and at ninety percent of all ports. */
STORY(rfc, mapping_does_not_change_under_load, LAB(.ports = {61000, 61009}),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server2:99", "uplink udp host:$a > server2:99"},
	{"uplink udp server3:99 > host:$a", "drop not-for-us"},
	{"second udp second:1 > server:99", "uplink udp host:$b > server:99"},
	{"second udp second:2 > server:99", "uplink udp host:$c > server:99"},
	{"second udp second:3 > server:99", "uplink udp host:$d > server:99"},
	{"second udp second:4 > server:99", "uplink udp host:$e > server:99"},
	{"second udp second:5 > server:99", "uplink udp host:$f > server:99"},
	{"second udp second:6 > server:99", "uplink udp host:$g > server:99"},
	{"second udp second:7 > server:99", "uplink udp host:$h > server:99"},
	{"guest udp guest:5001 > server:99", "uplink udp host:$i > server:99"},
	{"ports", "9"},
	{"guest udp guest:5001 > server2:99", "uplink udp host:$i > server2:99"},
	{"guest udp guest:5000 > server3:99", "uplink udp host:$a > server3:99"},
	{"uplink udp server3:98 > host:$i", "drop not-for-us"});

/* RFC 4787 REQ-12, RFC 5382 REQ-10: whatever router says whatever about a flow, it goes on. */
STORY(rfc, no_icmp_type_ends_a_flow4, LAB(.families = LAB_IPV4),
	{"guest udp guest:5000 > server:99 len 20", "uplink udp host:$a > server:99"},
	{"uplink icmp router > host type 3 code 0 about udp host:$a > server:99 len 20",
		"guest icmp router > guest type 3 code 0"},
	{"uplink icmp router > host type 3 code 9 about udp host:$a > server:99 len 20",
		"guest icmp router > guest type 3 code 9"},
	{"uplink icmp router > host type 3 code 15 about udp host:$a > server:99 len 20",
		"guest icmp router > guest type 3 code 15"},
	{"uplink icmp router > host type 11 code 1 about udp host:$a > server:99 len 20",
		"guest icmp router > guest type 11 code 1"},
	{"uplink icmp router > host type 12 code 0 about udp host:$a > server:99 len 20",
		"guest icmp router > guest type 12 code 0"},
	{"uplink icmp router > host type 4 code 0 about udp host:$a > server:99 len 20",
		"drop icmp-type"},
	{"uplink icmp router > host type 5 code 1 about udp host:$a > server:99 len 20",
		"drop icmp-type"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"guest udp guest:5000 > server:99 len 20", "uplink udp host:$a > server:99"});

STORY(rfc, no_icmp_type_ends_a_flow6, LAB(.families = LAB_IPV6),
	{"guest udp guest:5000 > server:99 len 20", "uplink udp host:$a > server:99"},
	{"uplink icmp router > host type 1 code 1 about udp host:$a > server:99 len 20",
		"guest icmp router > guest type 1 code 1"},
	{"uplink icmp router > host type 1 code 4 about udp host:$a > server:99 len 20",
		"guest icmp router > guest type 1 code 4"},
	{"uplink icmp router > host type 3 code 1 about udp host:$a > server:99 len 20",
		"guest icmp router > guest type 3 code 1"},
	{"uplink icmp router > host type 4 code 2 about udp host:$a > server:99 len 20",
		"guest icmp router > guest type 4 code 2"},
	{"uplink icmp router > host type 137 code 0", "drop icmp-type"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"guest udp guest:5000 > server:99 len 20", "uplink udp host:$a > server:99"});

/* RFC 5135: without a proxy multicast stays where it is, both ways. */
STORY(rfc, multicast_is_not_forwarded, LAB(),
	{"guest udp guest:5000 > multicast:99", "drop martian"},
	{"uplink udp server:99 > multicast:5000", "drop martian"},
	{"uplink udp multicast:99 > host:5000", "drop martian"},
	{"flows", "0"});

/* RFC 7857, 4: a hole that UDP made is none in TCP. */
STORY(rfc, mappings_of_protocols_are_apart, LAB(.ports = {61000, 61000}),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink tcp server:99 > host:$a S", "drop not-for-us"},
	{"guest tcp guest:5000 > server:99 S", "uplink tcp host:61000 > server:99 S"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"flows", "2"},
	{"ports", "1"});
