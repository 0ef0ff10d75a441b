#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run-command: `tungate run -- COMMAND`: exit status, input, terminal, signals, resolver, and
# nothing left.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx dnsmasq dig jq script
require_tungate
world_build
nginx_start server
dns_start
tungated_start || gateway_missing
host_state() {
	ns gw ip -o address
	ns gw ip route
	ip netns list
	cat /etc/resolv.conf
}
before=$(host_state)

run() {
	ns gw tungate run "$@"
}

expect "the command reaches the server" \
	says "this is server" run -- curl -sS --max-time 5 "http://$SERVER4/"
expect "the server sees the host's address" \
	says "^$HOST4\$" run -- curl -sS --max-time 5 "http://$SERVER4/who"
expect "names resolve" \
	says "this is server" run -- curl -sS -4 --max-time 5 http://www.example.test/
expect "resolv.conf is the command's own" says "nameserver $GATE4" run -- cat /etc/resolv.conf
expect "its namespace has no way but the gateway" \
	says "^default via $GATE4" run -- ip route show default
expect_equal "there are two interfaces in it" 2 "$(run -- ip -o link show up | wc -l)"

expect_status 0 "exit status 0 is passed on" run -- true
expect_status 7 "exit status 7 is passed on" run -- sh -c 'exit 7'
expect_status 127 "a command that is not there: 127" run -- /nonexistent/command
expect_status 126 "a file that cannot be run: 126" run -- /etc/passwd
expect_status 137 "killed by signal 9: 137" run -- sh -c 'kill -9 $$'
expect_equal "standard input is passed on" HELLO "$(echo hello | run -- tr a-z A-Z)"
expect_equal "words stay words" "a b|c|" "$(run -- printf '%s|' 'a b' c)"
errors() {
	{ run -- ls /nonexistent >/dev/null; } 2>&1
}
expect "standard error stays apart" says "ls: .*/nonexistent" errors
expect "a terminal is the command's" says "/dev/pts" \
	script -qec "nsenter --net=/run/netns/gw tungate run -- tty" /dev/null

# Signals: what is sent to `tungate run` arrives at the command.
spawn gw trapper tungate run -- \
	bash -c 'trap "echo caught; exit 42" TERM; echo waiting; while :; do sleep 0.1; done'
trapper=$spawned
within 5 grep -q waiting "$WORLD/log/trapper"
kill $trapper
expect_status 42 "SIGTERM reaches the command, its status comes back" wait $trapper
expect "... the command caught it" grep -q caught "$WORLD/log/trapper"

expect_equal "two at a time have addresses of their own" 2 "$(
	run -- sh -c 'ip -4 -o address show dev eth0; sleep 0.5' >"$WORLD/one" &
	run -- sh -c 'ip -4 -o address show dev eth0; sleep 0.5' >"$WORLD/two"
	wait
	awk '{ print $4 }' "$WORLD/one" "$WORLD/two" | sort -u | wc -l
)"

no_links() {
	[ "$(tungate links --json | jq length)" -eq 0 ]
}
eventually 3 "no link is left" no_links
expect_equal "the host is as it was" "$before" "$(host_state)"

# The command's children keep the namespace, not the link's name, once `tungate run` is killed.
spawn gw killed tungate run --name victim -- sleep 60
within 3 says victim tungate links
reap "$spawned" KILL
eventually 5 "tungate run killed: its link goes" no_links

gateway_stop
expect_status 3 "without a daemon: one sentence and status 3" run -- true

# make run's script does the same with a daemon of its own.
cp "$ROOT/examples/minimal.conf" "$WORLD/"
if real_root; then
	expect "tools/run.sh: a shell behind a daemon of its own" says "this is server" \
		ns gw "$ROOT/tools/run.sh" "$WORLD/minimal.conf" \
		curl -sS --max-time 5 "http://$SERVER4/"
fi
finish
