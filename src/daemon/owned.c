/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owned: from lines of [nat] to prefixes and ports, and what the host's programs have to say.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/owned.h"
#include "daemon/uplinks.h"
#include "host/guard.h"

/* ---- the host's addresses ---- */

struct host_list {
	struct host_address *address;
	unsigned count;
	bool failed;
};

static void host_add(void *context, int ifindex, uint8_t family, const struct prefix *subnet,
	const union addr *address)
{
	struct host_list *list = context;
	struct host_address *more =
		realloc(list->address, (list->count + 1) * sizeof(*list->address));

	if (more == NULL) {
		list->failed = true;
		return;
	}
	list->address = more;
	more[list->count++] = (struct host_address){
		.ifindex = ifindex, .subnet = *subnet, .address = {family, *address}};
}

static int host_list_make(struct host_netlink *netlink, struct host_list *list)
{
	const int error = host_addresses_each(netlink, host_add, list);

	if (error == 0 && !list->failed)
		return 0;
	free(list->address);
	return error != 0 ? error : -ENOMEM;
}

static bool host_has(const struct owned *owned, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < owned->host_count; i++)
		if (owned->host[i].address.family == family &&
			addr_equal(&owned->host[i].address.address, address))
			return true;
	return false;
}

/* ---- prefixes ---- */

static bool is_single(const struct prefix *prefix)
{
	return prefix->length == addr_bits(prefix->family);
}

/* The largest prefix that begins where the range does and lies in it. */
static struct prefix prefix_first_of(const struct addr_range *range)
{
	struct prefix prefix = {.base = range->first, .family = range->family};
	const uint8_t bits = addr_bits(range->family);
	union addr last;

	for (prefix.length = bits; prefix.length > 0; prefix.length--) {
		struct prefix wider = prefix;

		wider.length--;
		if (wider.base.bytes[wider.length / 8] & 0x80 >> wider.length % 8)
			break;
		last = addr_range_of(&wider).last;
		if (addr_compare(&last, &range->last) > 0)
			break;
	}
	return prefix;
}

static union addr addr_next(union addr address, uint8_t family)
{
	for (unsigned i = addr_bits(family) / 8; i-- > 0;)
		if (++address.bytes[i] != 0)
			break;
	return address;
}

static int prefix_add(struct owned *owned, const struct prefix *prefix)
{
	struct owned_prefix *more =
		realloc(owned->prefixes, (owned->count + 1) * sizeof(*owned->prefixes));

	if (more == NULL)
		return -ENOMEM;
	owned->prefixes = more;
	more[owned->count++] = (struct owned_prefix){
		.prefix = *prefix,
		.on_host = is_single(prefix) && host_has(owned, prefix->family, &prefix->base),
	};
	return 0;
}

static int whole_add(struct owned *owned, struct addr_range range)
{
	for (;;) {
		const struct prefix prefix = prefix_first_of(&range);
		const union addr last = addr_range_of(&prefix).last;
		const int error = prefix_add(owned, &prefix);

		if (error != 0 || addr_equal(&last, &range.last))
			return error;
		range.first = addr_next(last, range.family);
	}
}

/* ---- shared addresses ---- */

static bool ports_cover(const struct port_list *ports, const struct port_list *wanted)
{
	const uint32_t count = port_list_size(wanted);

	for (uint32_t n = 0; n < count; n++)
		if (!port_list_has(ports, port_list_at(wanted, n)))
			return false;
	return true;
}

static struct shared_address *shared_find(
	const struct owned *owned, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < owned->shared_count; i++) {
		const struct claimed_address *shared = &owned->shared[i].address;

		if (shared->family == family && addr_equal(&shared->address, address))
			return (struct shared_address *)&owned->shared[i];
	}
	return NULL;
}

/* Two lines may give ports of one address; ranges that there is no room for are those of lines
 * behind, and the config allows fewer addresses than there is room for. */
static void shared_add(struct owned *owned, uint8_t family, const union addr *address,
	const struct port_list *ports)
{
	struct shared_address *shared = shared_find(owned, family, address);

	if (shared == NULL && owned->shared_count < CLAIMS_SHARED_MAX) {
		shared = &owned->shared[owned->shared_count++];
		*shared = (struct shared_address){.address = {family, *address}};
	}
	for (unsigned i = 0; shared != NULL && i < ports->count; i++)
		if (shared->ports.count < PORT_RANGES_MAX &&
			!port_list_overlaps(&shared->ports, ports->range[i]))
			shared->ports.range[shared->ports.count++] = ports->range[i];
}

static int pool_add(struct owned *owned, const struct config *config, const struct nat_owned *pool)
{
	const struct addr_range *range = &pool->addresses;
	const uint64_t count = addr_range_count(range);
	int error = 0;

	for (uint64_t n = 0; n < count && error == 0; n++) {
		const union addr address = addr_range_at(range, n);
		const struct prefix single = {address, range->family, addr_bits(range->family)};

		if (!host_has(owned, range->family, &address)) {
			if (!pool->host_only && !owned_is_whole(owned, range->family, &address))
				error = prefix_add(owned, &single);
		} else if (!ports_cover(&config->gateway.ports, &pool->ports)) {
			shared_add(owned, range->family, &address, &pool->ports);
		}
	}
	return error;
}

/* ---- guests' own addresses ---- */

static bool is_about_network(const struct rule *match, unsigned network)
{
	const bool negated = match->negated & RULE_WORD(WORD_IN);

	if (!(match->words & RULE_WORD(WORD_IN)))
		return true;
	return (match->in.kind != SIDE_UPLINK &&
		       (match->in.kind != SIDE_NETWORK || match->in.network == network)) != negated;
}

/* May a guest of the network leave with its own address?  Then answers come to that. */
static bool leaves_untranslated(const struct config *config, unsigned network)
{
	for (unsigned i = 0; i < config->nat.count; i++) {
		const struct nat_rule *line = &config->nat.rule[i];
		const uint32_t limits =
			line->match.words & ~(RULE_WORD(WORD_IN) | RULE_WORD(WORD_OUT));

		if (!is_about_network(&line->match, network))
			continue;
		if (line->kind == NAT_NO_MASQUERADE)
			return true;
		if (line->kind == NAT_MASQUERADE && limits == 0)
			return false;
	}
	return true;
}

static int subnets_add(struct owned *owned, const struct config *config)
{
	int error = 0;

	for (unsigned i = 0; i < config->network_count && error == 0; i++) {
		const struct network_config *network = &config->networks[i];

		if (!leaves_untranslated(config, i))
			continue;
		if (network->subnet4.family != 0)
			error = prefix_add(owned, &network->subnet4);
		if (network->subnet6.family != 0 && error == 0)
			error = prefix_add(owned, &network->subnet6);
	}
	return error;
}

/* A line of dnat without an address is about each of the host's; loopback's are no uplink's. */
static void everywhere_add(
	struct owned *owned, const struct config *config, const struct port_list *ports)
{
	if (ports_cover(&config->gateway.ports, ports))
		return;
	for (unsigned i = 0; i < owned->host_count; i++) {
		const struct claimed_address *host = &owned->host[i].address;

		if (!addr_is_loopback(host->family, &host->address) &&
			!addr_is_link_local(host->family, &host->address) &&
			!owned_is_whole(owned, host->family, &host->address))
			shared_add(owned, host->family, &host->address, ports);
	}
}

/* ---- what it is all about ---- */

static int owned_fill(struct owned *owned, const struct config *config)
{
	struct nat_owned line;
	unsigned cursor = 0;
	int error = subnets_add(owned, config);

	while (error == 0 && config_nat_owned(config, &cursor, &line)) {
		if (line.whole)
			error = whole_add(owned, line.addresses);
		else if (line.addresses.family != 0)
			error = pool_add(owned, config, &line);
	}
	/* Last, for what is wholly the gateway's is so already. */
	for (cursor = 0; error == 0 && config_nat_owned(config, &cursor, &line);)
		if (line.addresses.family == 0)
			everywhere_add(owned, config, &line.ports);
	return error;
}

int owned_renew(struct owned *owned, const struct config *config, struct host_netlink *netlink)
{
	struct host_list list = {0};
	int error = host_list_make(netlink, &list);

	if (error != 0)
		return error;
	struct owned renewed = {.host = list.address, .host_count = list.count};
	error = owned_fill(&renewed, config);
	if (error != 0) {
		owned_free(&renewed);
		return error;
	}
	owned_free(owned);
	*owned = renewed;
	return 0;
}

void owned_free(struct owned *owned)
{
	free(owned->prefixes);
	free(owned->host);
	*owned = (struct owned){0};
}

bool owned_is_whole(const struct owned *owned, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < owned->count; i++) {
		const struct prefix *prefix = &owned->prefixes[i].prefix;

		if (is_single(prefix) && prefix_contains(prefix, family, address))
			return true;
	}
	return false;
}

bool owned_is_shared(const struct owned *owned, uint8_t family, const union addr *address)
{
	return shared_find(owned, family, address) != NULL;
}

bool owned_is_on_host(const struct owned *owned)
{
	bool found = owned->shared_count > 0;

	for (unsigned i = 0; i < owned->count; i++)
		found |= owned->prefixes[i].on_host;
	return found;
}

/* ---- what cannot be ---- */

/* Does the host itself send from the address, where nobody tells it otherwise? */
static bool is_host_source(struct host_netlink *netlink, uint8_t family, const union addr *address)
{
	const union addr far = uplinks_far_address(family);
	struct host_route route;

	return host_route_get(netlink, family, &far, &route) == ROUTE_UPLINK &&
	       addr_equal(&route.source, address);
}

static int check_whole(
	struct host_netlink *netlink, const struct owned_prefix *owned, struct request_error *error)
{
	const uint8_t family = owned->prefix.family;
	const union addr *address = &owned->prefix.base;
	char text[ADDR_TEXT_SIZE], user[GUARD_USER_TEXT_SIZE];

	addr_format(family, address, text);
	if (is_host_source(netlink, family, address)) {
		snprintf(error->text, sizeof(error->text),
			"[nat]: %s cannot be a guest's alone: the host sends from it; give the "
			"guest another address, or use `snat`",
			text);
		return -EADDRINUSE;
	}
	if (guard_address_user(family, address, user)) {
		snprintf(error->text, sizeof(error->text),
			"[nat]: %s cannot be a guest's alone: a program of the host uses it (%s, "
			"see `ss -anp src %s`); stop it, or give the guest another address",
			text, user, text);
		return -EADDRINUSE;
	}
	return 0;
}

static int check_shared(
	const struct log *log, const struct shared_address *shared, struct request_error *error)
{
	char text[ADDR_TEXT_SIZE], ports[PORT_LIST_TEXT_SIZE];
	const int result = guard_check_ports(log, &shared->ports);

	if (result != 0)
		snprintf(error->text, sizeof(error->text),
			"[nat]: `snat` to %s, an address of this host, with ports %s: the host's "
			"programs use some of them, the log says which; choose others",
			addr_format(shared->address.family, &shared->address.address, text),
			port_list_format(&shared->ports, ports));
	return result;
}

int owned_check(const struct log *log, const struct config *config, struct host_netlink *netlink,
	struct request_error *error)
{
	struct owned owned = {0};
	int result = owned_renew(&owned, config, netlink);

	if (result != 0)
		snprintf(error->text, sizeof(error->text), "cannot see the host's addresses: %s",
			strerror(-result));
	for (unsigned i = 0; i < owned.count && result == 0; i++)
		if (owned.prefixes[i].on_host)
			result = check_whole(netlink, &owned.prefixes[i], error);
	for (unsigned i = 0; i < owned.shared_count && result == 0; i++)
		result = check_shared(log, &owned.shared[i], error);
	owned_free(&owned);
	return result;
}
