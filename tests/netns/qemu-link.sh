#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# qemu-link: QEMU's framing on a unix socket, driven by a client of our own (vm.py).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq python3 socat
require_tungate
world_build
nginx_start server
head -c 3M /dev/urandom >"$WORLD/server/www/big"
hash=$(sha256sum <"$WORLD/server/www/big")
MAC=52:54:00:00:00:02

# Other users exist only where we are root outside, too.
OWNED=
real_root && OWNED="[network theirs]
subnet = 10.78.0.0/24
owner = daemon
[link their]
kind = qemu
network = theirs
socket = $WORLD/their.sock"
gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	[link vm]
	network = lab
	kind = qemu
	socket = $WORLD/vm.sock
	address = $GUEST4, $GUEST6
	$OWNED
E
tungated_start || gateway_missing

# vm_start KIND WORD...: the machine of vm.py, with its address.
vm_start() {
	spawn guest vm python3 "$ROOT/tests/netns/vm.py" "$@"
	vm=$spawned
	within 5 grep -q connected "$WORLD/log/vm"
	within 5 ip -n guest link show up dev eth0
	addresses guest eth0 $GUEST4/24
	default_route guest $GATE4
}
is_state() {
	says "^$1$" figures links '.[] | select(.name == "vm") | .state'
}
mode_is() {
	[ "$(stat -c %a "$2")" = "$1" ]
}
downloads() {
	[ "$(page guest "http://$SERVER4/big" | sha256sum)" = "$hash" ]
}
uploads() {
	ns server socat -u TCP-LISTEN:9000,reuseaddr - >"$WORLD/upload" &
	within 3 listens server 9000
	ns guest socat -u "FILE:$WORLD/server/www/big" "TCP:$SERVER4:9000"
	wait $!
	[ "$(sha256sum <"$WORLD/upload")" = "$hash" ]
}

expect "the socket is its owner's alone" mode_is 600 "$WORLD/vm.sock"
if real_root; then
	expect_equal "... of a network's owner where it has one" daemon:600 \
		"$(stat -c %U:%a "$WORLD/their.sock")"
	expect "... also when it is made later" \
		tungate attach --qemu "$WORLD/late.sock" --network theirs --name late
	expect_equal "... by request" daemon:600 "$(stat -c %U:%a "$WORLD/late.sock")"
fi
expect "a link without a machine waits" is_state waiting
vm_start stream "$WORLD/vm.sock" eth0 $MAC chopped
eventually 3 "it is up when one has connected" is_state up
expect "frames in pieces are put together" downloads
expect "another machine is refused meanwhile" \
	python3 "$ROOT/tests/netns/vm.py" refused "$WORLD/vm.sock"
expect "... which harms nobody" page guest "http://$SERVER4/who"
eventually 3 "the machine's MAC address is known" \
	says "^$MAC$" figures links '.[] | select(.name == "vm") | .mac'

reap "$vm" KILL
eventually 3 "the machine ends, and the link waits" is_state waiting
vm_start stream "$WORLD/vm.sock" eth0 52:54:00:00:00:03
expect "it comes back with another card, and its upload is whole" uploads
expect "... and its download" downloads
reap "$vm" KILL
eventually 3 "it is gone again" is_state waiting

expect "a length that no frame has ends the connection" \
	says closed python3 "$ROOT/tests/netns/vm.py" garbage "$WORLD/vm.sock"
expect "... and the log says so" grep -q "too long" "$WORLD/log/tungated"

expect "by request, with datagrams" tungate attach --qemu "$WORLD/dgram.sock" --datagram \
	--network lab --name vm2 --address 10.77.0.3
GUEST4=10.77.0.3
vm_start datagram "$WORLD/dgram.sock" "$WORLD/vm2.sock" eth0 $MAC
expect "... they carry a download" downloads
expect "... and an upload" uploads
reap "$vm" KILL
expect "detach" tungate detach vm2
expect_fail "... removes the socket" test -e "$WORLD/dgram.sock"

gateway_stop
expect_fail "so does the end" test -e "$WORLD/vm.sock"
finish
