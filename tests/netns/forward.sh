#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# forward: ports of the host that lead to guests, for the world and for the host itself, added and
# deleted live.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx socat jq
require_tungate
world_build
namespace guest2
nginx_start guest
nginx_start server
gateway_config <<E
[network lab]
subnet = 10.77.0.0/24, fd77:7467::/64
[link guest]
netns = guest
address = $GUEST4, $GUEST6
[forwards]
tcp 8079 = guest:80
E
tungated_start || gateway_missing
guest_attach guest2 10.77.0.3,fd77:7467::3

logged() {
	says "^$1 .*GET $2 " cat "$WORLD/guest/access.log"
}

# ---- from outside ----
expect "a forward of the config works" says "this is guest" page server "http://$HOST4:8079/"
expect "a forward is added while running" tungate forward add tcp 8080 guest:80
expect "the server fetches through it" says "this is guest" page server "http://$HOST4:8080/"
expect "over IPv6 too" says "this is guest" page server "http://[$HOST6]:8080/"
expect "an IPv6 address alone" tungate forward add tcp "[$HOST6]:8081" "[$GUEST6]:80"
expect "the server fetches through that" \
	says "this is guest" page server "http://[$HOST6]:8081/"
page server "http://[$HOST6]:8080/who" >/dev/null
page server "http://$HOST4:8080/real" >/dev/null 2>&1
expect "the guest's log has the client's real address" logged $SERVER4 /real
expect "... and its IPv6 address" logged $SERVER6 /who
expect "forward list shows both" says "8080" tungate forward list
expect "... and as JSON" says '"?8080' tungate forward list --json

# ---- from the host itself ----
expect "the host fetches from 127.0.0.1" says "this is guest" page gw http://127.0.0.1:8080/
expect "the host fetches from its own address" says "this is guest" page gw "http://$HOST4:8080/"
expect "the host fetches from its own IPv6 address" \
	says "this is guest" page gw "http://[$HOST6]:8080/"

# ---- who has the port ----
expect "ss shows the published port" listens gw 8080
expect_fail "no other program gets it" ns gw timeout 1 socat -u TCP-LISTEN:8080 /dev/null
spawn gw occupant socat -u TCP-LISTEN:8090 /dev/null
occupant=$spawned
within 3 listens gw 8090
expect_status 6 "a port in use is refused" tungate forward add tcp 8090 guest:80
expect "... with a sentence that names it" says "8090.*in use" tungate forward add tcp 8090 guest:80
reap $occupant
expect "it is free to take once that program has ended" tungate forward add tcp 8090 guest:80
expect_status 6 "the same port twice is refused" tungate forward add tcp 8080 guest2:80
expect_status 5 "deleting what is not there says so" tungate forward del tcp 4242
expect_status 2 "port 0 is refused" tungate forward add tcp 0 guest:80
expect_status 2 "port 65536 is refused" tungate forward add tcp 65536 guest:80
expect_status 2 "protocol icmp is refused" tungate forward add icmp 8081 guest:80
expect_fail "a guest that nobody knows is refused" tungate forward add tcp 8081 nobody:80
expect_fail "an address outside every network is refused" \
	tungate forward add tcp 8081 203.0.113.1:80
expect_fail "a port of the external range is refused" tungate forward add tcp 61005 guest:80

# ---- UDP, ranges, one address ----
spawn guest echo socat UDP4-RECVFROM:7,fork EXEC:cat
for port in 5000 5001 5002; do
	spawn guest "echo-$port" socat UDP4-RECVFROM:$port,fork EXEC:cat
	within 5 listens_udp guest $port
done

# udp_asks NAMESPACE ADDRESS PORT: an echo comes back.
udp_asks() {
	[ "$(echo hello | ns "$1" timeout 5 socat -t 4 - "UDP4:$2:$3")" = hello ]
}
expect "UDP is forwarded" tungate forward add udp 7007 guest:7
expect "... and answers" udp_asks server $HOST4 7007
expect "... the host itself too" udp_asks gw 127.0.0.1 7007
expect "a range is forwarded" tungate forward add udp 5000-5002 guest:5000
for port in 5000 5001 5002; do
	expect "... port $port of it" udp_asks server $HOST4 $port
done
expect "one address of the host is forwarded" tungate forward add tcp 127.0.0.1:8088 guest:80
expect "... it answers there" says "this is guest" page gw http://127.0.0.1:8088/
expect_fail "... and nowhere else" page server "http://$HOST4:8088/"

# ---- among guests ----
expect "another guest fetches through the published port" \
	says "this is guest" page guest2 "http://$HOST4:8080/"

# ---- delete ----
ns server socat -u TCP:$HOST4:8080 - >"$WORLD/held" 2>&1 &
held=$!
within 3 says "ESTAB" ns server ss -Htn "dport = :8080"
expect "a forward is deleted" tungate forward del tcp 8080
expect_fail "a new fetch fails" page server "http://$HOST4:8080/"
expect_fail "... from the host itself too" page gw http://127.0.0.1:8080/
expect_fail "the listener is gone" says "$HOST4|0.0.0.0:8080" ns gw ss -Hltn4 "sport = :8080"
expect "the one on IPv6 is still there" says "this is guest" page server "http://[$HOST6]:8081/"
expect_equal "its connections are gone from the table" 0 \
	"$(flows ".original.destination == \"$HOST4\" and .state == \"established\"")"
reap $held
finish
