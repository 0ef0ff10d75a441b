#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# vm-kernel: the Linux that the tests boot in a virtual machine: Debian's cloud kernel, downloaded
# by apt and unpacked, not installed: vm-kernel.sh DIRECTORY.  Root is not needed.  There are then
# DIRECTORY/vmlinuz and DIRECTORY/modules/*.ko, numbered in the order in which they are loaded, the
# drivers of a virtio network card.  What is there already stays until Debian has a newer one.

directory=${1:?usage: vm-kernel.sh DIRECTORY}
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C

# The tests skip what needs the machine, and `make check` goes on.
cannot() {
	echo "vm-kernel: none, tests with virtual machines are skipped: $1" >&2
	exit 0
}

[ "$(uname -m)" = x86_64 ] || cannot "only for x86_64"
for program in apt-get dpkg-deb depmod modprobe xz; do
	command -v $program >/dev/null || cannot "$program is not installed"
done
mkdir -p "$directory" || exit
work=$(mktemp -d "$directory/work.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT

# Apt with lists of its own, so that it needs no right to update them.
apt=()
lists_update() {
	mkdir -p "$work/lists/partial" "$work/archives/partial"
	apt=(-o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work")
	apt-get -qq "${apt[@]}" -o APT::Sandbox::User="$(id -un)" update
}

newest() {
	apt-cache "${apt[@]}" depends linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p'
}

download() {
	(cd "$work" && apt-get -qq "${apt[@]}" -o APT::Sandbox::User="$(id -un)" download "$package")
}

package=$(newest)
if [ -z "$package" ]; then
	lists_update >"$work/last" 2>&1
	package=$(newest)
fi
if [ -z "$package" ] || [ "$package" = "$(cat "$directory/package" 2>/dev/null)" ]; then
	[ -e "$directory/package" ] || cannot "apt knows no linux-image-cloud-amd64"
	exit 0
fi
# Lists that are older than the mirror name a file that has gone from there.
download >"$work/last" 2>&1 || { lists_update && download; } >"$work/last" 2>&1 ||
	cannot "$(tail -n 1 "$work/last")"

version=${package#linux-image-}
dpkg-deb -x "$work/$package"_*.deb "$work/root" && depmod -b "$work/root" "$version" || exit
rm -rf "$directory/package" "$directory/modules" && mkdir "$directory/modules" || exit
number=10
while read -r _ module _; do
	name=${module##*/}
	xz -dcf "$module" >"$directory/modules/$number-${name%.xz}" || exit
	number=$((number + 1))
done < <(for module in virtio_pci virtio_net; do
	modprobe -d "$work/root" -S "$version" --show-depends $module
done | awk '!seen[$0]++')
cp "$work/root/boot/vmlinuz-$version" "$directory/vmlinuz" &&
	echo "$package" >"$directory/package" &&
	echo "vm-kernel: $version"
