#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# podman: containers of its own attached by the CNI plugin, with published ports, and in a namespace
# that was attached before.  Their root is a directory with busybox; nothing is fetched.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require podman crun busybox curl nginx jq
require_tungate
real_root || skip_all "podman without root has its own mounts and users, which this world lacks"
world_build
nginx_start server
tungated_start || gateway_missing
. "$ROOT/tests/netns/containers.sh"
podman_prepare
rootfs_make "$WORLD/rootfs"

in_gw() {
	ns gw podman "$@"
}
# What the container says to whoever connects to its port 80.
serve='while :; do echo "HTTP/1.0 200 OK

hello from $HOSTNAME" | nc -l -p 80 >/dev/null; done'

probe=$(in_gw run --rm --network none --rootfs "$WORLD/rootfs" true 2>&1) ||
	skip_all "podman cannot run a container here: ${probe##*Error: }"
expect "a container that fetches something" \
	says "this is server" in_gw run --rm --network tungate --rootfs "$WORLD/rootfs" \
	wget -qO- "http://$SERVER4/"
expect_equal "... is gone, its link as well" 0 "$(figures links length)"
expect "a container with a published port" in_gw run -d --name web --hostname web \
	--network tungate -p 8080:80 --rootfs "$WORLD/rootfs" sh -c "$serve"
expect "... with a link by its id" \
	says "^cni-$(in_gw ps -q --no-trunc | cut -c 1-12)-eth0$" figures links '.[0].name'
eventually 5 "... answers outside" says "hello from web" page server "http://$HOST4:8080/"
expect "... by IPv6" says "hello from web" page server "http://[$HOST6]:8080/"
expect "... on the host" says "hello from web" page gw http://127.0.0.1:8080/
expect "... its address is podman's as well" \
	says "^$(figures links '.[0].address4')$" in_gw inspect web \
	--format '{{.NetworkSettings.Networks.tungate.IPAddress}}'
expect "... names are asked of the gateway" says "^nameserver $GATE4" in_gw exec web \
	cat /etc/resolv.conf
expect_fail "another container with the same port" in_gw run --rm --network tungate \
	-p 8080:80 --rootfs "$WORLD/rootfs" true
expect "... the first still answers" says "hello from web" page server "http://$HOST4:8080/"
gateway_stop
tungated_start || gateway_missing
expect "after a restart of the daemon, podman attaches it anew" in_gw network reload web
eventually 5 "... and it answers outside" says "hello from web" page server "http://$HOST4:8080/"
expect "with an address asked for" says "inet 10.77.0.60/24" in_gw run --rm \
	--network tungate --ip 10.77.0.60 --rootfs "$WORLD/rootfs" ip address show dev eth0
expect "removed" in_gw rm -f -t 0 web
expect_equal "... no link is left, and no port" "0 0" \
	"$(figures links length) $(tungate forward list --json | jq length)"

expect "a namespace that is attached" guest_attach guest
expect "... is a container's by --network ns:" says "this is server" in_gw run --rm \
	--network ns:/run/netns/guest --rootfs "$WORLD/rootfs" wget -qO- "http://$SERVER4/"
finish
