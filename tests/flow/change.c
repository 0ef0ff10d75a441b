/* SPDX-License-Identifier: BSD-2-Clause */
/* change: routes, addresses and links come and go under live flows. */
#include "../support/steps.h"

/* clang-format off */

/* As MASQUERADE does: who is somebody else from now on has lost its connections. */
STORY(change, a_route_with_another_address_ends_flows, LAB(),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > server2:99", "uplink udp host:$a > server2:99"},
	{"route server host2 2"},
	{"flows", "2"},
	{"guest udp guest:5000 > server:99", "uplink udp host2:$b > server:99"},
	{"guest udp guest:5000 > server2:99", "uplink udp host:$a > server2:99"},
	{"events", "3 0 1"},
	{"uplink udp server:99 > host:$a", "drop not-for-us"},
	{"uplink udp server:99 > host2:$b", "guest udp server:99 > guest:5000"});

STORY(change, the_uplink_may_be_first_to_notice, LAB(),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"route server host2 2"},
	{"uplink udp server:99 > host:$a", "drop not-for-us"},
	{"flows", "0"},
	{"ports", "0"});

/* In the middle of a connection the guest is told, and calls again. */
STORY(change, a_tcp_connection_that_cannot_go_on, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001", "guest tcp server:80 > guest:4000"},
	{"route server host2 2"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001",
		"drop no-flow", "guest tcp server:80 > guest:4000 R seq 5001"},
	{"flows", "0"});

STORY(change, protocols_without_ports_as_well, LAB(),
	{"guest proto 47 guest > server", "uplink proto 47 host > server"},
	{"route server host2 2"},
	{"guest proto 47 guest > server", "uplink proto 47 host2 > server"},
	{"flows", "1"});

/* Another way with the same address: the flow takes it. */
STORY(change, a_route_with_the_same_address_is_followed, LAB(),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"route server host 3"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"routes", "2"},
	{"events", "1 1 0"});

STORY(change, without_a_route_the_flow_waits, LAB(),
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"route server none"},
	{"guest udp guest:5000 > server:99", "drop no-route"},
	{"uplink udp server:99 > host:$a", "drop no-route"},
	{"flows", "1"},
	{"route server host"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"events", "1 1 0"});

/* A published port keeps the address that its client called. */
STORY(change, published_ports_follow_any_route, LAB(),
	{"forward udp 8080 guest:80", "ok"},
	{"uplink udp server:4000 > host:8080", "guest udp server:4000 > guest:80"},
	{"route server host2 2"},
	{"guest udp guest:80 > server:4000", "uplink udp host:8080 > server:4000"},
	{"uplink udp server:4000 > host:8080", "guest udp server:4000 > guest:80"},
	{"route server none"},
	{"guest udp guest:80 > server:4000", "drop no-route"},
	{"events", "1 1 0"});

STORY(change, flows_that_keep_their_address_follow_too, LAB("[nat]\nno-masquerade = in lab\n"),
	{"guest udp guest:5000 > server:99", "uplink udp guest:5000 > server:99"},
	{"route server host2 2"},
	{"guest udp guest:5000 > server:99", "uplink udp guest:5000 > server:99"},
	{"events", "1 0 0"});

/* Flows between guests have nothing to do with routes. */
STORY(change, flows_inside_do_not_ask, LAB("[filter forward]\npolicy = accept\n"),
	{"guest udp guest:5000 > far:99", "far udp guest:5000 > far:99"},
	{"route server host2"},
	{"guest udp guest:5000 > far:99", "far udp guest:5000 > far:99"},
	{"routes", "0"});

STORY(change, a_lost_address_ends_its_flows, LAB(),
	{"forward tcp 8080 guest:80", "ok"},
	{"forward tcp host2:8081 second:80", "ok"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"guest udp guest:5000 > beyond:99", "uplink udp host2:$b > beyond:99"},
	{"uplink tcp server:4000 > host:8080 S", "guest tcp server:4000 > guest:80 S"},
	{"guest tcp guest:4000 > host2:8081 S", "second tcp host2:$c > second:80 S"},
	{"guest tcp guest:4000 > host:8080 S", "guest tcp host:$d > guest:80 S"},
	{"guest proto 47 guest > server", "uplink proto 47 host > server"},
	{"address-lost host", "4"},
	{"flows", "2"},
	{"uplink udp server:99 > host:$a", "drop bounce"},
	{"uplink tcp server:4000 > host:8080 S", "drop bounce"},
	{"guest udp guest:5000 > beyond:99", "uplink udp host2:$b > beyond:99"},
	{"guest udp guest:5000 > server:99",
		"drop no-port", "guest icmp gateway > guest prohibited"},
	{"address-lost host", "0"},
	{"address-new host", "ok"},
	{"address-new host", "ok"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$e > server:99"},
	{"address-lost host2", "2"},
	{"flows", "1"});

/* No address, no flow: a protocol without ports is no exception. */
STORY(change, no_protocol_uses_a_lost_address, LAB(),
	{"address-lost host", "0"},
	{"guest proto 47 guest > server",
		"drop no-port",
		"guest icmp gateway > guest prohibited about proto 47 guest > server"},
	{"flows", "0"});

STORY(change, a_lost_link_ends_its_flows, LAB("[filter forward]\npolicy = accept\n"),
	{"forward tcp 8080 guest:80", "ok"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"second udp second:5000 > server:99", "uplink udp host:$b > server:99"},
	{"uplink tcp server:4000 > host:8080 S", "guest tcp server:4000 > guest:80 S"},
	{"second udp second:5000 > guest:99", "guest udp second:5000 > guest:99"},
	{"guest udp guest:5000 > gateway:53", "service udp guest:5000 > gateway:53"},
	{"flows", "5"},
	{"link-lost guest"},
	{"flows", "1"},
	{"ports", "1"},
	{"uplink udp server:99 > host:$a", "drop not-for-us"},
	{"uplink tcp server:4000 > host:8080 S", "drop no-link"},
	{"second udp second:5000 > guest:99",
		"drop no-link", "second icmp gateway > second host-unreachable"},
	{"guest udp guest:5000 > server:99", "drop spoofed"},
	{"uplink udp server:99 > host:$b", "second udp server:99 > second:5000"});

/* clang-format on */

/* A link may be given another address or MTU while it runs.  The address is who the guest is. */
Test(change, a_link_with_another_address_ends_flows)
{
	static const struct step before[] = {
		{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
		{"guest udp guest:5000 > gateway:53", "service udp guest:5000 > gateway:53"},
		{"second udp second:5000 > server:99", "uplink udp host:$b > server:99"}, {NULL}};
	static const struct step after[] = {{"uplink udp server:99 > host:$a", "drop not-for-us"},
		{"guest udp guest:5000 > server:99", "drop spoofed"},
		{"guest udp nobody:5000 > server:99", "uplink udp host:$c > server:99"},
		{"flows", "2"}, {NULL}};

	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = lab_open(i == 0 ? AF_INET : AF_INET6, LAB(.config = NULL));
		const struct link_config *config = &lab->config->links[0];
		struct engine_link link = {.network = 0,
			.mtu = 1400,
			.address4 = config->address4,
			.address6 = config->address6};
		union addr *address = i == 0 ? &link.address4 : &link.address6;

		steps_play(lab, before);
		cr_assert_eq(engine_link_set(lab->engine, 0, &link), 0);
		cr_expect_eq(engine_status(lab->engine)->flows, 3, "only its MTU");
		*address = lab_address(lab, "nobody");
		cr_assert_eq(engine_link_set(lab->engine, 0, &link), 0);
		cr_expect_eq(engine_status(lab->engine)->flows, 1);
		steps_play(lab, after);
		lab_close(lab);
	}
}
