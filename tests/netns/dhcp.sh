#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dhcp: real clients get their addresses from the gateway and keep them, on a link of one guest and
# on a bridge of many.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq udhcpc dhclient dig
require_tungate
world_build
nginx_start server
namespace one two three
# The guest is a machine at the other end of a wire, the others are behind a bridge of the host's.
wire guest eth0 gw vm0
ip -n gw link add br0 type bridge forward_delay 0
ip -n gw link set br0 up
port=0
for name in one two three; do
	port=$((port + 1))
	wire $name eth0 gw port$port
	ip -n $name link set eth0 address 02:00:00:00:00:0$port
	ip -n gw link set port$port master br0
done

gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	domain = lab.example
	lease-time = 60
	route = 203.0.113.0/24
	[network hall]
	subnet = 10.78.0.0/24
	address-pool = 10.78.0.100-10.78.0.109
	lease = 02:00:00:00:00:03 10.78.0.33 printer
	[link vm]
	network = lab
	kind = netdev
	device = vm0
	[link bridge]
	network = hall
	kind = tap
	bridge = br0
E
tungated_start || gateway_missing

# What a client does with what it is told; and what it was told, a line for each NAME=VALUE.
cat >"$WORLD/udhcpc" <<'E'
#!/bin/sh
told=/run/world/told-$$
env >$told.new && mv $told.new "/run/world/told-${NAME:-guest}"
case $1 in
bound | renew)
	ip address replace "$ip/$mask" dev "$interface"
	ip route replace default via "${router:-0.0.0.0}" ;;
deconfig)
	ip -4 address flush dev "$interface" ;;
esac
E
chmod +x "$WORLD/udhcpc"

told() {
	sed -n "s/^$2=//p" "$WORLD/told-$1"
}
ask() { # NAMESPACE [ARGUMENT...]: once
	NAME=$1 ns "$1" udhcpc -i eth0 -f -q -n -t 5 -T 1 -s "$WORLD/udhcpc" "${@:2}"
}
has_address() {
	says "inet $2[/ ]" ip -n "$1" -4 address show dev eth0
}
refused() { # LINK REASON
	figures links ".[] | select(.name == \"$1\") | .refused[\"$2\"]"
}

# ---- one guest ----

expect "udhcpc gets the address of the link" ask guest -x hostname:vm7 -O search -O staticroutes \
	-O mtu
expect "... and has it" has_address guest 10.77.0.2
expect_equal "... its router" 10.77.0.1 "$(told guest router)"
expect_equal "... its resolver" 10.77.0.1 "$(told guest dns)"
expect_equal "... its domain" lab.example "$(told guest domain)"
expect_equal "... its search list" lab.example "$(told guest search)"
expect_equal "... its MTU" 1500 "$(told guest mtu)"
expect_equal "... how its link is called" vm "$(told guest hostname)"
expect_equal "... the routes, with the default one" "203.0.113.0/24 10.77.0.1 0.0.0.0/0 10.77.0.1" \
	"$(told guest staticroutes)"
expect "... and reaches the server" page guest "http://$SERVER4/who"
spawn guest udhcpc env NAME=guest udhcpc -i eth0 -f -s "$WORLD/udhcpc"
client=$spawned
obtained() {
	[ "$(grep -c 'lease of 10.77.0.2 obtained' "$WORLD/log/udhcpc")" -ge "$1" ]
}
eventually 5 "udhcpc stays" obtained 1
kill -USR1 $client
eventually 5 "... and renews its lease" obtained 2
kill -USR2 $client
eventually 3 "... and gives it back" says '"over"' figures leases '.[].state | tojson'
reap $client

# ---- many guests ----

for name in one two; do
	expect "$name gets an address of the pool" ask $name -x hostname:$name
done
expect "three gets the one that is kept for it" ask three
expect "... which it has" has_address three 10.78.0.33
expect_equal "... with the name that is kept, too" printer "$(told three hostname)"
address_one=$(told one ip) address_two=$(told two ip)
expect "they are different" [ "$address_one" != "$address_two" ]
expect "one reaches the server" page one "http://$SERVER4/who"
expect "names that guests say are known to DNS" says "^$address_one\$" \
	ns two dig +short @10.78.0.1 one.hall A
expect "... and back" says '^one\.hall\.$' ns two dig +short @10.78.0.1 -x "$address_one"
expect "the leases are listed" says "$address_one .*02:00:00:00:00:01 .*one" tungate leases

ip -n three address add "$address_one/24" dev eth0
ip -n three route replace default via 10.78.0.1 src "$address_one"
before=$(refused bridge address-spoofed)
expect_fail "three cannot be one" ns three curl -s -m 1 --interface "$address_one" "http://$SERVER4/who"
expect "... which is counted" [ "$(refused bridge address-spoofed)" -gt "$before" ]
ip -n three address del "$address_one/24" dev eth0
ns one ip neighbour flush all
expect "one still reaches the server" page one "http://$SERVER4/who"

# ---- what outlives the gateway ----

eventually 3 "the leases are written" grep -q "^hall bridge $address_one 02:00:00:00:00:01 " \
	"$WORLD/state/leases"
expect_equal "... for root alone" 600 "$(stat -c %a "$WORLD/state/leases")"
gateway_stop
echo "lab vm nonsense" >>"$WORLD/state/leases"
tungated_start || gateway_missing
expect "a damaged line is told" grep -q "leases:[0-9]*: .lab vm nonsense" "$WORLD/log/tungated"
expect "two gets the address that it had" ask two
expect_equal "... the same one" "$address_two" "$(told two ip)"
expect "... and says so without asking for a new one" ask one -r "$address_one"
expect_equal "... one, too" "$address_one" "$(told one ip)"
kill -KILL "$gateway_pid"
wait "$gateway_pid" 2>/dev/null
tungated_start || gateway_missing
expect "after a crash two gets the address that it had" ask two
expect_equal "... the same one again" "$address_two" "$(told two ip)"
eventually 3 "the damaged file is kept" grep -q nonsense "$WORLD/state/leases.damaged"

# ---- a reload ----

sed -i 's/^domain = lab.example$/domain = new.example\ndns = no\ndns-server = 192.0.2.53/' \
	"$WORLD/tungate.conf"
expect "the network is changed" tungate reload
expect "a guest asks again" ask guest
expect_equal "... and is told the new domain" new.example "$(told guest domain)"
expect_equal "... and the resolver that is not the gateway" 192.0.2.53 "$(told guest dns)"

# ---- dhclient ----

cat >"$WORLD/dhclient-script" <<'E'
#!/bin/bash
[[ $reason =~ ^(BOUND|RENEW|REBOOT|REBIND)$ ]] || exit 0
ip address replace "$new_ip_address/$new_subnet_mask" dev "$interface"
ip route replace default via "$new_routers"
echo "$reason $new_ip_address $new_domain_name_servers $new_domain_name" >>/run/world/dhclient-told
E
chmod +x "$WORLD/dhclient-script"
ip -n guest address flush dev eth0
dhclient_once() {
	timeout 20 nsenter --net=/run/netns/guest dhclient -4 -1 -v -sf "$WORLD/dhclient-script" \
		-lf "$WORLD/dhclient.leases" -pf "$WORLD/dhclient.pid" -cf /dev/null eth0
}
dhclient_end() {
	kill "$(cat "$WORLD/dhclient.pid")" 2>/dev/null
	rm -f "$WORLD/dhclient.pid"
}
: >"$WORLD/dhclient.leases"
expect "dhclient gets the address of the link" dhclient_once
dhclient_end
expect "... what belongs to it" grep -q "BOUND 10.77.0.2 192.0.2.53 new.example" \
	"$WORLD/dhclient-told"
expect "... and reaches the server" page guest "http://$SERVER4/who"
expect "dhclient asks for the address that it had, and gets it" \
	says "DHCPACK of 10.77.0.2" dhclient_once
dhclient_end
expect "... without a new one" grep -q "REBOOT 10.77.0.2" "$WORLD/dhclient-told"
sed -i 's/10\.77\.0/192.168.5/g' "$WORLD/dhclient.leases"
expect "a lease of another network is refused at once" \
	says "DHCPNAK from 10.77.0.1" dhclient_once
dhclient_end
expect "... and replaced" has_address guest 10.77.0.2

finish
