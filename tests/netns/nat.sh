#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nat: the lines of [nat] with real programs: servers that see as whom a guest comes, guests behind
# one address in turn, addresses that are a guest's own, guests that meet by external addresses.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx ping jq
require_tungate
require_capture
world_build
namespace web1 web2 own
nginx_start server
nginx_start web1
nginx_start web2
nginx_start own
# Addresses of the gateway's, besides the host's.
# The host has .5, .7 and .8; .6 is nobody's, and the gateway answers for it.
addresses gw uplink 192.0.2.5/24 192.0.2.7/24 192.0.2.8/24
for address in 5 7 8; do # deprecated: none is the source that routes choose
	ip -n gw address add 2001:db8:1::$address/64 dev uplink preferred_lft 0
done
# What leaves untranslated finds its way back to the gateway, to show an exemption.
ip -n router route add 10.77.0.0/24 via $HOST4
gateway_config <<E
[network lab]
subnet = 10.77.0.0/24, fd77:7467::/64
[link guest]
netns = guest
address = $GUEST4, $GUEST6
[link web1]
netns = web1
address = 10.77.0.11, fd77:7467::11
[link web2]
netns = web2
address = 10.77.0.12, fd77:7467::12
[link own]
netns = own
address = 10.77.0.6, fd77:7467::6
[filter forward]
policy = drop
rule = accept state established,related
rule = accept in lan out uplink
rule = accept to 10.77.0.11-10.77.0.12,fd77:7467::11-fd77:7467::12 proto tcp to port 80
rule = accept to 10.77.0.6,fd77:7467::6
[nat]
map  = 10.77.0.6 <-> 192.0.2.6
map  = fd77:7467::6 <-> 2001:db8:1::6
map  = 10.77.0.12 <-> 192.0.2.8
map  = fd77:7467::12 <-> 2001:db8:1::8
dnat = in uplink proto tcp to 192.0.2.7,2001:db8:1::7 port 8000 -> web1:80,web2:80
dnat = in lab proto tcp to 192.0.2.7,2001:db8:1::7 port 8000 -> web1:80,web2:80
dnat = proto tcp port 8088 -> web1:80
no-masquerade = from $GUEST4 to $ROUTER4
snat = in lab from $GUEST4,$GUEST6 -> 192.0.2.5,2001:db8:1::5
masquerade = in lan out uplink
E
tungated_start || gateway_missing

who_is() {
	says "^$1\$" page "$2" "$3"
}

# Both guests answer, in turn: both IP URL
both() {
	local first second
	first=$(page "$1" "$2") && second=$(page "$1" "$2")
	printf '%s\n%s\n' "$first" "$second"
	[ "$first" != "$second" ] && [[ "$first$second" == *web1* && "$first$second" == *web2* ]]
}

# ---- sources ----
expect "snat: the server sees the given address" who_is 192.0.2.5 guest "http://$SERVER4/who"
expect "... and over IPv6 (NAT66)" who_is 2001:db8:1::5 guest "http://[$SERVER6]/who"
expect "... and pings are answered" ns guest ping -c 2 -W 2 $SERVER4
expect "... over IPv6" ns guest ping -c 2 -W 2 $SERVER6
expect "others are masqueraded" who_is $HOST4 web1 "http://$SERVER4/who"
expect "... over IPv6" who_is $HOST6 web1 "http://[$SERVER6]/who"
expect "its log says so" says "^192.0.2.5 .*GET /who" cat "$WORLD/server/access.log"
capture router inner exempt "icmp and src $GUEST4"
ns guest ping -c 2 -W 2 $ROUTER4 >/dev/null
eventually 3 "an exemption leaves the guest's address" captured exempt
expect_equal "ten connections have one address" 1 \
	"$(for _ in 1 2 3 4 5 6 7 8 9 10; do page guest "http://$SERVER4/who"; done | sort -u | wc -l)"

# ---- destinations ----
expect "dnat: two guests in turn" both server http://192.0.2.7:8000/
expect "... over IPv6" both server "http://[2001:db8:1::7]:8000/"
expect "... and they see the client" \
	says "^$SERVER4 .*GET /" cat "$WORLD/web1/access.log"
expect "... at whatever address of the host" says "this is web1" page server "http://$HOST4:8088/"
expect_fail "no other port leads there" page server http://192.0.2.7:8001/ -m 2

# ---- maps ----
expect "map: the server sees the outside address" who_is 192.0.2.6 own "http://$SERVER4/who"
expect "... over IPv6" who_is 2001:db8:1::6 own "http://[$SERVER6]/who"
expect "the outside address leads to the guest" says "this is own" page server http://192.0.2.6/
expect "... over IPv6" says "this is own" page server "http://[2001:db8:1::6]/"
expect "it answers pings" ns server ping -c 2 -W 2 192.0.2.6
expect "... over IPv6" ns server ping -c 2 -W 2 2001:db8:1::6
expect "the guest itself saw the client" says "^$SERVER4 .*GET / " cat "$WORLD/own/access.log"

expect "one that the host has leads to its guest" says "this is web2" page server http://192.0.2.8/
expect "... over IPv6" says "this is web2" page server "http://[2001:db8:1::8]/"
expect "... which comes from it" who_is 192.0.2.8 web2 "http://$SERVER4/who"

# ---- hairpins ----
expect "a guest reaches guests by the external address" both guest http://192.0.2.7:8000/
expect "... over IPv6" both guest "http://[2001:db8:1::7]:8000/"
expect "a guest reaches itself by it" both web1 http://192.0.2.7:8000/
expect "a guest reaches another's own address" says "this is own" page guest http://192.0.2.6/
expect "... which sees an address outside" \
	says "^192.0.2.6 .*GET / " cat "$WORLD/own/access.log"
expect "a mapped guest is seen as its own address" \
	both own http://192.0.2.7:8000/
expect "... in the log" says "^192.0.2.6 .*GET / " cat "$WORLD/web1/access.log"

# ---- change ----
sed -i 's/-> web1:80,web2:80/-> web2:80/' "$WORLD/tungate.conf"
expect "a reload takes new lines up" tungate reload
expect_equal "all go to the one that is left" "this is web2" \
	"$(for _ in 1 2 3 4; do page server http://192.0.2.7:8000/; done | sort -u)"
sed -i 's/-> web2:80/-> nobody:80/' "$WORLD/tungate.conf"
expect_fail "a line that is wrong is refused" tungate reload
expect "... and the old ones hold" says "this is web2" page server http://192.0.2.7:8000/
finish
