/* SPDX-License-Identifier: BSD-2-Clause */
/* protection: who may send from where to whom, whatever the rules say. */
#include "../support/steps.h"

/* clang-format off */

/* The widest rules there are: none of the drops below is the filter's. */
#define ACCEPT_ALL                                                                                 \
	LAB("[filter forward]\npolicy = accept\n"                                                  \
	    "[filter input]\npolicy = accept\n")

STORY(protection, a_guest_speaks_for_itself_alone, ACCEPT_ALL,
	{"guest udp second:5000 > server:53", "drop spoofed"},
	{"guest udp host:5000 > server:53", "drop spoofed"},
	{"guest udp gateway:5000 > server:53", "drop spoofed"},
	{"guest udp far:5000 > server:53", "drop spoofed"},
	{"guest udp server:5000 > server2:53", "drop spoofed"},
	{"guest udp unspecified:5000 > server:53", "drop martian"},
	{"guest udp loopback:5000 > server:53", "drop martian"},
	{"guest udp multicast:5000 > server:53", "drop martian"},
	{"guest tcp second:5000 > server:53 A", "drop spoofed"},
	{"guest icmp second > server echo id 1", "drop spoofed"},
	{"guest proto 47 second > server", "drop spoofed"},
	{"flows", "0"});

/* Behind a tun link is its whole network, but not the gateway. */
STORY(protection, a_tun_link_speaks_for_its_network, ACCEPT_ALL,
	{"wide udp wide:5000 > server:53", "uplink udp host:$a > server:53"},
	{"wide udp wider:5000 > server:53", "uplink udp host:$b > server:53"},
	{"wide udp wide-gateway:5000 > server:53", "drop spoofed"},
	{"wide udp guest:5000 > server:53", "drop spoofed"},
	{"wide udp server:5000 > server2:53", "drop spoofed"});

/* The tutorial, 4.3: from the uplink nobody is one of us. */
STORY(protection, uplink_packets_that_claim_our_addresses, ACCEPT_ALL,
	{"forward udp 8080 guest:80", "ok"},
	{"uplink udp second:5000 > host:8080", "drop spoofed"},
	{"uplink udp far:5000 > host:8080", "drop spoofed"},
	{"uplink udp gateway:5000 > host:8080", "drop spoofed"},
	{"uplink udp nobody:5000 > host:8080", "drop spoofed"},
	{"uplink udp host:5000 > host:8080", "drop spoofed"},
	{"uplink udp host2:5000 > host:8080", "drop spoofed"},
	{"uplink udp loopback:5000 > host:8080", "drop martian"},
	{"uplink udp multicast:5000 > host:8080", "drop martian"},
	{"uplink udp unspecified:5000 > host:8080", "drop martian"},
	{"flows", "0"});

/* ... and none of us is addressed from there but through what is published (moby 41872, 45610). */
STORY(protection, direct_to_guest, ACCEPT_ALL,
	{"forward udp 8080 guest:80", "ok"},
	{"uplink udp server:5000 > guest:80", "drop bounce"},
	{"uplink tcp server:5000 > guest:80 S", "drop bounce"},
	{"uplink icmp server > guest echo id 1", "drop bounce"},
	{"uplink udp server:5000 > gateway:53", "drop bounce"},
	{"uplink udp server:5000 > loopback:8080", "drop martian"},
	{"uplink icmp server > host echo id 1", "drop not-for-us"},
	{"uplink proto 47 server > host", "drop not-for-us"});

/* Seed rule 2: nothing comes in by the uplink to leave by it. */
STORY(protection, bounce, ACCEPT_ALL,
	{"uplink udp server:5000 > server2:53", "drop bounce"},
	{"uplink tcp server:5000 > beyond:53 S", "drop bounce"},
	{"uplink icmp server > server2 echo id 1", "drop bounce"},
	{"uplink udp server:5000 > local:53", "drop bounce"});

STORY(protection, destinations_that_are_nobody_s, ACCEPT_ALL,
	{"guest udp guest:5000 > multicast:53", "drop martian"},
	{"guest udp guest:5000 > loopback:53", "drop martian"},
	{"guest udp guest:5000 > unspecified:53", "drop martian"},
	{"guest udp guest:5000 > broadcast:53", "drop martian"},
	{"guest icmp guest > broadcast echo id 1", "drop martian"},
	{"far udp far:5000 > broadcast:53", "drop martian"},
	{"uplink udp server:5000 > multicast:53", "drop martian"});

STORY(protection, the_limited_and_the_directed_broadcasts, LAB(.families = LAB_IPV4),
	{"guest udp guest:5000 > 255.255.255.255:53", "drop martian"},
	{"guest udp guest:5000 > 10.77.0.0:53", "drop martian"},
	{"guest udp guest:5000 > 10.88.0.255:53", "drop martian"},
	/* unicast_extensions.sh: these are addresses like others */
	{"guest udp guest:5000 > 240.0.0.1:53", "uplink udp host:$a > 240.0.0.1:53"},
	{"guest udp guest:5000 > 0.1.2.3:53", "uplink udp host:$a > 0.1.2.3:53"});

/* The host itself, by any address of its. */
STORY(protection, a_guest_does_not_reach_the_host, ACCEPT_ALL,
	{"guest tcp guest:4000 > host:22 S",
		"drop host",
		"guest icmp gateway > guest prohibited about tcp guest:4000 > host:22"},
	{"guest udp guest:4000 > host2:53",
		"drop host",
		"guest icmp gateway > guest prohibited about udp guest:4000 > host2:53"},
	{"guest tcp guest:4000 > local:22 S",
		"drop host",
		"guest icmp gateway > guest prohibited about tcp guest:4000 > local:22"},
	{"guest icmp guest > host echo id 1",
		"drop host",
		"guest icmp gateway > guest prohibited about icmp guest > host echo id 1"},
	{"far tcp far:4000 > host:22 S",
		"drop host", "far icmp far-gateway > far prohibited about tcp far:4000 > host:22"});

/* By the built-in rules: not each other, not what is near the host but not for guests. */
STORY(protection, isolation_is_the_default, LAB(),
	{"guest tcp guest:4000 > second:22 S seq 1000",
		"drop reject", "guest tcp second:22 > guest:4000 RA seq 0 ack 1001"},
	{"guest udp guest:4000 > far:53",
		"drop reject",
		"guest icmp gateway > guest prohibited about udp guest:4000 > far:53"},
	{"guest icmp guest > wide echo id 1",
		"drop reject",
		"guest icmp gateway > guest prohibited about icmp guest > wide echo id 1"});

STORY(protection, metadata_services4, LAB(.families = LAB_IPV4),
	{"guest tcp guest:4000 > 169.254.169.254:80 S seq 5",
		"drop reject", "guest tcp 169.254.169.254:80 > guest:4000 RA ack 6"},
	{"guest udp guest:4000 > 100.100.100.200:80",
		"drop reject", "guest icmp gateway > guest prohibited"});

STORY(protection, metadata_services6, LAB(.families = LAB_IPV6),
	{"guest tcp guest:4000 > [fd00:ec2::254]:80 S seq 5",
		"drop reject", "guest tcp [fd00:ec2::254]:80 > guest:4000 RA ack 6"},
	{"guest udp guest:4000 > [fe80::1]:80",
		"drop reject", "guest icmp gateway > guest prohibited"});

STORY(protection, destinations_without_a_way, LAB(),
	{"guest udp guest:4000 > nowhere:53",
		"drop no-route",
		"guest icmp gateway > guest net-unreachable about udp guest:4000 > nowhere:53"},
	{"guest udp guest:4000 > forbidden:53",
		"drop no-route",
		"guest icmp gateway > guest prohibited about udp guest:4000 > forbidden:53"},
	{"guest udp guest:4000 > nobody:53",
		"drop no-link",
		"guest icmp gateway > guest host-unreachable about udp guest:4000 > nobody:53"},
	/* LAND: to oneself, from oneself */
	{"guest tcp guest:80 > guest:80 S",
		"drop no-link", "guest icmp gateway > guest host-unreachable"},
	{"wide udp wide:4000 > wider:53",
		"drop no-link",
		"wide icmp wide-gateway > wide host-unreachable about udp wide:4000 > wider:53"},
	{"flows", "0"});

/* Errors of our own are so many a second, RFC 1812 4.3.2.8, RFC 4443 2.4 (f). */
STORY(protection, errors_are_limited, LAB("[limits]\nicmp-errors-per-second = 2\n"),
	{"guest udp guest:4000 > nowhere:53", "drop no-route", "guest icmp gateway > guest"},
	{"guest udp guest:4000 > nowhere:53", "drop no-route", "guest icmp gateway > guest"},
	{"guest udp guest:4000 > nowhere:53", "drop no-route"},
	{"wait 0.4"},
	{"guest udp guest:4000 > nowhere:53", "drop no-route"},
	{"wait 0.1"},
	{"guest udp guest:4000 > nowhere:53", "drop no-route", "guest icmp gateway > guest"},
	{"guest udp guest:4000 > nowhere:53", "drop no-route"});

/* No error about what must not be answered: RFC 1122 3.2.2. */
STORY(protection, no_error_about_an_error, LAB(),
	{"guest icmp guest > nowhere port-unreachable about udp nowhere:99 > guest:5000",
		"drop no-flow"});
