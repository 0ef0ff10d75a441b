/* SPDX-License-Identifier: BSD-2-Clause */
/* limits: what one guest may have, what gives way for it, and that nobody else notices. */
#include <stdio.h>
#include "../support/packets.h"
#include "../support/steps.h"

/* clang-format off */

/* RFC 5508 REQ-8, RFC 6888 REQ-4: a guest at its limit is told; what it has it keeps; others go on. */
STORY(limits, open_connections_are_kept, LAB("[limits]\nguest-flows = 2\n"),
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"},
	{"uplink udp server:9 > host:$a", "guest"},
	{"guest udp guest:2 > server:9", "uplink udp host:$b > server:9"},
	{"uplink udp server:9 > host:$b", "guest"},
	{"guest udp guest:3 > server:9",
		"drop guest-limit",
		"guest icmp gateway > guest prohibited about udp guest:3 > server:9"},
	{"states", "replied replied"},
	{"second udp second:3 > server:9", "uplink udp host:$c > server:9"},
	{"refused guest flows", "1"},
	{"refused second flows", "0"},
	{"uplink udp server:9 > host:$a", "guest udp server:9 > guest:1"},
	{"wait 400"},
	{"guest udp guest:3 > server:9", "uplink"});

/* RFC 6888 REQ-11: only what nobody has answered, and only its own, the oldest first. */
STORY(limits, the_guest_s_own_oldest_gives_way, LAB("[limits]\nguest-flows = 3\n"),
	{"second udp second:1 > server:9", "uplink udp host:$z > server:9"},
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"},
	{"guest udp guest:2 > server:9", "uplink udp host:$b > server:9"},
	{"guest udp guest:3 > server:9", "uplink udp host:$c > server:9"},
	{"uplink udp server:9 > host:$a", "guest udp server:9 > guest:1"},
	{"guest udp guest:4 > server:9", "uplink udp host:$d > server:9"},
	{"flows", "4"},
	{"uplink udp server:9 > host:$b", "drop not-for-us"},
	{"uplink udp server:9 > host:$c", "guest udp server:9 > guest:3"},
	{"uplink udp server:9 > host:$z", "second udp server:9 > second:1"},
	{"refused guest half_open", "1"});

STORY(limits, half_open_connections, LAB("[limits]\nguest-half-open = 2\n"),
	{"guest tcp guest:1 > server:9 S seq 10", "uplink tcp host:$a > server:9 S"},
	{"guest tcp guest:2 > server:9 S seq 10", "uplink tcp host:$b > server:9 S"},
	{"uplink tcp server:9 > host:$b SA seq 50 ack 11", "guest tcp server:9 > guest:2 SA"},
	{"guest tcp guest:3 > server:9 S seq 10", "uplink tcp host:$c > server:9 S"},
	{"states", "syn-sent syn-received"},
	/* a handshake is not complete with its SYN-ACK */
	{"guest tcp guest:4 > server:9 S seq 10", "uplink tcp host:$d > server:9 S"},
	{"flows", "2"},
	{"uplink tcp server:9 > host:$c SA seq 50 ack 11", "guest tcp server:9 > guest:3 SA"},
	{"guest tcp guest:3 > server:9 A seq 11 ack 51", "uplink tcp host:$c > server:9 A"},
	{"guest tcp guest:5 > server:9 S seq 10", "uplink tcp host:$e > server:9 S"},
	{"guest tcp guest:6 > server:9 S seq 10", "uplink tcp host:$f > server:9 S"},
	{"flows", "3"},
	{"guest tcp guest:3 > server:9 A seq 11 ack 51 len 5", "uplink tcp host:$c > server:9 A"});

/* What is closed waits for whoever needs its place, and is not counted. */
STORY(limits, finished_connections_are_not_counted, LAB("[limits]\nguest-flows = 1\n"),
	{"guest tcp guest:1 > server:9 S seq 10", "uplink tcp host:$a > server:9 S"},
	{"uplink tcp server:9 > host:$a RA ack 11", "guest tcp server:9 > guest:1 RA"},
	{"guest tcp guest:2 > server:9 S seq 10", "uplink tcp host:$b > server:9 S"},
	{"uplink tcp server:9 > host:$b RA ack 11", "guest tcp server:9 > guest:2 RA"},
	{"states", "close close"},
	{"has guest flows", "0 0"},
	{"has guest half_open", "0 0"},
	{"guest tcp guest:1 > server:9 S seq 90", "uplink tcp host:$c > server:9 S"},
	{"has guest flows", "1 0"},
	{"wait 300"},
	{"flows", "0"},
	{"has guest flows", "0 0"});

/* A flood against a published port takes what comes in, and nothing else. */
STORY(limits, a_published_port_under_attack, LAB("[limits]\nguest-flows = 3\nguest-half-open = 2\n"),
	{"forward tcp 8080 guest:80", "ok"},
	{"uplink tcp server:1 > host:8080 S seq 10", "guest tcp server:1 > guest:80 S"},
	{"guest tcp guest:80 > server:1 SA seq 50 ack 11", "uplink tcp host:8080 > server:1 SA"},
	{"uplink tcp server:1 > host:8080 A seq 11 ack 51", "guest tcp server:1 > guest:80 A"},
	{"uplink tcp server2:1 > host:8080 S", "guest"},
	{"uplink tcp server2:2 > host:8080 S", "guest"},
	{"uplink tcp server2:3 > host:8080 S", "guest"},
	{"uplink tcp server2:4 > host:8080 S", "guest"},
	{"has guest half_open", "0 2"},
	{"has guest flows", "0 3"},
	{"states", "established syn-sent syn-sent"},
	{"guest tcp guest:1 > server:9 S", "uplink tcp host:$a > server:9 S"},
	{"guest tcp guest:2 > server:9 S", "uplink tcp host:$b > server:9 S"},
	{"has guest flows", "2 3"},
	{"uplink tcp server:1 > host:8080 A seq 11 ack 51 len 5", "guest tcp server:1 > guest:80 A"});

/* ... in silence where no half-open one is left to give way. */
STORY(limits, the_uplink_is_not_told, LAB("[limits]\nguest-flows = 1\n"),
	{"forward udp 8080 guest:80", "ok"},
	{"uplink udp server:1 > host:8080", "guest udp server:1 > guest:80"},
	{"guest udp guest:80 > server:1", "uplink udp host:8080 > server:1"},
	{"uplink udp server:2 > host:8080", "drop guest-limit"},
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"});

/* All that is half open from outside: a quarter of four records, so one, but for who has none. */
STORY(limits, the_table_is_not_the_world_s, LAB(.flows = 4),
	{"forward udp 8080 guest:80", "ok"},
	{"forward udp 8081 second:80", "ok"},
	{"uplink udp server:1 > host:8080", "guest udp server:1 > guest:80"},
	{"uplink udp server:2 > host:8080", "guest udp server:2 > guest:80"},
	{"uplink udp server:3 > host:8080", "guest udp server:3 > guest:80"},
	{"flows", "1"},
	{"uplink udp server:1 > host:8081", "second udp server:1 > second:80"},
	{"flows", "2"},
	{"uplink udp server:2 > host:8081", "second udp server:2 > second:80"},
	{"flows", "2"});

/* RFC 6888 REQ-4: ports of each protocol. */
STORY(limits, ports, LAB("[limits]\nguest-ports = 1\n"),
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"},
	{"guest udp guest:1 > server2:9", "uplink udp host:$a > server2:9"},
	{"guest icmp guest > server echo id 7", "uplink icmp host > server echo id $b"},
	{"guest tcp guest:1 > server:9 S seq 10", "uplink tcp host:$c > server:9 S"},
	{"has guest ports", "1 1 1"},
	/* a closed connection's port is there for the next */
	{"uplink tcp server:9 > host:$c RA ack 11", "guest"},
	{"guest tcp guest:2 > server:9 S seq 10", "uplink tcp host:$d > server:9 S"},
	{"has guest ports", "1 1 1"},
	{"uplink tcp server:9 > host:$d SA seq 50 ack 11", "guest"},
	{"guest tcp guest:2 > server:9 A seq 11 ack 51", "uplink"},
	/* so is that of what nobody has answered */
	{"guest udp guest:2 > server:9", "uplink udp host:$e > server:9"},
	{"uplink udp server:9 > host:$e", "guest"},
	{"has guest ports", "1 1 1"},
	{"states", "replied unreplied established"},
	/* but not that of a live one */
	{"guest tcp guest:3 > server:9 S seq 10",
		"drop guest-limit",
		"guest icmp gateway > guest prohibited about tcp guest:3 > server:9"},
	{"refused guest ports", "1"},
	{"second tcp second:2 > server:9 S seq 10", "uplink"},
	{"wait 8000"},
	{"has guest ports", "0 0 0"});

/* Who calls another guest is charged, not who is called. */
STORY(limits, the_caller_pays, LAB("[limits]\nguest-flows = 1\n[filter forward]\npolicy = accept\n"),
	{"guest udp guest:1 > second:9", "second udp guest:1 > second:9"},
	{"second udp second:9 > guest:1", "guest udp second:9 > guest:1"},
	{"has guest flows", "1 0"},
	{"has second flows", "0 0"},
	{"second udp second:1 > guest:9", "guest udp second:1 > guest:9"},
	{"guest udp guest:2 > second:9",
		"drop guest-limit", "guest icmp gateway > guest prohibited"});

/* RFC 6888 REQ-4: a second's worth at once, then as they come. */
STORY(limits, new_connections_a_second, LAB("[limits]\nguest-new-flows-per-second = 2\n"),
	{"guest udp guest:1 > server:9", "uplink"},
	{"guest udp guest:2 > server:9", "uplink"},
	{"guest udp guest:3 > server:9",
		"drop guest-limit",
		"guest icmp gateway > guest prohibited about udp guest:3 > server:9"},
	{"guest udp guest:1 > server:9", "uplink"},
	{"second udp second:3 > server:9", "uplink"},
	{"wait 0.499"},
	{"guest udp guest:3 > server:9", "drop guest-limit", "guest icmp gateway > guest prohibited"},
	{"wait 0.001"},
	{"guest udp guest:3 > server:9", "uplink"},
	{"refused guest new_flows", "2"},
	{"wait 100"},
	{"guest udp guest:4 > server:9", "uplink"},
	{"guest udp guest:5 > server:9", "uplink"},
	{"guest udp guest:6 > server:9", "drop guest-limit", "guest icmp gateway > guest prohibited"});

/* A quarter of a second's worth at once, in each direction by itself. */
STORY(limits, packets_a_second, LAB("[limits]\nguest-packets-per-second = 8\n"),
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"},
	{"guest udp guest:1 > server:9", "uplink"},
	{"guest udp guest:1 > server:9", "drop rate"},
	{"uplink udp server:9 > host:$a", "guest"},
	{"uplink udp server:9 > host:$a", "guest"},
	{"uplink udp server:9 > host:$a", "drop rate"},
	{"uplink icmp router > host port-unreachable about udp host:$a > server:9", "drop rate"},
	{"second udp second:1 > server:9", "uplink"},
	{"wait 0.125"},
	{"guest udp guest:1 > server:9", "uplink"},
	{"guest udp guest:1 > server:9", "drop rate"},
	{"uplink udp server:9 > host:$a", "guest"},
	{"refused guest rate", "4"});

/* One that is larger than a burst passes, and costs the time that it is worth. */
STORY(limits, bytes_a_second, LAB("[limits]\nguest-bytes-per-second = 1000\n", .families = LAB_IPV4),
	{"guest udp guest:1 > server:9 len 972", "uplink"},
	{"guest udp guest:1 > server:9 len 72", "drop rate"},
	{"wait 0.849"},
	{"guest udp guest:1 > server:9 len 72", "drop rate"},
	{"wait 0.001"},
	{"guest udp guest:1 > server:9 len 72", "uplink"},
	{"guest udp guest:1 > server:9 len 72", "drop rate"},
	{"states", "unreplied"});

/* A packet that is dropped for its rate begins nothing. */
STORY(limits, what_is_policed_begins_no_connection,
	LAB("[limits]\nguest-packets-per-second = 4\n"),
	{"guest udp guest:1 > server:9", "uplink"},
	{"guest udp guest:2 > server:9", "drop rate"},
	{"flows", "1"},
	{"ports", "1"});

/* [network NAME] has the last word, for its own guests. */
STORY(limits, a_network_has_its_own,
	LAB("[limits]\nguest-flows = 1\n[network own]\nsubnet = 10.66.0.0/24, fd66::/64\n"
	    "guest-flows = 2\n[link own]\nnetwork = own\nnetns = own\naddress = 10.66.0.2\n",
		.families = LAB_IPV4),
	{"own udp 10.66.0.2:1 > server:9", "uplink udp host:$a > server:9"},
	{"uplink udp server:9 > host:$a", "own"},
	{"own udp 10.66.0.2:2 > server:9", "uplink udp host:$b > server:9"},
	{"uplink udp server:9 > host:$b", "own"},
	{"own udp 10.66.0.2:3 > server:9",
		"drop guest-limit", "own icmp 10.66.0.1 > 10.66.0.2 prohibited"},
	{"guest udp guest:1 > server:9", "uplink udp host:$c > server:9"},
	{"uplink udp server:9 > host:$c", "guest"},
	{"guest udp guest:2 > server:9", "drop guest-limit", "guest icmp gateway > guest prohibited"});

/* Behind a tun link each address is a guest. */
STORY(limits, addresses_behind_one_link, LAB("[limits]\nguest-flows = 1\n"),
	{"wide udp wide:1 > server:9", "uplink udp host:$a > server:9"},
	{"uplink udp server:9 > host:$a", "wide"},
	{"wide udp wide:2 > server:9",
		"drop guest-limit", "wide icmp wide-gateway > wide prohibited"},
	{"wide udp wider:1 > server:9", "uplink udp host:$b > server:9"},
	{"has wide flows", "1 0"},
	{"has wider flows", "1 0"},
	{"wait 400"},
	{"has wide flows", "0 0"},
	{"refused wide flows", "1"},
	{"wide udp wide:2 > server:9", "uplink"});

/* One guest's errors do not take another's. */
STORY(limits, icmp_errors_a_second, LAB("[limits]\nguest-icmp-errors-per-second = 2\n"),
	{"guest udp guest:1 > nowhere:9", "drop no-route", "guest icmp gateway > guest net-unreachable"},
	{"guest udp guest:1 > host:9", "drop host", "guest icmp gateway > guest prohibited"},
	{"guest udp guest:1 > host:9", "drop host"},
	{"second udp second:1 > host:9", "drop host", "second icmp gateway > second prohibited"},
	{"refused guest icmp_errors", "1"},
	{"wait 0.5"},
	{"guest udp guest:1 > host:9", "drop host", "guest icmp gateway > guest prohibited"});

/* A link that is gone takes its account with it. */
STORY(limits, a_new_link_has_a_new_account, LAB("[limits]\nguest-flows = 1\n"),
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"},
	{"uplink udp server:9 > host:$a", "guest"},
	{"guest udp guest:2 > server:9", "drop guest-limit", "guest icmp gateway > guest prohibited"},
	{"wide udp wide:1 > server:9", "uplink"},
	{"link-lost guest"},
	{"link-lost wide"},
	{"flows", "0"},
	{"refused guest flows", "gone"});

/* ... and new limits are everybody's from the next connection on. */
STORY(limits, new_limits, LAB("[limits]\nguest-flows = 1\n"),
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"},
	{"uplink udp server:9 > host:$a", "guest"},
	{"limits [limits]\nguest-flows = 2\nguest-packets-per-second = 400\n"},
	{"guest udp guest:2 > server:9", "uplink udp host:$b > server:9"},
	{"uplink udp server:9 > host:$b", "guest"},
	{"guest udp guest:3 > server:9", "drop guest-limit", "guest icmp gateway > guest prohibited"});

/* clang-format on */

/* Both families of one guest are one account. */
Test(limits, a_guest_s_addresses_are_one_guest)
{
	static const struct step steps[] = {{"guest udp guest:1 > server:9", "uplink udp host:$a"},
		{"uplink udp server:9 > host:$a", "guest"}, {NULL}};
	struct lab *lab = lab_open(AF_INET, LAB("[limits]\nguest-flows = 1\n"));
	struct packet *packet = UDP_PACKET("[fd77::2]:1", "[2001:db8:1::1]:9");

	steps_play(lab, steps);
	packet->in_zone = 0;
	cr_expect_eq(lab_send(lab, packet), VERDICT_DROP);
	cr_expect_eq(packet->drop, DROP_GUEST_LIMIT, "%s", drop_name(packet->drop));
	packet_dispose(packet);
	lab_close(lab);
}

/* More addresses than there are records: those too many share their link's, and nothing leaks. */
Test(limits, crowds_behind_one_link)
{
	struct lab *lab = lab_open(AF_INET6,
		LAB("[limits]\nguest-flows = 2\n", .flows = 8000, .ports = {20000, 40000}));
	struct guest_info info;
	uint32_t cursor = 0, guests = 0, shared = 0;
	char text[64];

	for (unsigned i = 0; i < 4200; i++) {
		snprintf(text, sizeof(text), "wide udp [fd99::1:%x]:1 > server:9", i + 1);
		struct packet *packet = steps_packet(lab, text);
		lab_send(lab, packet);
		packet_dispose(packet);
	}
	while (engine_guest_next(lab->engine, &cursor, &info)) {
		guests += info.link == lab_zone(lab, "wide") && !info.rest;
		shared += info.rest ? info.flows[0] : 0;
		cr_expect_leq(info.flows[0], 2);
	}
	cr_expect_eq(guests, 4096);
	cr_expect_eq(shared, 2, "%u", shared);
	lab_wait(lab, 700000);
	cr_expect_eq(engine_status(lab->engine)->flows, 0);
	for (cursor = 0; engine_guest_next(lab->engine, &cursor, &info);)
		cr_expect(info.flows[0] == 0 && info.half_open[0] == 0);
	lab_close(lab);
}

/* What is left open is a share: nobody can have all. */
Test(limits, shares)
{
	struct lab *lab = lab_open(AF_INET, LAB(.flows = 1024));
	struct limits_config limits = lab->config->limits;
	struct guest_info info;
	uint32_t cursor = 0;

	engine_limits_set(lab->engine, &limits);
	cr_assert(engine_guest_next(lab->engine, &cursor, &info));
	cr_expect_eq(info.limits.flows, 384);
	cr_expect_eq(info.limits.half_open, 96);
	cr_expect_eq(info.limits.ports, 75);
	cr_expect_eq(info.limits.fragments, 256);
	cr_expect_eq(info.limits.new_flows_per_second, 0);
	cr_expect_eq(info.limits.packets_per_second, 0);
	cr_expect_eq(info.limits.icmp_errors_per_second, 100);
	lab_close(lab);
}
