#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# qemu-tap.sh: a virtual machine of QEMU's on a TAP, as root: qemu-tap.sh NAME QEMU-OPTION...
#
#	tungated &
#	examples/qemu-tap.sh web -m 1G -drive file=debian.qcow2,if=virtio
#
# The TAP needs no bridge and no address: tungate takes it over and answers the machine's DHCP, router
# solicitations and DNS itself.  With vnet_hdr, 64 KiB segments cross it in one piece.  Libvirt,
# cloud-hypervisor and others that open an existing TAP do without the last lines here.
set -eu

name=${1:?usage: qemu-tap.sh NAME QEMU-OPTION...}
shift
tap=tap-$name
# Always the same, and another for each machine: QEMU itself gives all of them one.
mac=$(md5sum <<<"$name" | sed -E 's/^(..)(..)(..).*/52:54:00:\1:\2:\3/')

ip tuntap add "$tap" mode tap vnet_hdr
trap 'ip link del "$tap"' EXIT
tungate attach --netdev "$tap" --name "$name"
trap 'tungate detach "$name"; ip link del "$tap"' EXIT

qemu-system-x86_64 -machine accel=kvm:tcg -cpu max -display none -serial mon:stdio \
	-netdev "tap,id=net,ifname=$tap,script=no,downscript=no" \
	-device "virtio-net-pci,netdev=net,mac=$mac" "$@"
