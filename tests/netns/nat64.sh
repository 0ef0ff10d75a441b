#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nat64: a guest without IPv4 reaches a server without IPv6.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require_tungate
require dig dnsmasq curl nginx ping traceroute socat sha256sum
world_build
ip -n server -6 address flush dev eth0 scope global
gateway_config <<-E
	[network six]
	subnet = fd77:7467::/64
	nat64 = yes
E
nginx_start server
tungated_start || gateway_missing
guest_attach guest $GUEST6 || gateway_missing

SERVER64=64:ff9b::c633:640a ROUTER64=64:ff9b::c000:201

expect_fail "the guest has no way over IPv4" ns guest ping -c 1 -W 1 $SERVER4
expect "ping" ns guest ping -c 3 -i 0.01 -W 2 $SERVER64
expect "a page of the server" says "this is server" page guest "http://[$SERVER64]/"
expect "the server sees the host's address" says "^$HOST4\$" page guest "http://[$SERVER64]/who"

# ---- by name ----
dns_start_ipv4() {
	spawn server dnsmasq dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
		--user=root --port=53 --address="/example.test/$SERVER4" \
		--ptr-record=10.100.51.198.in-addr.arpa,www.example.test
	within 5 ns server dig +short +time=1 +tries=1 @127.0.0.1 www.example.test
}
expect "there is a resolver" dns_start_ipv4
look_up() {
	ns guest dig +short +time=2 +tries=2 "$@" "@$GATE6"
}
expect "a name without IPv6 gets an address" says "^$SERVER64\$" look_up www.example.test AAAA
expect "its IPv4 address is told as well" says "^$SERVER4\$" look_up www.example.test A
expect "the prefix can be found out" says "^64:ff9b::c000:aa\$" look_up ipv4only.arpa AAAA
expect "the address has a name" says "^www.example.test.\$" look_up -x $SERVER64
expect_equal "who checks signatures is not lied to" "" \
	"$(look_up +cdflag +dnssec www.example.test AAAA)"
echo "nameserver $GATE6" >"$WORLD/guest-resolv.conf"
by_name() {
	ns guest unshare --mount bash -c "mount --bind '$WORLD/guest-resolv.conf' /etc/resolv.conf &&
		curl -fsS --max-time 5 http://www.example.test/"
}
expect "a page by name" says "this is server" by_name

head -c 50000000 /dev/urandom >"$WORLD/server/www/large"
same_file() {
	[ "$(page guest "http://[$SERVER64]/large" | sha256sum)" = \
		"$(sha256sum <"$WORLD/server/www/large")" ]
}
expect "a large file comes whole" same_file
upload() {
	spawn server sink socat -u TCP-LISTEN:9000,reuseaddr "CREATE:$WORLD/sink"
	local sink=$spawned
	within 5 listens server 9000 || return
	ns guest socat -u "OPEN:$WORLD/server/www/large" "TCP6:[$SERVER64]:9000" || return
	wait "$sink"
	cmp "$WORLD/sink" "$WORLD/server/www/large"
}
expect "and goes whole" upload

spawn server echo socat UDP4-LISTEN:7777,fork EXEC:cat
within 5 listens_udp server 7777
udp() {
	head -c "$1" /dev/zero | tr '\0' x |
		ns guest timeout 5 socat -t 1 -b 65000 - "UDP6:[$SERVER64]:7777" | wc -c | grep -qx "$1"
}
expect "UDP" udp 100
expect "UDP in fragments, both ways" udp 4000

expect "traceroute shows the router" says "$ROUTER64" ns guest traceroute -6 -n -w 1 -m 3 $SERVER64
expect "an unreachable network is reported" \
	says "From $ROUTER64.*([Uu]nreachable|No route)" ns guest ping -c 3 -i 0.5 -W 2 64:ff9b::203.0.113.9
expect "the host itself is refused" \
	says "[Pp]rohibited" ns guest ping -c 1 -W 2 64:ff9b::$HOST4
expect "metadata is refused" \
	says "[Pp]rohibited" ns guest ping -c 1 -W 2 64:ff9b::169.254.169.254

# ---- a narrow path: 1280 bytes of IPv4 ----
ip -n router link set outer mtu 1280
ip -n server link set eth0 mtu 1280
expect "what is too big is told so, twenty bytes more" \
	says "mtu[ =]1300" ns guest ping -c 1 -W 2 -M "do" -s 1400 $SERVER64
expect "a large file comes whole over a narrow path" same_file
expect "and goes whole" upload

expect_equal "every flow has two families" "0" \
	"$(flows '.original.source | contains("fd77") | not')"
finish
