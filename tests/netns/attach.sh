#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attach: existing namespaces by name, path and process; taken away again; mistakes get an answer.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq
require_tungate
world_build
namespace guest2 guest3
nginx_start server
tungated_start || gateway_missing

reaches() {
	page "$1" "http://$SERVER4/"
}
expect "by name" tungate attach --netns guest --name one
expect "... it reaches the server" reaches guest
expect "by path" tungate attach --netns /run/netns/guest2 --name two
expect "... it reaches the server" reaches guest2
spawn guest3 sleeper sleep 100
within 3 grep -q sleep "/proc/$spawned/comm"
expect "by process" tungate attach --netns "pid:$spawned" --name three --address 10.77.0.50
expect "... it reaches the server" reaches guest3
expect "... with the address that was asked for" \
	says "10.77.0.50/24" ip -n guest3 -4 address show dev eth0
expect_equal "three links" 3 "$(tungate links --json | jq length)"
expect "the default routes are there" says "default via $GATE4" ip -n guest route
expect "... for IPv6 too" says "default via $GATE6" ip -n guest -6 route
expect_fail "the host sees no interface of them" ip -n gw link show dev eth0
expect "the host has no new interface" says '^2$' bash -c "ip -n gw -o link | wc -l"

expect_status 6 "a name that is taken" tungate attach --netns guest --name two
expect_status 6 "an address that is taken" \
	tungate attach --netns guest2 --name four --address 10.77.0.50
expect_status 2 "an address outside the network" \
	tungate attach --netns guest2 --name four --address 192.168.7.7
expect_fail "a namespace that is not there" tungate attach --netns nowhere
expect "... the sentence names it" says "nowhere" tungate attach --netns nowhere
expect_fail "a process that is not there" tungate attach --netns pid:999999
expect_fail "a path that is no namespace" tungate attach --netns /etc/passwd
expect_fail "a network that is not there" tungate attach --netns guest --network nosuch

ns guest sleep 100 &
expect "detach" tungate detach one
expect_fail "the interface is gone" ip -n guest link show dev eth0
expect_fail "nothing gets out any more" reaches guest
expect_status 5 "detach again" tungate detach one
expect "with an interface name of one's own" \
	tungate attach --netns guest --name one --device net0
expect "... it reaches the server" reaches guest
expect "... by that" ip -n guest link show dev net0
expect "... detached" tungate detach one
expect_status 2 "a name that no interface can have" \
	tungate attach --netns guest --name one --device a/b
expect "attach again" tungate attach --netns guest --name one
expect "... it reaches the server" reaches guest

expect "a port is published by name" tungate forward add tcp 8080 one:80
expect "... whose link goes" tungate detach one
expect "another guest" tungate attach --netns guest --name other
expect_equal "... does not get what is published" 0 \
	"$(figures links '[.[] | select(.name == "other" and .address4 == "'$GUEST4'")] | length')"
expect "... and goes" tungate detach other
expect "the one is back" tungate attach --netns guest --name one
expect_equal "... where it was" $GUEST4 \
	"$(figures links '.[] | select(.name == "one") | .address4')"

gateway_stop
for name in guest guest2 guest3; do
	expect_fail "the gateway ended: $name has no interface" ip -n $name link show dev eth0
done
finish
