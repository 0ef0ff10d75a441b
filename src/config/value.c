/* SPDX-License-Identifier: BSD-2-Clause */
/* value: the text behind a `=` as the value of a key, checked against the key's row. */
#include "config/value.h"

#include <stdio.h>
#include <string.h>

#include "base/embed.h"
#include "base/mac.h"
#include "config/dns.h"
#include "config/host.h"
#include "config/lan.h"
#include "config/nat.h"
#include "config/rule.h"

#define PORTS_LEAST 16 /* fewer external ports cannot be random, nor serve anybody */

/* What digits may be followed by, and how that reads in a message. */
static const struct scale {
	const char *words;
	struct {
		const char *name;
		uint32_t factor; /* 0: no more units */
	} units[5];
} scales[] = {
	[KEY_NUMBER] = {"", {}},
	[KEY_SECONDS] = {" seconds, or with a unit: s, m, h, d",
		{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}},
	[KEY_MICROSECONDS] = {" microseconds, or with a unit: us, ms", {{"us", 1}, {"ms", 1000}}},
	[KEY_BYTES] = {" bytes, or with a unit: K, M, G",
		{{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}}},
};

/* The factor of a unit's name; none at all is 1, an unknown one 0. */
static uint32_t unit_factor(const struct scale *scale, const char *name)
{
	unsigned i = 0;

	if (*name == '\0')
		return 1;
	while (scale->units[i].factor != 0 && strcmp(scale->units[i].name, name) != 0)
		i++;
	return scale->units[i].factor;
}

static void number_store(void *member, size_t size, uint32_t number)
{
	if (size == sizeof(uint16_t))
		*(uint16_t *)member = (uint16_t)number;
	else
		*(uint32_t *)member = number;
}

static bool number_value(
	const struct key *key, const char *text, void *member, const struct sentence *why)
{
	const struct scale *scale = &scales[key->type];
	const char *rest = text;
	uint32_t count;

	if (key->zero != NULL && strcmp(text, key->zero) == 0) {
		number_store(member, key->size, 0);
		return true;
	}
	const bool digits = number_read(&rest, &count);
	const uint64_t factor = digits ? unit_factor(scale, rest) : 0;
	if (factor == 0 || count * factor < key->min || count * factor > key->max)
		return refuse(why, "allowed: %s%s%u to %u%s", key->zero ? key->zero : "",
			key->zero ? ", or " : "", key->min, key->max, scale->words);
	number_store(member, key->size, (uint32_t)(count * factor));
	return true;
}

static bool choice_value(
	const struct key *key, const char *text, void *member, const struct sentence *why)
{
	const int index = choice_index(key->choices, text);

	if (index < 0)
		return refuse_choice(why, "value", text, key->choices);
	*(uint8_t *)member = (uint8_t)index;
	return true;
}

static bool bool_value(const char *text, void *member, const struct sentence *why)
{
	const int index = choice_index("no|yes", text);

	if (index < 0)
		return refuse(why, "allowed: yes, no");
	*(bool *)member = index == 1;
	return true;
}

static bool path_value(
	const struct key *key, const char *text, void *member, const struct sentence *why)
{
	if (text[0] != '/' || !text_copy(member, key->size, text))
		return refuse(why, "allowed: an absolute path of at most %zu bytes", key->size - 1);
	return true;
}

static bool group_value(
	const struct key *key, const char *text, void *member, const struct sentence *why)
{
	if (text[0] == '\0' || strpbrk(text, " \t:,/") != NULL ||
		!text_copy(member, key->size, text))
		return refuse(why, "allowed: the name of a %s, at most %zu bytes",
			key->type == KEY_USER ? "user" : "group", key->size - 1);
	return true;
}

/* Insert a range where it belongs; false where it overlaps another. */
static bool port_list_add(struct port_list *list, struct port_range range)
{
	unsigned i = list->count;

	if (port_list_overlaps(list, range))
		return false;
	for (; i > 0 && list->range[i - 1].first > range.first; i--)
		list->range[i] = list->range[i - 1];
	list->range[i] = range;
	list->count++;
	return true;
}

static bool ports_value(const struct key *key, const char *text, struct port_list *member,
	const struct sentence *why)
{
	struct port_list list = {0};
	char element[WORD_SIZE];

	while (list_next(&text, element)) {
		struct port_range range;

		if (!ports_parse(element, &range, why))
			return false;
		if (range.first < key->min || range.last > key->max)
			return refuse(why, "%s: allowed: ports between %u and %u", element,
				key->min, key->max);
		if (list.count == PORT_RANGES_MAX)
			return refuse(why, "allowed: at most %d ranges", PORT_RANGES_MAX);
		if (!port_list_add(&list, range))
			return refuse(
				why, "%s overlaps another range: allowed: each port once", element);
	}
	if (key->type == KEY_PORTS && port_list_size(&list) < PORTS_LEAST)
		return refuse(why,
			"allowed: ranges with at least %d ports together, such as "
			"61000-61499,63000-63499",
			PORTS_LEAST);
	*member = list;
	return true;
}

/* As the kernel has it, dev_valid_name(); and no '%', which asks TUN for a number. */
bool interface_value(const char *text, char member[16], const struct sentence *why)
{
	const bool dots = strcmp(text, ".") == 0 || strcmp(text, "..") == 0;

	if (text[0] == '\0' || dots || strpbrk(text, "/:% \t") != NULL ||
		!text_copy(member, 16, text))
		return refuse(why,
			"bad interface name `%s`: allowed: 1 to 15 bytes without / : %% and blanks",
			text);
	return true;
}

static bool interfaces_value(
	const char *text, char (*names)[16], uint8_t *count, const struct sentence *why)
{
	char name[WORD_SIZE];

	*count = 0;
	while (list_next(&text, name)) {
		if (*count == CONFIG_UPLINKS_MAX)
			return refuse(why, "allowed: at most %d interfaces", CONFIG_UPLINKS_MAX);
		if (!interface_value(name, names[*count], why))
			return false;
		++*count;
	}
	return true;
}

/* Which of a key's two members an element of a list goes to, each at most once. */
static bool family_claim(unsigned *seen, uint8_t family, const struct sentence *why)
{
	const unsigned bit = family == AF_INET ? 1 : 2;

	if (*seen & bit)
		return refuse(why, "allowed: at most one for IPv4 and one for IPv6");
	*seen |= bit;
	return true;
}

/* Subnets worth having: with room for a gateway and a guest, and not so large as to be a mistake.
 */
static bool subnet_check(const char *text, const struct prefix *subnet, const struct sentence *why)
{
	const uint8_t shortest = subnet->family == AF_INET ? 8 : 48;
	const uint8_t longest = subnet->family == AF_INET ? 30 : 126;

	if (subnet->length < shortest || subnet->length > longest)
		return refuse(why, "bad subnet `%s`: allowed: lengths /%u to /%u for %s", text,
			shortest, longest, subnet->family == AF_INET ? "IPv4" : "IPv6");
	if (addr_is_multicast(subnet->family, &subnet->base) ||
		addr_is_loopback(subnet->family, &subnet->base) ||
		addr_is_link_local(subnet->family, &subnet->base))
		return refuse(why,
			"bad subnet `%s`: allowed: any but multicast, loopback and link-local "
			"addresses",
			text);
	return true;
}

static bool subnets_value(
	const char *text, struct prefix *v4, struct prefix *v6, const struct sentence *why)
{
	char element[WORD_SIZE];
	unsigned seen = 0;

	while (list_next(&text, element)) {
		struct prefix subnet;
		const char *fault = prefix_parse(element, &subnet);

		if (fault != NULL)
			return refuse(why,
				"bad subnet `%s`: %s: allowed: a prefix such as 10.77.0.0/24 or "
				"fd77:7467::/64",
				element, fault);
		if (!subnet_check(element, &subnet, why) ||
			!family_claim(&seen, subnet.family, why))
			return false;
		*(subnet.family == AF_INET ? v4 : v6) = subnet;
	}
	return true;
}

static bool addresses_value(
	const char *text, union addr *v4, union addr *v6, const struct sentence *why)
{
	char element[WORD_SIZE];
	unsigned seen = 0;

	while (list_next(&text, element)) {
		union addr address;
		uint8_t family;

		if (!addr_parse(element, &address, &family) || addr_is_zero(&address))
			return refuse(why,
				"bad address `%s`: allowed: one such as 10.77.0.2 or "
				"fd77:7467::2, without a length",
				element);
		if (!family_claim(&seen, family, why))
			return false;
		*(family == AF_INET ? v4 : v6) = address;
	}
	return true;
}

static bool nat64_value(const char *text, struct prefix *prefix, const struct sentence *why)
{
	const int index = choice_index("no|yes", text);
	struct prefix wanted = {0};

	if (index == 1)
		wanted = embed_well_known;
	else if (index < 0 && (prefix_parse(text, &wanted) != NULL || wanted.family != AF_INET6 ||
				      !embed_length_is_valid(wanted.length)))
		return refuse(why, "allowed: no, yes (64:ff9b::/96), or an IPv6 prefix of length "
				   "32, 40, 48, 56, 64 or 96");
	*prefix = wanted;
	return true;
}

static bool network_value(
	const struct config *config, const char *text, uint16_t *member, const struct sentence *why)
{
	const int index = config_network_named(config, text);
	char known[CHOICES_SIZE] = "";

	if (index < 0) {
		networks_choices(config, known);
		return refuse_choice(why, "network", text, known);
	}
	*member = (uint16_t)index;
	return true;
}

static bool netns_value(
	const struct key *key, const char *text, void *member, const struct sentence *why)
{
	const bool dots = strcmp(text, ".") == 0 || strcmp(text, "..") == 0;
	uint32_t pid;
	bool good;

	if (strncmp(text, "pid:", 4) == 0)
		good = number_parse(text + 4, 1 << 22, &pid) && pid > 0;
	else
		good = text[0] == '/' || (text[0] != '\0' && !dots && strchr(text, '/') == NULL);
	if (!good || !text_copy(member, key->size, text))
		return refuse(why,
			"allowed: a name (of /run/netns), an absolute path, or pid:N of a process");
	return true;
}

static bool mac_value(const char *text, uint8_t member[6], const struct sentence *why)
{
	static const uint8_t nobody[6];

	if (!mac_parse(text, member) || member[0] & 1 || memcmp(member, nobody, 6) == 0)
		return refuse(why, "allowed: a MAC address of one station, such as "
				   "52:54:00:12:34:56");
	return true;
}

static bool rule_value(const struct config *config, unsigned line, const char *text,
	struct rules *rules, const struct sentence *why)
{
	struct rule rule;

	if (!rule_parse(config, rules_place(config, rules), text, &rule, why))
		return false;
	rule.line = line;
	return rules_append(rules, &rule) || refuse(why, "out of memory");
}

static bool nat_value(const struct config *config, enum nat_kind kind, unsigned line,
	const char *text, struct nat_rules *rules, const struct sentence *why)
{
	struct nat_rule rule;

	if (!nat_rule_parse(config, kind, text, &rule, why))
		return false;
	rule.match.line = line;
	return nat_rules_append(rules, &rule) || refuse(why, "out of memory");
}

bool value_parse(const struct config *config, const struct key *key, unsigned line,
	const char *text, void *base, const struct sentence *why)
{
	void *member = (char *)base + key->offset, *second = (char *)base + key->second;

	switch ((enum key_type)key->type) {
	case KEY_BOOL:
		return bool_value(text, member, why);
	case KEY_CHOICE:
		return choice_value(key, text, member, why);
	case KEY_NUMBER:
	case KEY_SECONDS:
	case KEY_MICROSECONDS:
	case KEY_BYTES:
		return number_value(key, text, member, why);
	case KEY_PATH:
		return path_value(key, text, member, why);
	case KEY_GROUP:
	case KEY_USER:
		return group_value(key, text, member, why);
	case KEY_PORTS:
	case KEY_PORT_SET:
		return ports_value(key, text, member, why);
	case KEY_INTERFACE:
		return interface_value(text, member, why);
	case KEY_INTERFACES:
		return interfaces_value(text, member, second, why);
	case KEY_SUBNETS:
		return subnets_value(text, member, second, why);
	case KEY_ADDRESSES:
		return addresses_value(text, member, second, why);
	case KEY_NAT64:
		return nat64_value(text, member, why);
	case KEY_DNS_SERVERS:
		return key_dns_servers(text, member, why);
	case KEY_DNS_ZONE:
		return key_dns_zone(text, member, why);
	case KEY_DNS_NAME:
		return key_dns_name(text, member, why);
	case KEY_DNS_DOMAINS:
		return key_dns_domains(text, member, why);
	case KEY_NETWORK:
		return network_value(config, text, member, why);
	case KEY_NETNS:
		return netns_value(key, text, member, why);
	case KEY_MAC:
		return mac_value(text, member, why);
	case KEY_POOL:
		return pool_value(text, member, why);
	case KEY_DOMAIN:
		return domain_value(text, member, why);
	case KEY_ROUTE:
		return route_value(text, base, why);
	case KEY_LEASE:
		return lease_value(text, line, base, why);
	case KEY_HOST_LINK:
		return host_link_value(text, line, base, why);
	case KEY_SERVICE:
		return host_service_value(text, line, base, why);
	case KEY_RULE:
		return rule_value(config, line, text, member, why);
	case KEY_NAT:
		return nat_value(config, (enum nat_kind)key->min, line, text, base, why);
	}
	return false;
}

bool config_link_set(struct link_config *link, const char *key, const char *text, char *error,
	unsigned error_size)
{
	const struct sentence why = {error, error_size};
	unsigned count;
	const struct key *keys = keys_all(&count);
	const int index = key_find(SECTION_LINK, key, &why);

	return index >= 0 && value_parse(NULL, &keys[index], 0, text, link, &why);
}

const char *name_fault(const char *name)
{
	static const char letters[] = "._-0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const size_t length = strlen(name);
	union addr address;
	uint8_t family;

	if (length == 0 || length >= CONFIG_NAME_SIZE)
		return "allowed: 1 to 31 bytes";
	if (strchr("._-", name[0]) != NULL)
		return "allowed: a letter or digit first";
	if (strspn(name, letters) != length)
		return "allowed: letters, digits, `.`, `_` and `-`";
	if (choice_index("any|lan|uplink", name) >= 0)
		return "allowed: any name but `any`, `lan` and `uplink`, which rules use";
	if (addr_parse(name, &address, &family))
		return "allowed: a name that is no address";
	return NULL;
}
