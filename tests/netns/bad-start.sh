#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bad-start: what can be missing or in the way when the gateway starts: one clear sentence each,
# exit status 1.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require socat jq
require_tungate
world_build

start() {
	gateway_config
	ns gw timeout 5 tungated -c "$WORLD/tungate.conf"
}

# refuses PATTERN TEXT [COMMAND...]: it ends with status 1, says so in at most three lines, and
# names it.
refuses() {
	local pattern=$1 text=$2 status=0
	shift 2
	"$@" >"$WORLD/last" 2>&1 || status=$?
	if [ $status -eq 1 ] && grep -Eq -- "$pattern" "$WORLD/last" &&
		[ "$(grep -c 'error:' "$WORLD/last")" -le 2 ]; then
		ok "$text"
	else
		echo "exit status $status, wanted 1 and /$pattern/" >>"$WORLD/last"
		not_ok "$text"
	fi
}

overlap() {
	start <<<$'[gateway]\nports = 40000-50000'
}
refuses '40000-50000 overlap' "external ports within the kernel's ephemeral range" overlap

in_use() {
	spawn gw occupant socat -u "$1-LISTEN:61234" /dev/null
	within 5 "$2" gw 61234
	start </dev/null
	local status=$?
	reap "$spawned"
	return "$status"
}
refuses '61234' "an external port that a TCP socket has" in_use TCP listens
refuses '61234' "an external port that a UDP socket has" in_use UDP listens_udp

forward_in_use() {
	spawn gw occupant socat -u TCP-LISTEN:8080 /dev/null
	within 5 listens gw 8080
	start <<<$'[forwards]\ntcp 8080 = 10.77.0.2:80'
	local status=$?
	reap "$spawned"
	return "$status"
}
refuses '8080' "a forward whose port is in use" forward_in_use

no_tun() {
	ns gw unshare --mount bash -c \
		"mount -t tmpfs tmpfs /dev/net; exec timeout 5 tungated -c $WORLD/tungate.conf"
}
gateway_config </dev/null
refuses '/dev/net/tun' "no /dev/net/tun" no_tun

no_privilege() {
	ns gw setpriv --bounding-set -all --inh-caps -all --no-new-privs \
		timeout 5 tungated -c "$WORLD/tungate.conf"
}
refuses 'CAP_NET_ADMIN|privilege|root' "no privilege" no_privilege

refuses 'nosuch.conf' "a config that is not there" ns gw timeout 5 tungated -c /nosuch.conf
printf '%s\n' '[gateway]' 'colour = blue' '[filter forward]' 'rule = allow everything' \
	>"$WORLD/bad.conf"
bad_config() {
	ns gw timeout 5 tungated -c "$WORLD/bad.conf"
}
bad_config >"$WORLD/last" 2>&1
refuses 'bad.conf:2.*colour' "an unknown key, with file and line" bad_config
refuses 'bad.conf:4.*allow' "... and the rule after it, at once" bad_config
expect_status 1 "tungated -t says so too" ns gw tungated -t -c "$WORLD/bad.conf"
gateway_config </dev/null
expect_status 0 "tungated -t on a good file" ns gw tungated -t -c "$WORLD/tungate.conf"
for file in "$ROOT"/examples/{,tutorial/}*.conf; do
	expect_status 0 "tungated -t on ${file#"$ROOT/"}" ns gw tungated -t -c "$file"
done

# No default route: nothing to say to the user's guests but "unreachable", until there is one.
ip -n gw route del default
ip -n gw -6 route del default
tungated_start
if gateway_alive; then
	expect "no default route: a warning says so" says "route" cat "$WORLD/log/tungated"
	default_route gw $ROUTER4 $ROUTER6
	guest_attach guest || not_ok "the guest is attached"
	eventually 5 "once there is one, guests get out" ns guest ping -c 1 -W 1 $SERVER4
else
	expect "no default route: one sentence" says "default route" cat "$WORLD/log/tungated"
	gateway_pid=
fi
finish
