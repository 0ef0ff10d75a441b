#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# second-instance: one gateway to a control socket; a killed one's socket is no obstacle.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx
require_tungate
world_build
nginx_start server
gateway_start

second() {
	ns gw timeout 5 tungated -c "$WORLD/tungate.conf"
}
expect_status 1 "a second one on the same socket is refused" second
expect "... and says why" says "another tungated.*control.sock" second
expect "the first one goes on" page guest "http://$SERVER4/"
expect "... and answers" tungate status

other() {
	ns gw timeout 5 tungated -c "$WORLD/tungate.conf" -s "$WORLD/other.sock"
}
expect_status 1 "on another socket the ports are taken" other
expect "the first one goes on" page guest "http://$SERVER4/"

gateway_kill
expect_status 3 "killed: the command says that nobody answers" tungate status
tungated_start || gateway_missing
expect "another one starts where one was killed" gateway_alive
guest_attach guest || not_ok "the guest is attached again"
expect "... and serves" page guest "http://$SERVER4/"
gateway_stop
expect_fail "the socket is gone with the gateway" test -e /run/tungate/control.sock
finish
