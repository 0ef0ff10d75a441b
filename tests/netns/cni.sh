#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cni: the plugin as a runtime drives it, by environment and standard input: every command, every
# version, addresses and ports that are asked for, what goes wrong, and nothing left behind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx jq
require_tungate
world_build
namespace guest2
nginx_start server
nginx_start guest
gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	[network other]
	subnet = 10.78.0.0/24
	E
tungated_start || gateway_missing

conf='{"cniVersion":"1.0.0","name":"lab","type":"tungate-cni"}'
ID=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
LINK=cni-0123456789ab-eth0

# with FILTER: the configuration, changed.
with() {
	jq -c "$1" <<<"$conf"
}
# cni COMMAND [CONFIGURATION [NAME=VALUE...]]: its answer is on standard output and in
# $WORLD/answer.
cni() {
	env CNI_COMMAND="$1" CNI_CONTAINERID=$ID CNI_NETNS=/run/netns/guest CNI_IFNAME=eth0 \
		CNI_PATH=/nowhere "${@:3}" tungate-cni <<<"${2-$conf}" >"$WORLD/answer"
	local status=$?
	cat "$WORLD/answer"
	return $status
}
# answer FILTER: a value of the last answer.
answer() {
	jq -r "$1" "$WORLD/answer"
}
# refused CODE PATTERN TEXT COMMAND...: an error of this code, whose sentence has the pattern.
refused() {
	expect "$3" refusal "$1" "$2" "${@:4}"
}
refusal() {
	cni "${@:3}" && return 1
	jq -e --arg code "$1" --arg pattern "$2" \
		'"\(.code)" == $code and (.msg | test($pattern))' "$WORLD/answer"
}
reaches() {
	page "$1" "http://$SERVER4/"
}
links_and_ports() {
	echo "$(figures links length) $(tungate forward list --json | jq length)"
}

# ---- VERSION, and what is no call ----

expect "VERSION" cni VERSION
expect_equal "... of the interface" "1.0.0" "$(answer .cniVersion)"
expect_equal "... those that it speaks" "0.3.0 0.3.1 0.4.0 1.0.0 1.1.0" \
	"$(answer '.supportedVersions | join(" ")')"
expect "VERSION of a version that it does not speak" cni VERSION '{"cniVersion":"9.0.0"}'
refused 1 "9.0.0 is not supported" "a version of the future" ADD "$(with '.cniVersion="9.0.0"')"
refused 1 "(none)" "no version" ADD '{"name":"lab"}'
refused 4 "CNI_COMMAND" "an unknown command" PLUG
refused 4 "CNI_COMMAND is not set" "no command" ""
refused 4 "CNI_CONTAINERID" "no container" ADD "$conf" CNI_CONTAINERID=
refused 4 "CNI_CONTAINERID" "a container's id that is none" ADD "$conf" CNI_CONTAINERID=../etc
refused 4 "CNI_IFNAME" "no name of an interface" ADD "$conf" CNI_IFNAME=
refused 4 "at most 15" "one that is too long" ADD "$conf" CNI_IFNAME=abcdefghijklmnop
refused 4 "CNI_NETNS" "no namespace" ADD "$conf" CNI_NETNS=
refused 3 "nosuch" "a namespace that is not there" ADD "$conf" CNI_NETNS=/run/netns/nosuch
refused 7 "not that of a network namespace" "a path that is no namespace" \
	ADD "$conf" CNI_NETNS=/etc/passwd
refused 6 "not JSON" "a configuration that is not JSON" ADD '{"cniVersion":'
refused 6 "not a JSON object" "... or not an object" ADD '[]'
refused 2 "ipam.type = host-local" "addresses from somebody else" \
	ADD "$(with '.ipam.type="host-local"')"
refused 2 "mac = " "a MAC address for a TUN" \
	ADD "$(with '.runtimeConfig.mac="02:00:00:00:00:01"')"
refused 102 "no network .nosuch" "a network that is not there" ADD "$(with '.network="nosuch"')"
refused 7 "bad address" "an address that is none" ADD "$(with '.runtimeConfig.ips=["x"]')"
refused 7 "is not in the subnet" "an address of elsewhere" \
	ADD "$(with '.runtimeConfig.ips=["192.168.1.1"]')"
refused 7 "one address of each family" "two addresses" \
	ADD "$(with '.runtimeConfig.ips=["10.77.0.7","10.77.0.8"]')"
expect_equal "nothing is left of any of them" "0 0" "$(links_and_ports)"

# ---- ADD, CHECK, DEL ----

expect "ADD" cni ADD
cp "$WORLD/answer" "$WORLD/added"
expect_equal "... the interface" "eth0 /run/netns/guest" \
	"$(answer '.interfaces[0] | "\(.name) \(.sandbox)"')"
expect_equal "... its addresses" "10.77.0.2/24 10.77.0.1 0, fd77:7467::2/64 fd77:7467::1 0" \
	"$(answer '[.ips[] | "\(.address) \(.gateway) \(.interface)"] | join(", ")')"
expect_equal "... the routes" "0.0.0.0/0 10.77.0.1, ::/0 fd77:7467::1" \
	"$(answer '[.routes[] | "\(.dst) \(.gw)"] | join(", ")')"
expect_equal "... who resolves names" "10.77.0.1 fd77:7467::1" \
	"$(answer '.dns.nameservers | join(" ")')"
expect_equal "... the link's name" $LINK "$(figures links '.[0].name')"
expect "the container reaches the world" reaches guest
previous=$(jq -c . "$WORLD/added")
checked=$(with ".prevResult = $previous")
expect "CHECK" cni CHECK "$checked"
expect_equal "... says nothing" "" "$(cat "$WORLD/answer")"
refused 7 "prevResult" "CHECK without the result of ADD" CHECK
ip -n guest addr del 10.77.0.2/24 dev eth0
refused 104 "10.77.0.2" "CHECK when the container has lost its address" CHECK "$checked"
expect "ADD again, of the same container" cni ADD
expect "... replaces the first" cni CHECK "$checked"
expect_equal "... there is one link" "1 0" "$(links_and_ports)"
expect "DEL" cni DEL "$checked"
expect_equal "... says nothing" "" "$(cat "$WORLD/answer")"
expect_fail "... the interface is gone" ip -n guest link show dev eth0
expect "DEL again" cni DEL "$checked"
expect "DEL without a namespace" cni DEL "$conf" CNI_NETNS=
refused 102 "no link" "CHECK of what is no more" CHECK "$checked"

# ---- versions, names, networks ----

for version in 0.3.1 0.4.0; do
	expect "ADD of version $version" cni ADD "$(with ".cniVersion=\"$version\"")"
	expect_equal "... in its words" "$version 4 6" \
		"$(answer '"\(.cniVersion) \(.ips[0].version) \(.ips[1].version)"')"
done
expect "ADD of version 1.1.0" cni ADD "$(with '.cniVersion="1.1.0"')"
expect_equal "... in its words" "1.1.0 1500 null" \
	"$(answer '"\(.cniVersion) \(.interfaces[0].mtu) \(.ips[0].version)"')"
cni DEL >/dev/null
expect "on another network, with an interface name, an MTU and DNS of its own" \
	cni ADD "$(with '.network="other" | .mtu=1400 | .dns={"domain":"lab.test"} |
		.runtimeConfig.dns={"servers":["192.0.2.53"],"searches":["a.test"]}')" \
	CNI_IFNAME=net-0 CNI_CONTAINERID=pod_1
expect_equal "... all in the result" "net-0 10.78.0.2/24 192.0.2.53 a.test lab.test" \
	"$(answer '"\(.interfaces[0].name) \(.ips[0].address) \(.dns.nameservers[0]) " +
		"\(.dns.search[0]) \(.dns.domain)"')"
expect "... and in the container" says "mtu 1400" ip -n guest link show dev net-0
expect "... the link's name is a hash where it must be" \
	says '^cni-pod_1-[0-9a-f]{16}$' figures links '.[0].name'
expect "DEL" cni DEL "$conf" CNI_IFNAME=net-0 CNI_CONTAINERID=pod_1

# ---- addresses that are asked for ----

asks() {
	expect "an address asked for $1" cni ADD "${@:3}"
	expect_equal "... is given" "$2" "$(answer '.ips[0].address')"
	cni DEL >/dev/null
}
asks "by the runtime" 10.77.0.40/24 "$(with '.runtimeConfig.ips=["10.77.0.40/16","fd77:7467::40"]')"
asks "by args" 10.77.0.41/24 "$(with '.args.cni.ips=["10.77.0.41"]')"
asks "by CNI_ARGS" 10.77.0.42/24 "$conf" "CNI_ARGS=IgnoreUnknown=1;IP=10.77.0.42;K8S_POD_NAME=x"
expect "the address of the next" cni ADD "$(with '.runtimeConfig.ips=["10.77.0.50"]')"
refused 103 "belongs to link $LINK" "an address that is taken" \
	ADD "$(with '.runtimeConfig.ips=["10.77.0.50"]')" \
	CNI_NETNS=/run/netns/guest2 CNI_CONTAINERID=second
cni DEL >/dev/null

# ---- published ports ----

ports='.capabilities.portMappings=true | .runtimeConfig.portMappings=[
	{"hostPort":8080,"containerPort":80,"protocol":"tcp"},
	{"hostPort":8081,"containerPort":80,"protocol":"tcp","hostIP":"192.0.2.2"},
	{"hostPort":5353,"containerPort":53,"protocol":"udp","hostIP":""},
	{"hostPort":0,"containerPort":9,"protocol":"tcp"}]'
published=$(with "$ports")
expect "ADD with ports" cni ADD "$published"
checked=$(jq -c ".prevResult = $(jq -c . "$WORLD/answer")" <<<"$published")
expect_equal "a web server of the container answers outside" "this is guest" \
	"$(page server "http://$HOST4:8080/")"
expect_equal "... by IPv6" "this is guest" "$(page server "http://[$HOST6]:8080/")"
expect_equal "... on the host" "this is guest" "$(page gw "http://127.0.0.1:8080/")"
expect_equal "... at the one address" "this is guest" "$(page server "http://$HOST4:8081/")"
expect_fail "... and not at the other" page server "http://[$HOST6]:8081/"
expect_equal "... and is told who asks" "$SERVER4" "$(page server "http://$HOST4:8080/who")"
expect "CHECK" cni CHECK "$checked"
tungate forward del udp 5353 >/dev/null
refused 104 "udp 5353" "CHECK when a port is no longer published" CHECK "$checked"
expect "ADD again moves them over" cni ADD "$published"
expect "CHECK" cni CHECK "$checked"

before=$(links_and_ports)
refused 103 "8080" "another container wants a port that is taken: all or nothing" \
	ADD "$(with '.runtimeConfig.portMappings=[
		{"hostPort":8090,"containerPort":80,"protocol":"tcp"},
		{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]')" \
	CNI_NETNS=/run/netns/guest2 CNI_CONTAINERID=second
expect_equal "... nothing is left of it" "$before" "$(links_and_ports)"
expect_fail "... not in the container" ip -n guest2 link show dev eth0
refused 2 "sctp" "a protocol that is not published" \
	ADD "$(with '.runtimeConfig.portMappings=[{"hostPort":1,"containerPort":1,"protocol":"sctp"}]')" \
	CNI_NETNS=/run/netns/guest2 CNI_CONTAINERID=second
refused 7 "bad port" "a port that is none" \
	ADD "$(with '.runtimeConfig.portMappings=[{"hostPort":70000,"containerPort":1}]')" \
	CNI_NETNS=/run/netns/guest2 CNI_CONTAINERID=second
expect_equal "... nothing is left of them" "$before" "$(links_and_ports)"
expect_equal "the first one is still served" "this is guest" "$(page server "http://$HOST4:8080/")"

tungate forward add tcp 8099 10.77.0.2:80 >/dev/null
expect "DEL, without the ports in its configuration" cni DEL
expect_equal "... takes its own and leaves others alone" "8099" \
	"$(tungate forward list --json | jq -r '[.[].host_port] | join(" ")')"
tungate forward del tcp 8099 >/dev/null
expect_fail "... nobody answers outside" page server "http://$HOST4:8080/"

# ---- GC, STATUS, and no daemon ----

expect "ADD" cni ADD "$published"
tungate detach $LINK >/dev/null
expect "GC when the container has died" cni GC "$(with '.["cni.dev/valid-attachments"]=[]')"
expect_equal "... frees its ports" "0 0" "$(links_and_ports)"
expect "STATUS" cni STATUS "$(with '.cniVersion="1.1.0"')"
refused 50 "nosuch" "STATUS for a network that is not there" STATUS "$(with '.network="nosuch"')"
refused 11 "cannot reach tungated at /run/nowhere" "another control socket" \
	ADD "$(with '.control="/run/nowhere"')"
expect "ADD" cni ADD
gateway_stop
refused 11 "is it running" "ADD without the daemon: later" ADD
refused 50 "is it running" "STATUS without the daemon" STATUS
expect "DEL without the daemon: what it held has ended with it" cni DEL
expect_fail "... so it is" ip -n guest link show dev eth0
finish
