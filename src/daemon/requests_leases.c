/* SPDX-License-Identifier: BSD-2-Clause */
/* requests_leases: the addresses that guests were given by DHCP. */
#include <stdlib.h>
#include <time.h>
#include "base/mac.h"
#include "daemon/leases.h"
#include "daemon/requests_parts.h"

static json_t *lease_json(const struct known_lease *lease)
{
	char mac[MAC_TEXT_SIZE];
	const int64_t left_s = lease->expires_s - time(NULL);
	const struct member members[] = {
		{"network", text_json(lease->network)},
		{"link", text_json(lease->link)},
		{"address", address_json(lease->family, &lease->address)},
		{"mac", text_json(mac_format(lease->mac, mac))},
		{"name", text_json(lease->name[0] != '\0' ? lease->name : NULL)},
		{"state", text_json(left_s > 0 ? "active" : "over")},
		{"expires_s", number_json(left_s > 0 ? (uint64_t)left_s : 0)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

/* ---- the list: there may be thousands ---- */

struct lease_walk {
	struct requests *requests;
	const struct control_peer *peer;
	unsigned index;
};

static bool next_lease(void *context, json_t **item)
{
	struct lease_walk *walk = context;
	const struct daemon_ops *ops = &walk->requests->ops;
	const struct known_lease *lease = ops->lease(ops->context, walk->index++);

	if (lease == NULL)
		return false;
	/* Leases of a network that is not in the config now are nobody's but the administrator's.
	 */
	if (peer_is_admin(walk->requests, walk->peer) ||
		network_named(walk->requests, walk->peer, lease->network) >= 0)
		*item = lease_json(lease);
	return true;
}

void handle_leases(void *context, struct control_request *request)
{
	struct lease_walk *walk = calloc(1, sizeof(*walk));
	const struct control_producer producer = {
		.next = next_lease,
		.release = free,
		.context = walk,
		.list = true,
	};

	if (walk == NULL)
		return control_fail(request, CONTROL_FAILED, "out of memory");
	walk->requests = context;
	walk->peer = request->peer;
	control_produce(request, &producer);
}
