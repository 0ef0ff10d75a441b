/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * defaults: what a config says where its file says nothing.
 *
 * The built-in rules are safe ones: guests reach the internet; they do not reach each other, nor
 * the host's own services, nor what is near the host but not meant for guests; nothing comes in
 * unasked.  They are written in the language of the file, so that `tungate rules` shows them as
 * what a user would write to have the same.
 */
#include "config/defaults.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>

#include "config/nat.h"
#include "config/rule.h"

/*
 * Link-local addresses, and where clouds serve an instance's metadata and keys: 169.254.169.254
 * nearly everywhere; in IPv6 fd00:ec2::254 (Amazon), fd20:ce::254 (Google), fd00:c1::a9fe:a9fe
 * (Oracle); 100.100.100.200 (Alibaba).
 */
#define HOST_ONLY                                                                                  \
	"169.254.0.0/16,fe80::/10,fd00:ec2::/32,fd20:ce::/32,fd00:c1::/"                           \
	"32,100.100.100.200," IN_NAT64 "," IN_6TO4
/* The IPv4 ones, and loopback, by way of a NAT64 (RFC 6052) or a 6to4 relay of the uplink's. */
#define IN_NAT64 "64:ff9b::a9fe:0/112,64:ff9b::6464:64c8,64:ff9b::7f00:0/104"
#define IN_6TO4  "2002:a9fe::/32,2002:6464:64c8::/48,2002:7f00::/24"

#define RULES_MAX 5
static const char *const built_in[CHAIN_COUNT][RULES_MAX] = {
	[CHAIN_INPUT] =
		{
			"accept state established,related",
			"accept forwarded",
			"accept in lan proto icmp icmp-type echo-request",
			"accept in lan proto udp to port 53",
			"accept in lan proto tcp to port 53",
		},
	[CHAIN_FORWARD] =
		{
			"accept state established,related",
			"accept forwarded",
			"reject in lan to " HOST_ONLY,
			"accept in lan out uplink",
		},
};
static const char nat_built_in[] = "in lan out uplink";

enum rule_action default_policy(enum chain chain)
{
	static const enum rule_action policies[CHAIN_COUNT] = {
		[CHAIN_INPUT] = RULE_DROP,
		[CHAIN_FORWARD] = RULE_REJECT,
		[CHAIN_OUTPUT] = RULE_ACCEPT,
	};

	return policies[chain];
}

static bool rule_add(
	struct config *config, enum rule_place place, const char *text, struct rules *rules)
{
	char error[SENTENCE_SIZE];
	const struct sentence why = {error, sizeof(error)};
	struct rule rule;

	return rule_parse(config, place, text, &rule, &why) && rules_append(rules, &rule);
}

/* The host opens connections to guests of networks that it has a link to; they open none to it. */
static bool host_rules(struct config *config)
{
	struct rules *rules = &config->chains[CHAIN_FORWARD];
	char accept[64 + 3 * CONFIG_NAME_SIZE], reject[64 + 2 * CONFIG_NAME_SIZE];
	bool good = true;

	for (unsigned i = 0; i < config->link_count && good; i++) {
		const struct link_config *link = &config->links[i];

		if (link->kind != LINK_HOST)
			continue;
		const char *network = config->networks[link->network].name;
		snprintf(accept, sizeof(accept), "accept in %s from %s out %s", network, link->name,
			network);
		snprintf(reject, sizeof(reject), "reject in %s to %s", network, link->name);
		good = rule_add(config, PLACE_FORWARD, accept, rules) &&
		       rule_add(config, PLACE_FORWARD, reject, rules);
	}
	return good;
}

/* Guests of networks that are not isolated reach each other, from link to link. */
static bool neighbours_rules(struct config *config)
{
	char text[64 + 2 * CONFIG_NAME_SIZE];

	for (unsigned i = 0; i < config->network_count; i++) {
		const char *name = config->networks[i].name;

		snprintf(text, sizeof(text), "accept in %s out %s", name, name);
		if (!config->networks[i].isolate &&
			!rule_add(config, PLACE_FORWARD, text, &config->chains[CHAIN_FORWARD]))
			return false;
	}
	return true;
}

/* The ports that lead to services of the host are open to the guests of their network. */
static bool services_rules(struct config *config, const struct network_config *network)
{
	char text[512], ports[PORT_LIST_TEXT_SIZE], address[2][ADDR_TEXT_SIZE] = {"", ""};
	const bool both = network->subnet4.family != 0 && network->subnet6.family != 0;
	bool good = true;

	if (network->subnet4.family != 0)
		addr_format(AF_INET, &network->gateway4, address[0]);
	if (network->subnet6.family != 0)
		addr_format(AF_INET6, &network->gateway6, address[1]);
	for (unsigned i = 0; i < network->host.service_count && good; i++) {
		const struct host_service *service = &network->host.services[i];

		snprintf(text, sizeof(text), "accept in %s proto %s to %s%s%s port %s",
			network->name, service->protocol == IPPROTO_TCP ? "tcp" : "udp", address[0],
			both ? "," : "", address[1], port_list_format(&service->ports, ports));
		good = rule_add(config, PLACE_INPUT, text, &config->chains[CHAIN_INPUT]);
	}
	return good;
}

static bool default_input(struct config *config)
{
	for (unsigned i = 0; i < config->network_count; i++)
		if ((config->networks[i].subnet4.family | config->networks[i].subnet6.family) &&
			!services_rules(config, &config->networks[i]))
			return false;
	return true;
}

bool default_rules(struct config *config, enum chain chain)
{
	for (unsigned i = 0; i < RULES_MAX && built_in[chain][i] != NULL; i++) {
		if (!rule_add(config, (enum rule_place)chain, built_in[chain][i],
			    &config->chains[chain]))
			return false;
	}
	if (chain == CHAIN_INPUT)
		return default_input(config);
	return chain != CHAIN_FORWARD || (host_rules(config) && neighbours_rules(config));
}

bool default_nat(struct config *config)
{
	char error[SENTENCE_SIZE];
	const struct sentence why = {error, sizeof(error)};
	struct nat_rule rule;

	return nat_rule_parse(config, NAT_MASQUERADE, nat_built_in, &rule, &why) &&
	       nat_rules_append(&config->nat, &rule);
}

void default_gateways(struct network_config *network)
{
	if (network->subnet4.family != 0 && addr_is_zero(&network->gateway4))
		network->gateway4 = prefix_address(&network->subnet4, 1);
	if (network->subnet6.family != 0 && addr_is_zero(&network->gateway6))
		network->gateway6 = prefix_address(&network->subnet6, 1);
}

void default_domain(struct network_config *network)
{
	if (network->domain[0] != '\0')
		return;
	for (unsigned i = 0; network->name[i] != '\0'; i++)
		network->domain[i] = (char)tolower((unsigned char)network->name[i]);
}

void default_link(const struct config *config, struct link_config *link)
{
	if (link->network == NETWORK_UNKNOWN && config->network_count == 1)
		link->network = 0;
	if (LINK_IS_ETHERNET(link->kind) && link->guests == GUESTS_AUTO)
		link->guests = link->bridge[0] != '\0' ? GUESTS_MANY : GUESTS_ONE;
	if (link->device[0] != '\0')
		return;
	if (link->kind == LINK_NETNS)
		snprintf(link->device, sizeof(link->device), "eth0");
	else if (link->kind == LINK_TUN || link->kind == LINK_TAP)
		snprintf(link->device, sizeof(link->device), "tg-%.12s", link->name);
}
