#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# gre: a tunnel of a guest's: packets of GRE there and back, and ping through one of the kernel's
# own, where it has such.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require_tungate
require python3 jq
world_build
gateway_start

# echo_gre: send every packet of GRE back to whom it came from.
cat >"$WORLD/echo_gre" <<-'E'
	import socket
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_GRE)
	print("ready", flush=True)
	while True:
	    packet, sender = s.recvfrom(65535)
	    s.sendto(packet[20:], sender)
E
spawn server echo python3 "$WORLD/echo_gre"
within 5 grep -q ready "$WORLD/log/echo"

# exchange: with and without a key, and large ones, which go in fragments.
exchange() {
	ns guest python3 - $SERVER4 <<-'E'
		import os, socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_GRE)
		s.settimeout(3)
		for head in b"\0\0\x08\0", b"\x20\0\x08\0\0\0\0\x07":
		    for size in 0, 100, 1400, 4000:
		        sent = head + os.urandom(size)
		        s.sendto(sent, (sys.argv[1], 0))
		        if s.recv(65535)[20:] != sent:
		            sys.exit(f"{size} bytes came back changed")
	E
}
expect "GRE goes there and back" exchange
expect_equal "it is one flow, and replied to" 1 \
	"$(flows '.protocol == "gre" and .state == "replied"')"

# tunnel NAMESPACE LOCAL REMOTE INNER-ADDRESS
tunnel() {
	ip -n "$1" link add tunnel type gre local "$2" remote "$3" &&
		ip -n "$1" address add "$4" dev tunnel && ip -n "$1" link set tunnel up
}
reap "$spawned"
if tunnel guest $GUEST4 $SERVER4 10.9.9.1/30 2>"$WORLD/last"; then
	tunnel server $SERVER4 $HOST4 10.9.9.2/30
	expect "ping through a kernel's tunnel" ns guest ping -c 3 -i 0.2 -W 2 10.9.9.2
else
	skip "ping through a kernel's tunnel" "the kernel has no GRE: $(tail -1 "$WORLD/last")"
fi

finish
