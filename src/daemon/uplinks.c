/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uplinks: interfaces, routes, neighbours, guard.
 *
 * Whatever the kernel reports, the answer is the same in kind: cached routes are forgotten and
 * flows told to ask again (routes_changed); an interface that has gone takes its uplink, its
 * addresses and its paths with it, and comes back as a new one when a route names it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/guests.h"
#include "daemon/io.h"
#include "daemon/presences.h"
#include "daemon/uplinks_state.h"
#include "host/port_lock.h"

/* Guard sockets made at a time, where sockets are the guard. */
#define GUARD_PORTION     32
#define GUARD_INTERVAL_MS 10

/* Is it no more the gateway's than any address of the host? */
static bool is_plain(const struct owned *owned, const struct claimed_address *claimed)
{
	return !owned_is_whole(owned, claimed->family, &claimed->address) &&
	       !owned_is_shared(owned, claimed->family, &claimed->address);
}

/* What the filters are to take as ours: our ports, at the addresses of the open uplinks. */
static struct port_claims claims_of(struct uplinks *uplinks)
{
	unsigned count = 0;

	for (unsigned i = 0; i < uplinks->count; i++)
		for (unsigned a = 0; a < uplinks->uplink[i]->address_count; a++)
			if (count < CLAIMS_ADDRESSES_MAX &&
				is_plain(&uplinks->owned, &uplinks->uplink[i]->address[a]))
				uplinks->claimed[count++] = uplinks->uplink[i]->address[a];
	/* No address of ours would mean any address; 0.0.0.0 is nobody's. */
	if (count == 0)
		uplinks->claimed[count++] = (struct claimed_address){.family = AF_INET};
	return (struct port_claims){
		.external = uplinks->daemon->config->gateway.ports,
		.published = uplinks->published,
		.published_count = uplinks->published_count,
		.addresses = uplinks->claimed,
		.address_count = count,
		.shared = uplinks->owned.shared,
		.shared_count = uplinks->owned.shared_count,
		.owned = uplinks->owned.prefixes,
		.owned_count = uplinks->owned.count,
	};
}

static int claims_renew(struct uplinks *uplinks)
{
	const struct port_claims claims = claims_of(uplinks);
	int error = guard_claims_set(uplinks->guard, &claims);

	for (unsigned i = 0; i < uplinks->count && error == 0; i++)
		error = afpacket_claims_set(uplinks->uplink[i]->afpacket, &claims);
	return error;
}

/* The host's addresses, or the config, are others: what is owned may be, too. */
static int addresses_renew(struct uplinks *uplinks)
{
	int error = owned_renew(&uplinks->owned, uplinks->daemon->config, uplinks->netlink);
	const int claims_error = claims_renew(uplinks);

	for (unsigned i = 0; i < uplinks->count; i++)
		presence_renew(uplinks->uplink[i], &uplinks->owned);
	return error != 0 ? error : claims_error;
}

struct uplink *uplink_find(const struct uplinks *uplinks, int ifindex)
{
	for (unsigned i = 0; i < uplinks->count; i++)
		if (uplinks->uplink[i]->interface.ifindex == ifindex)
			return uplinks->uplink[i];
	return NULL;
}

/* ---- addresses ---- */

/* What is outside and inside at once: guests look for all of the subnet inside (RFC 4787 REQ-7). */
static void warn_of_clash(const struct uplink *uplink, uint8_t family, const union addr *address)
{
	const struct daemon *daemon = uplink->owner->daemon;
	const int network = config_network_of(daemon->config, family, address);
	char text[ADDR_TEXT_SIZE];

	if (network >= 0)
		log_warning(daemon->log,
			"uplink %s: its address %s is inside the subnet of network %s, whose "
			"guests "
			"cannot reach its neighbours: give the network another subnet",
			uplink->interface.name, addr_format(family, address, text),
			daemon->config->networks[network].name);
}

static void uplink_address_add(struct uplink *uplink, uint8_t family, const union addr *address)
{
	struct daemon *daemon = uplink->owner->daemon;
	char text[ADDR_TEXT_SIZE];

	if (addr_is_link_local(family, address) || addr_is_loopback(family, address))
		return;
	for (unsigned i = 0; i < uplink->address_count; i++)
		if (uplink->address[i].family == family &&
			addr_equal(&uplink->address[i].address, address))
			return;
	if (uplink->address_count == ENGINE_EXTERNALS_MAX ||
		engine_external_add(daemon->engine, family, address) != 0) {
		log_warning(daemon->log,
			"%s on %s is not used: the gateway serves at most %d addresses of the host",
			addr_format(family, address, text), uplink->interface.name,
			ENGINE_EXTERNALS_MAX);
		return;
	}
	uplink->address[uplink->address_count].family = family;
	uplink->address[uplink->address_count++].address = *address;
	log_debug(daemon->log, "uplink %s: address %s", uplink->interface.name,
		addr_format(family, address, text));
	warn_of_clash(uplink, family, address);
}

static unsigned uplink_address_drop(struct uplink *uplink, unsigned i)
{
	const struct claimed_address gone = uplink->address[i];

	uplink->address[i] = uplink->address[--uplink->address_count];
	return engine_external_del(uplink->owner->daemon->engine, gone.family, &gone.address);
}

static void uplink_address_remove_at(struct uplink *uplink, unsigned i)
{
	const struct claimed_address gone = uplink->address[i];
	const unsigned ended = uplink_address_drop(uplink, i);
	char text[ADDR_TEXT_SIZE];

	log_info(uplink->owner->daemon->log,
		"uplink %s: address %s is gone, and %u connections with it", uplink->interface.name,
		addr_format(gone.family, &gone.address, text), ended);
}

static void uplink_address_remove(struct uplink *uplink, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < uplink->address_count; i++)
		if (uplink->address[i].family == family &&
			addr_equal(&uplink->address[i].address, address)) {
			uplink_address_remove_at(uplink, i);
			return;
		}
}

static void address_each(void *context, int ifindex, uint8_t family, const struct prefix *prefix,
	const union addr *address)
{
	struct uplink *uplink = uplink_find(context, ifindex);

	(void)prefix;
	if (uplink != NULL)
		uplink_address_add(uplink, family, address);
}

static void address_seen(void *context, int ifindex, uint8_t family, const struct prefix *prefix,
	const union addr *address)
{
	struct uplink *uplink = uplink_find(context, ifindex);

	(void)prefix;
	for (unsigned i = 0; uplink != NULL && i < uplink->address_count; i++)
		if (uplink->address[i].family == family &&
			addr_equal(&uplink->address[i].address, address))
			uplink->seen |= 1u << i;
}

/* After events were lost: what is gone may only show in what is still there. */
static void addresses_look_again(struct uplinks *uplinks)
{
	for (unsigned i = 0; i < uplinks->count; i++)
		uplinks->uplink[i]->seen = 0;
	host_addresses_each(uplinks->netlink, address_seen, uplinks);
	for (unsigned i = 0; i < uplinks->count; i++) {
		struct uplink *uplink = uplinks->uplink[i];
		for (unsigned a = uplink->address_count; a-- > 0;)
			if (!(uplink->seen & 1u << a))
				uplink_address_remove_at(uplink, a);
	}
	host_addresses_each(uplinks->netlink, address_each, uplinks);
	addresses_renew(uplinks);
}

/* ---- interfaces ---- */

/* An interface that goes down leaves an error in its socket, which libuv takes as the end of
 * polling; the read fetches it, and when the interface is up again the socket goes on. */
static void uplink_readable(uv_poll_t *poll, int status, int events)
{
	struct uplink *uplink = poll->data;

	(void)events;
	io_uplink_readable(uplink->owner->daemon->io, uplink->afpacket);
	if (status != 0)
		uv_poll_start(poll, UV_READABLE, uplink_readable);
}

static bool uplink_is_allowed(const struct uplinks *uplinks, const char *name)
{
	const struct gateway_config *gateway = &uplinks->daemon->config->gateway;

	for (unsigned i = 0; i < gateway->uplink_count; i++)
		if (strcmp(gateway->uplinks[i], name) == 0)
			return true;
	return gateway->uplink_count == 0;
}

struct uplink *uplink_open(struct uplinks *uplinks, int ifindex)
{
	struct daemon *daemon = uplinks->daemon;
	struct uplink *uplink = calloc(1, sizeof(*uplink));
	const struct port_claims claims = claims_of(uplinks);

	if (uplink == NULL)
		return NULL;
	uplink->owner = uplinks;
	if (uplinks->count == CONFIG_UPLINKS_MAX ||
		host_interface_get(uplinks->netlink, ifindex, &uplink->interface) != 0 ||
		!uplink_is_allowed(uplinks, uplink->interface.name))
		goto refused;
	/* The guard first: from the first packet on the kernel must be silent. */
	if (guard_cover(uplinks->guard, ifindex) != 0)
		goto refused;
	if (afpacket_open(daemon->log, ifindex, daemon->config->gateway.receive_buffer_bytes,
		    &claims, &uplink->afpacket) != 0)
		goto uncover;
	uplinks->uplink[uplinks->count++] = uplink;
	host_addresses_each(uplinks->netlink, address_each, uplinks);
	addresses_renew(uplinks);
	uv_poll_init(daemon->loop, &uplink->poll, afpacket_fd(uplink->afpacket));
	uplink->poll.data = uplink;
	uv_poll_start(&uplink->poll, UV_READABLE, uplink_readable);
	log_info(daemon->log, "uplink %s is open (mtu %u, guard %s)", uplink->interface.name,
		uplink->interface.mtu, guard_kind(uplinks->guard));
	return uplink;

uncover:
	guard_uncover(uplinks->guard, ifindex);
refused:
	free(uplink);
	return NULL;
}

static void uplink_free(uv_handle_t *handle)
{
	free(handle->data);
}

static void uplink_close(struct uplinks *uplinks, struct uplink *uplink)
{
	paths_drop_interface(uplinks->paths, uplink->interface.ifindex);
	while (uplink->address_count > 0)
		uplink_address_drop(uplink, uplink->address_count - 1);
	guard_uncover(uplinks->guard, uplink->interface.ifindex);
	presence_stop(uplink);
	uv_poll_stop(&uplink->poll);
	afpacket_close(uplink->afpacket);
	for (unsigned i = 0; i < uplinks->count; i++)
		if (uplinks->uplink[i] == uplink)
			uplinks->uplink[i] = uplinks->uplink[--uplinks->count];
	uv_close((uv_handle_t *)&uplink->poll, uplink_free);
}

static void interface_changed(struct uplinks *uplinks, int ifindex)
{
	struct uplink *uplink = uplink_find(uplinks, ifindex);
	struct host_interface now;

	/* One that has gone in the meantime is about to be reported as such. */
	if (host_interface_get(uplinks->netlink, ifindex, &now) != 0)
		return;
	guests_interface_changed(uplinks->daemon->guests, ifindex, &now);
	if (uplink == NULL)
		return;
	uplink->interface = now;
	afpacket_mac_set(uplink->afpacket, now.mac);
	presence_repeat(uplink);
	routes_changed(uplinks);
}

static void interface_removed(struct uplinks *uplinks, int ifindex)
{
	struct uplink *uplink = uplink_find(uplinks, ifindex);

	guests_interface_changed(uplinks->daemon->guests, ifindex, NULL);
	if (uplink == NULL)
		return;
	log_info(uplinks->daemon->log, "uplink %s is gone", uplink->interface.name);
	uplink_close(uplinks, uplink);
	routes_changed(uplinks);
}

/* ---- events ---- */

static void host_event(void *context, const struct host_event *event)
{
	struct uplinks *uplinks = context;
	struct uplink *uplink = uplink_find(uplinks, event->ifindex);

	switch (event->change) {
	case HOST_NEIGHBOUR:
		neighbour_changed(uplinks, event);
		break;
	case HOST_ADDRESS_ADDED:
		if (uplink != NULL) {
			uplink_address_add(uplink, event->family, &event->address);
			addresses_renew(uplinks);
		}
		routes_changed(uplinks);
		break;
	case HOST_ADDRESS_REMOVED:
		if (uplink != NULL) {
			uplink_address_remove(uplink, event->family, &event->address);
			addresses_renew(uplinks);
		}
		routes_changed(uplinks);
		break;
	case HOST_INTERFACE_CHANGED:
		interface_changed(uplinks, event->ifindex);
		break;
	case HOST_INTERFACE_REMOVED:
		interface_removed(uplinks, event->ifindex);
		break;
	case HOST_ROUTES_CHANGED:
		routes_changed(uplinks);
		break;
	case HOST_OVERRUN:
		log_debug(uplinks->daemon->log, "netlink events were lost, looking again");
		addresses_look_again(uplinks);
		routes_changed(uplinks);
		break;
	}
}

static void netlink_readable(uv_poll_t *poll, int status, int events)
{
	struct uplinks *uplinks = poll->data;

	(void)events;
	host_netlink_dispatch(uplinks->netlink);
	if (status != 0) /* an overrun counts as an error, and is over with the dispatch */
		uv_poll_start(poll, UV_READABLE, netlink_readable);
}

/* ---- claims ---- */

int uplinks_claims_set(struct uplinks *uplinks, const struct published *published, unsigned count)
{
	struct published *copy = calloc(count + 1, sizeof(*copy));

	if (copy == NULL)
		return -ENOMEM;
	if (count > 0)
		memcpy(copy, published, count * sizeof(*copy));
	free(uplinks->published);
	uplinks->published = copy;
	uplinks->published_count = count;
	return claims_renew(uplinks);
}

int uplinks_owned_check(
	struct uplinks *uplinks, const struct config *config, struct request_error *error)
{
	return owned_check(uplinks->daemon->log, config, uplinks->netlink, error);
}

int uplinks_owned_renew(struct uplinks *uplinks)
{
	return addresses_renew(uplinks);
}

bool uplinks_are_shielded(const struct uplinks *uplinks)
{
	return strcmp(guard_kind(uplinks->guard), "clsact") == 0;
}

/* ---- life ---- */

static void guard_filler_run(uv_timer_t *timer)
{
	struct uplinks *uplinks = timer->data;

	if (!guard_fill(uplinks->guard, GUARD_PORTION))
		uv_timer_stop(timer);
}

int uplinks_create(struct daemon *daemon, struct uplinks **result)
{
	struct uplinks *uplinks = calloc(1, sizeof(*uplinks));
	const struct port_list *ports = &daemon->config->gateway.ports;
	struct request_error refusal;
	int error = -ENOMEM;

	if (uplinks == NULL)
		return error;
	uplinks->daemon = daemon;
	uplinks->paths = calloc(1, sizeof(*uplinks->paths));
	if (uplinks->paths == NULL)
		goto paths;
	uplinks->paths->generation = 1;
	error = guard_check_ports(daemon->log, ports);
	if (error != 0)
		goto range;
	uplinks->port_lock = port_lock_take(daemon->log, ports);
	error = uplinks->port_lock < 0 ? uplinks->port_lock : 0;
	if (error != 0)
		goto range;
	error = host_netlink_open(daemon->log, host_event, uplinks, &uplinks->netlink);
	if (error != 0)
		goto netlink;
	error = uplinks_owned_check(uplinks, daemon->config, &refusal);
	if (error != 0) {
		log_error(daemon->log, "%s", refusal.text);
		goto guard;
	}
	error = owned_renew(&uplinks->owned, daemon->config, uplinks->netlink);
	if (error != 0)
		goto guard;
	const struct port_claims claims = claims_of(uplinks);
	error = guard_open(daemon->log, daemon->config->gateway.guard, &claims, &uplinks->guard);
	if (error != 0)
		goto guard;
	uv_poll_init(daemon->loop, &uplinks->netlink_poll, host_netlink_fd(uplinks->netlink));
	uplinks->netlink_poll.data = uplinks;
	uv_poll_start(&uplinks->netlink_poll, UV_READABLE, netlink_readable);
	uv_timer_init(daemon->loop, &uplinks->guard_filler);
	uplinks->guard_filler.data = uplinks;
	uv_timer_start(&uplinks->guard_filler, guard_filler_run, 0, GUARD_INTERVAL_MS);
	if (!uplinks_are_shielded(uplinks) && owned_is_on_host(&uplinks->owned))
		log_warning(daemon->log,
			"guard = sockets cannot keep the kernel from answering for the addresses "
			"of [nat] that the host has, too");
	*result = uplinks;
	return 0;

guard:
	owned_free(&uplinks->owned);
	host_netlink_close(uplinks->netlink);
netlink:
	close(uplinks->port_lock);
range:
	free(uplinks->paths);
paths:
	free(uplinks);
	return error;
}

union addr uplinks_far_address(uint8_t family)
{
	return family == AF_INET ? addr_v4(1, 0, 0, 1) : (union addr){.bytes = {0x20, 0, [15] = 1}};
}

void uplinks_start(struct uplinks *uplinks)
{
	struct route route;
	bool found = false;

	for (unsigned i = 0; i < 2; i++) {
		const uint8_t family = i == 0 ? AF_INET : AF_INET6;
		const union addr far = uplinks_far_address(family);
		if (uplinks_route(uplinks->daemon, family, &far, &route) == ROUTE_UPLINK)
			found = true;
	}
	if (!found)
		log_warning(uplinks->daemon->log,
			"the host has no default route: guests reach only what the host has routes "
			"to; add one (ip route add default via ROUTER) and it is picked up");
}

static void uplinks_freed(uv_handle_t *handle)
{
	free(handle->data);
}

void uplinks_free(struct uplinks *uplinks)
{
	if (uplinks == NULL)
		return;
	while (uplinks->count > 0)
		uplink_close(uplinks, uplinks->uplink[0]);
	uv_timer_stop(&uplinks->guard_filler);
	uv_poll_stop(&uplinks->netlink_poll);
	guard_close(uplinks->guard);
	host_netlink_close(uplinks->netlink);
	close(uplinks->port_lock);
	for (uint16_t i = 0; i < uplinks->paths->count; i++)
		path_pending_free(&uplinks->paths->path[i]);
	free(uplinks->paths);
	free(uplinks->published);
	owned_free(&uplinks->owned);
	uv_close((uv_handle_t *)&uplinks->guard_filler, NULL);
	uv_close((uv_handle_t *)&uplinks->netlink_poll, uplinks_freed);
}

/* ---- status ---- */

bool uplinks_named(const struct uplinks *uplinks, const char *name)
{
	const struct gateway_config *gateway = &uplinks->daemon->config->gateway;

	for (unsigned i = 0; i < uplinks->count; i++)
		if (strcmp(uplinks->uplink[i]->interface.name, name) == 0)
			return true;
	return gateway->uplink_count > 0 && uplink_is_allowed(uplinks, name);
}

static union addr default_next_hop(struct uplinks *uplinks, int ifindex, uint8_t family)
{
	const union addr far = uplinks_far_address(family);
	struct host_route route = {0};

	if (host_route_get(uplinks->netlink, family, &far, &route) != ROUTE_UPLINK ||
		route.ifindex != ifindex || !route.has_gateway || route.gateway_family != family)
		return (union addr){0};
	return route.gateway;
}

void uplinks_status(struct uplinks *uplinks, struct daemon_status *status)
{
	status->guard = guard_kind(uplinks->guard);
	status->uplink_count = uplinks->count;
	for (unsigned i = 0; i < uplinks->count; i++) {
		const struct uplink *uplink = uplinks->uplink[i];
		struct daemon_uplink *shown = &status->uplinks[i];
		const int ifindex = uplink->interface.ifindex;

		*shown = (struct daemon_uplink){
			.up = uplink->interface.up,
			.mtu = uplink->interface.mtu,
			.next_hop4 = default_next_hop(uplinks, ifindex, AF_INET),
			.next_hop6 = default_next_hop(uplinks, ifindex, AF_INET6),
		};
		memcpy(shown->name, uplink->interface.name, sizeof(shown->name));
		for (unsigned a = uplink->address_count; a-- > 0;) {
			union addr *address = uplink->address[a].family == AF_INET
						      ? &shown->address4
						      : &shown->address6;
			*address = uplink->address[a].address;
		}
	}
}
