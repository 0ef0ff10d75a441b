#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tutorial-ipv6: section 5.6 of docs/tutorial.md: IPv6 filtered, and IPv6 masqueraded, which the
# kernel of that time could not.
# shellcheck source=home.sh
. "$(dirname "$0")/home.sh"

require curl nginx jq ping
home_build
nginx_start server
nginx_start station

station6=2001:db8:77::2

# ---- 12: addresses of its own, filtered ----
ip -n router route add 2001:db8:77::/64 via $HOST6
example 12-ipv6-filter
expect "12: IPv6 leaves with the station's own address" \
	says "^$station6\$" seen_as station "http://[$SERVER6]"
expect "12: IPv4 with the gateway's" says "^$HOST4\$" seen_as station "http://$SERVER4"
expect "12: ping over IPv6" ns station ping -c 1 -W 2 $SERVER6
expect_fail "12: a port that no rule names is shut" \
	page station "http://[$SERVER6]:8080/" --connect-timeout 1
grows "12: ... by the last rule" counted forward "drop" -- \
	page station "http://[$SERVER6]:8080/" --connect-timeout 1
expect_fail "12: nobody reaches the station unasked" \
	page server "http://[$station6]/" --connect-timeout 1
example 12-ipv6-filter '/to port 22,80,443/d'
expect_fail "12: without its rule, no web" page station "http://[$SERVER6]/" --connect-timeout 1
ip -n router route del 2001:db8:77::/64

# ---- 13: masqueraded ----
example 13-ipv6-masquerade
expect "13: IPv6 leaves with the gateway's address" \
	says "^$HOST6\$" seen_as station "http://[$SERVER6]"
expect "13: IPv4 too" says "^$HOST4\$" seen_as station "http://$SERVER4"
grows "13: one rule for both families counts the way back" \
	counted forward "state established,related" -- page station "http://[$SERVER6]/"
tungate forward add tcp "[$HOST6]:8080" "[fd77:7467::2]:80" >/dev/null
grows "13: a published port stays shut without a rule for it" \
	counted forward "drop" -- page server "http://[$HOST6]:8080/" --connect-timeout 1
ip -n router address add fd77:7467::99/128 dev lo nodad
grows "13: spoofed from the uplink, in IPv6" dropped spoofed -- \
	page router "http://[$HOST6]:8080/" --interface fd77:7467::99 --connect-timeout 1
example 13-ipv6-masquerade 's/^masquerade.*/& from 192.168.1.0\/24/'
expect_fail "13: were the line about IPv4 alone, IPv6 would find no way back" \
	page station "http://[$SERVER6]/" --connect-timeout 1
finish
