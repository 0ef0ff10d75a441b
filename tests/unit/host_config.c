/* SPDX-License-Identifier: BSD-2-Clause */
/* host_config: what `host-service` and `host-link` mean. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tungate/config.h"

#define LAB "[network lab]\nsubnet = 10.77.0.0/24, fd77::/64\n"

static struct config *must_parse(const char *text)
{
	struct config_errors errors;
	struct config *config = config_parse("t", text, &errors);

	cr_assert_not_null(config, "%s", errors.count > 0 ? errors.text[0] : "no memory");
	return config;
}

static bool has_rule(const struct config *config, enum chain chain, const char *text)
{
	const struct rules *rules = &config->chains[chain];

	for (unsigned i = 0; i < rules->count; i++)
		if (strcmp(rules->rule[i].text, text) == 0)
			return true;
	return false;
}

Test(host_config, services_are_lines)
{
	static const struct {
		const char *line;
		uint8_t protocol, family;
		uint16_t first, last, port;
		const char *address;
		bool proxy_protocol;
	} rows[] = {
		{"tcp 5432", IPPROTO_TCP, 0, 5432, 5432, 0, "0.0.0.0", false},
		{"udp 5000-5010", IPPROTO_UDP, 0, 5000, 5010, 0, "0.0.0.0", false},
		{"tcp 80 -> 8080", IPPROTO_TCP, 0, 80, 80, 8080, "0.0.0.0", false},
		{"tcp 80 -> 127.0.0.2:81", IPPROTO_TCP, AF_INET, 80, 80, 81, "127.0.0.2", false},
		{"tcp 80 -> [fd00::1]:81 proxy-protocol", IPPROTO_TCP, AF_INET6, 80, 80, 81,
			"fd00::1", true},
		{"tcp 80 proxy-protocol", IPPROTO_TCP, 0, 80, 80, 0, "0.0.0.0", true},
	};
	char text[256], address[ADDR_TEXT_SIZE];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), LAB "host-service = %s\n", rows[i].line);
		struct config *config = must_parse(text);
		const struct host_config *host = &config->networks[0].host;
		const struct host_service *service = &host->services[0];

		cr_assert_eq(host->service_count, 1, "%s", rows[i].line);
		cr_expect_eq(service->protocol, rows[i].protocol);
		cr_expect_eq(service->ports.count, 1);
		cr_expect_eq(service->ports.range[0].first, rows[i].first);
		cr_expect_eq(service->ports.range[0].last, rows[i].last);
		cr_expect_eq(service->port, rows[i].port);
		cr_expect_eq(service->family, rows[i].family);
		addr_format(
			service->family ? service->family : AF_INET, &service->address, address);
		cr_expect_str_eq(address, rows[i].address);
		cr_expect_eq(service->proxy_protocol, rows[i].proxy_protocol);
		config_free(config);
	}
}

Test(host_config, built_in_rules_open_services_to_their_network_alone)
{
	struct config *config = must_parse(LAB "host-service = tcp 5432, 6000-6010\n"
					       "host-service = udp 123\n"
					       "[network b]\nsubnet = 10.78.0.0/24\n"
					       "host-service = tcp 80\n");

	cr_expect(has_rule(config, CHAIN_INPUT,
		"accept in lab proto tcp to 10.77.0.1,fd77::1 port 5432,6000-6010"));
	cr_expect(has_rule(
		config, CHAIN_INPUT, "accept in lab proto udp to 10.77.0.1,fd77::1 port 123"));
	cr_expect(has_rule(config, CHAIN_INPUT, "accept in b proto tcp to 10.78.0.1 port 80"));
	config_free(config);
	config = must_parse(LAB "host-service = tcp 80\n[filter input]\npolicy = drop\n");
	cr_expect_eq(config->chains[CHAIN_INPUT].count, 0, "one's own chain decides");
	config_free(config);
}

Test(host_config, a_host_link_is_a_link_with_the_last_address)
{
	static const struct {
		const char *text, *device, *address4, *address6;
	} rows[] = {
		{LAB "host-link = yes\n", "tgh-lab", "10.77.0.254", "fd77::fffe"},
		{LAB "host-link = lab0\n", "lab0", "10.77.0.254", "fd77::fffe"},
		{LAB "host-link = yes\nhost-address = 10.77.0.9\n", "tgh-lab", "10.77.0.9",
			"fd77::fffe"},
		{"[network a]\nsubnet = 10.0.0.0/8, fd77::/120\nhost-link = yes\n", "tgh-a",
			"10.255.255.254", "fd77::fe"},
		{"[network a-long-name-for-a-network]\nsubnet = 10.0.0.0/30\nhost-link = yes\n",
			"tgh-a-long-name", "10.0.0.2", "::"},
	};
	char text[ADDR_TEXT_SIZE];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *config = must_parse(rows[i].text);
		const struct link_config *link = &config->links[0];

		cr_assert_eq(config->link_count, 1);
		cr_expect_eq(link->kind, LINK_HOST);
		cr_expect_str_eq(link->device, rows[i].device);
		cr_expect_str_eq(addr_format(AF_INET, &link->address4, text), rows[i].address4);
		cr_expect_str_eq(addr_format(AF_INET6, &link->address6, text), rows[i].address6);
		config_free(config);
	}
	struct config *config = must_parse(LAB "host-link = no\n");
	cr_expect_eq(config->link_count, 0);
	config_free(config);
}

Test(host_config, the_host_opens_connections_and_is_opened_none)
{
	struct config *config = must_parse(LAB "isolate = no\nhost-link = yes\n");
	const struct rules *rules = &config->chains[CHAIN_FORWARD];
	unsigned reject = 0, accept = 0;

	cr_expect(has_rule(config, CHAIN_FORWARD, "accept in lab from host-lab out lab"));
	for (unsigned i = 0; i < rules->count; i++) {
		if (strcmp(rules->rule[i].text, "reject in lab to host-lab") == 0)
			reject = i;
		if (strcmp(rules->rule[i].text, "accept in lab out lab") == 0)
			accept = i;
	}
	cr_expect(reject > 0 && accept > reject, "guests reach each other, and not the host");
	config_free(config);
}
