#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# import: the tutorial's commands are typed into a real iptables, saved, imported, and the gateway
# that runs with the result does what they say.
# shellcheck source=home.sh
. "$(dirname "$0")/home.sh"

require curl nginx jq iptables ip6tables iptables-save
home_build typed
nginx_start server
nginx_start station

# typed <COMMANDS: in a namespace of its own, so that the kernel's filter is never asked.
typed() {
	ns typed bash -e
}

# run_import TEXT ARGUMENT...: the gateway with the rules in $WORLD/rules.save.
run_import() {
	gateway_stop
	expect "$1" tungate import "${@:2}" --uplink uplink "$WORLD/rules.save"
	tungate import "${@:2}" --uplink uplink "$WORLD/rules.save" >"$WORLD/tungate.conf" 2>/dev/null
	expect "... tungated -t takes it" tungated -t -c "$WORLD/tungate.conf"
	tungated_start || gateway_missing
}

typed <<-'E'
	iptables -A FORWARD -i uplink -s 192.168.1.0/24 -j DROP
	iptables -A FORWARD -i uplink -o uplink -j DROP
	iptables -A FORWARD -i uplink -o eth0 -m state --state ESTABLISHED,RELATED -j ACCEPT
	iptables -A FORWARD -i uplink -o eth0 -p tcp --dport 80 -j ACCEPT
	iptables -A FORWARD -i eth0 -o uplink -j ACCEPT
	iptables -A FORWARD -j DROP
	iptables -t nat -A PREROUTING -i uplink -p tcp --dport 80 -j DNAT --to-dest 192.168.1.2
	iptables -t nat -A PREROUTING -i uplink -p tcp --dport 8080 -j DNAT --to-dest 192.168.1.2:22
	iptables -t nat -A PREROUTING -j ACCEPT
	iptables -t nat -A POSTROUTING -o uplink -j MASQUERADE
	iptables -t nat -A POSTROUTING -j ACCEPT
E
ns typed iptables-save >"$WORLD/rules.save"
run_import "the tutorial's rules are imported whole" --lan eth0=home
guest_attach station "$GUEST4" || gateway_missing
expect "the station is masqueraded" says "^$HOST4\$" seen_as station "http://$SERVER4"
expect "its port 80 is reached from outside" says "this is station" page server "http://$HOST4/"
expect_fail "port 8080 is translated, and no rule of FORWARD accepts it" \
	page server "http://$HOST4:8080/" --connect-timeout 1
grows "... the last rule stops it" counted forward "drop" -- \
	page server "http://$HOST4:8080/" --connect-timeout 1

# What has no counterpart is said, and the rest is written all the same.
typed <<-'E'
	iptables -I FORWARD 1 -m mark --mark 1 -j DROP
	iptables -A INPUT -i uplink -p tcp --dport 22 -j ACCEPT
E
ns typed iptables-save >"$WORLD/rules.save"
expect_status 1 "a line without a counterpart fails the import" \
	tungate import --lan eth0=home --uplink uplink "$WORLD/rules.save"
expect "... and is named with its line" says "rules.save:[0-9]+: not expressed: .*--mark 0x1" \
	tungate import --lan eth0=home --uplink uplink "$WORLD/rules.save"
expect "... so is the host's own" says "rules.save:[0-9]+: the host's own: .*--dport 22" \
	tungate import --lan eth0=home --uplink uplink "$WORLD/rules.save"
tungate import --uplink uplink - <"$WORLD/rules.save" >"$WORLD/rest.conf" 2>/dev/null
expect "what is left is a configuration" tungated -t -c "$WORLD/rest.conf"
expect_status 2 "a file that is not there" tungate import "$WORLD/none.save"
expect_status 2 "a file of something else" tungate import "$WORLD/tungate.conf"
expect_status 2 "a bad option" tungate import --lan eth0 "$WORLD/rules.save"

# IPv6.
typed <<-'E'
	ip6tables -P FORWARD DROP
	ip6tables -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT
	ip6tables -A FORWARD -i eth0 -o uplink -p tcp --dport 80 -j ACCEPT
	ip6tables -t nat -A POSTROUTING -s fd77:7467::/64 -o uplink -j MASQUERADE
E
ns typed ip6tables-save >"$WORLD/rules.save"
run_import "rules of ip6tables are imported" --lan eth0=home
guest_attach station fd77:7467::2 || gateway_missing
expect "IPv6 is masqueraded" says "^$HOST6\$" seen_as station "http://[$SERVER6]"
expect_fail "no rule accepts another port" page station "http://[$SERVER6]:81/" --connect-timeout 1
finish
