#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# owned: addresses outside that [nat] makes the gateway's: found on the wire where the host has not
# got them, and answered for by nobody but the gateway, whatever happens to it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx socat jq ping
require_tungate
world_build
nginx_start server
nginx_start guest

# .7 and ::7 nobody has; .8 and ::8 the host has, too.
FREE4=192.0.2.7 FREE6=2001:db8:1::7
HAD4=192.0.2.8 HAD6=2001:db8:1::8
OTHER4=10.77.0.3 OTHER6=fd77:7467::3
# Deprecated, the host does not choose the IPv6 one for its own connections.
host_address6() {
	ip -n gw address replace $HAD6/64 dev uplink preferred_lft 0
}
addresses gw uplink $HAD4/24
host_address6
namespace other
nginx_start other

gateway_config <<-CONFIG
	[filter forward]
	rule = accept state established,related
	rule = accept in lan out uplink
	rule = accept in uplink proto tcp to port 80
	rule = accept in uplink proto icmp icmp-type echo-request
	[nat]
	map = $GUEST4 <-> $FREE4
	map = $GUEST6 <-> $FREE6
	map = $OTHER4 <-> $HAD4
	map = $OTHER6 <-> $HAD6
CONFIG
gateway_start
guest_attach other $OTHER4,$OTHER6 || not_ok "the second guest is attached"

# refuses FROM ADDRESS PORT: somebody answers a connection with a reset.
refuses() {
	says refused ns "$1" socat -u /dev/null "TCP:$2:$3,connect-timeout=1"
}
pings() {
	ns "$1" ping -qc1 -W1 "$2"
}
# looked_up ADDRESS: the router has found the address on the wire.
looked_up() {
	says 'lladdr.*(REACHABLE|STALE|DELAY|PROBE)' ip -n router neighbour show "$1" dev inner
}

# ---- both ways ----
for pair in "guest $FREE4 $SERVER4" "guest [$FREE6] [$SERVER6]" \
	"other $HAD4 $SERVER4" "other [$HAD6] [$SERVER6]"; do
	read -r name outside server <<<"$pair"
	expect "$outside: reached from outside it is the guest" \
		says "this is $name" page server "http://$outside/"
	expect "$outside: the guest appears with it" \
		says "^${outside//[][]/}\$" page "$name" "http://$server/who"
done
for address in $FREE4 $FREE6 $HAD4 $HAD6; do
	expect "$address: a ping is the guest's to answer" pings server "$address"
done
expect "an address that nobody has: the gateway answers on the wire" looked_up $FREE4
expect "... and over IPv6" looked_up $FREE6

# ---- nobody else says anything ----
for address in $FREE4 $HAD4 "[$FREE6]" "[$HAD6]"; do
	expect_fail "$address: a port that no rule lets in is refused by nobody" \
		refuses server "$address" 22
done
expect "the host's own address answers as ever" refuses server $HOST4 22
expect "... to pings, too" pings server $HOST4

# ---- killed, and started again ----
gateway_kill
ip -n router neighbour flush dev inner
for address in $HAD4 $HAD6; do
	expect_fail "killed: $address: the kernel answers no ping" pings router "$address"
	[[ $address == *:* ]] && address="[$address]"
	expect_fail "killed: $address: ... and refuses nothing" refuses router "$address" 80
done
expect "killed: the host answers for the address it has on the wire" looked_up $HAD4
expect_fail "killed: the address that it has not is gone" looked_up $FREE4
tungated_start || gateway_missing
guest_attach guest || not_ok "the guest is attached again"
expect "restarted: $FREE4 is back" says "this is guest" page server "http://$FREE4/"
expect "restarted: [$FREE6] is back" says "this is guest" page server "http://[$FREE6]/"

# ---- the uplink changes ----
ip -n gw link set uplink down
ip -n gw link set uplink address 02:00:00:00:77:01
ip -n gw link set uplink up
addresses gw uplink $HOST6/64
host_address6
default_route gw $ROUTER4 $ROUTER6
found_anew() {
	pings router $FREE4
	says 02:00:00:00:77:01 ip -n router neighbour show $FREE4 dev inner
}
eventually 5 "another MAC address: neighbours are told" found_anew
eventually 5 "... and $FREE4 is reached" page server "http://$FREE4/"
ip -n gw address del $HAD4/24 dev uplink
ip -n router neighbour flush dev inner
guest_attach other $OTHER4,$OTHER6 || not_ok "the second guest is attached again"
eventually 5 "the host loses $HAD4: the gateway answers for it" pings server $HAD4

# ---- reload ----
sed -i '/^map = /d' "$WORLD/tungate.conf"
expect "a reload takes the addresses away" tungate reload
ip -n router neighbour flush dev inner
expect_fail "... and nobody answers for them" pings router $FREE4
addresses gw uplink $HAD4/24
eventually 5 "... but the host where it has one" pings router $HAD4

# ---- snat: an address that nobody has, and ports of one that the host has ----
echo "snat = from $GUEST4 out uplink -> $FREE4" >>"$WORLD/tungate.conf"
echo "snat = from $OTHER4 out uplink proto tcp -> $HAD4:20000-20999" >>"$WORLD/tungate.conf"
expect "a reload gives them as sources" tungate reload
expect "a guest appears as $FREE4" says "^$FREE4\$" page guest "http://$SERVER4/who"
expect "the other as $HAD4" says "^$HAD4\$" page other "http://$SERVER4/who"
expect_fail "its ports are refused by nobody" refuses router $HAD4 20500
expect "... its others are the host's" refuses router $HAD4 22
expect "... and its pings" pings router $HAD4
sed -i '/^snat = /d' "$WORLD/tungate.conf"

# ---- what the host uses itself ----
echo "map = $GUEST4 <-> $HOST4" >>"$WORLD/tungate.conf"
expect_fail "the host's own address is no guest's" tungate reload
expect "... and the message says why" says "the host sends from it" tungate reload
sed -i "s/$HOST4/$HAD4/" "$WORLD/tungate.conf"
spawn gw listener socat "TCP-LISTEN:2222,bind=$HAD4,fork" PIPE
listener=$spawned
within 3 listens gw 2222
expect "nor is one that a program of the host uses" says "TCP port 2222" tungate reload
reap "$listener"
expect "when it has gone, it can be" tungate reload
gateway_stop
expect_equal "a clean end leaves no filter" "" "$(ns gw tc filter show dev uplink ingress)"
finish
