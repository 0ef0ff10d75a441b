#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# podman-cni.sh [URL]: podman 4 attaches its containers to the running tungated itself, by the CNI
# plugin tungate-cni, and publishes a port.  Needed before:
#
#	cp examples/cni/87-tungate.conflist /etc/cni/net.d/
#
# and in /etc/containers/containers.conf
#
#	[network]
#	network_backend = "cni"
#	[engine]
#	enable_port_reservation = false		# the gateway holds published ports
set -eu
url=${1:-http://example.org/}

podman network exists tungate || {
	echo "podman has no network \"tungate\": see the top of $0" >&2
	exit 1
}
root=$(mktemp -d)
cleanup() {
	podman rm -f -t 0 demo >/dev/null || true
	rm -r "$root"
}
trap cleanup EXIT
"$(dirname "$0")/busybox-root.sh" "$root"
echo "hello from the container" >"$root/root/index.html"

podman run --rm --network tungate --rootfs "$root" wget -qO- "$url"

podman run -d --name demo --network tungate -p 8088:80 --rootfs "$root" \
	httpd -f -p 80 -h /root >/dev/null
tungate forward list
curl -fsS --retry 5 --retry-all-errors http://127.0.0.1:8088/
