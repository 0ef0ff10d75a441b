/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_domains: the names that guests have asked for, and where they lead; the names that they
 * were refused.
 */
#include "daemon/requests_parts.h"

static json_t *domain_json(struct requests *requests, const struct domain_info *info)
{
	const char *link = requests->ops.link_name(requests->ops.context, info->link);
	const struct member members[] = {
		{"link", text_json(link)},
		{"network", text_json(network_name(requests, info->network))},
		{"guest", address_json(info->family, &info->asker)},
		{"name", text_json(info->name)},
		{"state", text_json(info->allowed ? "open" : "resolved")},
		{"address", address_json(info->family, &info->address)},
		{"expires_s", number_json((info->expires_ms + 999) / 1000)},
		{"count", json_null()},
		{"age_s", json_null()},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *refusal_json(struct requests *requests, const struct daemon_refusal *refusal)
{
	const struct member members[] = {
		{"link", text_json(refusal->link)},
		{"network", text_json(network_name(requests, refusal->network))},
		{"guest", address_json(refusal->family, &refusal->address)},
		{"name", text_json(refusal->name)},
		{"state", text_json(refusal->resolved ? "rejected" : "refused")},
		{"address", json_null()},
		{"expires_s", json_null()},
		{"count", number_json(refusal->count)},
		{"age_s", number_json(refusal->age_ms / 1000)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

/* ---- the list: there may be thousands ---- */

static bool next_domain(void *context, json_t **item)
{
	struct list_walk *walk = context;
	const struct daemon_ops *ops = &walk->requests->ops;
	struct daemon_refusal refusal;
	struct domain_info info;

	if (engine_domain_next(ops->engine, &walk->cursor, ops->now_ms(ops->context), &info)) {
		if (peer_sees(walk->requests, walk->peer, info.network))
			*item = domain_json(walk->requests, &info);
		return true;
	}
	if (!ops->refusal(ops->context, walk->second++, &refusal))
		return false;
	if (peer_sees(walk->requests, walk->peer, refusal.network))
		*item = refusal_json(walk->requests, &refusal);
	return true;
}

void handle_domains(void *context, struct control_request *request)
{
	list_reply(context, request, next_domain);
}
