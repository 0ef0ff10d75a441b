#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# demo: the main job, shown: a guest reaches the internet through tungated, and a port of the host
# reaches into the guest. It plays in network namespaces of its own and leaves nothing.  Exit status
# 0: every step did what it says.

TEST=demo
tungated=${TUNGATE_BUILD:-build/release}/tungated
if [ ! -x "$tungated" ]; then
	echo "demo: there is no $tungated: run make first" >&2
	exit 1
fi
if [ ! -r /dev/net/tun ] || [ ! -w /dev/net/tun ]; then
	echo "demo: /dev/net/tun cannot be opened: sudo modprobe tun, or sudo make demo" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ] && ! unshare --user --map-root-user --net true 2>/dev/null; then
	echo "demo: this kernel lets only root make namespaces: run sudo make demo" >&2
	exit 1
fi
# shellcheck source=../tests/netns/lib.sh
. "$(dirname "$0")/../tests/netns/lib.sh"

if [ -t 1 ]; then
	bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
	bold='' green='' red='' plain=''
fi

# title TEXT: what the next step is about.
step=0
title() {
	step=$((step + 1))
	printf '\n%s%d. %s%s\n' "$bold" $step "$1" "$plain"
}

# show NAMESPACE COMMAND...: run it there as if typed, its output indented.
show() {
	local name=$1 status=0
	shift
	printf '   %s# %s\n' "${name/gw/host}" "$*"
	ns "$name" "$@" >"$WORLD/last" 2>&1 || status=$?
	sed 's/^/   | /' "$WORLD/last"
	return $status
}

# claim TEXT COMMAND...: the command proves the sentence, or the demo ends here.
claim() {
	local text=$1
	shift
	if "$@"; then
		printf '   %s✓ %s%s\n' "$green" "$text" "$plain"
	else
		printf '   %s✗ not so: %s%s\n' "$red" "$text" "$plain"
		sed 's/^/   log: /' "$WORLD/log/tungated"
		exit 1
	fi
}

speed() {
	awk -v rate="$(tail -n 1 "$WORLD/last")" 'BEGIN { printf "%.1f Gbit/s", rate * 8 / 1e9 }'
}

same_hash() {
	[ "$(sha256sum <"$WORLD/download")" = "$(sha256sum <"$WORLD/server/www/file")" ]
}

fetch() {
	show "$1" curl -sS --max-time 10 "${@:2}"
}

# Nothing of the host's network configuration is changed: no rule, no forwarding.
untouched() {
	! ns gw sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding | grep -q '= 1' &&
		! ns gw nft list ruleset 2>/dev/null | grep -q .
}

interface_gone() {
	! ip -n guest link show dev eth0 >/dev/null 2>&1
}

gateway_ends() {
	printf '   host# kill %s\n' "$gateway_pid"
	gateway_stop
	[ "$failures" -eq 0 ]
}

refused() {
	! fetch server --connect-timeout 3 "http://$HOST4:8080/"
}

started=$EPOCHREALTIME
cat <<E
${bold}A small internet of network namespaces, with tungated as the guest's only way out:${plain}

   guest ────── tungated ────── router ────── server
   $GUEST4    on host         $ROUTER4     $SERVER4
                $HOST4
E
world_build
nginx_start server
nginx_start guest
head -c 100M /dev/urandom >"$WORLD/server/www/file"
guest_log=$WORLD/guest/access.log

title "The gateway starts on the host, and the guest is attached to it"
printf '   host# tungated &\n'
tungated_start
claim "it is ready" gateway_alive
claim "the guest has an address and a way out" \
	show gw tungate attach --netns guest --name guest --address $GUEST4,$GUEST6
show guest ip -brief address show dev eth0
claim "no firewall rule was made, no forwarding switched on" untouched

title "The guest downloads 100 MB from the server"
claim "the download works" \
	fetch guest -o "$WORLD/download" -w '%{speed_download} bytes a second\n' \
	"http://$SERVER4/file"
claim "100 MB at $(speed), and the hash is right" same_hash
claim "the server saw the host's address, $HOST4" \
	grep -q "^$HOST4 .*GET /file" "$WORLD/server/access.log"

title "A port of the host is led to the guest's web server, on the running gateway"
claim "it is published" show gw tungate forward add tcp 8080 guest:80
: >"$guest_log"
claim "the server fetches the guest's page through the host" fetch server "http://$HOST4:8080/"
claim "it is the guest's page" grep -q 'this is guest' "$WORLD/last"
show guest tail -n 1 "$guest_log"
claim "the guest's log has the client's real address, $SERVER4" grep -q "^$SERVER4 " "$guest_log"

title "What the gateway knows"
claim "its status" show gw tungate status
claim "its connections" show gw tungate connections
claim "its rules" show gw tungate rules
claim "the rules have counted packets" grep -Eq '^ *[1-9][0-9]* ' "$WORLD/last"

title "The forward is deleted"
claim "it is no longer published" show gw tungate forward del tcp 8080
claim "a new fetch fails" refused

title "The gateway stops"
claim "it ends cleanly" gateway_ends
claim "the guest's interface went with it" interface_gone
printf '\n%sAll done in %.0f seconds; the namespaces are gone now.%s\n' "$bold" \
	"$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')" "$plain"
