#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# examples: the scripts of examples/containers with their real tools, as they are: each fetches a
# page by its name, some serve one, and nothing is left.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require busybox curl nginx dnsmasq dig jq
require_tungate
real_root || skip_all "containers of other tools need root, or users of their own"
world_build
nginx_start server
dns_start
tungated_start || gateway_missing
# shellcheck source=containers.sh
. "$ROOT/tests/netns/containers.sh"

# example NAME PROGRAM PATTERN: run it on the host; its guest fetches the page, and its output has
# the pattern.
example() {
	command -v "$2" >/dev/null || {
		skip "$1" "$2 is not installed (make deps)"
		return
	}
	expect "$1" works "$1" "$3"
	eventually 3 "... nothing is left" nothing_left
}
works() {
	ns gw timeout 60 "$ROOT/examples/containers/$1.sh" http://www.example.test/ \
		>"$WORLD/shown" 2>&1
	local status=$?
	cat "$WORLD/shown"
	[ $status -eq 0 ] && grep -q "this is server" "$WORLD/shown" && grep -q "$2" "$WORLD/shown"
}
nothing_left() {
	[ "$(figures links length) $(tungate forward list --json | jq length)" = "0 0" ] &&
		[ ! -e /run/netns/demo ]
}

example ip-netns ip "hello from the namespace"
example bubblewrap bwrap "attached by its process"
example systemd-nspawn systemd-nspawn "this is server"
podman_prepare
rootfs_make "$WORLD/rootfs"
if ns gw podman run --rm --network none --rootfs "$WORLD/rootfs" true >"$WORLD/last" 2>&1; then
	example podman-netns podman "this is server"
	example podman-cni podman "hello from the container"
else
	skip podman "podman cannot run a container here: $(tail -n 1 "$WORLD/last")"
fi
finish
