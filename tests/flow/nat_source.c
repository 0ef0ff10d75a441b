/* SPDX-License-Identifier: BSD-2-Clause */
/* nat_source: the lines masquerade with ports, snat, exemptions, pools, port blocks. */
#include <stdio.h>
#include "../support/packets.h"
#include "../support/steps.h"

#define OPEN "[filter forward]\npolicy = accept\n"
#define REST "masquerade = in lan out uplink\n"

/* clang-format off */

STORY(nat_source, to_a_given_address,
	LAB("[nat]\nsnat = in lab out uplink -> 192.0.2.5,2001:db8::5\n" REST),
	{"guest udp guest:5000 > server:99", "uplink udp outside:$a > server:99"},
	{"guest udp guest:5000 > server2:99", "uplink udp outside:$a > server2:99"},
	{"uplink udp server:99 > outside:$a", "guest udp server:99 > guest:5000"},
	{"uplink udp server3:99 > outside:$a", "drop not-for-us"},
	{"uplink udp server3:99 > outside2:$a", "drop bounce"},
	{"uplink udp outside:1 > host:2", "drop spoofed"},
	{"guest tcp guest:4000 > server:80 S", "uplink tcp outside:$b > server:80 S"},
	{"guest icmp guest > server echo id 7 len 8", "uplink icmp outside > server echo id $c"},
	{"guest proto 50 guest > server", "uplink proto 50 outside > server"},
	{"far udp far:5000 > server:99", "uplink udp host:$d > server:99"},
	{"guest udp guest:5000 > outside:99",
		"drop host", "guest icmp gateway > guest prohibited"});

STORY(nat_source, to_given_ports,
	LAB("[nat]\nsnat = proto udp -> 192.0.2.5:2000-2001,3000,[2001:db8::5]:2000-2001,3000\n"
	    "masquerade = in lan out uplink proto tcp -> :61007\n" REST),
	{"guest udp guest:1 > server:99", "uplink udp outside:$a > server:99"},
	{"guest udp guest:2 > server:99", "uplink udp outside:$b > server:99"},
	{"guest udp guest:3 > server:99", "uplink udp outside:$c > server:99"},
	{"guest udp guest:4 > server:99", "drop no-port", "guest icmp gateway > guest prohibited"},
	{"uplink udp server:99 > outside:2000", "guest"},
	{"uplink udp server:99 > outside:2001", "guest"},
	{"uplink udp server:99 > outside:3000", "guest"},
	{"guest tcp guest:4000 > server:80 S", "uplink tcp host:61007 > server:80 S"},
	{"guest tcp guest:4001 > server2:80 S", "uplink tcp host:61007 > server2:80 S"},
	{"guest tcp guest:4001 > server:80 S", "drop no-port", "guest icmp gateway > guest prohibited"},
	{"guest icmp guest > server echo id 7 len 8", "uplink icmp host > server echo"});

/* The tutorial's exception before the rule: RFC 6888 REQ-6. */
STORY(nat_source, exemptions,
	LAB("[nat]\nno-masquerade = to 198.51.100.2,2001:db8:1::2\n"
	    "snat = in lab -> 192.0.2.5,2001:db8::5\n"),
	{"guest udp guest:5000 > server:99", "uplink udp outside:$a > server:99"},
	{"guest udp guest:5000 > server2:99", "uplink udp guest:5000 > server2:99"},
	{"far udp far:5000 > server:99", "uplink udp far:5000 > server:99"});

/* The address is the rule's, whatever the route says; what a change of rules took away stays with
 * the flows that have it. */
STORY(nat_source, routes_and_rules_change,
	LAB("[nat]\nsnat = -> 192.0.2.5,2001:db8::5\n"),
	{"guest udp guest:5000 > server:99", "uplink udp outside:$a > server:99"},
	{"route server host2 2"},
	{"guest udp guest:5000 > server:99", "uplink udp outside:$a > server:99"},
	{"rules [nat]\nsnat = -> 192.0.2.6,2001:db8::6\n"},
	{"guest udp guest:5000 > server:99", "uplink udp outside:$a > server:99"},
	{"uplink udp server:99 > outside:$a", "guest udp server:99 > guest:5000"},
	{"guest udp guest:5001 > server:99", "uplink udp outside2:$b > server:99"},
	{"events", "2 1 0"});

/* Port shadow, CVE-2021-3773 (nft_nat.sh must say ROUTER): a guest that sends from a service's port
 * gets one of ours all the same. */
STORY(nat_source, port_shadow,
	LAB(OPEN "[nat]\ndnat = in uplink proto udp port 1405 -> second\n" REST),
	{"guest udp guest:1405 > server:4000", "uplink udp host:$a > server:4000"},
	{"uplink udp server:4000 > host:1405", "second udp server:4000 > second:1405"},
	{"second udp second:1405 > server:4000", "uplink udp host:1405 > server:4000"});

/* A guest that is mapped whole and one that is masqueraded never are the same to a peer. */
STORY(nat_source, maps_and_masquerading_are_apart,
	LAB(OPEN "[nat]\nmap = 10.77.0.2 <-> 192.0.2.5\nmap = fd77::2 <-> 2001:db8::5\n" REST),
	{"guest udp guest:61000 > server:99", "uplink udp outside:61000 > server:99"},
	{"second udp second:61000 > server:99", "uplink udp host:$a > server:99"},
	{"guest tcp guest:61000 > host:8080 S", "drop host", "guest icmp gateway > guest prohibited"},
	{"ports", "1"});

/* clang-format on */

/* ---- pools ---- */

#define POOL                                                                                       \
	"[nat]\nsnat = in lab out uplink -> 192.0.2.5-192.0.2.12,"                                 \
	"2001:db8::5-2001:db8::c\n"
#define GUESTS 32

static uint32_t flows_walk(struct lab *lab, uint32_t *cursor, struct flow_info *info)
{
	while (engine_flow_next(lab->engine, cursor, info))
		if (info->link[1] == ZONE_UPLINK)
			return 1;
	return 0;
}

/* RFC 4787 REQ-2, RFC 6888 REQ-2: all connections of a guest have one address, and guests are
 * spread over all of them. */
Test(nat_source, addresses_are_paired)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (unsigned f = 0; f < 2; f++) {
		struct lab *lab = lab_open(families[f], LAB(.config = OPEN POOL));
		union addr address[GUESTS] = {0};
		bool used[8] = {false};
		struct flow_info info;
		uint32_t cursor = 0;
		unsigned spread = 0;

		for (unsigned guest = 0; guest < GUESTS; guest++) {
			const struct engine_link link = {.network = 0,
				.address4 = addr_v4(10, 77, 0, (uint8_t)(100 + guest)),
				.address6.bytes = {0xfd, 0x77, [14] = 1,
					[15] = (uint8_t)((guest / 10 << 4) + guest % 10)}};
			cr_assert_eq(
				engine_link_set(lab->engine, (zone_id)(100 + guest), &link), 0);
			for (unsigned n = 0; n < 20; n++) {
				char from[64], to[ADDR_TEXT_SIZE];
				struct packet *packet;
				snprintf(from, sizeof(from), f ? "[fd77::%u]:%u" : "10.77.0.%u:%u",
					100 + guest, 5000 + n);
				snprintf(to, sizeof(to),
					f ? "[2001:db8:1::%x]:99" : "198.51.100.%u:99", 1 + n);
				packet = UDP_PACKET(from, to);
				packet->in_zone = (zone_id)(100 + guest);
				cr_expect_eq(lab_send(lab, packet), VERDICT_SEND);
				packet_dispose(packet);
			}
		}
		while (flows_walk(lab, &cursor, &info)) {
			const unsigned guest = info.link[0] - 100u;
			const union addr *mine = &info.direction[1].destination;
			if (addr_is_zero(&address[guest]))
				address[guest] = *mine;
			cr_expect(addr_equal(&address[guest], mine), "guest %u has two", guest);
			used[mine->bytes[f ? 15 : 3] - 5] = true;
		}
		for (unsigned i = 0; i < 8; i++)
			spread += used[i];
		cr_expect_geq(spread, 6, "%u of 8 addresses", spread);
		lab_close(lab);
	}
}

/* RFC 7422: the guest of a port can be told without a log. */
Test(nat_source, ports_tell_the_guest)
{
	struct lab *lab = lab_open(
		AF_INET, LAB(.config = "[network many]\nsubnet = 10.55.0.0/28\nport-block = 8\n"
				       "[network more]\nsubnet = 10.56.0.0/29\nport-block = 8\n",
				 .port_list = {2, {{61000, 61099}, {63000, 63199}}}));
	const struct port_list list = {2, {{61000, 61099}, {63000, 63199}}};
	struct flow_info info;
	uint32_t cursor = 0;

	for (unsigned guest = 2; guest < 20; guest++) {
		const bool more = guest >= 14; /* 10.56.0.2 and up */
		const unsigned host = more ? guest - 12 : guest;
		const struct engine_link link = {.network = more ? 4 : 3,
			.address4 = addr_v4(10, more ? 56 : 55, 0, (uint8_t)host)};
		if (more && host > 6)
			break;
		cr_assert_eq(engine_link_set(lab->engine, (zone_id)(100 + guest), &link), 0);
		for (unsigned n = 0; n < 9; n++) {
			char from[64];
			snprintf(from, sizeof(from), "10.%u.0.%u:%u", more ? 56 : 55, host,
				5000 + n);
			struct packet *packet = UDP_PACKET(from, "198.51.100.1:99");
			packet->in_zone = (zone_id)(100 + guest);
			/* A guest takes no port of another's, however many it wants. */
			cr_expect_eq(lab_send(lab, packet), n < 8 ? VERDICT_SEND : VERDICT_DROP);
			packet_dispose(packet);
			while ((packet = lab_answer(lab)) != NULL)
				packet_dispose(packet);
		}
	}
	static const struct step without[] = {
		{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"}, {NULL}};
	steps_play(lab, without);
	while (engine_flow_next(lab->engine, &cursor, &info)) {
		const union addr *guest = &info.direction[0].source;
		uint32_t n = 0;
		while (port_list_at(&list, n) != info.direction[1].destination_port)
			n++;
		if (guest->bytes[1] == 77)
			cr_expect_geq(n, (16 + 8) * 8, "behind all blocks");
		else
			cr_expect_eq(n / 8, (guest->bytes[1] == 56 ? 16u : 0u) + guest->bytes[3]);
	}
	lab_close(lab);
}

/* RFC 6888 REQ-3: pools of any shape, every port used, none outside. */
Test(nat_source, pools_of_any_shape)
{
	struct lab *lab = lab_open(AF_INET,
		LAB(.flows = 2048,
			.port_list = {3, {{61000, 61099}, {62500, 62500}, {63000, 63098}}}));
	bool used[65536] = {false};
	struct flow_info info;
	uint32_t cursor = 0;
	unsigned count = 0;

	for (unsigned n = 0; n < 200; n++) {
		char from[64];
		snprintf(from, sizeof(from), "10.77.0.2:%u", 5000 + n);
		struct packet *packet = UDP_PACKET(from, "198.51.100.1:99");
		packet->in_zone = 0;
		cr_expect_eq(lab_send(lab, packet), VERDICT_SEND);
		packet_dispose(packet);
	}
	while (engine_flow_next(lab->engine, &cursor, &info)) {
		const uint16_t port = info.direction[1].destination_port;
		cr_expect((port >= 61000 && port < 61100) || port == 62500 ||
			  (port >= 63000 && port < 63099));
		cr_expect_not(used[port]);
		used[port] = true;
		count++;
	}
	cr_expect_eq(count, 200);
	lab_close(lab);
}
