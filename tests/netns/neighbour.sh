#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# neighbour: the host as its guests' neighbour: chosen programs of its loopback at the gateway's
# address, and nothing else of it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq socat dig
require_tungate
world_build
namespace guest2

# A program on the host's loopback that says its name: says_name PROTOCOL ADDRESS PORT NAME.
says_name() {
	local listen=$1-LISTEN
	[ "$1" = UDP4 ] && listen=UDP4-RECVFROM
	spawn gw "$4" socat "$listen:$3,bind=$2,fork,reuseaddr" "SYSTEM:echo $4"
}
says_name TCP4 127.0.0.1 5432 database
says_name TCP6 '[::1]' 6379 cache
says_name TCP4 127.0.0.1 8000 hidden
says_name UDP4 127.0.0.1 5353 clock
says_name TCP4 127.0.0.1 9001 moved
says_name TCP4 127.0.0.2 9002 elsewhere
for port in 5432 6379 8000 9001 9002; do
	within 5 listens gw $port
done
within 5 listens_udp gw 5353

config() {
	gateway_config <<-E
		[network lab]
		subnet = 10.77.0.0/24, fd77:7467::/64
		$1
		[network other]
		subnet = 10.78.0.0/24
	E
}
config "host-service = tcp 5432, 6379
host-service = udp 5353
host-service = tcp 81 -> 9001
host-service = tcp 82 -> 127.0.0.2:9002
host-service = tcp 83 -> 5432 proxy-protocol"
gateway_start
expect "a guest of another network" tungate attach --netns guest2 --name two --network other

xxd_of() {
	od -An -v -tx1 "$1" | tr -d ' \n'
}
# asks NAMESPACE ADDRESS PORT: what a TCP connection brings.
asks() {
	ns "$1" timeout 5 socat -u -T 3 "TCP:$2:$3,connect-timeout=1" - 2>&1
}
expect_equal "a program on 127.0.0.1" database "$(asks guest $GATE4 5432)"
expect_equal "... by IPv6" database "$(asks guest "[$GATE6]" 5432)"
expect_equal "a program on ::1" cache "$(asks guest "[$GATE6]" 6379)"
expect_equal "... by IPv4" cache "$(asks guest $GATE4 6379)"
expect_equal "by UDP" clock \
	"$(ns guest timeout 5 socat -T 1 - UDP:$GATE4:5353 <<<"what time is it")"
expect_equal "under another port" moved "$(asks guest $GATE4 81)"
expect_equal "at an address of its own" elsewhere "$(asks guest $GATE4 82)"
resolve() {
	ns "$1" dig +short +time=2 +tries=1 "@$2" "$3" "$4"
}
expect_equal "its name is host.tungate" "$GATE4 $GATE6" \
	"$(resolve guest $GATE4 host.tungate A) $(resolve guest $GATE6 host.tungate AAAA)"
expect_equal "... where it serves anything" "" "$(resolve guest2 10.78.0.1 host.tungate A)"
expect_equal "another port of the loopback stays closed" "" "$(asks guest $GATE4 8000 | grep hidden)"
expect_equal "... that of the program behind another" "" "$(asks guest $GATE4 9001 | grep moved)"
expect_equal "the host's own address stays closed" "" "$(asks guest $HOST4 5432 | grep database)"
expect_equal "a guest of another network reaches none of it" "" \
	"$({ asks guest2 10.78.0.1 5432; asks guest2 $GATE4 5432; } | grep database)"
expect "... the rules show why it is open" \
	says "accept in lab proto tcp to $GATE4,$GATE6 port 5432,6379" tungate rules
expect_equal "... and count" true "$(figures rules '[.chains[0].rules[] |
	select(.rule | test("port 5432")) | .counter.packets > 0] | any')"

reap "$(ns gw ss -Hltnp "sport = :5432" | sed 's/.*pid=\([0-9]*\).*/\1/')"
started=$SECONDS
expect "the program is down: the guest is reset" \
	says "reset by peer|roken pipe|Couldn't connect" page guest http://$GATE4:5432/
expect "... at once" test $((SECONDS - started)) -le 1

# The host's program sees who it is.
spawn gw proxied socat -u TCP4-LISTEN:5432,bind=127.0.0.1,reuseaddr "OPEN:$WORLD/proxied,creat"
within 5 listens gw 5432
ns guest socat -u - TCP:$GATE4:83 <<<hello
# The signature of version 2, then TCP over IPv4, both addresses, the guest's port, port 83.
eventually 3 "with proxy-protocol it is told who asks, then what the guest says" \
	says "0d0a0d0a000d0a515549540a2111000c0a4d00020a4d0001....005368656c6c6f0a" \
	xxd_of "$WORLD/proxied"

# ---- the host as a guest ----

nginx_start guest
nginx_start guest2
config "host-link = yes"
expect "a host-link appears with a reload" tungate reload
expect_equal "... among the links" "host-lab host tgh-lab 10.77.0.254 fd77:7467::fffe" \
	"$(figures links '.[] | select(.kind == "host") |
		"\(.name) \(.kind) \(.device) \(.address4) \(.address6)"')"
expect_equal "the host reaches a guest by its address" "this is guest" "$(page gw "http://$GUEST4/")"
expect_equal "... by IPv6" "this is guest" "$(page gw "http://[$GUEST6]/")"
expect_equal "... and is seen with its own" 10.77.0.254 "$(page gw "http://$GUEST4/who")"
expect_equal "by name: the gateway answers the host" $GUEST4 "$(resolve gw $GATE4 guest.lab A)"
expect_equal "... by IPv6" $GUEST6 "$(resolve gw $GATE6 guest.lab AAAA)"
echo "nameserver $GATE4" >"$WORLD/resolv.conf"
expect_equal "... so that programs find it" "this is guest" "$(page gw http://guest.lab/)"
echo "nameserver $SERVER4" >"$WORLD/resolv.conf"
spawn gw open socat TCP-LISTEN:7000,fork,reuseaddr "SYSTEM:echo open"
within 5 listens gw 7000
expect "a guest opens no connection to the host by that way" \
	says refused asks guest 10.77.0.254 7000
expect "... nor by IPv6" says refused asks guest "[fd77:7467::fffe]" 7000
expect "... nor pings it" says "100% packet loss|Unreachable" ns guest ping -c 1 -W 1 10.77.0.254
expect "... the rule says so" says "reject in lab to host-lab" tungate rules
expect_equal "guests of a network without host-link stay apart" "" \
	"$(page gw http://10.78.0.2/ --connect-timeout 1 2>&1 | grep this)"
expect_status 6 "nobody else gets the host's address" \
	tungate attach --netns guest2 --name three --address 10.77.0.254 --device eth1
config "host-link = lab0
host-address = 10.77.0.9, fd77:7467::9"
expect "another name, and addresses of its own" tungate reload
expect_equal "... are taken" 10.77.0.9 "$(page gw "http://$GUEST4/who")"
expect_equal "... instead of the others" "lab0" \
	"$(ns gw ip -o link | sed -n 's/^[0-9]*: \(tgh-lab\|lab0\).*/\1/p')"
config ""
expect "without it" tungate reload
expect_fail "... no device is left" ip -n gw link show dev lab0
expect_equal "... and no route" "" "$(ip -n gw route show 10.77.0.0/24; ip -n gw -6 route show fd77:7467::/64)"
ip -n gw route add 10.77.0.0/24 via $ROUTER4
config "host-link = yes"
tungate reload >"$WORLD/last" 2>&1
eventually 3 "a route of the host's to the subnet is in its way: the log says so" \
	grep -q "host-lab: .*has a route to 10.77.0.0/24 already" "$WORLD/log/tungated"
expect_fail "... nothing half done" ip -n gw link show dev tgh-lab
ip -n gw route del 10.77.0.0/24
eventually 3 "... and when the route is gone, it is there" ip -n gw link show dev tgh-lab
printf '[network twin]\nsubnet = 10.77.0.0/24\nhost-link = yes\n' >>"$WORLD/tungate.conf"
expect_fail "a second one for the same subnet" tungate reload
expect "... says why" says "the host would have two routes to the same guests" tungate reload

# ---- reload ----

config "host-service = tcp 8000"
expect "a reload" tungate reload
expect_equal "... adds a service" hidden "$(asks guest $GATE4 8000)"
expect "... and takes others away" says "^ *$|timed out|refused" asks guest $GATE4 81
config "host-service = tcp 53"
expect_fail "a service where the gateway's DNS is" tungate reload
expect "... says why" says "conf:5: .*port 53.*the gateway's DNS" tungate reload
expect_equal "... changes nothing" hidden "$(asks guest $GATE4 8000)"
config ""
printf '[filter input]\nrule = accept in lab proto tcp to port 8000\n' >>"$WORLD/tungate.conf"
sed -i 's/^subnet = 10.77.*/&\nhost-service = tcp 8000, 9001/' "$WORLD/tungate.conf"
expect "rules of one's own" tungate reload
expect_equal "... decide which are open" hidden "$(asks guest $GATE4 8000)"
expect_equal "... and which are not" "" "$(asks guest $GATE4 9001 | grep moved)"
finish
