/* SPDX-License-Identifier: BSD-2-Clause */
/* networks: which network is meant. */
#include "config/networks.h"

#include <string.h>

bool network_is_seen(const struct config_names *names, unsigned network)
{
	return names == NULL || names->sees == NULL ||
	       names->sees(names->context, (uint16_t)network);
}

const struct prefix *network_subnet(const struct network_config *network, uint8_t family)
{
	return family == AF_INET ? &network->subnet4 : &network->subnet6;
}

static bool network_has(
	const struct network_config *network, uint8_t family, const union addr *address)
{
	const struct prefix *subnet = network_subnet(network, family);

	return subnet->family != 0 && prefix_contains(subnet, family, address);
}

bool networks_have_gateway(const struct config *config, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < config->network_count; i++) {
		const struct network_config *network = &config->networks[i];

		if (addr_equal(
			    address, family == AF_INET ? &network->gateway4 : &network->gateway6))
			return true;
	}
	return false;
}

bool network_cut(const struct config *config, const struct config_names *names, const char **text,
	int *network, const struct sentence *why)
{
	const char *slash = strchr(*text, '/');
	char name[CONFIG_NAME_SIZE], known[CHOICES_SIZE] = "";
	const size_t length = slash != NULL ? (size_t)(slash - *text) : 0;
	union addr address;
	uint8_t family;

	*network = NETWORK_ANY;
	if (slash == NULL)
		return true;
	if (length >= sizeof(name))
		return refuse(why, "unknown network in `%s`: allowed: names of at most %d bytes",
			*text, CONFIG_NAME_SIZE - 1);
	memcpy(name, *text, length);
	name[length] = '\0';
	if (addr_parse(name, &address, &family)) /* a prefix */
		return true;
	const int index = config_network_named(config, name);
	if (index >= 0 && network_is_seen(names, (unsigned)index)) {
		*network = index;
		*text = slash + 1;
		return true;
	}
	for (unsigned i = 0; i < config->network_count; i++)
		if (network_is_seen(names, i))
			choices_add(known, config->networks[i].name);
	return refuse_choice(why, "network", name, known);
}

int network_find(const struct config *config, const struct config_names *names, int wanted,
	uint8_t family, const union addr *address, const struct sentence *why)
{
	char text[ADDR_TEXT_SIZE];
	int found = NETWORK_NOWHERE;

	for (unsigned i = 0; i < config->network_count; i++) {
		const struct network_config *network = &config->networks[i];

		if ((wanted != NETWORK_ANY && wanted != (int)i) || !network_is_seen(names, i) ||
			!network_has(network, family, address))
			continue;
		if (found == NETWORK_NOWHERE) {
			found = (int)i;
			continue;
		}
		addr_format(family, address, text);
		refuse(why, "%s is in the networks `%s` and `%s`: allowed: %s/%s or %s/%s", text,
			config->networks[found].name, network->name, config->networks[found].name,
			text, network->name, text);
		return NETWORK_AMBIGUOUS;
	}
	return found;
}
