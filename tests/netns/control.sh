#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# control: whatever arrives at the control socket gets an answer or a closed connection, and nobody
# else waits.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require python3 jq ping
require_tungate
world_build
gateway_start
socket=/run/tungate/control.sock

# talk: python on standard input, with `c` connected and ask(bytes) -> first line of the answer.
talk() {
	timeout 20 python3 - <<-E
		import json, socket, sys, time
		c = socket.socket(socket.AF_UNIX)
		c.settimeout(5)
		c.connect("$socket")
		f = c.makefile("rb")
		def ask(data):
		    c.sendall(data)
		    return json.loads(f.readline())
		status = b'{"id": 1, "method": "status"}\n'
		def code(answer):
		    return answer["error"]["code"]
		$(cat)
	E
}

expect "a good request" talk <<<'assert "result" in ask(status)'
bad() {
	expect "$1" talk <<<"assert code(ask(b'$2' + b'\\n')) == 'bad-request'"
}
bad "no JSON" 'hello'
bad "an array" '[1, 2]'
bad "a method that is no string" '{"id": 1, "method": 7}'
bad "an unknown method" '{"id": 1, "method": "fly"}'
bad "an unknown parameter" '{"id": 1, "method": "status", "params": {"x": 1}}'
bad "a NUL in a string" '{"id": 1, "method": "sta\\u0000tus"}'
bad "bytes that are no UTF-8" '{"id": 1, "method": "\xff\xfe"}'
expect "nested without end" talk <<<'assert code(ask(b"[" * 30000 + b"\n")) == "bad-request"'
expect "after a mistake the connection is still good" talk <<<'ask(b"?\n"); ask(status)["result"]'
expect "two requests in one write" talk <<<'ask(status * 2); json.loads(f.readline())["result"]'
expect "a request in pieces" talk <<-'E'
	for byte in status[:-1]:
	    c.sendall(bytes([byte]))
	    time.sleep(0.002)
	ask(b"\n")["result"]
E

# More than a request may be: an answer or the end, and soon.
oversized_request() {
	timeout 20 python3 - "$socket" <<-'E'
		import json, socket, sys
		c = socket.socket(socket.AF_UNIX)
		c.settimeout(5)
		c.connect(sys.argv[1])
		try:
		    c.sendall(b"x" * 1000000)
		    line = c.makefile("rb").readline()
		except (BrokenPipeError, ConnectionResetError):
		    line = b""
		assert line == b"" or json.loads(line)["error"]["code"] == "bad-request", line
	E
}
expect "an oversized request is answered or cut off" oversized_request

# A client that asks and never reads must cost nothing but its own connection.
slow_reader() {
	timeout 20 python3 - "$socket" <<-'E'
		import socket, subprocess, sys
		c = socket.socket(socket.AF_UNIX)
		c.settimeout(0.2)
		c.connect(sys.argv[1])
		try:
		    for _ in range(20000):
		        c.sendall(b'{"id":1,"method":"rules"}\n')
		except OSError:
		    pass
		subprocess.run(["tungate", "status"], check=True, timeout=2)
		c.close()
		subprocess.run(["tungate", "status"], check=True, timeout=2)
	E
}
expect "a client that does not read holds up nobody" slow_reader
expect "... the guest neither" ns guest ping -c 3 -i 0.05 -W 1 $SERVER4

gone() {
	timeout 20 python3 - "$socket" <<-'E'
		import socket, sys
		follow = b'{"id": 1, "method": "connections", "params": {"follow": true}}\n'
		for i in range(300):
		    c = socket.socket(socket.AF_UNIX)
		    c.connect(sys.argv[1])
		    c.sendall(follow if i % 2 else follow[:9])
		    c.close()
	E
}
expect "300 clients that go away at once" gone
expect "... and the gateway answers" tungate status

crowd() {
	timeout 20 python3 - "$socket" <<-'E'
		import socket, sys
		crowd = []
		for _ in range(200):
		    c = socket.socket(socket.AF_UNIX)
		    c.settimeout(2)
		    try:
		        c.connect(sys.argv[1])
		    except OSError:
		        break
		    crowd.append(c)
	E
}
expect "200 clients at a time" crowd
expect "... and the gateway answers after" tungate status

# Follow: events appear as they happen.
spawn gw follow tungate connections --follow
sleep 0.3
ns guest ping -c 1 -W 1 $SERVER4 >/dev/null
eventually 3 "connections --follow shows a new one" grep -q "icmp" "$WORLD/log/follow"
reap "$spawned"

# Who may: the socket's mode, and the peer's user.
expect_equal "the socket's mode is 0660" 660 "$(stat -c %a $socket)"
if real_root; then
	chmod 666 $socket
	chmod 755 /run/tungate
	stranger() {
		setpriv --reuid 65534 --regid 65534 --clear-groups tungate "$@"
	}
	expect_status 4 "another user may not change anything" \
		stranger forward add tcp 8080 guest:80
fi

# Flush.
expect "connections flush" tungate connections flush
expect_equal "... leaves none" 0 "$(flows true)"
finish
