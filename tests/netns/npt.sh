#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# npt: IPv6 addresses from one prefix to another (RFC 6296), out and in.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx ping traceroute
require_tungate
world_build
nginx_start server
nginx_start guest
# The provider routes the prefix to the host.
ip -n router route add 2001:db8:5::/64 via $HOST6
gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	[link guest]
	netns = guest
	address = $GUEST4, $GUEST6
	[filter forward]
	rule = accept state established,related
	rule = accept in uplink out lab proto tcp to port 80
	rule = accept in lab out uplink
	[nat]
	npt        = fd77:7467::/64 <-> 2001:db8:5::/64
	masquerade = in lab out uplink
E
tungated_start || gateway_missing
within 10 says guest tungate links

outside=$(page guest "http://[$SERVER6]/who")
expect "the server sees the guest in the outer prefix" says '^2001:db8:5:' echo "$outside"
expect_equal "... under the same address each time" "$outside" \
	"$(page guest "http://[$SERVER6]/who")"
expect "IPv4 is masqueraded" says "^$HOST4\$" page guest "http://$SERVER4/who"
expect "the server reaches the guest by that address, as the filter allows" \
	says "this is guest" page server "http://[$outside]/"
expect "... and is seen as itself" grep -q "^$SERVER6 " "$WORLD/guest/access.log"
expect_fail "... and nothing else of it" ns server ping -c 1 -W 1 "$outside"
expect "ping" ns guest ping -c 2 -i 0.2 -W 2 $SERVER6
expect_equal "errors find their way" "$GATE6 $ROUTER6 $SERVER6" \
	"$(ns guest traceroute -6 -n -q 1 -w 2 -m 6 $SERVER6 | awk 'NR > 1 { print $2 }' | xargs)"
finish
