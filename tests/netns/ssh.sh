#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ssh: a session and a copy through the gateway, in both roles.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require ssh scp rsync dropbear dropbearkey
real_root || skip_all "dropbear sets its groups: a user namespace with one user refuses"
world_build
gateway_start

home=$WORLD/ssh
mkdir -p "$home/.ssh" /run/dropbear
ssh-keygen -q -t ed25519 -N '' -f "$home/key"
dropbearkey -t ed25519 -f "$home/host" >/dev/null 2>&1
mount -t tmpfs -o mode=700 tmpfs /root
mkdir -m 700 /root/.ssh
cp "$home/key.pub" /root/.ssh/authorized_keys
spawn server dropbear dropbear -F -E -s -p 22 -r "$home/host" -P "$home/pid"
within 5 listens server 22
options=(-i "$home/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
	-o BatchMode=yes -o ConnectTimeout=5)

expect "a session; the server sees the host's address" \
	says "SSH_CONNECTION=$HOST4 .* $SERVER4 22" ns guest ssh "${options[@]}" root@$SERVER4 env
head -c 20M /dev/urandom >"$home/file"
copy() {
	ns guest scp -O "${options[@]}" "$home/file" "root@$SERVER4:$home/copied" &&
		cmp "$home/file" "$home/copied"
}
expect "scp, 20 MB" copy
mkdir -p "$home/tree/below"
head -c 3M /dev/urandom >"$home/tree/one"
head -c 200k /dev/urandom >"$home/tree/below/two"
mirror() {
	ns guest rsync -a --delete -e "ssh ${options[*]}" "$home/tree/" \
		"root@$SERVER4:$home/mirror/" && diff -r "$home/tree" "$home/mirror"
}
expect "rsync over ssh" mirror
echo changed >>"$home/tree/one"
rm "$home/tree/below/two"
expect "... and again, after changes" mirror
expect_status 42 "the exit status of a remote command" \
	ns guest ssh "${options[@]}" root@$SERVER4 exit 42
finish
