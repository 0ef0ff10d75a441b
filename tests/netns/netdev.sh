#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# netdev: an interface of the host's is the gateway's for as long as the link is attached.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq
require_capture
require_tungate
world_build
nginx_start server
head -c 10M /dev/urandom >"$WORLD/server/www/big"
hash=$(sha256sum <"$WORLD/server/www/big")

gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	[link vm]
	kind = netdev
	device = vm0
	address = $GUEST4, $GUEST6
E
tungated_start || gateway_missing

# The guest's kernel at one end, the gateway at the other.
guest_plug() {
	wire guest eth0 gw vm0
	addresses guest eth0 $GUEST4/24 $GUEST6/64
	default_route guest $GATE4 $GATE6
}
is_state() {
	says "^$1$" figures links '.[] | select(.name == "vm") | .state'
}

expect "a link whose interface does not exist waits" is_state waiting
guest_plug
eventually 3 "it is attached when the interface appears" is_state up
expect "the guest reaches the server over IPv4" page guest "http://$SERVER4/who"
finish
