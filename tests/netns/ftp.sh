#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ftp: lftp and curl against vsftpd, active and passive, the server outside and behind a forward,
# over IPv4 and IPv6; and that nothing is helped where nobody asked for it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require vsftpd lftp curl jq
require_tungate
real_root || skip_all "vsftpd changes its user: a user namespace with one user refuses"
world_build

# vsftpd_start NAMESPACE: anonymous FTP of $WORLD/NAMESPACE/ftp, over both families.
vsftpd_start() {
	local home=$WORLD/$1
	mkdir -p "$home/ftp" "$home/empty"
	chmod 755 "$WORLD" "$home" "$home/ftp"
	echo "this is $1" >"$home/ftp/hello"
	cat >"$home/vsftpd.conf" <<-E
		listen=NO
		listen_ipv6=YES
		background=NO
		anonymous_enable=YES
		local_enable=NO
		no_anon_password=YES
		anon_root=$home/ftp
		secure_chroot_dir=$home/empty
		connect_from_port_20=YES
		ftp_username=daemon
		seccomp_sandbox=NO
		isolate=NO
		isolate_network=NO
		xferlog_enable=NO
	E
	chmod 644 "$home/vsftpd.conf"
	spawn "$1" "vsftpd-$1" vsftpd "$home/vsftpd.conf"
	within 5 listens "$1" 21
}

# fetch NAMESPACE OPTIONS... URL: curl's way; EPRT and EPSV unless it is told otherwise.
fetch() {
	local name=$1
	shift
	ns "$name" curl -sS --fail --connect-timeout 5 --max-time 20 "$@"
}

# mirror NAMESPACE PASSIVE URL FILE: lftp's way.
mirror() {
	ns "$1" lftp -c "set ftp:passive-mode $2; set net:max-retries 1; set net:timeout 8;
		set ftp:ssl-allow no; open $3; get $4 -o $WORLD/got" && cat "$WORLD/got"
	local status=$?
	rm -f "$WORLD/got"
	return "$status"
}

hash_of() {
	fetch "$@" | sha256sum
}

vsftpd_start server
vsftpd_start guest
head -c 50000000 /dev/urandom >"$WORLD/server/ftp/large"
cp "$WORLD/server/ftp/large" "$WORLD/guest/ftp/large"
chmod 644 "$WORLD"/*/ftp/large
wanted=$(sha256sum <"$WORLD/server/ftp/large")

config() {
	gateway_config <<-E
		[network lab]
		subnet = 10.77.0.0/24, fd77:7467::/64
		[link guest]
		netns = guest
		address = $GUEST4, $GUEST6
		[forwards]
		tcp 2121 = guest:21
		$1
	E
}
config "[helpers]
ftp ="
tungated_start || gateway_missing

# ---- the client behind the gateway ----
server=ftp://$SERVER4/hello server6=ftp://[$SERVER6]/hello
expect "passive (EPSV)" says "this is server" fetch guest $server
expect "passive (PASV)" says "this is server" fetch guest --disable-epsv $server
expect "active (EPRT)" says "this is server" fetch guest -P - $server
expect "active (PORT)" says "this is server" fetch guest -P - --disable-eprt $server
expect "passive over IPv6" says "this is server" fetch guest "$server6"
expect "active over IPv6" says "this is server" fetch guest -P - "$server6"
expect "lftp, passive" says "this is server" mirror guest on ftp://$SERVER4 hello
expect "lftp, active" says "this is server" mirror guest off ftp://$SERVER4 hello
expect_equal "50 MB, active: the same bytes" "$wanted" "$(hash_of guest -P - ftp://$SERVER4/large)"
expect_equal "50 MB, passive" "$wanted" "$(hash_of guest ftp://$SERVER4/large)"

# ---- the server behind a forward ----
guest=ftp://$HOST4:2121/hello guest6=ftp://[$HOST6]:2121/hello
expect "a forward: passive (EPSV)" says "this is guest" fetch server $guest
expect "a forward: passive (PASV)" says "this is guest" fetch server --disable-epsv $guest
expect "a forward: active (PORT)" says "this is guest" fetch server -P - --disable-eprt $guest
expect "a forward: active (EPRT)" says "this is guest" fetch server -P - $guest
expect "a forward: passive over IPv6" says "this is guest" fetch server "$guest6"
expect "a forward: active over IPv6" says "this is guest" fetch server -P - "$guest6"
expect_equal "a forward: 50 MB, passive" "$wanted" "$(hash_of server ftp://$HOST4:2121/large)"
expect_equal "a forward: 50 MB, active" "$wanted" "$(hash_of server -P - ftp://$HOST4:2121/large)"

# ---- what can be seen of it ----
spawn guest control bash -c "exec 3<>/dev/tcp/$SERVER4/21; read -r <&3
	printf 'USER anonymous\r\nPASS x\r\nPORT 10,77,0,2,200,1\r\n' >&3; sleep 20"
control=$spawned
eventually 5 "an expectation is listed" \
	says "ftp .*10.77.0.2:51201" tungate expectations
expect "... as JSON" says '"listener_port": *51201' tungate expectations --json
expect_equal "the control connection says who reads it" 1 \
	"$(flows '.helper == "ftp" and .state == "established" and .original.destination_port == 21')"
reap $control
gateway_stop

# ---- off unless it is configured ----
config ""
tungated_start || gateway_missing
expect_fail "without a helper active mode fails" fetch guest -P - --disable-eprt --max-time 8 $server
expect "... and passive mode needs none" says "this is server" fetch guest $server
expect_fail "a server behind a forward cannot be passive" fetch server --max-time 8 $guest
finish
