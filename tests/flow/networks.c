/* SPDX-License-Identifier: BSD-2-Clause */
/* networks: several with the same subnet, and what lies between them. */
#include <stdio.h>
#include "engine/state.h"
#include "../support/packets.h"
#include "../support/steps.h"

/* clang-format off */

/* A network like the lab's, with a guest like the lab's. */
#define TWIN                                                                                       \
	"[network twin]\nsubnet = 10.77.0.0/24, fd77::/64\n"                                       \
	"[link twin]\nnetwork = twin\nnetns = twin\naddress = 10.77.0.2, fd77::2\n"

/* It is the link that says whose a packet is. */
STORY(networks, guests_of_two_have_the_same_address,
	LAB(TWIN),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"twin udp guest:5000 > server:53", "uplink udp host:$b > server:53"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"},
	{"uplink udp server:53 > host:$b", "twin udp server:53 > guest:5000"},
	{"twin udp second:5000 > server:53", "drop spoofed"},
	{"link-lost guest"},
	{"uplink udp server:53 > host:$a", "drop not-for-us"},
	{"uplink udp server:53 > host:$b", "twin udp server:53 > guest:5000"});

/* An address is that of the own network, whoever else has it. */
STORY(networks, guests_of_two_do_not_meet,
	LAB(TWIN "[filter forward]\npolicy = accept\n"),
	{"guest udp guest:5000 > second:99", "second udp guest:5000 > second:99"},
	{"second udp second:99 > guest:5000", "guest udp second:99 > guest:5000"},
	{"twin udp guest:5000 > second:99", "drop no-link",
		"twin icmp gateway > guest host-unreachable"},
	{"twin icmp guest > gateway echo id 1", "service-twin icmp guest > gateway echo id 1"},
	{"guest icmp guest > gateway echo id 1", "service icmp guest > gateway echo id 1"},
	{"service-twin icmp gateway > guest reply id 1", "twin icmp gateway > guest reply id 1"},
	{"service icmp gateway > guest reply id 1", "guest icmp gateway > guest reply id 1"});

/* The gateway's address on another network is the host's to its guests, not theirs. */
STORY(networks, the_gateway_of_another_network,
	LAB(NULL),
	{"guest icmp guest > far-gateway echo id 1", "drop host",
		"guest icmp gateway > guest prohibited"},
	{"far icmp far > far-gateway echo id 1", "service-far icmp far > far-gateway echo id 1"});

/* What is published leads to the guest that is meant. */
STORY(networks, published_guests_of_two,
	LAB(TWIN),
	{"forward tcp 8080 guest:80", "ok"},
	{"forward tcp 8081 twin/guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S seq 1", "guest tcp server:4000 > guest:80 S"},
	{"uplink tcp server:4000 > host:8081 S seq 1", "twin tcp server:4000 > guest:80 S"},
	{"twin tcp guest:80 > server:4000 SA seq 5 ack 2", "uplink tcp host:8081 > server:4000"},
	{"guest tcp guest:80 > server:4000 SA seq 5 ack 2", "uplink tcp host:8080 > server:4000"},
	/* by the host's address, also from the other network */
	{"guest tcp guest:5000 > host:8081 S seq 1", "twin tcp host:$a > guest:80 S"},
	{"twin tcp guest:80 > host:$a SA seq 5 ack 2", "guest tcp host:8081 > guest:5000"},
	{"twin tcp guest:5000 > host:8080 S seq 1", "guest tcp host:$b > guest:80 S"});

STORY(networks, destinations_of_rules,
	LAB(TWIN "[filter forward]\npolicy = accept\n"
	    "[nat]\nmasquerade = in lan out uplink\n"
	    "dnat = in uplink proto udp to port 99 -> twin/10.77.0.2:9,twin/[fd77::2]:9\n"
	    "dnat = in twin proto udp to port 98 -> 10.77.0.2,fd77::2\n"
	    "dnat = in uplink proto udp to port 97 -> guest\n"),
	{"uplink udp server:4000 > host:99", "twin udp server:4000 > guest:9"},
	{"uplink udp server:4000 > host:97", "guest udp server:4000 > guest:97"},
	{"guest udp guest:4000 > server:98", "uplink udp host:$a > server:98"});

/* A whole address outside is that of one guest, not of all that have its address inside. */
STORY(networks, mapped_guests_of_two,
	LAB(TWIN "[nat]\nmap = twin/10.77.0.2 <-> 192.0.2.5\nmasquerade = in lan out uplink\n"
	    "[filter forward]\npolicy = accept\n", .families = LAB_IPV4),
	{"twin udp guest:5000 > server:53", "uplink udp outside:5000 > server:53"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server:99 > outside:7", "twin udp server:99 > guest:7"});

/* The last address of one network is a guest's in another. */
STORY(networks, broadcasts_of_overlapping_subnets,
	LAB("[network large]\nsubnet = 10.77.0.0/16\n"
	    "[link large]\nnetwork = large\nnetns = large\naddress = 10.77.0.2\n"
	    "[link last]\nnetwork = large\nnetns = last\naddress = 10.77.0.255\n"
	    "[filter forward]\npolicy = accept\n", .families = LAB_IPV4),
	{"guest udp guest:5000 > broadcast:99", "drop martian"},
	{"large udp guest:5000 > broadcast:99", "last udp guest:5000 > broadcast:99"},
	{"last udp broadcast:99 > guest:5000", "large udp broadcast:99 > guest:5000"});

/* `isolate = no` opens a network to itself, from link to link, and to nobody else. */
STORY(networks, guests_are_apart_unless_the_network_says_otherwise,
	LAB(.network = "isolate = no\n", .config = TWIN
	    "[link twin2]\nnetwork = twin\nnetns = twin2\naddress = 10.77.0.3, fd77::3\n"),
	{"guest udp guest:5000 > second:99", "second udp guest:5000 > second:99"},
	{"second udp second:99 > guest:5000", "guest udp second:99 > guest:5000"},
	{"twin udp guest:5000 > second:99", "drop reject", "twin icmp gateway > guest prohibited"},
	{"guest udp guest:5000 > far:99", "drop reject", "guest icmp gateway > guest prohibited"},
	{"far udp far:5000 > guest:99", "drop reject", "far icmp far-gateway > far prohibited"});

/* What all guests of a network have together has a limit: whose next connection is too much loses the
 * oldest half-open one of its own, or is refused. */
STORY(networks, connections_of_a_network,
	LAB(.network = "flows = 3\n"),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"},
	{"guest udp guest:5001 > server:53", "uplink udp host:$b > server:53"},
	{"uplink udp server:53 > host:$b", "guest udp server:53 > guest:5001"},
	{"second udp second:5000 > server:53", "uplink udp host:$c > server:53"},
	{"guest udp guest:5002 > server:53", "drop guest-limit",
		"guest icmp gateway > guest prohibited"},
	{"refused guest flows", "1"},
	{"far udp far:5000 > server:53", "uplink udp host:$d > server:53"},
	{"second udp second:5001 > server:53", "uplink udp host:$e > server:53"},
	{"has second flows", "1"},
	{"uplink udp server:53 > host:$e", "second udp server:53 > second:5001"},
	{"second udp second:5002 > server:53", "drop guest-limit",
		"second icmp gateway > second prohibited"},
	/* what has ended counts no longer */
	{"wait 400"},
	{"flows", "0"},
	{"guest udp guest:5002 > server:53", "uplink udp host:$f > server:53"});

STORY(networks, half_open_connections_of_a_network,
	LAB(.network = "half-open = 2\n"),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"guest udp guest:5001 > server:53", "uplink udp host:$b > server:53"},
	{"second udp second:5000 > server:53", "drop guest-limit",
		"second icmp gateway > second prohibited"},
	{"refused second half_open", "1"},
	{"guest udp guest:5002 > server:53", "uplink udp host:$c > server:53"},
	{"has guest flows", "2"},
	{"uplink udp server:53 > host:$b", "guest udp server:53 > guest:5001"},
	{"second udp second:5000 > server:53", "uplink udp host:$d > server:53"});

STORY(networks, rates_of_a_network,
	LAB(.network = "new-flows-per-second = 2\npackets-per-second = 16\n"),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"second udp second:5000 > server:53", "uplink udp host:$b > server:53"},
	{"guest udp guest:5001 > server:53", "drop guest-limit",
		"guest icmp gateway > guest prohibited"},
	{"far udp far:5000 > server:53", "uplink udp host:$c > server:53"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"guest udp guest:5000 > server:53", "drop rate"},
	{"second udp second:5000 > server:53", "drop rate"},
	{"far udp far:5000 > server:53", "uplink udp host:$c > server:53"},
	{"refused guest rate", "1"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"},
	{"wait 1"},
	{"guest udp guest:5001 > server:53", "uplink udp host:$d > server:53"});

/* clang-format on */

/* So many connections, each answered, as get through. */
static unsigned connect_many(struct lab *lab, const char *who, unsigned first, unsigned count)
{
	unsigned through = 0;
	char text[80];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%s udp %s:%u > server:53", who, who, first + i);
		struct packet *packet = steps_packet(lab, text);
		const bool sent = lab_send(lab, packet) == VERDICT_SEND;
		const unsigned port = ntohs(packet->headers.source_port);
		packet_dispose(packet);
		if (!sent)
			continue;
		through++;
		snprintf(text, sizeof(text), "uplink udp server:53 > host:%u", port);
		packet = steps_packet(lab, text);
		cr_expect_eq(lab_send(lab, packet), VERDICT_SEND, "%s", text);
		packet_dispose(packet);
	}
	while (lab_answer(lab) != NULL)
		;
	return through;
}

/* Half of everything is kept for the networks, in equal parts; the rest is for whoever comes first.
 */
Test(networks, nobody_takes_what_is_kept_for_others)
{
	struct lab *lab = lab_open(
		AF_INET, LAB(.network = "owner = 1001\n", .flows = 60, .ports = {61000, 61119}));
	struct network_info info;

	cr_expect_eq(connect_many(lab, "guest", 5000, 60), 40, "10 of its own, 30 in common");
	cr_expect_eq(connect_many(lab, "second", 5000, 5), 0, "the same network");
	cr_expect_eq(connect_many(lab, "far", 5000, 60), 10);
	cr_expect_eq(connect_many(lab, "wide", 5000, 60), 10);
	cr_assert(engine_network_info(lab->engine, 0, &info));
	cr_expect_eq(info.flows, 40);
	cr_expect_eq(info.flows_created, 40);
	cr_expect_eq(info.limits.flows, 40);
	cr_expect_eq(info.refused[GUEST_REFUSED_FLOWS], 25);
	cr_expect_eq(info.drops[DROP_GUEST_LIMIT], 25);
	cr_assert(engine_network_info(lab->engine, 1, &info));
	cr_expect_eq(info.drops[DROP_GUEST_LIMIT], 50);
	cr_expect_not(engine_network_info(lab->engine, 3, &info));
	lab_close(lab);
}

/* Without owners there is nobody to keep anything for. */
Test(networks, one_administrator_has_all)
{
	struct lab *lab = lab_open(AF_INET, LAB(.flows = 60, .ports = {61000, 61119}));

	cr_expect_eq(connect_many(lab, "guest", 5000, 70), 60);
	lab_close(lab);
}

/* A network's own ports are for it alone; the others share what is left. */
Test(networks, external_ports_of_ones_own)
{
	struct lab *lab = lab_open(
		AF_INET, LAB("[network own]\nsubnet = 10.77.0.0/24\nports = 61000-61063\n"
			     "[link own]\nnetwork = own\nnetns = own\naddress = 10.77.0.2\n"
			     "[network third]\nsubnet = 10.77.0.0/24\nports = 61064-61127\n",
				 .ports = {61000, 61255}, .flows = 2048));
	char text[80];
	uint32_t cursor = 0, own = 0, others = 0;
	struct flow_info flow;

	for (unsigned i = 0; i < 256; i++) {
		for (unsigned n = 0; n < 2; n++) {
			snprintf(text, sizeof(text), "%s udp guest:%u > server:53",
				n == 0 ? "guest" : "own", 5000 + i);
			struct packet *packet = steps_packet(lab, text);
			lab_send(lab, packet);
			packet_dispose(packet);
		}
	}
	while (engine_flow_next(lab->engine, &cursor, &flow)) {
		const uint16_t port = flow.direction[1].destination_port;
		const bool first = port >= 61000 && port <= 61063;

		cr_expect_eq(first, flow.network == 3, "%u on network %u", port, flow.network);
		cr_expect(first || (port >= 61128 && port <= 61255), "%u", port);
		own += first;
		others += !first;
	}
	cr_expect_eq(own, 64);
	cr_expect_eq(others, 128);
	lab_close(lab);
}
