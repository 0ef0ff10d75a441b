/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_json: the pieces of JSON that several methods show.
 */
#include <errno.h>
#include <string.h>
#include "base/mac.h"
#include "daemon/requests_parts.h"
#include "lan/lan.h"

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

/* Answer with the error that an operation of the daemon returned. */
void request_fail_with(struct control_request *request, int err, const struct request_error *error)
{
	enum control_code code;

	switch (-err) {
	case EINVAL:
		code = CONTROL_INVALID;
		break;
	case EEXIST:
	case EADDRINUSE:
		code = CONTROL_EXISTS;
		break;
	case ENOENT:
	case ENODEV:
	case ESRCH:
		code = CONTROL_NOT_FOUND;
		break;
	case EPERM:
	case EACCES:
		code = CONTROL_DENIED;
		break;
	default:
		code = CONTROL_FAILED;
	}
	control_fail(request, code, "%s", error->text[0] ? error->text : strerror(-err));
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

/* What the services of an Ethernet link have refused, by its reasons. */
static json_t *refused_json(const struct lan *lan)
{
	json_t *object = lan != NULL ? json_object() : json_null();

	for (unsigned i = 0; lan != NULL && i < LAN_COUNTER_COUNT; i++)
		json_object_set_new(
			object, lan_counter_name(i), number_json(lan_counters(lan)->count[i]));
	return object;
}

json_t *link_json(struct requests *requests, const struct daemon_link *link)
{
	static const struct counter none;
	const struct engine_status *status = engine_status(requests->ops.engine);
	const bool up = link->zone < ENGINE_LINKS_MAX;
	const bool in_netns = link->kind && strcmp(link->kind, "netns") == 0;
	char mac[MAC_TEXT_SIZE];
	const struct member members[] = {
		{"name", text_json(link->name)},
		{"kind", text_json(link->kind)},
		{"network", text_json(network_name(requests, link->network))},
		{"state", text_json(up && !link->away ? "up" : "waiting")},
		{"source", text_json(link->live ? "live" : "config")},
		{"device", text_json(link->device)},
		{"netns", text_json(in_netns ? link->place : NULL)},
		{"place", text_json(link->place)},
		{"mac", text_json(link->has_mac ? mac_format(link->mac, mac) : NULL)},
		{"address4", address_json(AF_INET, &link->address4)},
		{"address6", address_json(AF_INET6, &link->address6)},
		{"whole_subnet", json_boolean(link->whole_subnet)},
		{"mtu", number_json(link->mtu)},
		{"age_s", number_json(link->age_ms / 1000)},
		{"in", counter_json(up ? &status->link[link->zone].in : &none)},
		{"out", counter_json(up ? &status->link[link->zone].out : &none)},
		{"refused", refused_json(link->lan)},
	};

	return object_json(members, ARRAY_COUNT(members));
}
