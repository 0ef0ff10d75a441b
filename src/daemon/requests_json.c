/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_json: the pieces of JSON that several methods show.
 */
#include "daemon/requests_parts.h"

json_t *object_json(const struct member *members, unsigned count)
{
	json_t *object = json_object();
	bool complete = object != NULL;

	for (unsigned i = 0; i < count; i++)
		if (json_object_set_new(object, members[i].key, members[i].value) < 0)
			complete = false;
	if (complete)
		return object;
	json_decref(object);
	return NULL;
}

json_t *text_json(const char *text)
{
	return text ? control_string(text) : json_null();
}

json_t *number_json(uint64_t number)
{
	return json_integer((json_int_t)number);
}

json_t *address_json(uint8_t family, const union addr *address)
{
	char text[ADDR_TEXT_SIZE];

	if (addr_is_zero(address))
		return json_null();
	return json_string(addr_format(family, address, text));
}

json_t *prefix_json(const struct prefix *prefix)
{
	char text[ADDR_TEXT_SIZE];

	return prefix->family ? json_string(prefix_format(prefix, text)) : json_null();
}

json_t *counter_json(const struct counter *counter)
{
	const struct member members[] = {
		{"packets", number_json(counter->packets)},
		{"bytes", number_json(counter->bytes)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

const char *network_name(struct requests *requests, unsigned network)
{
	const struct config *config = requests->ops.config(requests->ops.context);

	return network < config->network_count ? config->networks[network].name : "?";
}

json_t *link_json(struct requests *requests, const struct daemon_link *link)
{
	static const struct counter none;
	const struct engine_status *status = engine_status(requests->ops.engine);
	const bool up = link->zone < ENGINE_LINKS_MAX;
	const struct member members[] = {
		{"name", text_json(link->name)},
		{"kind", text_json(link->kind)},
		{"network", text_json(network_name(requests, link->network))},
		{"state", text_json(up ? "up" : "waiting")},
		{"source", text_json(link->live ? "live" : "config")},
		{"device", text_json(link->device)},
		{"netns", text_json(link->place)},
		{"address4", address_json(AF_INET, &link->address4)},
		{"address6", address_json(AF_INET6, &link->address6)},
		{"whole_subnet", json_boolean(link->whole_subnet)},
		{"mtu", number_json(link->mtu)},
		{"age_s", number_json(link->age_ms / 1000)},
		{"in", counter_json(up ? &status->link[link->zone].in : &none)},
		{"out", counter_json(up ? &status->link[link->zone].out : &none)},
	};

	return object_json(members, ARRAY_COUNT(members));
}
