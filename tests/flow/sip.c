/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip: calls made and received by guests, their media, and what is not believed.
 */
#include "../support/steps.h"

/* clang-format off */

#define CONFIG "[helpers]\nsip =\n"
#define SIP    LAB(.config = CONFIG, .families = LAB_IPV4)

#define NL "\\r\\n"

/* ---- messages ---- */

#define DATA(...)         " data \"" __VA_ARGS__ "\""
#define VIA(AT)           "Via: SIP/2.0/UDP " AT ";branch=z9hG4bK1;rport" NL
#define BETWEEN(FROM, TO) "From: <sip:alice@" FROM ">;tag=1" NL "To: <sip:bob@" TO ">" NL
#define CALL              "Call-ID: 1@x" NL "CSeq: 1 INVITE" NL
#define CONTACT(AT)       "Contact: <sip:alice@" AT ">" NL
#define WITH_SDP(LENGTH)  "Content-Type: application/sdp" NL "Content-Length: " LENGTH NL NL

/* 63 bytes with the addresses of guest and host, 69 with that of the server. */
#define SDP(AT)           "v=0" NL "o=a 1 1 IN IP4 " AT NL "s=-" NL "c=IN IP4 " AT NL "t=0 0" NL
#define AUDIO(PORT)       "m=audio " PORT " RTP/AVP 0" NL

#define INVITE(TO, FROM, LENGTH, BODY)                                                             \
	DATA("INVITE sip:bob@{server} SIP/2.0" NL VIA(FROM) BETWEEN(TO, "{server}") CALL           \
		CONTACT(FROM) WITH_SDP(LENGTH) BODY)

/* To what guest sends from 5060; $a is its port outside. */
#define OK(VIA_AT, FROM, LENGTH, BODY)                                                             \
	DATA("SIP/2.0 200 OK" NL                                                                   \
	     "Via: SIP/2.0/UDP " VIA_AT NL BETWEEN(FROM, "{server}") CALL                          \
		"Contact: <sip:bob@{server}:5060>" NL WITH_SDP(LENGTH) BODY)

#define INVITED                                                                                    \
	{"guest udp guest:5060 > server:5060"                                                      \
		INVITE("{guest}", "{guest}:5060", "87", SDP("{guest}") AUDIO("4000")),             \
		"uplink udp host:$a > server:5060"                                                 \
		INVITE("{host}", "{host}:{$a}", "88", SDP("{host}") AUDIO("{$m}"))}

#define ANSWERED_FROM(PLACE, LENGTH)                                                               \
	{"uplink udp server:5060 > host:$a"                                                        \
		OK("{host}:{$a};received={host};rport={$a}", "{host}", LENGTH,                     \
			SDP("{" PLACE "}") AUDIO("8000")),                                         \
		"guest udp server:5060 > guest:5060"                                               \
		OK("{guest}:5060;received={guest};rport=5060", "{guest}", LENGTH,                  \
			SDP("{" PLACE "}") AUDIO("8000"))}

/* ---- calls ---- */

STORY(sip, a_guest_calls, SIP, INVITED, ANSWERED_FROM("server", "93"),
	{"expectations", "2"},
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"},
	{"guest udp guest:4000 > server:8000 len 160", "uplink udp host:$m > server:8000"},
	{"flows", "2"});

STORY(sip, who_calls_also_speaks_first, SIP, INVITED, ANSWERED_FROM("server", "93"),
	{"guest udp guest:4000 > server:8000 len 160", "uplink udp host:$m > server:8000"},
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"},
	{"flows", "2"});


/* The next port is RTCP's, which may be said as well (RFC 3605). */
STORY(sip, rtcp, SIP,
	{"guest udp guest:5060 > server:5060" INVITE("{guest}", "{guest}:5060", "100",
		SDP("{guest}") AUDIO("4000") "a=rtcp:4001" NL),
		"uplink udp host:$a > server:5060" INVITE("{host}", "{host}:{$a}", "102",
		SDP("{host}") AUDIO("{$m}") "a=rtcp:{$r}" NL)},
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"},
	{"uplink udp server:8001 > host:$r len 60", "guest udp server:8001 > guest:4001"},
	{"guest udp guest:4001 > server:8001 len 60", "uplink udp host:$r > server:8001"});

STORY(sip, rtcp_elsewhere, SIP,
	{"guest udp guest:5060 > server:5060" INVITE("{guest}", "{guest}:5060", "117",
		SDP("{guest}") AUDIO("4000") "a=rtcp:5000 IN IP4 {guest}" NL),
		"uplink udp host:$a > server:5060" INVITE("{host}", "{host}:{$a}", "119",
		SDP("{host}") AUDIO("{$m}") "a=rtcp:{$r} IN IP4 {host}" NL)},
	{"uplink udp server:8001 > host:$r len 60", "guest udp server:8001 > guest:5000"});

STORY(sip, rtcp_on_the_same_port, SIP,
	{"guest udp guest:5060 > server:5060" INVITE("{guest}", "{guest}:5060", "112",
		SDP("{guest}") AUDIO("4000") "a=rtcp:4000" NL "a=rtcp-mux" NL),
		"uplink udp host:$a > server:5060"},
	{"expectations", "2"});

/* No two ports in a row are free: the description stays, as it would without a helper. */
STORY(sip, no_ports_for_media,
	LAB(.config = CONFIG, .families = LAB_IPV4, .ports = {61001, 61002}),
	{"guest udp guest:5060 > server:5060"
		INVITE("{guest}", "{guest}:5060", "87", SDP("{guest}") AUDIO("4000")),
		"uplink udp host:$a > server:5060"
		INVITE("{host}", "{host}:{$a}", "87", SDP("{guest}") AUDIO("4000"))},
	{"expectations", "0"});

#define AUDIO_AND_VIDEO(A, V) AUDIO(A) "m=video " V " RTP/SAVP 31" NL
STORY(sip, audio_and_video, SIP,
	{"guest udp guest:5060 > server:5060" INVITE("{guest}", "{guest}:5060", "113",
		SDP("{guest}") AUDIO_AND_VIDEO("4000", "4002")),
		"uplink udp host:$a > server:5060" INVITE("{host}", "{host}:{$a}", "115",
		SDP("{host}") AUDIO_AND_VIDEO("{$m}", "{$v}"))},
	{"expectations", "4"},
	{"uplink udp server:9000 > host:$v len 160", "guest udp server:9000 > guest:4002"},
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"});

/* A stream that is not wanted, or held the old way, has no port to expect anything at. */
STORY(sip, nothing_wanted, SIP,
	{"guest udp guest:5060 > server:5060"
		INVITE("{guest}", "{guest}:5060", "84", SDP("{guest}") AUDIO("0")),
		"uplink udp host:$a > server:5060"
		INVITE("{host}", "{host}:{$a}", "84", SDP("{host}") AUDIO("0"))},
	{"guest udp guest:5060 > server:5060"
		INVITE("{guest}", "{guest}:5060", "83", SDP("0.0.0.0") AUDIO("4000")),
		"uplink udp host:$a > server:5060"
		INVITE("{host}", "{host}:{$a}", "83", SDP("0.0.0.0") AUDIO("4000"))},
	{"expectations", "0"});

/* Said again, the same ports; half an hour after, too. */
STORY(sip, said_again, SIP, INVITED, INVITED,
	{"expectations", "2"},
	{"guest udp guest:4000 > server:8000 len 160", "uplink udp host:$m > server:8000"},
	{"wait 299"}, {"expectations", "0"},
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"},
	INVITED,
	{"expectations", "2"}, {"flows", "2"});

/* The other end may hear, and so send, elsewhere; others may not. */
STORY(sip, media_from_elsewhere, SIP, INVITED,
	{"uplink udp server2:8000 > host:$m len 160", "drop not-for-us"},
	ANSWERED_FROM("server2", "93"),
	{"uplink udp server2:8000 > host:$m len 160", "guest udp server2:8000 > guest:4000"},
	{"uplink udp server3:8000 > host:$m len 160", "drop not-for-us"});

STORY(sip, the_end_of_a_call, SIP, INVITED, ANSWERED_FROM("server", "93"),
	{"guest udp guest:4000 > server:8000 len 160", "uplink udp host:$m > server:8000"},
	{"guest udp guest:5060 > server:5060" DATA("BYE sip:bob@{server} SIP/2.0" NL
		"Via: SIP/2.0/UDP {guest}" NL "i: 1@x" NL "CSeq: 2 BYE" NL NL),
		"uplink udp host:$a > server:5060" DATA("BYE sip:bob@{server} SIP/2.0" NL
		"Via: SIP/2.0/UDP {host}:{$a}" NL "i: 1@x" NL "CSeq: 2 BYE" NL NL)},
	{"expectations", "0"}, {"flows", "2"});

STORY(sip, another_call_goes_on, SIP, INVITED,
	{"guest udp guest:5060 > server:5060" DATA("BYE sip:bob@{server} SIP/2.0" NL
		"Call-ID: 2@x" NL NL), "uplink"},
	{"expectations", "2"},
	{"uplink udp server:5060 > host:$a" DATA("SIP/2.0 401 Unauthorized" NL
		"Call-ID: 1@x" NL "CSeq: 1 INVITE" NL NL), "guest"},
	{"expectations", "2"},
	{"uplink udp server:5060 > host:$a" DATA("SIP/2.0 486 Busy" NL
		"Call-ID: 1@x" NL "CSeq: 1 INVITE" NL NL), "guest"},
	{"expectations", "0"});

/* ---- registering, and being called ---- */

#define REGISTER(AT, EXPIRES)                                                                      \
	DATA("REGISTER sip:{server} SIP/2.0" NL VIA(AT) BETWEEN("{server}", "{server}")            \
	     "Call-ID: r@x" NL "CSeq: 1 REGISTER" NL "Contact: <sip:alice@" AT ">" EXPIRES NL NL)
#define REGISTER_OK(AT, EXPIRES)                                                                   \
	DATA("SIP/2.0 200 OK" NL "Via: SIP/2.0/UDP " AT NL BETWEEN("{server}", "{server}")         \
	     "Call-ID: r@x" NL "CSeq: 1 REGISTER" NL "m: <sip:alice@" AT ">" EXPIRES NL NL)

#define REGISTERED                                                                                 \
	{"guest udp guest:5060 > server:5060" REGISTER("{guest}:5060", ";expires=7200"),           \
		"uplink udp host:$a > server:5060" REGISTER("{host}:{$a}", ";expires=7200")},      \
	{"uplink udp server:5060 > host:$a" REGISTER_OK("{host}:{$a}", ";expires=3600"),           \
		"guest udp server:5060 > guest:5060" REGISTER_OK("{guest}:5060", ";expires=3600")}

#define CALLED_FROM(PORT)                                                                          \
	{"uplink udp server:" PORT " > host:$a" DATA("INVITE sip:alice@{host}:{$a} SIP/2.0" NL     \
		"Via: SIP/2.0/UDP {server}:5060" NL "To: <sip:alice@{host}>" NL "Call-ID: 7@y" NL  \
		"CSeq: 5 INVITE" NL WITH_SDP("93") SDP("{server}") AUDIO("8000")),                 \
	"guest udp server:" PORT " > guest:5060" DATA("INVITE sip:alice@{guest}:5060 SIP/2.0" NL   \
		"Via: SIP/2.0/UDP {server}:5060" NL "To: <sip:alice@{guest}>" NL "Call-ID: 7@y" NL \
		"CSeq: 5 INVITE" NL WITH_SDP("93") SDP("{server}") AUDIO("8000"))},                \
	{"guest udp guest:5060 > server:" PORT DATA("SIP/2.0 200 OK" NL                            \
		"Via: SIP/2.0/UDP {server}:5060" NL "To: <sip:alice@{guest}>" NL "Call-ID: 7@y" NL \
		"CSeq: 5 INVITE" NL CONTACT("{guest}:5060") WITH_SDP("87") SDP("{guest}")          \
		AUDIO("4000")),                                                                    \
	"uplink udp host:$a > server:" PORT DATA("SIP/2.0 200 OK" NL                               \
		"Via: SIP/2.0/UDP {server}:5060" NL "To: <sip:alice@{host}>" NL "Call-ID: 7@y" NL  \
		"CSeq: 5 INVITE" NL CONTACT("{host}:{$a}") WITH_SDP("88") SDP("{host}")            \
		AUDIO("{$m}"))},                                                                   \
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"}

/* An hour of silence, but for what the registrar granted. */
STORY(sip, a_guest_is_called, SIP, REGISTERED,
	{"wait 3500"}, {"flows", "1"}, CALLED_FROM("5060"));

STORY(sip, a_guest_is_called_from_another_port, SIP, REGISTERED,
	{"wait 3500"}, CALLED_FROM("5066"));

STORY(sip, registered_no_longer, SIP, REGISTERED,
	{"wait 3601"}, {"expectations", "0"},
	{"uplink udp server:5066 > host:$a len 5", "drop not-for-us"});

STORY(sip, registered_with_that_server_only, SIP, REGISTERED,
	{"uplink udp server2:5060 > host:$a len 5", "drop not-for-us"});

STORY(sip, a_guest_signs_off, SIP, REGISTERED,
	{"guest udp guest:5060 > server:5060" REGISTER("{guest}:5060", ";expires=0"),
		"uplink udp host:$a > server:5060"},
	{"uplink udp server:5060 > host:$a" DATA("SIP/2.0 200 OK" NL "CSeq: 2 REGISTER" NL NL),
		"guest"},
	{"expectations", "0"}, {"wait 361"}, {"flows", "0"});

/* A registrar that never answers, or says no. */
STORY(sip, a_registration_in_vain, SIP,
	{"guest udp guest:5060 > server:5060" REGISTER("{guest}:5060", ""), "uplink"},
	{"expectations", "1"}, {"wait 65"}, {"expectations", "0"});

/* It listens on another port than it sends from. */
STORY(sip, another_port, SIP,
	{"guest udp guest:5062 > server:5060" REGISTER("{guest}:5060", ";expires=60"),
		"uplink udp host:$a > server:5060" REGISTER("{host}:{$b}", ";expires=60")},
	{"uplink udp server:5060 > host:$b" REGISTER_OK("{host}:{$b}", ";expires=60"),
		"guest udp server:5060 > guest:5060" REGISTER_OK("{guest}:5060", ";expires=60")});

/* Two guests with the same numbers. */
STORY(sip, two_guests, SIP, INVITED,
	{"second udp second:5060 > server:5060"
		INVITE("{second}", "{second}:5060", "87", SDP("{second}") AUDIO("4000")),
		"uplink udp host:$b > server:5060"
		INVITE("{host}", "{host}:{$b}", "88", SDP("{host}") AUDIO("{$n}"))},
	ANSWERED_FROM("server", "93"),
	{"uplink udp server:8000 > host:$n len 160", "second udp server:8000 > second:4000"},
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"});

/* They meet through the server, on our own address. */
STORY(sip, two_guests_call_each_other, SIP, INVITED,
	{"second udp second:5060 > server:5060 len 4", "uplink udp host:$b > server:5060"},
	{"uplink udp server:5060 > host:$b" DATA("INVITE sip:bob@{host}:{$b} SIP/2.0" NL
		"Call-ID: 2@x" NL "CSeq: 1 INVITE" NL "m: <sip:alice@{host}:{$a}>" NL
		WITH_SDP("88") SDP("{host}") AUDIO("{$m}")),
		"second udp server:5060 > second:5060" DATA("INVITE sip:bob@{second}:5060 SIP/2.0" NL
		"Call-ID: 2@x" NL "CSeq: 1 INVITE" NL "m: <sip:alice@{host}:{$a}>" NL
		WITH_SDP("88") SDP("{host}") AUDIO("{$m}"))},
	{"second udp second:5060 > server:5060" DATA("SIP/2.0 200 OK" NL
		"Call-ID: 2@x" NL "CSeq: 1 INVITE" NL WITH_SDP("87") SDP("{second}") AUDIO("6000")),
		"uplink udp host:$b > server:5060" DATA("SIP/2.0 200 OK" NL
		"Call-ID: 2@x" NL "CSeq: 1 INVITE" NL WITH_SDP("88") SDP("{host}") AUDIO("{$n}"))},
	{"uplink udp server:5060 > host:$a" DATA("SIP/2.0 200 OK" NL
		"Call-ID: 1@x" NL "CSeq: 1 INVITE" NL WITH_SDP("88") SDP("{host}") AUDIO("{$n}")),
		"guest udp server:5060 > guest:5060"},
	{"guest udp guest:4000 > host:$n len 160", "second udp host:$m > second:6000"},
	{"second udp second:6000 > host:$m len 160", "guest udp host:$n > guest:4000"},
	{"far udp far:4000 > host:$n len 160", "drop host",
		"far icmp far-gateway > far prohibited about udp far:4000 > host:$n len 160"});

/* Who is outside opens no way between guests by naming one of them. */
STORY(sip, media_from_another_guest, SIP, INVITED, ANSWERED_FROM("second", "87"),
	{"second udp second:8000 > host:$m len 160", "drop host",
		"second icmp gateway > second prohibited about udp second:8000 > host:$m len 160"},
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"});

/* A telephone exchange behind us, called by its public address. */
STORY(sip, a_published_server, SIP,
	{"forward udp 5060 guest:5060", "ok"},
	{"uplink udp server:5060 > host:5060" DATA("INVITE sip:bob@{host} SIP/2.0" NL
		"Via: SIP/2.0/UDP {server}" NL "To: sip:bob@{host}" NL "Call-ID: 7@y" NL
		"CSeq: 1 INVITE" NL WITH_SDP("93") SDP("{server}") AUDIO("8000")),
		"guest udp server:5060 > guest:5060" DATA("INVITE sip:bob@{guest} SIP/2.0" NL
		"Via: SIP/2.0/UDP {server}" NL "To: sip:bob@{guest}" NL "Call-ID: 7@y" NL
		"CSeq: 1 INVITE" NL WITH_SDP("93") SDP("{server}") AUDIO("8000"))},
	{"guest udp guest:5060 > server:5060" DATA("SIP/2.0 200 OK" NL
		"Via: SIP/2.0/UDP {server}" NL "To: sip:bob@{guest}" NL "Call-ID: 7@y" NL
		"CSeq: 1 INVITE" NL "Contact: <sip:bob@{guest}>" NL
		WITH_SDP("87") SDP("{guest}") AUDIO("4000")),
		"uplink udp host:5060 > server:5060" DATA("SIP/2.0 200 OK" NL
		"Via: SIP/2.0/UDP {server}" NL "To: sip:bob@{host}" NL "Call-ID: 7@y" NL
		"CSeq: 1 INVITE" NL "Contact: <sip:bob@{host}>" NL
		WITH_SDP("88") SDP("{host}") AUDIO("{$m}"))},
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"},
	{"guest udp guest:4000 > server:8000 len 160", "uplink udp host:$m > server:8000"});

/* ---- TCP ---- */

#define OPENED                                                                                     \
	{"guest tcp guest:4567 > server:5060 S seq 1000", "uplink tcp host:$a > server:5060 S"},   \
	{"uplink tcp server:5060 > host:$a SA seq 5000 ack 1001", "guest"}

#define OPTIONS(AT) "OPTIONS sip:{server} SIP/2.0" NL "v: SIP/2.0/TCP " AT NL "l: 2" NL NL "hi"

/* One byte longer each, outside; keep-alives of RFC 5626 between them. */
STORY(sip, several_messages_in_a_segment, SIP, OPENED,
	{"guest tcp guest:4567 > server:5060 PA seq 1001 ack 5001 room 500"
		DATA(NL NL OPTIONS("{guest}:4567") NL OPTIONS("{guest}:4567")),
		"uplink tcp host:$a > server:5060 PA seq 1001"
		DATA(NL NL OPTIONS("{host}:{$a}") NL OPTIONS("{host}:{$a}"))},
	{"uplink tcp server:5060 > host:$a A seq 5001 ack 1159",
		"guest tcp server:5060 > guest:4567 A seq 5001 ack 1157"});

/* Of one in parts nothing is changed; the next is read again. */
STORY(sip, a_body_in_two_segments, SIP, OPENED,
	{"guest tcp guest:4567 > server:5060 PA seq 1001 ack 5001"
		DATA("BYE a SIP/2.0" NL "v: SIP/2.0/TCP {guest}" NL "l: 4" NL NL "ab"),
		"uplink tcp host:$a > server:5060 PA seq 1001"
		DATA("BYE a SIP/2.0" NL "v: SIP/2.0/TCP {guest}" NL "l: 4" NL NL "ab")},
	{"guest tcp guest:4567 > server:5060 PA seq 1052 ack 5001 room 500"
		DATA("cd" OPTIONS("{guest}:4567")),
		"uplink tcp host:$a > server:5060 PA seq 1052" DATA("cd" OPTIONS("{host}:{$a}"))});

/* NAT slipstreaming: text that looks like a message, anywhere but at the start of one. */
STORY(sip, a_body_that_looks_like_a_message, SIP, OPENED,
	{"guest tcp guest:4567 > server:5060 PA seq 1001 ack 5001"
		DATA("POST / HTTP/1.1" NL NL), "uplink"},
	{"guest tcp guest:4567 > server:5060 PA seq 1020 ack 5001" DATA(OPTIONS("{guest}:4567")),
		"uplink tcp host:$a > server:5060 PA seq 1020" DATA(OPTIONS("{guest}:4567"))});

/* A telephone that is called on another connection. */
STORY(sip, registered_over_tcp, SIP, OPENED,
	{"guest tcp guest:4567 > server:5060 PA seq 1001 ack 5001 room 500"
		DATA("REGISTER sip:a SIP/2.0" NL "m: <sip:alice@{guest}>" NL "l: 0" NL NL),
		"uplink tcp host:$a > server:5060 PA seq 1001"
		DATA("REGISTER sip:a SIP/2.0" NL "m: <sip:alice@{host}:{$b}>" NL "l: 0" NL NL)},
	{"uplink tcp server:5060 > host:$a PA seq 5001 ack 1065 room 500"
		DATA("SIP/2.0 200 OK" NL "CSeq: 1 REGISTER" NL
		"m: <sip:alice@{host}:{$b}>;expires=600" NL "l: 0" NL NL),
		"guest tcp server:5060 > guest:4567 PA"
		DATA("SIP/2.0 200 OK" NL "CSeq: 1 REGISTER" NL
		"m: <sip:alice@{guest}:5060>;expires=600" NL "l: 0" NL NL)},
	{"wait 500"},
	{"uplink tcp server:7777 > host:$b S seq 1000", "guest tcp server:7777 > guest:5060 S"},
	{"guest tcp guest:5060 > server:7777 SA seq 5000 ack 1001",
		"uplink tcp host:$b > server:7777 SA"},
	{"uplink tcp server:7777 > host:$b PA seq 1001 ack 5001 room 500"
		DATA("INVITE sip:alice@{host}:{$b} SIP/2.0" NL "l: 0" NL NL),
		"guest tcp server:7777 > guest:5060 PA seq 1001"
		DATA("INVITE sip:alice@{guest}:5060 SIP/2.0" NL "l: 0" NL NL)});

/* ---- what is not believed, or not understood ---- */

STORY(sip, off_unless_configured, LAB(.families = LAB_IPV4),
	{"guest udp guest:5060 > server:5060"
		INVITE("{guest}", "{guest}:5060", "87", SDP("{guest}") AUDIO("4000")),
		"uplink udp host:$a > server:5060"
		INVITE("{guest}", "{guest}:5060", "87", SDP("{guest}") AUDIO("4000"))},
	{"expectations", "0"});

STORY(sip, another_guests_address, SIP,
	{"guest udp guest:5060 > server:5060"
		INVITE("{second}", "{second}:5060", "87", SDP("{second}") AUDIO("4000")),
		"uplink udp host:$a > server:5060"
		INVITE("{second}", "{second}:5060", "87", SDP("{second}") AUDIO("4000"))},
	{"expectations", "0"});

STORY(sip, a_privileged_port, SIP,
	{"guest udp guest:5060 > server:5060"
		INVITE("{guest}", "{guest}:5060", "86", SDP("{guest}") AUDIO("139")),
		"uplink udp host:$a > server:5060"
		INVITE("{host}", "{host}:{$a}", "86", SDP("{guest}") AUDIO("139"))},
	{"guest udp guest:5060 > server:5060" REGISTER("{guest}:139", ""),
		"uplink udp host:$a > server:5060"},
	{"expectations", "1"}); /* 5060, which it sends from */

STORY(sip, too_many_media, SIP,
	{"guest udp guest:5060 > server:5060 room 500" INVITE("{guest}", "{guest}:5060", "279",
		SDP("{guest}") AUDIO("4000") AUDIO("4002") AUDIO("4004") AUDIO("4006") AUDIO("4008")
		AUDIO("4010") AUDIO("4012") AUDIO("4014") AUDIO("4016")),
		"uplink udp host:$a > server:5060" INVITE("{host}", "{host}:{$a}", "279",
		SDP("{guest}") AUDIO("4000") AUDIO("4002") AUDIO("4004") AUDIO("4006") AUDIO("4008")
		AUDIO("4010") AUDIO("4012") AUDIO("4014") AUDIO("4016"))},
	{"expectations", "0"});

STORY(sip, what_is_no_sip, SIP,
	{"guest udp guest:5060 > server:5060" DATA("hello {guest}"),
		"uplink udp host:$a > server:5060" DATA("hello {guest}")},
	{"guest udp guest:5060 > server:5060" DATA(NL NL), "uplink udp host:$a > server:5060" DATA(NL NL)},
	{"guest udp guest:5060 > server:5060" DATA("INVITE sip:{guest} SIP/2.0" NL "l: 9" NL NL),
		"uplink udp host:$a > server:5060"
		DATA("INVITE sip:{guest} SIP/2.0" NL "l: 9" NL NL)});

/* ---- IPv6 ---- */

#define SDP6(AT) "v=0" NL "c=IN IP6 " AT NL
STORY(sip, over_ipv6, LAB(.config = CONFIG, .families = LAB_IPV6),
	{"guest udp guest:5060 > server:5060 room 500" DATA("INVITE sip:[{server}] SIP/2.0" NL
		VIA("[{guest}]:5060") CONTACT("[{guest}]:5060") WITH_SDP("47")
		SDP6("{guest}") AUDIO("4000")),
		"uplink udp host:$a > server:5060" DATA("INVITE sip:[{server}] SIP/2.0" NL
		VIA("[{host}]:{$a}") CONTACT("[{host}]:{$a}") WITH_SDP("52")
		SDP6("{host}") AUDIO("{$m}"))},
	{"uplink udp server:8000 > host:$m len 160", "guest udp server:8000 > guest:4000"});
