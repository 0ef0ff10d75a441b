/* SPDX-License-Identifier: BSD-2-Clause */
/* policy: what the rules see, when they are asked, and what they say. */
#include "engine/state.h"
#include "../support/steps.h"

/* clang-format off */

/* The tutorial: FORWARD sees guests' own addresses, behind DNAT and before SNAT, both ways. */
STORY(policy, rules_see_guests_own_addresses,
	LAB("[filter forward]\npolicy = drop\n"
	    "rule = accept from 10.77.0.2,fd77::2 proto udp from port 5000 to port 99\n"
	    "rule = accept to 10.77.0.2,fd77::2 proto udp from port 99 to port 5000\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"counted forward 0", "1"},
	{"counted forward 1", "1"},
	{"guest udp guest:5001 > server:99", "drop filter"},
	{"second udp second:5000 > server:99", "drop filter"},
	{"counted forward 2", "2"});

STORY(policy, rules_see_published_guests_own_addresses,
	LAB("[filter forward]\npolicy = drop\n"
	    "rule = accept in uplink to 10.77.0.2,fd77::2 proto tcp to port 80\n"
	    "rule = accept out uplink from 10.77.0.2,fd77::2 proto tcp from port 80\n"),
	{"forward tcp 8080 guest:80", "ok"},
	{"forward tcp 8081 guest:81", "ok"},
	{"uplink tcp server:4000 > host:8080 S seq 1", "guest tcp server:4000 > guest:80 S"},
	{"guest tcp guest:80 > server:4000 SA seq 5 ack 2", "uplink tcp host:8080 > server:4000"},
	{"uplink tcp server:4000 > host:8081 S seq 1", "drop filter"},
	{"counted forward 0", "1"},
	{"counted forward 1", "1"});

/* A flow is new until it is answered, then established, both ways. */
STORY(policy, states,
	LAB("[filter forward]\npolicy = drop\n"
	    "rule = accept state new in lan out uplink proto udp\n"
	    "rule = accept state established in uplink\n"
	    "rule = accept state established in lan\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"counted forward 0", "2"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"counted forward 1", "1"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"counted forward 0", "2"},
	{"counted forward 1", "2"},
	{"counted forward 2", "1"});

STORY(policy, sides_and_networks,
	LAB("[filter forward]\npolicy = drop\n"
	    "rule = accept state established\n"
	    "rule = accept in far out lab\n"
	    "rule = accept in lab out uplink\n"),
	{"far udp far:5000 > guest:53", "guest udp far:5000 > guest:53"},
	{"guest udp guest:53 > far:5000", "far udp guest:53 > far:5000"},
	{"guest udp guest:53 > far:5001", "drop filter"},
	{"far udp far:5000 > server:53", "drop filter"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"far udp far:5000 > wide:53", "drop filter"});

STORY(policy, protocols_and_types,
	LAB("[filter forward]\npolicy = drop\n"
	    "rule = accept state established\n"
	    "rule = accept proto icmp icmp-type echo-request\n"
	    "rule = accept proto tcp to port 80,443,8000-8010\n"
	    "rule = accept proto 47\n"),
	{"guest icmp guest > server echo id 1", "uplink icmp host > server echo id $a"},
	{"uplink icmp server > host reply id $a", "guest icmp server > guest reply id 1"},
	{"guest tcp guest:4000 > server:443 S", "uplink tcp host:$b > server:443 S"},
	{"guest tcp guest:4001 > server:8010 S", "uplink tcp host:$c > server:8010 S"},
	{"guest tcp guest:4001 > server:8011 S", "drop filter"},
	{"guest udp guest:4001 > server:80", "drop filter"},
	{"guest proto 47 guest > server", "uplink proto 47 host > server"},
	{"guest proto 50 guest > server", "drop filter"});

/* What is refused makes no state; a guest is told, the uplink is not. */
STORY(policy, reject,
	LAB("[filter forward]\npolicy = reject\n"
	    "rule = accept in lan out uplink proto udp to port 53\n"),
	{"forward tcp 8080 guest:80", "ok"},
	{"forward udp 8080 guest:80", "ok"},
	{"guest tcp guest:4000 > server:25 S seq 1000 len 4",
		"drop reject", "guest tcp server:25 > guest:4000 RA seq 0 ack 1005"},
	{"guest udp guest:4000 > server:25 len 20",
		"drop reject",
		"guest icmp gateway > guest prohibited about udp guest:4000 > server:25 len 20"},
	{"guest icmp guest > server echo id 1",
		"drop reject",
		"guest icmp gateway > guest prohibited about icmp guest > server echo id 1"},
	{"guest proto 47 guest > server",
		"drop reject",
		"guest icmp gateway > guest prohibited about proto 47 guest > server"},
	{"uplink tcp server:4000 > host:8080 S", "drop reject"},
	{"uplink udp server:4000 > host:8080", "drop reject"},
	{"flows", "0"},
	{"routes", "6"});

/* What was cached is not what counts after a reload; the flow stays. */
STORY(policy, a_new_ruleset_holds_for_live_flows, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001", "guest tcp server:80 > guest:4000"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001", "uplink tcp host:$a > server:80"},
	{"rules [filter forward]\npolicy = reject\nrule = drop in uplink"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 1001 len 10", "drop filter"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001 len 10",
		"drop reject", "guest tcp server:80 > guest:4000 R seq 5001"},
	{"flows", "1"},
	{"rules [filter forward]\npolicy = drop\nrule = accept state established\n"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 1001 len 10",
		"guest tcp server:80 > guest:4000 A len 10"},
	{"counted forward 0", "1"},
	{"second tcp second:4000 > server:80 S", "drop filter"});

/* A packet that was refused does not keep its flow alive. */
STORY(policy, refused_packets_refresh_nothing, LAB(),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"rules [filter forward]\npolicy = drop\n"},
	{"wait 200"},
	{"guest udp guest:5000 > server:99", "drop filter"},
	{"wait 101"},
	{"flows", "0"});

/* Rules with the same words go on counting, wherever they stand now. */
STORY(policy, counters_are_carried_over,
	LAB("[filter forward]\npolicy = drop\n"
	    "rule = accept proto udp to port 99\n"
	    "rule = accept proto udp to port 98\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server:98", "uplink udp host:$a > server:98"},
	{"guest udp guest:5000 > server:98", "uplink udp host:$a > server:98"},
	{"guest udp guest:5000 > server:97", "drop filter"},
	{"rules [filter forward]\npolicy = drop\n"
	 "rule = accept proto udp to port 97\n"
	 "rule = accept proto udp to port 98\n",
		},
	{"counted forward 0", "0"},
	{"counted forward 1", "2"},
	{"counted forward 2", "1"},
	{"guest udp guest:5000 > server:98", "uplink udp host:$a > server:98"},
	{"counted forward 1", "3"});

/* Chain output sees what the gateway's own services send, chain input what they are sent. */
STORY(policy, chains_of_the_services,
	LAB("[filter input]\npolicy = drop\n"
	    "rule = accept in lab proto udp to port 53\n"
	    "[filter output]\npolicy = drop\n"
	    "rule = accept state established\n"),
	{"guest udp guest:5000 > gateway:53", "service udp guest:5000 > gateway:53 ttl 64"},
	{"service udp gateway:53 > guest:5000", "guest udp gateway:53 > guest:5000 ttl 64"},
	{"counted input 0", "1"},
	{"counted output 0", "1"},
	{"counted forward 0", "0"},
	{"far udp far:5000 > far-gateway:53", "drop filter"},
	{"guest tcp guest:5000 > gateway:53 S", "drop filter"},
	{"service udp gateway:1000 > guest:5000", "drop filter"},
	{"service udp gateway:1000 > server:5000", "drop filter"});

/* clang-format on */

/* An engine that has been given no rules yet lets nobody through. */
Test(policy, without_rules_nothing_begins)
{
	static const struct step steps[] = {{"guest udp guest:5000 > server:99", "drop filter"},
		{"uplink udp server:99 > host:61000", "drop not-for-us"},
		{"guest udp guest:5000 > gateway:53", "drop filter"}, {NULL}};
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));
	struct ruleset *rules = lab->engine->ruleset;
	struct rule_info info;

	lab->engine->ruleset = NULL;
	steps_play(lab, steps);
	cr_expect_not(engine_rule_info(lab->engine, CHAIN_FORWARD, 0, &info));
	lab->engine->ruleset = rules;
	lab_close(lab);
}
