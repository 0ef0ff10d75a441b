#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# rules: the words of the rule language with real programs: limits, answers, sets, chains, the log,
# connections, and what a trace says of it all.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq ping python3
require_tungate
world_build
nginx_start server
gateway_config <<'E'
[timeouts]
tcp-close = 1
[network lab]
subnet = 10.77.0.0/24, fd77:7467::/64
[sets]
blocked = 198.51.100.70-198.51.100.79, 2001:db8:ffff::/48
ports = 80, 8000-8010
[chain web]
rule = reject with tcp-reset proto tcp port 80 connections over 2 per source
rule = accept proto tcp port @ports
rule = return
[filter forward]
policy = drop
rule = drop proto icmp icmp-type echo-request limit over 2/second burst 3 log "too many"
rule = accept state established,related
rule = reject with net-unreachable to @blocked
rule = jump web in lab out uplink proto tcp comment "pages"
rule = reject with tcp-reset in lab proto tcp port 25
rule = reject with port-unreachable in lab proto tcp,udp port 26
rule = reject with host-unreachable in lab proto tcp,udp port 27
rule = reject with proto-unreachable in lab proto udp port 28
rule = reject with prohibited in lab proto tcp,udp port 29
rule = accept in lab out uplink proto icmp
E
tungated_start || gateway_missing
guest_attach guest || gateway_missing

# attempt KIND ADDRESS PORT: the name of the error that a guest's socket meets, "none" if it does not.
attempt() {
	ns guest python3 - "$@" <<-'E'
		import errno, socket, sys
		kind, address, port = sys.argv[1:]
		family = socket.AF_INET6 if ":" in address else socket.AF_INET
		s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
		s.settimeout(2)
		try:
		    s.connect((address, int(port)))
		    if kind == "udp":
		        s.send(b"?")
		        s.recv(16)
		    print("none")
		except TimeoutError:
		    print("silence")
		except OSError as error:
		    print(errno.errorcode[error.errno])
	E
}

# ---- answers: what a program is told ----
expect_equal "a reset refuses" ECONNREFUSED "$(attempt tcp $SERVER4 25)"
expect_equal "... over IPv6 too" ECONNREFUSED "$(attempt tcp $SERVER6 25)"
expect_equal "port unreachable refuses UDP" ECONNREFUSED "$(attempt udp $SERVER4 26)"
expect_equal "... over IPv6 too" ECONNREFUSED "$(attempt udp $SERVER6 26)"
expect_equal "host unreachable is no route to the host" EHOSTUNREACH "$(attempt tcp $SERVER4 27)"
expect_equal "... over IPv6 too" EHOSTUNREACH "$(attempt tcp $SERVER6 27)"
expect_equal "protocol unreachable is no such protocol" ENOPROTOOPT "$(attempt udp $SERVER4 28)"
expect_equal "prohibited is no way to the host" EHOSTUNREACH "$(attempt udp $SERVER4 29)"
expect_equal "... and permission denied over IPv6" EACCES "$(attempt udp $SERVER6 29)"
expect_equal "the network of a set is unreachable" ENETUNREACH "$(attempt tcp 198.51.100.77 53)"
expect_equal "what is beside the set is not" silence "$(attempt udp 198.51.100.80 53)"

# ---- chains, sets, what is shown ----
expect "a chain lets pages through" page guest "http://$SERVER4/"
expect "over IPv6 too" page guest "http://[$SERVER6]/"
expect_equal "the chain's rule has counted them" 2 "$(figures rules \
	'.chains[] | select(.chain == "web").rules[1].counter.packets')"
expect "the rules show chains" says "chain web" tungate rules
expect "... and sets" says "blocked: 198.51.100.70-198.51.100.79, 2001:db8:ffff::/48" tungate rules

# ---- a limit ----
received() {
	ns guest ping -c 10 -i 0.05 -W 1 "$1" | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}
answers=$(received $SERVER4)
expect "of ten pings at once those of the burst are answered ($answers)" \
	test "$answers" -ge 3 -a "$answers" -le 5
expect "those beyond are in the log" grep -q \
	'rule "too many" chain=forward verdict=drop in=lab from=guest out=uplink proto=icmp src=10.77.0.2 ' \
	"$WORLD/log/tungated"

# ---- connections ----
crowd() {
	ns guest python3 - "$SERVER4" <<-'E'
		import socket, struct, sys, time
		def connect():
		    s = socket.create_connection((sys.argv[1], 80), 3)
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		    return s
		held = [connect(), connect()]
		for attempt in range(3):
		    try:
		        connect()
		        sys.exit("the third was let through")
		    except ConnectionRefusedError:
		        pass
		held.pop().close()                 # by a reset: gone a second later
		time.sleep(2.5)
		held.append(connect())
	E
}
expect "connections are flushed" tungate connections flush
expect "a guest has two connections at a time, no more and no fewer" crowd

# ---- a trace says the same, and leaves no trace ----
before=$(figures rules '[.chains[].rules[].counter.packets] | add')
expect "a trace names the rule that decides" says \
	"yes  accept proto tcp port @ports" \
	tungate rules trace "in lab tcp $GUEST4:4000 > $SERVER4:8005 syn"
expect "... why others do not" says "no   drop proto icmp .*: proto is tcp" \
	tungate rules trace "tcp $GUEST4:4000 > $SERVER4:8005"
expect "... as whom it would leave" says "becomes $HOST4" \
	tungate rules trace "tcp $GUEST4:4000 > $SERVER4:8005"
expect "... what a guest is told" says "ICMP error of type 3, code 0" \
	tungate rules trace "udp $GUEST4:4000 > 198.51.100.70:53"
expect "... and whose address is not its own" says "dropped, spoofed" \
	tungate rules trace "in guest udp 10.77.0.99:4000 > $SERVER4:53"
expect_equal "nothing was counted" "$before" \
	"$(figures rules '[.chains[].rules[].counter.packets] | add')"
expect_fail "a packet that is none is refused" tungate rules trace "tcp 10.77.0.2"

# ---- reload ----
gateway_config <<'E'
[network lab]
subnet = 10.77.0.0/24, fd77:7467::/64
[filter forward]
rule = jump nowhere
E
expect_fail "a jump to nowhere is refused" tungate reload
expect "the rules are what they were" says "chain web" tungate rules
finish
