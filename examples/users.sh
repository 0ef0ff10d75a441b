#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# users.sh [PORT]: what a user with a network of their own does, without root (see users.conf): a web
# server that only the gateway leads to, published at a port of the host, for as long as this runs.
# PORT is one of the network's `forward-ports`; default: the first.
set -eu

port=${1:-$(tungate networks --json | jq -r '.[0].forward_ports // empty' | grep -o '^[0-9]*')}
directory=$(mktemp -d)
echo "hello from $(id -un 2>/dev/null || id -u)" >"$directory/index.html"

tungate run --name page -- python3 -m http.server --directory "$directory" 8080 \
	>"$directory/log" 2>&1 &
server=$!
finish() {
	tungate forward del tcp "$port" >/dev/null || true
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	rm -r "$directory"
}
trap finish EXIT

for _ in $(seq 100); do
	tungate links --json | jq -e '.[] | select(.name == "page" and .state == "up")' >/dev/null && break
	sleep 0.1
done
tungate forward add tcp "$port" page:8080
curl -sS --retry 20 --retry-delay 1 --retry-all-errors "http://127.0.0.1:$port/"
tungate connections
