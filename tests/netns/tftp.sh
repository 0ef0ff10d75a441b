#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tftp: a server that answers from another port than it was asked at, outside and behind a forward.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require in.tftpd tftp
require_tungate
real_root || skip_all "in.tftpd changes its user: a user namespace with one user refuses"
world_build

# tftpd_start NAMESPACE: what is below $WORLD/NAMESPACE/tftp, to read and to write.
tftpd_start() {
	local home=$WORLD/$1/tftp
	mkdir -p "$home"
	chmod 755 "$WORLD" "$WORLD/$1"
	chmod 777 "$home"
	head -c 300000 /dev/urandom >"$home/file"
	chmod 644 "$home/file"
	spawn "$1" "tftpd-$1" in.tftpd --foreground --address :69 --user nobody --create \
		--secure "$home"
	within 5 listens_udp "$1" 69
}

# get NAMESPACE ADDRESS [PORT]: the same bytes as they lie there.
get() {
	rm -f "$WORLD/got"
	ns "$1" timeout 10 tftp -m binary "$2" "${3:-69}" -c get file "$WORLD/got"
	cmp "$WORLD/got" "$4"
}

put() {
	head -c 100000 /dev/urandom >"$WORLD/put"
	ns "$1" timeout 10 tftp -m binary "$2" "${3:-69}" -c put "$WORLD/put" "$5"
	cmp "$WORLD/put" "$4/$5"
}

tftpd_start server
tftpd_start guest
config() {
	gateway_config <<-E
		[network lab]
		subnet = 10.77.0.0/24, fd77:7467::/64
		[link guest]
		netns = guest
		address = $GUEST4, $GUEST6
		[forwards]
		udp 6969 = guest:69
		$1
	E
}
config "[helpers]
tftp ="
tungated_start || gateway_missing
expect "a file is read" get guest $SERVER4 69 "$WORLD/server/tftp/file"
expect "a file is written" put guest $SERVER4 69 "$WORLD/server/tftp" new
expect "... over IPv6" get guest $SERVER6 69 "$WORLD/server/tftp/file"
expect "a file is read through a forward" get server $HOST4 6969 "$WORLD/guest/tftp/file"
expect "a file is written through a forward" put server $HOST4 6969 "$WORLD/guest/tftp" new
gateway_stop

config ""
tungated_start || gateway_missing
expect_fail "without a helper the answer is nobody's" get guest $SERVER4 69 "$WORLD/server/tftp/file"
finish
