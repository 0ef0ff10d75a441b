#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guard: the host's kernel says nothing on the gateway's ports: no reset, no port-unreachable, not
# even while no gateway runs after a kill; and after a clean end nothing of it is left.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx socat jq
require_tungate
require_capture
world_build
nginx_start server

# What the host's kernel would say: seen at the router.
capture router inner answers "src host $HOST4 or src host $HOST6"
resets() {
	grep -cE "($HOST4|$HOST6)\.6[1-5][0-9]{3} > .*Flags \[R|unreachable" "$WORLD/log/answers"
}

# knock ADDRESS PORT: a SYN and a datagram to a port of the range.
knock() {
	ns server timeout 1 socat -u /dev/null "TCP:$1:$2,connect-timeout=0.5" 2>/dev/null
	echo x | ns server timeout 1 socat -u - "UDP:$1:$2" 2>/dev/null
}

for mode in clsact sockets; do
	gateway_config <<-E
		[gateway]
		guard = $mode
		ports = 61000-61199
	E
	gateway_start
	sleep 1
	expect "$mode: the guard is the one asked for" \
		says "\"guard\": \"$mode\"" tungate status --json
	knock $HOST4 61100
	knock "[$HOST6]" 61101
	expect_equal "$mode: strangers get no answer on the range" 0 "$(resets)"
	ns server timeout 1 socat -u /dev/null TCP:$HOST4:60900,connect-timeout=0.5 2>/dev/null
	expect "$mode: outside the range the kernel refuses as ever" \
		says "60900 > .*Flags \[R" cat "$WORLD/log/answers"
	expect "$mode: the guest is served" page guest "http://$SERVER4/"
	gateway_stop
	expect_equal "$mode: a clean end leaves no filter" "" \
		"$(ns gw tc filter show dev uplink ingress)"
	expect_equal "$mode: ... and no qdisc" "" "$(ns gw tc qdisc show dev uplink | grep clsact)"
	rm "$WORLD/tungate.conf"
done

# ---- kill and restart ----
gateway_start
spawn server stream socat -u /dev/zero,ignoreeof TCP-LISTEN:7000
within 3 listens server 7000
ns guest socat -u TCP:$SERVER4:7000 - 2>/dev/null >/dev/null &
flowing() {
	[ "$(flows '.original.destination_port == 7000 and .reply.counter.packets > 100')" -eq 1 ]
}
within 5 flowing || not_ok "a stream flows"
before=$(resets)
gateway_kill
sleep 1
expect_equal "killed: the kernel is silent about the stream" "$before" "$(resets)"
tungated_start || gateway_missing
sleep 1
expect_equal "restarted: still silent" "$before" "$(resets)"
guest_attach guest || not_ok "the guest is attached again"
expect "restarted: the guest is served" page guest "http://$SERVER4/"
expect_equal "one guard, not two" 1 "$(ns gw tc qdisc show dev uplink | grep -c clsact)"

# Filters of others are left alone.
gateway_stop
ns gw tc qdisc add dev uplink clsact
ns gw tc filter add dev uplink ingress prio 7 handle 7 bpf bytecode '1,6 0 0 4294967295' classid 1:7
gateway_start
expect "beside another's filter: the guest is served" page guest "http://$SERVER4/"
gateway_stop
expect "another's filter stays" says "pref 7 bpf" ns gw tc filter show dev uplink ingress
finish
