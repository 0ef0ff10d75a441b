#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tutorial-rules: sections 4.3, 4.4 and 5.5 of docs/tutorial.md: what each rule lets through or stops,
# by traffic and by its counter.
# shellcheck source=home.sh
. "$(dirname "$0")/home.sh"

require curl nginx ping jq socat dig dnsmasq traceroute
home_build desk
nginx_start server
nginx_start router
dns_start
ip -n router route add 192.168.1.0/24 via $HOST4
ip -n router route add 203.0.113.77/32 via $HOST4
ip -n router address add 192.168.1.99/32 dev lo

# refused_udp: a datagram to a closed port of the server is answered with an error, which arrives.
refused_udp() {
	ns station python3 - <<-'E'
		import socket
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		    s.settimeout(2)
		    s.connect(("198.51.100.10", 9))
		    s.send(b"?")
		    try:
		        s.recv(1)
		    except ConnectionRefusedError:
		        raise SystemExit(0)
		raise SystemExit(1)
	E
}

hops() {
	ns station traceroute -n -q 1 -w 2 $SERVER4 | xargs
}

# bounces_nothing TEXT: a packet that comes through the uplink to a stranger's address does not leave
# there again, in our name or another.
bounces_nothing() {
	if ! real_root; then
		skip "$1" "needs tcpdump as root"
		return
	fi
	capture router inner bounced 'icmp[icmptype] == icmp-echo'
	expect_fail "$1" ns router ping -c 1 -W 1 203.0.113.77
	expect_equal "... it was sent once and came back never" 1 "$(captured bounced)"
	# shellcheck disable=SC2154 # capture assigns it
	reap "$capture_bounced"
}

# ---- 01: masquerading alone ----
example 01-masquerade
expect "01: the station reaches the server, which sees the gateway's address" \
	says "^$HOST4\$" seen_as station "http://$SERVER4"
expect_fail "01: unasked, nothing reaches the station, though the policy accepts" \
	page server http://192.168.1.2/ --connect-timeout 1
example 01-masquerade 's/^masquerade.*/no-masquerade = in any/'
expect "01: without the line it sees the station's own (and happens to know the way back)" \
	says "^$GUEST4\$" seen_as station "http://$SERVER4"

# ---- 02: the five rules ----
example 02-five-rules
tungate forward add tcp 8080 station:80 >/dev/null
grows "02: rule 1's packets, from the uplink with an address of ours, are dropped as spoofed" \
	dropped spoofed -- page router "http://$HOST4:8080/" --interface 192.168.1.99 --connect-timeout 1
bounces_nothing "02: rule 2's, from uplink to uplink, go nowhere"
grows "02: rule 4 lets the station's connections out" \
	counted forward "accept in home out uplink" -- page station "http://$SERVER4/"
grows "02: rule 3 lets their answers in" \
	counted forward "state established,related" -- page station "http://$SERVER4/"
expect "02: ... and errors about them" refused_udp
expect "02: ping goes and comes back" ns station ping -c 1 -W 2 $SERVER4
expect "02: traceroute, by way of the gateway and the router" \
	says "$GATE4 .*$ROUTER4 .*$SERVER4 " hops
expect "02: DNS" says "^$SERVER4\$" ns station dig +short +time=2 @$SERVER4 www.example.test
grows "02: rule 5 stops what is begun outside, even to a published port" \
	counted forward "drop" -- page server "http://$HOST4:8080/" --connect-timeout 1
expect_status 28 "02: ... in silence" page server "http://$HOST4:8080/" --connect-timeout 1
example 02-five-rules '/established/d'
expect_fail "02: without rule 3 no answer comes in" page station "http://$SERVER4/" --connect-timeout 1
example 02-five-rules '/^rule = accept in home/d'
expect_fail "02: without rule 4 nothing goes out" page station "http://$SERVER4/" --connect-timeout 1
example 02-five-rules '/^rule = drop$/d; s/^policy = drop/policy = accept/'
tungate forward add tcp 8080 station:80 >/dev/null
nginx_start station
expect "02: without rule 5 and its policy the published port would be open" \
	says "this is station" page server "http://$HOST4:8080/"

# The filter sees the station's own address both ways (section 3).
example 02-five-rules 's/^rule = accept in uplink.*/& from 198.51.100.10 to 192.168.1.2/
	s/^rule = accept in home.*/& from 192.168.1.2 to 198.51.100.10/'
expect "02: rules see the station's own address, on the way out and back" \
	page station "http://$SERVER4/"
example 02-five-rules "s/^rule = accept in uplink.*/& to $HOST4/"
expect_fail "02: ... and not the one that the world sees" \
	page station "http://$SERVER4/" --connect-timeout 1

# ---- 03: the gateway's own services ----
asks_gateway() {
	ns station dig +short +time=1 +tries=1 @$GATE4 www.example.test "$@"
}
example 03-input-output
expect "03: the gateway answers ping" ns station ping -c 1 -W 2 $GATE4
expect "03: ... and DNS" says "^$SERVER4\$" asks_gateway
expect_fail "03: ... in datagrams only" asks_gateway +tcp
expect_fail "03: nothing else" ns station timeout 2 socat -u /dev/null TCP:$GATE4:22,connect-timeout=1
expect "03: guests' own traffic is no matter of INPUT and OUTPUT" page station "http://$SERVER4/"
example 03-input-output '/echo-request/d'
expect_fail "03: without its rule, no ping" ns station ping -c 1 -W 1 $GATE4
example 03-input-output '/^rule = accept state/d'
expect_fail "03: without the rule for answers, OUTPUT keeps them" ns station ping -c 1 -W 1 $GATE4
expect_fail "03: ... those of DNS too" says "^$SERVER4\$" asks_gateway

# ---- 04: masquerade with exceptions ----
example 04-masquerade-exceptions
expect "04: the world sees the gateway's address" says "^$HOST4\$" seen_as station "http://$SERVER4"
expect "04: the exception's machines see the station's own" \
	says "^$GUEST4\$" seen_as station "http://$ROUTER4"
example 04-masquerade-exceptions '/^no-masquerade/d'
expect "04: without the line they see the gateway's" says "^$HOST4\$" seen_as station "http://$ROUTER4"
example 04-masquerade-exceptions 's/from 192.168.1.0\/24/from 192.168.7.0\/24/'
expect "04: what the line is not about is not translated" \
	says "^$GUEST4\$" seen_as station "http://$SERVER4"

# ---- 05: both pitfalls, made on purpose ----
example 05-pitfalls
expect "05: a client outside keeps its address towards the station" \
	says "^$SERVER4\$" seen_as server "http://$HOST4:8080"
expect "05: ... and a guest of another network" says "^192.168.2.2\$" seen_as desk "http://$GUEST4"
bounces_nothing "05: what would bounce off the gateway goes nowhere without a rule"
expect "05: the station itself is masqueraded" says "^$HOST4\$" seen_as station "http://$SERVER4"

# ---- 11: the rules of ipchains ----
example 11-ipchains
expect "11: out and back" says "^$HOST4\$" seen_as station "http://$SERVER4"
expect "11: DNS" says "^$SERVER4\$" ns station dig +short +time=2 @$SERVER4 www.example.test
tungate forward add tcp 8080 station:80 >/dev/null
grows "11: a TCP connection from outside is denied" \
	counted forward "proto tcp" -- page server "http://$HOST4:8080/" --connect-timeout 1
expect_fail "11: ... and not made" page server "http://$HOST4:8080/" --connect-timeout 1
example 11-ipchains '/proto tcp/d'
tungate forward add tcp 8080 station:80 >/dev/null
expect "11: without that rule it would be" says "this is station" page server "http://$HOST4:8080/"
finish
