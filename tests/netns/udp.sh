#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# udp: datagrams of every size there and back, fragments included, and the error for a closed port.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require socat python3
world_build
gateway_start

spawn server echo socat -b 65536 UDP4-RECVFROM:7,fork EXEC:cat
spawn server echo6 socat -b 65536 UDP6-RECVFROM:7,ipv6only=1,fork EXEC:cat
both_listen() {
	[ "$(ns server ss -Hlun 'sport = :7' | wc -l)" -eq 2 ]
}
within 5 both_listen

# echo_sizes ADDRESS SIZE...: one socket, one datagram per size, each must come back the same.
echo_sizes() {
	ns guest python3 - "$@" <<-'E'
		import os, socket, sys
		address = sys.argv[1]
		family = socket.AF_INET6 if ":" in address else socket.AF_INET
		with socket.socket(family, socket.SOCK_DGRAM) as s:
		    s.settimeout(3)
		    s.connect((address, 7))
		    for size in map(int, sys.argv[2:]):
		        sent = os.urandom(size)
		        s.send(sent)
		        if s.recv(65536) != sent:
		            sys.exit(f"{size} bytes came back changed")
	E
}
expect "1 to 1472 bytes" echo_sizes $SERVER4 1 2 63 512 1471 1472
expect "1 to 1452 bytes over IPv6" echo_sizes $SERVER6 1 2 63 512 1451 1452
expect "datagrams in fragments" echo_sizes $SERVER4 1473 4000 9000
expect "datagrams in fragments over IPv6" echo_sizes $SERVER6 1453 4000 9000

refused() {
	ns guest python3 - "$1" <<-'E'
		import socket, sys
		family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
		with socket.socket(family, socket.SOCK_DGRAM) as s:
		    s.settimeout(3)
		    s.connect((sys.argv[1], 9))
		    s.send(b"anybody?")
		    try:
		        s.recv(16)
		    except ConnectionRefusedError:
		        sys.exit(0)
		sys.exit("no error came")
	E
}
expect "a closed port is reported to the socket that asked" refused $SERVER4
expect "... over IPv6 too" refused $SERVER6
finish
