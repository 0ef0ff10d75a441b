/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_act: the methods that change the gateway: forwards and reload.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config/words.h"
#include "daemon/requests_parts.h"

/* ---- forwards ---- */

static json_t *forward_json(struct requests *requests, const struct forward *forward)
{
	const struct member members[] = {
		{"protocol", text_json(forward->protocol == IPPROTO_TCP ? "tcp" : "udp")},
		{"host_address", address_json(forward->host_family, &forward->host)},
		{"host_port", number_json(forward->ports.first)},
		{"host_port_last", number_json(forward->ports.last)},
		{"guest_address", address_json(forward->guest_family, &forward->guest)},
		{"guest_port", number_json(forward->guest_port)},
		{"guest_name", text_json(forward->guest_name[0] ? forward->guest_name : NULL)},
		{"network", text_json(network_name(requests, forward->network))},
		{"source", text_json(forward->line ? "config" : "live")},
	};

	return object_json(members, ARRAY_COUNT(members));
}

void handle_forward_list(void *context, struct control_request *request)
{
	struct requests *requests = context;
	const struct forward *forward;
	json_t *list = json_array();

	for (unsigned i = 0; (forward = requests->ops.forward(requests->ops.context, i)); i++)
		if (peer_sees(requests, request->peer, forward->network))
			json_array_append_new(list, forward_json(requests, forward));
	control_reply(request, list);
}

struct forward_params {
	const char *protocol, *host, *guest;
};
#define FORWARD_PARAM(member) #member, PARAM_STRING, true, offsetof(struct forward_params, member)

/* All of them, or none. */
static int forwards_add(const struct daemon_ops *ops, const struct forward *forwards,
	unsigned count, struct request_error *error)
{
	struct request_error ignored;

	for (unsigned i = 0; i < count; i++) {
		const int err = ops->forward_add(ops->context, &forwards[i], error);

		if (err == 0)
			continue;
		while (i-- > 0)
			ops->forward_del(ops->context, &forwards[i], &ignored);
		return err;
	}
	return 0;
}

/* An owner publishes ports that the network has been given, so many times.  All of `count` are of
 * one network and of the same ports. */
static bool forward_is_allowed(struct requests *requests, struct control_request *request,
	const struct forward *forward, unsigned count)
{
	const struct daemon_ops *ops = &requests->ops;
	const struct config *config = ops->config(ops->context);
	const struct network_config *network = &config->networks[forward->network];
	struct port_list outside = {1, {forward->ports}};
	char text[PORTS_TEXT_SIZE], allowed[PORT_LIST_TEXT_SIZE];

	if (peer_is_admin(requests, request->peer))
		return true;
	if (!port_list_subtract(&outside, &network->forward_ports) || outside.count > 0) {
		control_fail(request, CONTROL_DENIED,
			"port %s: allowed: %s, the `forward-ports` of network `%s`",
			ports_format(&forward->ports, text),
			network->forward_ports.count > 0
				? port_list_format(&network->forward_ports, allowed)
				: "none",
			network->name);
		return false;
	}
	if (forwards_have_room(requests, forward->network, count))
		return true;
	control_fail(request, CONTROL_DENIED,
		"network `%s` has %u forwards: allowed: no more, unless some are deleted",
		network->name, forward_count(requests, forward->network));
	return false;
}

void handle_forward_add(void *context, struct control_request *request)
{
	static const struct param params[] = {
		{FORWARD_PARAM(protocol)},
		{FORWARD_PARAM(host)},
		{FORWARD_PARAM(guest)},
	};
	struct requests *requests = context;
	const struct daemon_ops *ops = &requests->ops;
	struct peer_view view = {requests, request->peer};
	const struct config_names names = peer_names(&view);
	struct forward_params values;
	struct forward forwards[2];
	struct request_error error = {0};

	if (!params_read(request, params, ARRAY_COUNT(params), &values))
		return;
	const unsigned count =
		config_parse_forwards(ops->config(ops->context), &names, values.protocol,
			values.host, values.guest, forwards, error.text, sizeof(error.text));
	if (count == 0)
		return control_fail(request, CONTROL_INVALID, "%s", error.text);
	if (!forward_is_allowed(requests, request, &forwards[0], count))
		return;
	const int err = forwards_add(ops, forwards, count, &error);
	if (err < 0)
		return request_fail_with(request, err, &error);
	json_t *added = json_array();
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(added, forward_json(requests, &forwards[i]));
	control_reply(request, added);
}

/* Read "[HOSTADDR:]PORT[-PORT]", as config_parse_forward() does. */
static bool published_parse(const char *protocol, const char *host, struct forward *published,
	const struct sentence *why)
{
	const char *colon = strrchr(host, ':');
	char address[ADDR_TEXT_SIZE];

	*published = (struct forward){0};
	const int index = choice_index("tcp|udp", protocol);
	if (index < 0)
		return refuse_choice(why, "protocol", protocol, "tcp|udp");
	published->protocol = index == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	if (!ports_parse(colon ? colon + 1 : host, &published->ports, why))
		return false;
	if (!colon)
		return true;

	size_t length = (size_t)(colon - host);
	if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	}
	snprintf(address, sizeof(address), "%.*s", (int)length, host);
	if (!addr_parse(address, &published->host, &published->host_family))
		return refuse(why,
			"bad host address `%s`: allowed: an address of the host's, "
			"IPv6 in brackets",
			address);
	if (addr_is_zero(&published->host))
		published->host_family = 0;
	return true;
}

static const struct forward *published_find(
	struct requests *requests, const struct control_peer *peer, const struct forward *published)
{
	const struct daemon_ops *ops = &requests->ops;
	const struct forward *forward;

	for (unsigned i = 0; (forward = ops->forward(ops->context, i)); i++)
		if (peer_sees(requests, peer, forward->network) &&
			forward->protocol == published->protocol &&
			forward->host_family == published->host_family &&
			addr_equal(&forward->host, &published->host) &&
			forward->ports.first == published->ports.first &&
			forward->ports.last == published->ports.last)
			return forward;
	return NULL;
}

/* A port may be published for an IPv4 and for an IPv6 guest: both go. */
void handle_forward_del(void *context, struct control_request *request)
{
	static const struct param params[] = {
		{FORWARD_PARAM(protocol)},
		{FORWARD_PARAM(host)},
	};
	struct requests *requests = context;
	const struct daemon_ops *ops = &requests->ops;
	struct forward_params values;
	struct forward published;
	const struct forward *found;
	struct request_error error = {0};
	const struct sentence why = {error.text, sizeof(error.text)};

	if (!params_read(request, params, ARRAY_COUNT(params), &values))
		return;
	if (!published_parse(values.protocol, values.host, &published, &why))
		return control_fail(request, CONTROL_INVALID, "%s", error.text);
	json_t *deleted = json_array();
	while ((found = published_find(requests, request->peer, &published))) {
		const struct forward victim = *found;
		const int err = ops->forward_del(ops->context, &victim, &error);
		if (err < 0) {
			json_decref(deleted);
			return request_fail_with(request, err, &error);
		}
		json_array_append_new(deleted, forward_json(requests, &victim));
	}
	if (json_array_size(deleted) > 0)
		return control_reply(request, deleted);
	json_decref(deleted);
	control_fail(request, CONTROL_NOT_FOUND,
		"%s %.64s is not published: `tungate forward list` shows what is", values.protocol,
		values.host);
}

/* ---- reload ---- */

/* The errors of a file, one per line, for free(); NULL: out of memory. */
static char *errors_text(const struct config_errors *errors)
{
	size_t length = 1;

	for (unsigned i = 0; i < errors->count; i++)
		length += strlen(errors->text[i]) + 1;
	char *text = malloc(length), *end = text;
	if (!text)
		return NULL;
	*end = 0;
	for (unsigned i = 0; i < errors->count; i++)
		end = stpcpy(stpcpy(end, i ? "\n" : ""), errors->text[i]);
	return text;
}

void handle_reload(void *context, struct control_request *request)
{
	struct requests *requests = context;
	struct config_errors errors = {0};
	const int err = requests->ops.reload(requests->ops.context, &errors);

	if (err == 0)
		return control_reply(request, json_object());
	char *text = errors.count ? errors_text(&errors) : NULL;
	control_fail(request, errors.count ? CONTROL_INVALID : CONTROL_FAILED, "%s",
		text ? text : strerror(-err));
	free(text);
	config_errors_free(&errors);
}
