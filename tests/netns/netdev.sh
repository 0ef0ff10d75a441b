#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# netdev: an interface of the host's is the gateway's for as long as the link is attached.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq socat
require_capture
require_tungate
world_build
nginx_start server
head -c 10M /dev/urandom >"$WORLD/server/www/big"
hash=$(sha256sum <"$WORLD/server/www/big")

config() {
	gateway_config <<-E
		[network lab]
		subnet = 10.77.0.0/24, fd77:7467::/64
		$1
	E
}
LINK="[link vm]
kind = netdev
device = vm0
address = $GUEST4, $GUEST6"
config "$LINK"
tungated_start || gateway_missing

# A guest's kernel at one end of a pair, the gateway at the other.
guest_plug() {
	wire guest eth0 gw vm0
	addresses guest eth0 $GUEST4/24 $GUEST6/64
	default_route guest $GATE4 # of IPv6 it is told
}
is_state() {
	says "^$1$" figures links '.[] | select(.name == "vm") | .state'
}
reaches() {
	page guest "http://$SERVER4/who" --max-time 2
}
downloads() {
	[ "$(page guest "http://$SERVER4/big" | sha256sum)" = "$hash" ]
}
uploads() {
	ns server socat -u TCP-LISTEN:9000,reuseaddr - >"$WORLD/upload" &
	within 3 listens server 9000
	ns guest socat -u "FILE:$WORLD/server/www/big" "TCP:$SERVER4:9000"
	wait $!
	[ "$(sha256sum <"$WORLD/upload")" = "$hash" ]
}
# What the interface says of itself, without what counts and carries.
interface_now() {
	ip -n gw -d link show dev vm0 | sed -E 's/ (qdisc|state|qlen) \S+//g'
	ip -n gw address show dev vm0 | grep inet
	ns gw tc qdisc show dev vm0
	ns gw tc filter show dev vm0 ingress
}

expect "a link whose interface does not exist waits" is_state waiting
guest_plug
eventually 3 "it is attached when the interface appears" is_state up
expect "the guest reaches the server over IPv4" reaches
eventually 5 "... and over IPv6" page guest "http://[$SERVER6]/who"

capture guest eth0 arp arp
expect "a download is whole" downloads
expect "an upload is whole" uploads
# super DIRECTION: bytes of a packet as the guest's interface has carried them.
super() {
	local packets bytes
	read -r packets bytes <<<"$(ip -n guest -s -j link show dev eth0 |
		jq -r ".[0].stats64.$1 | \"\(.packets) \(.bytes)\"")"
	echo "$packets packets, $bytes bytes"
	[ $((bytes / packets)) -gt 3000 ]
}
expect "they went to the guest in super-packets" super rx
expect "... and from it" super tx
ns guest arping -q -c 1 -w 2 -I eth0 $GATE4
# shellcheck disable=SC2154 # capture() assigns it
reap "$capture_arp" INT
one_answer() {
	grep "Reply $GATE4 is-at" "$WORLD/log/arp" | grep -v 02:74:67:00:00:01 && return 1
	grep -q "Reply $GATE4 is-at 02:74:67:00:00:01" "$WORLD/log/arp"
}
expect "the gateway answers ARP, and nobody else does" one_answer
capture guest eth0 noise "ether src $(ip -n gw -j link show dev vm0 | jq -r '.[0].address')"
ns guest ping -q -c 1 -W 0.3 $HOST4 >/dev/null
ns guest ping -q -c 1 -W 0.3 ff02::1%eth0 >/dev/null
# shellcheck disable=SC2154
reap "$capture_noise" INT
expect_equal "the host's kernel says nothing at all" 0 "$(captured noise)"

ip -n gw link set vm0 down
eventually 3 "the interface is set down: the link waits" is_state waiting
ip -n gw link set vm0 up
eventually 3 "... up again: it goes on" is_state up
eventually 3 "... and carries" reaches
ip -n gw link delete vm0
eventually 3 "the interface is gone: the link waits" is_state waiting
guest_plug
eventually 3 "another of its name: it is attached" is_state up
eventually 3 "... and carries" reaches

# Given back, it is what it was.
config ""
expect "a reload takes the link away" tungate reload
expect_equal "... and the host is silent no more" "" "$(ns gw tc filter show dev vm0 ingress)"
ip -n gw link set vm0 addrgenmode eui64 down
ip -n gw link set vm0 up
within 3 says fe80 ip -n gw address show dev vm0
interface_now >"$WORLD/before"
expect "attach by request" tungate attach --netdev vm0 --name vm --address $GUEST4
expect "... it carries" reaches
expect_fail "... the kernel's own address is away" says inet6 ip -n gw address show dev vm0
expect "detach" tungate detach vm
same() {
	interface_now | diff "$WORLD/before" -
}
eventually 3 "... the interface is as it was" same
config "$LINK"
expect "a reload brings the link of the file" tungate reload
expect "... it carries" reaches

# What is refused, each with its reason.
refused() {
	local status=$1 text=$2
	shift 2
	expect_status "$status" "refused: $text" tungate attach --name no "$@"
	expect "... says so" says "$text" tungate attach --name no "$@"
}
refused 1 "is an uplink" --netdev uplink
refused 2 "loopback" --netdev lo
refused 6 "taken by link vm" --netdev vm0
refused 5 "no interface of this name" --netdev nosuch
ip -n gw link add br0 type bridge
ip -n gw link add d0 type veth peer name d1
ip -n gw link set d0 master br0
refused 1 "belongs to br0" --netdev d0
ip -n gw link set d0 nomaster
addresses gw d0 192.0.2.77/32
refused 1 "192.0.2.77" --netdev d0
ns gw ip tuntap add dev tun0 mode tun
refused 2 "no Ethernet" --netdev tun0

gateway_stop
expect_equal "after the end no filter is left" "" "$(ns gw tc filter show dev vm0 ingress)"
finish
