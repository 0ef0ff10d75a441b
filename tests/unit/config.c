/* SPDX-License-Identifier: BSD-2-Clause */
/* config: what good files mean: defaults, every key, the examples. */
#include "tungate/config.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "config/keys.h"
#include "config/value.h"
#include "tungate/control.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config *must_parse(const char *name, const char *text)
{
	struct config_errors errors;
	struct config *config = config_parse(name, text, &errors);

	cr_assert_not_null(config, "%s", errors.count > 0 ? errors.text[0] : "no memory");
	cr_assert_eq(errors.count, 0);
	return config;
}

static bool is_address(uint8_t family, const union addr *address, const char *text)
{
	char buffer[ADDR_TEXT_SIZE];

	return strcmp(addr_format(family, address, buffer), text) == 0;
}

/* ---- without a word ---- */

Test(config, an_empty_text_is_a_whole_gateway)
{
	struct config *config = must_parse("empty", "");

	cr_expect_str_eq(config->gateway.control, CONTROL_DEFAULT_PATH);
	cr_expect_str_eq(config->gateway.control_group, "");
	cr_expect_eq(config->gateway.log_level, LOG_LEVEL_INFO);
	cr_expect_not(config->gateway.log_syslog);
	cr_expect_eq(config->gateway.ports.range[0].first, 61000);
	cr_expect_eq(config->gateway.ports.range[0].last, 65535);
	cr_expect_eq(config->gateway.uplink_count, 0);
	cr_expect_eq(config->gateway.guard, GUARD_AUTO);
	cr_expect_eq(config->gateway.busy_poll_us, 30);
	cr_expect_eq(config->gateway.receive_buffer_bytes, 32 << 20);
	cr_expect_eq(config->limits.flows, 65536);
	cr_expect_eq(config->limits.icmp_errors_per_second, 1000);
	cr_expect_eq(config->limits.fragments, 1024);
	cr_expect_eq(config->limits.fragment_bytes, 4 << 20);
	cr_expect_eq(config->link_count, 0);
	cr_expect_eq(config->forward_count, 0);
	config_free(config);
}

/* RFC 5382 REQ-5, RFC 4787 REQ-5, RFC 5508 REQ-2: not a second less. */
Test(config, timeouts_are_what_the_rfcs_ask_for)
{
	struct config *config = must_parse("empty", "");
	const struct timeouts_config *timeouts = &config->timeouts;

	cr_expect_eq(timeouts->tcp_established, 2 * 3600 + 4 * 60);
	cr_expect_eq(timeouts->tcp_syn_sent, 240);
	cr_expect_eq(timeouts->tcp_syn_received, 240);
	cr_expect_eq(timeouts->tcp_fin_wait, 240);
	cr_expect_eq(timeouts->tcp_close_wait, 240);
	cr_expect_eq(timeouts->tcp_last_ack, 240);
	cr_expect_eq(timeouts->tcp_time_wait, 240);
	cr_expect_eq(timeouts->tcp_close, 240);
	cr_expect_eq(timeouts->udp, 300);
	cr_expect_eq(timeouts->udp_stream, 360);
	cr_expect_eq(timeouts->udp_dns, 30);
	cr_expect_eq(timeouts->icmp, 60);
	cr_expect_eq(timeouts->other, 600);
	config_free(config);
}

Test(config, the_built_in_network_has_both_families)
{
	struct config *config = must_parse("empty", "");

	cr_assert_eq(config->network_count, 1);
	const struct network_config *network = &config->networks[0];
	cr_expect_str_eq(network->name, "default");
	cr_expect_eq(network->subnet4.length, 24);
	cr_expect(is_address(AF_INET, &network->gateway4, "10.77.0.1"));
	cr_expect_eq(network->subnet6.length, 64);
	cr_expect(is_address(AF_INET6, &network->gateway6, "fd77:7467::1"));
	cr_expect_eq(network->mtu, 0);
	cr_expect(network->dns);
	cr_expect_eq(network->line, 0);
	config_free(config);
}

Test(config, the_built_in_chains_are_safe)
{
	struct config *config = must_parse("empty", "");
	const struct rules *input = &config->chains[CHAIN_INPUT];
	const struct rules *forward = &config->chains[CHAIN_FORWARD];
	const struct rules *output = &config->chains[CHAIN_OUTPUT];

	cr_expect_eq(input->policy, RULE_DROP);
	cr_assert_eq(input->count, 5);
	cr_expect(input->rule[1].words == RULE_WORD(WORD_FORWARDED));
	cr_expect_eq(input->rule[3].to_ports.range[0].first, 53);
	cr_expect_eq(input->rule[3].in.kind, SIDE_LAN);

	cr_expect_eq(forward->policy, RULE_REJECT);
	cr_assert_eq(forward->count, 4);
	cr_expect(forward->rule[1].words == RULE_WORD(WORD_FORWARDED));
	cr_expect_eq(forward->rule[2].action, RULE_REJECT);
	cr_expect(is_address(AF_INET, &forward->rule[2].to.range[0].first, "169.254.0.0"));
	cr_expect_eq(forward->rule[3].in.kind, SIDE_LAN);
	cr_expect_eq(forward->rule[3].out.kind, SIDE_UPLINK);
	cr_expect_eq(forward->rule[3].line, 0);

	cr_expect_eq(output->policy, RULE_ACCEPT);
	cr_expect_eq(output->count, 0);

	cr_assert_eq(config->nat.count, 1);
	cr_expect_eq(config->nat.rule[0].kind, NAT_MASQUERADE);
	cr_expect_eq(config->nat.rule[0].match.out.kind, SIDE_UPLINK);
	config_free(config);
}

Test(config, a_chain_with_a_section_has_no_built_in_rules)
{
	struct config *config =
		must_parse("t", "[filter forward]\nrule = accept\n[filter input]\n[nat]\n");

	cr_expect_eq(config->chains[CHAIN_FORWARD].count, 1);
	cr_expect_eq(config->chains[CHAIN_FORWARD].policy, RULE_REJECT);
	cr_expect_eq(config->chains[CHAIN_INPUT].count, 0);
	cr_expect_eq(config->chains[CHAIN_INPUT].policy, RULE_DROP);
	cr_expect_eq(config->nat.count, 0);
	config_free(config);
}

/* ---- the look of a file ---- */

Test(config, blanks_comments_and_line_ends_do_not_matter)
{
	struct config *config =
		must_parse("t", "\xef\xbb\xbf# a comment\r\n"
				"  [ network   lab ]  ; another\r\n"
				"\tsubnet=10.1.0.0/16 , fd01::/64\t# and one more\n"
				"   ; x = y\n"
				"\n"
				"[gateway]\n"
				"control = /a#b;c"); /* no blank before it: no comment */

	cr_assert_eq(config->network_count, 1);
	cr_expect_str_eq(config->networks[0].name, "lab");
	cr_expect_eq(config->networks[0].line, 2);
	cr_expect_eq(config->networks[0].subnet6.length, 64);
	cr_expect_str_eq(config->gateway.control, "/a#b;c");
	config_free(config);
}

Test(config, a_rule_keeps_its_line_and_its_words)
{
	struct config *config = must_parse("t", "# one\n\n[filter output]\n"
						"policy = drop\n"
						"  rule =   accept out uplink   # why\n"
						"rule = reject ; and why\n");
	const struct rules *output = &config->chains[CHAIN_OUTPUT];

	cr_expect_eq(output->policy, RULE_DROP);
	cr_assert_eq(output->count, 2);
	cr_expect_str_eq(output->rule[0].text, "accept out uplink");
	cr_expect_eq(output->rule[0].line, 5);
	cr_expect_str_eq(output->rule[1].text, "reject");
	cr_expect_eq(output->rule[1].line, 6);
	config_free(config);
}

Test(config, sections_may_come_in_any_order)
{
	struct config *config =
		must_parse("t", "[forwards]\ntcp 8080 = web:80\n"
				"[link web]\nnetwork = lab\nnetns = web\naddress = 10.1.0.2\n"
				"[filter forward]\nrule = accept in lab\n"
				"[network lab]\nsubnet = 10.1.0.0/16");

	cr_expect_eq(config->network_count, 1);
	cr_expect_eq(config->chains[CHAIN_FORWARD].rule[0].in.kind, SIDE_NETWORK);
	cr_assert_eq(config->forward_count, 1);
	cr_expect(is_address(AF_INET, &config->forwards[0].guest, "10.1.0.2"));
	cr_expect_eq(config->forwards[0].line, 2);
	config_free(config);
}

/* ---- every key ---- */

Test(config, gateway_keys)
{
	struct config *config = must_parse("t",
		"[gateway]\ncontrol = /tmp/c\ncontrol-group = users\nlog-level = trace\nlog = "
		"syslog\n"
		"ports = 50000-50015\nuplink = eth0, ppp0\nguard = sockets\nbusy-poll = 1ms\n"
		"receive-buffer = 512K\n[limits]\nflows = 4194304\nicmp-errors-per-second = 0\n"
		"fragments = 16\nfragment-bytes = 256K\n");
	const struct gateway_config *gateway = &config->gateway;

	cr_expect_str_eq(gateway->control, "/tmp/c");
	cr_expect_str_eq(gateway->control_group, "users");
	cr_expect_eq(gateway->log_level, LOG_LEVEL_TRACE);
	cr_expect(gateway->log_syslog);
	cr_expect_eq(gateway->ports.range[0].first, 50000);
	cr_expect_eq(gateway->ports.range[0].last, 50015);
	cr_assert_eq(gateway->uplink_count, 2);
	cr_expect_str_eq(gateway->uplinks[0], "eth0");
	cr_expect_str_eq(gateway->uplinks[1], "ppp0");
	cr_expect_eq(gateway->guard, GUARD_SOCKETS);
	cr_expect_eq(gateway->busy_poll_us, 1000);
	cr_expect_eq(gateway->receive_buffer_bytes, 512 << 10);
	cr_expect_eq(config->limits.flows, 4194304);
	cr_expect_eq(config->limits.icmp_errors_per_second, 0);
	cr_expect_eq(config->limits.fragments, 16);
	cr_expect_eq(config->limits.fragment_bytes, 256 << 10);
	config_free(config);
}

Test(config, durations_have_units)
{
	struct config *config = must_parse("t",
		"[timeouts]\ntcp-syn-sent = 1\ntcp-established = 5d\nudp = 90s\nudp-stream = 5m\n"
		"icmp = 2h\n");

	cr_expect_eq(config->timeouts.tcp_syn_sent, 1);
	cr_expect_eq(config->timeouts.tcp_established, 5 * 86400);
	cr_expect_eq(config->timeouts.udp, 90);
	cr_expect_eq(config->timeouts.udp_stream, 300);
	cr_expect_eq(config->timeouts.icmp, 7200);
	config_free(config);
}

Test(config, network_keys)
{
	struct config *config = must_parse("t",
		"[network v6]\nsubnet = fd00:1::/64\nmtu = 1280\ndns = no\n"
		"[network v4]\nsubnet = 10.1.0.0/30\ngateway = 10.1.0.2\nmtu = 576\n"
		"[network both]\nsubnet = fd00:2::/126, 0.0.0.0/8\nmtu = uplink\n");

	cr_assert_eq(config->network_count, 3);
	const struct network_config *v6 = &config->networks[0], *v4 = &config->networks[1];
	cr_expect_eq(v6->subnet4.family, 0);
	cr_expect(addr_is_zero(&v6->gateway4));
	cr_expect(is_address(AF_INET6, &v6->gateway6, "fd00:1::1"));
	cr_expect_eq(v6->mtu, 1280);
	cr_expect_not(v6->dns);
	cr_expect_eq(v6->nat64.family, 0);
	cr_expect(v6->dns64);
	cr_expect_eq(v4->line, 5);
	cr_expect(is_address(AF_INET, &v4->gateway4, "10.1.0.2"));
	cr_expect(addr_is_zero(&v4->gateway6));
	cr_expect_eq(v4->mtu, 576);
	cr_expect(is_address(AF_INET, &config->networks[2].gateway4, "0.0.0.1"));
	cr_expect_eq(config->networks[2].mtu, 0);
	config_free(config);
}

Test(config, link_keys)
{
	struct config *config = must_parse("t",
		"[network a]\nsubnet = 10.1.0.0/24,fd01::/64\n[network b]\nsubnet = 10.2.0.0/24\n"
		"[link one]\nnetwork = b\nnetns = pid:4194304\ndevice = net0\naddress = 10.2.0.9\n"
		"[link two]\nnetwork = a\nnetns = /proc/7/ns/net\naddress = fd01::5, 10.1.0.5\n"
		"[link a-tun-with-a-long-name]\nkind = tun\nnetwork = a\n");

	cr_assert_eq(config->link_count, 3);
	const struct link_config *one = &config->links[0], *two = &config->links[1];
	cr_expect_eq(one->kind, LINK_NETNS);
	cr_expect_eq(one->network, 1);
	cr_expect_str_eq(one->netns, "pid:4194304");
	cr_expect_str_eq(one->device, "net0");
	cr_expect(is_address(AF_INET, &one->address4, "10.2.0.9"));
	cr_expect(addr_is_zero(&one->address6));
	cr_expect_str_eq(two->netns, "/proc/7/ns/net");
	cr_expect_str_eq(two->device, "eth0");
	cr_expect(is_address(AF_INET, &two->address4, "10.1.0.5"));
	cr_expect(is_address(AF_INET6, &two->address6, "fd01::5"));
	cr_expect_eq(config->links[2].kind, LINK_TUN);
	cr_expect_str_eq(config->links[2].device, "tg-a-tun-with-a");
	config_free(config);
}

Test(config, the_only_network_is_a_links_default)
{
	struct config *config = must_parse("t", "[link web]\nnetns = web\n");

	cr_expect_eq(config->links[0].network, 0);
	config_free(config);
}

Test(config, each_network_may_have_a_tun_for_all_of_it)
{
	struct config *config = must_parse("t",
		"[network a]\nsubnet = 10.1.0.0/24\n[network b]\nsubnet = 10.2.0.0/24\n"
		"[link one]\nkind = tun\nnetwork = a\n[link two]\nkind = tun\nnetwork = b\n");

	cr_expect(addr_is_zero(&config->links[0].address4));
	cr_expect_str_eq(config->links[1].device, "tg-two");
	config_free(config);
}

Test(config, nat_lines_stay_in_order)
{
	struct config *config = must_parse("t",
		"[nat]\nno-masquerade = to 192.0.2.0/24\nmasquerade = in lan out uplink\n"
		"no-masquerade =\n");
	const struct nat_rules *nat = &config->nat;

	cr_assert_eq(nat->count, 3);
	cr_expect_eq(nat->rule[0].kind, NAT_NO_MASQUERADE);
	cr_expect_eq(nat->rule[1].kind, NAT_MASQUERADE);
	cr_expect_eq(nat->rule[1].match.line, 3);
	cr_expect_eq(nat->rule[2].kind, NAT_NO_MASQUERADE);
	cr_expect_str_eq(nat->rule[0].match.text, "to 192.0.2.0/24");
	config_free(config);
}

Test(config, helpers_know_their_protocols_and_ports)
{
	static const struct {
		const char *text;
		uint8_t helper;
		const char *rule;
	} rows[] = {
		{"ftp =", HELPER_FTP, "proto tcp port 21"},
		{"ftp = in lan port 2121", HELPER_FTP, "in lan port 2121 proto tcp"},
		{"ftp = from 10.77.0.0/24 port 7", HELPER_FTP,
			"from 10.77.0.0/24 port 7 proto tcp port 21"},
		{"ftp = from port 7 proto tcp", HELPER_FTP, "from port 7 proto tcp port 21"},
		{"irc = to 192.0.2.7", HELPER_IRC, "to 192.0.2.7 proto tcp port 6665-6669"},
		{"tftp =", HELPER_TFTP, "proto udp port 69"},
		{"sip = proto tcp", HELPER_SIP, "proto tcp port 5060"},
		{"pptp =", HELPER_PPTP, "proto tcp port 1723"},
	};
	char text[128];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "[helpers]\n%s\n", rows[i].text);
		struct config *config = must_parse("t", text);
		cr_assert_eq(config->helpers.count, 1, "%s", rows[i].text);
		const struct rule *rule = &config->helpers.rule[0];
		cr_expect_eq(rule->action, rows[i].helper, "%s", rows[i].text);
		cr_expect_str_eq(rule->text, rows[i].rule);
		cr_expect_eq(rule->line, 2);
		config_free(config);
	}
}

/* A helper of two protocols makes two rules of one line. */
Test(config, sip_is_of_two_protocols)
{
	struct config *config = must_parse("t", "[helpers]\nsip = port 5062\nsip =\n");

	cr_assert_eq(config->helpers.count, 4);
	cr_expect_str_eq(config->helpers.rule[0].text, "port 5062 proto udp");
	cr_expect_str_eq(config->helpers.rule[1].text, "port 5062 proto tcp");
	cr_expect_str_eq(config->helpers.rule[2].text, "proto udp port 5060");
	config_free(config);
}

Test(config, forwards_keep_the_colons_of_their_addresses)
{
	struct config *config = must_parse("t",
		"[forwards]\ntcp 8080 = 10.77.0.2:80\nudp 5000-5010 = 10.77.0.12\n"
		"tcp 127.0.0.1:8081 = 10.77.0.2:81\ntcp [2001:db8::1]:8082=[fd77:7467::2]:82\n");
	const struct forward *forwards = config->forwards;

	cr_assert_eq(config->forward_count, 4);
	cr_expect_eq(forwards[0].host_family, 0);
	cr_expect_eq(forwards[0].guest_port, 80);
	cr_expect_eq(forwards[1].protocol, IPPROTO_UDP);
	cr_expect_eq(forwards[1].ports.last, 5010);
	cr_expect(is_address(AF_INET, &forwards[2].host, "127.0.0.1"));
	cr_expect_eq(forwards[2].ports.first, 8081);
	cr_expect_eq(forwards[2].guest_port, 81);
	cr_expect(is_address(AF_INET6, &forwards[3].host, "2001:db8::1"));
	cr_expect(is_address(AF_INET6, &forwards[3].guest, "fd77:7467::2"));
	cr_expect_eq(forwards[3].guest_port, 82);
	config_free(config);
}

/* ---- what Ethernet links are told ---- */

Test(config, lan_services_of_a_network)
{
	struct config *config = must_parse("t", "[network Lab]\nsubnet = 10.1.0.0/24, fd01::/64\n"
						"lease-time = 1h\n"
						"address-pool = 10.1.0.100-10.1.0.199\n"
						"lease = 52:54:00:12:34:56 10.1.0.9 Printer\n"
						"lease = 52:54:00:12:34:56 fd01::9\n"
						"route = 192.0.2.0/24\n"
						"route = 198.51.100.0/24 via 10.1.0.9\n"
						"[network b]\nsubnet = 10.2.0.0/24\ndhcp = no\n"
						"ra = no\ndomain = Lab.Example\n");
	const struct network_config *lab = &config->networks[0];
	const union addr printer = addr_v4(10, 1, 0, 9), none = {0};

	cr_expect(lab->dhcp && lab->ra && !lab->dhcp6);
	cr_expect_eq(lab->lease_time_s, 3600);
	cr_expect_eq(addr_range_count(&lab->address_pool), 100);
	cr_expect_str_eq(lab->domain, "lab");
	cr_assert_eq(lab->reservation_count, 2);
	cr_expect(addr_equal(&lab->reservations[0].address, &printer));
	cr_expect_eq(lab->reservations[0].mac[5], 0x56);
	cr_expect_str_eq(lab->reservations[0].name, "printer");
	cr_expect_eq(lab->reservations[1].family, AF_INET6);
	cr_assert_eq(lab->route_count, 2);
	cr_expect_eq(lab->routes[0].prefix.length, 24);
	cr_expect(addr_equal(&lab->routes[0].via, &none));
	cr_expect(addr_equal(&lab->routes[1].via, &printer));
	cr_expect(!config->networks[1].dhcp && !config->networks[1].ra);
	cr_expect_eq(config->networks[1].lease_time_s, 12 * 3600);
	cr_expect_str_eq(config->networks[1].domain, "lab.example");
	cr_expect_str_eq(config->gateway.state, "/var/lib/tungate");
	config_free(config);
}

/* ---- the table ---- */

Test(config, every_default_of_the_table_is_a_value_of_its_key)
{
	struct config *config = must_parse("empty", "");
	unsigned count;
	const struct key *keys = keys_all(&count);

	for (unsigned i = 0; i < count; i++) {
		union {
			struct network_config network;
			struct link_config link;
			struct gateway_config gateway;
		} scratch = {0};
		char error[SENTENCE_SIZE] = "";
		const struct sentence why = {error, sizeof(error)};

		cr_expect_not_null(keys[i].meaning, "%s", keys[i].name);
		if (keys[i].fallback != NULL)
			cr_expect(
				value_parse(config, &keys[i], 0, keys[i].fallback, &scratch, &why),
				"%s: %s", keys[i].name, error);
	}
	config_free(config);
}

Test(config, numbers_are_good_to_their_limits_and_not_beyond)
{
	unsigned count;
	const struct key *keys = keys_all(&count);

	for (unsigned i = 0; i < count; i++) {
		uint64_t scratch[64] = {0};
		char error[SENTENCE_SIZE], text[16];
		const struct sentence why = {error, sizeof(error)};
		struct key key = keys[i];

		if (key.type < KEY_NUMBER || key.type > KEY_BYTES)
			continue;
		key.offset = 0;
		snprintf(text, sizeof(text), "%u", key.min);
		cr_expect(value_parse(NULL, &key, 0, text, scratch, &why), "%s", key.name);
		snprintf(text, sizeof(text), "%u", key.max);
		cr_expect(value_parse(NULL, &key, 0, text, scratch, &why), "%s", key.name);
		snprintf(text, sizeof(text), "%u", key.max + 1);
		cr_expect_not(value_parse(NULL, &key, 0, text, scratch, &why), "%s", key.name);
		snprintf(text, sizeof(text), "%lld", (long long)key.min - 1);
		cr_expect_not(value_parse(NULL, &key, 0, text, scratch, &why), "%s", key.name);
	}
}

/* Read from the root of the tree, where tests run. */
static const char *file_read(const char *path)
{
	static char text[256 * 1024];
	FILE *file = fopen(path, "re");

	cr_assert_not_null(file, "%s: tests run in the root of the tree", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

/* A row of a list, or of the table of timeouts; numbers and words with their default. */
Test(config, the_manual_describes_every_key)
{
	const char *manual = file_read("cmd/tungated/tungate.conf.5");
	unsigned count;
	const struct key *keys = keys_all(&count);

	for (unsigned i = 0; i < count; i++) {
		char item[128];

		snprintf(item, sizeof(item), ".It Ic %s\n", keys[i].name);
		if (keys[i].section == SECTION_TIMEOUTS)
			snprintf(item, sizeof(item), ".It Ic %s Ta %s Ta", keys[i].name,
				keys[i].fallback);
		/* Some of a network's keys are called as others of [limits], and those that both
		 * have stand there. */
		const char *entry = strstr(keys[i].section == SECTION_NETWORK
						   ? strstr(manual, ".Ss [network NAME]")
						   : manual,
			item);
		if (entry == NULL)
			entry = strstr(manual, item);
		cr_assert_not_null(entry, "%s", item);
		if (keys[i].section == SECTION_TIMEOUTS || keys[i].fallback == NULL ||
			strcmp(keys[i].fallback, "default") == 0)
			continue;
		const char *fallback = strstr(entry, keys[i].fallback);
		const char *next = strstr(entry + 1, ".It Ic");
		cr_expect(fallback != NULL && (next == NULL || fallback < next),
			"the default of %s is missing", keys[i].name);
	}
}

/* ---- networks by name and address ---- */

Test(config, networks_are_found_by_name_and_by_address)
{
	struct config *config = must_parse("t", "[network a]\nsubnet = 10.1.0.0/24\n[network "
						"b]\nsubnet = 10.2.0.0/24, fd02::/64\n");
	const union addr v4 = addr_v4(10, 2, 0, 200), none = addr_v4(10, 3, 0, 1);
	union addr v6;
	uint8_t family;

	cr_assert(addr_parse("fd02::77", &v6, &family));
	cr_expect_eq(config_network_named(config, "b"), 1);
	cr_expect_eq(config_network_named(config, "c"), -1);
	cr_expect_eq(config_network_of(config, AF_INET, &v4), 1);
	cr_expect_eq(config_network_of(config, AF_INET6, &v6), 1);
	cr_expect_eq(config_network_of(config, AF_INET, &none), -1);
	config_free(config);
}

/* ---- the examples ---- */

static struct config *example_parse(const char *path)
{
	return must_parse(path, file_read(path));
}

Test(config, the_minimal_example)
{
	struct config *config = example_parse("examples/minimal.conf");

	cr_expect(is_address(AF_INET, &config->networks[0].gateway4, "10.20.0.1"));
	config_free(config);
}

Test(config, the_sandbox_example)
{
	struct config *config = example_parse("examples/sandbox.conf");

	cr_expect_eq(config->chains[CHAIN_FORWARD].count, 9);
	cr_expect_eq(config->forward_count, 2, "one of each family");
	cr_expect_eq(config->timeouts.tcp_established, 12 * 3600);
	config_free(config);
}

Test(config, example_ipv6_only)
{
	struct config *config = example_parse("examples/ipv6-only.conf");

	cr_expect_eq(config->networks[0].nat64.length, 96);
	config_free(config);
}

Test(config, the_lab_example)
{
	struct config *config = example_parse("examples/lab.conf");

	cr_expect_eq(config->network_count, 2);
	cr_expect_eq(config->link_count, 3);
	cr_expect_eq(config->forward_count, 4);
	config_free(config);
}

Test(config, nat64)
{
	struct config *config = must_parse("t", "[network a]\nsubnet = fd00:1::/64\nnat64 = yes\n"
						"[network b]\nsubnet = fd00:2::/64\ndns64 = no\n"
						"nat64 = 2001:db8:64::/48\n"
						"[network c]\nsubnet = fd00:3::/64\nnat64 = no\n");
	char text[ADDR_TEXT_SIZE];

	cr_expect_str_eq(prefix_format(&config->networks[0].nat64, text), "64:ff9b::/96");
	cr_expect(config->networks[0].dns64);
	cr_expect_str_eq(prefix_format(&config->networks[1].nat64, text), "2001:db8:64::/48");
	cr_expect_not(config->networks[1].dns64);
	cr_expect_eq(config->networks[2].nat64.family, 0);
	config_free(config);
}
