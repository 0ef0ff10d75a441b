/* SPDX-License-Identifier: BSD-2-Clause */
/* sets: the lists of [sets] under their names. */
#include "config/sets.h"

#include <stdlib.h>
#include <string.h>

#include "config/value.h"

/* ---- elements ---- */

static bool link_addresses(
	const struct link_config *link, struct addr_range ranges[2], unsigned *count)
{
	*count = 0;
	if (!addr_is_zero(&link->address4))
		ranges[(*count)++] = (struct addr_range){link->address4, link->address4, AF_INET};
	if (!addr_is_zero(&link->address6))
		ranges[(*count)++] = (struct addr_range){link->address6, link->address6, AF_INET6};
	return *count > 0;
}

/* Could it be meant as a name, not as an address? */
static bool looks_like_name(const char *element)
{
	return name_fault(element) == NULL && strspn(element, "0123456789.-") != strlen(element);
}

bool addresses_parse(const struct config *config, const char *element, struct addr_range ranges[2],
	unsigned *count, const struct sentence *why)
{
	const char *fault = addr_range_parse(element, &ranges[0]);
	char known[CHOICES_SIZE] = "";

	*count = 1;
	if (fault == NULL)
		return true;
	for (unsigned i = 0; i < config->link_count; i++) {
		const struct link_config *link = &config->links[i];

		choices_add(known, link->name);
		if (strcmp(link->name, element) == 0)
			return link_addresses(link, ranges, count) ||
			       refuse(why, "link `%s` has no address: give it one in [link %s]",
				       element, element);
	}
	if (known[0] != '\0' && looks_like_name(element))
		return refuse_choice(why, "link", element, known);
	return refuse(why,
		"bad address `%s`: %s: allowed: any, an address, a prefix such as 10.77.0.0/24, a "
		"range such as 10.77.0.3-10.77.0.9, @SET, or a link's name",
		element, fault);
}

/* ---- sets ---- */

int config_set_named(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->set_count; i++) {
		if (strcmp(config->sets[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static struct set *set_open(
	struct config *config, const char *name, unsigned line, const struct sentence *why)
{
	const int index = config_set_named(config, name);
	const char *fault = name_fault(name);

	if (index >= 0)
		return &config->sets[index];
	if (fault != NULL) {
		refuse(why, "bad name of a set: %s", fault);
		return NULL;
	}
	if (config->set_count == CONFIG_SETS_MAX) {
		refuse(why, "allowed: at most %d sets", CONFIG_SETS_MAX);
		return NULL;
	}
	if (!array_reserve(&config->sets, config->set_count, sizeof(*config->sets))) {
		refuse(why, "out of memory");
		return NULL;
	}
	struct set *set = &config->sets[config->set_count++];
	*set = (struct set){.line = line};
	text_copy(set->name, sizeof(set->name), name);
	return set;
}

/* "80" and "8000-8100", which no address looks like. */
static bool looks_like_ports(const char *element)
{
	return element[0] != '\0' && strspn(element, "0123456789-") == strlen(element);
}

static bool set_add_ports(struct set *set, const char *element, const struct sentence *why)
{
	struct port_range range;

	if (!ports_parse(element, &range, why))
		return false;
	if (!array_reserve(&set->ports, set->count, sizeof(range)))
		return refuse(why, "out of memory");
	set->ports[set->count++] = range;
	return true;
}

static bool set_add_addresses(const struct config *config, struct set *set, const char *element,
	const struct sentence *why)
{
	struct addr_range ranges[2];
	unsigned count;

	if (!addresses_parse(config, element, ranges, &count, why))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!array_reserve(&set->addresses, set->count, sizeof(ranges[i])))
			return refuse(why, "out of memory");
		set->addresses[set->count++] = ranges[i];
	}
	return true;
}

static bool set_add_domain(struct set *set, const char *element, const struct sentence *why)
{
	const size_t length = strlen(element);
	const char *fault = domain_pattern_fault(element, length);

	if (fault != NULL)
		return refuse(why, "bad domain `%s`: %s", element, fault);
	if (!array_reserve(&set->domains, set->count, sizeof(*set->domains)))
		return refuse(why, "out of memory");
	return domain_copy(set->domains[set->count++], sizeof(*set->domains), element, length);
}

static bool is_link(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->link_count; i++)
		if (strcmp(config->links[i].name, name) == 0)
			return true;
	return false;
}

/* "*.example.org" and "example.org", which no address looks like; a link's name is that. */
static bool looks_like_domain(const struct config *config, const char *element)
{
	return element[0] == '*' || (strchr(element, '.') != NULL && !is_link(config, element) &&
					    domain_pattern_fault(element, strlen(element)) == NULL);
}

static enum set_kind element_kind(
	const struct config *config, const struct set *set, const char *element)
{
	struct addr_range range;

	if (looks_like_ports(element))
		return SET_PORTS;
	/* Among domains, what is wrong is a wrong domain. */
	if (looks_like_domain(config, element) ||
		(set->kind == SET_DOMAINS && addr_range_parse(element, &range) != NULL))
		return SET_DOMAINS;
	return SET_ADDRESSES;
}

const char *set_kind_name(enum set_kind kind)
{
	static const char *const names[] = {
		[SET_EMPTY] = "nothing",
		[SET_ADDRESSES] = "addresses",
		[SET_PORTS] = "ports",
		[SET_DOMAINS] = "domains",
	};

	return names[kind];
}

static bool set_add(const struct config *config, struct set *set, const char *element,
	const struct sentence *why)
{
	const enum set_kind kind = element_kind(config, set, element);

	if (element[0] == '@')
		return refuse(
			why, "`%s`: allowed: addresses, ports or domains, not other sets", element);
	if (set->kind != SET_EMPTY && set->kind != kind)
		return refuse(why,
			"`%s` in a set of %s: allowed: addresses, ports or domains, one kind alone",
			element, set_kind_name((enum set_kind)set->kind));
	set->kind = (uint8_t)kind;
	if (kind == SET_DOMAINS)
		return set_add_domain(set, element, why);
	return kind == SET_PORTS ? set_add_ports(set, element, why)
				 : set_add_addresses(config, set, element, why);
}

bool set_load(struct config *config, const char *name, const char *list, unsigned line,
	const struct sentence *why)
{
	struct set *set = set_open(config, name, line, why);
	char element[WORD_SIZE];

	if (set == NULL)
		return false;
	if (list[0] == '\0') /* a set of nothing is one, too */
		return true;
	while (list_next(&list, element)) {
		if (!set_add(config, set, element, why))
			return false;
	}
	return true;
}

/* ---- order ---- */

static int addresses_order(const void *a, const void *b)
{
	const struct addr_range *one = a, *other = b;

	if (one->family != other->family)
		return one->family < other->family ? -1 : 1;
	return addr_compare(&one->first, &other->first);
}

static int ports_order(const void *a, const void *b)
{
	return ((const struct port_range *)a)->first - ((const struct port_range *)b)->first;
}

static int domains_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void domains_settle(struct set *set)
{
	unsigned kept = 0;

	qsort(set->domains, set->count, sizeof(*set->domains), domains_order);
	for (unsigned i = 1; i < set->count; i++)
		if (strcmp(set->domains[i], set->domains[kept]) != 0)
			memmove(set->domains[++kept], set->domains[i], sizeof(*set->domains));
	set->count = kept + 1;
}

static void addresses_settle(struct set *set)
{
	struct addr_range *ranges = set->addresses;
	unsigned kept = 0;

	qsort(ranges, set->count, sizeof(*ranges), addresses_order);
	for (unsigned i = 1; i < set->count; i++) {
		struct addr_range *last = &ranges[kept];

		if (ranges[i].family != last->family ||
			addr_compare(&ranges[i].first, &last->last) > 0)
			ranges[++kept] = ranges[i];
		else if (addr_compare(&ranges[i].last, &last->last) > 0)
			last->last = ranges[i].last;
	}
	set->count = kept + 1;
}

static void ports_settle(struct set *set)
{
	struct port_range *ranges = set->ports;
	unsigned kept = 0;

	qsort(ranges, set->count, sizeof(*ranges), ports_order);
	for (unsigned i = 1; i < set->count; i++) {
		if (ranges[i].first > ranges[kept].last)
			ranges[++kept] = ranges[i];
		else if (ranges[i].last > ranges[kept].last)
			ranges[kept].last = ranges[i].last;
	}
	set->count = kept + 1;
}

void sets_settle(struct config *config)
{
	for (unsigned i = 0; i < config->set_count; i++) {
		struct set *set = &config->sets[i];

		if (set->count == 0)
			continue;
		if (set->kind == SET_PORTS)
			ports_settle(set);
		else if (set->kind == SET_DOMAINS)
			domains_settle(set);
		else
			addresses_settle(set);
	}
}

void sets_free(struct config *config)
{
	for (unsigned i = 0; i < config->set_count; i++) {
		free(config->sets[i].addresses);
		free(config->sets[i].ports);
		free(config->sets[i].domains);
	}
	free(config->sets);
}
