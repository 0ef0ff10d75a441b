#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# firecracker-tap.sh: a microVM of Firecracker's, as root: firecracker-tap.sh NAME CONFIG
#
#	tungated &
#	examples/firecracker-tap.sh web examples/firecracker.json
#
# The TAP that the configuration names is made and handed to tungate, which answers the machine's
# DHCP, router solicitations and DNS; no bridge, no address, no iptables.  A machine that asks for no
# address has the one that `tungate links` shows put into its own set-up.
#
# Where there is no Firecracker, QEMU stands in, with the same kernel, disks, memory and TAP; it may
# have more options behind CONFIG.
set -eu

name=${1:?usage: firecracker-tap.sh NAME CONFIG}
config=${2:?usage: firecracker-tap.sh NAME CONFIG}
shift 2

said() {
	jq -r "$1" "$config"
}

card='."network-interfaces"[0]'
tap=$(said "$card.host_dev_name") mac=$(said "$card.guest_mac")

ip tuntap add "$tap" mode tap vnet_hdr
trap 'ip link del "$tap"' EXIT
tungate attach --netdev "$tap" --name "$name" --mac "$mac"
trap 'tungate detach "$name"; ip link del "$tap"' EXIT

if command -v firecracker >/dev/null; then
	firecracker --no-api --config-file "$config"
	exit
fi
echo "firecracker is not installed: QEMU stands in" >&2
options=(-m "$(said '."machine-config".mem_size_mib')")
options+=(-kernel "$(said '."boot-source".kernel_image_path')")
options+=(-append "$(said '."boot-source".boot_args | sub(" *pci=off"; "")')")
for initrd in $(said '."boot-source".initrd_path // empty'); do
	options+=(-initrd "$initrd")
done
for disk in $(said '.drives[].path_on_host'); do
	options+=(-drive "file=$disk,format=raw,if=virtio")
done
qemu-system-x86_64 -machine accel=kvm:tcg -cpu max -display none -serial mon:stdio \
	-netdev "tap,id=net,ifname=$tap,script=no,downscript=no" \
	-device "virtio-net-pci,netdev=net,mac=$mac" "${options[@]}" "$@"
