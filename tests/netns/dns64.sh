#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dns64: a guest with IPv6 only reaches by name what has IPv4 only.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require dig dnsmasq curl nginx
require_tungate
world_build

# A resolver that knows no AAAA of v4only, and knows nothing of ipv4only.arpa.
many=$(for i in {1..28}; do echo "--host-record=many.example.test,192.0.2.$i"; done)
# shellcheck disable=SC2086
spawn server dnsmasq dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
	--user=root --port=53 --local=/test/ --local=/arpa/ \
	--host-record=v4only.example.test,$SERVER4 \
	--host-record=both.example.test,$SERVER4,$SERVER6 \
	--cname=alias.example.test,v4only.example.test \
	--txt-record=text.example.test,text $many
within 5 ns server dig +short +time=1 +tries=1 @127.0.0.1 v4only.example.test
nginx_start server

# lan NAT64 DNS64: a config.
lan() {
	gateway_config <<-E
		[network six]
		subnet = fd77:7467::/64
		nat64 = $1
		dns64 = $2
	E
}
lan yes yes
tungated_start || gateway_missing
expect "a guest with IPv6 only" guest_attach guest $GUEST6

ask() {
	ns guest dig +short +time=2 +tries=2 "@$GATE6" "$@"
}
status() {
	ns guest dig +time=2 +tries=2 "@$GATE6" "$@"
}
name64=64:ff9b::c633:640a
expect "a name with IPv4 only has an IPv6 address" says "^$name64\$" ask v4only.example.test AAAA
expect "... as the only one" says "^1\$" eval "ask v4only.example.test AAAA | wc -l"
expect "... by another name" says "^$name64\$" ask alias.example.test AAAA
expect "... its IPv4 address being told as well" says "^$SERVER4\$" ask v4only.example.test A
expect_equal "a name with both keeps its own" $SERVER6 "$(ask both.example.test AAAA)"
expect "a name that does not exist stays away" says "status: NXDOMAIN" \
	status none.example.test AAAA
expect "a name without addresses has none" says "status: NOERROR" \
	status text.example.test AAAA
expect_equal "... at all" "" "$(ask text.example.test AAAA)"
expect_equal "whoever checks signatures is left alone" "" \
	"$(ask +dnssec +cdflag v4only.example.test AAAA)"
expect_equal "the prefix can be found" "64:ff9b::c000:aa 64:ff9b::c000:ab" \
	"$(ask ipv4only.arpa AAAA | sort | xargs)"
expect "... over TCP as well" says "^$name64\$" ask +tcp v4only.example.test AAAA
expect_equal "what is too long for UDP comes over TCP" 28 \
	"$(ask +bufsize=512 many.example.test AAAA | wc -l)"
expect_equal "many addresses" 28 "$(ask +notcp +ignore many.example.test AAAA | wc -l)"

echo "nameserver $GATE6" >"$WORLD/guest.conf"
# by_name HOST: its page, with the gateway as resolver.
by_name() {
	ns guest unshare --mount bash -c \
		"mount --bind $WORLD/guest.conf /etc/resolv.conf && curl -fsS -m 10 http://$1/who"
}
expect "a page by name, over IPv4" says "^$HOST4\$" by_name v4only.example.test
expect "... over IPv6 where the name has it" says "^$HOST6\$" by_name both.example.test

lan 2001:db8:64::/96 yes
expect "another prefix" tungate reload
expect "... is in force" says "^2001:db8:64::c633:640a\$" ask v4only.example.test AAAA
lan yes no
expect "without dns64" tungate reload
expect_equal "... there is IPv4 only" "" "$(ask v4only.example.test AAAA)"
finish
