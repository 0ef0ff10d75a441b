#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ping: echo requests and replies of both families, of any size, and errors about them.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require ping
world_build
gateway_start

expect "IPv4" ns guest ping -c 3 -i 0.01 -W 2 $SERVER4
expect "IPv6" ns guest ping -c 3 -i 0.01 -W 2 $SERVER6
expect "the payload comes back whole" ns guest ping -c 1 -W 2 -p a55a -s 1400 $SERVER4
expect "the gateway's own address answers" ns guest ping -c 1 -W 2 $GATE4
expect "the gateway's own IPv6 address answers" ns guest ping -c 1 -W 2 $GATE6

two_at_once() {
	ns guest ping -c 10 -i 0.02 -W 2 "$SERVER4" >"$WORLD/ping-a" &
	local first=$!
	ns guest ping -c 10 -i 0.02 -W 2 "$SERVER4" >"$WORLD/ping-b" && wait "$first"
	cat "$WORLD/ping-a" "$WORLD/ping-b"
	! grep -q DUP "$WORLD/ping-a" "$WORLD/ping-b"
}
expect "two pings at a time do not get each other's replies" two_at_once

# The router has no way to this network and says so.
expect "an unreachable network is reported to the guest" \
	says "From $ROUTER4.*[Uu]nreachable" ns guest ping -c 1 -W 2 203.0.113.9
expect "... over IPv6 too" \
	says "From $ROUTER6.*([Uu]nreachable|No route)" ns guest ping -c 1 -W 2 2001:db8:dead::9
finish
