/* SPDX-License-Identifier: BSD-2-Clause */
/* reply: the way back, for each kind of flow, in this world's two directions. */
#include "../support/steps.h"

/* clang-format off */

STORY(reply, udp, LAB(),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"states", "unreplied"},
	{"events", "1 0 0"},
	{"uplink udp server:53 > host:$a len 1400", "guest udp server:53 > guest:5000 len 1400"},
	{"states", "replied"},
	{"events", "1 1 0"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"},
	{"flows", "1"});

STORY(reply, tcp, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000",
		"uplink tcp host:$a > server:80 S seq 1000"},
	{"states", "syn-sent"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001",
		"guest tcp server:80 > guest:4000 SA seq 5000 ack 1001"},
	{"states", "syn-received"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001",
		"uplink tcp host:$a > server:80 A seq 1001 ack 5001"},
	{"states", "established"},
	{"guest tcp guest:4000 > server:80 PA seq 1001 ack 5001 len 100",
		"uplink tcp host:$a > server:80 PA seq 1001 ack 5001 len 100"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 1101 len 1000",
		"guest tcp server:80 > guest:4000 A seq 5001 ack 1101 len 1000"},
	{"flows", "1"});

/* Without ports, what comes back from the same address with the same protocol is the reply. */
STORY(reply, other_protocols_go_by_address_pair, LAB(),
	{"guest proto 47 guest > server len 40", "uplink proto 47 host > server len 40"},
	{"uplink proto 47 server > host len 40", "guest proto 47 server > guest len 40"},
	{"guest proto 50 guest > server len 40", "uplink proto 50 host > server len 40"},
	{"uplink proto 50 server2 > host", "drop not-for-us"},
	{"uplink proto 51 server > host", "drop not-for-us"},
	{"guest proto 47 guest > server2", "uplink proto 47 host > server2"},
	{"states", "replied unreplied unreplied"},
	{"ports", "0"},
	{"wait 599"},
	{"uplink proto 50 server > host", "guest proto 50 server > guest"},
	{"wait 2"},
	{"flows", "1"},
	{"wait 599"},
	{"flows", "0"});

/* ICMP for the other family is no ICMP, but a protocol without identifiers like any other. */
STORY(reply, icmpv6_in_ipv4, LAB(.families = LAB_IPV4),
	{"guest proto 58 guest > server", "uplink proto 58 host > server"},
	{"uplink proto 58 server > host", "guest proto 58 server > guest"},
	{"ports", "0"},
	{"flows", "1"});

/* A second guest cannot be told from the first, so it is not let in between. */
STORY(reply, an_address_pair_belongs_to_one_guest, LAB(),
	{"guest proto 47 guest > server", "uplink proto 47 host > server"},
	{"second proto 47 second > server",
		"drop no-port",
		"second icmp gateway > second prohibited about proto 47 second > server"},
	{"second proto 47 second > server2", "uplink proto 47 host > server2"},
	{"uplink proto 47 server > host", "guest proto 47 server > guest"});

/* Return traffic by another path is not accepted. */
STORY(reply, only_from_where_the_flow_goes, LAB(),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"second udp server:53 > host:$a", "drop spoofed"},
	{"second udp server:53 > guest:5000", "drop spoofed"},
	{"uplink udp server:53 > guest:5000", "drop bounce"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"});

/* DESIGN.md, section 2: the flow's key includes its link. */
STORY(reply, guests_with_the_same_ports, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000",
		"uplink tcp host:$a > server:80 S seq 1000"},
	{"second tcp second:4000 > server:80 S seq 2000",
		"uplink tcp host:$b > server:80 S seq 2000"},
	{"far tcp far:4000 > server:80 S seq 3000", "uplink tcp host:$c > server:80 S seq 3000"},
	{"uplink tcp server:80 > host:$b SA seq 1 ack 2001",
		"second tcp server:80 > second:4000 SA seq 1 ack 2001"},
	{"uplink tcp server:80 > host:$c SA seq 1 ack 3001",
		"far tcp server:80 > far:4000 SA seq 1 ack 3001"},
	{"uplink tcp server:80 > host:$a SA seq 1 ack 1001",
		"guest tcp server:80 > guest:4000 SA seq 1 ack 1001"});

/* Nothing is translated between guests. */
STORY(reply, guest_to_guest, LAB("[filter forward]\nrule = accept in lan out lan\n"),
	{"guest udp guest:5000 > far:53", "far udp guest:5000 > far:53"},
	{"far udp far:53 > guest:5000", "guest udp far:53 > guest:5000"},
	{"flows", "1"},
	{"guest icmp guest > second echo id 0 seq 1", "second icmp guest > second echo id 0"},
	{"second icmp second > guest reply id 0 seq 1", "guest icmp second > guest reply id 0"},
	{"routes", "0"});

/* clang-format on */

/* Counters of a flow, as each side sent it; the bytes are those of IP. */
Test(reply, packets_and_bytes_are_counted)
{
	static const struct step steps[] = {
		{"guest udp guest:5000 > server:53 len 72", "uplink udp host:$a > server:53"},
		{"guest udp guest:5000 > server:53 len 72", "uplink udp host:$a > server:53"},
		{"uplink udp server:53 > host:$a len 172", "guest udp server:53 > guest:5000"},
		{"uplink udp server:54 > host:$a len 172", "drop not-for-us"}, {NULL}};
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));
	struct flow_info info;
	uint32_t cursor = 0;

	steps_play(lab, steps);
	cr_assert(engine_flow_next(lab->engine, &cursor, &info));
	cr_expect_eq(info.direction[0].counter.packets, 2);
	cr_expect_eq(info.direction[0].counter.bytes, 200);
	cr_expect_eq(info.direction[1].counter.packets, 1);
	cr_expect_eq(info.direction[1].counter.bytes, 200);
	cr_expect_eq(info.direction[0].source_port, 5000);
	cr_expect_eq(info.direction[1].destination_port, lab->variables[0]);
	cr_expect_eq(info.network, 0);
	cr_expect_eq(info.link[1], ZONE_UPLINK);
	const struct engine_status *status = engine_status(lab->engine);
	cr_expect_eq(status->in[0].packets, 2);
	cr_expect_eq(status->in[1].packets, 2);
	cr_expect_eq(status->in[1].bytes, 400);
	cr_expect_eq(status->out[0].bytes, 200);
	cr_expect_eq(status->out[1].bytes, 200);
	cr_expect_eq(status->link[0].in.packets, 2);
	cr_expect_eq(status->link[0].out.packets, 1);
	cr_expect_eq(status->drops[DROP_NOT_FOR_US], 1);
	lab_close(lab);
}
