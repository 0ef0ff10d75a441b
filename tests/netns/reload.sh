#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# reload: all or nothing; what flows goes on.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq socat
require_tungate
world_build
nginx_start server
nginx_start guest

# config EXTRA: the config with more lines of [filter forward].
config() {
	gateway_config <<-E
		[network lab]
		subnet = 10.77.0.0/24, fd77:7467::/64
		[link guest]
		network = lab
		netns = guest
		address = $GUEST4, $GUEST6
		[filter forward]
		policy = reject
		rule = accept state established,related
		rule = accept forwarded
		$1
		rule = accept in lab out uplink
		[forwards]
		tcp ${2:-8080} = guest:80
	E
}
config ""
tungated_start || gateway_missing

# A stream that must outlive every reload.
printf '#!/bin/sh\nwhile echo tick; do sleep 0.05; done\n' >"$WORLD/tick"
chmod +x "$WORLD/tick"
spawn server stream socat -u "EXEC:$WORLD/tick" TCP-LISTEN:7000
within 3 listens server 7000
ns guest socat -u TCP:$SERVER4:7000 - >"$WORLD/ticks" 2>/dev/null &
ticking() {
	local before
	before=$(wc -l <"$WORLD/ticks")
	sleep 0.5
	[ "$(wc -l <"$WORLD/ticks")" -gt "$before" ]
}
within 5 test -s "$WORLD/ticks"
expect "a stream flows" ticking
expect "port 80 is open before" page guest "http://$SERVER4/"

config "rule = reject in lab out uplink proto tcp to port 80,7000"
expect "a good file is taken" tungate reload
expect_status 7 "its new rule holds for new connections" page guest "http://$SERVER4/" --max-time 1
expect "the stream goes on" ticking

config "rule = reject in lab out uplonk"
expect_status 2 "a bad file is refused" tungate reload
expect "... the sentence has file, line and what was read" \
	says "tungate.conf:[0-9]+:.*uplonk" tungate reload
expect_status 7 "the old rules hold" page guest "http://$SERVER4/" --max-time 1
expect "the stream goes on" ticking

{
	cat "$WORLD/tungate.conf"
	printf '[timeouts]\nudp = soon\n[nonsense]\nx = y\n'
} >"$WORLD/worse" && cp "$WORLD/worse" "$WORLD/tungate.conf"
several() {
	local output
	output=$(tungate reload 2>&1)
	echo "$output"
	[ "$(grep -cE 'uplonk|soon|nonsense' <<<"$output")" -ge 3 ]
}
expect "all errors of the file at once" several

config "" 8081
kill -HUP "$gateway_pid"
eventually 3 "SIGHUP reloads too" page guest "http://$SERVER4/" --max-time 1
eventually 3 "a forward that is new in the file works" \
	says "this is guest" page server "http://$HOST4:8081/"
expect_fail "a forward that is no longer in it does not" page server "http://$HOST4:8080/"
expect "the stream goes on" ticking

expect "a forward by command" tungate forward add tcp 8090 guest:80
expect "reload" tungate reload
expect "a forward by command outlives a reload" \
	says "this is guest" page server "http://$HOST4:8090/"
# A reload that fails late leaves nothing of its new network for the next one to trip over.
with_network() {
	config "" "$2"
	printf '[network wing]\nsubnet = %s\n' "$1" >>"$WORLD/tungate.conf"
}
spawn gw holder socat -u TCP-LISTEN:8099,fork OPEN:/dev/null
within 3 listens gw 8099
with_network 10.88.0.0/24 8099
late() {
	local output
	! output=$(tungate reload 2>&1) && grep -q "8099 cannot be published" <<<"$output"
}
expect "a network and a port that another program holds: refused for the port" late
with_network 10.99.0.0/24 8081
expect "another network in its place" tungate reload
namespace wing
expect "a guest joins it" tungate attach --netns wing --name wing --network wing
expect "its gateway answers" ns wing ping -c 1 -W 2 10.99.0.1

# Two networks of one subnet: a guest's address is in both, and the port goes to the other.
twins() {
	config "" "8082 = $1/10.77.0.9:80"$'\n'"tcp 8081"
	cat >>"$WORLD/tungate.conf" <<-E
		[network wing]
		subnet = 10.99.0.0/24
		[network twin]
		subnet = 10.77.0.0/24
	E
}
leads_to() {
	tungate forward list --json |
		jq -e --arg network "$1" '.[] | select(.host_port == 8082) | .network == $network'
}
twins lab
expect "a port for a guest of one network" tungate reload
expect "... leads there" leads_to lab
twins twin
expect "the same for one of the other" tungate reload
expect "... leads there now" leads_to twin

rm "$WORLD/tungate.conf"
expect_fail "a file that is gone is refused" tungate reload
expect "the stream goes on" ticking
finish
