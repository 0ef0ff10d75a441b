#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# links: a hundred machines with the same addresses, MAC address included, side by side.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require nginx jq python3
require_tungate
world_build
nginx_start server
COUNT=100

gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	clones = yes
	$(for i in $(seq $COUNT); do
		printf '[link vm%d]\nkind = netdev\ndevice = vm%d\naddress = %s\n' \
			"$i" "$i" "$GUEST4"
	done)
E
tungated_start || gateway_missing

# A namespace each, with a file of its own on the server.
for i in $(seq $COUNT); do
	echo "netns add c$i"
	echo "link add vm$i netns gw type veth peer name eth0 address 52:54:00:00:00:02 netns c$i"
	printf 'for machine %d\n%20000d' "$i" "$i" >"$WORLD/server/www/$i"
done | ip -batch -
all_up() {
	says "^$COUNT\$" figures links '[.[] | select(.state == "up")] | length'
}
figures_of() {
	figures connections "[.[] | select(.original.destination_port == 80) | $1] | unique | length"
}
expect_equal "all download at the same time, from one address and port, each its own" $COUNT \
	"$(python3 "$ROOT/tests/netns/clones.py" $COUNT $GUEST4/24 $GATE4 $SERVER4 \
		"$WORLD/server/www")"
eventually 5 "a hundred links are up" all_up
expect_equal "they have one MAC address" 52:54:00:00:00:02 \
	"$(figures links '[.[].mac] | unique | join(" ")')"
expect_equal "a connection for each link" $COUNT "$(figures_of .from)"
expect_equal "... with the same ends inside" 1 "$(figures_of '.original | del(.counter)')"
expect_equal "... and a port for each outside" $COUNT "$(figures_of .reply.destination_port)"
finish
