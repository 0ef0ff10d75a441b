#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run: gateways side by side: bare path, the kernel's nftables masquerade, slirp4netns, pasta,
# tungate; and for what virtual machines have, the kernel's with a bridge, passt and tungate's
# Ethernet links.
#
#     guest ── gateway in "gw" ── uplink ── router ── server
#
# Every round measures every row with each gateway in turn, so that what else the machine does falls
# on all alike; the table has medians over the rounds and their ratio to the kernel's.
#
#     run.sh [-e] [-r ROUNDS] [-g GATEWAY,...] [-t ROW,...] [-o RESULTS.jsonl]
#
# -e selects the gateways of Ethernet links.

TEST=bench
# shellcheck source=../netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"

set -o pipefail
rounds=3 gateways=bare,kernel,slirp4netns,pasta,tungate rows='' results=$WORLD/results.jsonl
# The moment of the first packet over a card is that of the guest's next question by ARP.
ethernet_rows=tcp-out,tcp-in,udp-out,udp-in,rr,crr,udp-new,alive-1k,alive-50k,plain-out,plain-in
ethernet=bare,kernel,bridge,netdev,passt,passt-1500,qemu
while getopts er:g:t:o: letter; do
	case $letter in
	e)
		gateways=$ethernet
		rows=${rows:-$ethernet_rows}
		;;
	r) rounds=$OPTARG ;;
	g) gateways=$OPTARG ;;
	t) rows=$OPTARG ;;
	o) results=$OPTARG ;;
	*) exit 2 ;;
	esac
done
rows=${rows:-first,$ethernet_rows}
traffic=$TUNGATE_BUILD/traffic framer=$TUNGATE_BUILD/framer
seconds=${BENCH_SECONDS:-2}
: >"$results"

# ---- gateways: each `G_up` gives the namespace "guest" a way out, each `G_down` takes it away ----

guest_new() {
	namespace guest
	ns guest sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
}

bare_up() {
	guest_veth
	forwarding_on gw
	ip -n router route add 10.77.0.0/24 via $HOST4
}

bare_down() {
	ip -n router route del 10.77.0.0/24
	kernel_down
}

kernel_up() {
	kernel_start
}

# The veth goes by name: a namespace takes its devices along some time after it is deleted.
kernel_down() {
	ip -n gw link del lan
	ns gw nft flush ruleset
	ns gw sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
}

slirp4netns_up() {
	spawn gw slirp4netns slirp4netns --configure --mtu=65520 --disable-host-loopback \
		--netns-type=path /run/netns/guest tap0
	gateway_process=$spawned
}

slirp4netns_down() {
	reap "$gateway_process"
}

pasta_up() {
	spawn gw pasta pasta --foreground --quiet --config-net --runas 0 \
		-t none -u none -T none -U none --netns /run/netns/guest
	gateway_process=$spawned
}

pasta_down() {
	reap "$gateway_process"
}

# tungate_link KEY=VALUE...: with one link, of which these are the keys.  Ports for 50,000 mappings
# of one guest: the host's own ephemeral ports make room.
tungate_link() {
	ns gw sysctl -qw net.ipv4.ip_local_port_range="1024 9999"
	gateway_config <<-E
		[gateway]
		ports = 10000-65535
		[limits]
		flows = 262144
		guest-flows = 262144
		guest-half-open = 262144
		guest-ports = 65535
		[network lab]
		subnet = 10.77.0.0/24, fd77:7467::/64
		[link guest]
		network = lab
		address = $GUEST4, $GUEST6
		$(printf '%s\n' "$@")
	E
	spawn gw tungated tungated -c "$WORLD/tungate.conf"
	gateway_process=$spawned
}

tungate_up() {
	tungate_link kind=netns netns=guest
}

tungate_down() {
	reap "$gateway_process"
	ns gw sysctl -qw net.ipv4.ip_local_port_range="32768 60999"
}

# ---- Ethernet: what a machine's card leads to ----

# The guest's own set-up of a card, without DHCP: card_up ADDRESS... -- ROUTER...
card_up() {
	ns guest sysctl -qw net.ipv6.conf.eth0.accept_ra=0
	ip -n guest link set eth0 up
	while [ "$1" != -- ]; do
		addresses guest eth0 "$1"
		shift
	done
	shift
	default_route guest "$@"
}

# The usual place of machines: a bridge with the gateway's addresses.
bridge_up() {
	kernel_start
	ip -n gw link add bridge type bridge
	ip -n gw link set lan master bridge
	ip -n gw link set bridge up
	ip -n gw address flush dev lan
	addresses gw bridge $GATE4/24 $GATE6/64
}

bridge_down() {
	ip -n gw link del bridge
	kernel_down
}

netdev_up() {
	wire guest eth0 gw lan
	card_up $GUEST4/24 $GUEST6/64 -- $GATE4 $GATE6
	tungate_link kind=netdev device=lan
}

netdev_down() {
	tungate_down
	ip -n gw link del lan
}

# appears COMMAND...: looked at so often that start times can be told.
appears() {
	local turn
	for ((turn = 0; turn < 1000; turn++)); do
		"$@" 2>/dev/null && return
		sleep 0.005
	done
	return 1
}

# The guest's card is a TAP behind the socket: framer.c.
framer_up() {
	appears test -S "$WORLD/card" &&
		spawn guest framer "$framer" "$WORLD/card" eth0 &&
		appears ns guest test -e /proc/sys/net/ipv4/conf/eth0
}

framer_down() {
	rm -f "$WORLD/card"
}

qemu_up() {
	tungate_link kind=qemu socket="$WORLD/card"
	framer_up && card_up $GUEST4/24 $GUEST6/64 -- $GATE4 $GATE6
}

qemu_down() {
	tungate_down
	framer_down
}

# passt gives the guest the host's own addresses.
passt_up() {
	spawn gw passt passt --foreground --quiet --runas 0 --mtu "${1:-65520}" -t none -u none \
		--socket "$WORLD/card"
	gateway_process=$spawned
	framer_up && ip -n guest link set eth0 mtu "${1:-65520}" &&
		card_up $HOST4/24 $HOST6/64 -- $ROUTER4 $ROUTER6
}

passt_down() {
	reap "$gateway_process"
	framer_down
}

passt-1500_up() {
	passt_up 1500
}

passt-1500_down() {
	passt_down
}

# ---- rows: each prints lines `METRIC NUMBER` ----

gigabits() {
	local metric=$1
	shift
	ns guest iperf3 --json -t "$seconds" -O 0.3 -c $SERVER4 "$@" |
		jq -er '"'"$metric"' \(.end.sum_received.bits_per_second / 1e9)"'
}

# generate FILTER COMMAND OPTION...: run a generator, pick its figures with jq.
generate() {
	local filter=$1 command=$2
	shift 2
	ns guest "$traffic" "$command" $SERVER4 "$@" | jq -er "$filter"
}

# The uplink as a card without offloads: every packet is one frame with a complete checksum.
plain_uplink() {
	ns gw ethtool -K uplink tx "$1" tso "$1" gso "$1" gro "$1" >/dev/null
	ns router ethtool -K inner tx "$1" tso "$1" gso "$1" gro "$1" >/dev/null
}

plain() {
	local status=0
	plain_uplink off
	gigabits "$@" || status=$?
	plain_uplink on
	return $status
}

row() {
	case $1 in
	first) echo "first $first_ms" ;;
	tcp-out) gigabits tcp-out ;;
	tcp-in) gigabits tcp-in -R ;;
	udp-out) generate '"udp-out \(.kpps)"' udp-rate in=0 ;;
	udp-in) generate '"udp-in \(.kpps)"' udp-rate in=1 ;;
	rr)
		generate '"rr \(.per_second)", "rr-p50 \(.p50_us)", "rr-p99 \(.p99_us)"' \
			rr seconds="$seconds"
		;;
	crr) generate '"crr \(.per_second)", "crr-failed \(.failed)"' crr seconds="$seconds" ;;
	udp-new) generate '"udp-new \(.per_second)", "udp-new-lost \(.lost)"' udp-new seconds=1 ;;
	alive-1k) generate '"alive-1k-p50 \(.p50_us)"' udp-alive flows=1000 ;;
	alive-50k)
		generate '"alive-50k \(.alive)", "alive-50k-p50 \(.p50_us)"' udp-alive flows=50000
		;;
	plain-out) plain plain-out ;;
	plain-in) plain plain-in -R ;;
	*)
		echo "no row $1" >&2
		return 1
		;;
	esac
}

# ---- the rounds ----

# Start the gateway while a watcher in the guest asks; sets first_ms, from before the start to the
# first echo.
start_and_watch() {
	local watcher began ended
	ns guest "$traffic" udp-first $SERVER4 seconds=10 >"$WORLD/first" 2>&1 &
	watcher=$!
	sleep 0.1
	began=${EPOCHREALTIME/./}
	"${1}_up"
	wait $watcher || return
	ended=$(jq .realtime_us "$WORLD/first")
	first_ms=$(((ended - began) / 1000))
}

# measure GATEWAY ROW: with a new guest and a new gateway, so that no row suffers from what another
# left.
measure() {
	local gateway=$1 name=$2 metric value figures=$WORLD/figures
	guest_new
	if ! start_and_watch "$gateway"; then
		echo "$gateway: nothing comes through" >&2
		cat "$WORLD"/log/{"$gateway",tungated,framer} >&2 2>/dev/null
	elif row "$name" >"$figures" 2>"$WORLD/last"; then
		while read -r metric value; do
			printf '{"round": %d, "gateway": "%s", "metric": "%s", "value": %s}\n' \
				"$round" "$gateway" "$metric" "$value" >>"$results"
			printf '  %-12s %-16s %s\n' "$gateway" "$metric" "$value" >&2
		done <"$figures"
	else
		echo "$gateway $name failed: $(cat "$figures" "$WORLD/last")" >&2
	fi
	"${gateway}_down"
	ip netns del guest
}

world_build
ip netns del guest
iperf_start 5201
spawn server traffic "$traffic" serve 0.0.0.0
within 5 listens server 7099 || exit
for ((round = 1; round <= rounds; round++)); do
	echo "round $round of $rounds" >&2
	for name in ${rows//,/ }; do
		for gateway in ${gateways//,/ }; do
			measure "$gateway" "$name"
		done
	done
done
python3 "$ROOT/tests/bench/table.py" "$results"
