#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# qemu-stream.sh: a virtual machine of QEMU's on a socket of tungate's, as an ordinary user, without
# any privilege: qemu-stream.sh SOCKET QEMU-OPTION...
#
#	examples/qemu-stream.sh /run/tungate/vm.sock -m 1G -drive file=debian.qcow2,if=virtio
#
# The administrator has made the socket, which belongs to the network's owner: qemu-stream.conf.
# QEMU 7.2 or later.
set -eu

socket=${1:?usage: qemu-stream.sh SOCKET QEMU-OPTION...}
shift
# Always the same, and another for each machine: QEMU itself gives all of them one.
mac=$(md5sum <<<"$socket" | sed -E 's/^(..)(..)(..).*/52:54:00:\1:\2:\3/')

exec qemu-system-x86_64 -machine accel=kvm:tcg -cpu max -display none -serial mon:stdio \
	-netdev "stream,id=net,server=off,addr.type=unix,addr.path=$socket" \
	-device "virtio-net-pci,netdev=net,mac=$mac" "$@"
