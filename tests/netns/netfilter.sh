#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# netfilter: what the kernel's own tests of its NAT ask of it (tools/testing/selftests/net/netfilter),
# asked of this gateway, each made anew.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require python3 socat curl nginx tracepath
world_build
nginx_start server
nginx_start guest
gateway_start

# ---- port shadow (nft_nat.sh): a guest cannot take over a service of the host ----
# The guest speaks from the port of the host's service to the port that the client will use.
responder='import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind((sys.argv[1], int(sys.argv[2])))
    while True:
        s.sendto(sys.argv[3].encode(), s.recvfrom(100)[1])'
asker='import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(2)
    s.bind(("", int(sys.argv[1])))
    s.sendto(b"who is it?", (sys.argv[2], int(sys.argv[3])))
    if len(sys.argv) == 4:
        print(s.recv(100).decode())'
spawn gw service python3 -c "$responder" $HOST4 1405 ROUTER
spawn guest shadow python3 -c "$responder" $GUEST4 1406 CLIENT
within 5 listens_udp gw 1405
expect "the host's service answers" \
	says '^ROUTER$' ns server python3 -c "$asker" 41404 $HOST4 1405
ns guest python3 -c "$asker" 1405 $SERVER4 41404 nothing
if [ "$GATEWAY" = tungate ]; then
	expect "... and not the guest that shadows its port" \
		says '^ROUTER$' ns server python3 -c "$asker" 41404 $HOST4 1405
else
	skip "... and not the guest that shadows its port" "the kernel answers CLIENT"
fi

# ---- clash of ports behind a translation (nf_nat_edemux.sh) ----
# One client socket address, two ways to one service: both connections live at once.
if [ "$GATEWAY" = tungate ]; then
	tungate forward add tcp 5080 guest:80 >/dev/null
	tungate forward add tcp 5081 guest:80 >/dev/null
	# two_ways HOST SOURCE: a request on each of two connections, the first while the second waits.
	two_ways() {
		ns server python3 - "$1" "$2" <<-'E'
			import socket, sys
			family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
			connections = []
			for port in 5080, 5081:
			    s = socket.socket(family, socket.SOCK_STREAM)
			    s.settimeout(3)
			    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			    s.bind((sys.argv[2], 10000))
			    s.connect((sys.argv[1], port))
			    connections.append(s)
			for s in reversed(connections):
			    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
			    answer = b""
			    while part := s.recv(1000):
			        answer += part
			    if b"this is guest" not in answer:
			        sys.exit(f"answer: {answer}")
		E
	}
	expect "one client port, two published ports of one service" two_ways $HOST4 $SERVER4
	expect "... over IPv6" two_ways $HOST6 $SERVER6
else
	skip "one client port, two published ports of one service" "the kernel's set-up has no forwards"
fi

# ---- one address and port, many guests (nft_nat_zones.sh) ----
if [ "$GATEWAY" = tungate ]; then
	cat >>"$WORLD/tungate.conf" <<-'E'
		[network default]
		subnet = 10.77.0.0/24, fd77:7467::/64
		[network farm]
		subnet = 10.66.0.0/24, fd66::/64
		clones = yes
	E
	clones=8
	expect "a network of clones" tungate reload
	for i in $(seq $clones); do
		namespace "clone$i"
		tungate attach --netns "clone$i" --name "clone$i" --network farm \
			--address 10.66.0.2,fd66::2 >"$WORLD/last" 2>&1 || not_ok "clone $i is attached"
	done
	# clones_fetch ADDRESS PORT: all at once, from the same port; each gets its page.
	clones_fetch() {
		local i processes=()
		for i in $(seq $clones); do
			page "clone$i" "http://$1/" --local-port "$2" >"$WORLD/clone$i" &
			processes+=($!)
		done
		wait "${processes[@]}"
		[ "$(cat "$WORLD"/clone? | grep -c 'this is server')" -eq $clones ]
	}
	expect "guests with one address and one port fetch at once" clones_fetch $SERVER4 40004
	expect "... over IPv6" clones_fetch "[$SERVER6]" 40006
else
	skip "guests with one address and one port fetch at once" "needs zones of conntrack"
fi

# ---- listing and flushing during a flood (conntrack_dump_flush.c, conntrack_resize.sh) ----
if [ "$GATEWAY" = tungate ]; then
	# Each datagram is of a flow of its own.
	cat >"$WORLD/flood.py" <<-'E'
		import socket, struct, sys, time
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
		while True:
		    for port in range(2000, 5000):
		        s.sendto(struct.pack("!HHHH", port, 9, 8, 0), (sys.argv[1], 0))
		        if port % 100 == 0:
		            time.sleep(0.01)
	E
	spawn guest flood python3 "$WORLD/flood.py" $SERVER4
	flood=$spawned
	within 5 says '^[0-9]{4}' figures status .flows.now
	listed_and_flushed() {

		for _ in 1 2 3; do
			# No connection twice, each complete.
			tungate connections --json >"$WORLD/list" &&
				jq -e 'length > 0 and (map(.id) | length == (unique | length)) and
					all(.original.source_port > 0 and .reply.destination_port > 0)' \
					"$WORLD/list" >/dev/null || return 1
			tungate connections flush --json >/dev/null || return 1
		done
	}
	expect "lists are whole, and flushing ends what there is, during a flood" listed_and_flushed
	reap "$flood"
	tungate connections flush >/dev/null
	none_left() {
		[ "$(figures status .flows.now)" -eq 0 ] && [ "$(figures status .ports.used)" -eq 0 ]
	}
	eventually 3 "behind it neither a connection nor a port is left" none_left
else
	skip "lists are whole, and flushing ends what there is, during a flood" "is about tungated"
fi

# ---- errors related to a translated flow (conntrack_icmp_related.sh) ----
# A link of 1280 bytes behind the router: its errors reach the guest, whatever has sent too much.
ip -n router link set outer mtu 1280
ip -n server link set eth0 mtu 1280
needs_fragmentation() {
	says 'mtu ?= ?1280|pmtu 1280' ns guest tracepath -n -m 4 "$@"
}
told() {
	says 'mtu ?= ?1280' ns guest ping -c 3 -i 0.2 -W 1 -M "do" -s 1400 "$@"
}
expect "fragmentation-needed about a ping reaches the guest" told $SERVER4
expect "packet-too-big, too" told $SERVER6
expect "... about UDP" needs_fragmentation $SERVER4
expect "... about UDP over IPv6" needs_fragmentation -6 $SERVER6
head -c 5M /dev/urandom >"$WORLD/upload"
spawn server sink4 socat -u TCP4-LISTEN:7000,reuseaddr OPEN:"$WORLD/got4",creat
spawn server sink6 socat -u TCP6-LISTEN:7001,reuseaddr OPEN:"$WORLD/got6",creat
within 5 listens server 7000
within 5 listens server 7001
arrives() {
	ns guest socat -u OPEN:"$WORLD/upload" "$1" && within 5 cmp "$WORLD/upload" "$2"
}
expect "a connection finds its segments' size" arrives TCP4:$SERVER4:7000 "$WORLD/got4"
expect "... over IPv6" arrives "TCP6:[$SERVER6]:7001" "$WORLD/got6"

# ---- datagrams over a path with a smaller MTU (conntrack_ipip_mtu.sh) ----
# 1400 bytes come as one fragment that is larger than the way on, and a small one.  The kernel's test
# has a tunnel there; what matters is its MTU.
for mtu in 1500 1380; do
	ip -n gw link set uplink mtu $mtu
	for device in inner outer; do
		ip -n router link set $device mtu $mtu
	done
	ip -n server link set eth0 mtu $mtu
done
ns server ip route flush cache
spawn server echo socat -b 65536 UDP4-RECVFROM:7777,fork EXEC:cat
within 5 listens_udp server 7777
comes_back() {
	ns guest python3 - $SERVER4 <<-'E'
		import os, socket, sys
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		    s.settimeout(2)
		    s.setsockopt(socket.IPPROTO_IP, 10, 0) # IP_MTU_DISCOVER: DF stays clear
		    s.connect((sys.argv[1], 7777))
		    for size in 1300, 1400, 1453, 3000:
		        sent = os.urandom(size)
		        s.send(sent)
		        assert s.recv(65536) == sent, size
	E
}
eventually 10 "datagrams larger than the way on" comes_back
ip -n guest link set eth0 mtu 1400
eventually 10 "... from a guest that cuts them itself, larger than that still" comes_back
finish
