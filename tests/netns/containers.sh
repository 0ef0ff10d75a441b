# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# containers.sh: what the tests with containers share; sourced behind lib.sh.

# rootfs_make DIRECTORY: a root with busybox and nothing else.
rootfs_make() {
	"$ROOT/examples/containers/busybox-root.sh" "$1"
}

# podman_prepare: podman keeps everything in the world, and has a network "tungate" by the CNI
# plugin.  Its settings are files, as a container's end is seen to by a podman without our
# environment.
podman_prepare() {
	local home=$WORLD/podman
	mkdir -p "$home/networks"
	cp "$ROOT/examples/cni/87-tungate.conflist" "$home/networks/"
	mount -t tmpfs tmpfs /etc/containers
	cat >/etc/containers/containers.conf <<-E
		[network]
		network_backend = "cni"
		cni_plugin_dirs = ["$TUNGATE_BUILD"]
		network_config_dir = "$home/networks"
		default_network = "tungate"
		[engine]
		cgroup_manager = "cgroupfs"
		enable_port_reservation = false
		events_logger = "file"
		runtime = "crun"
		tmp_dir = "$home/tmp"
		volume_path = "$home/volumes"
		[containers]
		cgroups = "disabled"
		seccomp_profile = "unconfined"
		log_driver = "k8s-file"
	E
	cat >/etc/containers/storage.conf <<-E
		[storage]
		driver = "vfs"
		graphroot = "$home/root"
		runroot = "$home/runroot"
	E
	# crun wants cgroups of one version, a machine may have both.
	umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
}
