#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# systemd-nspawn.sh [URL]: a container of systemd-nspawn runs in a namespace that is attached to the
# running tungated.  --register=no and --keep-unit are for hosts without systemd as their init.
set -eu
url=${1:-http://example.org/}

root=$(mktemp -d)
cleanup() {
	ip netns del demo || true
	rm -r "$root"
}
trap cleanup EXIT
"$(dirname "$0")/busybox-root.sh" "$root"
ip netns add demo
tungate attach --netns demo --name demo
tungate networks --json | jq -r '"nameserver " + .[0].gateway4' >"$root/etc/resolv.conf"

systemd-nspawn --quiet --register=no --keep-unit --directory="$root" \
	--network-namespace-path=/run/netns/demo --resolv-conf=off --timezone=off --as-pid2 \
	/bin/wget -qO- "$url"
