/* SPDX-License-Identifier: BSD-2-Clause */
/* nat_destination: the lines dnat, no-dnat and redirect, and 1:1 maps from outside. */
#include "../support/steps.h"

#define OPEN "[filter forward]\npolicy = accept\n"

/* clang-format off */

STORY(nat_destination, to_another_guest_and_port,
	LAB(OPEN "[nat]\ndnat = in uplink proto tcp port 80 -> 10.77.0.2:8080,[fd77::2]:8080\n"),
	{"uplink tcp server:4000 > host:80 S seq 1000",
		"guest tcp server:4000 > guest:8080 S seq 1000"},
	{"guest tcp guest:8080 > server:4000 SA seq 5000 ack 1001",
		"uplink tcp host:80 > server:4000 SA seq 5000 ack 1001"},
	{"uplink tcp server:4000 > host:80 A seq 1001 ack 5001", "guest tcp server:4000 > guest:8080 A"},
	{"uplink tcp server:4000 > host:81 S", "drop not-for-us"},
	{"uplink udp server:4000 > host:80", "drop not-for-us"},
	{"states", "established"},
	{"ports", "0"});

/* The tutorial, section 4: a destination is not enough, the filter has to accept it, and sees the
 * guest's own address and port.  `forwarded` is about [forwards]. */
STORY(nat_destination, needs_its_rule_in_the_filter,
	LAB("[filter forward]\npolicy = drop\nrule = accept forwarded\n"
	    "rule = accept in uplink to 10.77.0.2,fd77::2 proto tcp to port 8080\n"
	    "[nat]\ndnat = in uplink proto tcp port 80 -> guest:8080\n"
	    "dnat = in uplink proto tcp port 81 -> guest:8081\n"),
	{"uplink tcp server:4000 > host:80 S", "guest tcp server:4000 > guest:8080 S"},
	{"uplink tcp server:4000 > host:81 S", "drop filter"});

STORY(nat_destination, a_range_keeps_its_order,
	LAB(OPEN "[nat]\ndnat = in uplink proto udp port 5000-5009 -> guest:7000-7009\n"),
	{"uplink udp server:4000 > host:5000", "guest udp server:4000 > guest:7000"},
	{"uplink udp server:4000 > host:5009", "guest udp server:4000 > guest:7009"},
	{"guest udp guest:7009 > server:4000", "uplink udp host:5009 > server:4000"});

STORY(nat_destination, in_turn_and_a_flow_stays_where_it_is,
	LAB(OPEN "[nat]\ndnat = in uplink proto tcp port 80 -> guest,second,far\n"),
	{"uplink tcp server:4000 > host:80 S", "guest tcp server:4000 > guest:80 S"},
	{"uplink tcp server:4001 > host:80 S", "second tcp server:4001 > second:80 S"},
	{"uplink tcp server:4000 > host:80 S", "guest tcp server:4000 > guest:80 S"},
	{"uplink tcp server:4002 > host:80 S", "far tcp server:4002 > far:80 S"},
	{"uplink tcp server2:4000 > host:80 S", "guest tcp server2:4000 > guest:80 S"});

/* Those that are not there are passed over; a refused packet takes no turn. */
STORY(nat_destination, whoever_is_there,
	LAB("[filter forward]\npolicy = accept\nrule = drop from 198.51.100.3,2001:db8:1::3\n"
	    "[nat]\ndnat = in uplink proto tcp port 80 -> guest,10.77.0.98-10.77.0.99,[fd77::98]-[fd77::99],second\n"),
	{"uplink tcp server:4000 > host:80 S", "guest tcp server:4000 > guest:80 S"},
	{"uplink tcp server3:4000 > host:80 S", "drop filter"},
	{"uplink tcp server:4001 > host:80 S", "second tcp server:4001 > second:80 S"},
	{"link-lost second"},
	{"uplink tcp server:4002 > host:80 S", "guest tcp server:4002 > guest:80 S"},
	{"uplink tcp server:4003 > host:80 S", "guest tcp server:4003 > guest:80 S"},
	{"link-lost guest"},
	{"uplink tcp server:4004 > host:80 S", "drop no-link"});

STORY(nat_destination, an_address_range,
	LAB(OPEN "[nat]\ndnat = in uplink proto udp port 53 -> 10.77.0.2-10.77.0.3,[fd77::2]-[fd77::3]\n"),
	{"uplink udp server:4000 > host:53", "guest udp server:4000 > guest:53"},
	{"uplink udp server:4001 > host:53", "second udp server:4001 > second:53"},
	{"uplink udp server:4002 > host:53", "guest udp server:4002 > guest:53"});

STORY(nat_destination, the_first_line_that_matches,
	LAB(OPEN "[nat]\nno-dnat = from 198.51.100.2,2001:db8:1::2\n"
	    "dnat = in uplink proto tcp port 80 to 192.0.2.2,2001:db8::2 -> second\n"
	    "dnat = in uplink proto tcp port 80 -> guest\n"),
	{"uplink tcp server:4000 > host:80 S", "guest tcp server:4000 > guest:80 S"},
	{"uplink tcp server:4000 > host2:80 S", "second tcp server:4000 > second:80 S"},
	{"uplink tcp server2:4000 > host:80 S", "drop not-for-us"});

/* Published ports come before. */
STORY(nat_destination, published_ports_are_first,
	LAB(OPEN "[nat]\ndnat = in uplink proto tcp -> guest\n"),
	{"forward tcp 8080 second:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S", "second tcp server:4000 > second:80 S"},
	{"uplink tcp server:4000 > host:8081 S", "guest tcp server:4000 > guest:8081 S"});

/* What is not addressed to us is nobody's, unless a line names it. */
STORY(nat_destination, only_what_is_addressed_to_us,
	LAB(OPEN "[nat]\ndnat = in uplink proto tcp port 80 -> guest\n"
	    "dnat = in uplink to 192.0.2.5,2001:db8::5 proto tcp port 81 -> guest:80\n"),
	{"uplink tcp server:4000 > outside:80 S", "drop bounce"},
	{"uplink tcp server:4000 > second:80 S", "drop bounce"},
	{"uplink tcp server:4000 > outside:81 S", "guest tcp server:4000 > guest:80 S"},
	{"guest tcp guest:80 > server:4000 SA seq 1 ack 1", "uplink tcp outside:81 > server:4000 SA"},
	{"uplink tcp server:4000 > outside2:81 S", "drop bounce"});

/* The rules are asked for the first packet only: what a flow was given stays. */
STORY(nat_destination, rules_change_and_flows_stay,
	LAB(OPEN "[nat]\ndnat = in uplink proto udp port 53 -> guest\n"),
	{"uplink udp server:4000 > host:53", "guest udp server:4000 > guest:53"},
	{"rules " OPEN "[nat]\ndnat = in uplink proto udp port 53 -> second\n"},
	{"uplink udp server:4000 > host:53", "guest udp server:4000 > guest:53"},
	{"uplink udp server:4001 > host:53", "second udp server:4001 > second:53"});

/* From guests to anywhere: the other one sees who calls, and answers as who was called. */
STORY(nat_destination, of_what_guests_send,
	LAB(OPEN "[nat]\ndnat = in lab to 198.51.100.1,2001:db8:1::1 proto tcp port 80 -> far:8080\nmasquerade =\n"),
	{"guest tcp guest:4000 > server:80 S seq 1000", "far tcp guest:4000 > far:8080 S"},
	{"far tcp far:8080 > guest:4000 SA seq 5000 ack 1001",
		"guest tcp server:80 > guest:4000 SA seq 5000 ack 1001"},
	{"guest tcp guest:4000 > server2:80 S", "uplink tcp host:$a > server2:80 S"},
	{"ports", "1"});

/* Behind one link they would answer each other directly: so they see the gateway. */
STORY(nat_destination, neighbours_on_one_link_meet_through_us,
	LAB(OPEN "[nat]\ndnat = in wide to 198.51.100.1,2001:db8:1::1 proto udp port 53 -> 10.99.0.3,fd99::3\n"),
	{"wide udp wide:4000 > server:53", "wide udp wide-gateway:$a > wider:53"},
	{"wide udp wider:53 > wide-gateway:$a", "wide udp server:53 > wide:4000"});

/* nf_nat_edemux.sh: one guest socket, two addresses outside that are one service. */
STORY(nat_destination, a_clash_of_sources_is_resolved,
	LAB(OPEN "[nat]\ndnat = in lab to 198.51.100.1,2001:db8:1::1 proto tcp port 80 -> far\n"
	    "dnat = in lab to 198.51.100.2,2001:db8:1::2 proto tcp port 80 -> far\n"),
	{"guest tcp guest:10000 > server:80 S seq 1", "far tcp guest:10000 > far:80 S"},
	{"guest tcp guest:10000 > server2:80 S seq 1", "far tcp guest:$a > far:80 S"},
	{"far tcp far:80 > guest:10000 SA seq 5 ack 2", "guest tcp server:80 > guest:10000 SA"},
	{"far tcp far:80 > guest:$a SA seq 5 ack 2", "guest tcp server2:80 > guest:10000 SA"});

/* Hairpin through a line, by the host's address: the source is seen as the host. */
STORY(nat_destination, hairpin, LAB(OPEN "[nat]\ndnat = proto tcp port 80 -> second:8080\n"),
	{"guest tcp guest:4000 > host:80 S seq 1", "second tcp host:$a > second:8080 S"},
	{"second tcp second:8080 > host:$a SA seq 5 ack 2", "guest tcp host:80 > guest:4000 SA"},
	{"second tcp second:4000 > host:80 S seq 1", "second tcp host:$b > second:8080 S"},
	{"second tcp second:8080 > host:$b SA seq 5 ack 2", "second tcp host:80 > second:4000 SA"});

/* RFC 5508 REQ-7: an error about it names the external address, never the guest's. */
STORY(nat_destination, errors_about_a_hairpin,
	LAB(OPEN "[nat]\ndnat = proto udp port 80 -> second:8080\n"),
	{"guest udp guest:4000 > host:80 len 20", "second udp host:$a > second:8080"},
	{"second icmp second > host port-unreachable about udp host:$a > second:8080 len 20",
		"guest icmp host > guest port-unreachable about udp guest:4000 > host:80"});

STORY(nat_destination, a_network_without_hairpin,
	LAB(OPEN "[nat]\ndnat = proto udp port 80 -> second\nmasquerade =\n"
	    "[network closed]\nsubnet = 10.66.0.0/24\nhairpin = no\n"
	    "[link closed]\nnetwork = closed\nnetns = closed\naddress = 10.66.0.2\n",
	    .families = LAB_IPV4),
	{"forward udp 81 second:80", "ok"},
	{"guest udp guest:4000 > host:80", "second udp host:$a > second:80"},
	{"closed udp 10.66.0.2:4000 > host:80",
		"drop host", "closed icmp 10.66.0.1 > 10.66.0.2 prohibited"},
	{"closed udp 10.66.0.2:4000 > host:81",
		"drop host", "closed icmp 10.66.0.1 > 10.66.0.2 prohibited"},
	{"closed udp 10.66.0.2:4000 > server:80", "second udp 10.66.0.2:4000 > second:80"},
	{"uplink udp server:4000 > host:80", "second udp server:4000 > second:80"});

/* ---- redirect ---- */

STORY(nat_destination, to_a_proxy_of_the_host,
	LAB("[filter input]\npolicy = drop\nrule = accept forwarded\n"
	    "[nat]\nredirect = in lab proto tcp port 80 -> :3128\nmasquerade =\n"),
	{"guest tcp guest:4000 > server:80 S seq 1000", "service tcp guest:4000 > gateway:3128 S"},
	{"service tcp gateway:3128 > guest:4000 SA seq 5000 ack 1001",
		"guest tcp server:80 > guest:4000 SA seq 5000 ack 1001"},
	{"guest tcp guest:4000 > server:81 S", "uplink tcp host:$a > server:81 S"},
	{"far tcp far:4000 > server:80 S", "uplink tcp host:$b > server:80 S"},
	{"guest tcp guest:4001 > gateway:3128 S", "drop filter"},
	{"uplink tcp server:4000 > host:80 S", "drop not-for-us"});

STORY(nat_destination, to_a_proxy_in_a_guest,
	LAB(OPEN "[nat]\nno-dnat = from 10.77.0.3,fd77::3\nredirect = in lan proto tcp port 80 -> second:3128\nmasquerade =\n"),
	{"guest tcp guest:4000 > server:80 S seq 1000", "second tcp guest:4000 > second:3128 S"},
	{"second tcp second:3128 > guest:4000 SA seq 5000 ack 1001",
		"guest tcp server:80 > guest:4000 SA seq 5000 ack 1001"},
	{"second tcp second:4000 > server:80 S", "uplink tcp host:$a > server:80 S"});

/* ---- map ---- */

#define MAPPED "[nat]\nmap = 10.77.0.2 <-> 192.0.2.5\nmap = fd77::2 <-> 2001:db8::5\n" \
	       "masquerade = in lan out uplink\n"

STORY(nat_destination, one_to_one_in_both_directions, LAB(OPEN MAPPED),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp outside:4000 > server:80 S"},
	{"uplink tcp server:80 > outside:4000 SA seq 5000 ack 1001",
		"guest tcp server:80 > guest:4000 SA"},
	{"uplink tcp server:4000 > outside:22 S", "guest tcp server:4000 > guest:22 S"},
	{"guest tcp guest:22 > server:4000 SA seq 1 ack 1", "uplink tcp outside:22 > server:4000 SA"},
	{"uplink icmp server > outside echo id 7 len 8", "guest icmp server > guest echo id 7"},
	{"guest icmp guest > server reply id 7 len 8", "uplink icmp outside > server reply id 7"},
	{"guest icmp guest > server echo id 9 len 8", "uplink icmp outside > server echo id 9"},
	{"uplink proto 50 server > outside", "guest proto 50 server > guest"},
	{"second udp second:4000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp outside:1 > host:53", "drop spoofed"},
	{"ports", "1"});

STORY(nat_destination, a_map_asks_the_filter, LAB(MAPPED),
	{"guest udp guest:4000 > server:53", "uplink udp outside:4000 > server:53"},
	{"uplink udp server:53 > outside:4000", "guest udp server:53 > guest:4000"},
	{"uplink udp server2:53 > outside:4000", "drop reject"});

/* Host bits stay; what has no guest behind it, and the gateway's own, lead nowhere. */
STORY(nat_destination, prefixes_are_mapped,
	LAB(OPEN "[nat]\nmap = 10.77.0.0/29 <-> 192.0.2.0/29\nmap = fd77::/64 <-> 2001:db8:9::/64\n",
	    .families = LAB_IPV4),
	{"guest udp guest:4000 > server:53", "uplink udp host2:4000 > server:53"},
	{"second udp second:4000 > server:53", "uplink udp local:4000 > server:53"},
	{"uplink udp server:1 > local:2", "second udp server:1 > second:2"},
	{"uplink udp server:1 > host:2", "drop not-for-us"},
	{"uplink udp server:1 > outside:2", "drop no-link"},
	{"far udp far:4000 > server:53", "uplink udp far:4000 > server:53"});

STORY(nat_destination, hairpin_of_maps,
	LAB(OPEN "[nat]\nmap = 10.77.0.2/31 <-> 192.0.2.6/31\nmap = fd77::2/127 <-> 2001:db8::6/127\n"
	    "masquerade = in lan\n"),
	{"guest udp guest:4000 > outside3:53", "second udp outside2:4000 > second:53"},
	{"second udp second:53 > outside2:4000", "guest udp outside3:53 > guest:4000"},
	{"far udp far:4000 > outside3:53", "second udp outside3:$a > second:53"},
	{"second udp second:53 > outside3:$a", "far udp outside3:53 > far:4000"},
	{"guest udp guest:4000 > outside2:53", "guest udp outside2:4000 > guest:53"},
	{"guest udp guest:5000 > outside2:5000", "drop no-port", "guest icmp gateway > guest prohibited"},
	{"second icmp second > outside2 port-unreachable about udp outside2:4000 > second:53",
		"guest icmp outside3 > guest port-unreachable about udp guest:4000 > outside3:53"});

STORY(nat_destination, a_map_follows_any_route, LAB(OPEN MAPPED),
	{"guest udp guest:4000 > server:53", "uplink udp outside:4000 > server:53"},
	{"route server host2 2"},
	{"guest udp guest:4000 > server:53", "uplink udp outside:4000 > server:53"},
	{"events", "1 0 0"});

STORY(nat_destination, prefixes_by_rfc_6296,
	LAB(OPEN "[nat]\nnpt = fd77::/64 <-> 2001:db8:0:9::/64\nmasquerade =\n", .families = LAB_IPV6),
	{"guest udp guest:4000 > server:53", "uplink udp [2001:db8:0:9:cfb5::2]:4000 > server:53"},
	{"ports", "0"});

/* clang-format on */
