/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_guests: what each guest has, what it may have, and what it was refused.
 */
#include "daemon/requests_parts.h"

/* 0 is no limit. */
static json_t *limit_json(uint32_t limit)
{
	return limit ? number_json(limit) : json_null();
}

static json_t *both_ways_json(const uint32_t now[2], uint32_t max)
{
	const struct member members[] = {
		{"out", number_json(now[0])},
		{"in", number_json(now[1])},
		{"max", number_json(max)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *guest_ports_json(const struct guest_info *guest)
{
	const struct member members[] = {
		{"tcp", number_json(guest->ports[0])},
		{"udp", number_json(guest->ports[1])},
		{"icmp", number_json(guest->ports[2])},
		{"max", number_json(guest->limits.ports)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *now_of_max_json(uint32_t now, uint32_t max)
{
	const struct member members[] = {
		{"now", number_json(now)},
		{"max", number_json(max)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *rates_json(const struct guest_limits *limits)
{
	const struct member members[] = {
		{"new_flows", limit_json(limits->new_flows_per_second)},
		{"packets", limit_json(limits->packets_per_second)},
		{"bytes", limit_json(limits->bytes_per_second)},
		{"icmp_errors", number_json(limits->icmp_errors_per_second)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *refused_json(const struct guest_info *guest)
{
	struct member members[GUEST_REFUSALS];

	for (unsigned i = 0; i < GUEST_REFUSALS; i++)
		members[i] = (struct member){
			guest_refusal_name((enum guest_refusal)i), number_json(guest->refused[i])};
	return object_json(members, GUEST_REFUSALS);
}

static json_t *guest_json(struct requests *requests, const struct guest_info *guest)
{
	const char *link = requests->ops.link_name(requests->ops.context, guest->link);
	const struct member members[] = {
		{"link", text_json(link)},
		{"network", text_json(network_name(requests, guest->network))},
		{"address4", address_json(AF_INET, &guest->address4)},
		{"address6", address_json(AF_INET6, &guest->address6)},
		{"rest", json_boolean(guest->rest)},
		{"flows", both_ways_json(guest->flows, guest->limits.flows)},
		{"half_open", both_ways_json(guest->half_open, guest->limits.half_open)},
		{"ports", guest_ports_json(guest)},
		{"fragments", now_of_max_json(guest->fragments, guest->limits.fragments)},
		{"expectations", now_of_max_json(guest->expectations, guest->limits.expectations)},
		{"per_second", rates_json(&guest->limits)},
		{"refused", refused_json(guest)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

/* ---- the list: there may be thousands ---- */

static bool next_guest(void *context, json_t **item)
{
	struct list_walk *walk = context;
	struct guest_info guest;

	if (!engine_guest_next(walk->requests->ops.engine, &walk->cursor, &guest))
		return false;
	if (peer_sees(walk->requests, walk->peer, guest.network))
		*item = guest_json(walk->requests, &guest);
	return true;
}

void handle_guests(void *context, struct control_request *request)
{
	list_reply(context, request, next_guest);
}
