/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests: attaching and detaching links.
 *
 * A link's place in the table is its zone, for the engine and for everybody else.  A link that
 * dies (its namespace has gone) is removed the next time it is looked at: its descriptor reports
 * the hang-up.  Links of the config whose namespace does not exist are tried again once a second.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/guests.h"
#include "daemon/io.h"
#include "daemon/service.h"
#include "daemon/uplinks.h"
#include "host/netns.h"

#define RETRY_MS 1000

struct guest {
	struct guests *owner;
	struct link *link;
	uv_poll_t poll;
	bool live; /* attached by request */
	uint16_t network;
	char name[CONFIG_NAME_SIZE];
	union addr address4, address6;
	uint64_t attached_ms;
};

struct guests {
	struct daemon *daemon;
	struct guest *guest[ENGINE_LINKS_MAX];
	unsigned highest; /* zones from here on are free */
	unsigned next_name[CONFIG_NETWORKS_MAX];
	uv_timer_t retry;
};

struct link *guests_link(const struct guests *guests, zone_id zone)
{
	return zone < ENGINE_LINKS_MAX && guests->guest[zone] != NULL ? guests->guest[zone]->link
								      : NULL;
}

const char *guests_name(const struct guests *guests, zone_id zone)
{
	return zone < ENGINE_LINKS_MAX && guests->guest[zone] != NULL ? guests->guest[zone]->name
								      : NULL;
}

/* Names are a network's own. */
static struct guest *guest_named(const struct guests *guests, uint16_t network, const char *name)
{
	for (unsigned i = 0; i < guests->highest; i++)
		if (guests->guest[i] != NULL && guests->guest[i]->network == network &&
			strcmp(guests->guest[i]->name, name) == 0)
			return guests->guest[i];
	return NULL;
}

bool guests_on_network(const struct guests *guests, uint16_t network)
{
	for (unsigned i = 0; i < guests->highest; i++)
		if (guests->guest[i] != NULL && guests->guest[i]->network == network)
			return true;
	return false;
}

bool guests_find(void *context, uint16_t network, const char *name, uint8_t family,
	uint8_t *found_family, union addr *address)
{
	const struct daemon *daemon = context;
	const struct guest *guest = guest_named(daemon->guests, network, name);

	if (guest == NULL)
		return false;
	if (family != AF_INET6 && !addr_is_zero(&guest->address4)) {
		*found_family = AF_INET;
		*address = guest->address4;
		return true;
	}
	if (family == AF_INET || addr_is_zero(&guest->address6))
		return false;
	*found_family = AF_INET6;
	*address = guest->address6;
	return true;
}

/* ---- addresses ---- */

static bool address_is_free(
	const struct guests *guests, uint16_t network, uint8_t family, const union addr *address)
{
	const struct network_config *config = &guests->daemon->config->networks[network];

	if (addr_equal(address, family == AF_INET ? &config->gateway4 : &config->gateway6))
		return false;
	for (unsigned i = 0; i < guests->highest; i++) {
		const struct guest *guest = guests->guest[i];
		if (guest != NULL && guest->network == network &&
			addr_equal(
				address, family == AF_INET ? &guest->address4 : &guest->address6))
			return false;
	}
	/* Those that the config has promised to links which are not there yet. */
	for (unsigned i = 0; i < guests->daemon->config->link_count; i++) {
		const struct link_config *link = &guests->daemon->config->links[i];
		if (link->network == network &&
			addr_equal(address, family == AF_INET ? &link->address4 : &link->address6))
			return false;
	}
	return true;
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
		if (address_is_free(guests, network, family, address))
			return true;
	}
	return false;
}

static int address_settle(const struct guests *guests, uint16_t network, uint8_t family,
	bool whole_subnet, union addr *address, struct request_error *error)
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
		if (guest == NULL || guest->network != network ||
			!addr_equal(
				address, family == AF_INET ? &guest->address4 : &guest->address6))
			continue;
		snprintf(error->text, sizeof(error->text), "%s belongs to link %s",
			addr_format(family, address, text), guest->name);
		return -EEXIST;
	}
	if (addr_equal(address, family == AF_INET ? &config->gateway4 : &config->gateway6)) {
		snprintf(error->text, sizeof(error->text), "%s is the gateway's own address",
			addr_format(family, address, text));
		return -EINVAL;
	}
	return 0;
}

/* ---- opening and closing ---- */

static void guest_free(uv_handle_t *handle)
{
	free(handle->data);
}

static void guest_close(struct guest *guest)
{
	struct guests *guests = guest->owner;
	const zone_id zone = guest->link->zone;

	engine_link_remove(guests->daemon->engine, zone);
	guests->guest[zone] = NULL;
	while (guests->highest > 0 && guests->guest[guests->highest - 1] == NULL)
		guests->highest--;
	uv_poll_stop(&guest->poll);
	guest->link->ops->close(guest->link);
	uv_close((uv_handle_t *)&guest->poll, guest_free);
}

static void guest_readable(uv_poll_t *poll, int status, int events)
{
	struct guest *guest = poll->data;
	struct daemon *daemon = guest->owner->daemon;

	(void)events;
	if (status == 0 && io_link_readable(daemon->io, guest->link) != -ENODEV)
		return;
	log_info(daemon->log, "link %s is gone: %s is no more", guest->name, guest->link->place);
	guest_close(guest);
}

static uint16_t guest_mtu(const struct guests *guests, uint16_t network, uint16_t wanted)
{
	struct daemon_status status = {0};
	uint16_t mtu = wanted != 0 ? wanted : guests->daemon->config->networks[network].mtu;

	if (mtu != 0)
		return mtu;
	/* The smallest of the uplinks', so that nothing need be cut. */
	uplinks_status(guests->daemon->uplinks, &status);
	for (unsigned i = 0; i < status.uplink_count; i++)
		if (mtu == 0 || status.uplinks[i].mtu < mtu)
			mtu = (uint16_t)(status.uplinks[i].mtu < UINT16_MAX ? status.uplinks[i].mtu
									    : UINT16_MAX);
	return mtu != 0 ? mtu : 1500;
}

static int guest_open_link(struct guests *guests, struct guest *guest, enum link_kind kind,
	int netns_fd, zone_id zone, const char *device, uint16_t mtu)
{
	const struct daemon *daemon = guests->daemon;
	const struct network_config *config = &daemon->config->networks[guest->network];
	const struct link_settings settings = {
		.zone = zone,
		.device = device,
		.mtu = guest_mtu(guests, guest->network, mtu),
		.prefix_length4 = config->subnet4.family != 0 ? config->subnet4.length : 0,
		.prefix_length6 = config->subnet6.family != 0 ? config->subnet6.length : 0,
		.address4 = guest->address4,
		.address6 = guest->address6,
		.gateway4 = config->gateway4,
		.gateway6 = config->gateway6,
		.subnet4 = config->subnet4,
		.subnet6 = config->subnet6,
	};

	if (kind == LINK_TUN)
		return link_tun_open(daemon->log, &settings, &guest->link);
	return link_netns_open(daemon->log, &settings, netns_fd,
		service_netns(daemon->service, guest->network), &guest->link);
}

static int zone_choose(const struct guests *guests, zone_id *zone)
{
	for (*zone = 0; *zone < ENGINE_LINKS_MAX; (*zone)++)
		if (guests->guest[*zone] == NULL)
			return 0;
	return -ENOSPC;
}

/* What both the config and a request want attached. */
struct wanted {
	const char *name;
	enum link_kind kind;
	uint16_t network;
	int netns_fd;
	const char *place;
	const char *device; /* "": by its kind */
	uint16_t mtu;
	union addr address4, address6;
	bool live;
};

static int guest_register(struct guests *guests, struct guest *guest, enum link_kind kind)
{
	struct daemon *daemon = guests->daemon;
	const zone_id zone = guest->link->zone;
	const struct engine_link link = {
		.network = guest->network,
		.mtu = guest->link->mtu,
		.whole_subnet = kind == LINK_TUN,
		.address4 = guest->address4,
		.address6 = guest->address6,
	};
	const int error = engine_link_set(daemon->engine, zone, &link);

	if (error != 0)
		return error;
	guests->guest[zone] = guest;
	if (zone >= guests->highest)
		guests->highest = zone + 1u;
	guest->attached_ms = uv_now(daemon->loop);
	uv_poll_init(daemon->loop, &guest->poll, guest->link->fd);
	guest->poll.data = guest;
	uv_poll_start(&guest->poll, UV_READABLE | UV_DISCONNECT, guest_readable);
	return 0;
}

static int guest_attach(struct guests *guests, const struct wanted *wanted, zone_id *zone,
	struct request_error *error)
{
	char device[16];
	int result = zone_choose(guests, zone);
	struct guest *guest = result == 0 ? calloc(1, sizeof(*guest)) : NULL;

	if (guest == NULL) {
		snprintf(error->text, sizeof(error->text),
			"no room for another link: %u are attached", guests->highest);
		return result != 0 ? result : -ENOMEM;
	}
	guest->owner = guests;
	guest->network = wanted->network;
	guest->live = wanted->live;
	guest->address4 = wanted->address4;
	guest->address6 = wanted->address6;
	snprintf(guest->name, sizeof(guest->name), "%s", wanted->name);
	const bool whole = wanted->kind == LINK_TUN;
	result = address_settle(guests, wanted->network, AF_INET, whole, &guest->address4, error);
	if (result == 0)
		result = address_settle(
			guests, wanted->network, AF_INET6, whole, &guest->address6, error);
	if (result != 0)
		goto failed;
	snprintf(device, sizeof(device), "%s", wanted->device);
	if (device[0] == '\0')
		snprintf(device, sizeof(device), whole ? "tg-%.12s" : "eth0", wanted->name);
	result = guest_open_link(
		guests, guest, wanted->kind, wanted->netns_fd, *zone, device, wanted->mtu);
	if (result == 0) {
		snprintf(guest->link->place, sizeof(guest->link->place), "%s", wanted->place);
		result = guest_register(guests, guest, wanted->kind);
		if (result != 0)
			guest->link->ops->close(guest->link);
	}
	if (result != 0) {
		snprintf(error->text, sizeof(error->text),
			"link %s cannot be attached to %s: %s (the daemon's log says more)",
			wanted->name, wanted->place, strerror(-result));
		goto failed;
	}
	log_info(guests->daemon->log, "link %s is attached to %s", guest->name, wanted->place);
	return 0;

failed:
	free(guest);
	return result;
}

/* ---- by request ---- */

static void describe(
	const struct guests *guests, const struct guest *guest, struct daemon_link *link)
{
	*link = (struct daemon_link){
		.zone = guest->link->zone,
		.network = guest->network,
		.mtu = guest->link->mtu,
		.live = guest->live,
		.whole_subnet = addr_is_zero(&guest->address4) && addr_is_zero(&guest->address6),
		.name = guest->name,
		.kind = guest->link->kind,
		.device = guest->link->device,
		.place = guest->link->place,
		.address4 = guest->address4,
		.address6 = guest->address6,
		.age_ms = uv_now(guests->daemon->loop) - guest->attached_ms,
	};
}

static void name_choose(struct guests *guests, uint16_t network, char name[CONFIG_NAME_SIZE])
{
	do
		snprintf(name, CONFIG_NAME_SIZE, "guest%u", ++guests->next_name[network]);
	while (guest_named(guests, network, name) != NULL);
}

int guests_attach(struct guests *guests, const struct daemon_attach *attach,
	struct daemon_link *link, struct request_error *error)
{
	char name[CONFIG_NAME_SIZE];
	zone_id zone = ZONE_NONE;
	int netns_fd = attach->netns_fd;

	if (attach->name != NULL && guest_named(guests, attach->network, attach->name) != NULL) {
		snprintf(error->text, sizeof(error->text),
			"a link named %s is attached already; choose another name", attach->name);
		return -EEXIST;
	}
	if (netns_fd < 0) {
		netns_fd = netns_open(guests->daemon->log, attach->where);
		if (netns_fd < 0) {
			snprintf(error->text, sizeof(error->text),
				"no network namespace %s: %s (allowed: a NAME of ip netns, a PATH, "
				"or pid:N)",
				attach->where, strerror(-netns_fd));
			return netns_fd;
		}
	}
	if (attach->name == NULL)
		name_choose(guests, attach->network, name);
	else
		snprintf(name, sizeof(name), "%s", attach->name);
	const struct wanted wanted = {
		.name = name,
		.kind = LINK_NETNS,
		.network = attach->network,
		.netns_fd = netns_fd,
		.place = attach->where != NULL ? attach->where : "its namespace",
		.device = attach->device != NULL ? attach->device : "",
		.mtu = attach->mtu,
		.address4 = attach->address4,
		.address6 = attach->address6,
		.live = true,
	};
	const int result = guest_attach(guests, &wanted, &zone, error);
	if (netns_fd != attach->netns_fd)
		close(netns_fd);
	if (result == 0)
		describe(guests, guests->guest[zone], link);
	return result;
}

int guests_detach(
	struct guests *guests, uint16_t network, const char *name, struct request_error *error)
{
	struct guest *guest = guest_named(guests, network, name);

	if (guest == NULL) {
		snprintf(error->text, sizeof(error->text),
			"no link %s is attached; `tungate links` lists them", name);
		return -ENOENT;
	}
	log_info(guests->daemon->log, "link %s is detached", name);
	guest_close(guest);
	return 0;
}

bool guests_describe(const struct guests *guests, unsigned index, struct daemon_link *link)
{
	for (unsigned i = 0; i < guests->highest; i++)
		if (guests->guest[i] != NULL && index-- == 0) {
			describe(guests, guests->guest[i], link);
			return true;
		}
	const struct config *config = guests->daemon->config;
	for (unsigned i = 0; i < config->link_count; i++) {
		const struct link_config *wanted = &config->links[i];
		if (guest_named(guests, wanted->network, wanted->name) != NULL || index-- != 0)
			continue;
		*link = (struct daemon_link){
			.zone = ZONE_NONE,
			.network = wanted->network,
			.name = wanted->name,
			.kind = wanted->kind == LINK_TUN ? "tun" : "netns",
			.device = wanted->device,
			.place = wanted->netns,
			.address4 = wanted->address4,
			.address6 = wanted->address6,
		};
		return true;
	}
	return false;
}

/* ---- by the config ---- */

static void line_ignore(void *context, enum log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

/* Quiet where the namespace is not there yet: it is tried again. */
static void config_link_attach(struct guests *guests, const struct link_config *config)
{
	struct request_error error = {""};
	zone_id zone;
	int netns_fd = -1;

	if (LINK_IS_ETHERNET(config->kind))
		return;
	if (config->kind == LINK_NETNS) {
		const struct log silent = {.level = LOG_LEVEL_ERROR, .sink = line_ignore};
		netns_fd = netns_open(&silent, config->netns);
		if (netns_fd < 0)
			return;
	}
	const struct wanted wanted = {
		.name = config->name,
		.kind = config->kind,
		.network = config->network,
		.netns_fd = netns_fd,
		.place = config->kind == LINK_NETNS ? config->netns : "the host",
		.device = config->device,
		.address4 = config->address4,
		.address6 = config->address6,
	};
	if (guest_attach(guests, &wanted, &zone, &error) != 0)
		log_debug(guests->daemon->log, "%s", error.text);
	if (netns_fd >= 0)
		close(netns_fd);
}

static void config_links_retry(uv_timer_t *timer)
{
	guests_start(timer->data);
}

void guests_start(struct guests *guests)
{
	const struct config *config = guests->daemon->config;

	for (unsigned i = 0; i < config->link_count; i++)
		if (guest_named(guests, config->links[i].network, config->links[i].name) == NULL)
			config_link_attach(guests, &config->links[i]);
	if (config->link_count > 0)
		uv_timer_start(&guests->retry, config_links_retry, RETRY_MS, 0);
}

static const struct link_config *config_link_named(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->link_count; i++)
		if (strcmp(config->links[i].name, name) == 0)
			return &config->links[i];
	return NULL;
}

static bool config_links_equal(const struct link_config *a, const struct link_config *b)
{
	return a != NULL && b != NULL && a->kind == b->kind && a->network == b->network &&
	       addr_equal(&a->address4, &b->address4) && addr_equal(&a->address6, &b->address6) &&
	       strcmp(a->netns, b->netns) == 0 && strcmp(a->device, b->device) == 0;
}

void guests_update(struct guests *guests, const struct config *old)
{
	for (unsigned i = guests->highest; i-- > 0;) {
		struct guest *guest = guests->guest[i];
		if (guest == NULL || guest->live)
			continue;
		if (!config_links_equal(config_link_named(old, guest->name),
			    config_link_named(guests->daemon->config, guest->name)))
			guest_close(guest);
	}
	guests_start(guests);
}

/* ---- life ---- */

int guests_create(struct daemon *daemon, struct guests **result)
{
	struct guests *guests = calloc(1, sizeof(*guests));

	if (guests == NULL)
		return -ENOMEM;
	guests->daemon = daemon;
	uv_timer_init(daemon->loop, &guests->retry);
	guests->retry.data = guests;
	*result = guests;
	return 0;
}

static void guests_freed(uv_handle_t *handle)
{
	free(handle->data);
}

void guests_free(struct guests *guests)
{
	if (guests == NULL)
		return;
	for (unsigned i = guests->highest; i-- > 0;)
		if (guests->guest[i] != NULL)
			guest_close(guests->guest[i]);
	uv_timer_stop(&guests->retry);
	uv_close((uv_handle_t *)&guests->retry, guests_freed);
}
