#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tap: an interface of the gateway's in a bridge full of guests, or for one that it is given to.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq
require_tungate
world_build
namespace second third
nginx_start server
head -c 5M /dev/urandom >"$WORLD/server/www/big"
hash=$(sha256sum <"$WORLD/server/www/big")

gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	[network other]
	subnet = 10.78.0.0/24
	[link segment]
	kind = tap
	network = lab
	device = tglan
	bridge = br0
E
tungated_start || gateway_missing

# plug NAMESPACE ADDRESS: a guest of the bridge.
plug() {
	wire "$1" eth0 gw "port-$1"
	ip -n gw link set "port-$1" master br0
	addresses "$1" eth0 "$2/24"
	default_route "$1" $GATE4
}
is_state() {
	says "^$1$" figures links '.[] | select(.name == "segment") | .state'
}
downloads() {
	[ "$(page "$1" "http://$SERVER4/big" | sha256sum)" = "$hash" ]
}

expect "without its bridge the link waits" is_state waiting
expect "... and the log says so, once" says '^1$' grep -c "no bridge br0" "$WORLD/log/tungated"
ip -n gw link add br0 type bridge
ip -n gw link set br0 up
eventually 3 "the bridge appears: it is up" is_state up
accepts() {
	says "^$1\$" ns gw cat "/proc/sys/net/ipv6/conf/$2/accept_ra"
}
expect "the host takes no advertisements from the bridge" accepts 0 br0
expect "... nor from the TAP" accepts 0 tglan
plug guest $GUEST4
plug second 10.77.0.3
downloads guest &
one=$!
downloads second &
expect "two guests of the bridge download at the same time: one" wait $one
expect "... and the other" wait $!
expect "they are neighbours of each other" ns guest ping -q -c 1 -W 2 10.77.0.3
expect_equal "the host has no address on the TAP" "" \
	"$(ip -n gw -br address show dev tglan | awk '{print $3 $4}')"
expect "links shows any address behind it" \
	says '^true$' figures links '.[] | select(.name == "segment") | .whole_subnet'

# One that is given to a guest.
expect "a TAP by request" tungate attach --tap tap7 --name seven --network other \
	--address 10.78.0.7
ip -n gw link set tap7 netns third
ip -n third link set tap7 up
addresses third tap7 10.78.0.7/24
default_route third 10.78.0.1
expect "the guest that it was given to downloads" downloads third
expect "... as link seven" says '^[1-9]' \
	figures links '.[] | select(.name == "seven") | .in.packets'
expect_status 5 "a bridge that is not there" \
	tungate attach --tap tap8 --bridge nosuch --network other
expect "... says so" says "there is no bridge nosuch" \
	tungate attach --tap tap8 --bridge nosuch --network other
expect_fail "... and leaves no TAP" ip -n gw link show dev tap8
expect "detach" tungate detach seven
expect_fail "... removes the TAP wherever it is" ip -n third link show dev tap7

expect_equal "the host has not become a guest" "" "$(ip -n gw -6 route show default dev br0)"
gateway_stop
expect "the bridge takes advertisements again" accepts 1 br0
expect_fail "so does the end" ip -n gw link show dev tglan
expect "the bridge stays" ip -n gw link show dev br0
finish
