/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irc: DCC offers that guests make through a server.
 */
#include "../support/steps.h"

#define IRC  LAB(.config = "[helpers]\nirc =\n")
#define IRC4 LAB(.config = "[helpers]\nirc =\n", .families = LAB_IPV4)

/* Client and server have spoken: guest at 1011, server at 5008. */
#define OPENED                                                                                     \
	{"guest tcp guest:4000 > server:6667 S seq 1000", "uplink tcp host:$a > server:6667 S"},   \
		{"uplink tcp server:6667 > host:$a SA seq 5000 ack 1001", "guest"},                \
		{"guest tcp guest:4000 > server:6667 PA seq 1001 ack 5001 data \"NICK al\\r\\n\"", \
			"uplink"},                                                                 \
	{                                                                                          \
		"uplink tcp server:6667 > host:$a PA seq 5001 ack 1010 data \":s 1\\r\\n\"",       \
			"guest"                                                                    \
	}

#define SAYS(seq, text)                                                                            \
	"guest tcp guest:4000 > server:6667 PA seq " #seq " ack 5007 data \"" text "\""
#define ARRIVES(text) "uplink tcp host:$a > server:6667 PA data \"" text "\""
#define UNCHANGED(seq, text)                                                                       \
	{                                                                                          \
		SAYS(seq, text), ARRIVES(text)                                                     \
	}
#define HEARS(seq, ack, text)                                                                      \
	"uplink tcp server:6667 > host:$a PA seq " #seq " ack " #ack " data \"" text "\""

STORY(irc, send, IRC, OPENED,
	{SAYS(1010, "PRIVMSG bob :\\1DCC SEND a.txt {#guest} 5001 99\\1\\r\\n"),
		ARRIVES("PRIVMSG bob :\\1DCC SEND a.txt {#host} {$d} 99\\1\\r\\n")},
	{"expectations", "1"},
	/* Whoever bob is. */
	{"uplink tcp server3:7000 > host:$d S seq 1", "guest tcp server3:7000 > guest:5001 S"},
	{"guest tcp guest:5001 > server3:7000 SA seq 1 ack 2", "uplink tcp host:$d > server3:7000"},
	/* Once. */
	{"uplink tcp server2:7000 > host:$d S seq 1", "drop not-for-us"});

STORY(irc, another_guest_takes_it, IRC4, OPENED,
	{SAYS(1010, "PRIVMSG bob :\\1DCC CHAT chat {#guest} 5001\\1\\r\\n"),
		ARRIVES("PRIVMSG bob :\\1DCC CHAT chat {#host} {$d}\\1\\r\\n")},
	{"second tcp second:7000 > host:$d S seq 1", "guest tcp host:$e > guest:5001 S"},
	{"guest tcp guest:5001 > host:$e SA seq 1 ack 2", "second tcp host:$d > second:7000 SA"});

STORY(irc, names_in_quotes, IRC4, OPENED,
	{SAYS(1010, "PRIVMSG bob :\\1DCC SEND \\\"my file\\\" {#guest} 5001 99\\1\\r\\n"),
		ARRIVES("PRIVMSG bob :\\1DCC SEND \\\"my file\\\" {#host} {$d} 99\\1\\r\\n")});

STORY(irc, tags_and_prefix, IRC4, OPENED,
	{SAYS(1010, "@a=b :al PRIVMSG  bob :\\1DCC SEND f {#guest} 5001\\1\\r\\n"),
		ARRIVES("@a=b :al PRIVMSG  bob :\\1DCC SEND f {#host} {$d}\\1\\r\\n")});

/* The other side speaks of the port that it was told; each hears its own. */
STORY(irc, resume_and_accept, IRC4, OPENED,
	{SAYS(1010, "PRIVMSG bob :\\1DCC SEND f {#guest} 5001 99\\1\\r\\n"),
		ARRIVES("PRIVMSG bob :\\1DCC SEND f {#host} {$d} 99\\1\\r\\n")},
	{HEARS(5007, 1010, ":bob PRIVMSG al :\\1DCC RESUME f {$d} 50\\1\\r\\n"),
		"guest tcp server:6667 > guest:4000 PA data "
		"\":bob PRIVMSG al :\\1DCC RESUME f 5001 50\\1\\r\\n\""},
	{"guest tcp guest:4000 > server:6667 PA seq 1055 ack 5007 data "
	 "\"PRIVMSG bob :\\1DCC ACCEPT f 5001 50\\1\\r\\n\"",
		ARRIVES("PRIVMSG bob :\\1DCC ACCEPT f {$d} 50\\1\\r\\n")});

/* A port that nobody has offered is none of ours. */
STORY(irc, resume_of_something_else, IRC4, OPENED,
	{HEARS(5007, 1010, ":bob PRIVMSG al :\\1DCC RESUME f 61000 50\\1\\r\\n"),
		"guest tcp server:6667 > guest:4000 PA data "
		"\":bob PRIVMSG al :\\1DCC RESUME f 61000 50\\1\\r\\n\""});

STORY(irc, what_announces_nothing, IRC4, OPENED,
	UNCHANGED(1010, "PRIVMSG bob :\\1DCC SEND f {#guest} 0 99 7\\1\\r\\n"), /* reverse DCC */
	UNCHANGED(1053, "PRIVMSG bob :\\1DCC SEND f {#second} 5001\\1\\r\\n"),
	UNCHANGED(1097, "PRIVMSG bob :\\1DCC SEND f {#guest} 80\\1\\r\\n"),
	UNCHANGED(1139, "PRIVMSG bob :DCC SEND f {#guest} 5001\\r\\n"),
	UNCHANGED(1181, "PRIVMSG bob :\\1DCC SEND f 4294967296 5001\\1\\r\\n"),
	{"expectations", "0"});

/* An offer from outside is between the guest and whoever makes it. */
STORY(irc, an_offer_from_outside, IRC4, OPENED,
	{HEARS(5007, 1010, ":bob PRIVMSG al :\\1DCC SEND f {#server2} 5001\\1\\r\\n"),
		"guest tcp server:6667 > guest:4000 PA data "
		"\":bob PRIVMSG al :\\1DCC SEND f {#server2} 5001\\1\\r\\n\""},
	{"expectations", "0"});

/* A web form that is sent to an IRC port is answered by nobody who speaks IRC. */
STORY(irc, not_before_both_speak_it, IRC4,
	{"guest tcp guest:4000 > server:6667 S seq 1000", "uplink tcp host:$a > server:6667 S"},
	{"uplink tcp server:6667 > host:$a SA seq 5000 ack 1001", "guest"},
	{"guest tcp guest:4000 > server:6667 PA seq 1001 ack 5001 data "
	 "\"POST / HTTP/1.1\\r\\n\\r\\nPRIVMSG bob :\\1DCC SEND f {#guest} 5001\\1\\r\\n\"",
		ARRIVES("POST / HTTP/1.1\\r\\n\\r\\n"
			"PRIVMSG bob :\\1DCC SEND f {#guest} 5001\\1\\r\\n")},
	{"expectations", "0"});

/* Eight offers wait; a ninth takes the place of the first. */
STORY(irc, so_many_offers, LAB(.config = "[helpers]\nirc =\n", .families = LAB_IPV4), OPENED,
	{SAYS(1010, "NOTICE b :\\1DCC SEND f {#guest} 5001\\1\\nNOTICE b :\\1DCC SEND f {#guest} "
		    "5002\\1\\nNOTICE b :\\1DCC SEND f {#guest} 5003\\1\\n"),
		ARRIVES("NOTICE b :\\1DCC SEND f {#host} {$d}\\1\\nNOTICE b :\\1DCC SEND f "
			"{#host} {$e}\\1\\nNOTICE b :\\1DCC SEND f {#host} {$f}\\1\\n")},
	{"expectations", "3"}, {"uplink tcp server:6667 > host:$a A seq 5007 ack 1130", "guest"},
	/* The same once more prolongs it, and is told the same port. */
	{"wait 100"},
	{SAYS(1124, "NOTICE b :\\1DCC SEND f {#guest} 5001\\1\\n"),
		ARRIVES("NOTICE b :\\1DCC SEND f {#host} {$d}\\1\\n")},
	{"expectations", "3"}, {"wait 30"}, {"expectations", "1"},
	{"uplink tcp server2:1 > host:$d S seq 1", "guest tcp server2:1 > guest:5001 S"});
