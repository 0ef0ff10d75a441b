/* SPDX-License-Identifier: BSD-2-Clause */
/* rules: what the words of the rule language do to packets; see policy.c for when rules are asked.
 */
#include <stdio.h>
#include "engine/state.h"
#include "../support/packets.h"
#include "../support/steps.h"

/* clang-format off */

#define DROP "[filter forward]\npolicy = drop\n"

/* ---- words about flows ---- */

STORY(rules, not_turns_a_word_around,
	LAB(DROP "rule = accept in not far from not 10.77.0.3,fd77::3 proto not tcp,icmp "
		 "out not lan\n"
		 "rule = accept proto tcp to port not 80,443\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"second udp second:5000 > server:99", "drop filter"},
	{"far udp far:5000 > server:99", "drop filter"},
	{"guest udp guest:5000 > far:99", "drop filter"},
	{"guest icmp guest > server echo id 1", "drop filter"},
	{"guest tcp guest:4000 > server:80 S", "drop filter"},
	{"guest tcp guest:4000 > server:22 S", "uplink tcp host:$b > server:22 S"});

STORY(rules, sets_ranges_and_names_of_links,
	LAB("[sets]\n"
	    "servers = 198.51.100.2-198.51.100.3, 2001:db8:1::2-2001:db8:1::3\n"
	    "servers = 203.0.113.0/24\n"
	    "web = 80, 8000-8010\n"
	    "nobody =\n"
	    DROP "rule = accept from guest to @servers proto tcp port @web,22\n"
	    "rule = accept from @nobody\n"
	    "rule = accept from not @nobody to 198.51.100.1,2001:db8:1::1 proto udp\n"),
	{"guest tcp guest:4000 > server2:80 S", "uplink tcp host:$a > server2:80 S"},
	{"guest tcp guest:4001 > server3:8010 S", "uplink tcp host:$b > server3:8010 S"},
	{"guest tcp guest:4002 > server3:22 S", "uplink tcp host:$c > server3:22 S"},
	{"guest tcp guest:4003 > server3:8011 S", "drop filter"},
	{"guest tcp guest:4003 > server:80 S", "drop filter"},
	{"second tcp second:4003 > server2:80 S", "drop filter"},
	{"counted forward 1", "0"});

STORY(rules, families,
	LAB(DROP "rule = accept family ipv4\n", .families = LAB_IPV4),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"});
STORY(rules, the_other_family,
	LAB(DROP "rule = accept family ipv4\n", .families = LAB_IPV6),
	{"guest udp guest:5000 > server:99", "drop filter"});

/* ---- words about single packets ---- */

/* No verdict is remembered where a packet's own words had a part in it. */
STORY(rules, each_packet_has_its_own_flags,
	LAB(DROP "rule = drop proto tcp tcp-flags psh/psh\n"
		 "rule = accept proto tcp\n"),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001", "guest tcp server:80 > guest:4000"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001", "uplink tcp host:$a > server:80"},
	{"guest tcp guest:4000 > server:80 PA seq 1001 ack 5001 len 10", "drop filter"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001 len 10",
		"uplink tcp host:$a > server:80 A len 10"},
	{"counted forward 0", "1"},
	{"counted forward 1", "4"});

STORY(rules, length_and_ttl,
	LAB(DROP "rule = drop ttl 0-5\n"
		 "rule = accept proto udp length not 101-65535\n"),
	{"guest udp guest:5000 > server:99 len 40", "uplink udp host:$a > server:99 len 40"},
	{"guest udp guest:5000 > server:99 len 40 ttl 5", "drop filter"},
	{"guest udp guest:5000 > server:99 len 40 ttl 6", "uplink udp host:$a > server:99 ttl 5"},
	{"guest udp guest:5000 > server:99 len 100", "drop filter"});

STORY(rules, dscp,
	LAB(DROP "rule = accept dscp ef\n", .families = LAB_IPV4),
	{"guest udp guest:5000 > server:99 tos 184", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99 tos 186", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99 tos 188", "drop filter"},
	{"guest udp guest:5000 > server:99", "drop filter"});

/* An ICMP flow that began with an echo is no way for another type. */
STORY(rules, icmp_types_of_each_packet,
	LAB(DROP "rule = accept proto icmp icmp-type echo-request\n"
		 "rule = accept state related proto icmp icmp-type port-unreachable\n"
		 "rule = accept proto udp\n"),
	{"guest icmp guest > server echo id 1", "uplink icmp host > server echo id $a"},
	{"uplink icmp server > host reply id $a", "drop filter"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$b > server:99"},
	{"uplink icmp server > host port-unreachable about udp host:$b > server:99",
		"guest icmp server > guest port-unreachable about udp guest:5000 > server:99"},
	{"uplink icmp router > host host-unreachable about udp host:$b > server:99",
		"drop filter"});

/* ---- limits ---- */

STORY(rules, a_limit_is_a_burst_and_then_a_rate,
	LAB(DROP "rule = accept proto udp limit 2/second burst 3\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "drop filter"},
	{"wait 0.499"},
	{"guest udp guest:5000 > server:99", "drop filter"},
	{"wait 0.001"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "drop filter"},
	{"wait 100"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "drop filter"},
	{"counted forward 0", "7"},
	{"counted forward 1", "4"});

STORY(rules, over_a_limit_is_the_rest,
	LAB(DROP "rule = reject proto udp limit over 1/minute burst 2\n"
		 "rule = accept\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest tcp guest:4000 > server:80 S", "uplink tcp host:$b > server:80 S"},
	{"guest udp guest:5001 > server:99", "uplink udp host:$c > server:99"},
	{"guest udp guest:5002 > server:99", "drop reject",
		"guest icmp gateway > guest prohibited about udp guest:5002 > server:99"},
	{"guest udp guest:5000 > server:99", "drop reject",
		"guest icmp gateway > guest prohibited about udp guest:5000 > server:99"},
	{"wait 60"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"counted forward 0", "2"},
	{"counted forward 1", "4"});

STORY(rules, limits_per_source_and_destination,
	LAB(DROP "rule = drop state new limit over 1/hour burst 1 per source\n"
		 "rule = drop limit over 1/hour burst 1 per destination\n"
		 "rule = accept\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5001 > server2:99", "drop filter"},
	{"second udp second:5000 > server2:99", "uplink udp host:$b > server2:99"},
	{"far udp far:5000 > server2:99", "drop filter"},
	{"far udp far:5001 > server3:99", "drop filter"},
	{"wide udp wide:5001 > server3:99", "uplink udp host:$c > server3:99"},
	{"wide udp wider:5001 > server3:99", "drop filter"},
	{"counted forward 0", "2"},
	{"counted forward 1", "2"});

/* A reload begins limits anew, and takes what is counted along. */
STORY(rules, limits_begin_anew_with_a_ruleset,
	LAB(DROP "rule = accept limit 1/day burst 1\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "drop filter"},
	{"rules " DROP "rule = accept limit 1/day burst 1\n"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "drop filter"},
	{"counted forward 0", "2"});

/* ---- connections ---- */

STORY(rules, connections_per_source,
	LAB(DROP "rule = drop proto tcp port 22 connections over 2 per source\n"
		 "rule = accept\n"),
	{"guest tcp guest:4000 > server:22 S", "uplink tcp host:$a > server:22 S"},
	{"guest tcp guest:4000 > server:22 S", "uplink tcp host:$a > server:22 S"},
	{"guest tcp guest:4001 > server:22 S", "uplink tcp host:$b > server:22 S"},
	{"guest tcp guest:4002 > server:22 S", "drop filter"},
	{"guest tcp guest:4000 > server:22 S", "uplink tcp host:$a > server:22 S"},
	{"guest tcp guest:4003 > server:80 S", "uplink tcp host:$c > server:80 S"},
	{"second tcp second:4000 > server:22 S", "uplink tcp host:$d > server:22 S"},
	{"uplink tcp server:22 > host:$a RA ack 1", "guest tcp server:22 > guest:4000 RA"},
	{"guest tcp guest:4002 > server:22 S", "drop filter"},
	{"wait 241"},
	{"flows", "0"},
	{"guest tcp guest:4002 > server:22 S", "uplink tcp host:$e > server:22 S"});

STORY(rules, connections_per_destination_and_of_all,
	LAB(DROP "rule = drop proto udp connections over 1 per destination\n"
		 "rule = drop proto icmp connections over 1\n"
		 "rule = accept\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"second udp second:5000 > server:99", "drop filter"},
	{"second udp second:5000 > server2:99", "uplink udp host:$b > server2:99"},
	{"guest icmp guest > server echo id 1", "uplink icmp host > server echo id $c"},
	{"second icmp second > server2 echo id 1", "drop filter"},
	{"guest icmp guest > server echo id 1", "uplink icmp host > server echo id $c"});

/* Flows that live when a ruleset comes are counted by it; those that end, are not. */
STORY(rules, connections_across_a_reload,
	LAB(DROP "rule = accept state established\n"
		 "rule = drop proto udp connections over 5 per source\n"
		 "rule = accept\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"guest udp guest:5001 > server:99", "uplink udp host:$b > server:99"},
	{"rules [chain udp]\nrule = drop proto udp connections over 2 per source\n"
	 DROP "rule = accept state established\n"
	      "rule = jump udp proto udp\n"
	      "rule = accept\n"},
	{"guest udp guest:5002 > server:99", "drop filter"},
	{"second udp second:5002 > server:99", "uplink udp host:$c > server:99"},
	{"wait 200"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"wait 101"},
	{"flows", "1"},
	{"guest udp guest:5002 > server:99", "uplink udp host:$d > server:99"},
	{"guest udp guest:5003 > server:99", "drop filter"},
	{"rules [filter forward]\npolicy = accept\n"},
	{"guest udp guest:5003 > server:99", "uplink udp host:$e > server:99"},
	{"wait 301"},
	{"flows", "0"});

/* ---- chains ---- */

STORY(rules, chains_jump_return_and_count,
	LAB("[chain web]\n"
	    "rule = jump names\n"
	    "rule = return to 198.51.100.2,2001:db8:1::2\n"
	    "rule = accept proto tcp port 80\n"
	    "[chain names]\n"
	    "rule = accept proto udp port 53\n"
	    DROP "rule = jump web in lab\n"
	    "rule = accept proto tcp port 81\n"
	    "rule = return proto tcp port 82\n"
	    "rule = accept proto tcp port 82\n"),
	{"guest tcp guest:4000 > server:80 S", "uplink tcp host:$a > server:80 S"},
	{"guest tcp guest:4000 > server2:80 S", "drop filter"},
	{"guest tcp guest:4000 > server2:81 S", "uplink tcp host:$a > server2:81 S"},
	{"guest udp guest:4000 > server2:53", "uplink udp host:$c > server2:53"},
	{"guest udp guest:4000 > server2:53", "uplink udp host:$c > server2:53"},
	{"guest tcp guest:4000 > server3:82 S", "drop filter"},
	{"far tcp far:4000 > server:80 S", "drop filter"},
	{"counted forward 0", "6"},
	{"counted forward 1", "1"},
	{"counted forward 2", "1"},
	{"counted forward 3", "0"},
	{"counted forward 4", "3"},
	{"counted web 0", "6"},
	{"counted web 1", "2"},
	{"counted web 2", "1"},
	{"counted names 0", "2"});

/* ---- what the sender is told ---- */

#define REJECTS(what) LAB("[filter forward]\npolicy = accept\nrule = reject with " what " proto tcp\n")

STORY(rules, reject_with_a_reset, REJECTS("tcp-reset"),
	{"guest tcp guest:4000 > server:25 S seq 1000", "drop reject",
		"guest tcp server:25 > guest:4000 RA seq 0 ack 1001"});
STORY(rules, reject_with_port_unreachable, REJECTS("port-unreachable"),
	{"guest tcp guest:4000 > server:25 S seq 1000", "drop reject",
		"guest icmp gateway > guest port-unreachable about tcp guest:4000 > server:25 S"});
STORY(rules, reject_with_host_unreachable, REJECTS("host-unreachable"),
	{"guest tcp guest:4000 > server:25 S seq 1000", "drop reject",
		"guest icmp gateway > guest host-unreachable about tcp guest:4000 > server:25 S"});
STORY(rules, reject_with_net_unreachable, REJECTS("net-unreachable"),
	{"guest tcp guest:4000 > server:25 S seq 1000", "drop reject",
		"guest icmp gateway > guest net-unreachable about tcp guest:4000 > server:25 S"});
STORY(rules, reject_with_proto_unreachable, REJECTS("proto-unreachable"),
	{"guest tcp guest:4000 > server:25 S seq 1000", "drop reject",
		"guest icmp gateway > guest proto-unreachable about tcp guest:4000 > server:25 S"});
STORY(rules, reject_with_prohibited, REJECTS("prohibited"),
	{"guest tcp guest:4000 > server:25 S seq 1000", "drop reject",
		"guest icmp gateway > guest prohibited about tcp guest:4000 > server:25 S"});

/* A rule that says what to tell is meant for the uplink as well, under our outer address. */
STORY(rules, reject_with_answers_the_uplink,
	LAB("[filter forward]\npolicy = drop\n"
	    "rule = reject with tcp-reset in uplink proto tcp port 80\n"
	    "rule = reject with port-unreachable in uplink\n"),
	{"forward tcp 8080 guest:80", "ok"},
	{"forward udp 8080 guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S seq 7", "drop reject",
		"uplink tcp host:8080 > server:4000 RA seq 0 ack 8"},
	{"uplink udp server:4000 > host:8080", "drop reject",
		"uplink icmp host > server port-unreachable about udp server:4000 > host:8080"});

/* ---- the log ---- */

STORY(rules, log_goes_on_and_tells_each_packet,
	LAB("[chain watched]\nrule = drop proto udp port 98 log \"no # such; port\"\n"
	    DROP "rule = log \"all\" proto udp\n"
	    "rule = jump watched\n"
	    "rule = accept proto udp comment \"the rest, as it is\"\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"logged", "1 forward all in=guest out=uplink 99 suppressed 0"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"logged", "2 forward all in=guest out=uplink 99 suppressed 0"},
	{"guest udp guest:5000 > server:98", "drop filter"},
	{"logged", "4 watched no # such; port in=guest out=uplink 98 suppressed 0"},
	{"guest tcp guest:5000 > server:98 S", "drop filter"},
	{"logged", "4 watched"},
	{"counted forward 0", "3"},
	{"counted forward 2", "2"});

STORY(rules, negated_lists_of_the_other_family,
	LAB(DROP "rule = accept to not 198.51.100.0/24\n", .families = LAB_IPV6),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"});

/* clang-format on */

/* Ten lines a second, twenty at once; the next line tells how many there would have been. */
Test(rules, the_log_of_a_rule_is_limited)
{
	static const struct step first[] = {
		{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"}, {NULL}};
	static const struct step after[] = {{"logged", "20 forward x in=guest out=uplink 99"},
		{"wait 0.1"},
		{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
		{"logged", "21 forward x in=guest out=uplink 99 suppressed 30"}, {NULL}};
	struct lab *lab = lab_open(AF_INET, LAB("[filter forward]\nrule = accept log \"x\"\n"));
	struct rule_info info;

	for (unsigned i = 0; i < 50; i++)
		steps_play(lab, first);
	steps_play(lab, after);
	cr_expect(engine_rule_info(lab->engine, CHAIN_FORWARD, 0, &info));
	cr_expect_eq(info.log_suppressed, 30);
	cr_expect_eq(info.counter.packets, 51);
	lab_close(lab);
}

/* More addresses than there are buckets: nobody gains credit by it. */
Test(rules, a_crowd_of_addresses_gets_no_more_than_the_table)
{
	static const char rules[] = "[filter forward]\npolicy = drop\nrule = accept limit 1/day "
				    "burst 1 per destination\n";
	struct lab *lab =
		lab_open(AF_INET, LAB(.config = rules, .flows = 8192, .ports = {61000, 61999}));
	unsigned passed = 0;

	for (unsigned i = 0; i < 4096; i++) {
		char text[80];

		snprintf(text, sizeof(text), "guest udp guest:5000 > 203.0.%u.%u:99", 100 + i / 256,
			i % 256);
		struct packet *packet = steps_packet(lab, text);
		passed += lab_send(lab, packet) == VERDICT_SEND;
		packet_dispose(packet);
	}
	cr_expect_geq(passed, 512);
	cr_expect_leq(passed, 1024);
	lab_close(lab);
}
