#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# irc: files that one client offers to another by DCC, through a real IRC server.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require ngircd python3
require_tungate
real_root || skip_all "ngircd changes its user: a user namespace with one user refuses"
world_build
namespace guest2

chmod 755 "$WORLD"
cat >"$WORLD/ngircd.conf" <<E
[Global]
Name = irc.example.test
Info = test
Listen = 0.0.0.0,::
Ports = 6667
ServerUID = nobody
ServerGID = nogroup
[Limits]
MaxConnectionsIP = 0
MaxPenaltyTime = 1
[Options]
DNS = no
Ident = no
PAM = no
ChrootDir =
E
spawn server ngircd ngircd --nodaemon --config "$WORLD/ngircd.conf"
within 10 listens server 6667

cat >"$WORLD/client.py" <<'E'
# client.py offer ADDRESS NICK PEER FILE     offer FILE to PEER, who may ask to resume it
# client.py fetch ADDRESS NICK OFFSET        take the first file that is offered, from OFFSET on
import ipaddress, re, socket, sys

class Irc:
    def __init__(self, address, nick):
        self.socket = socket.create_connection((address, 6667), timeout=10)
        self.lines = self.socket.makefile("rb")
        self.send(f"NICK {nick}")
        self.send(f"USER {nick} 0 * :{nick}")
        self.wait(rb" (376|422) ")

    def send(self, line):
        self.socket.sendall(line.encode() + b"\r\n")

    def wait(self, pattern):
        for line in self.lines:
            if line.startswith(b"PING"):
                self.send("PONG" + line.decode()[4:].strip())
            found = re.search(pattern, line)
            if found:
                return found
        sys.exit("the server has gone")

def number(address):
    parsed = ipaddress.ip_address(address)
    return int(parsed) if parsed.version == 4 else address

def offer(address, nick, peer, path):
    irc = Irc(address, nick)
    own = irc.socket.getsockname()[0]
    family = socket.AF_INET6 if ":" in own else socket.AF_INET
    listener = socket.create_server((own, 0), family=family)
    listener.settimeout(10)
    port = listener.getsockname()[1]
    data = open(path, "rb").read()
    irc.send(f"PRIVMSG {peer} :\1DCC SEND \"a file\" {number(own)} {port} {len(data)}\1")
    wish = irc.wait(rb"\x01DCC (RESUME \"a file\" (\d+) (\d+)|READY)\x01")
    start = 0
    if wish[2]:
        if int(wish[2]) != port:
            sys.exit(f"asked to resume port {wish[2]}, not {port}")
        start = int(wish[3])
        irc.send(f"PRIVMSG {peer} :\1DCC ACCEPT \"a file\" {port} {start}\1")
    connection, _ = listener.accept()
    connection.sendall(data[start:])
    connection.close()

def fetch(address, nick, start):
    irc = Irc(address, nick)
    print("here", file=sys.stderr, flush=True)
    found = irc.wait(rb":(\w+)!.*\x01DCC SEND \"a file\" ([0-9a-f.:]+) (\d+) (\d+)\x01")
    peer, host, port = found[1].decode(), found[2].decode(), int(found[3])
    host = str(ipaddress.ip_address(int(host))) if host.isdigit() else host
    if int(start) > 0:
        irc.send(f"PRIVMSG {peer} :\1DCC RESUME \"a file\" {port} {start}\1")
        accepted = irc.wait(rb"\x01DCC ACCEPT \"a file\" (\d+) (\d+)\x01")
        if int(accepted[1]) != port:
            sys.exit(f"port {accepted[1]} was accepted, not {port}")
    else:
        irc.send(f"PRIVMSG {peer} :\1DCC READY\1")
    with socket.create_connection((host, port), timeout=10) as connection:
        while data := connection.recv(65536):
            sys.stdout.buffer.write(data)

{"offer": offer, "fetch": fetch}[sys.argv[1]](*sys.argv[2:])
E

head -c 3000000 /dev/urandom >"$WORLD/file"

# transfer FROM TO ADDRESS NUMBER OFFSET: FROM offers the file, TO fetches it from OFFSET on.
transfer() {
	: >"$WORLD/log/fetch"
	ns "$2" timeout 25 python3 "$WORLD/client.py" fetch "$3" "bob$4" "$5" \
		>"$WORLD/got" 2>"$WORLD/log/fetch" &
	local fetcher=$! status
	within 8 grep -q here "$WORLD/log/fetch" || return 1
	ns "$1" timeout 25 python3 "$WORLD/client.py" offer "$3" "alice$4" "bob$4" "$WORLD/file"
	status=$?
	wait "$fetcher" || status=1
	cat "$WORLD/log/fetch"
	tail -c +$(($5 + 1)) "$WORLD/file" | cmp - "$WORLD/got" && return "$status"
}

config() {
	gateway_config <<-E
		[network lab]
		subnet = 10.77.0.0/24, fd77:7467::/64
		[link guest]
		netns = guest
		address = $GUEST4, $GUEST6
		$1
	E
}
config "[helpers]
irc ="
tungated_start || gateway_missing
guest_attach guest2 10.77.0.3,fd77:7467::3
expect "a guest's file is fetched from outside" transfer guest server $SERVER4 1 0
expect "... over IPv6" transfer guest server $SERVER6 2 0
expect "... from its middle on (RESUME, ACCEPT)" transfer guest server $SERVER4 3 1000000
expect "a file from outside is fetched by a guest" transfer server guest $SERVER4 4 0
expect "a guest's file is fetched by another guest" transfer guest guest2 $SERVER4 5 0
gateway_stop

config ""
tungated_start || gateway_missing
expect_fail "without a helper nobody can fetch it" transfer guest server $SERVER4 6 0
finish
