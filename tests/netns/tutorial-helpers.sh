#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tutorial-helpers: section 5.3 of docs/tutorial.md: FTP whose server opens the data connection, and
# IRC whose users connect to each other.
# shellcheck source=home.sh
. "$(dirname "$0")/home.sh"

require curl jq python3 vsftpd
home_build

# ---- 08: active FTP ----
mkdir -p "$WORLD/ftp/empty"
head -c 300000 /dev/urandom >"$WORLD/ftp/file"
chmod 555 "$WORLD/ftp"
cat >"$WORLD/vsftpd.conf" <<-E
	listen=YES
	background=NO
	anonymous_enable=YES
	anon_root=$WORLD/ftp
	no_anon_password=YES
	secure_chroot_dir=$WORLD/ftp/empty
	run_as_launching_user=YES
	one_process_model=YES
	port_enable=YES
	connect_from_port_20=NO
	seccomp_sandbox=NO
	isolate=NO
	isolate_network=NO
E
spawn server vsftpd vsftpd "$WORLD/vsftpd.conf"
within 5 listens server 21

# fetch OPTION...: the file by FTP, whole.
fetch() {
	rm -f "$WORLD/fetched"
	ns station curl -sS --connect-timeout 3 --max-time 8 -o "$WORLD/fetched" "$@" \
		"ftp://$SERVER4/file" && cmp "$WORLD/ftp/file" "$WORLD/fetched"
}
example 08-active-ftp
expect "08: active FTP: the server opens the data connection" fetch --ftp-port - --disable-eprt
expect "08: ... announced with EPRT too" fetch --ftp-port -
expect "08: passive FTP" fetch
example 08-active-ftp '/^ftp =/d'
expect_fail "08: without the helper no data connection comes in" fetch --ftp-port -
expect "08: ... passive FTP needs none" fetch
example 08-active-ftp 's/established,related/established/'
expect_fail "08: a chain without \`related\` does not let it in" fetch --ftp-port -

# ---- 09: DCC ----
cat >"$WORLD/irc.py" <<-'E'
	"""irc.py server: welcomes users and passes messages on.  irc.py offer ADDRESS: offers a file by
	DCC.  irc.py take: takes one, and prints whose address it was offered with."""
	import socket, sys, threading
	def server():
	    users = []
	    def serve(user):
	        for line in user.makefile("rb"):
	            if line.startswith(b"NICK"):
	                user.sendall(b":irc.test 001 you :Welcome\r\n")
	            for other in users:
	                if line.startswith(b"PRIVMSG") and other is not user:
	                    other.sendall(b":alice!a@test " + line)
	    with socket.create_server(("", 6667)) as listener:
	        while True:
	            user, _ = listener.accept()
	            users.append(user)
	            threading.Thread(target=serve, args=(user,), daemon=True).start()
	def enter(address, name):
	    irc = socket.create_connection((address, 6667), 5)
	    irc.sendall(b"NICK %s\r\nUSER x 0 * :x\r\n" % name)
	    irc.settimeout(8)
	    lines = irc.makefile("rb")
	    lines.readline()
	    return irc, lines
	def offer(address):
	    with socket.create_server(("", 5050)) as files:
	        irc, _ = enter(address, b"alice")
	        files.settimeout(4)
	        number = int.from_bytes(socket.inet_aton(irc.getsockname()[0]), "big")
	        irc.sendall(b"PRIVMSG bob :\x01DCC SEND cat.txt %d 5050 4\x01\r\n" % number)
	        files.accept()[0].sendall(b"meow")
	def take():
	    _, lines = enter("127.0.0.1", b"bob")
	    words = lines.readline().replace(b"\x01", b" ").split()
	    number, port = words[words.index(b"DCC") + 3:][:2]
	    address = socket.inet_ntoa(int(number).to_bytes(4, "big"))
	    print("offered by", address, flush=True)
	    with socket.create_connection((address, int(port)), 3) as file:
	        print("got", file.recv(4).decode())
	globals()[sys.argv[1]](*sys.argv[2:])
E
spawn server irc python3 "$WORLD/irc.py" server
within 5 listens server 6667

# dcc: the station offers a file to a user beside the server, who prints what it gets.
dcc() {
	ns server timeout 10 python3 "$WORLD/irc.py" take &
	local taker=$!
	within 5 says ESTAB ns server ss -Htn "dport = :6667"
	ns station timeout 10 python3 "$WORLD/irc.py" offer $SERVER4
	wait $taker
}
example 09-irc-dcc
expect "09: the offer has the gateway's address, and the file is fetched there" \
	says "offered by $HOST4 got meow" eval "dcc 2>&1 | xargs"
example 09-irc-dcc '/^irc =/d'
expect_fail "09: without the helper the offer leads nowhere" says "got meow" dcc
finish
