/* SPDX-License-Identifier: BSD-2-Clause */
/* tracking: connections other than TCP, what refreshes them, and how long which live. */
#include <netinet/in.h>
#include "../support/packets.h"
#include "../support/steps.h"
#include "base/cksum.h"

/* clang-format off */

#define PORT_TIMEOUTS                                                                              \
	LAB("[timeouts]\ntcp-established = 100\ntcp port 22-23 = 1000\n"                           \
	    "udp port 5060 = 600\nudp port 53 = 40\n")

STORY(tracking, timeouts_of_ports, PORT_TIMEOUTS,
	{"guest tcp guest:1 > server:22 S seq 10", "uplink tcp host:$a > server:22 S"},
	{"uplink tcp server:22 > host:$a SA seq 50 ack 11", "guest"},
	{"guest tcp guest:1 > server:22 A seq 11 ack 51", "uplink"},
	{"guest tcp guest:2 > server:24 S seq 10", "uplink tcp host:$b > server:24 S"},
	{"uplink tcp server:24 > host:$b SA seq 50 ack 11", "guest"},
	{"guest tcp guest:2 > server:24 A seq 11 ack 51", "uplink"},
	{"guest udp guest:1 > server:5060", "uplink"},
	{"guest udp guest:1 > server:22", "uplink"},
	{"guest udp guest:1 > server:53", "uplink"},
	{"wait 39"},
	{"flows", "5"},
	{"wait 2"},
	{"flows", "4"},
	{"wait 60"},
	{"states", "established unreplied unreplied"},
	{"wait 200"},
	{"states", "established unreplied"},
	{"wait 298"},
	{"flows", "2"},
	{"wait 2"},
	{"states", "established"},
	{"wait 398"},
	{"flows", "1"},
	{"wait 2"},
	{"flows", "0"});

/* Behind a forward it is the guest's port. */
STORY(tracking, the_port_is_the_service_s, PORT_TIMEOUTS,
	{"forward udp 8080 guest:5060", "ok"},
	{"uplink udp server:1 > host:8080", "guest udp server:1 > guest:5060"},
	{"wait 599"},
	{"flows", "1"},
	{"wait 2"},
	{"flows", "0"});

/* A connection is established when its handshake is complete; a refused one never is. */
STORY(tracking, established, LAB(),
	{"guest tcp guest:1 > server:9 S seq 10", "uplink tcp host:$a > server:9 S"},
	{"uplink tcp server:9 > host:$a SA seq 50 ack 11", "guest"},
	{"events", "1 0 0"},
	{"guest tcp guest:1 > server:9 A seq 11 ack 51", "uplink"},
	{"events", "1 1 0"},
	{"guest tcp guest:2 > server:9 S seq 10", "uplink tcp host:$b > server:9 S"},
	{"uplink tcp server:9 > host:$b RA ack 11", "guest"},
	{"events", "2 1 0"},
	{"guest udp guest:1 > server:9", "uplink udp host:$c > server:9"},
	{"uplink udp server:9 > host:$c", "guest"},
	{"events", "3 2 0"},
	{"uplink udp server:9 > host:$c", "guest"},
	{"events", "3 2 0"});

/* RFC 7857, 8: that the guest has nobody there does not keep a flow alive. */
STORY(tracking, a_refusal_does_not_refresh, LAB(),
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"},
	{"wait 299"},
	{"guest icmp guest > server port-unreachable about udp server:9 > guest:1",
		"uplink icmp host > server port-unreachable"},
	{"wait 2"},
	{"flows", "0"});

/* One identifier, two questions. */
STORY(tracking, echo_and_timestamp, LAB(.families = LAB_IPV4),
	{"guest icmp guest > server echo id 7", "uplink icmp host > server echo id $a"},
	{"guest icmp guest > server type 13 code 0 id 7 len 12", "uplink icmp host > server"},
	{"flows", "2"},
	{"ports", "1"},
	{"uplink icmp server > host reply id $a", "guest icmp server > guest reply id 7"},
	{"states", "replied unreplied"});

/* Who was asked has not asked: identifiers of 0 are in the same place in both. */
STORY(tracking, only_answers_come_back, LAB("[filter forward]\nrule = accept in lan out lan\n"),
	{"guest icmp guest > second echo id 0", "second icmp guest > second echo id 0"},
	{"second icmp second > guest echo id 0", "drop invalid"},
	{"guest icmp guest > second reply id 0", "drop invalid"},
	{"second icmp second > guest reply id 0", "guest icmp second > guest reply id 0"});

/* Nothing but zeros: the sum must not become the other zero. */
STORY(tracking, a_reply_of_zeros, LAB(.families = LAB_IPV4),
	{"guest icmp guest > server echo id 0 seq 0 len 8", "uplink icmp host > server echo id $a"},
	{"uplink icmp server > host reply id $a seq 0 len 8", "guest icmp server > guest reply id 0"});

/* RFC 8201, 4; RFC 791. */
STORY(tracking, absurd_mtus6, LAB(.families = LAB_IPV6),
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"},
	{"uplink icmp router > host too-big 1279 about udp host:$a > server:9", "drop invalid"},
	{"uplink icmp router > host too-big 0 about udp host:$a > server:9", "drop invalid"},
	{"uplink icmp router > host too-big 1280 about udp host:$a > server:9", "guest"});

STORY(tracking, absurd_mtus4, LAB(.families = LAB_IPV4),
	{"guest udp guest:1 > server:9", "uplink udp host:$a > server:9"},
	{"uplink icmp router > host too-big 67 about udp host:$a > server:9", "drop invalid"},
	{"uplink icmp router > host too-big 0 about udp host:$a > server:9", "guest"},
	{"uplink icmp router > host too-big 68 about udp host:$a > server:9", "guest"});

/* By pairs of addresses: one guest for each. */
STORY(tracking, protocols_without_ports, LAB(),
	{"guest proto 50 guest > server len 40", "uplink proto 50 host > server len 40"},
	{"guest proto 132 guest > server len 40", "uplink proto 132 host > server len 40"},
	{"second proto 132 second > server len 40", "drop no-port",
		"second icmp gateway > second prohibited"},
	{"second proto 132 second > server2 len 40", "uplink proto 132 host > server2 len 40"},
	{"uplink proto 132 server > host len 40", "guest proto 132 server > guest len 40"},
	{"wait 299"},
	{"flows", "3"},
	{"wait 2"},
	{"flows", "1"},
	{"wait 300"},
	{"flows", "0"});

/* RFC 5597 and 4302: what does not survive is not sent; the guest is told. */
STORY(tracking, protocols_that_translation_breaks4,
	LAB("[nat]\nno-masquerade = to 198.51.100.2\nmasquerade = in lan out uplink\n",
		.families = LAB_IPV4),
	{"guest proto 33 guest > server len 24",
		"drop protocol", "guest icmp gateway > guest type 3 code 2"},
	{"guest proto 51 guest > server len 24",
		"drop protocol", "guest icmp gateway > guest type 3 code 2"},
	{"guest proto 51 guest > server2 len 24", "uplink proto 51 guest > server2"});

/* clang-format on */

/* RFC 3828: its checksum has the addresses in it, and covers as much as the sender likes. */
Test(tracking, udplite_is_summed)
{
	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = lab_open(i == 0 ? AF_INET : AF_INET6, LAB(.config = NULL));
		struct packet *packet = steps_packet(lab, "guest proto 136 guest > server len 30");
		uint8_t *l4 = packet->data + packet->length - 30;
		const union addr guest = lab_address(lab, "guest");
		const union addr host = lab_address(lab, "host");
		const union addr server = lab_address(lab, "server");
		const uint8_t start[] = {
			0x13, 0x88, 0, 9, 0, 8, 0, 0}; /* covers the header alone */

		memcpy(l4, start, sizeof(start));
		uint64_t sum = cksum_pseudo(lab->family, &guest, &server, IPPROTO_UDPLITE, 30);
		const uint16_t checksum = (uint16_t)~cksum_fold(cksum_add(l4, 8, sum));
		memcpy(l4 + 6, &checksum, 2);
		cr_assert_eq(lab_send(lab, packet), VERDICT_SEND);
		sum = cksum_pseudo(lab->family, &host, &server, IPPROTO_UDPLITE, 30);
		cr_expect_eq(cksum_fold(cksum_add(l4, 8, sum)), 0xffff);
		packet_dispose(packet);
		lab_close(lab);
	}
}
