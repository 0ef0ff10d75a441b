/* SPDX-License-Identifier: BSD-2-Clause */
/* masquerade: guests appear outside as the host, each of their sockets as one port of it. */
#include <math.h>
#include "../support/packets.h"
#include "../support/steps.h"

/* clang-format off */

/* RFC 4787 REQ-1, RFC 6888 REQ-1: one external port, whoever the peer is. */
STORY(masquerade, udp_is_endpoint_independent, LAB(),
	{"guest udp guest:5000 > server:53 len 20", "uplink udp host:$a > server:53 len 20"},
	{"guest udp guest:5000 > server2:53", "uplink udp host:$a > server2:53"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"flows", "3"},
	{"ports", "1"},
	{"uplink udp server:53 > host:$a len 30", "guest udp server:53 > guest:5000 len 30"},
	{"uplink udp server2:53 > host:$a", "guest udp server2:53 > guest:5000"},
	{"events", "3 2 0"});

/* RFC 5382 REQ-1. */
STORY(masquerade, tcp_is_endpoint_independent, LAB(),
	{"guest tcp guest:5000 > server:80 S seq 1000",
		"uplink tcp host:$a > server:80 S seq 1000"},
	{"guest tcp guest:5000 > server2:80 S seq 2000", "uplink tcp host:$a > server2:80 S"},
	{"uplink tcp server2:80 > host:$a SA seq 1 ack 2001",
		"guest tcp server2:80 > guest:5000 SA seq 1 ack 2001"},
	{"ports", "1"});

/* RFC 5508 REQ-1: identifiers are mapped as ports are, whoever is asked. */
STORY(masquerade, echo_identifiers_are_endpoint_independent, LAB(),
	{"guest icmp guest > server echo id 7 len 56",
		"uplink icmp host > server echo id $a len 56"},
	{"guest icmp guest > server2 echo id 7", "uplink icmp host > server2 echo id $a"},
	{"guest icmp guest > server echo id 8", "uplink icmp host > server echo id $b"},
	{"second icmp second > server echo id 7", "uplink icmp host > server echo id $c"},
	{"uplink icmp server > host reply id $a len 56", "guest icmp server > guest reply id 7"},
	{"uplink icmp server > host reply id $b", "guest icmp server > guest reply id 8"},
	{"uplink icmp server > host reply id $c", "second icmp server > second reply id 7"},
	{"uplink icmp server2 > host reply id $b", "drop no-flow"},
	{"ports", "3"});

/* The identifier 0 is one like any other. */
STORY(masquerade, an_echo_identifier_of_zero, LAB(),
	{"guest icmp guest > server echo id 0 seq 1", "uplink icmp host > server echo id $a"},
	{"uplink icmp server > host reply id $a seq 1", "guest icmp server > guest reply id 0"},
	{"second icmp second > server reply id 0", "drop no-flow"},
	{"second icmp second > server reply id 9", "drop no-flow"},
	{"flows", "1"});

/* RFC 4787 REQ-3, RFC 5382 REQ-7: no two guests, and no two protocols, share a mapping. */
STORY(masquerade, sockets_have_ports_of_their_own, LAB(),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"guest udp guest:5001 > server:53", "uplink udp host:$b > server:53"},
	{"second udp second:5000 > server:53", "uplink udp host:$c > server:53"},
	{"guest tcp guest:5000 > server:53 S", "uplink tcp host:$d > server:53 S"},
	{"uplink udp server:53 > host:$c", "second udp server:53 > second:5000"},
	{"uplink udp server:53 > host:$b", "guest udp server:53 > guest:5001"},
	{"uplink udp server:53 > host:$d", "drop not-for-us"},
	{"ports", "3"});

/* RFC 4787 REQ-8: only who was spoken to may answer, from the port that was spoken to. */
STORY(masquerade, filtering_is_address_and_port_dependent, LAB(),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server:54 > host:$a", "drop not-for-us"},
	{"uplink udp server2:53 > host:$a", "drop not-for-us"},
	{"uplink tcp server:53 > host:$a S", "drop not-for-us"},
	{"uplink udp server:53 > host2:$a", "drop not-for-us"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"});

/* RFC 4787 REQ-5, REQ-6: 300 seconds, 360 once answered, each packet counts; a port is given back
 * with its last flow. */
STORY(masquerade, udp_lives_for_300_seconds, LAB(),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"wait 120"},
	{"guest udp guest:5000 > server2:99", "uplink udp host:$a > server2:99"},
	{"wait 179"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"wait 122"},
	{"uplink udp server2:99 > host:$a", "drop not-for-us"},
	{"flows", "1"},
	{"ports", "1"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"wait 361"},
	{"flows", "0"},
	{"ports", "0"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$b > server:99"});

/* RFC 4787 REQ-5 permits less for well-known ports. */
STORY(masquerade, dns_lives_for_30_seconds, LAB(),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"wait 29"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"},
	{"wait 29"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"},
	{"wait 31"},
	{"uplink udp server:53 > host:$a", "drop not-for-us"});

STORY(masquerade, timeouts_are_the_config_s, LAB("[timeouts]\nudp = 10\nudp-stream = 20\n"),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5001 > server:99", "uplink udp host:$b > server:99"},
	{"uplink udp server:99 > host:$b", "guest udp server:99 > guest:5001"},
	{"wait 9.9"},
	{"flows", "2"},
	{"wait 0.2"},
	{"flows", "1"},
	{"wait 9.8"},
	{"flows", "1"},
	{"wait 0.2"},
	{"flows", "0"});

/* RFC 5508 REQ-2: 60 seconds. */
STORY(masquerade, echo_lives_for_60_seconds, LAB(),
	{"guest icmp guest > server echo id 7", "uplink icmp host > server echo id $a"},
	{"wait 59"},
	{"uplink icmp server > host reply id $a", "guest icmp server > guest reply id 7"},
	{"wait 61"},
	{"uplink icmp server > host reply id $a", "drop no-flow"},
	{"ports", "0"});

STORY(masquerade, every_network_is, LAB(),
	{"far udp far:5000 > server:53", "uplink udp host:$a > server:53"},
	{"wide udp wide:5000 > server:53", "uplink udp host:$b > server:53"},
	{"wide udp wider:5000 > server:53", "uplink udp host:$c > server:53"},
	{"uplink udp server:53 > host:$a", "far udp server:53 > far:5000"},
	{"uplink udp server:53 > host:$b", "wide udp server:53 > wide:5000"},
	{"uplink udp server:53 > host:$c", "wide udp server:53 > wider:5000"});

/* The address is the one that the host itself would use; each has ports of its own. */
STORY(masquerade, the_route_says_as_whom, LAB(),
	{"guest udp guest:5000 > beyond:53", "uplink udp host2:$a > beyond:53"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$b > server:53"},
	{"uplink udp beyond:53 > host2:$a", "guest udp beyond:53 > guest:5000"},
	{"uplink udp beyond:53 > host:$b", "drop not-for-us"},
	{"ports", "1"},
	{"routes", "2"});

/* The host is asked once for each flow. */
STORY(masquerade, routes_are_asked_for_once, LAB(),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"routes", "1"});

/* RFC 6888 REQ-6: destinations may be exempt. */
STORY(masquerade, exempt_flows_keep_their_address,
	LAB("[nat]\n"
	    "no-masquerade = in lab to 198.51.100.2,2001:db8:1::2\n"
	    "masquerade = in lab out uplink\n"),
	{"guest udp guest:5000 > server2:53", "uplink udp guest:5000 > server2:53"},
	{"uplink udp server2:53 > guest:5000", "guest udp server2:53 > guest:5000"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"far udp far:5000 > server:53", "uplink udp far:5000 > server:53"},
	{"uplink udp server:53 > far:5000", "far udp server:53 > far:5000"},
	{"ports", "1"});

/* Rules of [nat] are put to the first packet of a connection only, as in netfilter. */
STORY(masquerade, a_change_of_the_rules_leaves_flows_alone, LAB(),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"rules [nat]\nno-masquerade = in lab\n"},
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"},
	{"guest udp guest:5000 > server2:53", "uplink udp guest:5000 > server2:53"});

/* An address that the engine has not been told of is nobody's to give ports of. */
STORY(masquerade, an_unknown_source_address_has_no_ports, LAB(),
	{"route server local"},
	{"guest udp guest:5000 > server:53",
		"drop no-port",
		"guest icmp gateway > guest prohibited about udp guest:5000 > server:53"});

/* clang-format on */

/* ---- how ports are chosen: RFC 6056, RFC 7857 sections 9 and 10 ---- */

static uint16_t masquerade_one(struct lab *lab, uint16_t port)
{
	struct packet *packet = UDP_PACKET(lab_address_text(lab, "guest", 5),
		lab_address_text(lab, "server", 6), .source_port = port, .destination_port = 99);

	packet->in_zone = 0;
	cr_assert_eq(lab_send(lab, packet), VERDICT_SEND);
	const uint16_t external = ntohs(packet->headers.source_port);
	packet_dispose(packet);
	return external;
}

#define PORTS  4096
#define FIRST  61000
#define DRAWS  (8 * PORTS)
#define GROUPS 64

/* Pearson's statistic of `count` groups that should have `expected` members each. */
static double chi_square(const unsigned *members, unsigned count, double expected)
{
	double sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += (members[i] - expected) * (members[i] - expected) / expected;
	return sum;
}

/* Far beyond what chance does: mean of the distribution and six standard deviations. */
static double chi_square_limit(unsigned count)
{
	return count - 1 + 6 * sqrt(2.0 * (count - 1));
}

Test(masquerade, ports_are_random_in_the_whole_range)
{
	static unsigned ports[PORTS], groups[GROUPS], steps[GROUPS];
	struct lab *lab = lab_open(AF_INET, LAB(.ports = {FIRST, FIRST + PORTS - 1}, .flows = 4));
	uint16_t last = 0;

	for (unsigned i = 0; i < DRAWS; i++) {
		const uint16_t port = masquerade_one(lab, (uint16_t)(1024 + i % 50000));
		cr_assert(port >= FIRST && port < FIRST + PORTS);
		ports[port - FIRST]++;
		groups[(port - FIRST) / (PORTS / GROUPS)]++;
		steps[(uint16_t)(port - last) % GROUPS]++;
		last = port;
		lab_wait(lab, 301000);
	}
	cr_expect_lt(chi_square(ports, PORTS, (double)DRAWS / PORTS), chi_square_limit(PORTS));
	cr_expect_lt(chi_square(groups, GROUPS, (double)DRAWS / GROUPS), chi_square_limit(GROUPS));
	/* Serial test: the next port does not follow from the one before. */
	cr_expect_lt(chi_square(steps, GROUPS, (double)DRAWS / GROUPS), chi_square_limit(GROUPS));
	lab_close(lab);
}

/* RFC 6888 REQ-13: used well, to the last one; each once. */
Test(masquerade, all_ports_of_the_range_are_used)
{
	static bool used[PORTS];
	struct lab *lab =
		lab_open(AF_INET, LAB(.ports = {FIRST, FIRST + PORTS - 1}, .flows = PORTS + 1));

	for (unsigned i = 0; i < PORTS; i++) {
		const uint16_t port = masquerade_one(lab, (uint16_t)(1024 + i));
		cr_assert(port >= FIRST && port < FIRST + PORTS);
		cr_expect(!used[port - FIRST], "port %u was given twice", port);
		used[port - FIRST] = true;
	}
	cr_expect_eq(engine_status(lab->engine)->ports_used, PORTS);
	lab_close(lab);
}
