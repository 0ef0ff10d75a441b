#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tutorial-forward: section 5.4 of docs/tutorial.md: a web server on the Work Station.
# shellcheck source=home.sh
. "$(dirname "$0")/home.sh"

require curl nginx jq
home_build
nginx_start server
nginx_start station

# ---- 06: the short way ----
example 06-port-forward-short
expect "06: the world reaches the station's server" says "this is station" page server "http://$HOST4/"
expect "06: ... which sees the client's own address" \
	says "^$SERVER4\$" seen_as server "http://$HOST4"
expect "06: the host itself reaches it" says "this is station" page gw http://127.0.0.1/
expect "06: the station goes out as ever" says "^$HOST4\$" seen_as station "http://$SERVER4"
expect_fail "06: no other port leads in" page server "http://$HOST4:8080/" --connect-timeout 1
example 06-port-forward-short '/^tcp 80/d'
expect_fail "06: without the line nothing does" page server "http://$HOST4/" --connect-timeout 1

# ---- 07: the tutorial's three commands ----
example 07-port-forward
expect "07: the world reaches the station's server" says "this is station" page server "http://$HOST4/"
expect "07: ... which sees the client's own address" \
	says "^$SERVER4\$" seen_as server "http://$HOST4"
expect "07: the station goes out as ever" says "^$HOST4\$" seen_as station "http://$SERVER4"
example 07-port-forward '/out home proto tcp/d'
expect_fail "07: translated, but not accepted by a rule of FORWARD" \
	page server "http://$HOST4/" --connect-timeout 1
grows "07: ... the last rule stops it" counted forward "drop" -- \
	page server "http://$HOST4/" --connect-timeout 1
example 07-port-forward '/^tcp 80/d'
expect_fail "07: accepted, but not translated" page server "http://$HOST4/" --connect-timeout 1

# The same by a line of [nat], which the host's kernel does not hear of.
dnat='dnat = in uplink proto tcp to port 80 -> 192.168.1.2'
example 07-port-forward "s/^\[forwards\]//; s/^tcp 80 .*//; s/^masquerade.*/&\n$dnat/"
expect "07: a line \`dnat\` leads in as well" says "this is station" page server "http://$HOST4/"
expect_fail "07: ... and no socket of the host's has the port" listens gw 80
sed -i '/^dnat/d' "$WORLD/tungate.conf"
expect "07: ... until a reload without it" tungate reload
expect_fail "07: ... takes it away" page server "http://$HOST4/" --connect-timeout 1
finish
