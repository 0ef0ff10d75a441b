/* SPDX-License-Identifier: BSD-2-Clause */
/* packet_log: a packet that a rule logs as a line. */
#include "daemon/packet_log.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

static const char sections[] = "[network lab]\nsubnet = 10.77.0.0/24\n"
			       "[filter forward]\n"
			       "rule = drop log \"no; such\" in lab\n"
			       "rule = log\n";

static struct config *config;

static void config_make(void)
{
	struct config_errors errors;

	config = config_parse("test", sections, &errors);
	cr_assert_not_null(config);
}

static void config_forget(void)
{
	config_free(config);
}

TestSuite(packet_log, .init = config_make, .fini = config_forget);

#define UPLINK 0xffff

static struct rule_log line_of(unsigned rule)
{
	return (struct rule_log){
		.rule = &config->chains[CHAIN_FORWARD].rule[rule],
		.chain = "forward",
		.in = 3,
		.out = ZONE_UPLINK,
		.in_network = 0,
		.out_network = UPLINK,
		.family = AF_INET,
		.protocol = IPPROTO_TCP,
		.has_ports = true,
		.is_tcp = true,
		.tcp_flags = 0x12,
		.ttl = 64,
		.source_port = 4000,
		.destination_port = 80,
		.source = addr_v4(10, 77, 0, 2),
		.destination = addr_v4(192, 0, 2, 9),
		.length = 60,
	};
}

Test(packet_log, has_all_that_identifies_a_packet)
{
	static const char *const links[] = {"web", NULL};
	const struct rule_log line = line_of(0);
	char text[PACKET_LOG_SIZE];

	cr_expect_str_eq(packet_log_format(config, &line, links, text),
		"rule \"no; such\" chain=forward verdict=drop in=lab from=web out=uplink proto=tcp "
		"src=10.77.0.2 sport=4000 dst=192.0.2.9 dport=80 flags=SA ttl=64 len=60");
}

Test(packet_log, has_the_domain_that_leads_there)
{
	static const char *const links[] = {"web", NULL};
	struct rule_log line = line_of(0);
	char text[PACKET_LOG_SIZE], name[DOMAIN_NAME_SIZE];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	line.domain = name;
	packet_log_format(config, &line, links, text);
	char *domain = strstr(text, " dport=80 domain=xxx");
	cr_assert_not_null(domain, "%s", text);
	cr_expect_str_eq(domain + 17 + 253, " flags=SA ttl=64 len=60");
}

Test(packet_log, has_what_each_protocol_has)
{
	static const char *const links[] = {NULL, NULL};
	struct rule_log line = line_of(1);
	char text[PACKET_LOG_SIZE];

	line.out = ZONE_SERVICE(0);
	line.out_network = 0;
	line.protocol = IPPROTO_ICMP;
	line.has_ports = line.is_tcp = false;
	line.is_icmp = true;
	line.icmp_type = 3;
	line.icmp_code = 4;
	line.suppressed = 17;
	cr_expect_str_eq(packet_log_format(config, &line, links, text),
		"rule \"\" chain=forward verdict=none in=lab out=gateway proto=icmp src=10.77.0.2 "
		"dst=192.0.2.9 type=3 code=4 ttl=64 len=60 suppressed=17");
	line.protocol = 47;
	line.is_icmp = false;
	cr_expect_not_null(strstr(packet_log_format(config, &line, links, text), "proto=47 src="));
}
