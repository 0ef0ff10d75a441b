#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# deps: what building, demonstrating, checking and measuring needs on Debian 12: deps.sh
# [build|demo|check|bench]... (default: all).  As root it installs what is missing; else it prints
# the line to run.  Nothing is started on the host by it, now or at the next boot.

# group package what-it-brings (a command, or a file; patterns allowed)
list() {
	cat <<-E
		build gcc                 gcc
		build make                make
		build pkg-config          pkg-config
		build libc6-dev           /usr/include/stdio.h
		build linux-libc-dev      /usr/include/linux/if_tun.h
		build libuv1-dev          /usr/include/uv.h
		build libnl-3-dev         /usr/include/libnl3/netlink/netlink.h
		build libinih-dev         /usr/include/ini.h
		build libjansson-dev      /usr/include/jansson.h
		build libldns-dev         /usr/include/ldns/ldns.h
		build libcap-ng-dev       /usr/include/cap-ng.h
		build libsystemd-dev      /usr/include/systemd/sd-daemon.h
		demo  iproute2            ip
		demo  util-linux          nsenter
		demo  procps              sysctl
		demo  curl                curl
		demo  nginx-light         nginx
		check jq                  jq
		check iputils-ping        ping
		check socat               socat
		check python3             python3
		check bind9-dnsutils      dig
		check dnsmasq-base        dnsmasq
		check unbound             unbound
		check dnsperf             dnsperf
		check udhcpc              udhcpc
		check systemd             /lib/systemd/systemd-networkd
		check isc-dhcp-client     dhclient
		check ndisc6              rdisc6
		check tinyproxy-bin       tinyproxy
		check traceroute          traceroute
		check tcpdump             tcpdump
		check iperf3              iperf3
		check nftables            nft
		check iptables            iptables
		check vsftpd              vsftpd
		check openssh-client      ssh
		check dropbear-bin        dropbear
		check rsync               rsync
		check iputils-tracepath   tracepath
		check sip-tester          sipp
		check pptp-linux          pptp
		check pptpd               pptpd
		check vsftpd              vsftpd
		check lftp                lftp
		check ngircd              ngircd
		check podman              podman
		check bubblewrap          bwrap
		check systemd-container   systemd-nspawn
		check crun                crun
		check tftp-hpa            tftp
		check tftpd-hpa           in.tftpd
		check qemu-system-x86     qemu-system-x86_64
		check busybox-static      busybox
		check cpio                cpio
		check kmod                depmod
		check xz-utils            xz
		check libcriterion-dev    /usr/include/criterion/criterion.h
		check libpcap-dev         /usr/include/pcap/pcap.h
		check clang               clang
		check llvm                llvm-symbolizer
		check libclang-rt-14-dev  /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*
		check clang-tidy          clang-tidy
		check clang-format        clang-format
		check cppcheck            cppcheck
		check shellcheck          shellcheck
		check mandoc              mandoc
		bench ethtool             ethtool
		bench slirp4netns         slirp4netns
		bench passt               pasta
	E
}

PATH=$PATH:/usr/sbin:/sbin
missing() {
	local group package brings
	while read -r group package brings; do
		[[ " $* " == *" $group "* ]] || continue
		command -v "$brings" >/dev/null || compgen -G "$brings" >/dev/null ||
			echo "$package"
	done < <(list) | sort -u
}

# What a host with systemd starts when it boots.
enabled() {
	[ ! -d /run/systemd/system ] ||
		systemctl list-unit-files --state=enabled --no-legend | cut -d ' ' -f 1 | sort
}

# Keep the packages' scripts from starting services, by the door that Debian has for it; put it back
# after.
install_quietly() {
	local policy=/usr/sbin/policy-rc.d made='' before
	before=$(enabled)
	if [ ! -e $policy ]; then
		made=$policy
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
	fi
	trap '[ -z "$made" ] || rm -f "$made"' RETURN
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq || return
	apt-get install -qq -y --no-install-recommends "$@" >/dev/null || return
	enabled | comm -13 <(printf '%s\n' "$before") - |
		xargs -r systemctl disable --quiet
}

[ $# -gt 0 ] || set -- build demo check bench
mapfile -t packages < <(missing "$@")
[ ${#packages[@]} -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "deps: missing here, by Debian's names: ${packages[*]}" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: run this first:" >&2
	echo "  sudo apt-get install --no-install-recommends ${packages[*]}" >&2
	exit 1
fi
echo "deps: installing ${packages[*]}"
install_quietly "${packages[@]}"
