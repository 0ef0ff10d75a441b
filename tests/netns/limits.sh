#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# limits: a guest that floods is stopped at its limits, and its neighbour notices nothing.
#
# The flooding guest sends SYNs and datagrams from as many sockets as it likes, to addresses that
# answer nothing; a second one browses and pings meanwhile.  Counts decide, never times.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require jq curl ping python3 iperf3 nginx
require_tungate

# flood KIND COUNT: so many first packets of connections, each from a port of its own.
cat >"$WORLD/flood.py" <<'E2'
import socket, sys

kind, count, host = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for n in range(count):
    if kind == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"x", (host, 9000 + n % 50))
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setblocking(False)
        s.connect_ex((host, 9000 + n % 50))
        s.close()
E2

flood() {
	ns guest python3 "$WORLD/flood.py" "$1" "$2" 198.51.100.99
}

# guest NAME FILTER: what `tungate guests` knows of one.
guest() {
	figures guests ".[] | select(.link == \"$1\") | $2"
}

at_most() {
	echo "$2 of at most $1" >"$WORLD/last"
	[ "$2" -le "$1" ]
}

at_least() {
	echo "$2 of at least $1" >"$WORLD/last"
	[ "$2" -ge "$1" ]
}

world_build
namespace second
gateway_config <<-'E3'
	[limits]
	flows = 4096
	guest-flows = 500
	guest-half-open = 200
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	[network slow]
	subnet = 10.78.0.0/24
	guest-bytes-per-second = 250K
E3
tungated_start || gateway_missing
guest_attach guest || gateway_missing
expect "another guest is attached" guest_attach second 10.77.0.3,fd77:7467::3
nginx_start server

# ---- floods ----

flood syn 1500 &
syns=$!
flood udp 1500 &
datagrams=$!
for n in 1 2 3; do
	expect "the neighbour browses during the floods ($n)" page second "http://$SERVER4/"
done
expect "... and pings" ns second ping -c 3 -i 0.2 -W 5 $SERVER4
wait "$syns" "$datagrams"
expect "no more is half open than may be" at_most 200 "$(guest guest .half_open.out)"
expect "nor has it more connections than it may" at_most 500 "$(guest guest .flows.out)"
expect "the oldest gave way" at_least 1000 "$(guest guest .refused.half_open)"
expect_equal "the neighbour was refused nothing" 0 "$(guest second '[.refused[]] | add')"
expect "nor is the flooding guest locked out" page guest "http://$SERVER4/"
expect "\`tungate guests\` says so" says "guest +10.77.0.2 .*half_open [0-9]+" tungate guests

# ---- rates ----

namespace third
expect "a guest of the slow network is attached" tungate attach --netns third --name third \
	--network slow --address 10.78.0.2
iperf_start 5201
ns third iperf3 -c $SERVER4 -p 5201 -t 4 -J >"$WORLD/iperf.json" 2>&1
received=$(jq '.end.sum_received.bytes // 0' "$WORLD/iperf.json")
cp "$WORLD/iperf.json" "$WORLD/last"
expect "what is policed arrives" at_least 100000 "$received"
expect "... and not much more than the rate" at_most 5000000 "$received"
expect "the rest was dropped for its rate" at_least 1 "$(guest third .refused.rate)"
expect "drops say so" says "rate" tungate drops

finish
