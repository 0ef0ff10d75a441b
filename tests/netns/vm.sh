#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# vm: two real Linux machines on one network: one on the TAP that a `netdev` link has taken over, as
# Firecracker and QEMU use it, one on the socket of a `qemu` link, where QEMU runs without any right.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib-vm.sh
. "$ROOT/tests/netns/lib-vm.sh"

require curl nginx dnsmasq dig jq
require_tungate
vm_require
world_build
nginx_start server
dns_start
head -c 4000000 /dev/urandom >"$WORLD/server/www/big"
sum=$(sha256sum <"$WORLD/server/www/big")

ip -n gw tuntap add vmtap mode tap vnet_hdr
gateway_config <<-CONFIG
	[gateway]
	state = $WORLD/state
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	[link tapped]
	kind = netdev
	network = lab
	device = vmtap
	address = 10.77.0.20
	[link streamed]
	kind = qemu
	network = lab
	socket = $WORLD/qemu.sock
	[forwards]
	tcp 8080 = tapped:80
CONFIG
tungated_start || gateway_missing

# What boots a machine, the first time and again.  An ordinary user owns the socket, where there is
# another one than we are.
user=()
if real_root; then
	user=(65534)
	chown 65534 "$WORLD/qemu.sock"
fi
tapped=(tapped gw "tap,ifname=vmtap,script=no,downscript=no,vnet_hdr=on")
streamed=(streamed gw "stream,server=off,addr.type=unix,addr.path=$WORLD/qemu.sock" "${user[@]}")

# lease NAME [WORD]: what DHCP has said, its address if nothing else.
lease() {
	vm "$1" ". /lease && echo \$${2:-ip}"
}
leased() {
	says "^10\.77\.0\." lease "$1"
}
# The address that the kernel has made of the prefix; a tentative one is not yet found to be unique.
configured() {
	says "inet6 fd77:7467::[0-9a-f:]*/64 scope global dynamic( flags .*)? *$" \
		vm "$1" "ip -6 address show dev eth0 | grep -v tentative"
}
downloads() {
	says "^${sum%% *}" vm "$1" "curl -sS -m 25 $2 http://www.example.test/big | sha256sum"
}

# ---- both boot ----
vm_start "${tapped[@]}"
vm_start "${streamed[@]}"
for name in tapped streamed; do
	expect "$name: boots" vm_booted $name
	eventually 20 "$name: has a lease" leased $name
	expect_equal "$name: the gateway is its resolver" $GATE4 "$(lease $name dns)"
	expect_equal "... and the network its domain" lab "$(lease $name domain)"
	eventually 20 "$name: makes itself an IPv6 address" configured $name
	expect "$name: fetches by name over IPv4, byte for byte" downloads $name -4
	expect "$name: ... and over IPv6" downloads $name -6
	expect "$name: is seen with the host's address" says "^$HOST4\$" \
		vm $name "curl -sS -m 10 http://$SERVER4/who"
done
expect "a forwarded port reaches the one" says "this is tapped" page router "http://$HOST4:8080/"
expect "another is opened while it runs" tungate forward add tcp 8081 streamed:80
expect "... and reaches the other" says "this is streamed" page router "http://$HOST4:8081/"
address=$(lease streamed)
expect_fail "they do not reach each other" \
	vm tapped "curl -sS --connect-timeout 3 http://$address/"

# ---- both boot again ----
declare -A before=([tapped]=$(lease tapped) [streamed]=$address)
vm_reboot "${tapped[@]}"
vm_reboot "${streamed[@]}"
for name in tapped streamed; do
	expect "$name: boots again" vm_booted $name
	eventually 20 "$name: has a lease again" leased $name
	expect_equal "$name: it is the same" "${before[$name]}" "$(lease $name)"
	expect "$name: fetches again" downloads $name -4
done
expect "a forwarded port still reaches the one" \
	says "this is tapped" page router "http://$HOST4:8080/"
expect "... another the other" says "this is streamed" page router "http://$HOST4:8081/"
vm_stop tapped
vm_stop streamed
finish
