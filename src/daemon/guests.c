/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests: attaching and detaching links.
 *
 * A link's place in the table is its zone, for the engine and for everybody else.  A link that
 * dies (its namespace or interface has gone) is removed the next time it is looked at: its
 * descriptor reports the hang-up.  Those that may come back are awaited (guests_await.c).
 *
 * Ethernet links have LAN services (guest_lan.h), which hear every frame before the engine does and
 * whose timer is run here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/guests_state.h"
#include "daemon/io.h"
#include "daemon/service.h"
#include "daemon/uplinks.h"

struct link *guests_link(const struct guests *guests, zone_id zone)
{
	return zone < ENGINE_LINKS_MAX && guests->guest[zone] != NULL ? guests->guest[zone]->link
								      : NULL;
}

const char *guests_name(const struct guests *guests, zone_id zone)
{
	return zone < ENGINE_LINKS_MAX && guests->guest[zone] != NULL
		       ? guests->guest[zone]->wanted.config.name
		       : NULL;
}

bool wanted_is_named(const struct wanted *wanted, uint16_t network, const char *name)
{
	return wanted->config.network == network && strcmp(wanted->config.name, name) == 0;
}

struct guest *guest_named(const struct guests *guests, uint16_t network, const char *name)
{
	for (unsigned i = 0; i < guests->highest; i++)
		if (guests->guest[i] != NULL &&
			wanted_is_named(&guests->guest[i]->wanted, network, name))
			return guests->guest[i];
	return NULL;
}

bool guests_on_network(const struct guests *guests, uint16_t network)
{
	for (unsigned i = 0; i < guests->highest; i++)
		if (guests->guest[i] != NULL && guests->guest[i]->wanted.config.network == network)
			return true;
	return false;
}

/* ---- LAN services ---- */

static void services_tick(uv_timer_t *timer)
{
	struct guest *guest = timer->data;
	struct daemon *daemon = guest->owner->daemon;

	guest->due_ms = UINT64_MAX;
	lan_tick(guest->link->lan, uv_now(daemon->loop));
	io_flush_lan(daemon->io, guest->link);
}

void guests_lan_arm(struct guests *guests, zone_id zone)
{
	struct guest *guest = zone < ENGINE_LINKS_MAX ? guests->guest[zone] : NULL;
	const uint64_t due_ms = guest != NULL ? lan_deadline(guest->link->lan) : UINT64_MAX;

	if (guest == NULL || due_ms == guest->due_ms)
		return;
	guest->due_ms = due_ms;
	const uint64_t now_ms = uv_now(guests->daemon->loop);
	if (due_ms == UINT64_MAX)
		uv_timer_stop(&guest->timer);
	else
		uv_timer_start(
			&guest->timer, services_tick, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static int services_open(struct guest *guest)
{
	static const uint8_t any[6];
	const struct link_config *config = &guest->wanted.config;
	const struct guest_lan_settings settings = {
		.zone = guest->link->zone,
		.network = config->network,
		.name = config->name,
		.many = config->guests == GUESTS_MANY,
		.address4 = guest->address4,
		.address6 = guest->address6,
		.mtu = guest->link->mtu,
		.mac = memcmp(config->mac, any, sizeof(any)) != 0 ? config->mac : NULL,
	};

	if (guest->link->l2_bytes == 0)
		return 0;
	const int error = guest_lan_open(guest->owner->daemon, &settings, &guest->lan);
	if (error == 0)
		guest->link->lan = guest_lan_services(guest->lan);
	return error;
}

void guest_renew(struct guest *guest)
{
	if (guest->lan == NULL)
		return;
	guest_lan_update(guest->lan);
	guests_lan_arm(guest->owner, guest->link->zone);
}

void guest_say_goodbye(struct guest *guest)
{
	struct daemon *daemon = guest->owner->daemon;

	if (guest->lan == NULL)
		return;
	lan_say_goodbye(guest->link->lan, uv_now(daemon->loop));
	io_flush_lan(daemon->io, guest->link);
}

/* ---- opening and closing ---- */

static void guest_freed(uv_handle_t *handle)
{
	free(handle->data);
}

static void guest_timer_closed(uv_handle_t *handle)
{
	struct guest *guest = handle->data;

	uv_close((uv_handle_t *)&guest->poll, guest_freed);
}

void guest_close(struct guest *guest)
{
	struct guests *guests = guest->owner;
	const zone_id zone = guest->link->zone;

	guest_lan_close(guest->lan);
	engine_link_remove(guests->daemon->engine, zone);
	guests->guest[zone] = NULL;
	while (guests->highest > 0 && guests->guest[guests->highest - 1] == NULL)
		guests->highest--;
	uv_poll_stop(&guest->poll);
	uv_timer_stop(&guest->timer);
	guest->link->ops->close(guest->link);
	uv_close((uv_handle_t *)&guest->timer, guest_timer_closed);
}

void guest_lost(struct guest *guest)
{
	struct guests *guests = guest->owner;
	const struct wanted wanted = guest->wanted;

	log_info(guests->daemon->log, "link %s is gone: %s is no more", wanted.config.name,
		guest->link->place);
	guest_close(guest);
	if (wanted.live && wanted.config.kind == LINK_NETNS)
		return; /* a namespace of this name would be another */
	awaited_add(guests, &wanted);
	guests_await(guests);
}

void guest_look(struct guest *guest)
{
	const struct daemon *daemon = guest->owner->daemon;

	if (guest->link->away == guest->was_away)
		return;
	guest->was_away = guest->link->away;
	log_debug(daemon->log, "link %s: the guest is %s", guest->wanted.config.name,
		guest->was_away ? "away" : "there");
	if (guest->was_away && guest->link->lan != NULL) {
		lan_reset(guest->link->lan, uv_now(daemon->loop));
		guests_lan_arm(guest->owner, guest->link->zone);
	}
}

static void guest_readable(uv_poll_t *poll, int status, int events)
{
	struct guest *guest = poll->data;
	struct daemon *daemon = guest->owner->daemon;

	(void)events;
	if ((status != 0 && !guest->link->outlives_errors) ||
		io_link_readable(daemon->io, guest->link) == -ENODEV) {
		guest_lost(guest);
		return;
	}
	guest_look(guest);
	if (status != 0)
		uv_poll_start(poll, UV_READABLE | UV_DISCONNECT, guest_readable);
}

static uint16_t guest_mtu(const struct guests *guests, const struct wanted *wanted)
{
	struct daemon_status status = {0};
	uint16_t mtu = wanted->mtu != 0
			       ? wanted->mtu
			       : guests->daemon->config->networks[wanted->config.network].mtu;

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

/* What a link says while it is opened is kept, and told by whoever wanted it. */
static void link_line(void *context, enum log_level level, const char *line)
{
	struct guests *guests = context;

	if (guests->opening != NULL && level == LOG_LEVEL_ERROR)
		snprintf(guests->opening, sizeof(((struct request_error *)NULL)->text), "%s", line);
	else
		log_write(guests->daemon->log, level, "%s", line);
}

static int link_open(struct guests *guests, enum link_kind kind, uint16_t network, int netns_fd,
	const struct link_settings *settings, struct link **link)
{
	const struct log *log = &guests->link_log;

	switch (kind) {
	case LINK_TUN:
		return link_tun_open(log, settings, link);
	case LINK_HOST:
		return link_host_open(log, settings, link);
	case LINK_TAP:
		return link_tap_open(log, settings, link);
	case LINK_NETDEV:
		return link_netdev_open(log, settings, link);
	case LINK_QEMU:
		return link_qemu_open(log, settings, link);
	case LINK_NETNS:
		break;
	}
	return link_netns_open(
		log, settings, netns_fd, service_netns(guests->daemon->service, network), link);
}

static int guest_open_link(
	struct guests *guests, struct guest *guest, int netns_fd, zone_id zone, char *why)
{
	const struct link_config *wanted = &guest->wanted.config;
	const struct network_config *config = &guests->daemon->config->networks[wanted->network];
	const struct link_settings settings = {
		.zone = zone,
		.device = wanted->device,
		.mtu = guest_mtu(guests, &guest->wanted),
		.prefix_length4 = config->subnet4.family != 0 ? config->subnet4.length : 0,
		.prefix_length6 = config->subnet6.family != 0 ? config->subnet6.length : 0,
		.address4 = guest->address4,
		.address6 = guest->address6,
		.gateway4 = config->gateway4,
		.gateway6 = config->gateway6,
		.subnet4 = config->subnet4,
		.subnet6 = config->subnet6,
		.bridge = wanted->bridge,
		.socket = wanted->socket,
		.datagram = wanted->socket_mode == SOCKET_DATAGRAM,
		.owner = config->owner_uid,
		.owner_group = config->owner_gid,
	};

	guests->link_log.level = guests->daemon->log->level;
	guests->opening = why;
	const int error = link_open(guests, (enum link_kind)wanted->kind, wanted->network, netns_fd,
		&settings, &guest->link);
	guests->opening = NULL;
	return error;
}

static int zone_choose(const struct guests *guests, zone_id *zone)
{
	for (*zone = 0; *zone < ENGINE_LINKS_MAX; (*zone)++)
		if (guests->guest[*zone] == NULL)
			return 0;
	return -ENOSPC;
}

bool link_is_whole_subnet(const struct link_config *config)
{
	return config->kind == LINK_TUN || config->guests == GUESTS_MANY;
}

static int guest_register(struct guests *guests, struct guest *guest)
{
	struct daemon *daemon = guests->daemon;
	const zone_id zone = guest->link->zone;
	const struct engine_link link = {
		.network = guest->wanted.config.network,
		.mtu = guest->link->mtu,
		.whole_subnet = link_is_whole_subnet(&guest->wanted.config),
		.address4 = guest->address4,
		.address6 = guest->address6,
	};
	int error = engine_link_set(daemon->engine, zone, &link);

	if (error != 0)
		return error;
	error = services_open(guest);
	if (error != 0) {
		engine_link_remove(daemon->engine, zone);
		return error;
	}
	guests->guest[zone] = guest;
	if (zone >= guests->highest)
		guests->highest = zone + 1u;
	guest->attached_ms = uv_now(daemon->loop);
	guest->due_ms = UINT64_MAX;
	uv_timer_init(daemon->loop, &guest->timer);
	guest->timer.data = guest;
	uv_poll_init(daemon->loop, &guest->poll, guest->link->fd);
	guest->poll.data = guest;
	uv_poll_start(&guest->poll, UV_READABLE | UV_DISCONNECT, guest_readable);
	guest->was_away = guest->link->away;
	if (guest->link->lan != NULL)
		io_flush_lan(daemon->io, guest->link);
	return 0;
}

const char *wanted_place(const struct wanted *wanted, char text[CONFIG_TEXT_SIZE])
{
	const struct link_config *config = &wanted->config;

	switch ((enum link_kind)config->kind) {
	case LINK_NETNS:
		return config->netns[0] != '\0' ? config->netns : "its namespace";
	case LINK_QEMU:
		return config->socket;
	case LINK_NETDEV:
		return config->device;
	case LINK_TAP:
		if (config->bridge[0] != '\0') {
			snprintf(text, CONFIG_TEXT_SIZE, "bridge %s", config->bridge);
			return text;
		}
		break;
	case LINK_TUN:
	case LINK_HOST:
		break;
	}
	return "the host";
}

static const char *failure_text(const struct link_config *config, const char *why, int result)
{
	if (why[0] != '\0')
		return why;
	return result == -ENODEV && config->kind == LINK_NETDEV
		       ? "there is no interface of this name"
		       : strerror(-result);
}

/* What the kernel would let us do, and what would not end well. */
static int place_check(
	const struct guests *guests, const struct link_config *config, struct request_error *error)
{
	for (unsigned i = 0; i < guests->highest && config->kind == LINK_NETDEV; i++) {
		const struct guest *guest = guests->guest[i];

		if (guest == NULL || guest->link->ifindex == 0 ||
			strcmp(guest->link->device, config->device) != 0)
			continue;
		snprintf(error->text, sizeof(error->text), "%s is taken by link %s", config->device,
			guest->wanted.config.name);
		return -EEXIST;
	}
	if (config->kind == LINK_NETDEV && uplinks_named(guests->daemon->uplinks, config->device)) {
		snprintf(error->text, sizeof(error->text),
			"%s is an uplink: it cannot be a guest's, too", config->device);
		return -EBUSY;
	}
	return 0;
}

static int guest_settle(struct guests *guests, struct guest *guest, struct request_error *error)
{
	const struct link_config *config = &guest->wanted.config;
	const bool whole = link_is_whole_subnet(config);
	int result = place_check(guests, config, error);

	guest->address4 = config->address4;
	guest->address6 = config->address6;
	if (!whole) {
		address_remember(guests, config, AF_INET, &guest->address4);
		address_remember(guests, config, AF_INET6, &guest->address6);
	}
	if (result == 0)
		result = address_settle(
			guests, config->network, AF_INET, whole, &guest->address4, error);
	if (result == 0)
		result = address_settle(
			guests, config->network, AF_INET6, whole, &guest->address6, error);
	return result;
}

int guest_attach(struct guests *guests, const struct wanted *wanted, int netns_fd, zone_id *zone,
	struct request_error *error)
{
	char text[CONFIG_TEXT_SIZE], why[sizeof(error->text)] = "";
	int result = zone_choose(guests, zone);
	struct guest *guest = result == 0 ? calloc(1, sizeof(*guest)) : NULL;

	if (guest == NULL) {
		snprintf(error->text, sizeof(error->text),
			"no room for another link: %u are attached", guests->highest);
		return result != 0 ? result : -ENOMEM;
	}
	guest->owner = guests;
	guest->wanted = *wanted;
	result = guest_settle(guests, guest, error);
	if (result != 0)
		goto failed;
	const char *place = wanted_place(wanted, text);
	result = guest_open_link(guests, guest, netns_fd, *zone, why);
	if (result == 0) {
		snprintf(guest->link->place, sizeof(guest->link->place), "%s", place);
		result = guest_register(guests, guest);
		if (result != 0)
			guest->link->ops->close(guest->link);
	}
	if (result != 0) {
		snprintf(error->text, sizeof(error->text), "cannot be attached to %.100s: %.300s",
			place, failure_text(&wanted->config, why, result));
		goto failed;
	}
	log_info(guests->daemon->log, "link %s is attached to %s", wanted->config.name, place);
	return 0;

failed:
	free(guest);
	return result;
}

/* ---- life ---- */

int guests_create(struct daemon *daemon, struct guests **result)
{
	struct guests *guests = calloc(1, sizeof(*guests));

	if (guests == NULL)
		return -ENOMEM;
	guests->daemon = daemon;
	guests->link_log = (struct log){.sink = link_line, .context = guests};
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
		if (guests->guest[i] != NULL) {
			guest_say_goodbye(guests->guest[i]);
			guest_close(guests->guest[i]);
		}
	while (guests->awaited != NULL)
		awaited_remove(guests, guests->awaited);
	uv_timer_stop(&guests->retry);
	uv_close((uv_handle_t *)&guests->retry, guests_freed);
}
