/* SPDX-License-Identifier: BSD-2-Clause */
/* exhaustion: what gives way when ports or records run short, and what never does. */
#include <stdio.h>
#include "../support/steps.h"

/* clang-format off */

#define ONE_PORT {61000, 61000}

/* RFC 7857, 3: sockets whose peers differ share a port, and only when none is free. */
STORY(exhaustion, peers_that_differ_share_a_port, LAB(.ports = {61000, 61001}),
	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
	{"guest udp guest:5001 > server:53", "uplink udp host:$b > server:53"},
	{"second udp second:5000 > server:53",
		"drop no-port",
		"second icmp gateway > second prohibited about udp second:5000 > server:53"},
	{"second udp second:5000 > server2:53", "uplink udp"},
	{"flows", "3"},
	{"ports", "2"});

STORY(exhaustion, replies_over_a_shared_port, LAB(.ports = ONE_PORT),
	{"guest udp guest:5000 > server:53", "uplink udp host:61000 > server:53"},
	{"second udp second:5000 > server2:53", "uplink udp host:61000 > server2:53"},
	{"far udp far:5000 > server:54", "uplink udp host:61000 > server:54"},
	{"ports", "1"},
	{"uplink udp server2:53 > host:61000", "second udp server2:53 > second:5000"},
	{"uplink udp server:53 > host:61000", "guest udp server:53 > guest:5000"},
	{"uplink udp server:54 > host:61000", "far udp server:54 > far:5000"},
	{"uplink udp server2:54 > host:61000", "drop not-for-us"},
	{"wait 31"},
	{"flows", "1"},
	{"ports", "1"},
	{"wait 330"},
	{"flows", "0"},
	{"ports", "0"});

STORY(exhaustion, tcp_shares_as_well, LAB(.ports = ONE_PORT),
	{"guest tcp guest:5000 > server:80 S", "uplink tcp host:61000 > server:80 S"},
	{"second tcp second:5000 > server2:80 S", "uplink tcp host:61000 > server2:80 S"},
	{"second tcp second:5001 > server2:80 S",
		"drop no-port",
		"second icmp gateway > second prohibited about tcp second:5001 > server2:80"},
	{"flows", "2"});

/* An identifier is never shared: an error may quote too little to tell whose it was. */
STORY(exhaustion, identifiers_are_not_shared, LAB(.ports = ONE_PORT),
	{"guest icmp guest > server echo id 7", "uplink icmp host > server echo id 61000"},
	{"guest icmp guest > server2 echo id 7", "uplink icmp host > server2 echo id 61000"},
	{"second icmp second > server3 echo id 7",
		"drop no-port",
		"second icmp gateway > second prohibited about icmp second > server3 echo id 7"},
	{"guest udp guest:5000 > server:53", "uplink udp host:61000 > server:53"});

/* Each protocol and each address has all ports. */
STORY(exhaustion, protocols_and_addresses_do_not_compete, LAB(.ports = ONE_PORT),
	{"guest udp guest:5000 > server:53", "uplink udp host:61000 > server:53"},
	{"guest tcp guest:5000 > server:53 S", "uplink tcp host:61000 > server:53 S"},
	{"guest udp guest:5001 > beyond:53", "uplink udp host2:61000 > beyond:53"},
	{"ports", "1"});

/* A connection of `guest`, closed, $a being its port outside. */
#define FINISHED(guest)                                                                            \
	{guest " tcp " guest ":4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},  \
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001",                                    \
		guest " tcp server:80 > " guest ":4000 SA"},                                       \
	{guest " tcp " guest ":4000 > server:80 FA seq 1001 ack 5001",                             \
		"uplink tcp host:$a > server:80 FA"},                                              \
	{"uplink tcp server:80 > host:$a FA seq 5001 ack 1002",                                    \
		guest " tcp server:80 > " guest ":4000 FA"},                                       \
	{guest " tcp " guest ":4000 > server:80 A seq 1002 ack 5002",                              \
		"uplink tcp host:$a > server:80 A"}

/* RFC 6191: a TIME_WAIT gives its port to who needs one. */
STORY(exhaustion, a_finished_connection_gives_up_its_port, LAB(.ports = ONE_PORT),
	FINISHED("guest"),
	{"states", "time-wait"},
	{"second tcp second:4000 > server:80 S seq 1", "uplink tcp host:61000 > server:80 S seq 1"},
	{"states", "syn-sent"},
	{"events", "2 1 1"});

/* Only to who can use it. */
STORY(exhaustion, a_finished_connection_s_port_is_of_no_use_to_udp, LAB(.ports = ONE_PORT),
	FINISHED("guest"),
	{"guest udp guest:5000 > server:80", "uplink udp host:61000 > server:80"},
	{"second udp second:5000 > server:80",
		"drop no-port",
		"second icmp gateway > second prohibited about udp second:5000 > server:80"},
	{"states", "time-wait unreplied"});

/* RFC 6888 REQ-11: what lives is not ended for what is new. */
STORY(exhaustion, a_live_connection_keeps_its_port, LAB(.ports = ONE_PORT),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"second tcp second:4000 > server:80 S seq 1",
		"drop no-port",
		"second icmp gateway > second prohibited about tcp second:4000 > server:80"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001",
		"guest tcp server:80 > guest:4000 SA"},
	{"second tcp second:4000 > server:80 S seq 1",
		"drop no-port",
		"second icmp gateway > second prohibited about tcp second:4000 > server:80"},
	{"states", "syn-received"});

STORY(exhaustion, finished_connections_give_up_their_records, LAB(.flows = 2),
	FINISHED("guest"),
	{"second udp second:5000 > server:53", "uplink udp host:$b > server:53"},
	{"far udp far:5000 > server:53", "uplink udp host:$c > server:53"},
	{"states", "unreplied unreplied"},
	{"wide udp wide:5000 > server:53",
		"drop flows-full",
		"wide icmp wide-gateway > wide prohibited about udp wide:5000 > server:53"},
	{"far udp far:5000 > server:53", "uplink udp host:$c > server:53"},
	{"wait 31"},
	{"wide udp wide:5000 > server:53", "uplink udp host:$d > server:53"});

/* The uplink is not told. */
STORY(exhaustion, silence_to_the_uplink, LAB(.flows = 1),
	{"forward udp 8080 guest:80", "ok"},
	{"second udp second:5000 > server:53", "uplink udp host:$a > server:53"},
	{"uplink udp server:4001 > host:8080", "drop flows-full"},
	{"flows", "1"});

/* The reset ones go first, then the oldest in TIME_WAIT, then one's own oldest that is half open;
 * never what is another's. */
STORY(exhaustion, the_order_of_giving_way, LAB(.flows = 3),
	FINISHED("guest"),
	{"wait 1"},
	{"second tcp second:4000 > server:80 S seq 1", "uplink tcp host:$b > server:80 S"},
	{"uplink tcp server:80 > host:$b RA ack 2", "second tcp server:80 > second:4000 RA"},
	{"far tcp far:4000 > server:80 S seq 1", "uplink tcp host:$c > server:80 S"},
	{"states", "time-wait close syn-sent"},
	{"far tcp far:4001 > server:80 S seq 1", "uplink tcp host:$d > server:80 S"},
	{"states", "time-wait syn-sent syn-sent"},
	{"far tcp far:4002 > server:80 S seq 1", "uplink tcp host:$e > server:80 S"},
	{"states", "syn-sent syn-sent syn-sent"},
	{"far tcp far:4003 > server:80 S seq 1", "uplink tcp host:$f > server:80 S"},
	{"states", "syn-sent syn-sent syn-sent"},
	{"uplink tcp server:80 > host:$c SA seq 1 ack 2", "drop no-flow"},
	{"uplink tcp server:80 > host:$d SA seq 1 ack 2", "far tcp server:80 > far:4001 SA"},
	{"second tcp second:4001 > server:80 S seq 1",
		"drop flows-full",
		"second icmp gateway > second prohibited about tcp second:4001 > server:80"});

/* A guest that has lost its record to another is told so that it gives up soon. */
STORY(exhaustion, a_lost_record_is_an_unknown_connection, LAB(.flows = 1),
	FINISHED("guest"),
	{"second udp second:5000 > server:53", "uplink udp host:$b > server:53"},
	{"guest tcp guest:4000 > server:80 A seq 1002 ack 5002",
		"drop no-flow", "guest tcp server:80 > guest:4000 R seq 5002"});

/* `far` and `second` share $b.  When `far` calls the peer of `second` it gets another port for
 * that: endpoint-independence ends where replies could not be told apart. */
STORY(exhaustion, a_clash_makes_a_second_mapping, LAB(.ports = {61000, 61002}),
	{"wide udp wide:5000 > server:99", "uplink udp host:$c > server:99"},
	{"wait 200"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"far udp far:5000 > server2:99", "uplink udp host:$b > server2:99"},
	{"second udp second:5000 > server:99", "uplink udp host:$b > server:99"},
	{"wait 101"},
	{"flows", "3"},
	{"ports", "2"},
	{"far udp far:5000 > server:99", "uplink udp host:$c > server:99"},
	{"far udp far:5000 > server3:99", "uplink udp"},
	{"uplink udp server:99 > host:$c", "far udp server:99 > far:5000"},
	{"uplink udp server2:99 > host:$b", "far udp server2:99 > far:5000"},
	{"uplink udp server:99 > host:$b", "second udp server:99 > second:5000"},
	{"ports", "3"},
	{"wait 361"},
	{"ports", "0"});

/* A finished connection gives way where that helps: not for a port of another address. */
STORY(exhaustion, ports_of_another_address_do_not_help, LAB(.ports = ONE_PORT),
	FINISHED("guest"),
	{"second tcp second:4000 > beyond:80 S seq 1", "uplink tcp host2:61000 > beyond:80 S"},
	{"far tcp far:4000 > beyond:80 S seq 1",
		"drop no-port",
		"far icmp far-gateway > far prohibited about tcp far:4000 > beyond:80"},
	{"states", "time-wait syn-sent"});

/* clang-format on */

/* However many ports there are: that of somebody with other peers is soon found. */
Test(exhaustion, sharing_among_many_ports)
{
	static const struct step shares[] = {{"second udp second:5000 > server2:99", "uplink udp"},
		{"second udp second:5000 > server3:99", "uplink udp"}, {"ports", "1000"}, {NULL}};
	struct lab *lab = lab_open(AF_INET, LAB(.ports = {61000, 61999}, .flows = 2000));
	char text[64];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "guest udp guest:%u > server:99", 2000 + i);
		const struct step fill[] = {{text, "uplink udp"}, {NULL}};
		steps_play(lab, fill);
	}
	steps_play(lab, shares);
	lab_close(lab);
}
