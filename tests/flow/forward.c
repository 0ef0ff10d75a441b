/* SPDX-License-Identifier: BSD-2-Clause */
/* forward: published ports of the host lead to guests. */
#include "../support/steps.h"

/* clang-format off */

STORY(forward, a_client_reaches_the_guest_as_itself, LAB(),
	{"uplink tcp server:4000 > host:8080 S seq 1000", "drop not-for-us"},
	{"forward tcp 8080 guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S seq 1000",
		"guest tcp server:4000 > guest:80 S seq 1000"},
	{"guest tcp guest:80 > server:4000 SA seq 5000 ack 1001",
		"uplink tcp host:8080 > server:4000 SA seq 5000 ack 1001"},
	{"uplink tcp server:4000 > host:8080 A seq 1001 ack 5001",
		"guest tcp server:4000 > guest:80 A"},
	{"states", "established"},
	{"ports", "0"});

STORY(forward, udp_and_tcp_are_published_apart, LAB(),
	{"forward udp 53 guest:5353", "ok"},
	{"uplink tcp server:4000 > host:53 S", "drop not-for-us"},
	{"uplink udp server:4000 > host:53", "guest udp server:4000 > guest:5353"},
	{"guest udp guest:5353 > server:4000", "uplink udp host:53 > server:4000"},
	{"forward tcp 53 second:53", "ok"},
	{"uplink tcp server:4000 > host:53 S", "second tcp server:4000 > second:53 S"});

STORY(forward, a_range_keeps_its_order, LAB(),
	{"forward udp 5000-5010 guest:7000", "ok"},
	{"uplink udp server:4000 > host:4999", "drop not-for-us"},
	{"uplink udp server:4000 > host:5000", "guest udp server:4000 > guest:7000"},
	{"uplink udp server:4000 > host:5010", "guest udp server:4000 > guest:7010"},
	{"uplink udp server:4000 > host:5011", "drop not-for-us"},
	{"guest udp guest:7010 > server:4000", "uplink udp host:5010 > server:4000"});

STORY(forward, one_address_of_the_host, LAB(),
	{"forward tcp host2:8080 guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S", "drop not-for-us"},
	{"uplink tcp server:4000 > host2:8080 S", "guest tcp server:4000 > guest:80 S"},
	{"forward tcp host:8080 second:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S", "second tcp server:4000 > second:80 S"},
	{"guest tcp guest:80 > server:4000 SA seq 5 ack 1",
		"uplink tcp host2:8080 > server:4000 SA"});

STORY(forward, claims_must_not_overlap, LAB(),
	{"forward tcp 8080-8089 guest:80", "ok"},
	{"forward tcp 8089 second:80", "EEXIST"},
	{"forward tcp host:8085 second:80", "EEXIST"},
	{"forward tcp 8000-9000 second:80", "EEXIST"},
	{"forward udp 8080 second:80", "ok"},
	{"forward tcp 8090 second:80", "ok"},
	{"unforward tcp 8080 guest:80", "ENOENT"},
	{"unforward tcp host:8080-8089 guest:80", "ENOENT"},
	{"unforward udp 8080-8089 guest:80", "ENOENT"},
	{"unforward tcp 8080-8089 guest:80", "ok"},
	{"unforward tcp 8080-8089 guest:80", "ENOENT"},
	{"forward tcp 8089 second:80", "ok"});

/* Port shadow, CVE-2021-3773: no guest's mapping is ever a published port, or the other way round.
 */
STORY(forward, never_a_port_of_mappings, LAB(),
	{"forward tcp 61000 guest:80", "EINVAL"},
	{"forward udp 61099 guest:80", "EINVAL"},
	{"forward udp 60990-61000 guest:80", "EINVAL"},
	{"forward udp 61050-61051 guest:80", "EINVAL"},
	{"forward udp 60990-60999 guest:80", "ok"},
	{"forward udp 61100 guest:80", "ok"});

STORY(forward, deleting_it_ends_its_flows, LAB(),
	{"forward tcp 8080 guest:80", "ok"},
	{"forward tcp 8081 guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S seq 1000", "guest tcp server:4000 > guest:80 S"},
	{"uplink tcp server:4001 > host:8081 S seq 1000", "guest tcp server:4001 > guest:80 S"},
	{"guest udp guest:8080 > server:8080", "uplink udp host:$a > server:8080"},
	{"flows", "3"},
	{"unforward tcp 8080 guest:80", "ok"},
	{"flows", "2"},
	{"uplink tcp server:4000 > host:8080 S seq 1000", "drop not-for-us"},
	{"guest tcp guest:80 > server:4000 SA seq 1 ack 1001",
		"drop no-flow", "guest tcp server:4000 > guest:80 R seq 1001"},
	{"guest tcp guest:80 > server:4001 SA seq 1 ack 1001",
		"uplink tcp host:8081 > server:4001 SA"});

STORY(forward, deleting_it_ends_no_flow_of_another, LAB(),
	{"forward tcp host:8080 guest:80", "ok"},
	{"forward tcp host2:8080 guest:80", "ok"},
	{"forward udp host:8080 guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S", "guest tcp server:4000 > guest:80 S"},
	{"uplink tcp server:4001 > host2:8080 S", "guest tcp server:4001 > guest:80 S"},
	{"uplink udp server:4000 > host:8080", "guest udp server:4000 > guest:80"},
	{"unforward tcp host:8080 guest:80", "ok"},
	{"flows", "2"},
	{"uplink tcp server:4001 > host2:8080 S", "guest tcp server:4001 > guest:80 S"},
	{"uplink udp server:4000 > host:8080", "guest udp server:4000 > guest:80"});

/* nf_nat_edemux.sh, and "dnat clash" of nft_nat.sh: one client socket, two published ports, one
 * service.  The guest must be able to tell the two connections apart. */
STORY(forward, two_published_ports_of_one_service, LAB(),
	{"forward tcp 8080 guest:80", "ok"},
	{"forward tcp 8081 guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S seq 1000", "guest tcp server:4000 > guest:80 S"},
	{"uplink tcp server:4000 > host:8081 S seq 2000", "guest tcp server:$a > guest:80 S"},
	{"guest tcp guest:80 > server:4000 SA seq 1 ack 1001",
		"uplink tcp host:8080 > server:4000 SA"},
	{"guest tcp guest:80 > server:$a SA seq 1 ack 2001",
		"uplink tcp host:8081 > server:4000 SA"},
	{"flows", "2"});

/* RFC 4787 REQ-9, RFC 5382 REQ-8: from inside through the host's address, and the source is seen
 * as the host, with a port of ours. */
STORY(forward, hairpin, LAB(),
	{"forward tcp 8080 second:80", "ok"},
	{"guest tcp guest:4000 > host:8080 S seq 1000",
		"second tcp host:$a > second:80 S seq 1000"},
	{"second tcp second:80 > host:$a SA seq 5000 ack 1001",
		"guest tcp host:8080 > guest:4000 SA seq 5000 ack 1001"},
	{"guest tcp guest:4000 > host:8080 A seq 1001 ack 5001",
		"second tcp host:$a > second:80 A"},
	{"states", "established"},
	{"ports", "1"},
	{"far tcp far:4000 > host2:8080 S", "second tcp host2:$b > second:80 S"});

/* ... also back to who asked, and to others behind the same link. */
STORY(forward, hairpin_to_oneself, LAB(),
	{"forward udp 8080 guest:80", "ok"},
	{"guest udp guest:4000 > host:8080", "guest udp host:$a > guest:80"},
	{"guest udp guest:80 > host:$a", "guest udp host:8080 > guest:4000"},
	{"forward udp 8081 wider:81", "ok"},
	{"wide udp wide:4000 > host:8081", "wide udp host:$b > wider:81"},
	{"wide udp wider:81 > host:$b", "wide udp host:8081 > wide:4000"});

/* RFC 4787 REQ-9: by its external port a guest's socket is found, but the filter keeps guests apart. */
STORY(forward, a_mapping_is_not_for_other_guests, LAB(),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"second udp second:6000 > host:$a",
		"drop reject",
		"second icmp gateway > second prohibited about udp second:6000 > host:$a"});

STORY(forward, the_filter_decides,
	LAB("[filter forward]\npolicy = drop\n"
	    "rule = accept forwarded to 10.77.0.2,fd77::2\n"),
	{"forward tcp 8080 guest:80", "ok"},
	{"forward tcp 8081 second:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S", "guest tcp server:4000 > guest:80 S"},
	{"uplink tcp server:4000 > host:8081 S", "drop filter"});

STORY(forward, to_a_guest_that_is_not_there, LAB(),
	{"forward tcp 8080 nobody:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S", "drop no-link"},
	{"guest tcp guest:4000 > host:8080 S",
		"drop no-link",
		"guest icmp gateway > guest host-unreachable about tcp guest:4000 > host:8080"});

STORY(forward, answers_need_a_way_back, LAB(),
	{"forward tcp 8080 guest:80", "ok"},
	{"uplink tcp nowhere:4000 > host:8080 S", "drop no-route"},
	{"flows", "0"});

/* To a published port of our own: out of a mapping, whatever the client's ports are. */
STORY(forward, the_guest_s_own_connections_stay_apart, LAB(),
	{"forward udp 8080 guest:80", "ok"},
	{"uplink udp server:4000 > host:8080", "guest udp server:4000 > guest:80"},
	{"guest udp guest:80 > server:4000", "uplink udp host:8080 > server:4000"},
	{"guest udp guest:80 > server:4001", "uplink udp host:$a > server:4001"},
	{"uplink udp server:4001 > host:$a", "guest udp server:4001 > guest:80"});

/* Whom it is talking to, and where that one wanted to go, a program can ask by either end. */
Test(forward, a_flow_is_found_by_the_ends_of_its_packets)
{
	static const struct step steps[] = {{"forward tcp 8080 guest:80", "ok"},
		{"uplink tcp server:4000 > host:8080 S seq 1000", "guest tcp server:4000 > guest:80 S"},
		{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"}, {NULL}};
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));
	struct flow_ends ends = {
		.zone = 0,
		.family = AF_INET,
		.protocol = IPPROTO_TCP,
		.source = lab_address(lab, "guest"),
		.destination = lab_address(lab, "server"),
		.source_port = 80,
		.destination_port = 4000,
	};
	const union addr host = lab_address(lab, "host");
	struct flow_info info;

	steps_play(lab, steps);
	cr_assert(engine_flow_find(lab->engine, &ends, &info));
	cr_expect(addr_equal(&info.direction[0].destination, &host));
	cr_expect_eq(info.direction[0].destination_port, 8080);
	cr_expect(info.forwarded);
	cr_expect_not(info.redirected);
	ends.source_port = 81;
	cr_expect_not(engine_flow_find(lab->engine, &ends, &info));
	ends = (struct flow_ends){.zone = 0,
		.family = AF_INET,
		.protocol = IPPROTO_UDP,
		.source = lab_address(lab, "guest"),
		.destination = lab_address(lab, "server"),
		.source_port = 5000,
		.destination_port = 53};
	cr_assert(engine_flow_find(lab->engine, &ends, &info));
	cr_expect_not(info.forwarded);
	ends.zone = 1;
	cr_expect_not(engine_flow_find(lab->engine, &ends, &info), "another's");
	lab_close(lab);
}
