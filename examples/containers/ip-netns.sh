#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ip-netns.sh [URL]: a namespace of `ip netns` is attached to the running tungated: it fetches the
# URL, and its web server answers on port 8088 of the host.
set -eu
url=${1:-http://example.org/}

work=$(mktemp -d)
cleanup() {
	tungate forward del tcp 8088 || true
	kill "$server" 2>/dev/null || true
	ip netns del demo || true # the gateway notices, and forgets the link
	rm -r "$work"
}
server=
trap cleanup EXIT
ip netns add demo
echo "hello from the namespace" >"$work/index.html"
ip netns exec demo busybox httpd -f -p 80 -h "$work" &
server=$!

tungate attach --netns demo --name demo
ip netns exec demo curl -fsS "$url"

tungate forward add tcp 8088 demo:80
curl -fsS --retry 5 --retry-all-errors http://127.0.0.1:8088/
