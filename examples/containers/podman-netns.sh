#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# podman-netns.sh [URL]: any podman, from version 1 on, joins a namespace that is attached to the
# running tungated.  With an image in the place of --rootfs it is the same.
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

podman run --rm --network ns:/run/netns/demo --dns "$(tungate networks --json | jq -r '.[0].gateway4')" \
	--rootfs "$root" wget -qO- "$url"
