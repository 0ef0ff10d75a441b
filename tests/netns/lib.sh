# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lib.sh: a small internet of network namespaces, and assertions about it.
#
#     guest ── gateway in "gw" ── uplink ── router ── server (nginx, DNS, iperf3, sshd)
#
# A script that sources this file is run again inside mount, PID and network namespaces of its own
# (and a user namespace where it is not root), with an empty /run.  So nothing shows on the host,
# several worlds live side by side, and the kernel removes everything when the script's process
# ends, however it ends.
#
# GATEWAY=kernel has nftables masquerade in the place of tungated; it proves the tests and is the
# benchmarks' yardstick.  TUNGATE_BUILD names the directory with tungated and tungate.
#
# Output: a line per assertion, `ok - ...`, `not ok - ...` with the reason indented below it, or
# `skip - ...`, and at last `end`.  The exit status is 0 only if nothing failed.

TEST=${TEST:-$(basename "$0" .sh)}
ROOT=${ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
GATEWAY=${GATEWAY:-tungate}
TUNGATE_BUILD=${TUNGATE_BUILD:-$ROOT/build/release}
export no_proxy='*'
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:exitcode=99}
export PATH=$TUNGATE_BUILD:$PATH:/usr/sbin:/sbin

# ---- a world of its own ----

# Run this script again in namespaces of its own; returns inside them.
world_enter() {
	if [ -z "${WORLD:-}" ]; then
		local user=()
		[ "$(id -u)" -eq 0 ] || user=(--user --map-root-user)
		WORLD=/run/world exec unshare "${user[@]}" --mount --net --pid --fork --kill-child \
			--mount-proc bash "$0" "$@"
	fi
	unset -f world_enter
	trap 'exit 130' INT
	trap 'exit 143' TERM
	resolver=$(readlink -f /etc/resolv.conf)
	mount -t tmpfs tmpfs /run
	mkdir -p "$WORLD/log" /run/netns
	if [[ $resolver == /run/* ]]; then
		mkdir -p "${resolver%/*}" && : >"$resolver"
	fi
}
world_enter "$@"

# Run a command in a namespace of the world.
ns() {
	local name=$1
	shift
	nsenter --net="/run/netns/$name" "$@"
}

# Run a command in the background: spawn NAMESPACE LABEL COMMAND...; $spawned is its process, its
# output is in $WORLD/log/LABEL.
spawn() {
	local name=$1 label=$2
	shift 2
	nsenter --net="/run/netns/$name" "$@" >"$WORLD/log/$label" 2>&1 </dev/null &
	spawned=$!
}

# End a process of ours and wait for it: reap PROCESS [SIGNAL].
reap() {
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# Wait for something to become true: within SECONDS COMMAND...
within() {
	local deadline=$((${EPOCHREALTIME/./} + ${1%.*} * 1000000))
	shift
	until "$@" >"$WORLD/last" 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

# ---- assertions ----

failures=0

ok() {
	echo "ok - $TEST: $1"
}

not_ok() {
	echo "not ok - $TEST: $1"
	sed 's/^/    /' "$WORLD/last" 2>/dev/null | tail -n 25
	failures=$((failures + 1))
}

skip() {
	echo "skip - $TEST: $1 # $2"
}

# expect TEXT COMMAND...: the command succeeds.
expect() {
	local text=$1
	shift
	if "$@" >"$WORLD/last" 2>&1; then
		ok "$text"
	else
		echo "exit status $? of: $*" >>"$WORLD/last"
		not_ok "$text"
	fi
}

# expect_fail TEXT COMMAND...: the command fails.
expect_fail() {
	local text=$1
	shift
	if "$@" >"$WORLD/last" 2>&1; then
		echo "unexpected success of: $*" >>"$WORLD/last"
		not_ok "$text"
	else
		ok "$text"
	fi
}

# expect_status STATUS TEXT COMMAND...: the command ends with exactly this exit status.
expect_status() {
	local wanted=$1 text=$2 status=0
	shift 2
	"$@" >"$WORLD/last" 2>&1 || status=$?
	if [ "$status" -eq "$wanted" ]; then
		ok "$text"
	else
		echo "exit status $status, not $wanted, of: $*" >>"$WORLD/last"
		not_ok "$text"
	fi
}

# eventually SECONDS TEXT COMMAND...: the command succeeds before the deadline.
eventually() {
	local seconds=$1 text=$2
	shift 2
	if within "$seconds" "$@"; then
		ok "$text"
	else
		echo "not within $seconds s: $*" >>"$WORLD/last"
		not_ok "$text"
	fi
}

# expect_equal TEXT WANTED GOT
expect_equal() {
	echo "wanted: $2, got: $3" >"$WORLD/last"
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1"; fi
}

# The output of a command contains a pattern (grep -E): says PATTERN COMMAND...
says() {
	local pattern=$1 output
	shift
	output=$("$@" 2>&1)
	printf '%s\n' "$output"
	grep -Eq -- "$pattern" <<<"$output"
}

# The script needs programs or a gateway that are not here: say so and end.
skip_all() {
	skip "all" "$1"
	echo "end - $TEST"
	exit 0
}

require() {
	local program
	for program; do
		command -v "$program" >/dev/null || skip_all "$program is not installed (make deps)"
	done
}

require_tungate() {
	[ "$GATEWAY" = tungate ] || skip_all "is about tungated"
	if [ ! -x "$TUNGATE_BUILD/tungated" ]; then
		not_ok "there is a $TUNGATE_BUILD/tungated (make all)"
		finish
	fi
}

# Are we root outside this world, too?
real_root() {
	local outside
	read -r _ outside _ </proc/self/uid_map
	[ "$outside" -eq 0 ]
}

require_capture() {
	require tcpdump
	real_root || skip_all "tcpdump changes its user: a user namespace with one user refuses"
}

finish() {
	gateway_stop
	gateway_autopsy
	echo "end - $TEST"
	[ "$failures" -eq 0 ]
	exit
}

# ---- the standard world ----

GUEST4=10.77.0.2 GUEST6=fd77:7467::2 GATE4=10.77.0.1 GATE6=fd77:7467::1
HOST4=192.0.2.2 HOST6=2001:db8:1::2 ROUTER4=192.0.2.1 ROUTER6=2001:db8:1::1
SERVER4=198.51.100.10 SERVER6=2001:db8:2::10

# namespace NAME...: each with reno (BBR's pacing hides what the path can do) and lo up.
namespace() {
	local name
	for name; do
		ip netns add "$name"
		ip -n "$name" link set lo up
		ns "$name" sysctl -qw net.ipv4.tcp_congestion_control=reno \
			net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
			net.ipv4.ping_group_range="0 0"
	done
}

# wire A DEVICE B DEVICE: a veth pair between two namespaces, up.
wire() {
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# addresses NAMESPACE DEVICE ADDRESS/LENGTH...
addresses() {
	local name=$1 device=$2 address
	shift 2
	for address; do
		ip -n "$name" address add "$address" dev "$device"
	done
}

# default_route NAMESPACE GATEWAY...
default_route() {
	local name=$1 gateway
	shift
	for gateway; do
		ip -n "$name" route add default via "$gateway"
	done
}

forwarding_on() {
	ns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# The host "gw", router and server.  The router knows no route to guests: what leaks without NAT
# goes nowhere.
world_build() {
	local name
	namespace guest gw router server
	wire gw uplink router inner
	wire router outer server eth0
	addresses gw uplink $HOST4/24 $HOST6/64
	addresses router inner $ROUTER4/24 $ROUTER6/64
	addresses router outer 198.51.100.1/24 2001:db8:2::1/64
	addresses server eth0 $SERVER4/24 $SERVER6/64
	default_route gw $ROUTER4 $ROUTER6
	default_route server 198.51.100.1 2001:db8:2::1
	forwarding_on router
	for name in router server; do
		ns $name sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	done
	echo "nameserver $SERVER4" >"$WORLD/resolv.conf"
	mount --bind "$WORLD/resolv.conf" /etc/resolv.conf
}

# ---- gateways ----

# Config of the tests: what is on standard input, or the defaults.  What outlives the gateway stays in
# the world.
gateway_config() {
	cat >"$WORLD/given.conf"
	{
		grep -q '^\[gateway\]' "$WORLD/given.conf" || echo "[gateway]"
		cat "$WORLD/given.conf"
	} | sed "/^\[gateway\]/a state = $WORLD/state" >"$WORLD/tungate.conf"
}

# gateway_start: the gateway of $GATEWAY in "gw", with the namespace "guest" attached to it.
gateway_start() {
	case $GATEWAY in
	kernel) kernel_start ;;
	tungate)
		tungated_start || gateway_missing
		guest_attach guest || gateway_missing
		;;
	esac
}

# guest_attach NAMESPACE [ADDRESSES]: attach a namespace under its own name.
guest_attach() {
	tungate attach --netns "$1" --name "$1" --address "${2:-$GUEST4,$GUEST6}" \
		>"$WORLD/last" 2>&1
}

# figures COMMAND FILTER [JQ-OPTION...]: what `tungate COMMAND` knows, picked with jq.
figures() {
	tungate "$1" --json | jq -r "${@:3}" "$2"
}

# flows FILTER: how many connections match.
flows() {
	figures connections "[.[] | select($1)] | length"
}

gateway_missing() {
	cat "$WORLD"/log/tungated >>"$WORLD/last"
	not_ok "the gateway starts"
	finish
}

# tungated with the config, ready when it answers.
tungated_start() {
	[ -e "$WORLD/tungate.conf" ] || gateway_config </dev/null
	spawn gw tungated tungated -c "$WORLD/tungate.conf"
	gateway_pid=$spawned
	within 30 tungated_answers
}

tungated_answers() {
	kill -0 "$gateway_pid" 2>/dev/null || {
		cat "$WORLD/log/tungated"
		return 0
	}
	tungate status && kill -0 "$gateway_pid"
}

gateway_alive() {
	[ -n "${gateway_pid:-}" ] && kill -0 "$gateway_pid" 2>/dev/null
}

# Stop it as a service manager would; its exit status counts.
gateway_stop() {
	[ -n "${gateway_pid:-}" ] || return 0
	local status=0
	kill "$gateway_pid" 2>/dev/null
	wait "$gateway_pid" || status=$?
	gateway_pid=
	cp "$WORLD/log/tungated" "$WORLD/last"
	[ "$status" -eq 0 ] || not_ok "tungated ends with status 0 on SIGTERM (it was $status)"
}

gateway_kill() {
	reap "$gateway_pid" KILL
	gateway_pid=
}

# A sanitizer's report is a failure wherever it appeared.
gateway_autopsy() {
	grep -hE -A 20 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$WORLD"/log/* \
		>"$WORLD/last" 2>/dev/null && not_ok "no sanitizer report"
	return 0
}

# Take the guest's side into our own hands: a veth to "gw" with addresses and routes.
guest_veth() {
	wire guest eth0 gw lan
	addresses gw lan $GATE4/24 $GATE6/64
	addresses guest eth0 $GUEST4/24 $GUEST6/64
	default_route guest $GATE4 $GATE6
}

# The rule comes before the way: what conntrack has seen without it stays untranslated.
kernel_start() {
	ns gw nft -f - <<-E
		table inet nat {
			chain postrouting {
				type nat hook postrouting priority srcnat;
				oifname "uplink" masquerade
			}
		}
	E
	forwarding_on gw
	guest_veth
}

# ---- services ----

# nginx_start NAMESPACE [PORT]: answers / with the name, /who with the client's address, and files
# of $WORLD/NAMESPACE/www; its log is $WORLD/NAMESPACE/access.log.  One process: a worker's setuid
# needs a second user.
nginx_start() {
	local name=$1 port=${2:-80} home=$WORLD/$1
	mkdir -p "$home/www"
	echo "this is $name" >"$home/www/index.html"
	cat >"$home/nginx.conf" <<-E
		user root;
		daemon off;
		master_process off;
		pid $home/nginx.pid;
		error_log $home/error.log;
		events { worker_connections 8192; }
		http {
			access_log $home/access.log;
			client_body_temp_path $home/body;
			proxy_temp_path $home/proxy;
			fastcgi_temp_path $home/fastcgi;
			uwsgi_temp_path $home/uwsgi;
			scgi_temp_path $home/scgi;
			keepalive_requests 1000000;
			sendfile on;
			server {
				listen $port backlog=4096;
				listen [::]:$port backlog=4096;
				root $home/www;
				location = /who { return 200 "\$remote_addr\n"; }
			}
		}
	E
	spawn "$name" "nginx-$name" nginx -c "$home/nginx.conf" -e "$home/error.log"
	within 5 ns "$name" curl -fsS -o /dev/null "http://127.0.0.1:$port/"
}

# dns_start: the server answers for *.example.test with its own addresses.
dns_start() {
	local long
	long=$(printf 'x%.0s' {1..250}),$(printf 'y%.0s' {1..250}),$(printf 'z%.0s' {1..250})
	spawn server dnsmasq dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
		--user=root --port=53 --edns-packet-max=4096 \
		--txt-record=long.example.test,"$long" \
		--txt-record=large.example.test,"$long,$long,$long,$long" \
		--address=/example.test/$SERVER4 --address=/example.test/$SERVER6
	within 5 ns server dig +short +time=1 +tries=1 @127.0.0.1 www.example.test
}

# iperf_start: iperf3 servers on the ports given.
iperf_start() {
	local port
	for port; do
		spawn server "iperf3-$port" iperf3 -s -p "$port"
		within 5 listens server "$port"
	done
}

# listens NAMESPACE PORT: there is a TCP listener.
listens() {
	[ -n "$(ns "$1" ss -Hltn "sport = :$2")" ]
}

# listens_udp NAMESPACE PORT: there is a UDP socket.
listens_udp() {
	[ -n "$(ns "$1" ss -Hlun "sport = :$2")" ]
}

# page NAMESPACE URL [OPTION...]: fetch with short timeouts.
page() {
	local name=$1 url=$2
	shift 2
	ns "$name" curl -fsS -g --connect-timeout 3 --max-time 10 "$@" "$url"
}

# capture NAMESPACE DEVICE LABEL FILTER...: tcpdump until capture_stop; what it saw is in
# $WORLD/log/LABEL.
capture() {
	local name=$1 device=$2 label=$3
	shift 3
	spawn "$name" "$label" tcpdump -Z root --immediate-mode -lnni "$device" "$@"
	eval "capture_$label=$spawned"
	within 5 grep -q 'listening on' "$WORLD/log/$label" || not_ok "tcpdump listens on $device"
}

# Lines of packets that the capture has seen.
captured() {
	grep -c ' IP6\? ' "$WORLD/log/$1"
}
