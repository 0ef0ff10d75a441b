/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ftp: data connections announced on a control connection, in every arrangement of client and
 * server; sequence numbers behind it; and what is not believed.
 */
#include <string.h>
#include "../support/packets.h"
#include "../support/steps.h"

#define FTP  LAB(.config = "[helpers]\nftp =\n")
#define FTP4 LAB(.config = "[helpers]\nftp =\n", .families = LAB_IPV4)

/* A guest's control connection to a server that has greeted: guest at 1001, server at 5006. */
#define OPENED                                                                                     \
	{"guest tcp guest:4000 > server:21 S seq 1000", "uplink tcp host:$a > server:21 S"},       \
		{"uplink tcp server:21 > host:$a SA seq 5000 ack 1001", "guest"},                  \
	{                                                                                          \
		"uplink tcp server:21 > host:$a PA seq 5001 ack 1001 data \"220 \\n\"", "guest"    \
	}

/* What a guest says there, and what arrives. */
#define SAYS(seq, text)                                                                            \
	"guest tcp guest:4000 > server:21 PA seq " #seq " ack 5006 data \"" text "\""
#define ARRIVES(seq, text) "uplink tcp host:$a > server:21 PA seq " #seq " data \"" text "\""
#define UNCHANGED(seq, text)                                                                       \
	{                                                                                          \
		SAYS(seq, text), ARRIVES(seq, text)                                                \
	}
#define ANSWERS(seq, text)                                                                         \
	"uplink tcp server:21 > host:$a PA seq " #seq " ack 1007 data \"" text "\""

/* An outsider's connection to a guest's published port: client at 1001, guest at 5006. */
#define PUBLISHED                                                                                  \
	{"forward tcp 2121 guest:21", "ok"},                                                       \
		{"uplink tcp server:4000 > host:2121 S seq 1000",                                  \
			"guest tcp server:4000 > guest:21 S"},                                     \
		{"guest tcp guest:21 > server:4000 SA seq 5000 ack 1001", "uplink"},               \
	{                                                                                          \
		"guest tcp guest:21 > server:4000 PA seq 5001 ack 1001 data \"220 \\n\"",          \
			"uplink tcp host:2121 > server:4000 PA"                                    \
	}

/* ---- the arrangements ---- */

STORY(ftp, active_client_behind_us, FTP, OPENED,
	{SAYS(1001, "EPRT |{1|2}|{guest}|5001|\\r\\n"),
		ARRIVES(1001, "EPRT |{1|2}|{host}|{$d}|\\r\\n")},
	{"expectations", "1"},
	{"uplink tcp server:20 > host:$d S seq 9000", "guest tcp server:20 > guest:5001 S"},
	{"guest tcp guest:5001 > server:20 SA seq 7000 ack 9001",
		"uplink tcp host:$d > server:20 SA"},
	{"flows", "2"}, {"expectations", "0"},
	/* Once. */
	{"uplink tcp server:22 > host:$d S seq 9000", "drop not-for-us"});

STORY(ftp, active_in_six_numbers, FTP4, OPENED,
	{SAYS(1001, "PORT {guest,},19,137\\r\\n"), ARRIVES(1001, "PORT {host,},{$d,}\\r\\n")},
	{"uplink tcp server:20 > host:$d S seq 9000", "guest tcp server:20 > guest:5001 S"});

/* The command's case, blanks around its argument, a bare LF at its end. */
STORY(ftp, words_as_people_write_them, FTP4, OPENED,
	{SAYS(1001, " port \\11 {guest,},19,137 \\n"),
		ARRIVES(1001, " port \\11 {host,},{$d,} \\n")},
	{"expectations", "1"});

STORY(ftp, passive_client_behind_us, FTP, OPENED, UNCHANGED(1001, "EPSV\\r\\n"),
	{ANSWERS(5006, "229 Entering Extended Passive Mode (|||50000|)\\r\\n"),
		"guest tcp server:21 > guest:4000 PA data "
		"\"229 Entering Extended Passive Mode (|||50000|)\\r\\n\""},
	{"expectations", "1"},
	{"guest tcp guest:4001 > server:50000 S seq 1", "uplink tcp host:$e > server:50000 S"},
	{"expectations", "0"});

/* A filter that knows nothing but control connections needs to know what is related. */
STORY(ftp, passive_is_related,
	LAB(.config = "[helpers]\nftp =\n[filter forward]\npolicy = drop\n"
		      "rule = accept state established,related\n"
		      "rule = accept in lab proto tcp port 21\n",
		.families = LAB_IPV4),
	OPENED, {"guest tcp guest:4001 > server:50000 S seq 1", "drop filter"},
	UNCHANGED(1001, "PASV\\r\\n"),
	{ANSWERS(5006, "227 Entering Passive Mode ({server,},195,80).\\r\\n"), "guest"},
	{"guest tcp guest:4001 > server2:50000 S seq 1", "drop filter"},
	{"guest tcp guest:4001 > server:50001 S seq 1", "drop filter"},
	{"second tcp second:4001 > server:50000 S seq 1", "drop filter"},
	{"guest tcp guest:4001 > server:50000 S seq 1", "uplink tcp host:$e > server:50000 S"},
	/* It is answered, and goes on as established. */
	{"uplink tcp server:50000 > host:$e SA seq 9 ack 2", "guest"},
	{"guest tcp guest:4001 > server:50000 A seq 2 ack 10", "uplink"});

STORY(ftp, passive_server_behind_us, FTP4, PUBLISHED,
	{"uplink tcp server:4000 > host:2121 PA seq 1001 ack 5006 data \"PASV\\r\\n\"", "guest"},
	{"guest tcp guest:21 > server:4000 PA seq 5006 ack 1007 data "
	 "\"227 Entering Passive Mode ({guest,},19,137).\\r\\n\"",
		"uplink tcp host:2121 > server:4000 PA data "
		"\"227 Entering Passive Mode ({host,},{$d,}).\\r\\n\""},
	{"uplink tcp server:4001 > host:$d S seq 1", "guest tcp server:4001 > guest:5001 S"},
	{"guest tcp guest:5001 > server:4001 SA seq 1 ack 2", "uplink tcp host:$d > server:4001"});

STORY(ftp, extended_passive_server_behind_us, FTP, PUBLISHED,
	{"uplink tcp server:4000 > host:2121 PA seq 1001 ack 5006 data \"EPSV ALL\\r\\n\"",
		"guest"},
	{"guest tcp guest:21 > server:4000 PA seq 5006 ack 1011 data \"200 ok\\r\\n\"", "uplink"},
	{"uplink tcp server:4000 > host:2121 PA seq 1011 ack 5014 data \"EPSV {1|2}\\r\\n\"",
		"guest"},
	{"guest tcp guest:21 > server:4000 PA seq 5014 ack 1019 data "
	 "\"229 Entering Extended Passive Mode (|||5001|)\\r\\n\"",
		"uplink tcp host:2121 > server:4000 PA data "
		"\"229 Entering Extended Passive Mode (|||{$d}|)\\r\\n\""},
	/* Nobody else may come. */
	{"uplink tcp server2:4001 > host:$d S seq 1", "drop not-for-us"},
	{"uplink tcp server:4001 > host:$d S seq 1", "guest tcp server:4001 > guest:5001 S"});

/* A server that was told how it is called outside. */
STORY(ftp, server_that_knows_its_address, FTP4, PUBLISHED,
	{"uplink tcp server:4000 > host:2121 PA seq 1001 ack 5006 data \"PASV\\r\\n\"", "guest"},
	{"guest tcp guest:21 > server:4000 PA seq 5006 ack 1007 data "
	 "\"227 Entering Passive Mode ({host,},19,137).\\r\\n\"",
		"uplink tcp host:2121 > server:4000 PA data "
		"\"227 Entering Passive Mode ({host,},{$d,}).\\r\\n\""},
	{"uplink tcp server:4001 > host:$d S seq 1", "guest tcp server:4001 > guest:5001 S"});

STORY(ftp, active_to_server_behind_us, FTP, PUBLISHED,
	{"uplink tcp server:4000 > host:2121 PA seq 1001 ack 5006 data "
	 "\"EPRT |{1|2}|{server}|5001|\\r\\n\"",
		"guest tcp server:4000 > guest:21 PA data \"EPRT |{1|2}|{server}|5001|\\r\\n\""},
	{"expectations", "1"},
	{"guest tcp guest:20 > server:5001 S seq 1", "uplink tcp host:$d > server:5001 S"},
	{"expectations", "0"});

/* Guest to guest through a published port: both see the host. */
STORY(ftp, hairpin, FTP4, {"forward tcp 2121 second:21", "ok"},
	{"guest tcp guest:4000 > host:2121 S seq 1000", "second tcp host:$a > second:21 S"},
	{"second tcp second:21 > host:$a SA seq 5000 ack 1001", "guest tcp host:2121 > guest:4000"},
	{"second tcp second:21 > host:$a PA seq 5001 ack 1001 data \"220 \\n\"", "guest"},
	{"guest tcp guest:4000 > host:2121 PA seq 1001 ack 5006 data \"PASV\\r\\n\"", "second"},
	{"second tcp second:21 > host:$a PA seq 5006 ack 1007 data \"227 "
	 "({second,},19,137)\\r\\n\"",
		"guest tcp host:2121 > guest:4000 PA data \"227 ({host,},{$d,})\\r\\n\""},
	{"guest tcp guest:4001 > host:$d S seq 1", "second tcp host:$e > second:5001 S"},
	{"second tcp second:5001 > host:$e SA seq 1 ack 2", "guest tcp host:$d > guest:4001 SA"});

/* Between networks nothing is translated, and the filter still knows. */
STORY(ftp, between_networks,
	LAB(.config = "[helpers]\nftp =\n[filter forward]\npolicy = drop\n"
		      "rule = accept state established,related\n"
		      "rule = accept in lab out far proto tcp port 21\n"),
	{"guest tcp guest:4000 > far:21 S seq 1000", "far tcp guest:4000 > far:21 S"},
	{"far tcp far:21 > guest:4000 SA seq 5000 ack 1001", "guest"},
	{"far tcp far:21 > guest:4000 PA seq 5001 ack 1001 data \"220 \\n\"", "guest"},
	{"guest tcp guest:4000 > far:21 PA seq 1001 ack 5006 data "
	 "\"EPRT |{1|2}|{guest}|5001|\\r\\n\"",
		"far tcp guest:4000 > far:21 PA data \"EPRT |{1|2}|{guest}|5001|\\r\\n\""},
	{"far tcp far:20 > guest:5002 S seq 1", "drop filter"},
	{"far tcp far:20 > guest:5001 S seq 1", "guest tcp far:20 > guest:5001 S"});

STORY(ftp, off_unless_configured, LAB(.families = LAB_IPV4), OPENED,
	UNCHANGED(1001, "PORT {guest,},19,137\\r\\n"), {"expectations", "0"});

/* Only where a line of [helpers] says so. */
STORY(ftp, off_on_another_port, LAB(.config = "[helpers]\nftp = port 2121\n", .families = LAB_IPV4),
	OPENED, UNCHANGED(1001, "PORT {guest,},19,137\\r\\n"));

/* ---- sequence numbers ---- */

/* "PORT 10,77,0,2,19,137\r\n" has 24 bytes, "PORT 192,0,2,1,..." about as many; the EPRT with one
 * digit of a port less grows by one.  What follows is shifted, what is acknowledged shifted back.
 */
STORY(ftp, numbers_behind_a_longer_line, FTP4, OPENED,
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")},
	/* 1001 + 25 is where the guest goes on. */
	{SAYS(1026, "NOOP\\r\\n"), ARRIVES(1027, "NOOP\\r\\n")},
	/* The same again becomes the same. */
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")},
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\nNOOP\\r\\n"),
		ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\nNOOP\\r\\n")},
	/* Acknowledged: all, or the command alone. */
	{"uplink tcp server:21 > host:$a A seq 5006 ack 1027", "guest tcp server:21 > guest:4000 A "
							       "seq 5006 ack 1026"},
	{"uplink tcp server:21 > host:$a A seq 5006 ack 1033", "guest tcp server:21 > guest:4000 A "
							       "seq 5006 ack 1032"},
	{SAYS(1032, "QUIT\\r\\n"), ARRIVES(1033, "QUIT\\r\\n")},
	{"guest tcp guest:4000 > server:21 FA seq 1038 ack 5006",
		"uplink tcp host:$a > server:21 FA seq 1039 ack 5006"},
	{"uplink tcp server:21 > host:$a FA seq 5006 ack 1040",
		"guest tcp server:21 > guest:4000 FA seq 5006 ack 1039"},
	{"guest tcp guest:4000 > server:21 A seq 1039 ack 5007",
		"uplink tcp host:$a > server:21 A seq 1040 ack 5007"},
	{"states", "time-wait"});

/* A part of the line again, in other segments than before. */
STORY(ftp, a_line_again_in_other_segments, FTP4, OPENED,
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")},
	{SAYS(1001, "EPRT |1|10."), ARRIVES(1001, "EPRT |1|{host}|{$d}|")},
	{SAYS(1012, "77.0.2|5001|\\r\\n"), ARRIVES(1025, "\\r\\n")},
	{SAYS(1012, "77.0"), "uplink tcp host:$a > server:21 PA seq 1025 ack 5006 len 0"},
	/* Its middle is not to be had alone. */
	{"uplink tcp server:21 > host:$a A seq 5006 ack 1015",
		"guest tcp server:21 > guest:4000 A ack 1006"},
	{"uplink tcp server:21 > host:$a A seq 5006 ack 1027",
		"guest tcp server:21 > guest:4000 A ack 1026"});

/* Two announcements under way; the port of the first is given up for the second. */
STORY(ftp, two_edits_in_flight, FTP4, OPENED,
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")},
	{SAYS(1026, "EPRT |1|{guest}|5002|\\r\\n"), ARRIVES(1027, "EPRT |1|{host}|{$e}|\\r\\n")},
	{"expectations", "1"}, {SAYS(1051, "NOOP\\r\\n"), ARRIVES(1053, "NOOP\\r\\n")},
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")},
	{"uplink tcp server:21 > host:$a A seq 5006 ack 1027", "guest tcp server:21 > guest:4000 A "
							       "ack 1026"},
	{SAYS(1026, "EPRT |1|{guest}|5002|\\r\\n"), ARRIVES(1027, "EPRT |1|{host}|{$e}|\\r\\n")},
	{"uplink tcp server:21 > host:$a A seq 5006 ack 1059", "guest tcp server:21 > guest:4000 A "
							       "ack 1057"},
	{"uplink tcp server:20 > host:$d S seq 9000", "drop not-for-us"},
	{"uplink tcp server:20 > host:$e S seq 9000", "guest tcp server:20 > guest:5002 S"});

/* The number goes round in the middle of the line. */
STORY(ftp, numbers_that_wrap_around, FTP4,
	{"guest tcp guest:4000 > server:21 S seq 4294967285", "uplink tcp host:$a > server:21 S"},
	{"uplink tcp server:21 > host:$a SA seq 5000 ack 4294967286", "guest"},
	{"uplink tcp server:21 > host:$a PA seq 5001 ack 4294967286 data \"220 \\n\"", "guest"},
	{SAYS(4294967286, "EPRT |1|{guest}|5001|\\r\\n"),
		ARRIVES(4294967286, "EPRT |1|{host}|{$d}|\\r\\n")},
	{SAYS(15, "NOOP\\r\\n"), ARRIVES(16, "NOOP\\r\\n")},
	{"uplink tcp server:21 > host:$a A seq 5006 ack 16", "guest tcp server:21 > guest:4000 A "
							     "ack 15"},
	{"uplink tcp server:21 > host:$a A seq 5006 ack 22", "guest tcp server:21 > guest:4000 A "
							     "ack 21"});

/* Nothing is learnt from what tracking refuses: a forged acknowledgment of what was not sent. */
STORY(ftp, forged_acknowledgment, FTP4, OPENED,
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")},
	{"uplink tcp server:21 > host:$a A seq 5006 ack 90000", "drop invalid"},
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")});

/* An error about a segment that was shifted says its own number again. */
STORY(ftp, error_about_a_shifted_segment, FTP4, OPENED,
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")},
	{SAYS(1026, "NOOP\\r\\n"), ARRIVES(1027, "NOOP\\r\\n")},
	{"uplink icmp router > host host-unreachable about "
	 "tcp host:$a > server:21 PA seq 1027 ack 5006",
		"guest icmp router > guest host-unreachable about "
		"tcp guest:4000 > server:21 PA seq 1026"});

/* Sums that are still to be made, and packets of several segments. */
STORY(ftp, super_packets, FTP4, OPENED,
	{"guest tcp guest:4000 > server:21 PA seq 1001 ack 5006 partial data "
	 "\"EPRT |1|{guest}|5001|\\r\\n\"",
		ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")},
	{"guest tcp guest:4000 > server:21 PA seq 1026 ack 5006 gso 20 data "
	 "\"NOOP\\r\\nNOOP\\r\\nEPRT |1|{guest}|5002|\\r\\n\"",
		ARRIVES(1027, "NOOP\\r\\nNOOP\\r\\nEPRT |1|{host}|{$e}|\\r\\n")},
	{"expectations", "1"});

/* ---- what is not read ---- */

/* In the middle of something else, at the start of a segment (NAT slipstreaming). */
STORY(ftp, a_segment_that_begins_in_a_line, FTP4, OPENED,
	UNCHANGED(1001, "POST /index.html?aaaaaaaaaaaaaaaaaaaaaaaaa"),
	UNCHANGED(1043, "PORT {guest,},19,137\\r\\n"), {"expectations", "0"},
	/* From the next line on there is no doubt again. */
	{SAYS(1066, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1066, "EPRT |1|{host}|{$d}|\\r\\n")});

STORY(ftp, a_line_in_two_segments, FTP4, OPENED, UNCHANGED(1001, "PORT 10,77,"),
	UNCHANGED(1012, "0,2,19,137\\r\\n"), {"expectations", "0"});

/* What a gap precedes is not read; when the gap is closed reading goes on. */
STORY(ftp, out_of_order, FTP4, OPENED, UNCHANGED(1007, "PORT {guest,},19,137\\r\\n"),
	{"expectations", "0"}, UNCHANGED(1001, "NOOP\\r\\n"), {"expectations", "0"},
	{SAYS(1030, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1030, "EPRT |1|{host}|{$d}|\\r\\n")});

/* The missing part itself is read. */
STORY(ftp, the_missing_part, FTP4, OPENED, UNCHANGED(1026, "NOOP\\r\\n"),
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")},
	{SAYS(1026, "NOOP\\r\\n"), ARRIVES(1027, "NOOP\\r\\n")});

STORY(ftp, not_before_the_server_has_greeted, FTP4,
	{"guest tcp guest:4000 > server:21 S seq 1000", "uplink tcp host:$a > server:21 S"},
	{"uplink tcp server:21 > host:$a SA seq 5000 ack 1001", "guest"},
	{"uplink tcp server:21 > host:$a PA seq 5001 ack 1001 data \"HTTP\\n\"", "guest"},
	UNCHANGED(1001, "PORT {guest,},19,137\\r\\n"), {"expectations", "0"});

STORY(ftp, somebody_elses_address, FTP4, OPENED, UNCHANGED(1001, "PORT {second,},19,137\\r\\n"),
	UNCHANGED(1025, "PORT {server,},19,137\\r\\n"), {"expectations", "0"});

STORY(ftp, a_privileged_port, FTP4, OPENED, UNCHANGED(1001, "PORT {guest,},3,255\\r\\n"),
	UNCHANGED(1024, "PORT {guest,},0,0\\r\\n"), {"expectations", "0"});

STORY(ftp, lines_that_are_not_quite_it, FTP4, OPENED, UNCHANGED(1001, "PORT 10,77,0,2,19\\r\\n"),
	UNCHANGED(1020, "PORT 10,77,0,2,19,256\\r\\n"),
	UNCHANGED(1043, "PORT 10.77.0.2.19.137\\r\\n"),
	UNCHANGED(1066, "PORT 10,77,0,2,19,137x\\r\\n"),
	UNCHANGED(1090, "EPRT |3|10.77.0.2|5001|\\r\\n"),
	UNCHANGED(1117, "EPRT 1|10.77.0.2|5001|\\r\\n"),
	UNCHANGED(1143, "XPORT 10,77,0,2,19,137\\r\\n"), {"expectations", "0"});

/* An answer nobody asked for, or one of a reply's other lines. */
STORY(ftp, answers_that_do_not_count, FTP4, OPENED,
	{"uplink tcp server:21 > host:$a PA seq 5006 ack 1001 data \"227 "
	 "({server,},195,80)\\r\\n\"",
		"guest"},
	{"expectations", "0"}, UNCHANGED(1001, "PASV\\r\\n"),
	{"uplink tcp server:21 > host:$a PA seq 5032 ack 1007 data "
	 "\"227-({server,},195,80)\\r\\n\"",
		"guest"},
	{"expectations", "0"},
	{"uplink tcp server:21 > host:$a PA seq 5058 ack 1007 data \"227 "
	 "({server2,},195,80)\\r\\n\"",
		"guest"},
	{"expectations", "0"});

/* A server may speak of itself only, and not of its lower ports. */
STORY(ftp, a_server_that_points_at_port_25, FTP4, OPENED, UNCHANGED(1001, "PASV\\r\\n"),
	{ANSWERS(5006, "227 ({server,},0,25)\\r\\n"), "guest"}, {"expectations", "0"});

/* ---- segments that no story has words for ---- */

static const struct step opened[] = {OPENED, {NULL, NULL, NULL}};

/* Its receiver will throw it away, so nothing it says is true. */
Test(ftp, a_damaged_segment_is_not_read)
{
	struct lab *lab = lab_open(AF_INET, FTP4);

	steps_play(lab, opened);
	struct packet *packet = steps_packet(lab, SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"));
	packet->data[36] ^= 1;
	cr_expect_eq(lab_send(lab, packet), VERDICT_SEND);
	cr_expect_str_eq(packet_fault(packet), "L4 checksum");
	cr_expect_eq(engine_status(lab->engine)->expectations, 0);
	packet_dispose(packet);
	lab_close(lab);
}

/* A full segment that grows by a byte is one of two afterwards. */
Test(ftp, a_full_segment_that_grows)
{
	static const char line[] = "EPRT |1|10.77.0.2|5001|\r\n";
	const uint32_t full = 1460, before = full - (sizeof(line) - 1);
	struct lab *lab = lab_open(AF_INET, FTP4);
	char text[1460];

	steps_play(lab, opened);
	memset(text, 'x', before);
	text[before - 1] = '\n';
	memcpy(text + before, line, sizeof(line) - 1);
	struct packet *exact = TCP_PACKET("10.77.0.2:4000", "198.51.100.1:21",
		.tcp_flags = TCP_ACK | TCP_PSH, .sequence = 1001, .acknowledgment = 5006,
		.payload = text, .payload_bytes = full);
	struct packet *packet = packet_from_bytes(exact->data, exact->length, exact->length + 8);
	packet->in_zone = lab_zone(lab, "guest");
	cr_assert_eq(packet->length, 1500);
	cr_expect_eq(lab_send(lab, packet), VERDICT_SEND);
	cr_expect_eq(packet->length, 1501);
	cr_expect_eq(packet->offload.gso_type, OFFLOAD_GSO_TCPV4);
	cr_expect_eq(packet->offload.gso_size, full);
	cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
	packet_dispose(packet);
	packet_dispose(exact);
	lab_close(lab);
}

/* ---- life of an expectation ---- */

STORY(ftp, half_a_minute, FTP, OPENED,
	{SAYS(1001, "EPRT |{1|2}|{guest}|5001|\\r\\n"),
		ARRIVES(1001, "EPRT |{1|2}|{host}|{$d}|\\r\\n")},
	{"wait 29.9"}, {"expectations", "1"}, {"wait 0.3"}, {"expectations", "0"}, {"ports", "1"},
	{"uplink tcp server:20 > host:$d S seq 9000", "drop not-for-us"});

STORY(ftp, it_ends_with_its_master, FTP, OPENED,
	{SAYS(1001, "EPRT |{1|2}|{guest}|5001|\\r\\n"),
		ARRIVES(1001, "EPRT |{1|2}|{host}|{$d}|\\r\\n")},
	{"ports", "2"}, {"link-lost guest"}, {"expectations", "0"}, {"ports", "0"});

/* The data connection outlives the one that announced it. */
STORY(ftp, the_child_stays, FTP, OPENED,
	{SAYS(1001, "EPRT |{1|2}|{guest}|5001|\\r\\n"),
		ARRIVES(1001, "EPRT |{1|2}|{host}|{$d}|\\r\\n")},
	{"uplink tcp server:20 > host:$d S seq 9000", "guest"},
	{"guest tcp guest:5001 > server:20 SA seq 7000 ack 9001", "uplink"},
	{"uplink tcp server:20 > host:$d A seq 9001 ack 7001", "guest"},
	{"uplink tcp server:21 > host:$a R seq 5006", "guest"}, {"wait 250"}, {"flows", "1"},
	{"uplink tcp server:20 > host:$d A seq 9001 ack 7001", "guest"});

/* An expected connection is one like any other: it may wait for its answer. */
STORY(ftp, a_slow_answer, FTP, OPENED,
	{SAYS(1001, "EPRT |{1|2}|{guest}|5001|\\r\\n"),
		ARRIVES(1001, "EPRT |{1|2}|{host}|{$d}|\\r\\n")},
	{"uplink tcp server:20 > host:$d S seq 9000", "guest"}, {"wait 60"}, {"flows", "2"},
	{"guest tcp guest:5001 > server:20 SA seq 7000 ack 9001", "uplink tcp host:$d"});

/* A finished master may have to give its record to the very connection that it announced. */
STORY(ftp, the_master_gives_way_to_its_child, LAB(.config = "[helpers]\nftp =\n", .flows = 2),
	OPENED,
	{SAYS(1001, "EPRT |{1|2}|{guest}|5001|\\r\\n"),
		ARRIVES(1001, "EPRT |{1|2}|{host}|{$d}|\\r\\n")},
	{"second udp second:1 > server:2", "uplink udp host:$e > server:2"},
	{"uplink tcp server:21 > host:$a R seq 5006", "guest"}, {"expectations", "1"},
	{"uplink tcp server:20 > host:$d S seq 9000", "guest tcp server:20 > guest:5001 S"},
	{"expectations", "0"}, {"states", "syn-sent unreplied"},
	{"guest tcp guest:5001 > server:20 SA seq 7000 ack 9001",
		"uplink tcp host:$d > server:20 SA"});

/* What came from a helper can be told by rules. */
STORY(ftp, rules_know_the_helper,
	LAB(.config = "[helpers]\nftp =\n[filter forward]\npolicy = drop\n"
		      "rule = accept state established\nrule = accept helper ftp\n"
		      "rule = accept in lab proto tcp port 21\n"),
	OPENED, {"uplink tcp server:20 > host:61000 S seq 9000", "drop not-for-us"},
	{SAYS(1001, "EPRT |{1|2}|{guest}|5001|\\r\\n"),
		ARRIVES(1001, "EPRT |{1|2}|{host}|{$d}|\\r\\n")},
	{"uplink tcp server:20 > host:$d S seq 9000", "guest tcp server:20 > guest:5001 S"});

/* A new line is for new connections. */
STORY(ftp, rules_change, FTP4, OPENED, {"rules "},
	{SAYS(1001, "EPRT |1|{guest}|5001|\\r\\n"), ARRIVES(1001, "EPRT |1|{host}|{$d}|\\r\\n")});
