#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2154
#
# udhcpc: what udhcpc calls with a lease; the address, mask, router and so on are in variables.
# All of them are kept in /lease, and how often there was one in /leases.

case $1 in
deconfig)
	ip -4 address flush dev "$interface"
	;;
bound | renew)
	ip address replace "$ip/$mask" dev "$interface"
	[ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
	ip route replace default via "${router%% *}"
	{
		[ -z "$domain" ] || echo "search $domain"
		for server in $dns; do
			echo "nameserver $server"
		done
	} >/etc/resolv.conf
	echo "$1 after $(cut -d ' ' -f 1 /proc/uptime) s" >>/leases
	set >/lease.new
	mv /lease.new /lease
	echo "$1: $ip from $serverid" >/dev/console
	;;
esac
