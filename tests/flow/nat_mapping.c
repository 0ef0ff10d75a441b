/* SPDX-License-Identifier: BSD-2-Clause */
/* nat_mapping: who may send to a mapping, how it lives, and when ports are shared or rest. */
#include "../support/steps.h"

#define OPEN "[filter forward]\npolicy = accept\n"
#define NETWORK(keys)                                                                              \
	"[network own]\nsubnet = 10.66.0.0/24,fd66::/64\n" keys                                    \
	"\n[link own]\nnetwork = own\nnetns = own\naddress = 10.66.0.2\n"                          \
	"[link other]\nnetwork = own\nnetns = other\naddress = 10.66.0.3\n"
#define ENDPOINT LAB(NETWORK("filtering = endpoint"), .families = LAB_IPV4)
#define ONE_PORT                                                                                   \
	{                                                                                          \
		61000, 61000                                                                       \
	}

/* clang-format off */

/* RFC 4787 REQ-8: endpoint-independent filtering, if the network says so. */
STORY(nat_mapping, anybody_may_answer, ENDPOINT,
	{"own udp 10.66.0.2:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink udp server2:7 > host:$a", "own udp server2:7 > 10.66.0.2:5000"},
	{"own udp 10.66.0.2:5000 > server2:7", "uplink udp host:$a > server2:7"},
	{"uplink udp server2:7 > host:$a", "own udp server2:7 > 10.66.0.2:5000"},
	{"uplink udp server2:8 > host:$a", "own udp server2:8 > 10.66.0.2:5000"},
	{"uplink tcp server2:7 > host:$a S", "drop not-for-us"},
	{"uplink udp nowhere:7 > host:$a", "drop no-route"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$b > server:99"},
	{"uplink udp server2:7 > host:$b", "drop not-for-us"},
	{"ports", "2"});

STORY(nat_mapping, tcp_as_well, ENDPOINT,
	{"own tcp 10.66.0.2:5000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server2:7 > host:$a S seq 50", "own tcp server2:7 > 10.66.0.2:5000 S"},
	{"own tcp 10.66.0.2:5000 > server2:7 SA seq 9 ack 51", "uplink tcp host:$a > server2:7 SA"},
	{"uplink tcp server2:7 > host:$a A seq 51 ack 10", "own tcp server2:7 > 10.66.0.2:5000 A"},
	{"ports", "1"});

STORY(nat_mapping, the_same_address_may_answer,
	LAB(NETWORK("filtering = address"), .families = LAB_IPV4),
	{"own udp 10.66.0.2:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink udp server:98 > host:$a", "own udp server:98 > 10.66.0.2:5000"},
	{"uplink udp server2:99 > host:$a", "drop not-for-us"},
	{"own udp 10.66.0.2:5000 > server2:99", "uplink udp host:$a > server2:99"},
	{"uplink udp server2:98 > host:$a", "own udp server2:98 > 10.66.0.2:5000"});

/* It is `related` to the filter, which still decides. */
STORY(nat_mapping, the_filter_still_decides,
	LAB("[filter forward]\npolicy = drop\nrule = accept in lan\n"
	    "rule = accept state established\nrule = accept state related proto udp to port 5001\n"
	    NETWORK("filtering = endpoint"), .families = LAB_IPV4),
	{"own udp 10.66.0.2:5000 > server:99", "uplink udp host:$a > server:99"},
	{"own udp 10.66.0.2:5001 > server:99", "uplink udp host:$b > server:99"},
	{"uplink udp server2:7 > host:$a", "drop filter"},
	{"uplink udp server2:7 > host:$b", "own udp server2:7 > 10.66.0.2:5001"});

/* RFC 7857 section 7: what is let in does not keep the mapping alive; what the guest sends does. */
STORY(nat_mapping, strangers_do_not_keep_it_alive, ENDPOINT,
	{"own udp 10.66.0.2:5000 > server:99", "uplink udp host:$a > server:99"},
	{"wait 100"},
	{"uplink udp server2:7 > host:$a", "own udp server2:7 > 10.66.0.2:5000"},
	{"wait 100"},
	{"uplink udp server2:7 > host:$a", "own udp server2:7 > 10.66.0.2:5000"},
	{"uplink udp server2:8 > host:$a", "own udp server2:8 > 10.66.0.2:5000"},
	{"wait 99"},
	{"uplink udp server2:9 > host:$a", "own udp server2:9 > 10.66.0.2:5000"},
	{"wait 2"},
	{"flows", "0"},
	{"uplink udp server2:7 > host:$a", "drop not-for-us"},
	{"ports", "0"});

STORY(nat_mapping, the_guest_s_answers_do, ENDPOINT,
	{"own udp 10.66.0.2:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink udp server2:7 > host:$a", "own udp server2:7 > 10.66.0.2:5000"},
	{"wait 200"},
	{"own udp 10.66.0.2:5000 > server2:7", "uplink udp host:$a > server2:7"},
	{"wait 200"},
	{"flows", "1"},
	{"uplink udp server3:7 > host:$a", "own udp server3:7 > 10.66.0.2:5000"},
	{"own udp 10.66.0.2:5000 > server:99", "uplink udp host:$a > server:99"});

/* RFC 6888 REQ-8: a port that others may still send to rests before somebody else has it. */
STORY(nat_mapping, ports_rest,
	LAB(NETWORK("filtering = endpoint"), .ports = ONE_PORT, .families = LAB_IPV4),
	{"own udp 10.66.0.2:5000 > server:53", "uplink udp host:61000 > server:53"},
	{"wait 31"},
	{"flows", "0"},
	{"other udp 10.66.0.3:5000 > server:53",
		"drop no-port", "other icmp 10.66.0.1 > 10.66.0.3 prohibited"},
	{"wait 118"},
	{"other udp 10.66.0.3:5000 > server:53", "drop no-port", "other icmp 10.66.0.1 > 10.66.0.3"},
	{"wait 2"},
	{"other udp 10.66.0.3:5000 > server:53", "uplink udp host:61000 > server:53"});

STORY(nat_mapping, no_port_rests_that_only_its_peer_reaches, LAB(.ports = ONE_PORT),
	{"guest udp guest:5000 > server:53", "uplink udp host:61000 > server:53"},
	{"wait 31"},
	{"second udp second:5000 > server:53", "uplink udp host:61000 > server:53"});

/* RFC 4787 REQ-3: never two mappings on one port, if the network says so; 3/13 (RFC 5508 REQ-8). */
STORY(nat_mapping, a_port_is_not_shared,
	LAB(NETWORK("mapping = endpoint-independent"), .ports = ONE_PORT, .families = LAB_IPV4),
	{"own udp 10.66.0.2:5000 > server:99", "uplink udp host:61000 > server:99"},
	{"own udp 10.66.0.2:5000 > server2:99", "uplink udp host:61000 > server2:99"},
	{"other udp 10.66.0.3:5000 > server3:99",
		"drop no-port", "other icmp 10.66.0.1 > 10.66.0.3 prohibited"},
	{"guest udp guest:5000 > server3:99",
		"drop no-port", "guest icmp gateway > guest prohibited"},
	{"own tcp 10.66.0.2:5000 > server:99 S", "uplink tcp host:61000 > server:99 S"},
	{"flows", "3"});

STORY(nat_mapping, others_share_but_not_with_it,
	LAB(NETWORK("mapping = endpoint-independent"), .ports = {61000, 61001}, .families = LAB_IPV4),
	{"own udp 10.66.0.2:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$b > server:99"},
	{"second udp second:5000 > server2:99", "uplink udp host:$b > server2:99"},
	{"second udp second:5001 > server3:99", "uplink udp host:$b > server3:99"},
	{"ports", "2"});

/* Rings of a shared port: whoever goes, the others stay, and the port is free with the last. */
STORY(nat_mapping, a_shared_port_outlives_each, LAB(.ports = ONE_PORT),
	{"guest udp guest:5000 > server:99", "uplink udp host:61000 > server:99"},
	{"wait 100"},
	{"second udp second:5000 > server2:99", "uplink udp host:61000 > server2:99"},
	{"second udp second:5000 > server2:98", "uplink udp host:61000 > server2:98"},
	{"wait 100"},
	{"far udp far:5000 > server3:99", "uplink udp host:61000 > server3:99"},
	{"far udp far:5000 > server3:98", "uplink udp host:61000 > server3:98"},
	{"wait 101"},
	{"flows", "4"},
	{"second udp second:5000 > server2:97", "uplink udp host:61000 > server2:97"},
	{"uplink udp server2:98 > host:61000", "second udp server2:98 > second:5000"},
	{"link-lost second"},
	{"flows", "2"},
	{"far udp far:5000 > server3:97", "uplink udp host:61000 > server3:97"},
	{"wait 301"},
	{"ports", "0"},
	{"guest udp guest:5000 > server:99", "uplink udp host:61000 > server:99"});

/* RFC 4787 REQ-9: to the port that another guest's socket has, where the filter accepts it. */
STORY(nat_mapping, hairpin_to_a_mapping, LAB(OPEN),
	{"second udp second:6000 > server:53", "uplink udp host:$a > server:53"},
	{"guest udp guest:5000 > host:$a", "second udp host:$b > second:6000"},
	{"second udp second:6000 > host:$b", "guest udp host:$a > guest:5000"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$b > server:53"},
	{"guest udp guest:5000 > host:1", "drop host", "guest icmp gateway > guest prohibited"},
	{"second icmp second > host port-unreachable about udp host:$b > second:6000",
		"guest icmp host > guest port-unreachable about udp guest:5000 > host:$a"});

STORY(nat_mapping, hairpin_is_the_filter_s_to_allow, LAB(.config = NULL),
	{"second udp second:6000 > server:53", "uplink udp host:$a > server:53"},
	{"guest udp guest:5000 > host:$a", "drop reject", "guest icmp gateway > guest prohibited"});

/* RFC 4787 REQ-11: the same at any load. */
STORY(nat_mapping, one_socket_one_port, LAB(.ports = {61000, 61009}),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server2:99", "uplink udp host:$a > server2:99"},
	{"guest udp guest:5000 > server:98", "uplink udp host:$a > server:98"},
	{"second udp second:1 > server:9", "uplink"}, {"second udp second:2 > server:9", "uplink"},
	{"second udp second:3 > server:9", "uplink"}, {"second udp second:4 > server:9", "uplink"},
	{"second udp second:5 > server:9", "uplink"}, {"second udp second:6 > server:9", "uplink"},
	{"second udp second:7 > server:9", "uplink"}, {"second udp second:8 > server:9", "uplink"},
	{"second udp second:9 > server:9", "uplink"},
	{"guest udp guest:5000 > server3:99", "uplink udp host:$a > server3:99"},
	{"ports", "10"});

/* clang-format on */
