/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * describe: a packet from one line of text.
 *
 *	tcp 10.77.0.2:4000 > 192.0.2.2:80 SA seq 1000 ack 1 win 64240 mss 1460 scale 7 sack len 100
 *	udp [fd77::2]:5000 > [2001:db8::2]:53 len 40 ttl 3
 *	icmp 10.77.0.2 > 192.0.2.2 echo id 7 seq 1 len 56
 *	icmp 192.0.2.2 > 192.0.2.1 reply id 7 seq 1 len 56
 *	icmp 192.0.2.9 > 192.0.2.1 type 3 code 1 quote 28 about udp 192.0.2.1:61000 > 192.0.2.2:9
 *len 4
 *	gre 10.77.0.2 > 192.0.2.2 call 7
 *	tcp 10.77.0.2:4000 > 192.0.2.2:1723 PA pptp 8 call 7 peer 3 result 1
 *	proto 47 10.77.0.2 > 192.0.2.2 len 20
 *
 * `icmp` is ICMPv6 between IPv6 addresses.  TCP windows are 65535 and TTLs 64 where nothing is
 *said; `rest N` is the second word of an ICMP header (a next-hop MTU), `tos N` the IPv4 field.  An
 *error quotes all of the packet that it is about, or its first `quote` bytes.  Payloads are
 *zeros, or `data "TEXT"` at the end of the line, with escapes \r \n \\ \" and octal ones; there
 *is room for `room N` (64) bytes more behind it.  `gso N` makes a super-packet of segments of so
 *many bytes, `partial` leaves the checksum to be made.
 */
#ifndef TUNGATE_TESTS_DESCRIBE_H
#define TUNGATE_TESTS_DESCRIBE_H

#include "tungate/packet.h"

/* Prints what it does not understand, and aborts.  The packet goes to packet_dispose(). */
struct packet *packet_describe(const char *text);

#endif
