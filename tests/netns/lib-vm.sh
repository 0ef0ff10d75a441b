# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lib-vm.sh: real Linux machines in a world of lib.sh: Debian's kernel (make vm-kernel) in QEMU,
# with busybox and tests/vm/init as all its userland.  Where there is no KVM, QEMU emulates: two or
# three seconds from the start to the lease.
#
#     vm_start NAME NAMESPACE QEMU...   boot one; QEMU and its options about the card and the
#                                       first serial line, or a script that passes options on
#     vm NAME COMMAND                   a shell command inside, with its output and status
#     vm_halt NAME                      shut it down from inside

VM_KERNEL=${VM_KERNEL:-$ROOT/build/vm}
declare -A vm_process=() vm_line=()

# Skip the script where there can be no machine; make what they boot.
vm_require() {
	require qemu-system-x86_64 busybox cpio curl
	[ -e "$VM_KERNEL/vmlinuz" ] || skip_all "there is no $VM_KERNEL/vmlinuz (make vm-kernel)"
	local root=$WORLD/vm/root
	mkdir -p "$root"/{bin,dev,etc,modules,proc,sys,tmp,www}
	cp "$(command -v busybox)" "$root/bin/"
	vm_program "$(command -v curl)" "$root"
	cp "$VM_KERNEL"/modules/*.ko "$root/modules/"
	cp "$ROOT"/tests/vm/* "$root/"
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$WORLD/vm/initrd" || exit
	cp "$VM_KERNEL/vmlinuz" "$WORLD/vm/" || exit
}

# vm_program PATH ROOT: a program of the host's with its libraries.
vm_program() {
	ldd "$1" | grep -o '/[^ ]*' | xargs cp --parents -L -t "$2" "$1"
}

# The machine's console is $WORLD/log/NAME.
vm_start() {
	local name=$1 namespace=$2 line=$WORLD/vm/$1 descriptor
	shift 2
	rm -f "$line.in" "$line.out"
	mkfifo -m 666 "$line.in" "$line.out"
	spawn "$namespace" "$name" "$@" -m 192M -nodefaults -no-user-config -no-reboot \
		-kernel "$WORLD/vm/vmlinuz" -initrd "$WORLD/vm/initrd" -append "name=$name $VM_WORDS" \
		-serial "pipe:$line"
	# shellcheck disable=SC2154
	vm_process[$name]=$spawned
	exec {descriptor}<>"$line.out"
	vm_line[$name]=$descriptor
}

# What shortens the boot; no randomness but the processor's is there to wait for.
VM_WORDS="console=ttyS0 quiet mitigations=off tsc=reliable no_timer_check random.trust_cpu=on panic=-1"

# vm NAME COMMAND: an answer may take VM_SECONDS.  The empty line wakes a machine whose emulated line
# has lost an interrupt.
vm() {
	local name=$1 line number=$RANDOM until=$((SECONDS + ${VM_SECONDS:-30}))
	printf '%s\n' "$number $2" >"$WORLD/vm/$name.in"
	while [ $SECONDS -lt $until ]; do
		if ! IFS= read -r -t 2 -u "${vm_line[$name]}" line; then
			echo >"$WORLD/vm/$name.in"
			continue
		fi
		case $line in
		"= $number "*) return "${line##* }" ;;
		"= "*) ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
	echo "vm $name: no answer to: $2"
	tail -n 5 "$WORLD/log/$name"
	return 124
}

# vm_booted NAME: wait until it listens.
vm_booted() {
	within 120 grep -q "^$1 is up" "$WORLD/log/$1"
}

# Ends QEMU, and whatever has started it.
vm_halt() {
	local process=${vm_process[$1]}
	vm "$1" "(sleep 0.1; poweroff -f) &"
	within 30 vm_ended "$process" || reap "$process" KILL
	wait "$process"
}

vm_ended() {
	! kill -0 "$1" 2>/dev/null || [ "$(cut -d ' ' -f 3 "/proc/$1/stat")" = Z ]
}
