#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# filter: what rules let through, what they refuse at once, what they swallow, and what they count.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq ping
require_tungate
world_build
namespace guest2
nginx_start server
nginx_start gw 8000
gateway_config <<'E'
[network lab]
subnet = 10.77.0.0/24, fd77:7467::/64
[filter forward]
policy = reject
rule = accept state established,related
rule = drop in lab out uplink proto tcp to port 82
rule = reject in lab out uplink proto tcp to port 25
rule = reject in lab out uplink proto udp to port 9999
rule = reject in lab to 198.51.100.77
rule = accept in lab out uplink proto tcp to port 80,81
rule = accept in lab out uplink proto icmp icmp-type echo-request
E
tungated_start || gateway_missing
guest_attach guest || gateway_missing
guest_attach guest2 10.77.0.3,fd77:7467::3 || gateway_missing

# packets RULE: what the rule has counted.
packets() {
	figures rules '[.chains[].rules[] | select(.rule == $rule).counter.packets] | add' \
		--arg rule "$1"
}

expect "port 80 is let through" page guest "http://$SERVER4/"
expect "port 80 over IPv6 too" page guest "http://[$SERVER6]/"
expect_equal "its rule has counted both" 2 \
	"$(packets "accept in lab out uplink proto tcp to port 80,81")"
expect_status 7 "a rejected port refuses at once" page guest "http://$SERVER4:25/" --max-time 1
expect_status 7 "... over IPv6 too" page guest "http://[$SERVER6]:25/" --max-time 1
expect_equal "its rule has counted" 2 "$(packets "reject in lab out uplink proto tcp to port 25")"
expect_status 28 "a dropped port stays silent" page guest "http://$SERVER4:82/" --connect-timeout 1
expect "its rule has counted" test "$(packets "drop in lab out uplink proto tcp to port 82")" -ge 1
expect "the drop is in the list of drops" says "filter" tungate drops
expect_status 7 "what no rule names is rejected by the policy" \
	page guest "http://$SERVER4:443/" --max-time 1
expect "a rejected address answers ping with an error" \
	says "From $GATE4.*([Pp]rohibited|[Uu]nreachable|[Ff]iltered)" \
	ns guest ping -c 1 -W 2 198.51.100.77
expect "echo is let through" ns guest ping -c 1 -W 2 $SERVER4

refused_udp() {
	ns guest python3 - <<-'E'
		import socket, sys
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		    s.settimeout(2)
		    s.connect(("198.51.100.10", 9999))
		    s.send(b"?")
		    try:
		        s.recv(16)
		    except (ConnectionRefusedError, OSError) as error:
		        sys.exit(isinstance(error, TimeoutError))
		sys.exit(1)
	E
}
expect "rejected UDP is reported to the socket at once" refused_udp

# Guests, the host's own services, and the addresses of clouds.
nginx_start guest2
expect_status 7 "guests do not reach each other" page guest http://10.77.0.3/ --max-time 1
expect_fail "a guest does not reach the host's services at the gateway address" \
	page guest "http://$GATE4:8000/"
expect_fail "... nor at the host's own address" page guest "http://$HOST4:8000/"
expect_fail "... nor at its IPv6 address" page guest "http://[$HOST6]:8000/"

# Nothing comes in unasked.
ip -n router route add 10.77.0.0/24 via $HOST4
expect_fail "the world does not reach a guest by its own address" page server http://10.77.0.3/
ip -n router route del 10.77.0.0/24

# ---- the built-in rules ----
gateway_stop
gateway_config </dev/null
tungated_start || gateway_missing
guest_attach guest || gateway_missing
expect "the built-in rules let guests out" page guest "http://$SERVER4/"
expect_status 7 "the built-in rules keep the metadata address away, at once" \
	page guest http://169.254.169.254/ --max-time 1
guest_attach guest2 10.77.0.3,fd77:7467::3 || gateway_missing
expect_status 7 "the built-in rules keep guests apart" page guest http://10.77.0.3/ --max-time 1
expect_fail "the built-in rules keep the host's services away" page guest "http://$HOST4:8000/"
finish
