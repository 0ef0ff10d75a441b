#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# networkd: systemd-networkd configures a guest by DHCP, by router advertisements and by DHCPv6.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

networkd=/lib/systemd/systemd-networkd
require curl nginx jq
require_tungate
real_root || skip_all "systemd-networkd changes its user: a user namespace with one user refuses"
[ -x $networkd ] && getent passwd systemd-network >/dev/null ||
	skip_all "systemd-networkd is not installed (make deps)"
world_build
nginx_start server
wire guest eth0 gw vm0

gateway_config <<-E
	[network lab]
	subnet = 10.77.0.0/24, fd77:7467::/64
	domain = lab.example
	dhcp6 = yes
	route = 203.0.113.0/24
	[link vm]
	kind = netdev
	device = vm0
	address = $GUEST4, $GUEST6
E
tungated_start || gateway_missing

# It runs without systemd and without a bus; where /sys cannot be written it does not wait for udev.
mkdir -p /run/systemd/network /run/systemd/netif/{links,leases,lldp}
chown -R systemd-network /run/systemd/netif
cat >/run/systemd/network/eth0.network <<-E
	[Match]
	Name=eth0
	[Network]
	DHCP=ipv4
	IPv6AcceptRA=yes
	[DHCPv4]
	UseDomains=yes
E
networkd_start() {
	# shellcheck disable=SC2016 # the inner shell's
	spawn guest networkd unshare --mount bash -c \
		'mount -t sysfs -o ro sysfs /sys && SYSTEMD_LOG_LEVEL=debug exec '$networkd
	client=$spawned
}
has() { # FAMILY ADDRESS
	says "inet6? $2[/ ].*scope global" ip -n guest -"$1" address show dev eth0 -tentative
}

networkd_start
eventually 10 "the link's address comes by DHCP" has 4 $GUEST4
eventually 10 "... one by the router's advertisement" has 6 'fd77:7467::[0-9a-f]+:[0-9a-f:]+'
eventually 10 "... and the link's by DHCPv6" has 6 $GUEST6
expect "the default route is the gateway" says "^default via $GATE4 dev eth0 proto dhcp" \
	ip -n guest route
expect "... over IPv6, too" says "^default via fe80::1 dev eth0 proto ra" ip -n guest -6 route
expect "the other route leads there, too" says "^203.0.113.0/24 via $GATE4" ip -n guest route
told() {
	says "$1" cat /run/systemd/netif/leases/*
}
expect "it was told the domain" told "^DOMAINNAME=lab.example"
expect "... and its name" told "^HOSTNAME=vm"
resolvers() {
	says "^DNS=.*10.77.0.1.*fd77:7467::1" cat /run/systemd/netif/links/*
}
eventually 3 "... and the resolver, over both" resolvers
eventually 5 "it reaches the server over IPv4" page guest "http://$SERVER4/who"
eventually 5 "... and over IPv6" page guest "http://[$SERVER6]/who"
leases() {
	says "$1" tungate leases
}
expect "both leases are listed" leases "$GUEST4 "
expect "... with that of DHCPv6" leases "$GUEST6 "

reap $client
ip -n guest address flush dev eth0 scope global
networkd_start
eventually 10 "started again, it has the same address" has 4 $GUEST4
eventually 10 "... and that of DHCPv6" has 6 $GUEST6
reap $client

finish
