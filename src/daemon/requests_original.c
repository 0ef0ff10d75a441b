/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_original: where a redirected client wanted to go, for the proxy that has it now.
 *
 * The proxy knows its peer.  On the host that is the gateway's relay, which knows the client; on a
 * guest it is the client itself, unless a hairpin hides it.  With the proxy's own end, too, the
 * connection is looked up; without it all connections are looked through.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "config/words.h"
#include "daemon/requests_parts.h"

/* "192.0.2.1:80" or "[2001:db8::1]:80". */
struct endpoint {
	uint8_t family;
	union addr address;
	uint16_t port;
};

static bool endpoint_parse(const char *text, struct endpoint *endpoint)
{
	char copy[ADDR_TEXT_SIZE];
	char *address = copy;
	uint32_t port;

	if (!text_copy(copy, sizeof(copy), text))
		return false;
	char *colon = strrchr(copy, ':');
	if (colon == NULL || !number_parse(colon + 1, UINT16_MAX, &port) || port == 0)
		return false;
	*colon = '\0';
	if (copy[0] == '[') {
		if (colon[-1] != ']')
			return false;
		colon[-1] = '\0';
		address++;
	}
	endpoint->port = (uint16_t)port;
	return addr_parse(address, &endpoint->address, &endpoint->family) &&
	       (endpoint->family == AF_INET6) == (address != copy);
}

/* The link whose guest has the address, ZONE_NONE if there is none. */
static zone_id zone_of(struct requests *requests, const struct endpoint *endpoint)
{
	struct daemon_link link;

	for (unsigned i = 0; requests->ops.link(requests->ops.context, i, &link); i++)
		if (addr_equal(&endpoint->address,
			    endpoint->family == AF_INET ? &link.address4 : &link.address6))
			return link.zone;
	return ZONE_NONE;
}

static bool look_up(struct requests *requests, uint8_t protocol, const struct endpoint *peer,
	const struct endpoint *local, struct flow_info *flow)
{
	const struct flow_ends answer = {
		.zone = zone_of(requests, local),
		.family = peer->family,
		.protocol = protocol,
		.source = local->address,
		.destination = peer->address,
		.source_port = local->port,
		.destination_port = peer->port,
	};

	return peer->family == local->family &&
	       engine_flow_find(requests->ops.engine, &answer, flow) && flow->forwarded;
}

static bool look_through(struct requests *requests, uint8_t protocol, const struct endpoint *peer,
	struct flow_info *flow)
{
	uint32_t cursor = 0;

	while (engine_flow_next(requests->ops.engine, &cursor, flow))
		if (flow->forwarded && flow->protocol == protocol && flow->family == peer->family &&
			flow->direction[1].destination_port == peer->port &&
			addr_equal(&flow->direction[1].destination, &peer->address))
			return true;
	return false;
}

static json_t *original_json(struct requests *requests, const struct flow_info *flow)
{
	const uint8_t family = flow->family;
	const struct member members[] = {
		{"network", text_json(network_name(requests, flow->network))},
		{"source", address_json(family, &flow->direction[0].source)},
		{"source_port", number_json(flow->direction[0].source_port)},
		{"destination", address_json(family, &flow->direction[0].destination)},
		{"destination_port", number_json(flow->direction[0].destination_port)},
		{"id", number_json(flow->id)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

struct original_params {
	const char *protocol, *peer, *local;
};

void handle_original(void *context, struct control_request *request)
{
	static const struct param params[] = {
		{"protocol", PARAM_STRING, true, offsetof(struct original_params, protocol)},
		{"peer", PARAM_STRING, true, offsetof(struct original_params, peer)},
		{"local", PARAM_STRING, false, offsetof(struct original_params, local)},
	};
	struct requests *requests = context;
	struct original_params values = {0};
	struct endpoint peer, local;
	struct flow_info flow;

	if (!params_read(request, params, ARRAY_COUNT(params), &values))
		return;
	const int protocol = choice_index("tcp|udp", values.protocol);
	if (protocol < 0)
		return control_fail(request, CONTROL_INVALID,
			"bad protocol `%.64s`: allowed: tcp, udp", values.protocol);
	if (!endpoint_parse(values.peer, &peer) ||
		(values.local && !endpoint_parse(values.local, &local)))
		return control_fail(request, CONTROL_INVALID,
			"bad address and port: allowed: such as 127.0.0.1:40000 or "
			"[fd77:7467::2]:40000");
	const uint8_t number = protocol == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	if (requests->ops.redirected(
		    requests->ops.context, number, peer.family, &peer.address, peer.port, &flow) ||
		(values.local ? look_up(requests, number, &peer, &local, &flow)
			      : look_through(requests, number, &peer, &flow)))
		return control_reply(request, original_json(requests, &flow));
	control_fail(request, CONTROL_NOT_FOUND,
		"no connection that was redirected or forwarded has the peer %.64s", values.peer);
}
