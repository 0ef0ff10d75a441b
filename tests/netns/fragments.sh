#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# fragments: datagrams larger than the MTU, both ways, and an uplink that is smaller than the guest's.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")" || exit

require python3 ping
world_build
gateway_start

cat >"$WORLD/echo.py" <<-'E'
	import socket, sys
	family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
	with socket.socket(family, socket.SOCK_DGRAM) as s:
	    s.bind((sys.argv[1], 7))
	    while True:
	        s.sendto(*s.recvfrom(65536))
	E
spawn server echo4 python3 "$WORLD/echo.py" $SERVER4
echo4=$spawned
spawn server echo6 python3 "$WORLD/echo.py" $SERVER6
echo6=$spawned
within 5 says "$SERVER4:7 " ns server ss -Huln
within 5 says "$SERVER6]:7 " ns server ss -Huln

# echoed ADDRESS MTU-DISCOVER SIZE...: each datagram comes back as it was.
echoed() {
	ns guest python3 - "$@" <<-'E'
		import os, socket, sys
		address, discover = sys.argv[1], int(sys.argv[2])
		family = socket.AF_INET6 if ":" in address else socket.AF_INET
		with socket.socket(family, socket.SOCK_DGRAM) as s:
		    s.settimeout(3)
		    if family == socket.AF_INET:
		        s.setsockopt(socket.IPPROTO_IP, 10, discover) # IP_MTU_DISCOVER
		    s.connect((address, 7))
		    for size in map(int, sys.argv[3:]):
		        sent = os.urandom(size)
		        s.send(sent)
		        if s.recv(65536) != sent:
		            sys.exit(f"{size} bytes came back changed")
	E
}
expect "datagrams in fragments" echoed $SERVER4 1 1473 2961 4000 20000 65507
expect "... over IPv6" echoed $SERVER6 1 1453 2900 4000 20000 65000
expect "ping with 4000 bytes" ns guest ping -c 3 -i 0.2 -s 4000 -W 2 $SERVER4
expect "... over IPv6" ns guest ping -c 3 -i 0.2 -s 4000 -W 2 $SERVER6
if [ "$GATEWAY" = tungate ]; then
	expect "ping with 4000 bytes to the gateway" \
		ns guest ping -c 2 -i 0.2 -s 4000 -W 2 $GATE4
	tungate drops >"$WORLD/drops"
	expect_fail "nothing was dropped as a fragment" grep -w fragment "$WORLD/drops"
fi

# Each of the six orders of three fragments out, and any of them back.
reap "$echo4"
reap "$echo6"
spawn server scatter4 python3 scatter.py echo $SERVER4
scatter4=$spawned
spawn server scatter6 python3 scatter.py echo $SERVER6
within 5 says "$SERVER4:7 " ns server ss -Huln
within 5 says "$SERVER6]:7 " ns server ss -Huln
expect "fragments in every order" ns guest python3 scatter.py ask $GUEST4 $SERVER4
expect "... over IPv6" ns guest python3 scatter.py ask $GUEST6 $SERVER6
reap "$scatter4"
spawn server echo4 python3 "$WORLD/echo.py" $SERVER4
within 5 says "$SERVER4:7 " ns server ss -Huln

# An uplink with an MTU below the guest's: what has DF clear passes in pieces.
ip -n gw link set uplink mtu 1280
ip -n router link set inner mtu 1280
eventually 10 "DF clear over a smaller uplink" echoed $SERVER4 0 1300 1472 4000 20000
expect "ping with DF clear over a smaller uplink" \
	ns guest ping -c 3 -i 0.2 -M dont -s 4000 -W 2 $SERVER4
finish
