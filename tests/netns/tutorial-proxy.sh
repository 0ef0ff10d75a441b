#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tutorial-proxy: section 5.9 of docs/tutorial.md: a guest asks a server of the internet, and
# another answers in its name: the gateway's, the host's, or another guest's.
# shellcheck source=home.sh
. "$(dirname "$0")/home.sh"

require curl nginx jq python3
home_build proxy
nginx_start server

# The station asks a server that does not exist: it is the proxy that answers, as that server.
nowhere=http://203.0.113.80/page

# ---- 14: the gateway's own ----
cat >"$WORLD/proxy.py" <<-'E'
	"""A web server that answers with what `tungate original` says about its client."""
	import http.server, subprocess
	class Proxy(http.server.BaseHTTPRequestHandler):
	    def do_GET(self):
	        peer, port = self.client_address[:2]
	        asked = subprocess.run(["tungate", "original", "tcp", f"{peer}:{port}"],
	                               capture_output=True, text=True)
	        answer = f"{self.path} of {asked.stdout}{asked.stderr}".encode()
	        self.send_response(200)
	        self.send_header("Content-Length", str(len(answer)))
	        self.end_headers()
	        self.wfile.write(answer)
	http.server.ThreadingHTTPServer(("127.0.0.1", 3128), Proxy).serve_forever()
E
example 14-transparent-proxy-gateway
spawn gw proxy-gw python3 "$WORLD/proxy.py"
proxy=$spawned
within 5 listens gw 3128
expect "14: the gateway's server answers in the other's name" \
	says "^/page of " page station $nowhere
expect "14: ... and knows where the station wanted to go" \
	says "203.0.113.80:80" page station $nowhere
expect "14: the station's connection is with that other one" \
	says "203.0.113.80:80" ns station curl -s -o /dev/null -w '%{remote_ip}:%{remote_port}' $nowhere
expect_fail "14: what is not redirected goes out as ever" \
	page station http://203.0.113.80:8080/ --connect-timeout 1
expect_fail "14: the host's loopback is not open to the station otherwise" \
	page station http://$GATE4:3128/ --connect-timeout 1
example 14-transparent-proxy-gateway '/^redirect/d'
expect_fail "14: without the line nobody answers" page station $nowhere --connect-timeout 1
expect "14: ... and the real server does" page station "http://$SERVER4/"
reap $proxy

# ---- 15: the host's, told by the PROXY protocol ----
proxy_nginx() {
	local home=$WORLD/proxied
	mkdir -p "$home"
	cat >"$home/nginx.conf" <<-E
		user root;
		daemon off;
		master_process off;
		pid $home/nginx.pid;
		error_log $home/error.log;
		events {}
		http {
			access_log off;
			client_body_temp_path $home/body;
			proxy_temp_path $home/proxy;
			fastcgi_temp_path $home/fastcgi;
			uwsgi_temp_path $home/uwsgi;
			scgi_temp_path $home/scgi;
			server {
				listen 127.0.0.1:3128 proxy_protocol;
				location / {
					return 200 "\$proxy_protocol_addr asked \$proxy_protocol_server_addr:\$proxy_protocol_server_port\n";
				}
			}
		}
	E
	spawn gw proxied nginx -c "$home/nginx.conf" -e "$home/error.log"
	within 5 listens gw 3128
}
proxy_nginx
example 15-transparent-proxy-host
expect "15: the proxy is told the station's address and the server that it asked" \
	says "^$GUEST4 asked 203.0.113.80:80\$" page station $nowhere
example 15-transparent-proxy-host 's/ proxy-protocol$//'
expect_fail "15: without the word it is told nothing" page station $nowhere --max-time 2

# ---- 16: another guest's ----
example 16-transparent-proxy-guest
nginx_start proxy 3128
expect "16: the other guest answers" says "^this is proxy" page station http://203.0.113.80/
expect "16: the station's connection is with the server it asked" \
	says "203.0.113.80:80" ns station curl -s -o /dev/null -w '%{remote_ip}:%{remote_port}' \
	http://203.0.113.80/
expect "16: the proxy itself is not redirected" says "^$HOST4\$" seen_as proxy "http://$SERVER4"
example 16-transparent-proxy-guest '/^no-dnat/d'
expect_fail "16: without the exception it would be" says "^$HOST4\$" seen_as proxy "http://$SERVER4"
finish
