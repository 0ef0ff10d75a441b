#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# vm: two real Linux machines on one network, booted by the examples: one on a TAP that the gateway
# has taken over, at first QEMU's, then Firecracker's or what stands in for it; one on the socket of
# a `qemu` link, where QEMU runs without any right.
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

# Where there are other users than we are, one of them owns the network, and with it the socket.
user=() owner=
if real_root; then
	owner="owner = 64123"
	user=(setpriv --reuid=64123 --regid=64123 --clear-groups --inh-caps=-all --bounding-set=-all
		--no-new-privs)
fi
gateway_config <<-CONFIG
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	$owner
	[link streamed]
	kind = qemu
	network = lab
	socket = $WORLD/qemu.sock
CONFIG
tungated_start && gateway_alive || gateway_missing

# That user may not be able to look into this directory.
examples=$ROOT/examples
cp "$examples/qemu-stream.sh" "$WORLD/vm/"
tapped=(tapped gw "$examples/qemu-tap.sh" tapped)
streamed=(streamed gw "${user[@]}" "$WORLD/vm/qemu-stream.sh" "$WORLD/qemu.sock")
firecracker=(tapped gw "$examples/firecracker-tap.sh" tapped "$WORLD/firecracker.json")
jq --arg vm "$WORLD/vm" --arg words "name=tapped $VM_WORDS" '."boot-source" = {
	"kernel_image_path": "\($vm)/vmlinuz", "initrd_path": "\($vm)/initrd", "boot_args": $words
	} | .drives = []' "$examples/firecracker.json" >"$WORLD/firecracker.json"

expect "the example of a network with a VM's socket is right" \
	tungated -t -c "$examples/qemu-stream.conf"

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
	eventually 60 "$name: has a lease" leased $name
	expect_equal "$name: the gateway is its resolver" $GATE4 "$(lease $name dns)"
	expect_equal "... and the network its domain" lab "$(lease $name domain)"
	eventually 60 "$name: makes itself an IPv6 address" configured $name
	expect "$name: fetches by name over IPv4, byte for byte" downloads $name -4
	expect "$name: ... and over IPv6" downloads $name -6
	expect "$name: is seen with the host's address" says "^$HOST4\$" \
		vm $name "curl -sS -m 10 http://$SERVER4/who"
done
expect "a port is forwarded to the one" tungate forward add tcp 8080 tapped:80
expect "... and reaches it" says "this is tapped" page router "http://$HOST4:8080/"
expect "one is forwarded to the other" tungate forward add tcp 8081 streamed:80
expect "... and reaches it" says "this is streamed" page router "http://$HOST4:8081/"
address=$(lease streamed)
expect_fail "they do not reach each other" \
	vm tapped "curl -sS --connect-timeout 3 http://$address/"

# ---- both boot again ----
declare -A before=([tapped]=$(lease tapped) [streamed]=$address)
expect "the one is shut down" vm_halt tapped
expect_fail "... and its TAP is gone" ip -n gw link show tap-tapped
expect "the other is shut down" vm_halt streamed
vm_start "${firecracker[@]}"
vm_start "${streamed[@]}"
for name in tapped streamed; do
	expect "$name: boots again" vm_booted $name
	eventually 60 "$name: has a lease again" leased $name
	expect_equal "$name: it is the same" "${before[$name]}" "$(lease $name)"
	expect "$name: fetches again" downloads $name -4
done
expect "the one is reached as before" \
	says "this is tapped" page router "http://$HOST4:8080/"
expect "... and the other" says "this is streamed" page router "http://$HOST4:8081/"
finish
