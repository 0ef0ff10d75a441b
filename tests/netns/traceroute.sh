#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# traceroute: the gateway and the router are seen, whatever probes are used: errors find the quoted
# flow.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require traceroute tracepath
world_build
nginx_start server
gateway_start

# path OPTION... ADDRESS: the addresses of the hops in one line.
path() {
	ns guest traceroute -n -q 1 -w 2 -m 6 "$@" | awk 'NR > 1 { print $2 }' | xargs
}
for probe in "-U" "-I" "-T -p 80"; do
	# shellcheck disable=SC2086 # words, not one
	expect_equal "IPv4, traceroute $probe" "$GATE4 $ROUTER4 $SERVER4" "$(path $probe $SERVER4)"
	# shellcheck disable=SC2086
	expect_equal "IPv6, traceroute $probe" "$GATE6 $ROUTER6 $SERVER6" \
		"$(path -6 $probe $SERVER6)"
done

# A path that becomes smaller behind the router: its errors come to who sent too much.
ip -n router link set outer mtu 1400
ip -n server link set eth0 mtu 1400
path_mtu() {
	ns guest tracepath -n -m 6 "$@" | sed -n 's/.*Resume: pmtu \([0-9]*\).*/\1/p'
}
expect_equal "IPv4, tracepath finds the smaller MTU" 1400 "$(path_mtu $SERVER4)"
expect_equal "IPv6, tracepath finds the smaller MTU" 1400 "$(path_mtu -6 $SERVER6)"
finish
