/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_flows: the methods about connections: list, follow, flush.
 *
 * All take the same filter.  Lists and flushes walk the engine's flows in portions (struct
 * control_producer), since there may be a million; what begins or ends meanwhile may be missed.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config/words.h"
#include "daemon/requests_parts.h"

#define FOLLOW_OF_OWNER 4 /* streams of one user */

struct flow_filter {
	bool any_protocol, any_link;
	uint8_t protocol;
	zone_id link;
	uint16_t port;         /* of any end; 0: any */
	struct prefix address; /* of any end; family 0: any */
	char state[32];        /* empty: any */
};

/* ---- what whoever asks sees of a connection ---- */

/* Of a guest that is not theirs only what their own guest sees of it. */
static void side_hide(struct flow_info *flow, unsigned side)
{
	const unsigned other = !side;

	flow->link[side] = ZONE_NONE;
	flow->network = flow->networks[other];
	flow->direction[side].family = flow->direction[other].family;
	flow->direction[side].source = flow->direction[other].destination;
	flow->direction[side].destination = flow->direction[other].source;
	flow->direction[side].source_port = flow->direction[other].destination_port;
	flow->direction[side].destination_port = flow->direction[other].source_port;
}

/* A connection is of the networks of both its sides; false where neither is seen. */
static bool flow_view(struct requests *requests, const struct control_peer *peer,
	const struct flow_info *flow, struct flow_info *view)
{
	bool seen[2];

	*view = *flow;
	if (peer_is_admin(requests, peer))
		return true;
	for (unsigned side = 0; side < 2; side++)
		seen[side] = peer_sees(requests, peer, flow->networks[side]);
	for (unsigned side = 0; side < 2; side++)
		if (!seen[side] && seen[!side] && flow->link[side] != ZONE_UPLINK)
			side_hide(view, side);
	return seen[0] || seen[1];
}

/* ---- the filter ---- */

static bool ends_match(const struct flow_filter *filter, const struct flow_info *flow)
{
	bool address = filter->address.family == 0, port = filter->port == 0;

	for (unsigned i = 0; i < 2; i++) {
		address |= prefix_contains(&filter->address, flow->direction[i].family,
				   &flow->direction[i].source) ||
			   prefix_contains(&filter->address, flow->direction[i].family,
				   &flow->direction[i].destination);
		port |= flow->direction[i].source_port == filter->port ||
			flow->direction[i].destination_port == filter->port;
	}
	return address && port;
}

static bool filter_matches(const struct flow_filter *filter, const struct flow_info *flow)
{
	return (filter->any_protocol || flow->protocol == filter->protocol) &&
	       (filter->any_link || flow->link[0] == filter->link ||
		       flow->link[1] == filter->link) &&
	       (!filter->state[0] || strcmp(flow->state, filter->state) == 0) &&
	       ends_match(filter, flow);
}

static const struct {
	const char *name;
	uint8_t protocol;
} protocols[] = {
	{"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP},
	{"icmp", IPPROTO_ICMP},
	{"icmpv6", IPPROTO_ICMPV6},
	{"gre", IPPROTO_GRE},
};

static bool protocol_parse(const char *text, uint8_t *protocol)
{
	uint32_t number;

	for (unsigned i = 0; i < ARRAY_COUNT(protocols); i++) {
		if (strcmp(protocols[i].name, text) == 0) {
			*protocol = protocols[i].protocol;
			return true;
		}
	}
	if (!number_parse(text, UINT8_MAX, &number))
		return false;
	*protocol = (uint8_t)number;
	return true;
}

void protocol_format(uint8_t protocol, char *text, size_t size)
{
	unsigned i = 0;

	while (i < ARRAY_COUNT(protocols) && protocols[i].protocol != protocol)
		i++;
	if (i < ARRAY_COUNT(protocols))
		snprintf(text, size, "%s", protocols[i].name);
	else
		snprintf(text, size, "%u", protocol);
}

static json_t *protocol_json(uint8_t protocol)
{
	char text[16];

	protocol_format(protocol, text, sizeof(text));
	return json_string(text);
}

struct filter_params {
	const char *protocol, *link, *address, *state;
	int64_t port, limit;
};

/* Read the filter and the limit; false after the request was answered. */
static bool filter_read(struct requests *requests, struct control_request *request,
	struct flow_filter *filter, int64_t *limit)
{
#define FILTER_PARAM(member, kind) #member, kind, false, offsetof(struct filter_params, member)
	static const struct param params[] = {
		{FILTER_PARAM(protocol, PARAM_STRING)},
		{FILTER_PARAM(link, PARAM_STRING)},
		{FILTER_PARAM(address, PARAM_STRING)},
		{FILTER_PARAM(state, PARAM_STRING)},
		{FILTER_PARAM(port, PARAM_NUMBER)},
		{FILTER_PARAM(limit, PARAM_NUMBER)},
	};
#undef FILTER_PARAM
	struct filter_params values = {.port = -1};
	struct daemon_link link = {.zone = ZONE_NONE};
	const char *fault;

	/* Only a list can be limited. */
	if (!params_read(request, params, ARRAY_COUNT(params) - !limit, &values))
		return false;
	*filter = (struct flow_filter){
		.any_protocol = !values.protocol,
		.any_link = !values.link,
		.port = values.port > 0 ? (uint16_t)values.port : 0,
	};
	if (values.protocol && !protocol_parse(values.protocol, &filter->protocol))
		control_fail(request, CONTROL_INVALID,
			"bad protocol `%.64s`: allowed: tcp, udp, icmp, icmpv6 or a number up to "
			"255",
			values.protocol);
	else if (values.link && !link_choose(requests, request, values.link, &link))
		return false; /* answered */
	else if (values.address && (fault = prefix_parse(values.address, &filter->address)))
		control_fail(
			request, CONTROL_INVALID, "bad address `%.64s`: %s", values.address, fault);
	else if (values.port == 0 || values.port > UINT16_MAX)
		control_fail(request, CONTROL_INVALID, "bad port: allowed: 1 to 65535");
	else if (values.state && !text_copy(filter->state, sizeof(filter->state), values.state))
		control_fail(request, CONTROL_INVALID, "there is no state `%.64s`", values.state);
	else {
		filter->link = link.zone;
		if (limit)
			*limit = values.limit;
		return true;
	}
	return false;
}

/* ---- JSON ---- */

/* Where one side is: a link's name, "uplink", or "gateway" for our own services. */
static json_t *side_json(struct requests *requests, zone_id zone)
{
	if (zone == ZONE_UPLINK)
		return json_string("uplink");
	if (ZONE_IS_SERVICE(zone))
		return json_string("gateway");
	return text_json(requests->ops.link_name(requests->ops.context, zone));
}

static json_t *direction_json(const struct flow_info *flow, unsigned i)
{
	const struct member members[] = {
		{"source", address_json(flow->direction[i].family, &flow->direction[i].source)},
		{"source_port", number_json(flow->direction[i].source_port)},
		{"destination",
			address_json(flow->direction[i].family, &flow->direction[i].destination)},
		{"destination_port", number_json(flow->direction[i].destination_port)},
		{"counter", counter_json(&flow->direction[i].counter)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

/* The id of the connection that announced this one, or null. */
static json_t *master_json(uint32_t master)
{
	return master == ENGINE_NO_FLOW ? json_null() : number_json(master);
}

static json_t *flow_json(struct requests *requests, const struct flow_info *flow)
{
	const struct member members[] = {
		{"id", number_json(flow->id)},
		{"protocol", protocol_json(flow->protocol)},
		{"state", text_json(flow->state)},
		{"replied", json_boolean(flow->replied)},
		{"network", text_json(network_name(requests, flow->network))},
		{"from", side_json(requests, flow->link[0])},
		{"to", side_json(requests, flow->link[1])},
		{"original", direction_json(flow, 0)},
		{"reply", direction_json(flow, 1)},
		{"helper", text_json(flow->helper)},
		{"master", master_json(flow->master)},
		{"expires_s", number_json(flow->expires_ms / 1000)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

/* ---- list and flush ---- */

struct walk {
	struct requests *requests;
	const struct control_peer *peer;
	struct flow_filter filter;
	uint32_t cursor;
	int64_t limit; /* 0: none */
	int64_t count; /* matches so far */
	bool done;
};

static bool list_next_flow(void *context, json_t **item)
{
	struct walk *walk = context;
	struct flow_info flow, view;
	bool found;

	if ((walk->limit && walk->count == walk->limit) ||
		!engine_flow_look(walk->requests->ops.engine, &walk->cursor, &flow, &found))
		return false;
	if (found && flow_view(walk->requests, walk->peer, &flow, &view) &&
		filter_matches(&walk->filter, &view)) {
		walk->count++;
		*item = flow_json(walk->requests, &view);
	}
	return true;
}

static bool flush_next_flows(void *context, json_t **item)
{
	struct walk *walk = context;
	struct engine *engine = walk->requests->ops.engine;
	struct flow_info flow, view;
	bool found;

	if (walk->done)
		return false;
	if (!engine_flow_look(engine, &walk->cursor, &flow, &found)) {
		const struct member members[] = {
			{"flushed", number_json((uint64_t)walk->count)},
		};
		*item = object_json(members, ARRAY_COUNT(members));
		walk->done = true;
	} else if (found && flow_view(walk->requests, walk->peer, &flow, &view) &&
		   filter_matches(&walk->filter, &view)) {
		walk->count += engine_flow_end(engine, flow.id);
	}
	return true;
}

static void walk_start(struct requests *requests, struct control_request *request, bool list)
{
	const struct control_producer producer = {
		.next = list ? list_next_flow : flush_next_flows,
		.release = free,
		.context = calloc(1, sizeof(struct walk)),
		.list = list,
	};
	struct walk *walk = producer.context;

	if (!walk)
		return control_fail(request, CONTROL_FAILED, "out of memory");
	walk->requests = requests;
	walk->peer = request->peer;
	if (filter_read(requests, request, &walk->filter, list ? &walk->limit : NULL))
		control_produce(request, &producer);
	else
		free(walk);
}

void handle_connections(void *context, struct control_request *request)
{
	walk_start(context, request, true);
}

void handle_connections_flush(void *context, struct control_request *request)
{
	walk_start(context, request, false);
}

/* ---- expectations ---- */

static json_t *expectation_json(
	struct requests *requests, const struct expectation_info *expectation)
{
	const uint8_t family = expectation->family;
	const struct member members[] = {
		{"helper", text_json(expectation->helper)},
		{"protocol", protocol_json(expectation->protocol)},
		{"network", text_json(network_name(requests, expectation->network))},
		{"from", expectation->from == ZONE_NONE ? json_null()
							: side_json(requests, expectation->from)},
		{"source", address_json(family, &expectation->source)},
		{"destination", address_json(family, &expectation->destination)},
		{"destination_port", number_json(expectation->port)},
		{"to", side_json(requests, expectation->to)},
		{"listener", address_json(family, &expectation->listener)},
		{"listener_port", number_json(expectation->listener_port)},
		{"permanent", json_boolean(expectation->permanent)},
		{"master", master_json(expectation->master)},
		{"expires_s", number_json(expectation->expires_ms / 1000)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static bool list_next_expectation(void *context, json_t **item)
{
	struct walk *walk = context;
	struct expectation_info expectation;

	if (!engine_expectation_next(walk->requests->ops.engine, &walk->cursor, &expectation))
		return false;
	if (peer_sees(walk->requests, walk->peer, expectation.network))
		*item = expectation_json(walk->requests, &expectation);
	return true;
}

void handle_expectations(void *context, struct control_request *request)
{
	const struct control_producer producer = {
		.next = list_next_expectation,
		.release = free,
		.context = calloc(1, sizeof(struct walk)),
		.list = true,
	};
	struct walk *walk = producer.context;

	if (!walk)
		return control_fail(request, CONTROL_FAILED, "out of memory");
	walk->requests = context;
	walk->peer = request->peer;
	control_produce(request, &producer);
}

/* ---- follow ---- */

struct follower {
	struct requests *requests;
	struct control_client *client;
	struct flow_filter filter;
	LIST_ENTRY(follower) link;
};

static void on_follower_closed(void *context)
{
	struct follower *follower = context;
	struct requests *requests = follower->requests;

	LIST_REMOVE(follower, link);
	free(follower);
	engine_watch(requests->ops.engine, !LIST_EMPTY(&requests->followers));
}

/* A stream that is not read costs memory: owners have few. */
static bool follow_is_allowed(struct requests *requests, struct control_request *request)
{
	const struct follower *follower;
	unsigned own = 0;

	LIST_FOREACH(follower, &requests->followers, link)
	own += control_client_peer(follower->client)->uid == request->peer->uid;
	if (own < FOLLOW_OF_OWNER || peer_is_admin(requests, request->peer))
		return true;
	control_fail(request, CONTROL_DENIED, "allowed: %d streams of connections for one user",
		FOLLOW_OF_OWNER);
	return false;
}

void handle_connections_follow(void *context, struct control_request *request)
{
	struct requests *requests = context;
	struct follower *follower;

	if (!follow_is_allowed(requests, request))
		return;
	follower = calloc(1, sizeof(*follower));
	if (!follower)
		return control_fail(request, CONTROL_FAILED, "out of memory");
	if (!filter_read(requests, request, &follower->filter, NULL))
		return free(follower);
	follower->requests = requests;
	follower->client = control_stream(request, on_follower_closed, follower);
	LIST_INSERT_HEAD(&requests->followers, follower, link);
	engine_watch(requests->ops.engine, true);
	const struct member members[] = {
		{"type", text_json("following")},
	};
	control_stream_push(follower->client, object_json(members, ARRAY_COUNT(members)));
}

void requests_flow_event(
	struct requests *requests, enum flow_event event, const struct flow_info *flow)
{
	static const char *const types[] = {
		[FLOW_NEW] = "new",
		[FLOW_ESTABLISHED] = "established",
		[FLOW_END] = "end",
	};
	struct follower *follower = LIST_FIRST(&requests->followers), *next;
	struct flow_info view;

	for (; follower; follower = next) {
		const struct control_peer *peer = control_client_peer(follower->client);

		next = LIST_NEXT(follower, link); /* a push may close its follower */
		if (!flow_view(requests, peer, flow, &view) ||
			!filter_matches(&follower->filter, &view))
			continue;
		const struct member members[] = {
			{"type", text_json(types[event])},
			{"connection", flow_json(requests, &view)},
		};
		control_stream_push(follower->client, object_json(members, ARRAY_COUNT(members)));
	}
}
