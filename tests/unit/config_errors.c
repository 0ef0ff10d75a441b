/* SPDX-License-Identifier: BSD-2-Clause */
/* config_errors: what is wrong with a file, told all at once, by line, with what is allowed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tungate/config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LAB "[network lab]\nsubnet = 10.1.0.0/24, fd01::/64\n"
#define TWO "[network a]\nsubnet = 10.1.0.0/24\n[network b]\nsubnet = 10.2.0.0/24\n"

/* One mistake each, and what its message must begin and go on with. */
static const struct {
	const char *text;
	const char *start; /* behind "t:" */
	const char *rest;  /* somewhere in it */
} rows[] = {
	/* the look of a line */
	{"x", "1: neither", "KEY = VALUE"},
	{"[gateway]\nlog-level: info\n", "2: neither", "KEY = VALUE"},
	{"\n\xef\xbb\xbf[gateway]\n", "2: neither", "SECTION"},
	{"[gateway]\n= x\n", "2: `= x`", "key is missing"},
	{"x = y", "1: `x = y`", "before any section"},
	{"[gateway", "1: `[gateway`", "[KIND NAME]"},
	{"[gateway] x", "1: `[gateway] x`", "[KIND NAME]"},
	{"[]\nx = y\n", "1: `[]`", "[KIND NAME]"},
	{"[ ]", "1: `[ ]`", "[KIND NAME]"},

	/* sections */
	{"[gatway]\nx = y\n", "1: [gatway]: unknown section `gatway`: did you mean `gateway`?",
		"allowed: gateway, timeouts, limits, sets, network, link, filter, chain, nat, "
		"forwards"},
	{"[gateway x]", "1: [gateway x]", "without a name"},
	{"[gateway]\n[limits]\n[gateway]\nx = y\n", "3: [gateway]", "line 1"},
	{"[filter]", "1: [filter]", "allowed: input, forward, output"},
	{"[filter forwrad]", "1: [filter forwrad]", "did you mean `forward`?"},
	{"[filter input]\n[filter output]\n[filter input]\n", "3: [filter input]", "line 1"},
	{"[network]", "1: [network]", "bad name"},
	{"[network uplink]", "1: [network uplink]", "which rules use"},
	{"[network a b]", "1: [network a b]", "allowed: letters, digits"},
	{"[network -a]", "1: [network -a]", "letter or digit first"},
	{"[network 10.0.0.1]", "1: [network 10.0.0.1]", "no address"},
	{"[network abcdefghijklmnopqrstuvwxyz-123456]", "1: [network abc", "1 to 31"},
	{LAB "[network lab]\nsubnet = 10.2.0.0/24\n", "3: [network lab]", "line 1"},
	{"[link w]\nnetns = a\n[link w]\nnetns = b\n", "3: [link w]", "line 1"},

	/* names */
	{LAB "dns-server = 10.0.0.53, resolver\n", "3: `dns-server = ", "bad address `resolver`"},
	{LAB "dns-server = 1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,"
	     "1.1.1.9\n",
		"3: `dns-server = ", "allowed: at most 8 servers"},
	{LAB "dns-zone = corp.example\n", "3: `dns-zone = corp.example`",
		"allowed: ZONE ADDRESS[,ADDRESS]"},
	{LAB "dns-zone = corp..example 10.0.0.53\n", "3: `dns-zone = ", "bad name `corp..example`"},
	{LAB "dns-zone = corp.example 10.0.0\n", "3: `dns-zone = ", "bad address `10.0.0`"},
	{LAB "dns-zone = a.example 10.0.0.1\ndns-zone = A.example. 10.0.0.2\n",
		"4: `dns-zone = ", "one line for each zone"},
	{LAB "dns-name = db.lab\n", "3: `dns-name = db.lab`", "allowed: NAME ADDRESS"},
	{LAB "dns-name = db.lab 10.77.0\n", "3: `dns-name = ", "bad address `10.77.0`"},
	{LAB "dns-name = d!b.lab 10.77.0.50\n", "3: `dns-name = ", "bad name `d!b.lab`"},
	{LAB "dns-rebind = maybe\n", "3: `dns-rebind = maybe`", "allowed: yes, no"},
	{LAB "dns-rebind-allow = a.example,.\n", "3: `dns-rebind-allow = ", "bad name `.`"},
	{"[gateway]\ndns-cache = -1\n", "2: `dns-cache = -1`", "allowed: off, or 0 to 1048576"},

	/* keys */
	{"[limits]\nflwos = 1\n", "2: `flwos = 1`: unknown key `flwos`: did you mean `flows`?",
		"allowed: flows, icmp-errors-per-second, fragments, fragment-bytes"},
	{"[limits]\nflows = 2000\n\nflows = 2000\n", "4: `flows = 2000`", "line 2"},
	{"[limits]\nflows = 1023\n", "2: `flows = 1023`", "allowed: 1024 to 4194304"},
	{"[limits]\nflows = 4194305\n", "2: ", "allowed: 1024 to 4194304"},
	{"[limits]\nflows = 99999999999999999999\n", "2: ", "allowed: 1024"},
	{"[limits]\nflows = -1\n", "2: ", "allowed: 1024"},
	{"[limits]\nflows =\n", "2: `flows = `", "allowed: 1024"},
	{"[limits]\nflows = 2K\n", "2: ", "allowed: 1024"},
	{"[limits]\nguest-flows = 0\n", "2: `guest-flows = 0`", "auto, or 1 to 4194304"},
	{"[limits]\nguest-ports = many\n", "2: ", "auto, or 1 to 65535"},
	{"[limits]\nguest-bytes-per-second = 1\n", "2: ", "unlimited, or 1000 to"},
	{"[limits]\nguest-flows = default\n", "2: ", "auto, or"},
	{LAB "guest-flows = auto\n", "3: `guest-flows = auto`", "default, or 1 to 4194304"},
	{LAB "guest-flow = 1\n", "3: ", "did you mean `guest-flows`?"},
	{"[timeouts]\ntcp port 22\n", "2: neither", "KEY = VALUE"},
	{"[timeouts]\ntcp ports 22 = 1d\n", "2: `tcp ports 22 = 1d`", "tcp port N[-M]"},
	{"[timeouts]\ntcp port 22 23 = 1d\n", "2: ", "tcp port N[-M]"},
	{"[timeouts]\nudp port 0 = 1d\n", "2: ", "bad port `0`"},
	{"[timeouts]\nudp port 53 = 6d\n", "2: ", "allowed: 1 to 432000 seconds"},
	{"[timeouts]\ntcp port 20-22 = 1d\nudp port 21 = 1d\ntcp port 22 = 2d\n",
		"4: `tcp port 22 = 2d`", "line 2"},
	{"[timeouts]\nsctp port 22 = 1d\n", "2: ", "unknown key"},
	{"[timeouts]\nudp = 0\n", "2: `udp = 0`", "allowed: 1 to 432000 seconds"},
	{"[timeouts]\nudp = 6d\n", "2: ", "with a unit: s, m, h, d"},
	{"[timeouts]\nudp = 5 m\n", "2: ", "with a unit"},
	{"[timeouts]\nudp = m\n", "2: ", "with a unit"},
	{"[gateway]\nbusy-poll = 1001\n", "2: ", "0 to 1000 microseconds"},
	{"[gateway]\nbusy-poll = 1s\n", "2: ", "us, ms"},
	{"[gateway]\nreceive-buffer = 2G\n", "2: ", "bytes, or with a unit: K, M, G"},
	{"[gateway]\nlog-level = inof\n", "2: ", "did you mean `info`?"},
	{"[gateway]\nlog = file\n", "2: ", "allowed: stderr, syslog"},
	{"[gateway]\nguard = none\n", "2: ", "allowed: auto, clsact, sockets"},
	{"[gateway]\ncontrol = here\n", "2: ", "absolute path"},
	{"[gateway]\ncontrol-group = a b\n", "2: ", "name of a group"},
	{"[gateway]\nports = 1023-2000\n", "2: ", "between 1024 and 65535"},
	{"[gateway]\nports = 2000-2009,2005-2020\n", "2: ", "2005-2020 overlaps"},
	{"[gateway]\nports = 2000-2099,\n", "2: ", "bad port"},
	{"[gateway]\nports = 2000-2004,3000-3004,4000-4004\n", "2: ", "at least 16 ports together"},
	{"[gateway]\nports = 2000-2099,3,4,5\n", "2: ", "3: allowed: ports between"},
	{"[gateway]\nports = 2001,2003,2005,2007,2009,2011,2013,2015,2017\n",
		"2: ", "at most 8 ranges"},
	{"[gateway]\nports = 2000-2014\n", "2: ", "at least 16 ports together"},
	{"[gateway]\nports = 2000-70000\n", "2: ", "bad port"},
	{"[gateway]\nuplink = eth0,\n", "2: ", "bad interface name ``"},
	{"[gateway]\nuplink = a/b\n", "2: ", "bad interface name `a/b`"},
	{"[gateway]\nuplink = 0123456789abcdef\n", "2: ", "bad interface name"},
	{"[gateway]\nuplink = a,b,c,d,e,f,g,h,i\n", "2: ", "at most 8"},

	/* networks */
	{"[network a]", "1: network `a` has no `subnet`", "subnet = 10.77.0.0/24"},
	{"[network a]\nsubnet = 10.0.0.0/7\n", "2: ", "lengths /8 to /30 for IPv4"},
	{"[network a]\nsubnet = 10.0.0.0/31\n", "2: ", "lengths /8 to /30"},
	{"[network a]\nsubnet = fd00::/47\n", "2: ", "lengths /48 to /126 for IPv6"},
	{"[network a]\nsubnet = fd00::/127\n", "2: ", "lengths /48 to /126"},
	{"[network a]\nsubnet = 10.0.0.1/24\n", "2: ", "host bits"},
	{"[network a]\nsubnet = 10.0.0.0/24,\n", "2: ", "bad subnet ``"},
	{"[network a]\nsubnet = 10.0.0.0/24, 10.0.1.0/24\n", "2: ", "at most one for IPv4"},
	{"[network a]\nsubnet = 224.1.0.0/16\n", "2: ", "multicast"},
	{"[network a]\nsubnet = 127.1.0.0/16\n", "2: ", "loopback"},
	{"[network a]\nsubnet = fe80::/64\n", "2: ", "link-local"},
	{"[network a]\nsubnet = 10.1.0.0/24\ngateway = 10.2.0.1\n", "1: gateway address 10.2.0.1",
		"inside 10.1.0.0/24"},
	{"[network a]\nsubnet = 10.1.0.0/24\ngateway = 10.1.0.0\n", "1: ", "first"},
	{"[network a]\nsubnet = 10.1.0.0/24\ngateway = 10.1.0.255\n", "1: ", "broadcast"},
	{"[network a]\nsubnet = 10.1.0.0/24\ngateway = fd01::1\n", "1: ", "no IPv6 subnet"},
	{"[network a]\nsubnet = 10.1.0.0/24\ngateway = x\n", "3: ", "bad address `x`"},
	{"[network a]\nsubnet = 10.1.0.0/24\ngateway = 0.0.0.0\n", "3: ", "bad address"},
	{"[network a]\nsubnet = 10.1.0.0/24\ngateway = 10.1.0.2,10.1.0.3\n",
		"3: ", "at most one for IPv4"},
	{LAB "host-link = a/b\n", "3: ", "bad interface name `a/b`"},
	{LAB "host-address = 10.1.0.9\n", "1: network `lab` has a `host-address`", "with one"},
	{LAB "host-link = yes\nhost-address = 10.2.0.9\n", "3: guest address 10.2.0.9",
		"inside 10.1.0.0/24"},
	{LAB "host-link = yes\nhost-address = 10.1.0.1\n", "3: guest address 10.1.0.1",
		"is the gateway's"},
	{LAB "host-link = yes\n[link a]\nnetns = a\naddress = 10.1.0.254\n",
		"3: address 10.1.0.254 of link `host-lab` is that of link `a`", "one link"},
	{LAB "host-link = yes\n[link host-lab]\nnetns = a\n", "3: host-link: link `host-lab`",
		"each name once"},
	{LAB "host-link = yes\n[network b]\nsubnet = 10.1.0.128/25\nhost-link = b0\n",
		"6: the host would have two routes",
		"by link `host-lab` of network `lab` in line 3"},
	{LAB "host-link = yes\n[link a]\nkind = tun\n", "3: the host would have two routes",
		"one `host-link` or `tun` link"},
	{LAB "host-service = sctp 1\n", "3: ", "unknown protocol `sctp`"},
	{LAB "host-service = tcp\n", "3: ", "no port: allowed: tcp or udp, PORTS"},
	{LAB "host-service = tcp 0\n", "3: ", "0"},
	{LAB "host-service = tcp 1,2,3,4,5,6,7,8,9\n", "3: ", "at most 8 ports and ranges"},
	{LAB "host-service = tcp 80 ->\n", "3: ", "nothing behind `->`"},
	{LAB "host-service = tcp 80,81 -> 8080\n", "3: ", "`->` behind several ports"},
	{LAB "host-service = tcp 80 -> 70000\n", "3: ", "bad port `70000`: allowed: 1 to 65535"},
	{LAB "host-service = tcp 80 -> x:80\n", "3: ", "bad address `x:80`"},
	{LAB "host-service = tcp 80 -> ::1:80\n", "3: ", "[ADDRESS]:PORT"},
	{LAB "host-service = tcp 80 -> 224.0.0.1:80\n", "3: ", "bad address"},
	{LAB "host-service = udp 80 proxy-protocol\n", "3: ", "allowed: with tcp"},
	{LAB "host-service = tcp 80 on\n", "3: ", "unexpected `on`"},
	{LAB "host-service = tcp 50-53\n", "3: ", "the gateway's DNS is: allowed: another port"},
	{LAB "host-service = tcp 80\nhost-service = tcp 70-90\n",
		"4: ", "port 80 of network `lab`"},
	{"[network a]\nsubnet = 10.1.0.0/24\nmtu = 575\n", "3: ", "uplink, or 576 to 65535"},
	{"[network a]\nsubnet = fd01::/64\nmtu = 1279\n", "1: ", "1280 or more"},
	{"[network a]\nsubnet = 10.1.0.0/24\ndns = maybe\n", "3: ", "allowed: yes, no"},
	{"[network a]\nsubnet = 10.1.0.0/24\ndhcp = on\n", "3: ", "allowed: yes, no"},
	{"[network a]\nsubnet = 10.1.0.0/24\nra = on\n", "3: ", "allowed: yes, no"},
	{"[network a]\nsubnet = 10.1.0.0/24\ndhcp6 = yes\n", "1: ", "no IPv6 subnet"},
	{"[network a]\nsubnet = 10.1.0.0/24\nlease-time = 59\n", "3: ", "60 to 31536000"},
	{"[network a]\nsubnet = 10.1.0.0/24\naddress-pool = 10.1.0.9-10.1.0.5\n",
		"3: ", "10.77.0.100-10.77.0.199"},
	{"[network a]\nsubnet = fd01::/64\naddress-pool = fd01::1-fd01::9\n",
		"3: ", "IPv4 addresses"},
	{"[network a]\nsubnet = 10.1.0.0/24\naddress-pool = 10.1.0.9-10.1.1.5\n",
		"1: address-pool 10.1.0.9-10.1.1.5 of network `a`", "inside 10.1.0.0/24"},
	{"[network a]\nsubnet = fd01::/64\naddress-pool = 10.1.0.9-10.1.0.15\n",
		"1: ", "no IPv4 subnet"},
	{"[network a]\nsubnet = 10.1.0.0/24\ndomain = -x.example\n", "3: ", "a domain's name"},
	{"[network a]\nsubnet = 10.1.0.0/24\ndomain = lab.example.\n", "3: ", "without a dot"},
	{"[network a]\nsubnet = 10.1.0.0/24\ndomain = a"
	 "1234567890123456789012345678901234567890123456789012345678901234\n",
		"3: ", "at most 63"},
	{"[network a]\nsubnet = 10.1.0.0/24\nroute = 192.0.2.1/24\n", "3: ", "host bits"},
	{"[network a]\nsubnet = 10.1.0.0/24\nroute = fd01::/64\n", "3: ", "an IPv4 prefix"},
	{"[network a]\nsubnet = 10.1.0.0/24\nroute = 192.0.2.0/24 10.1.0.2\n",
		"3: ", "via ADDRESS"},
	{"[network a]\nsubnet = 10.1.0.0/24\nroute = 192.0.2.0/24 via 10.2.0.2\n",
		"1: route 192.0.2.0/24 via 10.2.0.2", "an address of its subnet"},
	{"[network a]\nsubnet = 10.1.0.0/24\nlease = 52:54:00:12:34:56\n",
		"3: ", "MAC ADDRESS [NAME]"},
	{"[network a]\nsubnet = 10.1.0.0/24\nlease = 53:54:00:12:34:56 10.1.0.9\n",
		"3: ", "MAC ADDRESS [NAME]"},
	{"[network a]\nsubnet = 10.1.0.0/24\nlease = 52:54:00:12:34:56 10.1.0.9 a.b\n",
		"3: ", "bad name `a.b`"},
	{"[network a]\nsubnet = 10.1.0.0/24\nlease = 52:54:00:12:34:56 10.2.0.9\n",
		"3: lease of 10.2.0.9", "of network `a`"},
	{"[network a]\nsubnet = 10.1.0.0/24\nlease = 52:54:00:12:34:56 10.1.0.1\n",
		"3: lease of 10.1.0.1", "not the gateway's"},
	{"[network a]\nsubnet = 10.1.0.0/24\nlease = 52:54:00:12:34:56 10.1.0.9\n"
	 "lease = 52:54:00:12:34:57 10.1.0.9\n",
		"4: lease of 10.1.0.9", "line 3 gives it to another"},
	{"[network a]\nsubnet = 10.1.0.0/24\nlease = 52:54:00:12:34:56 10.1.0.9\n"
	 "lease = 52:54:00:12:34:56 10.1.0.10\n",
		"4: lease of 10.1.0.10", "in line 3 already"},
	{"[gateway]\nstate = var\n", "2: ", "an absolute path"},
	{"[network a]\nsubnet = fd00::/64\nnat64 = maybe\n",
		"3: ", "allowed: no, yes (64:ff9b::/96)"},
	{"[network a]\nsubnet = fd00::/64\nnat64 = 64:ff9b::/95\n",
		"3: ", "32, 40, 48, 56, 64 or 96"},
	{"[network a]\nsubnet = fd00::/64\nnat64 = 64:ff9b::1/96\n", "3: ", "an IPv6 prefix"},
	{"[network a]\nsubnet = fd00::/64\nnat64 = 10.0.0.0/32\n", "3: ", "an IPv6 prefix"},
	{"[network a]\nsubnet = 10.1.0.0/24\nnat64 = yes\n", "1: ", "no IPv6 subnet"},
	{"[network a]\nsubnet = fd00::/64\nnat64 = fd00::/48\n", "1: ", "that no guest has"},
	{"[network a]\nsubnet = fd00::/64\nnat64 = yes\n[network b]\nsubnet = fd01::/64\n"
	 "[network c]\nsubnet = 64:ff9b::/112\n",
		"1: ", "subnet 64:ff9b::/112 of network `c`"},
	{"[network a]\nsubnet = fd00::/64\ndns64 = 1\n", "3: ", "allowed: yes, no"},
	{TWO "[network c]\nsubnet = 10.0.0.0/15\n[link x]\nkind = tun\nnetwork = a\n"
	     "[link y]\nkind = tun\nnetwork = c\n",
		"10: links `y` and `x` in line 7 are both `tun`", "networks `c` and `a` overlap"},
	{TWO "[network c]\nsubnet = 10.1.0.0/24\n[forwards]\ntcp 80 = 10.1.0.2\n",
		"8: ", "in the networks `a` and `c`: allowed: a/10.1.0.2 or c/10.1.0.2"},
	{TWO "[network c]\nsubnet = 10.1.0.0/24\n[forwards]\ntcp 80 = d/10.1.0.2\n",
		"8: ", "unknown network `d`: allowed: a, b, c"},
	{TWO "[forwards]\ntcp 80 = b/10.1.0.2\n", "6: ", "unknown guest `10.1.0.2`"},
	{TWO "[network c]\nsubnet = 10.1.0.0/24\n[nat]\ndnat = in uplink proto tcp to port 80 -> "
	     "10.1.0.2\n",
		"8: ", "allowed: a/10.1.0.2 or c/10.1.0.2"},
	{TWO "[network c]\nsubnet = 10.1.0.0/24\n[nat]\nmap = 10.1.0.2 <-> 192.0.2.5\n",
		"8: ", "allowed: a/10.1.0.2 or c/10.1.0.2"},

	/* shares of networks */
	{TWO "ports = 61000-61099\n[network c]\nsubnet = 10.3.0.0/24\nports = 61050-61199\n",
		"6: ", "`ports` 61050-61199 of network `c` are also network `b`'s in line 3"},
	{TWO "ports = 60000-61099\n", "3: network `b` has `ports = 60000-61099`",
		"allowed: some of 61000-65535"},
	{"[network a]\nsubnet = 10.1.0.0/24\nports = 61000-61099\nport-block = 16\n",
		"1: network `a` has `ports` and `port-block`", "allowed: one of the two"},
	{TWO "ports = 61000-65535\n", "1: network `a` has no `ports`", "others have all of them"},
	{TWO "ports = 61001-61100,61102-61200,61202-61300,61302-61400,61402-61500,61502-61600,"
	     "61602-61700,61702-61800\n",
		"3: `ports` of networks leave more than 8 ranges", "side by side"},
	{TWO "forward-ports = 65000-66000\n", "5: ", "65535"},
	{TWO "forward-ports = 61000-61009\n", "3: network `b` has `forward-ports` 61000-61009",
		"outside 61000-65535"},
	{TWO "forward-ports = 80\n[network c]\nsubnet = 10.3.0.0/24\nforward-ports = 70-90\n",
		"6: `forward-ports` 70-90 of network `c`", "network `b`'s in line 3"},
	{TWO "isolate = no\n[filter forward]\npolicy = drop\n", "3: network `b` has `isolate = no`",
		"line 6 decides instead: allowed: `rule = accept in b out b`"},
	{TWO "owner = a b\n", "5: ", "allowed: the name of a user"},
	{TWO "links = 0\n", "5: ", "allowed: auto, or 1 to 1024"},

	/* links */
	{TWO "[link w]\nnetns = w\n", "5: link `w` has no `network`", "allowed: a, b"},
	{LAB "[link w]\nnetwork = lba\nnetns = w\n", "4: ", "did you mean `lab`?"},
	{LAB "[link w]\n", "3: link `w` has no `netns`", "pid:N"},
	{LAB "[link w]\nkind = tun\nnetns = w\n", "3: link `w` has a `netns`", "kind = netns"},
	{LAB "[link w]\nkind = tab\n", "4: ", "allowed: tun, netns, tap, netdev, qemu"},
	{LAB "[link w]\nkind = netdev\n", "3: link `w` has no `device`", "taken over"},
	{LAB "[link w]\nkind = qemu\n", "3: link `w` has no `socket`", "an absolute path"},
	{LAB "[link w]\nkind = qemu\nsocket = s\n", "5: ", "an absolute path"},
	{LAB "[link w]\nkind = qemu\nsocket = /s\ndevice = d\n", "3: link `w` has a `device`",
		"kind = tun, netns, tap or netdev"},
	{LAB "[link w]\nkind = tap\nsocket = /s\n", "3: link `w` has a `socket`", "kind = qemu"},
	{LAB "[link w]\nkind = tap\nsocket-mode = datagram\n", "3: link `w` has a `socket-mode`",
		"kind = qemu"},
	{LAB "[link w]\nkind = qemu\nsocket = /s\nsocket-mode = x\n", "6: ", "stream, datagram"},
	{LAB "[link w]\nkind = netdev\ndevice = d\nbridge = b\n", "3: link `w` has a `bridge`",
		"kind = tap"},
	{LAB "[link w]\nnetns = w\nguests = one\n", "3: link `w` has a `guests`", "netdev or qemu"},
	{LAB "[link w]\nkind = tap\nguests = two\n", "5: ", "auto, one, many"},
	{LAB "[link w]\nkind = tun\nmac = 52:54:00:12:34:56\n", "3: link `w` has a `mac`",
		"netdev or qemu"},
	{LAB "[link w]\nkind = tap\nmac = 52:54:00:12:34\n", "5: ", "such as 52:54:00"},
	{LAB "[link w]\nkind = tap\nmac = 52:54:00:12:34:5g\n", "5: ", "of one station"},
	{LAB "[link w]\nkind = tap\nmac = 53:54:00:12:34:56\n", "5: ", "of one station"},
	{LAB "[link w]\nkind = tap\nmac = 0:0:0:0:0:0\n", "5: ", "of one station"},
	{LAB "[link w]\nkind = tap\nbridge = b\nmac = 52:54:00:12:34:56\n",
		"3: link `w` has a `mac`", "guests = one"},
	{LAB "[link w]\nkind = tap\nguests = many\naddress = 10.1.0.2\n",
		"3: link `w` has an `address` and many guests", "DHCP"},
	{LAB "[link v]\nkind = tun\ndevice = t\n[link w]\nkind = tap\ndevice = t\n",
		"6: device t of link `w`", "`v` in line 3"},
	{LAB "[link v]\nkind = tap\nbridge = b\n[link w]\nkind = tap\nbridge = b\nguests = one\n",
		"6: bridge b of link `w`", "`v` in line 3"},
	{LAB "[link v]\nkind = qemu\nsocket = /s\n[link w]\nkind = qemu\nsocket = /s\n",
		"6: socket /s of link `w`", "`v` in line 3"},
	{LAB "[link v]\nkind = tun\n[link w]\nkind = tap\nguests = many\n",
		"5: link `w` and link `v` in line 3", "whole network"},
	{LAB "[link w]\nnetns = a/b\n", "4: ", "absolute path"},
	{LAB "[link w]\nnetns = ..\n", "4: ", "absolute path"},
	{LAB "[link w]\nnetns = pid:0\n", "4: ", "pid:N"},
	{LAB "[link w]\nnetns = pid:x\n", "4: ", "pid:N"},
	{LAB "[link w]\nnetns = w\ndevice = tg%d\n", "5: ", "bad interface name"},
	{LAB "[link w]\nnetns = w\naddress = 10.2.0.2\n", "3: guest address 10.2.0.2",
		"inside 10.1.0.0/24"},
	{LAB "[link w]\nnetns = w\naddress = 10.1.0.1\n", "3: guest address 10.1.0.1",
		"the gateway's"},
	{LAB "[link w]\nnetns = w\naddress = fd01::1\n", "3: ", "the gateway's"},
	{LAB "[link w]\nnetns = w\naddress = 10.1.0.2/24\n", "5: ", "without a length"},
	{LAB "[link v]\nnetns = v\naddress = 10.1.0.2\n[link w]\nnetns = w\naddress = 10.1.0.2\n",
		"6: address 10.1.0.2 of link `w`", "`v` in line 3"},
	{LAB "[link v]\nnetns = v\naddress = fd01::2\n[link w]\nnetns = w\naddress = fd01::2\n",
		"6: address fd01::2 of link `w`", "`v` in line 3"},
	{LAB "[link v]\nnetns = x\n[link w]\nnetns = x\n", "5: device eth0 of link `w`", "line 3"},
	{LAB "[link v]\nkind = tun\ndevice = t\n[link w]\nkind = tun\ndevice = u\n",
		"6: link `w` and link `v` in line 3", "whole network"},

	/* rules and forwards: see rule.c and forward.c; here, that they come with their lines */
	{"[filter forward]\n\nrule = accept in lba\n", "3: `rule = accept in lba`", "unknown side"},
	{"[filter input]\nrule = accept out uplink\n", "2: ", "unknown word"},
	{"[helpers]\nhttp = port 80\n", "2: `http = port 80`: unknown helper `http`",
		"allowed: ftp, irc, tftp, sip, pptp"},
	{"[helpers]\nftp = state new\n", "2: `ftp = state new`", "unknown word `state`"},
	{"[helpers]\nftp = proto tcp port 0\n", "2: `ftp = proto tcp port 0`", "1 to 65535"},
	{"[helpers]\nftp = in nowhere\n", "2: `ftp = in nowhere`", "nowhere"},
	{"[helpers x]\n", "1: [helpers x]", "without a name"},
	{"[nat]\nmasquerade = in uplink\n", "2: `masquerade = in uplink`", "guests send"},
	{"[filter forward]\npolicy = jump\n", "2: ", "allowed: accept, drop, reject"},

	/* sets */
	{"[sets]\na b = 80\n", "2: `a b = 80`", "bad name of a set"},
	{"[sets]\nlan = 80\n", "2: ", "which rules use"},
	{"[sets]\na = 80, 10.0.0.1\n", "2: ", "`10.0.0.1` in a set of ports"},
	{"[sets]\na = 10.0.0.1\na = 80\n", "3: ", "`80` in a set of addresses"},
	{"[sets]\na = 10.0.0.1,\n", "2: ", "bad address ``"},
	{"[sets]\na = 10.0.0.1/8\n", "2: ", "host bits"},
	{"[sets]\na = 80-70\n", "2: ", "ends before it begins"},
	{"[sets]\na = 80\nb = @a\n", "3: ", "not other sets"},
	{"[sets]\na = a.org, 80\n", "2: ", "`80` in a set of domains"},
	{"[sets]\na = a.org, 10.0.0.1\n", "2: ", "`10.0.0.1` in a set of domains"},
	{"[sets]\na = *.org, **.org\n", "2: ", "bad domain `**.org`: allowed: `*` as the whole"},
	{"[sets]\na = a.org\na = -b.org\n", "3: ", "bad domain `-b.org`"},
	{"[sets]\na = a.org\n[filter forward]\nrule = drop to @a\n",
		"4: ", "set `a` has domains: allowed: a set of addresses"},
	{"[sets]\na = 80\n[filter forward]\nrule = drop to domain @a\n",
		"4: ", "set `a` has ports: allowed: a set of domains"},
	{"[network a]\nsubnet = 10.0.0.0/24\ndns-names = all\n", "3: ", "allowed: any, allowed"},
	{"[network a]\nsubnet = 10.0.0.0/24\ndns-direct = deny\n",
		"3: ", "allowed: allow, forbid, redirect"},
	{"[network a]\nsubnet = 10.0.0.0/24\ndns = no\ndns-names = allowed\n",
		"1: network `a` has `dns = no`", "dns-names = allowed"},
	{"[network a]\nsubnet = 10.0.0.0/24\ndns = no\ndns-direct = redirect\n",
		"1: network `a` has `dns = no`", "dns-direct = redirect"},
	{"[limits]\ndomains = 10\n", "2: ", "allowed: 64 to 1048576"},
	{"[timeouts]\ndomain = 0\n", "2: ", "allowed: 1 to 432000"},
	{"[sets]\na = web\n[link web]\nnetns = w\n", "2: ", "link `web` has no address"},
	{"[sets x]\n", "1: [sets x]", "without a name"},
	{"[filter forward]\nrule = drop from @a\n", "2: ", "unknown set `a`: there are none of"},

	/* chains */
	{"[chain]\n", "1: [chain]", "bad name"},
	{"[chain forward]\n", "1: [chain forward]", "[filter forward]"},
	{"[chain a]\n[chain a]\n", "2: [chain a]", "line 1"},
	{"[chain a]\npolicy = drop\n", "2: `policy = drop`", "unknown key"},
	{"[filter forward]\nrule = jump a\n", "2: ", "unknown chain `a`: there are none"},
	{"[chain ab]\n[filter forward]\nrule = jump ac\n", "3: ", "did you mean `ab`?"},
	{"[chain a]\nrule = jump a\n", "2: `rule = jump a`: a loop", "`a` leads here"},
	{"[chain a]\nrule = jump b\n[chain b]\nrule = jump a\n", "4: `rule = jump a`: a loop",
		"do not come back"},
	{"[forwards]\ntcp = web\n", "2: `tcp = web`", "PORT or HOSTADDR:PORT"},
	{"[forwards]\ntcp 1.2.3.4:80 = web\n", "2: `tcp 1.2.3.4:80 = web`", "unknown guest"},
	{"[forwards]\ntcp 80 = 10.77.0.2\n\ntcp 79-81 = 10.77.0.3\n", "4: port 79-81",
		"port 80 in line 2"},
};

Test(config_errors, each_names_the_line_what_was_read_and_what_is_allowed)
{
	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct config_errors errors;
		struct config *config = config_parse("t", rows[i].text, &errors);
		char start[128];

		cr_assert_null(config, "accepted: %s", rows[i].text);
		cr_assert_eq(errors.count, 1, "%u errors in %s: %s", errors.count, rows[i].text,
			errors.count > 1 ? errors.text[1] : "");
		snprintf(start, sizeof(start), "t:%s", rows[i].start);
		cr_expect_eq(
			strncmp(errors.text[0], start, strlen(start)), 0, "%s", errors.text[0]);
		cr_expect_not_null(strstr(errors.text[0], rows[i].rest), "%s", errors.text[0]);
		config_errors_free(&errors);
	}
}

Test(config_errors, come_all_at_once_in_order_of_lines)
{
	static const unsigned lines[] = {1, 3, 5, 7, 9, 10, 12};
	struct config_errors errors;
	struct config *config = config_parse("t",
		"x = y\n" /* 1 */
		"[forwards]\n"
		"tcp 80 = nobody\n" /* taken up last */
		"[filter forward]\n"
		"rule = accept in nowhere\n"
		"[link w]\n"
		"kind = wire\n"
		"[network a]\n"
		"subnet = 10.0.0.0/33\n" /* taken up first */
		"bogus\n"                /* seen by the reader */
		"[gateway]\n"
		"nothing = at all\n",
		&errors);

	cr_assert_null(config);
	cr_assert_eq(errors.count, COUNT(lines), "%u", errors.count);
	for (unsigned i = 0; i < errors.count; i++) {
		char start[16];

		snprintf(start, sizeof(start), "t:%u: ", lines[i]);
		cr_expect_eq(
			strncmp(errors.text[i], start, strlen(start)), 0, "%s", errors.text[i]);
	}
	config_errors_free(&errors);
	cr_expect_eq(errors.count, 0);
}

/* inih would cut such a line in silence; a comment behind it does not count. */
Test(config_errors, a_line_too_long_is_told)
{
	char text[1024] = "[filter forward]\n";
	char *line = text + strlen(text);
	struct config_errors errors;

	memset(line, ' ', 300);
	memcpy(line, "rule = accept", 13);
	strcpy(line + 193, "in lan   # a comment");
	struct config *config = config_parse("t", text, &errors);
	cr_assert_not_null(config, "%s", errors.count > 0 ? errors.text[0] : "");
	cr_expect_eq(config->chains[CHAIN_FORWARD].rule[0].in.kind, SIDE_LAN);
	config_free(config);

	memset(line + 193, ' ', 1);
	strcpy(line + 194, "in lan");
	cr_expect_null(config_parse("t", text, &errors));
	cr_assert_eq(errors.count, 1);
	cr_expect_str_eq(
		errors.text[0], "t:2: a line of 200 bytes: allowed: 199, comments not counted");
	config_errors_free(&errors);
}

Test(config_errors, too_many_of_anything_is_told)
{
	static const struct {
		const char *format, *reason;
		unsigned max;
	} kinds[] = {
		{"[network n%1$u]\nsubnet = fd00:0:%1$x::/64\n", "at most 256 networks",
			CONFIG_NETWORKS_MAX},
		{"[link l%u]\nnetns = l%1$u\n", "at most 1024 links", CONFIG_LINKS_MAX},
		{"tcp %u = 10.77.0.2\n", "at most 1024 forwards", CONFIG_FORWARDS_MAX},
	};

	for (unsigned i = 0; i < COUNT(kinds); i++) {
		char *text = NULL;
		size_t size;
		FILE *stream = open_memstream(&text, &size);
		struct config_errors errors;

		if (kinds[i].format[0] == 't')
			fputs("[forwards]\n", stream);
		for (unsigned n = 1; n <= kinds[i].max; n++)
			fprintf(stream, kinds[i].format, n);
		fflush(stream);
		struct config *config = config_parse("t", text, &errors);
		cr_expect_not_null(config, "%s", errors.count > 0 ? errors.text[0] : "");
		config_free(config);
		fprintf(stream, kinds[i].format, kinds[i].max + 1);
		fclose(stream);
		cr_expect_null(config_parse("t", text, &errors));
		cr_assert_eq(errors.count, 1);
		cr_expect_not_null(strstr(errors.text[0], kinds[i].reason), "%s", errors.text[0]);
		config_errors_free(&errors);
		free(text);
	}
}

/* A chain of chains may be so long; connections may be asked for in so many rules. */
Test(config_errors, chains_are_deep_to_a_limit)
{
	for (unsigned deep = CONFIG_CHAIN_DEPTH; deep <= CONFIG_CHAIN_DEPTH + 1; deep++) {
		char text[4096] = "[filter forward]\nrule = jump c1\n";
		struct config_errors errors;

		for (unsigned i = 1; i < deep; i++)
			sprintf(text + strlen(text), "[chain c%u]\nrule = jump c%u\n", i, i + 1);
		sprintf(text + strlen(text), "[chain c%u]\n", deep);
		struct config *config = config_parse("t", text, &errors);
		cr_expect_eq(config != NULL, deep == CONFIG_CHAIN_DEPTH);
		if (config == NULL) {
			cr_expect_eq(errors.count, 1);
			cr_expect_not_null(
				strstr(errors.text[0], "too deep"), "%s", errors.text[0]);
			config_errors_free(&errors);
		}
		config_free(config);
	}
}

Test(config_errors, rules_with_connections_are_counted)
{
	for (unsigned count = CONFIG_CONNECTIONS_MAX; count <= CONFIG_CONNECTIONS_MAX + 1;
		count++) {
		char text[4096] = "[filter forward]\n";
		struct config_errors errors;

		for (unsigned i = 0; i < count; i++)
			strcat(text, "rule = drop connections over 1\n");
		struct config *config = config_parse("t", text, &errors);
		cr_expect_eq(config != NULL, count == CONFIG_CONNECTIONS_MAX);
		if (config == NULL)
			config_errors_free(&errors);
		config_free(config);
	}
}
