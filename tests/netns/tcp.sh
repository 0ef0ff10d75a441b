#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tcp: pages, large files both ways with their hashes, many connections at a time, refusals,
# half-closed connections.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx socat
world_build
nginx_start server
gateway_start
head -c 50M /dev/urandom >"$WORLD/server/www/big"
hash=$(sha256sum <"$WORLD/server/www/big")

expect "a page" says "this is server" page guest "http://$SERVER4/"
expect "the server sees the host's address" says "^$HOST4\$" page guest "http://$SERVER4/who"

download() {
	[ "$(page guest "http://$1/big" | sha256sum)" = "$hash" ]
}
expect "50 MB down, the hash is right" download "$SERVER4"

upload() {
	spawn server sink socat -u TCP-LISTEN:7000,reuseaddr "CREATE:$WORLD/uploaded"
	local sink=$spawned
	within 5 listens server 7000
	ns guest socat -u "OPEN:$WORLD/server/www/big" TCP:"$SERVER4":7000
	wait "$sink"
	[ "$(sha256sum <"$WORLD/uploaded")" = "$hash" ]
}
expect "50 MB up, the hash is right" upload

many_at_once() {
	local urls=() i
	for i in {1..200}; do urls+=("http://$SERVER4/?$i"); done
	ns guest curl -fsS --no-keepalive --parallel --parallel-max 50 --parallel-immediate \
		-H 'Connection: close' --max-time 20 "${urls[@]}" >"$WORLD/pages"
	[ "$(grep -c 'this is server' "$WORLD/pages")" -eq 200 ]
}
expect "200 connections, 50 at a time" many_at_once

expect_status 7 "a closed port refuses at once" page guest "http://$SERVER4:81/" --max-time 1

# The client closes its half and still gets the answer: sort prints only after its input has ended.
half_closed() {
	spawn server sort socat TCP-LISTEN:7001,reuseaddr EXEC:sort
	within 5 listens server 7001
	[ "$(printf 'c\na\nb\n' | ns guest socat -t 5 - TCP:"$SERVER4":7001 | tr -d '\n')" = abc ]
}
expect "a half-closed connection still carries the other half" half_closed
finish
