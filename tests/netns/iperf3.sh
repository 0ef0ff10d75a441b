#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# iperf3: bulk streams both ways, of both families, over TCP and UDP; super-packets must not break
# anything.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require iperf3 jq
world_build
iperf_start 5201
gateway_start

# stream MINIMUM_MBITS OPTION...: at least that much arrives, and it is the receiver who says so.
stream() {
	local minimum=$1
	shift
	ns guest iperf3 --json -t 1 "$@" >"$WORLD/iperf.json" || jq -r .error "$WORLD/iperf.json"
	jq -e ".end | (.sum_received // .sum).bits_per_second / 1e6 | floor | (., . >= $minimum)" \
		"$WORLD/iperf.json"
}
expect "TCP out" stream 100 -c $SERVER4
expect "TCP in" stream 100 -c $SERVER4 -R
expect "TCP both ways" stream 50 -c $SERVER4 --bidir
expect "TCP over IPv6 out" stream 100 -c $SERVER6
expect "TCP over IPv6 in" stream 100 -c $SERVER6 -R
expect "eight streams" stream 100 -c $SERVER4 -P 8
expect "UDP out" stream 15 -c $SERVER4 -u -b 20M -l 1400
expect "UDP in" stream 15 -c $SERVER4 -u -b 20M -l 1400 -R

lost() {
	jq -r '.end.sum | .lost_percent | floor' "$WORLD/iperf.json"
}
expect_equal "no UDP datagram is lost at 20 Mbit/s" 0 "$(lost)"
finish
