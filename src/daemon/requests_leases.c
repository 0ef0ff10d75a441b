/* SPDX-License-Identifier: BSD-2-Clause */
/* requests_leases: the addresses that guests were given by DHCP. */
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

static bool next_lease(void *context, json_t **item)
{
	struct list_walk *walk = context;
	const struct daemon_ops *ops = &walk->requests->ops;
	const struct known_lease *lease = ops->lease(ops->context, walk->cursor++);

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
	list_reply(context, request, next_lease);
}
