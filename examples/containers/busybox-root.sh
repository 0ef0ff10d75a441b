#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# busybox-root.sh DIRECTORY: make the smallest root file system that the other examples run, out of
# the host's static busybox, so that nothing need be downloaded.
set -eu

mkdir -p "$1/bin" "$1/dev" "$1/etc" "$1/proc" "$1/root" "$1/run" "$1/sys" "$1/tmp" "$1/usr" "$1/var"
cp "$(command -v busybox)" "$1/bin/busybox"
for applet in cat hostname httpd ip nc nslookup sh sleep true wget; do
	ln -sf busybox "$1/bin/$applet"
done
echo "root:x:0:0:root:/root:/bin/sh" >"$1/etc/passwd"
printf 'ID=busybox\nVERSION_ID=1\n' >"$1/etc/os-release"
: >"$1/etc/resolv.conf"
