/* SPDX-License-Identifier: BSD-2-Clause */
/* reload: which differences between two configs a running gateway can take up. */
#include <stdio.h>
#include <string.h>

#include "config/keys.h"

static bool prefix_same(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family && a->length == b->length && addr_equal(&a->base, &b->base);
}

/* Whether a key's members are equal.  Only struct prefix has padding that must not be compared. */
static bool key_same(const struct key *key, const void *running, const void *wanted)
{
	const char *a = running, *b = wanted;

	if (key->type == KEY_SUBNETS)
		return prefix_same(
			       (const void *)(a + key->offset), (const void *)(b + key->offset)) &&
		       prefix_same(
			       (const void *)(a + key->second), (const void *)(b + key->second));
	if (key->type == KEY_ADDRESSES && memcmp(a + key->second, b + key->second, key->size) != 0)
		return false;
	return memcmp(a + key->offset, b + key->offset, key->size) == 0;
}

static bool section_same(enum section_id section, const char *title, const void *running,
	const void *wanted, const struct sentence *why)
{
	unsigned count;
	const struct key *keys = keys_all(&count);

	for (unsigned i = 0; i < count; i++) {
		if (keys[i].section == section && !keys[i].reloadable &&
			!key_same(&keys[i], running, wanted))
			return refuse(why,
				"`%s` of [%s] cannot change while the gateway runs: restart it",
				keys[i].name, title);
	}
	return true;
}

static bool networks_same(
	const struct config *running, const struct config *wanted, const struct sentence *why)
{
	char title[CONFIG_NAME_SIZE + sizeof("network ")];

	for (unsigned i = 0; i < running->network_count; i++) {
		const struct network_config *network = &running->networks[i];

		if (i >= wanted->network_count ||
			strcmp(network->name, wanted->networks[i].name) != 0)
			return refuse(why,
				"network `%s` cannot go or change its place while the gateway "
				"runs: restart it",
				network->name);
		snprintf(title, sizeof(title), "network %s", network->name);
		if (!section_same(SECTION_NETWORK, title, network, &wanted->networks[i], why))
			return false;
	}
	return true;
}

static bool links_same(
	const struct config *running, const struct config *wanted, const struct sentence *why)
{
	char title[CONFIG_NAME_SIZE + sizeof("link ")];

	for (unsigned i = 0; i < running->link_count; i++) {
		const struct link_config *link = &running->links[i];

		if (link->kind == LINK_HOST)
			continue; /* made anew: what its network says may change */
		snprintf(title, sizeof(title), "link %s", link->name);
		for (unsigned j = 0; j < wanted->link_count; j++) {
			if (strcmp(link->name, wanted->links[j].name) == 0 &&
				!section_same(SECTION_LINK, title, link, &wanted->links[j], why))
				return false;
		}
	}
	return true;
}

bool config_reloadable(
	const struct config *running, const struct config *wanted, char *error, unsigned error_size)
{
	const struct sentence why = {error, error_size};

	return section_same(
		       SECTION_GATEWAY, "gateway", &running->gateway, &wanted->gateway, &why) &&
	       section_same(SECTION_LIMITS, "limits", &running->limits, &wanted->limits, &why) &&
	       networks_same(running, wanted, &why) && links_same(running, wanted, &why);
}
