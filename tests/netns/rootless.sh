#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# rootless: the whole world again, gateway included, made by a user without any privilege.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require_tungate
real_root || skip_all "this run is without root as it is"

# A user's view of a usual host: /dev/net/tun is everybody's.
mount -t tmpfs -o mode=755 tmpfs /dev/net
mknod -m 666 /dev/net/tun c 10 200
as_nobody() {
	env -u WORLD TEST="rootless-$1" $nobody bash "$ROOT/tests/netns/$1.sh"
}
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
$nobody test -x "$TUNGATE_BUILD/tungated" -a -r "$ROOT/tests/netns/lib.sh" ||
	skip_all "the user nobody cannot read this directory"
$nobody unshare --user --map-root-user --net true 2>/dev/null ||
	skip_all "this kernel lets only root make namespaces"
for name in ping tcp dns forward run-command; do
	expect "$name" as_nobody "$name"
done
finish
