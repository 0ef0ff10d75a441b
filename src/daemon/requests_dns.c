/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_dns: what the DNS forwarder has done, whom it asks, what it remembers.
 */
#include "daemon/requests_parts.h"
#include "dns/forwarder.h"
#include "host/sockets.h"

static json_t *server_json(const struct dns_server *server, uint64_t now_ms)
{
	union addr address;
	uint16_t port;

	socket_address_read(&server->address, &address, &port);
	const struct member members[] = {
		{"address", address_json((uint8_t)server->address.ss_family, &address)},
		{"asked", number_json(server->asked)},
		{"failed", number_json(server->failed)},
		{"avoided", json_boolean(server->penalty_until_ms > now_ms)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *servers_json(const struct dns_list *list, uint64_t now_ms)
{
	json_t *servers = json_array();

	for (unsigned i = 0; i < list->count; i++)
		json_array_append_new(servers, server_json(list->server[i], now_ms));
	return servers;
}

static json_t *network_dns_json(
	struct requests *requests, struct dns_forwarder *forwarder, uint16_t network)
{
	const struct daemon_ops *ops = &requests->ops;
	const struct dns_counters *counters = dns_forwarder_counters(forwarder, network);
	const struct dns_list *servers = dns_forwarder_servers(forwarder, network);
	const struct member members[] = {
		{"name", text_json(network_name(requests, network))},
		{"dns", json_boolean(ops->config(ops->context)->networks[network].dns)},
#define X(name) {#name, number_json(counters->name)},
		DNS_COUNTERS(X)
#undef X
			{"servers", servers_json(servers, ops->now_ms(ops->context))},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *cache_json(const struct dns_forwarder *forwarder)
{
	struct dns_cache_status status;

	dns_forwarder_cache(forwarder, &status);
	const struct member members[] = {
		{"entries", number_json(status.entries)},
		{"max", number_json(status.entries_max)},
		{"bytes", number_json(status.bytes)},
	};
	return object_json(members, ARRAY_COUNT(members));
}

/* The forwarder; NULL, and the request has failed, while it is being started. */
static struct dns_forwarder *forwarder_of(
	struct requests *requests, struct control_request *request)
{
	struct dns_forwarder *forwarder =
		requests->ops.dns != NULL ? requests->ops.dns(requests->ops.context) : NULL;

	if (forwarder == NULL)
		control_fail(request, CONTROL_FAILED, "DNS does not run yet: try again");
	return forwarder;
}

void handle_dns(void *context, struct control_request *request)
{
	struct requests *requests = context;
	const struct config *config = requests->ops.config(requests->ops.context);
	struct dns_forwarder *forwarder = forwarder_of(requests, request);
	json_t *networks;

	if (forwarder == NULL)
		return;
	networks = json_array();
	for (unsigned i = 0; i < config->network_count; i++)
		json_array_append_new(networks, network_dns_json(requests, forwarder, (uint16_t)i));
	const struct member members[] = {
		{"cache", cache_json(forwarder)},
		{"networks", networks},
	};
	control_reply(request, object_json(members, ARRAY_COUNT(members)));
}

void handle_dns_flush(void *context, struct control_request *request)
{
	struct requests *requests = context;
	struct dns_forwarder *forwarder = forwarder_of(requests, request);
	struct dns_cache_status status;

	if (forwarder == NULL)
		return;
	dns_forwarder_cache(forwarder, &status);
	dns_forwarder_flush(forwarder);
	const struct member members[] = {
		{"flushed", number_json(status.entries)},
	};
	control_reply(request, object_json(members, ARRAY_COUNT(members)));
}
