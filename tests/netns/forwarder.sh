#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# forwarder: what the gateway's DNS answers itself, whom it asks for the rest, and how often.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require dig dnsmasq socat unbound dnsperf getent jq
require_tungate
world_build
ZONES4=198.51.100.11 DEAD4=198.51.100.12
addresses server eth0 $ZONES4/24 $DEAD4/24

# resolver LABEL ADDRESS OPTION...: a server that writes down what it is asked.
resolver() {
	local label=$1 address=$2
	shift 2
	spawn server "$label" dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
		--user=root --port=53 --bind-interfaces --listen-address="$address" --except-interface=lo \
		--log-queries --log-facility=- --edns-packet-max=4096 "$@"
	within 5 ns server dig +short +time=1 +tries=1 "@$address" ready.test
}
long=$(printf 'x%.0s' {1..250}),$(printf 'y%.0s' {1..250}),$(printf 'z%.0s' {1..250})
resolver upstream $SERVER4 --local-ttl=60 --neg-ttl=60 --auth-ttl=60 --local=/test/ \
	--host-record=www.example.test,$SERVER4,$SERVER6 \
	--cname=alias.example.test,www.example.test \
	--host-record=short.example.test,$SERVER4,2 \
	--host-record=rebind.example.test,10.1.2.3 --host-record=guest.example.test,$GUEST4 \
	--host-record=ours.example.test,10.1.2.4 --address=/perf.example.test/$SERVER4 \
	--txt-record=large.example.test,"$long,$long,$long,$long,$long" \
	--txt-record=huge.example.test,"$long,$long,$long,$long,$long,$long,$long,$long"
cat >"$WORLD/unbound.conf" <<-E
	server:
		interface: $ZONES4
		access-control: 0.0.0.0/0 allow
		directory: "$WORLD"
		pidfile: ""
		username: ""
		chroot: ""
		use-syslog: no
		log-queries: yes
		module-config: "iterator"
		local-zone: "corp.example." static
		local-data: "corp.example. 60 SOA ns.corp.example. root.corp.example. 1 2 3 4 60"
		local-data: "intra.corp.example. 60 A 10.20.30.40"
		local-zone: "30.20.10.in-addr.arpa." static
		local-data-ptr: "10.20.30.40 60 intra.corp.example"
		local-zone: "example.test." static
		local-data: "www.example.test. 60 A 192.0.2.99"
	E
spawn server zones unbound -d -c "$WORLD/unbound.conf"
within 5 ns server dig +short +time=1 +tries=1 @$ZONES4 intra.corp.example

gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	dns-zone = corp.example $ZONES4
	dns-zone = 30.20.10.in-addr.arpa $ZONES4
	dns-name = db.lab 10.77.0.50
	dns-name = db.lab fd77:7467::50
	dns-name = printer.example.test 192.0.2.77
	dns-rebind-allow = ours.example.test
	[network other]
	subnet = 10.78.0.0/24
	dns-server = $ZONES4
	E
tungated_start || gateway_missing
expect "a guest" guest_attach guest
namespace far
expect "... and one of another network" tungate attach --netns far --name Far --network other

ask() {
	ns guest dig +time=3 +tries=1 "@$GATE4" "$@"
}
short() {
	ask +short "$@"
}
# asked LABEL NAME: how many questions about the name a resolver has seen.
asked() {
	grep -cE "query\[.*\] $2 from|info: $HOST4 $2\. " "$WORLD/log/$1"
}

# ---- own names ----

expect_equal "a guest's name" "$GUEST4" "$(short guest.lab)"
expect_equal "... over IPv6" "$GUEST6" "$(short guest.lab AAAA)"
expect_equal "... alone" "$GUEST4" "$(short guest.)"
expect_equal "... in any letters" "$GUEST4" "$(short GuEsT.LaB)"
expect_equal "the name of its address" "guest.lab." "$(short -x $GUEST4)"
expect_equal "... over IPv6" "guest.lab." "$(short -x $GUEST6)"
expect_equal "the gateway's name" "$GATE4" "$(short gateway.lab)"
expect_equal "... and the name of its address" "gateway.lab." "$(short -x $GATE4)"
expect_equal "a static name" "10.77.0.50" "$(short db.lab)"
expect_equal "... of the other family" "fd77:7467::50" "$(short db AAAA)"
expect_equal "... and the names of its addresses" "db.lab." "$(short -x fd77:7467::50)"
expect_equal "a static name anywhere" "192.0.2.77" "$(short printer.example.test)"
expect "... of no other type" says "status: NOERROR" ask printer.example.test MX
expect "no such guest" says "status: NXDOMAIN" ask nobody.lab
expect "... says the zone, for those who remember" says "^lab\..*SOA" ask nobody.lab
expect "nobody has the address" says "status: NXDOMAIN" ask -x 10.77.0.200
expect "the host serves nothing here" says "status: NXDOMAIN" ask host.tungate
expect_equal "localhost is the asker" "127.0.0.1" "$(short localhost)"
expect "the guests of another network are strangers" says "status: NXDOMAIN" ask far.lab
for name in home.arpa x.home.arpa x.invalid x.onion 1.1.168.192.in-addr.arpa; do
	expect "$name is nobody else's business" says "ANSWER: 0" ask "$name" PTR
done
expect_equal "nobody was asked for all this" "ready.test" \
	"$(sed -n 's/.*query\[.*\] \(.*\) from.*/\1/p' "$WORLD/log/upstream" | sort -u)"

echo "nameserver $GATE4" >"$WORLD/guest.conf"
by_name() {
	ns guest unshare --mount bash -c \
		"mount --bind $WORLD/guest.conf /etc/resolv.conf && getent $1 $2"
}
expect "libc finds a guest by name" says "^$GUEST4 " by_name ahostsv4 guest.lab
expect "... and by address" says " guest.lab$" by_name hosts $GUEST4
expect "... and names outside" says "^$SERVER4 " by_name ahostsv4 www.example.test

# ---- asking, and remembering ----

expect_equal "a name outside" "$SERVER4" "$(short alias.example.test | tail -n 1)"
before=$(asked upstream www.example.test)
for _ in 1 2 3; do short www.example.test >/dev/null; done
expect_equal "... is asked for once" "$before" "$(asked upstream www.example.test)"
for _ in 1 2 3; do
	expect "what does not exist" says "status: NXDOMAIN" ask none.corp.example
done
expect_equal "... is asked for once as well" 1 "$(asked zones none.corp.example)"
ttl() {
	ask +noall +answer short.example.test | awk '{print $2}'
}
less() {
	[ "$(ttl)" -lt 2 ]
}
expect_equal "a name that lasts for two seconds" "2" "$(ttl)"
eventually 3 "... counts them down" less
again() {
	short short.example.test >/dev/null
	[ "$(asked upstream short.example.test)" -ge 2 ]
}
eventually 4 "... and is asked for again" again
expect "over TCP" says "^$SERVER4\$" ask +short +tcp www.example.test
expect "several questions on one connection" says "^$SERVER4\$" \
	ask +short +tcp +keepopen www.example.test alias.example.test short.example.test
expect "other types pass" says "status: NOERROR" ask www.example.test TYPE65280
expect "other classes pass" says "dnsmasq" ask +short version.bind TXT CH
expect "DNSSEC's bits pass" says "flags: do" ask +dnssec www.example.test
expect "whole zones are not for guests" says "REFUSED|Transfer failed" \
	ask +tcp example.test AXFR

# ---- size ----

bytes() {
	short "$@" TXT | tr -d '" \n' | wc -c
}
expect_equal "a large answer, over UDP where the guest takes it" 3750 \
	"$(bytes +bufsize=4096 +notcp +ignore large.example.test)"
expect "... over IPv6 marked" says "flags:.* tc" \
	ns guest dig +time=3 +tries=1 +bufsize=4096 +ignore @$GATE6 large.example.test TXT
expect_equal "... and whole over TCP" 3750 \
	"$(ns guest dig +short +time=3 +tries=1 @$GATE6 large.example.test TXT | tr -d '" \n' | wc -c)"
expect "... else marked" says "flags:.* tc" ask +bufsize=1232 +ignore large.example.test TXT
expect_equal "... and whole over TCP" 3750 "$(bytes +bufsize=1232 large.example.test)"
expect_equal "one that no datagram takes" 6000 "$(bytes huge.example.test)"
expect "512 bytes without EDNS" says "flags:.* tc" ask +noedns +ignore large.example.test TXT

# ---- zones, private addresses ----

expect_equal "a zone with a server of its own" "10.20.30.40" "$(short intra.corp.example)"
expect_equal "... and its reverse zone" "intra.corp.example." "$(short -x 10.20.30.40)"
expect_equal "... which others are not asked for" 0 "$(asked upstream intra.corp.example)"
expect "a private address from outside" says "EDE: 15" ask rebind.example.test
expect_equal "... is not told" "" "$(short rebind.example.test)"
expect_equal "... nor is a guest's" "" "$(short guest.example.test)"
expect "... which is logged" grep -q "rebind.example.test.*private" "$WORLD/log/tungated"
expect_equal "... but where it may be" "10.1.2.4" "$(short ours.example.test)"
expect_equal "names of guests have no capitals" "far.other." "$(ns far dig +short \
	@10.78.0.1 -x "$(ns far dig +short @10.78.0.1 far.other)")"
expect_equal "another network has another resolver" "192.0.2.99" \
	"$(ns far dig +short +time=3 +tries=1 @10.78.0.1 www.example.test)"
expect_equal "... with answers of its own" "$SERVER4" "$(short www.example.test)"

# ---- many ----

for i in {1..400}; do echo "n$i.perf.example.test A"; done >"$WORLD/questions"
expect "many questions" says "Queries completed: +1200 \(100.00%\)" \
	ns guest dnsperf -s $GATE4 -d "$WORLD/questions" -n 3 -c 4 -q 60
expect_equal "... a third of which was asked" 400 \
	"$(grep -c 'query\[A\] n[0-9]*.perf.example.test' "$WORLD/log/upstream")"
expect "... over TCP" says "Queries completed: +400 \(100.00%\)" \
	ns guest dnsperf -m tcp -s $GATE4 -d "$WORLD/questions" -n 1 -c 4 -q 40

# ---- resolvers that change, and fail ----

answers() {
	[ "$(short "$1")" = "$2" ]
}
printf 'search lab\nnameserver %s\noptions edns0 rotate timeout:1\n' $ZONES4 \
	>"$WORLD/resolv.conf"
eventually 5 "another resolv.conf counts" answers www.example.test 192.0.2.99
printf 'nameserver %s\nnameserver %s\nnameserver %s\n' $GATE4 $DEAD4 $SERVER4 >"$WORLD/resolv.conf"
eventually 5 "the gateway itself and a resolver that is not there are passed over" \
	answers www.example.test $SERVER4
ns server socat -u UDP-RECV:53,bind=$DEAD4 OPEN:/dev/null &
within 5 listens_udp server 53
tungate dns flush >/dev/null
printf 'nameserver %s\nnameserver %s\noptions timeout:1\n' $DEAD4 $SERVER4 >"$WORLD/resolv.conf"
eventually 5 "a resolver that is silent is as well" answers www.example.test $SERVER4
expect "... and is asked last from then on" says "^$DEAD4 .*yes$" tungate dns
: >"$WORLD/resolv.conf"
eventually 5 "without any there is no answer, at once" says "SERVFAIL" ask other.example.test
echo "nameserver $SERVER4" >"$WORLD/resolv.conf"
eventually 5 "with one there is again" answers www.example.test $SERVER4

# ---- figures ----

before=$(asked upstream www.example.test)
expect "what is remembered can be forgotten" says "answers? forgotten" tungate dns flush
short www.example.test >/dev/null
expect_equal "... and is asked for again" $((before + 1)) "$(asked upstream www.example.test)"
expect "the figures of each network" says "true" figures dns \
	'.networks[] | select(.name == "lab") | .own > 0 and .hits > 0 and .blocked == 3'
expect "... and of its servers" says "^$ZONES4 +other +[0-9]" tungate dns
finish
