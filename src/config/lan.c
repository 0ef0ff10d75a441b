/* SPDX-License-Identifier: BSD-2-Clause */
/* lan: pools, leases, routes and domains. */
#include "config/lan.h"

#include <ctype.h>
#include <string.h>

#include "base/mac.h"
#include "config/check.h"
#include "config/value.h"

/* ---- values ---- */

bool pool_value(const char *text, struct addr_range *pool, const struct sentence *why)
{
	struct addr_range range;
	const char *fault = addr_range_parse(text, &range);

	if (fault != NULL || range.family != AF_INET)
		return refuse(why,
			"%s%sallowed: IPv4 addresses of the subnet such as 10.77.0.100-10.77.0.199",
			fault != NULL ? fault : "", fault != NULL ? ": " : "");
	*pool = range;
	return true;
}

/* RFC 1035, 2.3.1, with digits first as RFC 1123, 2.1, has it. */
static bool label_is_good(const char *label, size_t length)
{
	if (length == 0 || length > 63 || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-')
			return false;
	return true;
}

bool domain_value(const char *text, char domain[CONFIG_DOMAIN_SIZE], const struct sentence *why)
{
	const char *label = text;
	bool good = strlen(text) < CONFIG_DOMAIN_SIZE;

	for (;;) {
		const size_t length = strcspn(label, ".");

		good = good && label_is_good(label, length);
		if (label[length] == '\0')
			break;
		label += length + 1;
	}
	if (!good)
		return refuse(why,
			"allowed: a domain's name such as lab.example, of at most %d bytes, "
			"without "
			"a dot at its end",
			CONFIG_DOMAIN_SIZE - 1);
	memset(domain, 0, CONFIG_DOMAIN_SIZE);
	for (unsigned i = 0; text[i] != '\0'; i++)
		domain[i] = (char)tolower((unsigned char)text[i]);
	return true;
}

bool route_value(const char *text, struct network_config *network, const struct sentence *why)
{
	char prefix[WORD_SIZE] = "", via[WORD_SIZE], address[WORD_SIZE], more[WORD_SIZE];
	struct lan_route route = {0};
	uint8_t family = AF_INET;
	bool good;

	word_next(&text, prefix);
	const char *fault = prefix_parse(prefix, &route.prefix);
	good = fault == NULL && route.prefix.family == AF_INET;
	if (word_next(&text, via))
		good = good && strcmp(via, "via") == 0 && word_next(&text, address) &&
		       addr_parse(address, &route.via, &family) && family == AF_INET;
	if (!good || word_next(&text, more))
		return refuse(why,
			"%s%sallowed: an IPv4 prefix such as 192.0.2.0/24, and where not the "
			"gateway leads to it: via ADDRESS",
			fault != NULL ? fault : "", fault != NULL ? ": " : "");
	if (network->route_count == CONFIG_ROUTES_MAX)
		return refuse(why, "allowed: at most %d routes", CONFIG_ROUTES_MAX);
	network->routes[network->route_count++] = route;
	return true;
}

bool lease_value(
	const char *text, unsigned line, struct network_config *network, const struct sentence *why)
{
	char mac[WORD_SIZE] = "", address[WORD_SIZE] = "", name[WORD_SIZE] = "", more[WORD_SIZE];
	struct lan_reservation lease = {.line = line};

	word_next(&text, mac);
	word_next(&text, address);
	word_next(&text, name);
	if (!mac_parse(mac, lease.mac) || lease.mac[0] & 1 ||
		!addr_parse(address, &lease.address, &lease.family) || word_next(&text, more))
		return refuse(why, "allowed: MAC ADDRESS [NAME], such as 52:54:00:12:34:56 "
				   "10.77.0.20 printer");
	if (strlen(name) >= sizeof(lease.name) ||
		(name[0] != '\0' && !label_is_good(name, strlen(name))))
		return refuse(why,
			"bad name `%s`: allowed: letters, digits and hyphens, at most %zu bytes",
			name, sizeof(lease.name) - 1);
	for (unsigned i = 0; name[i] != '\0'; i++)
		lease.name[i] = (char)tolower((unsigned char)name[i]);
	if (network->reservation_count == CONFIG_LEASES_MAX)
		return refuse(why, "allowed: at most %d leases", CONFIG_LEASES_MAX);
	if (!array_reserve(&network->reservations, network->reservation_count, sizeof(lease)))
		return refuse(why, "out of memory");
	network->reservations[network->reservation_count++] = lease;
	return true;
}

/* ---- what they are in their network ---- */

static bool has_host(
	const struct network_config *network, uint8_t family, const union addr *address)
{
	return subnet_has_host(family == AF_INET ? &network->subnet4 : &network->subnet6, address);
}

static void check_pool(const struct network_config *network, struct problems *problems)
{
	const struct addr_range *pool = &network->address_pool;
	char text[ADDR_RANGE_TEXT_SIZE], subnet[ADDR_TEXT_SIZE];

	if (pool->family == 0)
		return;
	if (network->subnet4.family == 0)
		problems_add(problems, network->line,
			"network `%s` has an `address-pool` and no IPv4 subnet: allowed: with one",
			network->name);
	else if (!has_host(network, AF_INET, &pool->first) ||
		 !has_host(network, AF_INET, &pool->last))
		problems_add(problems, network->line,
			"address-pool %s of network `%s`: allowed: addresses inside %s, without "
			"its "
			"first and its broadcast address",
			addr_range_format(pool, text), network->name,
			prefix_format(&network->subnet4, subnet));
}

static void check_lease(const struct network_config *network, const struct lan_reservation *lease,
	struct problems *problems)
{
	const union addr *gateway =
		lease->family == AF_INET ? &network->gateway4 : &network->gateway6;
	char text[ADDR_TEXT_SIZE];

	addr_format(lease->family, &lease->address, text);
	if (!has_host(network, lease->family, &lease->address) ||
		addr_equal(&lease->address, gateway))
		problems_add(problems, lease->line,
			"lease of %s: allowed: an address of network `%s` that is not the "
			"gateway's",
			text, network->name);
	for (const struct lan_reservation *other = network->reservations; other < lease; other++) {
		if (other->family != lease->family)
			continue;
		if (addr_equal(&other->address, &lease->address))
			problems_add(problems, lease->line,
				"lease of %s: line %u gives it to another machine: allowed: one "
				"machine for each address",
				text, other->line);
		if (memcmp(other->mac, lease->mac, sizeof(lease->mac)) == 0)
			problems_add(problems, lease->line,
				"lease of %s: this machine has an address in line %u already: "
				"allowed: one of each family",
				text, other->line);
	}
}

static void check_routes(const struct network_config *network, struct problems *problems)
{
	char text[ADDR_TEXT_SIZE], via[ADDR_TEXT_SIZE];

	for (unsigned i = 0; i < network->route_count; i++) {
		const struct lan_route *route = &network->routes[i];

		if (!addr_is_zero(&route->via) && !has_host(network, AF_INET, &route->via))
			problems_add(problems, network->line,
				"route %s via %s of network `%s`: allowed: an address of its "
				"subnet",
				prefix_format(&route->prefix, text),
				addr_format(AF_INET, &route->via, via), network->name);
	}
}

void check_network_lan(const struct network_config *network, struct problems *problems)
{
	check_pool(network, problems);
	for (unsigned i = 0; i < network->reservation_count; i++)
		check_lease(network, &network->reservations[i], problems);
	check_routes(network, problems);
	if (network->dhcp6 && network->subnet6.family == 0)
		problems_add(problems, network->line,
			"network `%s` has `dhcp6 = yes` and no IPv6 subnet: allowed: with one",
			network->name);
}
