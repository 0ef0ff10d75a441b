#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run: start tungated with the config given, open a shell (or the command given) behind it, stop it
# at the end: run.sh CONFIG [COMMAND...]

build=${TUNGATE_BUILD:-build/release} config=$1
shift
[ $# -gt 0 ] || set -- "${SHELL:-/bin/bash}"
if [ "$(id -u)" -ne 0 ]; then
	echo "run: the host's uplink is root's: sudo make run" >&2
	exit 1
fi

place=$(mktemp -d)
export TUNGATE_SOCKET=$place/control.sock
trap 'kill "$daemon" 2>/dev/null; wait "$daemon"; rm -rf "$place"' EXIT
setsid "$build/tungated" -c "$config" -s "$TUNGATE_SOCKET" 2>"$place/log" &
daemon=$!
until "$build/tungate" status >/dev/null 2>&1; do
	if ! kill -0 $daemon 2>/dev/null; then
		cat "$place/log" >&2
		exit 1
	fi
	sleep 0.05
done
echo "run: a shell behind tungated; exit leaves it. For tungate on the host:"
echo "  export TUNGATE_SOCKET=$TUNGATE_SOCKET"
"$build/tungate" run -- "$@"
