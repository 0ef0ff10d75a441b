#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# slaac: the kernel configures itself by our router advertisements, and its addresses are its own.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq rdisc6 ping
require_tungate
world_build
nginx_start server
namespace other

gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	domain = lab.example
	mtu = 1400
	nat64 = yes
	[link vm]
	kind = netdev
	device = vm0
	[link vm2]
	kind = netdev
	device = vm1
E
tungated_start || gateway_missing

plug() { # NAMESPACE DEVICE
	ns "$1" sysctl -qw net.ipv6.conf.default.accept_ra=2 net.ipv6.conf.default.autoconf=1 \
		net.ipv6.conf.default.accept_dad=1 net.ipv6.conf.all.accept_dad=1 \
		net.ipv6.conf.default.router_solicitation_delay=0
	wire "$1" eth0 gw "$2"
}
plug guest vm0
plug other vm1

# The address that the kernel has made itself.
own() {
	ip -n "$1" -6 -o address show dev eth0 scope global -tentative -dadfailed |
		sed -En 's/.*inet6 (fd77:[^/]*).* mngtmpaddr.*/\1/p' | grep .
}
refused() { # LINK REASON
	figures links ".[] | select(.name == \"$1\") | .refused[\"$2\"]"
}
more_refused() { # LINK REASON THAN
	[ "$(refused "$1" "$2")" -gt "$3" ]
}

eventually 10 "the kernel makes itself an address" own guest
address=$(own guest)
expect "... and has a default route by the gateway's link-local address" \
	says "default via fe80::1 dev eth0 proto ra" ip -n guest -6 route
expect "... and the MTU" says "^1400$" ns guest cat /proc/sys/net/ipv6/conf/eth0/mtu
expect "the neighbours of the subnet are behind the gateway" \
	says "^fd77:7467::9 .*via fe80::1 " ip -n guest route get fd77:7467::9
eventually 5 "it reaches the server" page guest "http://[$SERVER6]/who"
expect "the gateway answers at its link-local address" ns guest ping -c1 -W2 fe80::1%eth0
expect "... and at its own" ns guest ping -c1 -W2 $GATE6
ns guest rdisc6 -1 -w 2000 eth0 >"$WORLD/rdisc6" 2>&1
for line in "Recursive DNS server +: fd77:7467::1" "DNS search list +: lab.example" \
	"MTU +: +1400" "Router lifetime +: +1800" "Autonomous address conf.*: +Yes" \
	"On-link +: +No" "Stateful address conf.* +: +No"; do
	expect "rdisc6 sees: $line" says "$line" cat "$WORLD/rdisc6"
done

eventually 10 "the other guest has one, too" own other
ip -n guest address add fd77:7467::abcd/64 dev eth0
eventually 5 "an address besides is the guest's as well" \
	ns guest curl -sf -m 2 --interface fd77:7467::abcd "http://[$SERVER6]/who"
ip -n guest address add fd77:7467::4/64 dev eth0
eventually 5 "... also one that another would have got" \
	ns guest curl -sf -m 2 --interface fd77:7467::4 "http://[$SERVER6]/who"
namespace third
expect "who comes then is attached" tungate attach --netns third --name third
expect_equal "... with the next one" fd77:7467::5 \
	"$(figures links '.[] | select(.name == "third") | .address6')"

# Duplicate address detection: the gateway defends what another link has.
ip -n other address add "$address/64" dev eth0
eventually 5 "an address of another guest's is not taken" \
	says dadfailed ip -n other address show dev eth0
ip -n other address del "$address/64" dev eth0
ip -n other address add $GATE6/64 dev eth0
eventually 5 "neither is the gateway's" says dadfailed ip -n other address show dev eth0
ip -n other address del $GATE6/64 dev eth0

# One that does not ask.
ip -n other address add "$address/64" dev eth0 nodad
before=$(refused vm2 address-spoofed)
expect_fail "who takes it without asking reaches nobody" \
	ns other curl -s -m 1 --interface "$address" "http://[$SERVER6]/who"
expect "... and is counted" more_refused vm2 address-spoofed "$before"
ip -n other address del "$address/64" dev eth0
expect "the owner still reaches the server" page guest "http://[$SERVER6]/who"

# Another machine at the same link, as one that boots again.
ip -n guest link set eth0 down
ip -n guest link set eth0 address 02:00:00:00:00:77
ip -n guest link set eth0 up
eventually 10 "another machine is welcome once the link was down" own guest
eventually 5 "... and reaches the server" page guest "http://[$SERVER6]/who"

no_route() {
	! says "^default" ip -n guest -6 route
}
expect "while the gateway is there, there is a route" says "^default" ip -n guest -6 route
gateway_stop
eventually 5 "when it stops, it says that it is no router any more" no_route

finish
