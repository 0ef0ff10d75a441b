/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pptp: calls announced on a control connection; who is the client, and who the guest, is all the
 * same.
 */
#include "../support/steps.h"

/* clang-format off */

#define PPTP LAB(.config = "[helpers]\npptp =\n")

#define REQUEST "7"
#define REPLY   "8"

/* Control connections, open: guest at 1001, server at 5001. */
#define OPENED_BY(NAME, PORT, A)                                                                   \
	{NAME " tcp " NAME ":" PORT " > server:1723 S seq 1000",                                   \
		"uplink tcp host:" A " > server:1723 S"},                                          \
	{"uplink tcp server:1723 > host:" A " SA seq 5000 ack 1001", NAME},                        \
	{NAME " tcp " NAME ":" PORT " > server:1723 A seq 1001 ack 5001", "uplink"}

#define OPENED OPENED_BY("guest", "4000", "$a")

/* The guest calls under its id 3, the server answers under its 7. */
#define CALLED                                                                                     \
	{"guest tcp guest:4000 > server:1723 PA seq 1001 ack 5001 pptp " REQUEST " call 3",        \
		"uplink tcp host:$a > server:1723 PA seq 1001 len 168 pptp 7 call 3"},             \
	{"uplink tcp server:1723 > host:$a PA seq 5001 ack 1169 pptp " REPLY                       \
	 " call 7 peer 3 result 1",                                                                \
		"guest tcp server:1723 > guest:4000 PA seq 5001 len 32 pptp 8 call 7 peer 3"}

STORY(pptp, a_guest_calls, PPTP, OPENED, CALLED,
	{"expectations", "2"},
	{"guest gre guest > server call 7", "uplink gre host > server call 7"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"guest gre guest > server call 7", "uplink gre host > server call 7"},
	{"flows", "3"});

STORY(pptp, who_hears_first_speaks_first, PPTP, OPENED, CALLED,
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"guest gre guest > server call 7", "uplink gre host > server call 7"});

/* Both count from 3: the second one's call has another id outside, and its own again inside. */
STORY(pptp, two_guests_call_one_server, PPTP, OPENED, CALLED,
	OPENED_BY("second", "4000", "$b"),
	{"second tcp second:4000 > server:1723 PA seq 1001 ack 5001 pptp 7 call 3",
		"uplink tcp host:$b > server:1723 PA seq 1001 len 168 pptp 7 call $c"},
	{"uplink tcp server:1723 > host:$b PA seq 5001 ack 1169 pptp 8 call 8 peer $c result 1",
		"second tcp server:1723 > second:4000 PA len 32 pptp 8 call 8 peer 3"},
	{"guest gre guest > server call 7", "uplink gre host > server call 7"},
	{"second gre second > server call 8", "uplink gre host > server call 8"},
	{"uplink gre server > host call $c", "second gre server > second call 3"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"second tcp second:4000 > server:1723 PA seq 1169 ack 5033 pptp 15 call 8",
		"uplink tcp host:$b > server:1723 PA pptp 15 call 8"},
	{"uplink tcp server:1723 > host:$b PA seq 5033 ack 1193 pptp 15 call $c",
		"second tcp server:1723 > second:4000 PA pptp 15 call 3"});

STORY(pptp, one_guest_with_two_calls, PPTP, OPENED, CALLED,
	{"guest tcp guest:4000 > server:1723 PA seq 1169 ack 5033 pptp 7 call 4",
		"uplink tcp host:$a > server:1723 PA seq 1169 pptp 7 call 4"},
	{"uplink tcp server:1723 > host:$a PA seq 5033 ack 1337 pptp 8 call 9 peer 4 result 1",
		"guest tcp server:1723 > guest:4000 PA pptp 8 call 9 peer 4"},
	{"uplink gre server > host call 4", "guest gre server > guest call 4"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"guest gre guest > server call 9", "uplink gre host > server call 9"},
	{"expectations", "4"});

/* Call id 0 is one like any other (and no plain GRE). */
STORY(pptp, calls_are_counted_from_zero, PPTP, OPENED,
	{"guest tcp guest:4000 > server:1723 PA seq 1001 ack 5001 pptp 7 call 0",
		"uplink tcp host:$a > server:1723 PA pptp 7 call 0"},
	{"uplink gre server > host len 20", "drop not-for-us"},
	{"uplink gre server > host call 0", "guest gre server > guest call 0"});

/* The server calls: a network server behind us that is called by its access concentrator. */
STORY(pptp, an_incoming_call, PPTP, OPENED,
	{"uplink tcp server:1723 > host:$a PA seq 5001 ack 1001 pptp 9 call 7",
		"guest tcp server:1723 > guest:4000 PA len 220 pptp 9 call 7"},
	{"guest tcp guest:4000 > server:1723 PA seq 1001 ack 5221 pptp 10 call 3 peer 7 result 1",
		"uplink tcp host:$a > server:1723 PA len 24 pptp 10 call 3 peer 7"},
	{"uplink tcp server:1723 > host:$a PA seq 5221 ack 1025 pptp 11 call 3",
		"guest tcp server:1723 > guest:4000 PA pptp 11 call 3"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"guest gre guest > server call 7", "uplink gre host > server call 7"});

/* A server behind us is called from outside, by two who count alike. */
STORY(pptp, a_published_server, PPTP,
	{"forward tcp 1723 guest:1723", "ok"},
	{"uplink tcp server:4000 > host:1723 S seq 1000", "guest"},
	{"guest tcp guest:1723 > server:4000 SA seq 5000 ack 1001", "uplink"},
	{"uplink tcp server:4000 > host:1723 PA seq 1001 ack 5001 pptp 7 call 3",
		"guest tcp server:4000 > guest:1723 PA pptp 7 call 3"},
	{"guest tcp guest:1723 > server:4000 PA seq 5001 ack 1169 pptp 8 call 7 peer 3 result 1",
		"uplink tcp host:1723 > server:4000 PA pptp 8 call 7 peer 3"},
	{"uplink gre server > host call 7", "guest gre server > guest call 7"},
	{"guest gre guest > server call 3", "uplink gre host > server call 3"},
	{"uplink gre server2 > host call 7", "drop not-for-us"},
	{"uplink tcp server2:4000 > host:1723 S seq 1000", "guest"},
	{"guest tcp guest:1723 > server2:4000 SA seq 5000 ack 1001", "uplink"},
	{"uplink tcp server2:4000 > host:1723 PA seq 1001 ack 5001 pptp 7 call 3",
		"guest tcp server2:4000 > guest:1723 PA pptp 7 call 3"},
	{"guest tcp guest:1723 > server2:4000 PA seq 5001 ack 1169 pptp 8 call 7 peer 3 result 1",
		"uplink tcp host:1723 > server2:4000 PA pptp 8 call 7 peer 3"},
	{"uplink gre server2 > host call 7", "guest gre server2 > guest call 7"});

/* The address under which the server is published is that of its calls as well. */
STORY(pptp, a_server_published_at_another_address, PPTP,
	{"forward tcp host2:1723 guest:1723", "ok"},
	{"uplink tcp server:4000 > host2:1723 S seq 1000", "guest"},
	{"guest tcp guest:1723 > server:4000 SA seq 5000 ack 1001", "uplink"},
	{"uplink tcp server:4000 > host2:1723 PA seq 1001 ack 5001 pptp 7 call 3", "guest"},
	{"guest tcp guest:1723 > server:4000 PA seq 5001 ack 1169 pptp 8 call 7 peer 3 result 1",
		"uplink tcp host2:1723 > server:4000 PA pptp 8 call 7 peer 3"},
	{"guest gre guest > server call 3", "uplink gre host2 > server call 3"},
	{"uplink gre server > host2 call 7", "guest gre server > guest call 7"});

/* What the guest sends out is related, not new. */
STORY(pptp, calls_are_related,
	LAB(.config = "[helpers]\npptp =\n[filter forward]\npolicy = drop\n"
		      "rule = accept state established,related\n"
		      "rule = accept in lab out uplink proto tcp to port 1723\n"), OPENED, CALLED,
	{"guest gre guest > server call 7", "uplink gre host > server call 7"},
	{"guest gre guest > server call 7", "uplink gre host > server call 7"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"guest gre guest > server call 8", "drop filter"});

/* Three minutes of silence end the flows of a call, not what was announced. */
STORY(pptp, a_call_is_silent_for_an_hour, PPTP, OPENED, CALLED,
	{"guest gre guest > server call 7", "uplink gre host > server call 7"},
	{"wait 179"}, {"flows", "2"}, {"wait 2"}, {"flows", "1"},
	{"wait 3600"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"guest gre guest > server call 7", "uplink gre host > server call 7"});

/* Its control connection says now and then that it is there. */
#define TWO_HOURS                                                                                  \
	{"wait 7200"},                                                                             \
	{"guest tcp guest:4000 > server:1723 A seq 1169 ack 5033", "uplink"}
STORY(pptp, a_call_lasts_for_a_day, PPTP, OPENED, CALLED,
	TWO_HOURS, TWO_HOURS, TWO_HOURS, TWO_HOURS, TWO_HOURS, TWO_HOURS, TWO_HOURS, TWO_HOURS,
	TWO_HOURS, TWO_HOURS, TWO_HOURS, TWO_HOURS,
	{"uplink gre server > host call 3", "guest gre server > guest call 3"});

STORY(pptp, the_end_of_a_call, PPTP, OPENED, CALLED,
	{"guest tcp guest:4000 > server:1723 PA seq 1169 ack 5033 pptp 12 call 3",
		"uplink tcp host:$a > server:1723 PA len 16 pptp 12 call 3"},
	{"uplink tcp server:1723 > host:$a PA seq 5033 ack 1185 pptp 13 call 7",
		"guest tcp server:1723 > guest:4000 PA pptp 13 call 7"},
	{"expectations", "0"});

STORY(pptp, the_end_of_the_control_connection, PPTP, OPENED, CALLED,
	{"expectations", "2"},
	{"uplink tcp server:1723 > host:$a R seq 5033", "guest"},
	{"wait 300"},
	{"expectations", "0"},
	{"uplink gre server > host call 3", "drop not-for-us"});

STORY(pptp, a_refused_call, PPTP, OPENED,
	{"guest tcp guest:4000 > server:1723 PA seq 1001 ack 5001 pptp 7 call 3", "uplink"},
	{"uplink tcp server:1723 > host:$a PA seq 5001 ack 1169 pptp 8 call 7 peer 3 result 2",
		"guest tcp server:1723 > guest:4000 PA pptp 8 call 7 peer 3"},
	{"expectations", "1"});

/* A router on the way complains about a call: its sender hears it under its own ids. */
STORY(pptp, errors_about_calls, PPTP, OPENED, CALLED,
	{"guest gre guest > server call 7", "uplink gre host > server call 7"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"},
	{"uplink icmp router > host host-unreachable about gre host > server call 7",
		"guest icmp router > guest host-unreachable about gre guest > server call 7"},
	{"guest icmp guest > server port-unreachable about gre server > guest call 3",
		"uplink icmp host > server port-unreachable about gre server > host call 3"},
	{"uplink icmp router > host host-unreachable about gre host > server call 8",
		"drop no-flow"});

/* NAT slipstreaming: only from the server that the guest talks to. */
STORY(pptp, nobody_else_is_expected, PPTP, OPENED, CALLED,
	{"uplink gre server2 > host call 3", "drop not-for-us"},
	{"uplink gre server > host call 4", "drop not-for-us"},
	{"second gre second > server call 7", "uplink gre host > server call 7"},
	{"uplink gre server > host call 3", "guest gre server > guest call 3"});

/* Something else on the port is left alone, for good. */
STORY(pptp, what_is_no_pptp, PPTP, OPENED,
	{"guest tcp guest:4000 > server:1723 PA seq 1001 ack 5001 data \"POST / HTTP/1.0\\r\\n\"",
		"uplink tcp host:$a > server:1723 PA data \"POST / HTTP/1.0\\r\\n\""},
	{"guest tcp guest:4000 > server:1723 PA seq 1018 ack 5001 pptp 7 call 3",
		"uplink tcp host:$a > server:1723 PA seq 1018 pptp 7 call 3"},
	{"expectations", "0"});
