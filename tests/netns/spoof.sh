#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# spoof: a guest sends only from its own address, and nobody outside from a guest's.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require ping jq
require_tungate
require_capture
world_build
namespace guest2
gateway_start
guest_attach guest2 10.77.0.3,fd77:7467::3

capture router inner seen 'icmp[icmptype] == icmp-echo or (icmp6 and ip6[40] == 128)'
ip -n guest address add 10.77.0.99/24 dev eth0
ip -n guest address add 203.0.113.5/32 dev eth0
ip -n guest address add fd77:7467::99/64 dev eth0
expect "the guest's own address passes" ns guest ping -c 1 -W 1 -I $GUEST4 $SERVER4
own=$(captured seen)
expect_fail "another address of the network does not" ns guest ping -c 1 -W 1 -I 10.77.0.99 $SERVER4
ip -n guest address add 10.77.0.3/24 dev eth0
expect_fail "another guest's address does not" ns guest ping -c 1 -W 1 -I 10.77.0.3 $SERVER4
expect_fail "an address of the internet does not" ns guest ping -c 1 -W 1 -I 203.0.113.5 $SERVER4
expect_fail "another IPv6 address does not" ns guest ping -c 1 -W 1 -I fd77:7467::99 $SERVER6
expect_equal "none of them reached the uplink" "$own" "$(captured seen)"
expect "they are counted as spoofed" says "spoof" tungate drops
expect "the other guest is not disturbed" ns guest2 ping -c 1 -W 1 $SERVER4

# From outside: the router speaks as if it were a guest, and as if it bounced off the host.
capture guest2 eth0 inside 'icmp[icmptype] == icmp-echo'
ip -n router address add 10.77.0.2/32 dev lo
ip -n router route add 10.77.0.3/32 via $HOST4
expect_fail "a guest's address from outside reaches no guest" \
	ns router ping -c 1 -W 1 -I 10.77.0.2 10.77.0.3
expect_equal "not one packet of it" 0 "$(captured inside)"
ip -n router route add 203.0.113.77/32 via $HOST4
before=$(captured seen)
expect_fail "what comes from the uplink does not leave there again" \
	ns router ping -c 1 -W 1 203.0.113.77
expect_equal "nothing came back" $((before + 1)) "$(captured seen)"
finish
