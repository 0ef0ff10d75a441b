/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests_request: what the control socket asks of the links: attach, detach, show, find.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "daemon/guests_state.h"
#include "host/netns.h"

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

static void describe(
	const struct guests *guests, const struct guest *guest, struct daemon_link *link)
{
	*link = (struct daemon_link){
		.zone = guest->link->zone,
		.network = guest->wanted.config.network,
		.mtu = guest->link->mtu,
		.live = guest->wanted.live,
		.serial = guest->wanted.serial,
		.away = guest->link->away,
		.whole_subnet = addr_is_zero(&guest->address4) && addr_is_zero(&guest->address6),
		.name = guest->wanted.config.name,
		.kind = guest->link->kind,
		.device = guest->link->device,
		.place = guest->link->place,
		.address4 = guest->address4,
		.address6 = guest->address6,
		.age_ms = uv_now(guests->daemon->loop) - guest->attached_ms,
		.lan = guest->link->lan,
	};
	link->has_mac = guest->link->lan != NULL && lan_guest_mac(guest->link->lan, link->mac);
}

bool guests_find_link(
	const struct guests *guests, uint16_t network, const char *name, struct daemon_link *link)
{
	const struct awaited *awaited = guests->awaited;
	const struct guest *found = NULL;

	for (unsigned i = 0; i < guests->highest; i++) {
		const struct guest *guest = guests->guest[i];
		if (guest == NULL || guest->wanted.config.network != network ||
			strcasecmp(guest->wanted.config.name, name) != 0)
			continue;
		found = guest;
		if (strcmp(guest->wanted.config.name, name) == 0)
			break;
	}
	while (found == NULL && awaited != NULL &&
		(awaited->wanted.config.network != network ||
			strcasecmp(awaited->wanted.config.name, name) != 0))
		awaited = awaited->next;
	if (found != NULL)
		describe(guests, found, link);
	else
		*link = (struct daemon_link){.zone = ZONE_NONE};
	return found != NULL || awaited != NULL;
}

const char *guests_name_of_address(
	const struct guests *guests, uint16_t network, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < guests->highest; i++) {
		const struct guest *guest = guests->guest[i];
		if (guest != NULL && guest->wanted.config.network == network &&
			addr_equal(
				address, family == AF_INET ? &guest->address4 : &guest->address6))
			return guest->wanted.config.name;
	}
	return NULL;
}

static bool name_is_taken(const struct guests *guests, uint16_t network, const char *name)
{
	return guest_named(guests, network, name) != NULL ||
	       awaited_named(guests, network, name) != NULL;
}

static void name_choose(struct guests *guests, uint16_t network, char name[CONFIG_NAME_SIZE])
{
	do
		snprintf(name, CONFIG_NAME_SIZE, "guest%u", ++guests->next_name[network]);
	while (name_is_taken(guests, network, name));
}

/* A request's words as the config would have said them. */
static void wanted_fill(
	struct guests *guests, const struct daemon_attach *attach, struct wanted *wanted)
{
	struct link_config *config = &wanted->config;

	*wanted = (struct wanted){.config = attach->link,
		.mtu = attach->mtu,
		.live = true,
		.serial = ++guests->last_serial};
	if (config->name[0] == '\0')
		name_choose(guests, config->network, config->name);
	if (config->device[0] == '\0' && config->kind == LINK_NETNS)
		snprintf(config->device, sizeof(config->device), "eth0");
	if (LINK_IS_ETHERNET(config->kind) && config->guests == GUESTS_AUTO)
		config->guests = config->bridge[0] != '\0' ? GUESTS_MANY : GUESTS_ONE;
}

int guests_attach(struct guests *guests, const struct daemon_attach *attach,
	struct daemon_link *link, struct request_error *error)
{
	const char *name = attach->link.name, *netns = attach->link.netns;
	struct wanted wanted;
	zone_id zone = ZONE_NONE;
	int netns_fd = attach->netns_fd;

	if (name_is_taken(guests, attach->link.network, name)) {
		snprintf(error->text, sizeof(error->text),
			"a link named %s is attached already; choose another name", name);
		return -EEXIST;
	}
	if (attach->link.kind == LINK_NETNS && netns_fd < 0) {
		netns_fd = netns_open(guests->daemon->log, netns);
		if (netns_fd < 0) {
			snprintf(error->text, sizeof(error->text),
				"no network namespace %.200s: %s (allowed: a NAME of ip netns, a "
				"PATH, or pid:N)",
				netns, strerror(-netns_fd));
			return netns_fd;
		}
	}
	wanted_fill(guests, attach, &wanted);
	const int result = guest_attach(guests, &wanted, netns_fd, &zone, error);
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
	struct awaited *awaited = awaited_named(guests, network, name);

	if (guest == NULL && (awaited == NULL || !awaited->wanted.live)) {
		snprintf(error->text, sizeof(error->text),
			"no link %s is attached; `tungate links` lists them", name);
		return -ENOENT;
	}
	log_info(guests->daemon->log, "link %s is detached", name);
	if (guest != NULL) {
		guest_say_goodbye(guest);
		guest_close(guest);
	} else {
		awaited_remove(guests, awaited);
	}
	return 0;
}

static const char *kind_name(enum link_kind kind)
{
	static const char *const names[] = {
		[LINK_TUN] = "tun",
		[LINK_NETNS] = "netns",
		[LINK_TAP] = "tap",
		[LINK_NETDEV] = "netdev",
		[LINK_QEMU] = "qemu",
		[LINK_HOST] = "host",
	};

	return names[kind];
}

bool guests_describe(struct guests *guests, unsigned index, struct daemon_link *link)
{
	const struct awaited *awaited;

	for (unsigned i = 0; i < guests->highest; i++)
		if (guests->guest[i] != NULL && index-- == 0) {
			describe(guests, guests->guest[i], link);
			return true;
		}
	for (awaited = guests->awaited; awaited != NULL; awaited = awaited->next) {
		const struct link_config *wanted = &awaited->wanted.config;
		if (index-- != 0)
			continue;
		*link = (struct daemon_link){
			.zone = ZONE_NONE,
			.network = wanted->network,
			.live = awaited->wanted.live,
			.serial = awaited->wanted.serial,
			.name = wanted->name,
			.kind = kind_name((enum link_kind)wanted->kind),
			.device = wanted->device,
			.place = wanted_place(&awaited->wanted, guests->place),
			.address4 = wanted->address4,
			.address6 = wanted->address6,
		};
		return true;
	}
	return false;
}
