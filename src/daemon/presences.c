/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * presences: which addresses are answered for on which uplink.
 *
 * A prefix that is routed here needs no answers; one in the uplink's own subnet does, as the
 * neighbours look for it on the wire.  So what is answered for is where the two meet.
 */
#include <stdlib.h>
#include "daemon/presences.h"
#include "link/presence.h"

struct uplink_presence {
	struct presence *presence;
	uv_poll_t poll;
};

/* What the presence of one uplink is made of. */
struct meeting {
	struct prefix *prefixes, *host;
	unsigned count, host_count;
};

static void meeting_free(struct meeting *meeting)
{
	free(meeting->prefixes);
	free(meeting->host);
}

static bool prefix_listed(const struct meeting *meeting, const struct prefix *prefix)
{
	for (unsigned i = 0; i < meeting->count; i++)
		if (meeting->prefixes[i].length <= prefix->length &&
			prefix_overlaps(&meeting->prefixes[i], prefix))
			return true;
	return false;
}

static void meet(
	struct meeting *meeting, const struct owned_prefix *owned, const struct prefix *subnet)
{
	const struct prefix *narrow =
		owned->prefix.length > subnet->length ? &owned->prefix : subnet;

	/* An address without neighbours has no subnet. */
	if (owned->on_host || subnet->length == addr_bits(subnet->family) ||
		!prefix_overlaps(&owned->prefix, subnet) || prefix_listed(meeting, narrow))
		return;
	meeting->prefixes[meeting->count++] = *narrow;
}

static bool meeting_make(
	struct meeting *meeting, const struct owned *owned, const struct uplink *uplink)
{
	*meeting = (struct meeting){
		.prefixes = calloc(owned->count * owned->host_count + 1, sizeof(struct prefix)),
		.host = calloc(owned->host_count + 1, sizeof(struct prefix)),
	};
	if (meeting->prefixes == NULL || meeting->host == NULL) {
		meeting_free(meeting);
		return false;
	}
	for (unsigned i = 0; i < owned->host_count; i++) {
		const struct host_address *host = &owned->host[i];
		const uint8_t family = host->address.family;

		meeting->host[meeting->host_count++] =
			(struct prefix){host->address.address, family, addr_bits(family)};
		for (unsigned o = 0; o < owned->count; o++)
			if (host->ifindex == uplink->interface.ifindex)
				meet(meeting, &owned->prefixes[o], &host->subnet);
	}
	return true;
}

/* ---- the socket in the loop ---- */

static void presence_polled(uv_poll_t *poll, int status, int events)
{
	struct uplink_presence *at = poll->data;

	(void)events;
	presence_readable(at->presence);
	if (status != 0) /* the interface went down, which the read has fetched; it may come back */
		uv_poll_start(poll, UV_READABLE, presence_polled);
}

static void presence_freed(uv_handle_t *handle)
{
	free(handle->data);
}

void presence_stop(struct uplink *uplink)
{
	struct uplink_presence *at = uplink->presence;

	if (at == NULL)
		return;
	uplink->presence = NULL;
	uv_poll_stop(&at->poll);
	presence_close(at->presence);
	uv_close((uv_handle_t *)&at->poll, presence_freed);
}

static void presence_start(struct uplink *uplink)
{
	struct daemon *daemon = uplink->owner->daemon;
	const struct host_interface *interface = &uplink->interface;
	struct uplink_presence *at = calloc(1, sizeof(*at));

	if (at == NULL)
		return;
	if (presence_open(daemon->log, interface->name, interface->ifindex, interface->mac,
		    &at->presence) != 0) {
		free(at);
		return;
	}
	uv_poll_init(daemon->loop, &at->poll, presence_fd(at->presence));
	at->poll.data = at;
	uv_poll_start(&at->poll, UV_READABLE, presence_polled);
	uplink->presence = at;
}

void presence_renew(struct uplink *uplink, const struct owned *owned)
{
	struct meeting meeting;

	if (!uplink->interface.ethernet || !meeting_make(&meeting, owned, uplink))
		return;
	if (meeting.count == 0)
		presence_stop(uplink);
	else if (uplink->presence == NULL)
		presence_start(uplink);
	if (uplink->presence != NULL)
		presence_set(uplink->presence->presence, meeting.prefixes, meeting.count,
			meeting.host, meeting.host_count);
	meeting_free(&meeting);
}

void presence_repeat(struct uplink *uplink)
{
	if (uplink->presence != NULL)
		presence_announce(uplink->presence->presence, uplink->interface.mac);
}
