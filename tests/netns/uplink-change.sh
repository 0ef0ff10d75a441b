#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# uplink-change: addresses, routes and links of the host change while the gateway runs, and it
# follows.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq ping
require_tungate
world_build
nginx_start server
gateway_start

reaches() {
	page guest "http://$SERVER4/" --connect-timeout 1
}
reaches6() {
	page guest "http://[$SERVER6]/" --connect-timeout 1
}
sees() {
	says "^$1\$" page guest "http://$SERVER4/who" --connect-timeout 1
}
held_flows() {
	flows '.original.destination_port == 7000 and .state == "established"'
}
no_held_flow() {
	[ "$(held_flows)" -eq 0 ]
}
expect "the server sees the first address" sees $HOST4

# ---- the address changes ----
spawn server listener socat -u TCP-LISTEN:7000,fork OPEN:/dev/null
within 3 listens server 7000
ns guest socat -u EXEC:"sleep 60" TCP:$SERVER4:7000 &
within 3 says '^1$' held_flows
expect_equal "a flow is held" 1 "$(held_flows)"
ip -n gw address add 192.0.2.3/24 dev uplink
expect_equal "another address leaves flows alone" 1 "$(held_flows)"
ip -n gw address del $HOST4/24 dev uplink
ip -n gw address add 192.0.2.3/24 dev uplink 2>/dev/null
ip -n gw route replace default via $ROUTER4
eventually 3 "a vanished address takes its flows along" no_held_flow
eventually 5 "new flows have the new address" sees 192.0.2.3

# ---- an address that a guest network has as well (RFC 4787 REQ-7) ----
expect_fail "no word of a clash yet" grep -q "inside the subnet" "$WORLD/log/tungated"
ip -n gw address add 10.77.0.99/24 dev uplink noprefixroute
eventually 3 "an address inside a guest network is warned of" \
	grep -q "address 10.77.0.99 is inside the subnet of network default" "$WORLD/log/tungated"
expect "guests reach everything else as before" sees 192.0.2.3
ip -n gw address del 10.77.0.99/24 dev uplink

# ---- the link goes down and comes up ----
ip -n gw link set uplink down
expect_fail "link down: nothing gets through" reaches
ip -n gw link set uplink up
ip -n gw route replace default via $ROUTER4
eventually 5 "link up: it does" reaches
expect "the gateway lives" gateway_alive

# ---- the link vanishes and another takes its place ----
ip -n gw link del uplink
expect_fail "link gone: nothing gets through" reaches
expect "status says that there is no uplink" \
	says '"(up|uplinks)": (false|\[\])' tungate status --json
wire gw uplink router inner
addresses router inner $ROUTER4/24 $ROUTER6/64
addresses gw uplink $HOST4/24 $HOST6/64
default_route gw $ROUTER4 $ROUTER6
eventually 5 "link back: it does" reaches
eventually 5 "over IPv6 too" reaches6
expect "the server sees its address" sees $HOST4
expect "the new link is guarded" says "61000|bpf" ns gw tc filter show dev uplink ingress

# ---- a second way ----
wire gw uplink2 router inner2
addresses router inner2 203.0.113.1/24
addresses gw uplink2 203.0.113.2/24
ip -n gw route replace default via 203.0.113.1
eventually 5 "a new default route is taken" sees 203.0.113.2
ip -n gw route replace default via $ROUTER4
eventually 5 "... and the old one again" sees $HOST4
ip -n gw link del uplink2
expect "the other link's end disturbs nobody" reaches

# ---- MTU ----
ip -n gw link set uplink mtu 1400
ip -n router link set inner mtu 1400
eventually 5 "a smaller MTU: pages still come" reaches
head -c 5M /dev/urandom >"$WORLD/server/www/big"
whole() {
	page guest "http://$SERVER4/big" | cmp - "$WORLD/server/www/big"
}
expect "... and large ones" whole
finish
