/* SPDX-License-Identifier: BSD-2-Clause */
/* guest_lan: settings from the config, and the services' callbacks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include "daemon/guest_lan.h"
#include "daemon/leases.h"

struct guest_lan {
	struct daemon *daemon;
	struct lan *lan;
	zone_id zone;
	uint16_t network;
	char name[CONFIG_NAME_SIZE];
};

/* ---- what the services tell and ask ---- */

static bool address_learned(void *context, uint8_t family, const union addr *address)
{
	const struct guest_lan *own = context;

	return engine_link_address_add(own->daemon->engine, own->zone, family, address) == 0;
}

static void address_gone(void *context, uint8_t family, const union addr *address)
{
	const struct guest_lan *own = context;

	engine_link_address_del(own->daemon->engine, own->zone, family, address);
}

/* Copies of one machine do not see each other, nor each other's addresses. */
static bool is_elsewhere(void *context, uint8_t family, const union addr *address)
{
	const struct guest_lan *own = context;
	const struct daemon *daemon = own->daemon;
	const zone_id zone = engine_locate(daemon->engine, own->network, family, address);

	return zone != ZONE_NONE && zone != own->zone &&
	       !(ZONE_IS_LINK(zone) && daemon->config->networks[own->network].clones);
}

static void lease_changed(void *context, const struct lan_lease *lease)
{
	const struct guest_lan *own = context;

	leases_changed(own->daemon->leases, own->network, own->name, lease);
}

static void guest_name(void *context, const char *name, uint8_t family, const union addr *address)
{
	const struct guest_lan *own = context;

	leases_named(own->daemon->leases, own->network, family, address, name);
}

/* ---- life ---- */

static void server_add(struct lan_settings *settings, uint8_t family, const union addr *address)
{
	if (family == AF_INET && settings->dns4_count < LAN_DNS_MAX)
		settings->dns4[settings->dns4_count++] = *address;
	else if (family == AF_INET6 && settings->dns6_count < LAN_DNS_MAX)
		settings->dns6[settings->dns6_count++] = *address;
}

/* The gateway, or whom it would have asked. */
static void servers_fill(const struct network_config *network, struct lan_settings *settings)
{
	const struct dns_server_list *servers = &network->names.servers;

	for (unsigned i = 0; !network->dns && i < servers->count; i++)
		server_add(settings, servers->server[i].family, &servers->server[i].address);
	if (!network->dns)
		return;
	if (!addr_is_zero(&network->gateway4))
		server_add(settings, AF_INET, &network->gateway4);
	if (!addr_is_zero(&network->gateway6))
		server_add(settings, AF_INET6, &network->gateway6);
}

static struct lan_settings settings_of(
	const struct guest_lan *own, const struct guest_lan_settings *wanted)
{
	const struct network_config *network = &own->daemon->config->networks[own->network];
	struct lan_settings settings = {
		.network = network,
		.name = wanted->name,
		.many = wanted->many,
		.address4 = wanted->address4,
		.address6 = wanted->address6,
		.has_mac = wanted->mac != NULL,
		.mtu = wanted->mtu,
	};

	if (wanted->mac != NULL)
		memcpy(settings.mac, wanted->mac, sizeof(settings.mac));
	servers_fill(network, &settings);
	return settings;
}

int guest_lan_open(
	struct daemon *daemon, const struct guest_lan_settings *wanted, struct guest_lan **result)
{
	struct guest_lan *own = calloc(1, sizeof(*own));
	const struct lan_host host = {
		.context = own,
		.address_learned = address_learned,
		.address_gone = address_gone,
		.is_elsewhere = is_elsewhere,
		.lease_changed = lease_changed,
		.guest_name = guest_name,
	};

	if (own == NULL)
		return -ENOMEM;
	own->daemon = daemon;
	own->zone = wanted->zone;
	own->network = wanted->network;
	snprintf(own->name, sizeof(own->name), "%s", wanted->name);
	struct lan_settings settings = settings_of(own, wanted);
	if (getrandom(settings.seed, sizeof(settings.seed), 0) == sizeof(settings.seed))
		own->lan = lan_create(&settings, &host, uv_now(daemon->loop));
	if (own->lan == NULL) {
		free(own);
		return -ENOMEM;
	}
	leases_restore(daemon->leases, own->network, own->name, own->lan);
	*result = own;
	return 0;
}

void guest_lan_update(struct guest_lan *own)
{
	const struct guest_lan_settings unchanged = {0};
	const struct lan_settings settings = settings_of(own, &unchanged);

	if (!lan_configure(own->lan, &settings, uv_now(own->daemon->loop)))
		log_warning(own->daemon->log,
			"link %s: no memory for the new configuration; it goes on with the old one",
			own->name);
}

void guest_lan_close(struct guest_lan *own)
{
	if (own == NULL)
		return;
	lan_reset(own->lan, uv_now(own->daemon->loop));
	lan_free(own->lan);
	free(own);
}

struct lan *guest_lan_services(struct guest_lan *own)
{
	return own->lan;
}
