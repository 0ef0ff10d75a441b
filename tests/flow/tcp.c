/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp: the life of connections through the gateway, by the clock.  Segments one by one are the
 * matter of tests/unit/track_tcp.c. */
#include "../support/steps.h"

/* clang-format off */

/* A connection of the guest, established; $a is its port outside. */
#define CONNECTED                                                                                  \
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},       \
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001",                                    \
		"guest tcp server:80 > guest:4000 SA"},                                            \
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001",                                   \
		"uplink tcp host:$a > server:80 A"},                                               \
	{"states", "established"}

/* ... closed by the guest, then by the server, in TIME_WAIT. */
#define CLOSED                                                                                     \
	{"guest tcp guest:4000 > server:80 FA seq 1001 ack 5001",                                  \
		"uplink tcp host:$a > server:80 FA"},                                              \
	{"uplink tcp server:80 > host:$a FA seq 5001 ack 1002",                                    \
		"guest tcp server:80 > guest:4000 FA"},                                            \
	{"guest tcp guest:4000 > server:80 A seq 1002 ack 5002",                                   \
		"uplink tcp host:$a > server:80 A"},                                               \
	{"states", "time-wait"}

/* RFC 5382 REQ-5: half open for 240 seconds, and retransmissions do not prolong it
 * (conntrack_tcp_unreplied.sh). */
STORY(tcp, syn_sent, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"wait 120"},
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"wait 119"},
	{"states", "syn-sent"},
	{"wait 2"},
	{"flows", "0"},
	{"ports", "0"});

STORY(tcp, syn_received, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"wait 100"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001",
		"guest tcp server:80 > guest:4000 SA"},
	{"wait 239"},
	{"states", "syn-received"},
	{"wait 2"},
	{"flows", "0"});

/* RFC 5382 REQ-5: two hours and four minutes. */
STORY(tcp, established, LAB(),
	CONNECTED,
	{"wait 7439"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 1001 len 10",
		"guest tcp server:80 > guest:4000 A len 10"},
	{"wait 7439"},
	{"flows", "1"},
	{"wait 2"},
	{"flows", "0"},
	{"uplink tcp server:80 > host:$a A seq 5011 ack 1001 len 10", "drop no-flow"});

STORY(tcp, fin_wait, LAB(),
	CONNECTED,
	{"guest tcp guest:4000 > server:80 FA seq 1001 ack 5001",
		"uplink tcp host:$a > server:80 FA"},
	{"states", "fin-wait"},
	{"wait 239"},
	{"flows", "1"},
	{"wait 2"},
	{"flows", "0"});

STORY(tcp, close_wait, LAB(),
	CONNECTED,
	{"guest tcp guest:4000 > server:80 FA seq 1001 ack 5001",
		"uplink tcp host:$a > server:80 FA"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 1002",
		"guest tcp server:80 > guest:4000 A"},
	{"states", "close-wait"},
	{"wait 239"},
	{"uplink tcp server:80 > host:$a A seq 5001 ack 1002 len 1000",
		"guest tcp server:80 > guest:4000 A len 1000"},
	{"wait 239"},
	{"flows", "1"},
	{"wait 2"},
	{"flows", "0"});

STORY(tcp, last_ack, LAB(),
	CONNECTED,
	{"guest tcp guest:4000 > server:80 FA seq 1001 ack 5001",
		"uplink tcp host:$a > server:80 FA"},
	{"uplink tcp server:80 > host:$a FA seq 5001 ack 1002",
		"guest tcp server:80 > guest:4000 FA"},
	{"states", "last-ack"},
	{"wait 239"},
	{"flows", "1"},
	{"wait 2"},
	{"flows", "0"});

/* RFC 1337: nothing shortens a TIME_WAIT or prolongs it. */
STORY(tcp, time_wait, LAB(),
	CONNECTED,
	CLOSED,
	{"wait 200"},
	{"uplink tcp server:80 > host:$a FA seq 5001 ack 1002",
		"guest tcp server:80 > guest:4000 FA"},
	{"uplink tcp server:80 > host:$a RA seq 5002 ack 1002",
		"guest tcp server:80 > guest:4000 RA"},
	{"states", "time-wait"},
	{"wait 39"},
	{"flows", "1"},
	{"wait 2"},
	{"flows", "0"},
	{"ports", "0"});

/* RFC 7857, 2.3: the reset of a peer is translated, and its connection forgotten after 240 s. */
STORY(tcp, reset, LAB(),
	CONNECTED,
	{"uplink tcp server:80 > host:$a R seq 5001",
		"guest tcp server:80 > guest:4000 R seq 5001"},
	{"states", "close"},
	{"wait 239"},
	{"flows", "1"},
	{"wait 2"},
	{"flows", "0"});

/* RFC 5961, 3.2; ReDAN: who does not know the sequence numbers changes nothing. */
STORY(tcp, blind_resets, LAB(),
	CONNECTED,
	{"wait 7000"},
	{"uplink tcp server:80 > host:$a R seq 4000", "drop invalid"},
	{"uplink tcp server:80 > host:$a R seq 5100", "guest tcp server:80 > guest:4000 R"},
	{"uplink tcp server:80 > host:$a R seq 900000", "drop invalid"},
	{"uplink tcp server:80 > host:$a A seq 900000 ack 1001 len 10", "drop invalid"},
	{"states", "established"},
	{"wait 441"},
	{"flows", "0"});

/* RFC 5382 REQ-2: both sides call each other at once. */
STORY(tcp, simultaneous_open, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a S seq 5000",
		"guest tcp server:80 > guest:4000 S seq 5000"},
	{"states", "syn-sent2"},
	{"guest tcp guest:4000 > server:80 SA seq 1000 ack 5001",
		"uplink tcp host:$a > server:80 SA"},
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001",
		"guest tcp server:80 > guest:4000 SA"},
	{"states", "established"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001 len 10",
		"uplink tcp host:$a > server:80 A"},
	{"flows", "1"});

/* RFC 5382 REQ-4: a SYN from outside before the guest's own is met with silence. */
STORY(tcp, an_unasked_syn_is_met_with_silence, LAB(),
	{"guest tcp guest:4000 > server2:80 S seq 1000", "uplink tcp host:$a > server2:80 S"},
	{"uplink tcp server:80 > host:$a S seq 5000", "drop not-for-us"},
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a S seq 5000", "guest tcp server:80 > guest:4000 S"});

/* RFC 6191 in spirit: the guest may call again from a socket that is in TIME_WAIT or was reset. */
STORY(tcp, a_new_syn_reopens_time_wait, LAB(),
	CONNECTED,
	CLOSED,
	{"guest tcp guest:4000 > server:80 S seq 90000",
		"uplink tcp host:$b > server:80 S seq 90000"},
	{"states", "syn-sent"},
	{"events", "2 1 1"},
	{"uplink tcp server:80 > host:$b SA seq 7000 ack 90001",
		"guest tcp server:80 > guest:4000 SA"},
	{"ports", "1"});

STORY(tcp, a_new_syn_reopens_a_reset_one, LAB(),
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},
	{"uplink tcp server:80 > host:$a RA seq 0 ack 1001", "guest tcp server:80 > guest:4000 RA"},
	{"states", "close"},
	{"guest tcp guest:4000 > server:80 S seq 2000",
		"uplink tcp host:$b > server:80 S seq 2000"},
	{"flows", "1"});

/* A published port's client reopens as well; the server's side of a flow does not. */
STORY(tcp, only_the_original_side_reopens, LAB(),
	{"forward tcp 8080 guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S seq 1000", "guest tcp server:4000 > guest:80 S"},
	{"guest tcp guest:80 > server:4000 RA seq 0 ack 1001",
		"uplink tcp host:8080 > server:4000 RA"},
	{"guest tcp guest:80 > server:4000 S seq 0", "drop invalid"},
	{"uplink tcp server:4000 > host:8080 S seq 2000", "guest tcp server:4000 > guest:80 S"},
	{"states", "syn-sent"});

/* After a restart of the gateway: the guest is told at once, the world is not. */
STORY(tcp, in_the_middle_of_an_unknown_connection, LAB(),
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001 len 10",
		"drop no-flow", "guest tcp server:80 > guest:4000 R seq 5001 ack 0"},
	{"guest tcp guest:4000 > server:80 FA seq 1001 ack 5001",
		"drop no-flow", "guest tcp server:80 > guest:4000 R seq 5001"},
	{"guest tcp guest:4000 > server:80 SA seq 1001 ack 5001",
		"drop no-flow", "guest tcp server:80 > guest:4000 R seq 5001"},
	{"guest tcp guest:4000 > server:80 R seq 1001", "drop no-flow"},
	{"uplink tcp server:80 > host:61000 A seq 1 ack 1", "drop no-flow"},
	{"forward tcp 8080 guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 A seq 1 ack 1", "drop no-flow"},
	{"flows", "0"});

/* SYN+FIN and the like have no connection, whoever sends them. */
STORY(tcp, impossible_flags, LAB(),
	{"guest tcp guest:4000 > server:80 SF", "drop bad-flags"},
	{"guest tcp guest:4000 > server:80 SR", "drop bad-flags"},
	{"guest tcp guest:4000 > server:80 U", "drop bad-flags"},
	{"uplink tcp server:80 > host:61000 FPU", "drop bad-flags"});

STORY(tcp, timeouts_are_the_config_s,
	LAB("[timeouts]\ntcp-syn-sent = 10\ntcp-established = 20\ntcp-time-wait = 5\n"),
	CONNECTED,
	{"second tcp second:4000 > server:80 S seq 1", "uplink tcp host:$b > server:80 S"},
	{"wait 11"},
	{"states", "established"},
	{"wait 7"},
	CLOSED,
	{"wait 4"},
	{"flows", "1"},
	{"wait 2"},
	{"flows", "0"});
