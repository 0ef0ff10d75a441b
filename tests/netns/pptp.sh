#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# pptp: the real client and server (pptp-linux, pptpd), whose GRE needs no kernel module.  In the place
# of pppd, which does, the server has a program that sends every PPP frame back, and the client one
# that counts what comes.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require_tungate
require pptp pptpd python3 jq tcpdump
real_root || skip_all "a raw socket for GRE wants CAP_NET_RAW and pptpd the real root"
CALLS=$WORLD/calls
mkdir -p "$CALLS"
world_build
namespace second

cat >"$CALLS/echo" <<-'E'
	#!/bin/sh
	stty raw -echo
	printf '~~'
	exec cat
E
chmod +x "$CALLS/echo"

# Frames of PPP through a call: frames SERVER HOW-MANY.
cat >"$CALLS/frames" <<-'E'
	import os, pty, select, subprocess, sys, time, tty

	def fcs(data):
	    value = 0xffff
	    for byte in data:
	        value ^= byte
	        for _ in range(8):
	            value = value >> 1 ^ 0x8408 if value & 1 else value >> 1
	    return value ^ 0xffff

	def hdlc(data):
	    data += fcs(data).to_bytes(2, "little")
	    body = b"".join(bytes([0x7d, b ^ 0x20]) if b in (0x7d, 0x7e) or b < 0x20
	                    else bytes([b]) for b in data)
	    return b"~" + body + b"~"

	def unescaped(frame):
	    out, escape = bytearray(), False
	    for b in frame:
	        if b == 0x7d and not escape:
	            escape = True
	            continue
	        out.append(b ^ 0x20 if escape else b)
	        escape = False
	    return bytes(out)

	server, wanted = sys.argv[1], int(sys.argv[2])
	ours, theirs = pty.openpty()
	tty.setraw(theirs)
	tty.setraw(ours)
	client = subprocess.Popen(["pptp", server, "--nolaunchpppd"], stdin=theirs, stdout=theirs)
	os.close(theirs)
	sent = [b"\xff\x03\xc0\x21" + b"frame %d of our own" % n for n in range(wanted)]
	heard, text, next_frame, deadline = set(), b"", 0, time.time() + 15
	while len(heard) < wanted and time.time() < deadline and client.poll() is None:
	    if next_frame < time.time():
	        missing = [f for n, f in enumerate(sent) if n not in heard]
	        os.write(ours, hdlc(missing[0]))
	        next_frame = time.time() + 0.1
	    if select.select([ours], [], [], 0.05)[0]:
	        text += os.read(ours, 4096)
	    for frame in text.split(b"~"):
	        for n, data in enumerate(sent):
	            if data in unescaped(frame):
	                heard.add(n)
	print(len(heard), "frames came back of", wanted, flush=True)
	client.terminate()
	try:
	    client.wait(3)
	except subprocess.TimeoutExpired:
	    client.kill()
	sys.exit(len(heard) < wanted)
E

# pptpd_start NAMESPACE ADDRESS
pptpd_start() {
	cat >"$CALLS/$1.conf" <<-E
		ppp $CALLS/echo
		noipparam
		listen $2
		localip 10.1.1.1
		remoteip 10.1.1.2-20
		connections 10
	E
	: >"$CALLS/options"
	spawn "$1" "pptpd-$1" pptpd --fg --conf "$CALLS/$1.conf" --pidfile "$CALLS/$1.pid" \
		--option "$CALLS/options"
	within 5 listens "$1" 1723
}

# Clients of one server share a socket in /run/pptp; each has one of its own here.
mkdir -p /run/pptp
frames() {
	ns "$1" unshare --mount sh -c 'mount -t tmpfs tmpfs /run/pptp && exec timeout 25 "$@"' - \
		python3 "$CALLS/frames" "$2" "$3"
}

# With the helper, in any arrangement.
gateway_config <<-E
	[helpers]
	pptp =
	[forwards]
	tcp 1723 = $GUEST4:1723
E
gateway_start
guest_attach second 10.77.0.3,fd77:7467::3
pptpd_start server $SERVER4
pptpd_start guest $GUEST4

capture gw uplink unreachable 'icmp[icmptype] = icmp-unreach'
frames second $SERVER4 5 >"$WORLD/log/second" 2>&1 &
other=$!
expect "a guest calls a server" frames guest $SERVER4 5
expect "... as another one does at the same time" wait $other
expect_equal "each direction of each call is a flow" 4 "$(flows '.state == "call"')"
expect "a server behind a forward is called" frames router $HOST4 5
expect_equal "the host never calls a guest's tunnel unreachable" 0 "$(captured unreachable)"
gateway_stop

# Without it one guest still reaches one server: by their addresses.
gateway_config </dev/null
gateway_start
expect "a guest calls without a helper" frames guest $SERVER4 5

finish
