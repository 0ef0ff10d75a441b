#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tutorial-timeouts: sections 5.7 and 5.8 of docs/tutorial.md: how long a silent connection lives,
# and whose packets are its own.
# shellcheck source=home.sh
. "$(dirname "$0")/home.sh"

require jq socat
home_build
spawn server echo socat TCP-LISTEN:7,fork,reuseaddr EXEC:cat
spawn server echo-udp socat UDP4-RECVFROM:7,fork EXEC:cat
within 3 listens server 7

# expires PROTOCOL STATE: seconds that its connection still has.
expires() {
	figures connections '[.[] | select(.protocol == $p and .state == $s).expires_s] | max // 0' \
		--arg p "$1" --arg s "$2"
}

between() {
	echo "$1 <= $2 <= $3"
	[ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}

# The station asks, is silent for $1 seconds, and asks again: prints what came back.
pause() {
	{
		echo one
		sleep "$1"
		echo two
		sleep 0.5
	} | ns station timeout $(($1 + 4)) socat -t 0.5 - "$2" 2>&1
}

# ---- 10: the three numbers ----
example 10-timeouts
spawn station held socat -u TCP:$SERVER4:7 -
within 3 test "$(flows '.state == "established"')" -eq 1
expect "10: an established connection may be silent for 7200 seconds" \
	between 7190 "$(expires tcp established)" 7200
pause 0 TCP:$SERVER4:7 >/dev/null
expect "10: one that was closed is remembered for 10" \
	between 1 "$(expires tcp time-wait)" 10
pause 0 UDP:$SERVER4:7 >/dev/null
expect "10: an exchange of datagrams for 60" between 50 \
	"$(figures connections '[.[] | select(.protocol == "udp").expires_s] | max // 0')" 60

# ---- 10 in seconds ----
short='s/= 7200/= 3/; s/= 60/= 3/'
example 10-timeouts "$short"
expect "10: before its time a silent connection goes on" says two pause 1 TCP:$SERVER4:7
expect_fail "10: past its time it is broken" says two pause 5 TCP:$SERVER4:7
expect_equal "10: ... and no longer in the table" 0 "$(flows '.state == "established"')"
example 10-timeouts 's/= 7200/= 30/; s/= 60/= 3/'
expect "10: with a longer time it goes on" says two pause 5 TCP:$SERVER4:7

# What is sent by another way is nobody's: the server's other address answers for the first.
example 10-timeouts
other_way() {
	ns server python3 - <<-'E' &
		import socket
		a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		a.bind(("198.51.100.10", 4242))
		data, peer = a.recvfrom(16)
		b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		b.bind(("198.51.100.10", 4243))
		b.sendto(data, peer)
		a.settimeout(3)
		a.recvfrom(16)
		a.sendto(b"right", peer)
	E
	within 3 listens_udp server 4242
	ns station python3 - <<-'E'
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(2)
		s.bind(("", 5555))
		s.sendto(b"first", ("198.51.100.10", 4242))
		try:
		    print(s.recvfrom(16))
		except TimeoutError:
		    print("nothing by the other way")
		s.sendto(b"second", ("198.51.100.10", 4242))
		print(s.recvfrom(16))
	E
}
expect "10: an answer from elsewhere is not let in, the right one is" \
	says "nothing by the other way.*right" eval "other_way | tr -d '\n'"
finish
