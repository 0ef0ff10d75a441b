/* SPDX-License-Identifier: BSD-2-Clause */
/* service: the gateway's own services on its networks, VERDICT_LOCAL and engine_output(). */
#include "../support/steps.h"

/* clang-format off */

/* No hop lies between a guest and its gateway. */
STORY(service, a_guest_asks_the_gateway, LAB(),
	{"guest udp guest:5000 > gateway:53 len 30 ttl 1",
		"service udp guest:5000 > gateway:53 len 30 ttl 1"},
	{"service udp gateway:53 > guest:5000 len 100 ttl 1",
		"guest udp gateway:53 > guest:5000 len 100 ttl 1"},
	{"guest tcp guest:5000 > gateway:53 S seq 1000", "service tcp guest:5000 > gateway:53 S"},
	{"service tcp gateway:53 > guest:5000 SA seq 1 ack 1001",
		"guest tcp gateway:53 > guest:5000 SA"},
	{"guest icmp guest > gateway echo id 5", "service icmp guest > gateway echo id 5"},
	{"service icmp gateway > guest reply id 5", "guest icmp gateway > guest reply id 5"},
	{"ports", "0"},
	{"routes", "0"});

STORY(service, each_network_has_its_own, LAB(),
	{"far udp far:5000 > far-gateway:53", "service-far udp far:5000 > far-gateway:53"},
	{"service-far udp far-gateway:53 > far:5000", "far udp far-gateway:53 > far:5000"},
	{"wide udp wider:5000 > wide-gateway:53", "service-wide udp wider:5000 > wide-gateway:53"},
	{"service-wide udp wide-gateway:53 > wider:5000", "wide udp wide-gateway:53 > wider:5000"},
	/* and is for nobody else */
	{"far udp far:5000 > gateway:53", "drop host", "far icmp far-gateway > far prohibited"});

STORY(service, other_ports_are_closed, LAB(),
	{"guest tcp guest:4000 > gateway:22 S", "drop filter"},
	{"guest udp guest:4000 > gateway:67", "drop filter"},
	{"guest icmp guest > gateway echo id 1", "service icmp guest > gateway echo id 1"});

/* A service may call; towards the uplink it is masqueraded as a guest is. */
STORY(service, a_service_calls, LAB(),
	{"service udp gateway:4000 > guest:99", "guest udp gateway:4000 > guest:99"},
	{"guest udp guest:99 > gateway:4000", "service udp guest:99 > gateway:4000"},
	{"service udp gateway:4000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server:53 > host:$a", "service udp server:53 > gateway:4000"});

STORY(service, errors_come_to_services, LAB(),
	{"service udp gateway:4000 > guest:99 len 10", "guest udp gateway:4000 > guest:99"},
	{"guest icmp guest > gateway port-unreachable about udp gateway:4000 > guest:99 len 10",
		"service icmp guest > gateway port-unreachable about udp gateway:4000 > guest:99"},
	{"guest udp guest:5000 > gateway:53", "service udp guest:5000 > gateway:53"},
	{"service icmp gateway > guest port-unreachable about udp guest:5000 > gateway:53",
		"guest icmp gateway > guest port-unreachable about udp guest:5000 > gateway:53"});

/* In the middle of a connection of before a restart. */
STORY(service, segments_of_unknown_connections, LAB(),
	{"guest tcp guest:4000 > gateway:53 A seq 1 ack 7",
		"drop no-flow", "guest tcp gateway:53 > guest:4000 R seq 7"},
	{"service tcp gateway:53 > guest:4000 A seq 7 ack 1",
		"drop no-flow", "service tcp guest:4000 > gateway:53 R seq 1"});
