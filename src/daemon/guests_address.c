/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests_address: which address a guest gets.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "daemon/guests_state.h"
#include "daemon/leases.h"
#include "daemon/publish.h"

/* The published port that leads to this address by the name of a link, there now or not; NULL:
 * none does. */
static const struct forward *forward_by_name(
	const struct guests *guests, uint16_t network, uint8_t family, const union addr *address)
{
	const struct forward *forward;

	for (unsigned i = 0; (forward = publish_get(guests->daemon->publish, i)) != NULL; i++)
		if (forward->guest_name[0] != '\0' && forward->network == network &&
			forward->guest_family == family && addr_equal(&forward->guest, address))
			return forward;
	return NULL;
}

/* The address of this link that published ports lead to by its name. */
static bool address_published(const struct guests *guests, const struct link_config *link,
	uint8_t family, union addr *address)
{
	const struct forward *forward;

	for (unsigned i = 0; (forward = publish_get(guests->daemon->publish, i)) != NULL; i++) {
		if (strcmp(forward->guest_name, link->name) != 0 ||
			forward->network != link->network || forward->guest_family != family)
			continue;
		*address = forward->guest;
		return true;
	}
	return false;
}

/* Has a guest chosen it for itself, as IPv6 hosts do? */
static bool is_learnt(
	const struct guests *guests, uint16_t network, uint8_t family, const union addr *address)
{
	const zone_id zone = engine_locate(guests->daemon->engine, network, family, address);

	return zone < ENGINE_LINKS_MAX && guests->guest[zone] != NULL &&
	       !link_is_whole_subnet(&guests->guest[zone]->wanted.config);
}

/* For a link of this name; one without a name has no lease. */
static bool address_is_free(const struct guests *guests, uint16_t network, const char *name,
	uint8_t family, const union addr *address)
{
	const struct network_config *config = &guests->daemon->config->networks[network];
	const struct forward *forward = forward_by_name(guests, network, family, address);

	if (addr_equal(address, family == AF_INET ? &config->gateway4 : &config->gateway6) ||
		(forward != NULL && strcmp(forward->guest_name, name) != 0))
		return false;
	for (unsigned i = 0; i < guests->highest; i++) {
		const struct guest *guest = guests->guest[i];
		if (guest != NULL && guest->wanted.config.network == network &&
			addr_equal(
				address, family == AF_INET ? &guest->address4 : &guest->address6))
			return false;
	}
	if (leases_has(guests->daemon->leases, network, name, family, address))
		return false;
	if (is_learnt(guests, network, family, address))
		return false;
	for (unsigned i = 0; i < config->reservation_count; i++)
		if (addr_equal(address, &config->reservations[i].address))
			return false;
	/* Those that the config has promised to links which are not there yet. */
	for (unsigned i = 0; i < guests->daemon->config->link_count; i++) {
		const struct link_config *link = &guests->daemon->config->links[i];
		if (link->network == network &&
			addr_equal(address, family == AF_INET ? &link->address4 : &link->address6))
			return false;
	}
	return true;
}

void address_remember(const struct guests *guests, const struct link_config *link, uint8_t family,
	union addr *address)
{
	const struct leases_file *leases = guests->daemon->leases;
	const struct network_config *config = &guests->daemon->config->networks[link->network];
	const struct prefix *subnet = family == AF_INET ? &config->subnet4 : &config->subnet6;
	union addr before;

	if (addr_is_zero(address) &&
		(leases_of_link(leases, link->network, link->name, family, &before) ||
			address_published(guests, link, family, &before)) &&
		subnet->family != 0 && prefix_contains(subnet, family, &before) &&
		address_is_free(guests, link->network, link->name, family, &before))
		*address = before;
}

/* The lowest free address of the network; false when there is none. */
static bool address_choose(
	const struct guests *guests, uint16_t network, uint8_t family, union addr *address)
{
	const struct network_config *config = &guests->daemon->config->networks[network];
	const struct prefix *subnet = family == AF_INET ? &config->subnet4 : &config->subnet6;
	const unsigned bits = addr_bits(family) - subnet->length;
	const uint64_t last = bits > 16 ? 65534 : ((uint64_t)1 << bits) - 2;

	for (uint64_t n = 1; n <= last; n++) {
		*address = prefix_address(subnet, n);
		if (address_is_free(guests, network, "", family, address))
			return true;
	}
	return false;
}

int address_settle(const struct guests *guests, uint16_t network, uint8_t family, bool whole_subnet,
	union addr *address, struct request_error *error)
{
	const struct network_config *config = &guests->daemon->config->networks[network];
	const struct prefix *subnet = family == AF_INET ? &config->subnet4 : &config->subnet6;
	char text[ADDR_TEXT_SIZE];

	if (whole_subnet || (subnet->family == 0 && addr_is_zero(address)))
		return 0;
	if (addr_is_zero(address)) {
		if (address_choose(guests, network, family, address))
			return 0;
		snprintf(error->text, sizeof(error->text),
			"network %s has no free address left; detach a link or use a larger subnet",
			config->name);
		return -ENOSPC;
	}
	if (subnet->family == 0 || !prefix_contains(subnet, family, address)) {
		snprintf(error->text, sizeof(error->text), "%s is not in the subnet of network %s",
			addr_format(family, address, text), config->name);
		return -EINVAL;
	}
	for (unsigned i = 0; i < guests->highest && !config->clones; i++) {
		const struct guest *guest = guests->guest[i];
		if (guest == NULL || guest->wanted.config.network != network ||
			!addr_equal(
				address, family == AF_INET ? &guest->address4 : &guest->address6))
			continue;
		snprintf(error->text, sizeof(error->text), "%s belongs to link %s",
			addr_format(family, address, text), guest->wanted.config.name);
		return -EEXIST;
	}
	if (addr_equal(address, family == AF_INET ? &config->gateway4 : &config->gateway6)) {
		snprintf(error->text, sizeof(error->text), "%s is the gateway's own address",
			addr_format(family, address, text));
		return -EINVAL;
	}
	return 0;
}
