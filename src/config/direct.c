/* SPDX-License-Identifier: BSD-2-Clause */
/* direct: rules for DNS that does not go to the gateway. */
#include "config/direct.h"

#include <stdio.h>
#include <string.h>

#include "config/nat.h"
#include "config/rule.h"

#define DNS_PORT 53

static bool rules_prepend(struct rules *rules, const struct rule *rule)
{
	if (!array_reserve(&rules->rule, rules->count, sizeof(*rule)))
		return false;
	memmove(rules->rule + 1, rules->rule, rules->count * sizeof(*rule));
	rules->rule[0] = *rule;
	rules->count++;
	return true;
}

/* Of the network's section, as far as the file is concerned. */
static bool text_parse(const struct config *config, enum rule_place place, const char *text,
	const struct network_config *network, struct rule *rule)
{
	char error[SENTENCE_SIZE];
	const struct sentence why = {error, sizeof(error)};

	if (!rule_parse(config, place, text, rule, &why))
		return false;
	rule->line = network->line;
	return true;
}

static bool reject_add(
	struct config *config, const struct network_config *network, const char *ports)
{
	char text[CONFIG_TEXT_SIZE];
	struct rule rule;

	snprintf(text, sizeof(text), "reject in %s proto tcp,udp port %s comment \"dns-direct\"",
		network->name, ports);
	return text_parse(config, PLACE_FORWARD, text, network, &rule) &&
	       rules_prepend(&config->chains[CHAIN_FORWARD], &rule);
}

/* The gateway's own addresses, as a list. */
static void gateways_format(const struct network_config *network, char *text, size_t size)
{
	const bool both = network->subnet4.family != 0 && network->subnet6.family != 0;
	char v4[ADDR_TEXT_SIZE] = "", v6[ADDR_TEXT_SIZE] = "";

	if (network->subnet4.family != 0)
		addr_format(AF_INET, &network->gateway4, v4);
	if (network->subnet6.family != 0)
		addr_format(AF_INET6, &network->gateway6, v6);
	snprintf(text, size, "%s%s%s", v4, both ? "," : "", v6);
}

static bool redirect_add(struct config *config, const struct network_config *network)
{
	static const char target[] = " -> the gateway's DNS";
	char gateways[2 * ADDR_TEXT_SIZE], text[CONFIG_TEXT_SIZE - sizeof(target)];
	struct nat_rule rule = {
		.kind = NAT_REDIRECT,
		.dns = true,
		.target_count = 1,
		.target = {{.ports = {1, {{DNS_PORT, DNS_PORT}}}}},
	};

	gateways_format(network, gateways, sizeof(gateways));
	snprintf(text, sizeof(text), "in %s to not %s proto tcp,udp port %d", network->name,
		gateways, DNS_PORT);
	if (!text_parse(config, PLACE_DNAT, text, network, &rule.match))
		return false;
	snprintf(rule.match.text, sizeof(rule.match.text), "%s%s", text, target);
	return nat_rules_append(&config->nat, &rule);
}

bool direct_rules(struct config *config)
{
	bool ok = true;

	/* Backwards, so that they stand in the order of the networks. */
	for (unsigned i = config->network_count; i-- > 0;) {
		const struct network_config *network = &config->networks[i];
		if (network->subnet4.family == 0 && network->subnet6.family == 0)
			continue; /* an error that is told elsewhere */
		if (network->dns_direct == DNS_DIRECT_FORBID)
			ok = reject_add(config, network, "53,853") && ok;
		if (network->dns_direct == DNS_DIRECT_REDIRECT)
			ok = reject_add(config, network, "853") && redirect_add(config, network) &&
			     ok;
	}
	return ok;
}
