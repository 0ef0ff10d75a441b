#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bubblewrap.sh [URL]: a sandbox of bubblewrap, both ways: inside `tungate run`, which brings the
# network and the resolver, and with a network namespace of its own that is attached by its process.
set -eu
url=${1:-http://example.org/}

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
sandbox=(--unshare-pid --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib
	--symlink usr/lib64 /lib64 --ro-bind /etc /etc --proc /proc --dev /dev --tmpfs /tmp
	--die-with-parent)

echo "inside tungate run:"
tungate run -- bwrap "${sandbox[@]}" curl -fsS "$url"

# bwrap says which process it has made on --info-fd, and starts it when --block-fd has a byte.
echo "attached by its process:"
mkfifo "$work/go"
bwrap --unshare-net "${sandbox[@]}" --info-fd 3 --block-fd 4 curl -fsS "$url" \
	3>"$work/info" 4<>"$work/go" &
until pid=$(jq -e '."child-pid"' "$work/info" 2>/dev/null); do sleep 0.02; done
tungate attach --netns "pid:$pid" --name demo
echo >"$work/go"
wait $!
