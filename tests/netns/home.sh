# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# home.sh: the tutorial's home network on the world of lib.sh.
#
#     station ── gateway in "gw" ── uplink (ppp0 there) ── router (the ISP) ── server
#
# The examples of examples/tutorial are run as they are; `example NAME EDIT` runs one with a line of
# it changed, by which a test shows that it is this line that does it.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

GUEST4=192.168.1.2 GATE4=192.168.1.1
EXAMPLES=$ROOT/examples/tutorial

# home_build [NAMESPACE...]: the world, the Work Station, and further namespaces for guests.
home_build() {
	require_tungate
	world_build
	namespace station "$@"
}

# example NAME [SED-EXPRESSION]: a gateway with this example, and the guests in it attached.
example() {
	gateway_stop
	sed "${2:-}" "$EXAMPLES/$1.conf" >"$WORLD/tungate.conf"
	if [ -n "${2:-}" ] && cmp -s "$EXAMPLES/$1.conf" "$WORLD/tungate.conf"; then
		echo "nothing of $1.conf is changed by: $2" >"$WORLD/last"
		not_ok "the example is edited"
	fi
	tungated_start && within 5 attached || gateway_missing
}

attached() {
	! tungate links | grep -q awaited
}

# counted CHAIN TEXT: the packets of rules whose text contains this.
counted() {
	figures rules '[.chains[] | select(.chain == $chain).rules[] |
		select(.rule | contains($text)).counter.packets] | add // 0' \
		--arg chain "$1" --arg text "$2"
}

# dropped REASON: packets dropped for it.
dropped() {
	figures drops '[.[] | select(.reason == $reason).packets] | add // 0' --arg reason "$1"
}

# grows TEXT COUNTER-COMMAND... -- COMMAND...: the command, whatever its status, makes the figure
# grow.
grows() {
	local text=$1 counter=() before
	shift
	while [ "$1" != -- ]; do
		counter+=("$1")
		shift
	done
	shift
	before=$("${counter[@]}")
	"$@" >/dev/null 2>&1
	"${counter[@]}" >"$WORLD/last"
	expect "$text" test "$("${counter[@]}")" -gt "$before"
}

# seen_by SERVER URL: the address that a web server in a namespace of the world sees.
seen_as() {
	page "$1" "$2/who" | tr -d '\n'
}
