/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests: the table of methods, and those that only look.  requests_act.c has those that change
 * the gateway, requests_flows.c those about connections, requests_rules.c those about rules,
 * requests_guests.c that about guests, requests_domains.c that about names.
 */
#include "daemon/requests.h"

#include <stdlib.h>
#include <unistd.h>
#include "daemon/requests_parts.h"

static void handle_version(void *context, struct control_request *request)
{
	const struct member members[] = {
		{"version", text_json(TUNGATE_VERSION)},
	};
	(void)context;

	control_reply(request, object_json(members, ARRAY_COUNT(members)));
}

/* ---- status ---- */

static json_t *uplink_json(const struct daemon_uplink *uplink)
{
	const struct member members[] = {
		{"name", text_json(uplink->name)},
		{"up", json_boolean(uplink->up)},
		{"mtu", number_json(uplink->mtu)},
		{"address4", address_json(AF_INET, &uplink->address4)},
		{"next_hop4", address_json(AF_INET, &uplink->next_hop4)},
		{"address6", address_json(AF_INET6, &uplink->address6)},
		{"next_hop6", address_json(AF_INET6, &uplink->next_hop6)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *uplinks_json(const struct daemon_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < status->uplink_count; i++)
		json_array_append_new(list, uplink_json(&status->uplinks[i]));
	return list;
}

/* What there is, of all networks, or of those that whoever asks sees. */
struct figures {
	unsigned networks, links, forwards;
	struct counter from_guests, to_guests;
	uint64_t flows, flows_max, flows_created;
	uint64_t drops[DROP_COUNT];
};

static void counter_add(struct counter *sum, const struct counter *more)
{
	sum->packets += more->packets;
	sum->bytes += more->bytes;
}

static void network_add(const struct engine *engine, unsigned network, struct figures *figures)
{
	struct network_info info;

	figures->networks++;
	if (!engine_network_info(engine, network, &info))
		return;
	figures->flows += info.flows;
	figures->flows_max += info.limits.flows;
	figures->flows_created += info.flows_created;
	for (unsigned drop = 0; drop < DROP_COUNT; drop++)
		figures->drops[drop] += info.drops[drop];
}

static void figures_take(
	struct requests *requests, const struct control_peer *peer, struct figures *figures)
{
	const struct daemon_ops *ops = &requests->ops;
	const struct engine_status *engine = engine_status(ops->engine);
	const unsigned networks = ops->config(ops->context)->network_count;
	const struct forward *forward;
	struct daemon_link link;

	*figures = (struct figures){0};
	for (unsigned i = 0; i < networks; i++)
		if (peer_sees(requests, peer, i))
			network_add(ops->engine, i, figures);
	for (unsigned i = 0; (forward = ops->forward(ops->context, i)); i++)
		figures->forwards += peer_sees(requests, peer, forward->network);
	for (unsigned i = 0; ops->link(ops->context, i, &link); i++) {
		if (!peer_sees(requests, peer, link.network))
			continue;
		figures->links++;
		if (link.zone >= ENGINE_LINKS_MAX)
			continue;
		counter_add(&figures->from_guests, &engine->link[link.zone].in);
		counter_add(&figures->to_guests, &engine->link[link.zone].out);
	}
}

static json_t *flows_json(const struct engine_status *engine)
{
	const struct member members[] = {
		{"now", number_json(engine->flows)},
		{"max", number_json(engine->flows_max)},
		{"created", number_json(engine->flows_created)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *own_flows_json(const struct figures *figures)
{
	const struct member members[] = {
		{"now", number_json(figures->flows)},
		{"max", number_json(figures->flows_max)},
		{"created", number_json(figures->flows_created)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *ports_json(const struct engine_status *engine)
{
	const struct member members[] = {
		{"used", number_json(engine->ports_used)},
		{"max", number_json(engine->ports_max)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *traffic_json(const struct engine_status *engine)
{
	const struct member members[] = {
		{"from_guests", counter_json(&engine->in[0])},
		{"to_guests", counter_json(&engine->out[0])},
		{"from_uplink", counter_json(&engine->in[1])},
		{"to_uplink", counter_json(&engine->out[1])},
	};

	return object_json(members, ARRAY_COUNT(members));
}

/* What crosses the uplink is everybody's. */
static json_t *own_traffic_json(const struct figures *figures)
{
	const struct member members[] = {
		{"from_guests", counter_json(&figures->from_guests)},
		{"to_guests", counter_json(&figures->to_guests)},
		{"from_uplink", json_null()},
		{"to_uplink", json_null()},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static uint64_t drops_total(const uint64_t drops[DROP_COUNT])
{
	uint64_t total = 0;

	for (unsigned i = 0; i < DROP_COUNT; i++)
		total += drops[i];
	return total;
}

static void handle_status(void *context, struct control_request *request)
{
	struct requests *requests = context;
	const struct engine_status *engine = engine_status(requests->ops.engine);
	const bool admin = peer_is_admin(requests, request->peer);
	struct daemon_status status = {0};
	struct figures figures;

	requests->ops.status(requests->ops.context, &status);
	figures_take(requests, request->peer, &figures);
	const struct member members[] = {
		{"version", text_json(TUNGATE_VERSION)},
		{"pid", number_json((uint64_t)getpid())},
		{"started", number_json(status.started_s)},
		{"uptime_s", number_json(status.uptime_ms / 1000)},
		{"config", text_json(status.config_path)},
		{"guard", text_json(status.guard)},
		{"uplinks", uplinks_json(&status)},
		{"networks", number_json(figures.networks)},
		{"links", number_json(figures.links)},
		{"forwards", number_json(figures.forwards)},
		{"flows", admin ? flows_json(engine) : own_flows_json(&figures)},
		{"ports", admin ? ports_json(engine) : json_null()},
		{"traffic", admin ? traffic_json(engine) : own_traffic_json(&figures)},
		{"drops", number_json(drops_total(admin ? engine->drops : figures.drops))},
	};
	control_reply(request, object_json(members, ARRAY_COUNT(members)));
}

/* ---- networks, links ---- */

/* As the file would have it; null where there are none. */
static json_t *port_list_json(const struct port_list *list)
{
	char text[PORT_LIST_TEXT_SIZE];

	return list->count > 0 ? json_string(port_list_format(list, text)) : json_null();
}

static json_t *network_json(struct requests *requests, unsigned index)
{
	const struct config *config = requests->ops.config(requests->ops.context);
	const struct network_config *network = &config->networks[index];
	struct network_info info = {0};

	(void)engine_network_info(requests->ops.engine, index, &info);
	const struct member members[] = {
		{"name", text_json(network->name)},
		{"subnet4", prefix_json(&network->subnet4)},
		{"gateway4", address_json(AF_INET, &network->gateway4)},
		{"subnet6", prefix_json(&network->subnet6)},
		{"gateway6", address_json(AF_INET6, &network->gateway6)},
		{"mtu", network->mtu ? number_json(network->mtu) : json_null()},
		{"dns", json_boolean(network->dns)},
		{"links", number_json(link_count(requests, index))},
		{"owner", text_json(network->owner[0] ? network->owner : NULL)},
		{"owner_group", text_json(network->owner_group[0] ? network->owner_group : NULL)},
		{"forward_ports", port_list_json(&network->forward_ports)},
		{"ports", port_list_json(&network->ports)},
		{"flows", number_json(info.flows)},
		{"flows_max", number_json(info.limits.flows)},
		{"half_open", number_json(info.half_open)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static void handle_networks(void *context, struct control_request *request)
{
	struct requests *requests = context;
	const struct config *config = requests->ops.config(requests->ops.context);
	json_t *list = json_array();

	for (unsigned i = 0; i < config->network_count; i++)
		if (peer_sees(requests, request->peer, i))
			json_array_append_new(list, network_json(requests, i));
	control_reply(request, list);
}

static void handle_links(void *context, struct control_request *request)
{
	struct requests *requests = context;
	struct daemon_link link;
	json_t *list = json_array();

	for (unsigned i = 0; requests->ops.link(requests->ops.context, i, &link); i++)
		if (peer_sees(requests, request->peer, link.network))
			json_array_append_new(list, link_json(requests, &link));
	control_reply(request, list);
}

/* ---- drops ---- */

static json_t *drop_json(const uint64_t drops[DROP_COUNT], enum drop drop)
{
	const struct member members[] = {
		{"reason", text_json(drop_name(drop))},
		{"packets", number_json(drops[drop])},
		{"meaning", text_json(drop_meaning(drop))},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static void handle_drops(void *context, struct control_request *request)
{
	struct requests *requests = context;
	const bool admin = peer_is_admin(requests, request->peer);
	struct figures figures;
	json_t *list = json_array();

	figures_take(requests, request->peer, &figures);
	for (unsigned drop = 0; drop < DROP_COUNT; drop++)
		json_array_append_new(list,
			drop_json(
				admin ? engine_status(requests->ops.engine)->drops : figures.drops,
				drop));
	control_reply(request, list);
}

/* ---- the table ---- */

const struct control_method requests_methods[] = {
	{"attach", handle_attach, false},
	{"connections", handle_connections, false},
	{"connections.flush", handle_connections_flush, false},
	{"connections.follow", handle_connections_follow, false},
	{"expectations", handle_expectations, false},
	{"detach", handle_detach, false},
	{"domains", handle_domains, true},
	{"dns", handle_dns, true},
	{"dns.flush", handle_dns_flush, true},
	{"drops", handle_drops, true},
	{"forward.add", handle_forward_add, false},
	{"forward.del", handle_forward_del, false},
	{"forward.list", handle_forward_list, true},
	{"guests", handle_guests, true},
	{"leases", handle_leases, true},
	{"links", handle_links, true},
	{"networks", handle_networks, true},
	{"original", handle_original, false},
	{"reload", handle_reload, true},
	{"rules", handle_rules, true},
	{"rules.trace", handle_rules_trace, false},
	{"status", handle_status, true},
	{"version", handle_version, true},
};
const unsigned requests_method_count = ARRAY_COUNT(requests_methods);

struct requests *requests_create(const struct daemon_ops *ops)
{
	struct requests *requests = calloc(1, sizeof(*requests));

	if (!requests)
		return NULL;
	requests->ops = *ops;
	LIST_INIT(&requests->followers);
	return requests;
}

void requests_free(struct requests *requests)
{
	free(requests);
}
