#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# netns-death: a namespace that vanishes takes its link along; one of the config is awaited again.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq
require_tungate
world_build
namespace other
nginx_start server
gateway_config <<E
[network lab]
subnet = 10.77.0.0/24, fd77:7467::/64
[link guest]
netns = guest
address = $GUEST4, $GUEST6
E
tungated_start || gateway_missing
tungate attach --netns other --name other >"$WORLD/last" 2>&1

up() {
	[ "$(figures links '.[] | select(.name == $name).state' --arg name "$1")" = up ]
}
down() {
	! up "$1"
}
known() {
	says "\"$1\"" tungate links --json
}
unknown() {
	! known "$1"
}
reaches() {
	page "$1" "http://$SERVER4/"
}
expect "the link of the config is up" up guest
expect "the link by request is up" up other

ip netns del other
eventually 5 "a vanished namespace takes its link along" unknown other
expect "the other guest is not disturbed" reaches guest
ip netns del guest
eventually 5 "the link of the config is down with its namespace" down guest
expect "the gateway lives" gateway_alive
expect_equal "no flow is left" 0 "$(flows true)"

namespace guest
eventually 10 "it is up again when the namespace is back" up guest
eventually 5 "... and reaches the server" reaches guest

# A namespace that only a process holds.
unshare --net sleep 100 &
holder=$!
sleep 0.2
expect "the namespace of a process is attached" tungate attach --netns "pid:$holder" --name held
reap $holder
eventually 5 "it goes with the process" unknown held
finish
