#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dns: questions to a server on the internet, and to the gateway address, which asks the host's
# resolver.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require dig dnsmasq
world_build
dns_start
gateway_start

ask() {
	ns guest dig +short +time=2 +tries=2 "$@"
}
expect "a question over UDP" says "^$SERVER4\$" ask @$SERVER4 www.example.test
expect "a question over TCP" says "^$SERVER4\$" ask +tcp @$SERVER4 www.example.test
expect "a question over IPv6" says "^$SERVER6\$" ask @$SERVER6 www.example.test AAAA
# large OPTION...: an answer of 3000 bytes, in one datagram: in fragments, that is.
large() {
	ask +bufsize=4096 +notcp +ignore "$@" large.example.test TXT | tr -d '" \n' | wc -c
}
expect_equal "a large answer in fragments" 3000 "$(large @$SERVER4)"
expect_equal "... over IPv6" 3000 "$(large @$SERVER6)"
expect "an answer too long for UDP" says "zzz" ask +bufsize=512 @$SERVER4 long.example.test TXT

if [ "$GATEWAY" = tungate ]; then
	expect "the gateway address answers" says "^$SERVER4\$" ask @$GATE4 www.example.test
	expect "... over TCP" says "^$SERVER4\$" ask +tcp @$GATE4 www.example.test
	expect "... over IPv6" says "^$SERVER6\$" ask @$GATE6 www.example.test AAAA
	expect "... with a long answer" says "zzz" ask +bufsize=512 @$GATE4 long.example.test TXT
	expect_equal "... and a large one in fragments" 3000 "$(large @$GATE4)"
else
	skip "the gateway address answers" "tungated's own service"
fi
finish
