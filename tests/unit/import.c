/* SPDX-License-Identifier: BSD-2-Clause */
/* import: rule by rule what iptables-save means here, or why it means nothing. */
#include "import/import.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tungate/config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- one rule at a time ---- */

static const struct import_options home = {
	.name = "rules",
	.side = {{.interface = "eth0", .network = "home", .subnet = "192.168.1.0/24"},
		{.interface = "eth1", .network = "office", .subnet = "192.168.2.0/24"},
		{.interface = "ppp0"}},
	.side_count = 3,
};
static const struct import_options home6 = {
	.name = "rules",
	.v6 = true,
	.side = {{.interface = "eth0", .network = "home", .subnet = "fd77:7467::/64"},
		{.interface = "ppp0"}},
	.side_count = 2,
};

/* The configuration of a file whose tables have the usual chains, a user's chain, and these rules;
 * `import` is to be freed. */
static void rules_import(const struct import_options *options, const char *table, const char *rules,
	struct import *import)
{
	char text[4096];

	snprintf(text, sizeof(text),
		"*%s\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
		":PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:user - [0:0]\n"
		"%s\nCOMMIT\n",
		table, rules);
	cr_assert(import_run(options, text, import), "%s", rules);
	struct config_errors errors;
	struct config *config = config_parse("import", import->text, &errors);
	cr_expect_not_null(config, "%s: %s", rules, errors.count > 0 ? errors.text[0] : "");
	config_free(config);
	config_errors_free(&errors);
}

static bool has_line(const char *text, const char *line)
{
	const size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	}
	return false;
}

/* Whether a remark of this kind says so. */
static bool has_remark(const struct import *import, enum remark_kind kind, const char *says)
{
	for (unsigned i = 0; i < import->remarks.count; i++) {
		if (import->remarks.remark[i].kind == kind &&
			strstr(import->remarks.remark[i].text, says) != NULL)
			return true;
	}
	return false;
}

static const char *remarks_text(const struct import *import)
{
	return import->remarks.count > 0 ? import->remarks.remark[0].text : "none";
}

struct row {
	const char *rule;
	const char *line; /* of the configuration */
};

static void expect_rows(const struct import_options *options, const char *table,
	const struct row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct import import;

		rules_import(options, table, rows[i].rule, &import);
		cr_expect(has_line(import.text, rows[i].line), "%s\n%s", rows[i].rule, import.text);
		cr_expect_eq(import.lost, 0, "%s: %s", rows[i].rule, remarks_text(&import));
		import_free(&import);
	}
}

Test(import, words_of_the_filter)
{
	static const struct row rows[] = {
		{"-A FORWARD -j DROP", "rule = drop"},
		{"[12:720] -A FORWARD -j ACCEPT", "rule = accept"},
		{"-A FORWARD -i eth0 -o ppp0 -j ACCEPT", "rule = accept in home out uplink"},
		{"-A FORWARD -i ppp0 -o eth1 -j DROP", "rule = drop in uplink out office"},
		{"-A FORWARD -i eth+ -j ACCEPT", "rule = accept in lan"},
		{"-A FORWARD ! -i ppp0 -j ACCEPT", "rule = accept in lan"},
		{"-A FORWARD -i + -j ACCEPT", "rule = accept"},
		{"-A FORWARD ! -i lo -j ACCEPT", "rule = accept"},
		{"-A FORWARD -s 10.0.0.0/8 -d 192.0.2.1/32 -j DROP",
			"rule = drop from 10.0.0.0/8 to 192.0.2.1"},
		{"-A FORWARD -s 10.0.0.0/255.0.0.0 -j DROP", "rule = drop from 10.0.0.0/8"},
		{"-A FORWARD -s 10.1.2.3/8 -j DROP", "rule = drop from 10.0.0.0/8"},
		{"-A FORWARD -s 0.0.0.0/0 -j DROP", "rule = drop"},
		{"-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT",
			"rule = accept proto tcp to port 80"},
		{"-A FORWARD -p udp -m udp --sport 1024: --dport :53 -j ACCEPT",
			"rule = accept proto udp from port 1024-65535 to port 1-53"},
		{"-A FORWARD -p tcp -m multiport --dports 22,80:90,443 -j ACCEPT",
			"rule = accept proto tcp to port 22,80-90,443"},
		{"-A FORWARD -p 47 -j ACCEPT", "rule = accept proto 47"},
		{"-A FORWARD -p ipencap -j ACCEPT", "rule = accept proto ipip"},
		{"-A FORWARD -p all -j ACCEPT", "rule = accept"},
		{"-A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT",
			"rule = accept state established,related"},
		{"-A FORWARD -m conntrack ! --ctstate INVALID,NEW -j ACCEPT",
			"rule = accept state established,related"},
		{"-A FORWARD -m conntrack --ctstate NEW,UNTRACKED -j DROP",
			"rule = drop state new"},
		{"-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT", "rule = accept forwarded"},
		{"-A FORWARD -m conntrack --ctstatus DNAT -j ACCEPT", "rule = accept forwarded"},
		{"-A FORWARD -p icmp -m icmp --icmp-type 8 -j ACCEPT",
			"rule = accept proto icmp icmp-type echo-request"},
		{"-A FORWARD -p icmp -m icmp --icmp-type 3/4 -j ACCEPT",
			"rule = accept proto icmp icmp-type 3/4"},
		{"-A FORWARD -p icmp -m icmp --icmp-type any -j ACCEPT",
			"rule = accept proto icmp"},
		{"-A FORWARD -m addrtype ! --dst-type MULTICAST -j ACCEPT", "rule = accept"},
		{"-A FORWARD -j RETURN", "rule = drop"}, /* the chain's policy */
		{"-A OUTPUT -o eth0 -j DROP", "rule = drop out home"},
		{"-A INPUT -i eth0 -p udp -m udp --dport 53 -j ACCEPT",
			"rule = accept in home proto udp to port 53"},
		{"-A INPUT -m addrtype --dst-type LOCAL -j DROP", "rule = drop"},
	};
	static const struct row rows6[] = {
		{"-A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT",
			"rule = accept proto icmp6 icmp-type echo-request"},
		{"-A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type 2 -j ACCEPT",
			"rule = accept proto icmp6 icmp-type packet-too-big"},
		{"-A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type 133 -j ACCEPT",
			"rule = accept proto icmp6 icmp-type 133"},
		{"-A FORWARD -s fd77:7467::/64 -i ppp0 -j DROP",
			"rule = drop in uplink from fd77:7467::/64"},
		{"-A FORWARD -d fd77:7467::2/128 -j ACCEPT", "rule = accept to fd77:7467::2"},
	};

	expect_rows(&home, "filter", rows, COUNT(rows));
	expect_rows(&home6, "filter", rows6, COUNT(rows6));
}

Test(import, more_words_of_the_filter)
{
	static const struct row rows[] = {
		{"-A FORWARD ! -i eth0 -o eth0 -j DROP", "rule = drop in not home out home"},
		{"-A FORWARD ! -s 10.0.0.0/8 ! -d 192.0.2.1/32 -j DROP",
			"rule = drop from not 10.0.0.0/8 to not 192.0.2.1"},
		{"-A FORWARD -s ! 10.0.0.0/8 -j DROP", "rule = drop from not 10.0.0.0/8"},
		{"-A FORWARD ! -p tcp -j DROP", "rule = drop proto not tcp"},
		{"-A FORWARD -p tcp -m tcp ! --dport 22 -j DROP",
			"rule = drop proto tcp to port not 22"},
		{"-A FORWARD -p tcp -m multiport ! --sports 1,2 -j DROP",
			"rule = drop proto tcp from port not 1,2"},
		{"-A FORWARD -p icmp -m icmp ! --icmp-type 8 -j DROP",
			"rule = drop proto icmp icmp-type not echo-request"},
		{"-A FORWARD -m iprange --src-range 10.0.0.1-10.0.0.9 -j DROP",
			"rule = drop from 10.0.0.1-10.0.0.9"},
		{"-A FORWARD -m iprange ! --dst-range 10.0.0.1-10.0.0.9 -j DROP",
			"rule = drop to not 10.0.0.1-10.0.0.9"},
		{"-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
			"rule = drop proto tcp tcp-flags syn/fin,syn,rst,ack"},
		{"-A FORWARD -p tcp -m tcp ! --syn -j DROP",
			"rule = drop proto tcp tcp-flags not syn/fin,syn,rst,ack"},
		{"-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP",
			"rule = drop proto tcp tcp-flags none/fin,syn,rst,psh,ack,urg"},
		{"-A FORWARD -m length --length 100:200 -j DROP", "rule = drop length 100-200"},
		{"-A FORWARD -m length --length 1400: -j DROP", "rule = drop length 1400-65535"},
		{"-A FORWARD -m ttl --ttl-eq 5 -j DROP", "rule = drop ttl 5"},
		{"-A FORWARD -m ttl --ttl-lt 5 -j DROP", "rule = drop ttl 0-4"},
		{"-A FORWARD -m ttl --ttl-gt 64 -j DROP", "rule = drop ttl 65-255"},
		{"-A FORWARD -m dscp --dscp 0x2e -j DROP", "rule = drop dscp 46"},
		{"-A FORWARD -m dscp ! --dscp-class EF -j DROP", "rule = drop dscp not ef"},
		{"-A FORWARD -m helper --helper ftp -j ACCEPT", "rule = accept helper ftp"},
		{"-A FORWARD -m limit --limit 3/min -j ACCEPT",
			"rule = accept limit 3/minute burst 5"},
		{"-A FORWARD -m limit --limit 10/sec --limit-burst 20 -j ACCEPT",
			"rule = accept limit 10/second burst 20"},
		{"-A FORWARD -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 "
		 "--hashlimit-mode srcip --hashlimit-name a -j ACCEPT",
			"rule = accept limit 1/hour burst 2 per source"},
		{"-A FORWARD -m hashlimit --hashlimit-above 1/day --hashlimit-burst 2 "
		 "--hashlimit-mode dstip --hashlimit-name a --hashlimit-srcmask 32 -j DROP",
			"rule = drop limit over 1/day burst 2 per destination"},
		{"-A FORWARD -m connlimit --connlimit-above 10 --connlimit-mask 32 "
		 "--connlimit-saddr -j DROP",
			"rule = drop connections over 10 per source"},
		{"-A FORWARD -m connlimit --connlimit-above 10 --connlimit-daddr -j DROP",
			"rule = drop connections over 10 per destination"},
		{"-A FORWARD -m connlimit --connlimit-above 10 --connlimit-mask 0 "
		 "--connlimit-saddr -j DROP",
			"rule = drop connections over 10"},
		{"-A FORWARD -m comment --comment \"a \\\"b\\\" -j DROP\" -j ACCEPT",
			"rule = accept comment \"a 'b' -j DROP\""},
		{"-A FORWARD -m comment --comment \"web # 1; 2 ;3\" -j ACCEPT",
			"rule = accept comment \"web . 1; 2 .3\""},
		{"-A FORWARD -j LOG --log-prefix \"in: \" --log-level 4", "rule = log \"in: \""},
		{"-A FORWARD -j LOG", "rule = log"},
		{"-A FORWARD -i eth0 -j NFLOG --nflog-prefix a --nflog-group 1",
			"rule = log \"a\" in home"},
		{"-A FORWARD -j REJECT", "rule = reject with port-unreachable"},
		{"-A FORWARD -j REJECT --reject-with icmp-host-prohibited",
			"rule = reject with prohibited"},
		{"-A FORWARD -p tcp -j REJECT --reject-with tcp-reset",
			"rule = reject with tcp-reset proto tcp"},
		{"-A FORWARD -i eth0 -j user\n-A user -j DROP", "rule = jump user in home"},
		{"-A FORWARD -i eth0 -j user\n-A user -p udp -j RETURN", "rule = return proto udp"},
		{"-A FORWARD -i eth0 -g user\n-A user -p udp -j ACCEPT", "rule = drop in home"},
	};

	expect_rows(&home, "filter", rows, COUNT(rows));
}

/* A chain that goes on is asked before what -g would have come back to. */
Test(import, goto_is_a_jump_and_an_end)
{
	struct import import;

	rules_import(
		&home, "filter", "-A FORWARD -i eth0 -g user\n-A user -p udp -j ACCEPT", &import);
	cr_expect_not_null(strstr(import.text, "\nrule = jump user in home\nrule = drop in home\n"),
		"%s", import.text);
	import_free(&import);
}

Test(import, lines_of_nat)
{
	static const struct row rows[] = {
		{"-A POSTROUTING -o ppp0 -j MASQUERADE", "masquerade = out uplink"},
		{"-A POSTROUTING -j MASQUERADE", "masquerade = out uplink"},
		{"-A POSTROUTING -s 192.168.1.0/24 ! -o eth0 -j MASQUERADE",
			"masquerade = out uplink from 192.168.1.0/24"},
		{"-A POSTROUTING -o ppp0 -p tcp -m tcp --dport 80 -j MASQUERADE --random",
			"masquerade = out uplink proto tcp to port 80"},
		{"-A POSTROUTING -d 10.8.0.0/24 -j ACCEPT\n-A POSTROUTING -o ppp0 -j MASQUERADE",
			"no-masquerade = out uplink to 10.8.0.0/24"},
		{"-A POSTROUTING -d 10.8.0.0/24 -j RETURN\n-A POSTROUTING -o ppp0 -j MASQUERADE",
			"no-masquerade = out uplink to 10.8.0.0/24"},
		{"-A POSTROUTING -o ppp0 -j user\n-A user -s 192.168.1.0/24 -j MASQUERADE",
			"masquerade = out uplink from 192.168.1.0/24"},
		{"-A PREROUTING -i ppp0 -p tcp -m tcp --dport 80 -j DNAT "
		 "--to-destination 192.168.1.2",
			"tcp 80 = 192.168.1.2"},
		{"-A PREROUTING -d 192.0.2.2/32 -p udp -m udp --dport 5000:5010 -j DNAT "
		 "--to-destination 192.168.1.2:6000-6010",
			"udp 192.0.2.2:5000-5010 = 192.168.1.2:6000-6010"},
		{"-A PREROUTING -m addrtype --dst-type LOCAL -j user\n"
		 "-A user ! -i eth0 -p tcp -m tcp --dport 8080 -j DNAT "
		 "--to-destination 192.168.1.2:80",
			"tcp 8080 = 192.168.1.2:80"},
	};
	static const struct row targets[] = {
		{"-A PREROUTING -s 203.0.113.0/24 -i ppp0 -p tcp -m tcp --dport 22 -j DNAT "
		 "--to-destination 192.168.1.2:2222",
			"dnat = in uplink from 203.0.113.0/24 proto tcp to port 22 -> "
			"192.168.1.2:2222"},
		{"-A PREROUTING -i ppp0 -p tcp -m tcp --dport 80:90 -j DNAT --to-destination "
		 "192.168.1.2-192.168.1.5:8000-8010 --random --persistent",
			"dnat = in uplink proto tcp to port 80-90 -> "
			"192.168.1.2-192.168.1.5:8000-8010"},
		{"-A PREROUTING -i eth1 -p udp -m udp --dport 53 -j DNAT --to-destination "
		 "192.168.1.7",
			"dnat = in office proto udp to port 53 -> 192.168.1.7"},
		{"-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128",
			"redirect = in home proto tcp to port 80 -> :3128"},
		{"-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j REDIRECT",
			"redirect = in home proto tcp to port 80 -> :80"},
		{"-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination "
		 "192.168.1.1:3128",
			"redirect = in home proto tcp to port 80 -> :3128"},
		{"-A PREROUTING -i eth0 -d 10.0.0.0/8 -j ACCEPT\n"
		 "-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j REDIRECT",
			"no-dnat = in home to 10.0.0.0/8"},
		{"-A POSTROUTING -s 192.168.1.7/32 -o ppp0 -j SNAT --to-source 192.0.2.7",
			"snat = out uplink from 192.168.1.7 -> 192.0.2.7"},
		{"-A POSTROUTING -o ppp0 -p tcp -j SNAT --to-source "
		 "192.0.2.7-192.0.2.9:62000-62999",
			"snat = out uplink proto tcp -> 192.0.2.7-192.0.2.9:62000-62999"},
		{"-A POSTROUTING -o ppp0 -p tcp -j MASQUERADE --to-ports 62000-62999",
			"masquerade = out uplink proto tcp -> :62000-62999"},
		{"-A PREROUTING -d 192.0.2.64/28 -j NETMAP --to 192.168.1.64/28\n"
		 "-A POSTROUTING -s 192.168.1.64/28 -j NETMAP --to 192.0.2.64/28",
			"map = 192.168.1.64/28 <-> 192.0.2.64/28"},
	};
	static const struct row rows6[] = {
		{"-A PREROUTING -d 2001:db8::1/128 -p tcp -m tcp --dport 80 -j DNAT "
		 "--to-destination [fd77:7467::2]:8080",
			"tcp [2001:db8::1]:80 = [fd77:7467::2]:8080"},
		{"-A POSTROUTING -s fd77:7467::/64 -o ppp0 -j MASQUERADE",
			"masquerade = out uplink from fd77:7467::/64"},
	};

	expect_rows(&home, "nat", rows, COUNT(rows));
	expect_rows(&home, "nat", targets, COUNT(targets));
	expect_rows(&home6, "nat", rows6, COUNT(rows6));
}

/* ---- what is not expressed ---- */

struct left_out {
	const char *table, *rule;
	enum remark_kind kind;
	const char *says;
};

static const struct left_out left_out[] = {
	{"filter", "-A FORWARD -m mark --mark 0x1 -j ACCEPT", REMARK_LOST, "-m mark: marks"},
	{"filter", "-A FORWARD -m set --match-set bad src -j DROP", REMARK_LOST,
		"list them in [sets]; what it refused is not refused by it now"},
	{"filter", "-A FORWARD -m nonsense --x 1 -j ACCEPT", REMARK_LOST, "has no counterpart"},
	{"filter", "-A FORWARD -j MARK --set-xmark 0x1/0xff", REMARK_LOST, "-j MARK"},
	{"filter", "-A FORWARD -p tcp -m multiport --ports 80 -j ACCEPT", REMARK_LOST,
		"write a line for each"},
	{"filter", "-A FORWARD -p tcp --dport http -j ACCEPT", REMARK_LOST, "neither a port"},
	{"filter", "-A FORWARD -s somewhere -j ACCEPT", REMARK_LOST, "neither an address"},
	{"filter", "-A FORWARD -p rdp -j ACCEPT", REMARK_LOST, "use its number"},
	{"filter", "-A FORWARD -i wlan+ -j ACCEPT", REMARK_LOST, "say --lan"},
	{"filter", "-A FORWARD -s 10.0.0.0/255.0.255.0 -j ACCEPT", REMARK_LOST,
		"neither an address"},
	{"filter", "-A FORWARD -m conntrack --ctstate SNAT -j ACCEPT", REMARK_LOST, "allowed: NEW"},
	{"filter", "-A FORWARD -m limit --limit 10kb/s -j ACCEPT", REMARK_LOST,
		"packets per second"},
	{"filter", "-A FORWARD -m connlimit --connlimit-above 9 --connlimit-mask 24 -j DROP",
		REMARK_LOST, "groups of addresses"},
	{"filter", "-A FORWARD -i", REMARK_LOST, "nothing behind -i"},
	{"filter", "-A FORWARD -f -j DROP", REMARK_LOST, "-f has no counterpart"},
	{"filter", "nonsense", REMARK_LOST, "neither a table, a chain nor a rule"},
	{"filter", "-A INPUT -i lo -j ACCEPT", REMARK_HOST, "loopback"},
	{"filter", "-A INPUT -i ppp0 -p tcp --dport 22 -j ACCEPT", REMARK_HOST, "own firewall"},
	{"filter", "-A OUTPUT -o ppp0 -j ACCEPT", REMARK_HOST, "own firewall"},
	{"filter", "-A OUTPUT -m owner --uid-owner 1000 -j DROP", REMARK_HOST, "host's own"},
	{"filter", "-A FORWARD -i eth0", REMARK_NOTE, "only counts"},
	{"filter", "-A FORWARD -j user", REMARK_NOTE, "chain user is empty"},
	{"filter", "-A user -j DROP", REMARK_NOTE, "nothing leads to it"},
	{"filter", "-A FORWARD -m addrtype --dst-type LOCAL -j DROP", REMARK_NOTE, "never matches"},
	{"filter", "-A FORWARD -m conntrack --ctstate UNTRACKED -j DROP", REMARK_NOTE, "tracked"},
	{"nat", "-A OUTPUT -p tcp -j REDIRECT --to-ports 1", REMARK_HOST, "the host itself begins"},
	{"nat", "-A POSTROUTING -j ACCEPT", REMARK_NOTE, "stays as it is"},
	{"nat", "-A POSTROUTING -o eth0 -j MASQUERADE", REMARK_LOST, "keeps its address"},
	{"nat", "-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.2/32 -j MASQUERADE", REMARK_NOTE,
		"published ports"},
	{"nat", "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 203.0.113.9", REMARK_LOST,
		"in no network"},
	{"nat", "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination :81", REMARK_LOST,
		"allowed: addresses"},
	{"nat", "-A PREROUTING -p tcp --dport 80:81 -j REDIRECT", REMARK_LOST, "several ports"},
	{"nat", "-A POSTROUTING -m conntrack --ctstate NEW -j MASQUERADE", REMARK_LOST,
		"sides, addresses"},
	{"nat",
		"-A PREROUTING -j user\n-A PREROUTING -j ACCEPT\n-A user -s 192.168.1.7/32 -j "
		"RETURN",
		REMARK_LOST, "has no chains"},
	{"nat", "-A PREROUTING -j user\n-A user -j user", REMARK_LOST, "cannot be written out"},
	{"mangle", "-A FORWARD -j MARK --set-mark 1", REMARK_LOST, "marks"},
	{"raw", "-A PREROUTING -j ACCEPT", REMARK_LOST, "table raw"},
};

Test(import, what_has_no_counterpart_is_named_and_kept)
{
	for (unsigned i = 0; i < COUNT(left_out); i++) {
		const struct left_out *row = &left_out[i];
		struct import import;

		rules_import(&home, row->table, row->rule, &import);
		cr_expect(has_remark(&import, row->kind, row->says), "%s: %s", row->rule,
			remarks_text(&import));
		cr_expect_eq(import.lost > 0, row->kind == REMARK_LOST, "%s", row->rule);
		if (row->kind != REMARK_NOTE && strncmp(row->rule, "-A", 2) == 0)
			cr_expect_not_null(strstr(import.text, "\n# "), "%s", import.text);
		import_free(&import);
	}
}

Test(import, helpers_and_prefixes_of_other_tables)
{
	static const struct row rows[] = {
		{"-A PREROUTING -i eth0 -p tcp -m tcp --dport 21 -j CT --helper ftp",
			"ftp = in home proto tcp to port 21"},
	};
	struct import import;

	expect_rows(&home, "raw", rows, COUNT(rows));
	rules_import(&home6, "mangle",
		"-A POSTROUTING -s fd77:7467::/64 -o ppp0 -j SNPT --src-pfx fd77:7467::/64 "
		"--dst-pfx 2001:db8:1::/64",
		&import);
	cr_expect(has_remark(
			  &import, REMARK_LOST, "write `npt = fd77:7467::/64 <-> 2001:db8:1::/64`"),
		"%s", remarks_text(&import));
	import_free(&import);
}

/* Every remark about a rule has its line. */
Test(import, a_remark_has_the_line)
{
	struct import import;

	rules_import(&home, "filter", "-A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -j MARK", &import);
	cr_assert_eq(import.lost, 1);
	cr_expect_eq(import.remarks.remark[0].line, 9);
	cr_expect_not_null(strstr(import.text, "\n# 9: -A FORWARD -j MARK\n#     not expressed: "),
		"%s", import.text);
	import_free(&import);
}

/* ---- sides ---- */

static void guess(const char *rules, struct import *import)
{
	static const struct import_options none = {.name = "rules"};

	cr_assert(import_run(&none, rules, import));
}

Test(import, sides_are_guessed)
{
	static const struct {
		const char *rules, *lines[3];
	} rows[] = {
		{"*nat\n-A POSTROUTING -s 192.168.1.0/24 -o ppp0 -j MASQUERADE\nCOMMIT\n",
			{"uplink = ppp0 # guessed: what leaves there is translated",
				"subnet = 192.168.1.0/24"}},
		{"*nat\n-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\nCOMMIT\n",
			{"[network docker0] # docker0, guessed: --lan says otherwise",
				"subnet = 172.17.0.0/16",
				"masquerade = out uplink from 172.17.0.0/16"}},
		{"*filter\n-A FORWARD -i lan -s 10.1.0.0/16 -j ACCEPT\nCOMMIT\n",
			{"[network lan-net] # lan, guessed: --lan says otherwise",
				"subnet = 10.1.0.0/16",
				"rule = accept in lan-net from 10.1.0.0/16"}},
		{"*nat\n-A POSTROUTING -o ppp0 -j MASQUERADE\n-A PREROUTING -i ppp0 -p tcp "
		 "--dport 80 -j DNAT --to-destination 192.168.7.9\nCOMMIT\n",
			{"subnet = 192.168.7.0/24 # guessed: put yours here",
				"tcp 80 = 192.168.7.9"}},
		{"*nat\n-A POSTROUTING -o ppp0 -j MASQUERADE\nCOMMIT\n",
			{"[network guests] # no rule names an interface of guests",
				"subnet = 10.77.0.0/24 # guessed: put yours here"}},
		{"*nat\n-A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.9/32 -o eth1 -j SNAT --to-source "
		 "10.0.0.1\n-A POSTROUTING -o ppp0 -j MASQUERADE\nCOMMIT\n",
			{"uplink = ppp0 # guessed: what leaves there is translated",
				"[network eth1] # eth1, guessed: --lan says otherwise"}},
		{"*filter\n-A FORWARD -s fd00:1::/64 -i eth0 -j ACCEPT\nCOMMIT\n",
			{"subnet = fd00:1::/64", "rule = accept in eth0 from fd00:1::/64"}},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct import import;

		guess(rows[i].rules, &import);
		for (unsigned j = 0; j < 3 && rows[i].lines[j] != NULL; j++)
			cr_expect(has_line(import.text, rows[i].lines[j]), "%s\n%s",
				rows[i].lines[j], import.text);
		import_free(&import);
	}
}

Test(import, bad_sides_are_refused)
{
	static const struct import_options bad[] = {
		{.side = {{.interface = "eth0", .network = "home", .subnet = "nonsense"}},
			.side_count = 1},
		{.side = {{.interface = "eth0", .network = "home", .subnet = "fd00::/64"}},
			.side_count = 1},
		{.side = {{.interface = "eth0", .network = "home"}, {.interface = "eth0"}},
			.side_count = 2},
		{.side = {{.interface = "an-interface-too-long", .network = "home"}},
			.side_count = 1},
	};

	for (unsigned i = 0; i < COUNT(bad); i++) {
		struct import import;

		cr_expect_not(import_run(&bad[i], "*filter\nCOMMIT\n", &import), "%u", i);
		cr_expect_gt(import.remarks.count, 0);
		import_free(&import);
	}
}

/* ---- whole files ---- */

/* A text of a file, to be freed. */
static char *file_text(const char *name)
{
	FILE *file = fopen(name, "re");
	char *text = calloc(1, 65536);

	cr_assert_not_null(file, "%s", name);
	cr_assert_not_null(text);
	cr_assert_gt(fread(text, 1, 65535, file), 0, "%s", name);
	fclose(file);
	return text;
}

/* Rules as they are met, and what becomes of them: `tungate import NAME.save >NAME.conf` in
 * tests/import. */
Test(import, files_of_others)
{
	static const struct {
		const char *name;
		unsigned lost;
	} rows[] = {{"docker", 0}, {"router", 4}, {"ufw", 2}};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		char save_name[64], conf_name[64];
		struct import import;

		snprintf(save_name, sizeof(save_name), "tests/import/%s.save", rows[i].name);
		snprintf(conf_name, sizeof(conf_name), "tests/import/%s.conf", rows[i].name);
		const struct import_options options = {.name = strrchr(save_name, '/') + 1};
		char *save = file_text(save_name), *conf = file_text(conf_name);
		cr_assert(import_run(&options, save, &import), "%s", rows[i].name);
		cr_expect_str_eq(import.text, conf, "%s:\n%s", rows[i].name, import.text);
		cr_expect_eq(import.lost, rows[i].lost, "%s: %u", rows[i].name, import.lost);
		import_free(&import);
		free(save);
		free(conf);
	}
}

/* ---- texts ---- */

Test(import, what_is_no_rules_is_refused)
{
	static const char *const texts[] = {"", "hello\n", "# only a comment\n", "COMMIT\n"};
	struct import import;

	for (unsigned i = 0; i < COUNT(texts); i++) {
		cr_expect_not(import_run(&home, texts[i], &import), "%s", texts[i]);
		cr_expect_gt(import.remarks.count, 0);
		import_free(&import);
	}
}

Test(import, quotes_and_line_ends)
{
	struct import import;

	rules_import(&home, "filter",
		"-A FORWARD -s \"192.168.1.2\" -j \"ACC\\EPT\"\r\n"
		"-A FORWARD   -i\teth0 -j ACCEPT\r",
		&import);
	cr_expect_eq(import.lost, 0, "%s", remarks_text(&import));
	cr_expect(has_line(import.text, "rule = accept from 192.168.1.2"), "%s", import.text);
	cr_expect(has_line(import.text, "rule = accept in home"), "%s", import.text);
	cr_expect_null(strchr(import.text, '\r'));
	import_free(&import);
}

/* Jumps that multiply end somewhere. */
Test(import, jumps_are_written_out_within_bounds)
{
	char text[8192] = "*nat\n:PREROUTING ACCEPT [0:0]\n";
	struct import import;

	for (unsigned i = 0; i < 7 * 10; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "-A c%u -j c%u\n",
			i / 10, i / 10 + 1);
	for (unsigned i = 0; i < 10; i++)
		strcat(text, "-A PREROUTING -j c0\n");
	cr_assert(import_run(&home, text, &import));
	cr_expect(has_remark(&import, REMARK_LOST, "read more than"), "%s", remarks_text(&import));
	import_free(&import);
}

/* Without a table filter everything passes; without a table nat nothing is translated. */
Test(import, a_table_that_is_not_there)
{
	struct import import;

	guess("*nat\n-A POSTROUTING -o ppp0 -j MASQUERADE\nCOMMIT\n", &import);
	cr_expect(has_line(import.text, "policy = accept"));
	import_free(&import);
	guess("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n", &import);
	cr_expect(has_line(import.text, "policy = drop"));
	cr_expect(has_line(import.text, "[nat]"));
	cr_expect_null(strstr(import.text, "masquerade"));
	import_free(&import);
}
