#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# owners: two ordinary users, each with a network of the same subnet: each runs, publishes and looks
# at the own one; every way into the other's is closed, and says why; what one uses up the other has.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx python3 jq setpriv
require_tungate
real_root || skip_all "needs root, to be two other users"
world_build
nginx_start server
alice=1001 bob=1002 carol=1003
# Wherever it was built, everybody may run it here.
mkdir -p "$WORLD/bin" "$WORLD/www"
cp "$TUNGATE_BUILD/tungate" "$ROOT/examples/users.sh" "$WORLD/bin/"
chmod 755 "$WORLD" "$WORLD/bin" "$WORLD/www"
gateway_config <<E
[network alice]
subnet = 10.77.0.0/24, fd77:7467::/64
owner = $alice
forward-ports = 8000-8009
ports = 61000-61999
flows = 64
links = 4
[network bob]
subnet = 10.77.0.0/24, fd77:7467::/64
owner = $bob
forward-ports = 8010-8019
[network office]
subnet = 10.88.0.0/24
[forwards]
tcp 9000 = office/10.88.0.7:9000
E
tungated_start || gateway_missing

# as USER COMMAND...: with that user id, and no capability at all.
as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups --bounding-set=-all --inh-caps=-all \
		env PATH="$WORLD/bin:$PATH" HOME=/ "${@:2}"
}
if ! as $alice unshare -Urn true; then
	skip_all "this system lets only root make user namespaces"
fi

# ---- each at home ----

for user in $alice $bob; do
	expect "user $user runs a command" \
		says "this is server" as $user tungate run -- curl -sS --max-time 5 "http://$SERVER4/"
	expect "... over IPv6" \
		says "this is server" as $user tungate run -- curl -sS --max-time 5 "http://[$SERVER6]/"
	expect_equal "... as that user" $user "$(as $user tungate run -- id -u)"
	expect_equal "... or as what looks like root" 0 \
		"$(as $user tungate run --map-root -- id -u)"
	expect "... who may ping" \
		as $user tungate run -- ping -c 1 -W 5 $GATE4
done
expect "a program cannot get at the interface" \
	says "not permitted" as $alice tungate run -- ip link set eth0 down

# serve USER NAME: a web server in a namespace of the user's, until the end.
serve() {
	spawn gw "serve-$2" setpriv --reuid "$1" --regid "$1" --clear-groups --bounding-set=-all \
		"$WORLD/bin/tungate" run --name "$2" -- \
		python3 -u -c '
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(("this is %s for %s\n" % (sys.argv[1], self.client_address[0])).encode())
    def log_message(self, *words): pass
http.server.HTTPServer(("", 8080), Page).serve_forever()' "$1"
}
serve $alice web
alice_web=$spawned
serve $bob web
has_web() {
	[ "$(as "$1" tungate links --json | jq -r '[.[] | select(.name == "web").state] | join(",")')" = up ]
}
within 10 has_web $alice && within 10 has_web $bob
expect "both have a guest \`web\` of one address" says "^1$" sh -c \
	"tungate links --json | jq '[.[] | select(.name == \"web\").address4] | unique | length'"
expect "alice publishes a port" as $alice tungate forward add tcp 8000 web:8080
bob_web=$(as $bob tungate links --json | jq -r '.[] | select(.name == "web").address4')
expect "bob does by its address, which both have" \
	as $bob tungate forward add tcp 8010 "$bob_web:8080"
eventually 10 "... which leads to her guest" \
	says "this is $alice for $SERVER4" ns server curl -sS --max-time 5 "http://$HOST4:8000/"
eventually 10 "... which leads to his" \
	says "this is $bob for $SERVER4" ns server curl -sS --max-time 5 "http://$HOST4:8010/"
expect "the host reaches them, too" \
	says "this is $bob" ns gw curl -sS --max-time 5 "http://127.0.0.1:8010/"

# ---- nothing of others ----

# refused USER CODE PATTERN COMMAND...: the exit status, and the reason.
refused() {
	local user=$1 code=$2 pattern=$3 status=0 output
	shift 3
	output=$(as "$user" "$@" 2>&1) || status=$?
	printf '%s (status %s)\n' "$output" "$status"
	[ "$status" -eq "$code" ] && grep -Eq -- "$pattern" <<<"$output"
}
denied=4 not_found=5 invalid=2
for what in reload rules "original tcp 127.0.0.1:80"; do
	# shellcheck disable=SC2086 # words
	expect "alice: $what" refused $alice $denied "is for the administrator: allowed for the owner" \
		tungate $what
done
expect "alice: rules trace" refused $alice $denied "is for the administrator" \
	tungate rules trace 'tcp 10.77.0.2:1000 > 198.51.100.10:80'
for what in status links networks guests connections "forward list" "run -- true" \
	"forward add tcp 8000 web:80" "detach web" "connections flush"; do
	# shellcheck disable=SC2086 # words
	expect "a user without a network: $what" refused $carol $denied "owns no network" \
		tungate $what
done
expect "a port of bob's" refused $alice $denied "port 8011: allowed: 8000-8009" \
	tungate forward add tcp 8011 web:8080
expect "a port of nobody's" refused $alice $denied "port 22: allowed: 8000-8009" \
	tungate forward add tcp 22 web:8080
expect "a range that goes too far" refused $alice $denied "port 8009-8010: allowed: 8000-8009" \
	tungate forward add tcp 8009-8010 web:8080
expect "a guest of another network, by its address" refused $alice $invalid "unknown guest" \
	tungate forward add tcp 8001 10.88.0.7:80
expect "... and by its name" refused $alice $invalid "unknown network .bob.: did|unknown network .bob.: allowed: alice" \
	tungate forward add tcp 8001 bob/web:8080
expect "a forward of bob's" refused $alice $not_found "8010 is not published" \
	tungate forward del tcp 8010
expect "one of the administrator's" refused $alice $not_found "9000 is not published" \
	tungate forward del tcp 9000
expect "a link of bob's" refused $alice $not_found "unknown network .bob." \
	tungate detach bob/web
expect "... whose network she does not name" refused $bob $not_found "no link .nothing." \
	tungate detach nothing
expect "bob's network" refused $alice $not_found "no network .bob." \
	tungate run --network bob -- true
expect "a network of nobody's" refused $alice $not_found "no network .office." \
	tungate run --network office -- true
expect "a namespace of root's" refused $alice $denied "not yours: allowed: one that was made in a user" \
	tungate attach --netns guest
expect "an interface of the host's" refused $alice $denied "for the administrator" \
	tungate attach --netdev uplink
expect "a socket elsewhere" refused $alice $denied "allowed: /run/tungate/qemu/alice/NAME.sock" \
	tungate attach --qemu /run/world/vm.sock --name vm
expect "a socket among bob's" refused $alice $denied "allowed: /run/tungate/qemu/alice/NAME.sock" \
	tungate attach --qemu /run/tungate/qemu/bob/vm.sock --name vm
expect "alice has a socket for a machine" \
	as $alice tungate attach --qemu /run/tungate/qemu/alice/vm.sock --name vm
expect_equal "... which is hers" $alice "$(stat -c %u /run/tungate/qemu/alice/vm.sock)"
connects() {
	as "$1" python3 -c 'import socket
socket.socket(socket.AF_UNIX).connect("/run/tungate/qemu/alice/vm.sock")'
}
expect_fail "... and not bob's" connects $bob
expect "... so that her machine may connect" connects $alice
expect "it goes again" as $alice tungate detach vm

# What the client could not do, somebody could who writes lines: bob's descriptor, and paths.
cat >"$WORLD/bin/lines" <<'E'
import array, json, socket, sys
c = socket.socket(socket.AF_UNIX)
c.connect("/run/tungate/control.sock")
request = json.dumps({"id": 1, "method": sys.argv[1], "params": json.loads(sys.argv[2])}) + "\n"
passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [int(n)])) for n in sys.argv[3:]]
c.sendmsg([request.encode()], passed)
answer = json.loads(c.makefile().readline())
print(json.dumps(answer))
sys.exit(4 if answer.get("error", {}).get("code") == "denied" else 0)
E
inner=$(tungate links --json | jq -r '.[] | select(.name == "web" and .network == "bob").netns')
expect "the namespace of bob's web is bob's" says "^pid:" echo "$inner"
bobs=/proc/${inner#pid:}/ns/net
expect "a namespace of bob's, whose descriptor alice was given" refused $alice $denied "not yours" \
	python3 "$WORLD/bin/lines" attach '{"descriptor": true, "name": "stolen"}' 9 9<"$bobs"
expect "... and the same of root's" refused $alice $denied "not yours" \
	python3 "$WORLD/bin/lines" attach '{"descriptor": true}' 9 9</proc/self/ns/net
expect "a namespace by its path, which the daemon could open" refused $alice $denied \
	"for the administrator: allowed: the descriptor" \
	python3 "$WORLD/bin/lines" attach "{\"netns\": \"$bobs\"}"
expect "what tungated does not know is the administrator's as well" refused $alice 0 \
	"unknown method" python3 "$WORLD/bin/lines" take.over '{}'

only() {
	[ "$(as "$1" tungate "$2" --json | jq -r "$3" | sort -u | paste -sd,)" = "$4" ]
}
for port in 8000 8010; do
	ns server curl -sS --max-time 5 -o /dev/null "http://$HOST4:$port/"
done
for what in "networks .[].name" "links .[].network" "guests .[].network" \
	"connections .[].network"; do
	expect "alice sees of ${what% *} her own" only $alice "${what% *}" "${what#* }" alice
	expect "... and bob his" only $bob "${what% *}" "${what#* }" bob
done
expect "of forwards" says "^8000$" sh -c \
	"setpriv --reuid $alice --clear-groups $WORLD/bin/tungate forward list --json | jq '.[].host_port'"
expect "in status" only $alice status '"\(.networks) \(.links) \(.forwards) \(.ports)"' "1 1 2 null"
expect "root sees all" says "^alice,bob,office$" sh -c \
	"tungate networks --json | jq -r '[.[].name] | join(\",\")'"

# ---- nobody takes what the other needs ----

for name in two three four; do
	spawn gw "sleep-$name" setpriv --reuid $alice --regid $alice --clear-groups \
		"$WORLD/bin/tungate" run --name $name -- sleep 1000
done
all_four() {
	[ "$(as $alice tungate links --json | jq length)" = 4 ]
}
within 10 all_four
expect "a fifth link of alice's" refused $alice $denied "has 4 links: allowed: no more" \
	tungate run -- true
expect "bob has one more" as $bob tungate run -- true

python3 - <<'E' &
import os, socket, time
os.setgroups([]); os.setgid(1001); os.setuid(1001)
held = []
while len(held) < 200:
    c = socket.socket(socket.AF_UNIX)
    c.connect("/run/tungate/control.sock")
    held.append(c)
time.sleep(1000)
E
greedy=$!
full() {
	says "too many clients" as $alice tungate status
}
eventually 10 "alice has taken all the connections to the daemon that she may have" full
expect "bob gets one" as $bob tungate status
kill $greedy

flood='
import socket
for port in range(20000, 20400):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port)); s.sendto(b"x", ("198.51.100.10", port)); s.close()'
as $alice nsenter --user --net --preserve-credentials \
	-t "$(tungate links --json | jq -r '.[] | select(.name == "two").netns' | cut -d: -f2)" \
	python3 -c "$flood" >"$WORLD/last" 2>&1
of_alice() {
	flows '.network == "alice"'
}
expect "alice fills what her network may have of connections" [ "$(of_alice)" -ge 32 ]
expect "... and has no more" [ "$(of_alice)" -le 64 ]
expect "bob does not notice" \
	says "this is server" as $bob tungate run -- curl -sS --max-time 5 "http://$SERVER4/"
expect "alice's external ports are her own" says "^true$" sh -c \
	"tungate connections --json | jq '[.[] | select(.network == \"alice\" and .to == \"uplink\").reply.destination_port] | all(. >= 61000 and . <= 61999)'"

# ---- the end ----

kill -9 $alice_web
gone() {
	! has_web $alice
}
eventually 10 "tungate run killed: the link goes" gone
nobody_serves() {
	! pgrep -u $alice -f "^python3 -u -c" >/dev/null
}
eventually 10 "... and what it has begun" nobody_serves
expect "the example of what a user does" says "^hello from " \
	ns gw setpriv --reuid $bob --regid $bob --clear-groups --bounding-set=-all --inh-caps=-all \
	env PATH="$WORLD/bin:$PATH" HOME=/ users.sh 8011
expect "reload takes the network from her" sh -c \
	"sed -i 's/^owner = $alice/owner = $carol/' $WORLD/tungate.conf && tungate reload"
expect "... who is refused then" refused $alice $denied "owns no network" tungate status
finish
