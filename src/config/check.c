/* SPDX-License-Identifier: BSD-2-Clause */
/* check: what no single key can tell: whether the parts of a config fit together. */
#include "config/check.h"

#include <string.h>

#include "config/defaults.h"
#include "config/host.h"
#include "config/lan.h"
#include "config/nat.h"
#include "config/rule.h"

#define MTU_V6_LEAST 1280 /* RFC 8200, section 5 */

/* ---- addresses in subnets ---- */

bool subnet_has_host(const struct prefix *subnet, const union addr *address)
{
	if (subnet->family == 0 || !prefix_contains(subnet, subnet->family, address) ||
		addr_equal(address, &subnet->base))
		return false;
	if (subnet->family == AF_INET6)
		return true;
	const union addr broadcast =
		prefix_address(subnet, (UINT64_C(1) << (32 - subnet->length)) - 1);
	return !addr_equal(address, &broadcast);
}

/* `whose`: "gateway" or "guest".  An address not given is no fault. */
static void check_address(const char *whose, uint8_t family, const union addr *address,
	const struct network_config *network, unsigned line, struct problems *problems)
{
	const struct prefix *subnet = family == AF_INET ? &network->subnet4 : &network->subnet6;
	char text[ADDR_TEXT_SIZE], prefix[ADDR_TEXT_SIZE];

	if (addr_is_zero(address) || subnet_has_host(subnet, address))
		return;
	addr_format(family, address, text);
	if (subnet->family == 0)
		problems_add(problems, line,
			"%s address %s: network `%s` has no %s subnet: allowed: addresses of its "
			"subnets",
			whose, text, network->name, family == AF_INET ? "IPv4" : "IPv6");
	else
		problems_add(problems, line,
			"%s address %s: allowed: an address inside %s of network `%s`, and "
			"neither its first nor its broadcast address",
			whose, text, prefix_format(subnet, prefix), network->name);
}

/* ---- one section by itself ---- */

void check_network(const struct network_config *network, struct problems *problems)
{
	if (network->subnet4.family == 0 && network->subnet6.family == 0) {
		problems_add(problems, network->line,
			"network `%s` has no `subnet`: give it one, such as subnet = 10.77.0.0/24",
			network->name);
		return;
	}
	check_address("gateway", AF_INET, &network->gateway4, network, network->line, problems);
	check_address("gateway", AF_INET6, &network->gateway6, network, network->line, problems);
	if (network->nat64.family != 0 && network->subnet6.family == 0)
		problems_add(problems, network->line,
			"network `%s` has `nat64` and no IPv6 subnet: allowed: nat64 where guests "
			"have IPv6 addresses",
			network->name);
	check_network_lan(network, problems);
	check_network_host(network, problems);
	if (!network->dns &&
		(network->dns_names != DNS_NAMES_ANY || network->dns_direct == DNS_DIRECT_REDIRECT))
		problems_add(problems, network->line,
			"network `%s` has `dns = no`, and `%s`: allowed: with the gateway's DNS",
			network->name,
			network->dns_names != DNS_NAMES_ANY ? "dns-names = allowed"
							    : "dns-direct = redirect");
	if (network->subnet6.family != 0 && network->mtu != 0 && network->mtu < MTU_V6_LEAST)
		problems_add(problems, network->line,
			"network `%s` has an IPv6 subnet and `mtu = %u`: allowed: %u or more with "
			"IPv6",
			network->name, network->mtu, MTU_V6_LEAST);
}

#define KIND(kind)    (1u << LINK_##kind)
#define KINDS_FRAMES  (KIND(TAP) | KIND(NETDEV) | KIND(QEMU))
#define KINDS_ON_HOST (KIND(TUN) | KIND(TAP) | KIND(NETDEV) | KIND(HOST))

/* Which key is of which kind of link, and which kind cannot be without it. */
static void check_link_keys(const struct link_config *link, struct problems *problems)
{
	static const uint8_t any[6];
	const struct {
		const char *key;
		bool given;
		unsigned allowed, required; /* kinds */
		const char *kinds, *values;
	} keys[] = {
		{"netns", link->netns[0] != '\0', KIND(NETNS), KIND(NETNS), "netns",
			"a name, an absolute path, pid:N; or kind = tun"},
		{"device", link->device[0] != '\0', KINDS_ON_HOST | KIND(NETNS), KIND(NETDEV),
			"tun, netns, tap or netdev", "the interface that is taken over"},
		{"bridge", link->bridge[0] != '\0', KIND(TAP), 0, "tap", NULL},
		{"socket", link->socket[0] != '\0', KIND(QEMU), KIND(QEMU), "qemu",
			"an absolute path, of the unix socket that QEMU connects to"},
		{"socket-mode", link->socket_mode != SOCKET_STREAM, KIND(QEMU), 0, "qemu", NULL},
		{"guests", link->guests != GUESTS_AUTO, KINDS_FRAMES, 0, "tap, netdev or qemu",
			NULL},
		{"mac", memcmp(link->mac, any, sizeof(any)) != 0, KINDS_FRAMES, 0,
			"tap, netdev or qemu", NULL},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].given && !(keys[i].allowed >> link->kind & 1))
			problems_add(problems, link->line,
				"link `%s` has a `%s`: allowed: only with kind = %s", link->name,
				keys[i].key, keys[i].kinds);
		if (!keys[i].given && keys[i].required >> link->kind & 1)
			problems_add(problems, link->line, "link `%s` has no `%s`: allowed: %s",
				link->name, keys[i].key, keys[i].values);
	}
}

/* Many guests have none of what is one guest's. */
static void check_link_guests(const struct link_config *link, struct problems *problems)
{
	static const uint8_t any[6];

	if (link->guests != GUESTS_MANY)
		return;
	if (!addr_is_zero(&link->address4) || !addr_is_zero(&link->address6))
		problems_add(problems, link->line,
			"link `%s` has an `address` and many guests: allowed: one of the two; DHCP "
			"gives each guest an address",
			link->name);
	if (memcmp(link->mac, any, sizeof(any)) != 0)
		problems_add(problems, link->line,
			"link `%s` has a `mac` and many guests: allowed: `mac` with guests = one",
			link->name);
}

void check_link(
	const struct config *config, const struct link_config *link, struct problems *problems)
{
	char known[CHOICES_SIZE] = "", text[2 * CHOICES_SIZE];

	if (link->network == NETWORK_UNKNOWN) {
		networks_choices(config, known);
		problems_add(problems, link->line,
			"link `%s` has no `network`, and there is more than one: allowed: %s",
			link->name, choices_format(known, text, sizeof(text)));
	}
	check_link_keys(link, problems);
	check_link_guests(link, problems);
}

/* ---- sections against each other ---- */

/* Has the host a route to the network's guests? */
static const struct link_config *routed_link(const struct config *config, unsigned network)
{
	for (unsigned i = 0; i < config->link_count; i++)
		if (config->links[i].kind == LINK_TUN && config->links[i].network == network)
			return &config->links[i];
	return NULL;
}

static bool subnets_overlap(const struct prefix *a, const struct prefix *b)
{
	return a->family != 0 && b->family != 0 && prefix_overlaps(a, b);
}

/* Networks may share addresses, as it is the link that says whose a packet is; but the host has one
 * route to each. */
static void check_overlap(
	const struct config *config, unsigned network, unsigned other, struct problems *problems)
{
	const struct network_config *a = &config->networks[network], *b = &config->networks[other];
	const struct link_config *link = routed_link(config, network),
				 *other_link = routed_link(config, other);

	if (link == NULL || other_link == NULL ||
		(!subnets_overlap(&a->subnet4, &b->subnet4) &&
			!subnets_overlap(&a->subnet6, &b->subnet6)))
		return;
	problems_add(problems, link->line,
		"links `%s` and `%s` in line %u are both `tun`, and the subnets of their networks "
		"`%s` and `%s` overlap: allowed: one `tun` link, as the host has one route to an "
		"address",
		link->name, other_link->name, other_link->line, a->name, b->name);
}

/* Addresses of a NAT64 prefix are nobody's own. */
static void check_nat64(const struct config *config, const struct network_config *network,
	struct problems *problems)
{
	char text[ADDR_TEXT_SIZE], other_text[ADDR_TEXT_SIZE];

	for (unsigned i = 0; i < config->network_count && network->nat64.family != 0; i++) {
		const struct network_config *other = &config->networks[i];

		if (other->subnet6.family != 0 && prefix_overlaps(&network->nat64, &other->subnet6))
			problems_add(problems, network->line,
				"nat64 %s of network `%s` overlaps the subnet %s of network `%s`: "
				"allowed: a prefix that no guest has an address of",
				prefix_format(&network->nat64, text), network->name,
				prefix_format(&other->subnet6, other_text), other->name);
	}
}

static void check_networks(const struct config *config, struct problems *problems)
{
	for (unsigned i = 0; i < config->network_count; i++) {
		const struct network_config *network = &config->networks[i];

		for (unsigned j = 0; j < i; j++)
			check_overlap(config, i, j, problems);
		check_nat64(config, network, problems);
	}
}

/* A guest's address: in its network, not the gateway's. */
static void check_guest(const struct config *config, const struct link_config *link, uint8_t family,
	const union addr *address, struct problems *problems)
{
	const struct network_config *network = &config->networks[link->network];
	const union addr *gateway = family == AF_INET ? &network->gateway4 : &network->gateway6;
	char text[ADDR_TEXT_SIZE];

	check_address("guest", family, address, network, link->line, problems);
	if (!addr_is_zero(address) && addr_equal(address, gateway))
		problems_add(problems, link->line,
			"guest address %s of link `%s` is the gateway's: allowed: another one",
			addr_format(family, address, text), link->name);
}

static void check_same_address(const struct link_config *link, const struct link_config *other,
	uint8_t family, const union addr *address, const union addr *other_address,
	struct problems *problems)
{
	char text[ADDR_TEXT_SIZE];

	if (!addr_is_zero(address) && addr_equal(address, other_address))
		problems_add(problems, link->line,
			"address %s of link `%s` is that of link `%s` in line %u: allowed: one "
			"link for each address, or `clones = yes` of the network",
			addr_format(family, address, text), link->name, other->name, other->line);
}

/* A tun link without an address stands for its whole network, and so does one of many guests. */
static bool link_is_whole(const struct link_config *link)
{
	return link->guests == GUESTS_MANY ||
	       (link->kind == LINK_TUN && addr_is_zero(&link->address4) &&
		       addr_is_zero(&link->address6));
}

/* Whether two links give, or take, interfaces of the same names' world. */
static bool links_share_names(const struct link_config *link, const struct link_config *other)
{
	const bool on_host = KINDS_ON_HOST >> link->kind & 1;

	return on_host == (KINDS_ON_HOST >> other->kind & 1) &&
	       strcmp(link->netns, other->netns) == 0;
}

/* What only one link can have. */
static void check_same_place(
	const struct link_config *link, const struct link_config *other, struct problems *problems)
{
	const struct {
		const char *key, *ours, *theirs, *advice;
	} places[] = {
		{"device", link->device, links_share_names(link, other) ? other->device : "",
			"; tell them apart by `device`"},
		{"bridge", link->bridge, other->bridge, ""},
		{"socket", link->socket, other->socket, ""},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i].ours[0] != '\0' && strcmp(places[i].ours, places[i].theirs) == 0)
			problems_add(problems, link->line,
				"%s %s of link `%s` is that of link `%s` in line %u: allowed: one "
				"link for each%s",
				places[i].key, places[i].ours, link->name, other->name, other->line,
				places[i].advice);
}

static bool may_be_clones(const struct config *config, const struct link_config *link,
	const struct link_config *other)
{
	return link->network == other->network && link->network != NETWORK_UNKNOWN &&
	       config->networks[link->network].clones;
}

static void check_link_pair(const struct config *config, const struct link_config *link,
	const struct link_config *other, struct problems *problems)
{
	if (link->network == other->network && !may_be_clones(config, link, other)) {
		check_same_address(
			link, other, AF_INET, &link->address4, &other->address4, problems);
		check_same_address(
			link, other, AF_INET6, &link->address6, &other->address6, problems);
	}
	check_same_place(link, other, problems);
	check_host_routes(config, link, other, problems);
	if (link_is_whole(link) && link_is_whole(other) && link->network == other->network &&
		link->network != NETWORK_UNKNOWN)
		problems_add(problems, link->line,
			"link `%s` and link `%s` in line %u are both for the whole network: "
			"allowed: one; give them an `address`",
			link->name, other->name, other->line);
}

static void check_links(const struct config *config, struct problems *problems)
{
	for (unsigned i = 0; i < config->link_count; i++) {
		const struct link_config *link = &config->links[i];

		if (link->network != NETWORK_UNKNOWN) {
			check_guest(config, link, AF_INET, &link->address4, problems);
			check_guest(config, link, AF_INET6, &link->address6, problems);
		}
		for (unsigned j = 0; j < i; j++)
			check_link_pair(config, link, &config->links[j], problems);
	}
}

static void check_forwards(const struct config *config, struct problems *problems)
{
	char text[PORTS_TEXT_SIZE], other_text[PORTS_TEXT_SIZE];

	for (unsigned i = 0; i < config->forward_count; i++) {
		const struct forward *forward = &config->forwards[i];

		for (unsigned j = 0; j < i; j++) {
			if (!config_forwards_overlap(forward, &config->forwards[j]))
				continue;
			problems_add(problems, forward->line,
				"port %s overlaps the forward of port %s in line %u: allowed: one "
				"guest for each port",
				ports_format(&forward->ports, text),
				ports_format(&config->forwards[j].ports, other_text),
				config->forwards[j].line);
		}
	}
}

void check_config(const struct config *config, struct problems *problems)
{
	check_networks(config, problems);
	check_shares(config, problems);
	check_links(config, problems);
	check_forwards(config, problems);
	check_chains(config, problems);
	check_nat(config, problems);
}
