#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# domains: the sandbox of examples/agent-sandbox.conf: what a guest has asked for by an allowed name
# is open to it, and nothing else; direct DNS is forbidden, or led to the gateway.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require dig dnsmasq curl nginx jq python3
require_tungate
world_build
namespace second one two
GATE4=10.66.0.1

# Names on the internet, for a second each; nginx answers at each address.
debian=198.51.100.20 debian6=2001:db8:2::20 pypi=198.51.100.21 files=198.51.100.22 evil=198.51.100.23
addresses server eth0 $debian/24 $debian6/64 $pypi/24 $files/24 $evil/24
spawn server dnsmasq dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
	--user=root --port=53 --local-ttl=1 \
	--host-record=deb.debian.org,$debian,$debian6 --host-record=pypi.org,$pypi \
	--cname=files.pythonhosted.org,cdn.example.test --host-record=cdn.example.test,$files \
	--host-record=evil.example.test,$evil --host-record=twin.example.test,$pypi
within 5 ns server dig +short +time=1 +tries=1 @127.0.0.1 pypi.org
nginx_start server 443

# config FLOOR [SED-EXPRESSION]: the example, and another network, of copies of one machine.
config() {
	sed "${2:-}" "$ROOT/examples/agent-sandbox.conf" >"$WORLD/tungate.conf"
	if [ -n "${2:-}" ] && cmp -s "$ROOT/examples/agent-sandbox.conf" "$WORLD/tungate.conf"; then
		echo "nothing is changed by: $2" >"$WORLD/last"
		not_ok "the example is edited"
	fi
	cat >>"$WORLD/tungate.conf" <<-E
		[timeouts]
		domain = $1
		[network farm]
		subnet = 10.67.0.0/24
		clones = yes
		[link one]
		network = farm
		netns   = one
		address = 10.67.0.2
		[link two]
		network = farm
		netns   = two
		address = 10.67.0.2
	E
}
config 60
tungated_start || gateway_missing
for guest in guest second; do
	expect "$guest is in the sandbox" \
		tungate attach --netns $guest --name $guest --network sandbox
done

# ask GUEST NAME [OPTION...]
ask() {
	ns "$1" dig +short +time=2 +tries=2 "@$GATE4" "${@:2}"
}
status() {
	ns "$1" dig +time=2 +tries=2 "@$GATE4" "${@:2}"
}
# fetch GUEST ADDRESS: a page, by a new connection; curl's 7 is one that is refused.
fetch() {
	ns "$1" curl -gfsS --connect-timeout 5 --max-time 10 "http://$2:443/"
}
refuses() {
	fetch "$@"
	[ $? -eq 7 ]
}
logs() {
	grep -E -- "$1" "$WORLD/log/tungated"
}
# listed NAME STATE
listed() {
	figures domains '.[] | select(.name == $name and .state == $state) | .link' \
		--arg name "$1" --arg state "$2" | grep -qx guest
}

# ---- the allow-list ----

expect_status 7 "the address of an allowed name, which nobody has asked for: refused" \
	fetch guest $pypi
expect "... and logged" logs 'rule "sandbox" .*verdict=reject .*from=guest .*dst=198.51.100.21 '
expect_equal "the name is answered" $pypi "$(ask guest pypi.org)"
expect "then it is open" says "this is server" fetch guest $pypi
expect "... as can be seen" listed pypi.org open
expect_status 7 "... at that port alone" ns guest curl -sS "http://$pypi:80/"
expect_status 7 "another guest has asked for nothing" fetch second $pypi
expect "a name that is an alias" says "^$files\$" ask guest files.pythonhosted.org
expect "... opens what it leads to" says "this is server" fetch guest $files
expect_status 7 "an IPv6 address" fetch guest "[$debian6]"
expect_equal "... is asked for by itself" $debian6 "$(ask guest deb.debian.org AAAA)"
expect "... and open then" says "this is server" fetch guest "[$debian6]"
expect_status 7 "... alone" fetch guest $debian
expect_equal "names over TCP" $debian "$(ask second deb.debian.org +tcp)"
expect "... open as well" says "this is server" fetch second $debian

expect "other names do not exist" says "status: NXDOMAIN" status guest evil.example.test
expect "... because they are filtered" says "EDE: 17" status guest evil.example.test
expect "... nor does what an allowed one leads to" \
	says "status: NXDOMAIN" status guest cdn.example.test
expect "... nor what is below one" says "status: NXDOMAIN" status guest secret.pypi.org
expect "... which is logged" logs 'name refused: domain=secret.pypi.org in=sandbox from=guest src=10.66.0'
expect "... and listed" listed secret.pypi.org refused

expect_status 7 "a cloud's metadata is not reached" ns guest curl -sS http://169.254.169.254/
expect_status 7 "nor the host" ns guest curl -sS "http://$HOST4/"
second4=$(figures links '.[] | select(.name == "second").address4')
expect_status 7 "nor another guest" ns guest curl -sS "http://$second4/"

# The script runs a command in there.
sandbox() {
	ns gw env PATH="$PATH" "$ROOT/examples/agent-sandbox.sh" "$@"
}
expect "a command in the sandbox" \
	says "this is server" sandbox curl -4 -fsS -m 10 http://pypi.org:443/
expect_status 6 "... is refused other names" sandbox curl -4 -sS -m 10 http://evil.example.test/
expect "... and one is told" says "sandbox: refused: evil.example.test" \
	sandbox curl -4 -sS -m 10 http://evil.example.test/

# ---- direct DNS ----

# direct GUEST SERVER NAME [OPTION...]
direct() {
	ns "$1" dig +short +time=2 +tries=1 "@$2" "${@:3}"
}
expect_fail "DNS with others is forbidden" direct guest $SERVER4 pypi.org
expect "... at once, over TCP" says "refused" direct guest $SERVER4 pypi.org +tcp
expect_status 7 "... and over TLS" ns guest curl -sS "http://$SERVER4:853/"
config 60 's/= forbid/= redirect/'
expect "led to the gateway instead" tungate reload
expect_equal "... who was not asked answers" $debian "$(direct guest 203.0.113.53 deb.debian.org)"
expect_equal "... over TCP" $debian "$(direct guest 203.0.113.53 deb.debian.org +tcp)"
expect "... and it opens the address" says "this is server" fetch guest $debian
expect_equal "... but no other name's" "" "$(direct guest $SERVER4 evil.example.test)"
expect_status 7 "... TLS is refused, so that programs fall back" \
	ns guest curl -sS "http://$SERVER4:853/"

# ---- names that may be asked for, and where they lead ----

config 60 's/= allowed/= any/'
expect "every name may be asked for" tungate reload
expect "what was open before still is" says "this is server" fetch guest $pypi
expect_equal "another name has an address" $evil "$(ask guest evil.example.test)"
expect_status 7 "... which is refused" fetch guest $evil
expect "... and logged by its name" logs 'dst=198.51.100.23 .*domain=evil.example.test'
expect "... and listed" listed evil.example.test rejected
expect_equal "another name of an open address" $pypi "$(ask guest twin.example.test)"
expect "... does not close it" says "this is server" fetch guest $pypi
expect_equal "... nor opens it" $pypi "$(ask second twin.example.test)"
expect_status 7 "... to another guest" fetch second $pypi

# Two guests with one address.
config 60 's/^rule = accept in sandbox out.*/rule = accept out uplink to domain pypi.org/
	s/accept in sandbox proto/accept in lan proto/'
expect "a network of copies of one machine" tungate reload
expect_equal "one asks" $pypi "$(ns one dig +short +time=2 @10.67.0.1 pypi.org)"
expect "... and gets through" says "this is server" fetch one $pypi
expect_status 7 "... the other, with the same address, does not" fetch two $pypi

# ---- time ----

config 1
expect "a short time" tungate reload
echo "nameserver $GATE4" >"$WORLD/guest.conf"
# A connection that asks for a page whenever it is told to.  On a busy machine a second may be over
# between the name and the connection.
cat >"$WORLD/live.py" <<-'E'
	import http.client, sys
	page = http.client.HTTPConnection("pypi.org", 443, timeout=10)
	for attempt in range(20):
	    try:
	        page.connect()
	        break
	    except ConnectionRefusedError:
	        pass
	page.auto_open = 0
	for line in sys.stdin:
	    page.request("GET", "/who")
	    print(page.getresponse().read().decode(), end="", flush=True)
E
coproc LIVE {
	ns second unshare --mount bash -c "mount --bind $WORLD/guest.conf /etc/resolv.conf &&
		exec python3 $WORLD/live.py"
}
live() {
	echo >&"${LIVE[1]}" && read -rt 10 -u "${LIVE[0]}" && [ "$REPLY" = $HOST4 ]
}
expect "a connection by name" live
eventually 10 "when the time is over, nothing new begins" refuses second $pypi
expect "... but what lives goes on" live
expect "... also beyond a reload" tungate reload
expect "... of the rules" live
expect_equal "the name asked for once more" $pypi "$(ask second pypi.org)"
eval "exec ${LIVE[1]}>&-"
finish
