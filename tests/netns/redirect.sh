#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# redirect: guests' connections are led to a proxy, on the host or on another guest, and seem to be
# answered by whom they were for; the proxy learns who that was.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require curl nginx dig dnsmasq socat jq tinyproxy
require_tungate
world_build
nginx_start server
dns_start
OTHER4=10.77.0.3 OTHER6=fd77:7467::3
namespace other
nginx_start other

# On the host: 3128 is a plain web server, on IPv4 alone; 3129 is told of its clients by the PROXY
# protocol, and answers with what it was told.
cat >"$WORLD/proxy.conf" <<-CONFIG
	user root;
	daemon off;
	master_process off;
	pid $WORLD/proxy.pid;
	events {}
	http {
		access_log $WORLD/proxy.log;
		client_body_temp_path $WORLD/proxy-body;
		proxy_temp_path $WORLD/proxy-proxy;
		fastcgi_temp_path $WORLD/proxy-fastcgi;
		uwsgi_temp_path $WORLD/proxy-uwsgi;
		scgi_temp_path $WORLD/proxy-scgi;
		server {
			listen 127.0.0.1:3128;
			location / { return 200 "the host's proxy, \$remote_addr:\$remote_port\n"; }
		}
		server {
			listen 127.0.0.1:3129 proxy_protocol;
			listen [::1]:3129 proxy_protocol;
			return 200 "\$proxy_protocol_addr wanted \$proxy_protocol_server_addr:\$proxy_protocol_server_port\n";
		}
	}
CONFIG
proxy_start() {
	spawn gw proxy nginx -c "$WORLD/proxy.conf" -e "$WORLD/proxy-error.log"
	within 5 listens gw 3128
}
proxy_start || not_ok "the host's proxy runs"
spawn gw dns dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --user=root \
	--port=5353 --listen-address=127.0.0.1 --bind-interfaces --address=/example.test/192.0.2.99
within 5 listens_udp gw 5353 || not_ok "the host's resolver runs"
cat >"$WORLD/tinyproxy.conf" <<-CONFIG
	Port 8888
	Listen 127.0.0.1
	Timeout 60
	MaxClients 20
	LogFile "$WORLD/tinyproxy.log"
CONFIG
spawn gw tinyproxy tinyproxy -d -c "$WORLD/tinyproxy.conf"
within 5 listens gw 8888 || not_ok "tinyproxy runs"

gateway_config <<-CONFIG
	[nat]
	redirect = in lan proto tcp port 80 -> :3128
	redirect = in lan proto tcp port 81 -> host:3129 proxy-protocol
	redirect = in lan proto tcp port 82 -> $OTHER4:80,[$OTHER6]:80
	redirect = in lan proto tcp port 83 -> :8888
	redirect = in lan proto tcp port 84 -> :3999
	redirect = in lan proto udp port 53 to $SERVER4,203.0.113.53 -> :5353
	masquerade = in lan out uplink
	[filter forward]
	rule = accept state established,related
	rule = accept in lan out lan to $OTHER4,$OTHER6 proto tcp port 80
	rule = accept in lan out uplink
CONFIG
gateway_start
guest_attach other $OTHER4,$OTHER6 || not_ok "the second guest is attached"

# ---- to the host ----
expect "a guest asks a server, the host's proxy answers" \
	says "the host's proxy, 127.0.0.1" page guest "http://$SERVER4/"
expect "... also for a server that there is not" \
	says "the host's proxy" page guest "http://203.0.113.7/"
expect "... over IPv6, by a proxy that listens on IPv4 alone" \
	says "the host's proxy" page guest "http://[$SERVER6]/"
expect "what no line redirects goes where it wants" \
	says "^$SERVER4\$" ns guest dig +tcp +short +time=2 @$SERVER4 www.example.test
expect "PROXY protocol: who asks, and for whom" \
	says "^$GUEST4 wanted $SERVER4:81\$" page guest "http://$SERVER4:81/"
expect "... over IPv6" \
	says "^$GUEST6 wanted $SERVER6:81\$" page guest "http://[$SERVER6]:81/"
expect "... of another guest" \
	says "^$OTHER4 wanted 203.0.113.7:81\$" page other "http://203.0.113.7:81/"
expect "tinyproxy fetches what the guest wanted" \
	says "this is server" page guest "http://$SERVER4:83/" -H "Host: $SERVER4"

# ---- to another guest ----
expect "another guest answers for the server" \
	says "this is other" page guest "http://$SERVER4:82/"
expect "... over IPv6" says "this is other" page guest "http://[$SERVER6]:82/"
expect "... and sees the client's own address" \
	says "^$GUEST4\$" page guest "http://$SERVER4:82/who"

# ---- UDP ----
expect "a question to any resolver is answered by the host's" \
	says '^192.0.2.99$' ns guest dig +short +time=2 +tries=2 @203.0.113.53 www.example.test
expect "... as if by the one that was asked" says "SERVER: $SERVER4#53" \
	ns guest dig +time=2 +tries=2 @$SERVER4 www.example.test
expect "the gateway's own DNS is not touched" \
	says "^$SERVER4\$" ns guest dig +short +time=2 +tries=2 @$GATE4 www.example.test

# ---- the original destination ----
spawn gw sink socat TCP-LISTEN:3999,bind=127.0.0.1,reuseaddr,fork EXEC:cat
sink=$spawned
within 3 listens gw 3999
ns guest socat -u "TCP:203.0.113.9:84,connect-timeout=2" - >/dev/null 2>&1 &
client=$!
accepted() {
	peer=$(ns gw ss -Htn state established "sport = :3999" | awk '{print $4}')
	[ -n "$peer" ]
}
within 3 accepted || not_ok "a connection waits at the proxy"
expect "the proxy asks where its client wanted to go" \
	says "^203.0.113.9:84, asked for by $GUEST4:[0-9]+ of network default\$" \
	tungate original tcp "$peer"
expect_equal "... as JSON" "203.0.113.9 84 $GUEST4" "$(tungate original tcp "$peer" --json |
	jq -r '"\(.destination) \(.destination_port) \(.source)"')"
expect_status 5 "an address that is nobody's" tungate original tcp 127.0.0.1:1
kill $client
reap "$sink"
ns guest socat -u "TCP:$SERVER4:82,connect-timeout=2" - >/dev/null 2>&1 &
client=$!
redirected_to_guest() {
	peer=$(ns other ss -Htn state established "sport = :80" | awk '{print $4; exit}')
	[ -n "$peer" ]
}
if within 3 redirected_to_guest; then
	expect "a proxy on a guest asks, too" says "^$SERVER4:82, asked for by ${peer}" \
		tungate original tcp "$peer"
	expect "... more quickly with its own end" says "^$SERVER4:82, asked" \
		tungate original tcp "$peer" "$OTHER4:80"
else
	not_ok "a connection waits at the other guest"
fi
kill $client 2>/dev/null

# ---- nothing else is opened, even where the filter lets it in ----
printf '[filter input]\nrule = accept\n' >>"$WORLD/tungate.conf"
tungate reload >"$WORLD/last" 2>&1 || not_ok "a reload with an open chain input"
expect_fail "the socket that listens is for redirected connections alone" \
	page guest "http://$GATE4:3128/"
expect_fail "... and the loopback for nobody else" page guest "http://$GATE4:8888/"

# ---- a proxy that is down ----
reset_at_once() {
	local start=${EPOCHREALTIME/./}
	says '(56|52|7)\) ' page guest "$1" &&
		[ $((${EPOCHREALTIME/./} - start)) -lt 2000000 ]
}
expect "a proxy that is down: the guest is reset" reset_at_once "http://$SERVER4:84/"
expect "... over IPv6, too" reset_at_once "http://[$SERVER6]:84/"

# ---- much, and half-closed ----
head -c 20000000 /dev/urandom >"$WORLD/server/www/big"
expect_equal "20 MB by way of tinyproxy arrive whole" "$(md5sum <"$WORLD/server/www/big")" \
	"$(page guest "http://$SERVER4:83/big" -H "Host: $SERVER4" | md5sum)"
spawn gw half socat TCP-LISTEN:3999,bind=127.0.0.1,reuseaddr,fork SYSTEM:'wc -c'
half=$spawned
within 3 listens gw 3999 || not_ok "somebody counts at the host"
count_through() {
	head -c 3000000 /dev/zero | ns guest socat -t5 - "TCP:$SERVER4:84"
}
expect_equal "the end of one direction passes, then the answer comes" 3000000 \
	"$(count_through)"
reap "$half"

# ---- reload ----
sed -i 's/port 81 -> host:3129 proxy-protocol/port 81 -> :3128/; /port 82/d' \
	"$WORLD/tungate.conf"
expect "a reload" tungate reload
expect "... leads to another port" says "the host's proxy" page guest "http://$SERVER4:81/"
expect_fail "... and what is gone leads nowhere" page guest "http://$SERVER4:82/"
sed -i 's/port 84 -> :3999/port 84 -> :53/' "$WORLD/tungate.conf"
sed -i '/proto udp/s/:5353/:53/' "$WORLD/tungate.conf"
expect "a port that the gateway needs itself is refused" \
	says "relays DNS: redirect to another" tungate reload
expect "... and all is as before" says "the host's proxy" page guest "http://$SERVER4:81/"
finish
