/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_act: the methods that change the gateway: forwards, attach and detach, reload.
 */
#include <errno.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "config/words.h"
#include "daemon/requests_parts.h"

#define MTU_MIN 576 /* RFC 791: what every host can take */
#define MTU_MAX 65535

/* Answer with the error that an operation of the daemon returned. */
static void fail_with(struct control_request *request, int err, const struct request_error *error)
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

void handle_forward_add(void *context, struct control_request *request)
{
	static const struct param params[] = {
		{FORWARD_PARAM(protocol)},
		{FORWARD_PARAM(host)},
		{FORWARD_PARAM(guest)},
	};
	struct requests *requests = context;
	const struct daemon_ops *ops = &requests->ops;
	struct forward_params values;
	struct forward forwards[2];
	struct request_error error = {0};

	if (!params_read(request, params, ARRAY_COUNT(params), &values))
		return;
	const unsigned count =
		config_parse_forwards(ops->config(ops->context), &ops->names, values.protocol,
			values.host, values.guest, forwards, error.text, sizeof(error.text));
	if (count == 0)
		return control_fail(request, CONTROL_INVALID, "%s", error.text);
	const int err = forwards_add(ops, forwards, count, &error);
	if (err < 0)
		return fail_with(request, err, &error);
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
	const struct daemon_ops *ops, const struct forward *published)
{
	const struct forward *forward;

	for (unsigned i = 0; (forward = ops->forward(ops->context, i)); i++)
		if (forward->protocol == published->protocol &&
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
	while ((found = published_find(ops, &published))) {
		const struct forward victim = *found;
		const int err = ops->forward_del(ops->context, &victim, &error);
		if (err < 0) {
			json_decref(deleted);
			return fail_with(request, err, &error);
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

/* ---- attach, detach ---- */

struct attach_params {
	const char *name, *network, *netns, *device;
	bool descriptor, hold;
	const json_t *addresses;
	int64_t mtu;
};

/* Whether a descriptor that a client passed is what it should be. */
static bool is_network_namespace(int fd)
{
	return ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

/* The addresses that the client wants, at most one of each family. */
static bool addresses_read(
	struct control_request *request, const json_t *addresses, struct daemon_attach *attach)
{
	size_t i;
	json_t *item;

	json_array_foreach(addresses, i, item)
	{
		const char *text = json_string_value(item);
		union addr address;
		uint8_t family;

		if (!addr_parse(text, &address, &family) || addr_is_zero(&address)) {
			control_fail(request, CONTROL_INVALID,
				"bad address `%.64s`: allowed: an "
				"IPv4 or IPv6 address of the network",
				text);
			return false;
		}
		union addr *wanted = family == AF_INET ? &attach->address4 : &attach->address6;
		if (!addr_is_zero(wanted)) {
			control_fail(request, CONTROL_INVALID,
				"more than one %s address was asked for: allowed: one",
				family == AF_INET ? "IPv4" : "IPv6");
			return false;
		}
		*wanted = address;
	}
	return true;
}

/* Take over the descriptor that came with the request; false after it was answered. */
static bool descriptor_take(struct control_request *request, struct daemon_attach *attach)
{
	const int fd = control_take_descriptor(request);

	if (fd < 0) {
		control_fail(request, CONTROL_BAD_REQUEST, "no descriptor came with the request");
		return false;
	}
	if (!is_network_namespace(fd)) {
		close(fd);
		control_fail(request, CONTROL_INVALID,
			"the descriptor is not that of a network namespace");
		return false;
	}
	attach->netns_fd = fd;
	return true;
}

/* As the kernel has it. */
static bool is_interface_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length < IFNAMSIZ && strcspn(name, "/: \t\n\v\f\r") == length &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* False after the request was answered. */
static bool attach_read(struct requests *requests, struct control_request *request,
	struct daemon_attach *attach, bool *hold)
{
#define ATTACH_PARAM(member, kind) #member, kind, false, offsetof(struct attach_params, member)
	static const struct param params[] = {
		{ATTACH_PARAM(name, PARAM_STRING)},
		{ATTACH_PARAM(network, PARAM_STRING)},
		{ATTACH_PARAM(netns, PARAM_STRING)},
		{ATTACH_PARAM(device, PARAM_STRING)},
		{ATTACH_PARAM(descriptor, PARAM_FLAG)},
		{ATTACH_PARAM(hold, PARAM_FLAG)},
		{ATTACH_PARAM(addresses, PARAM_STRINGS)},
		{ATTACH_PARAM(mtu, PARAM_NUMBER)},
	};
#undef ATTACH_PARAM
	const struct config *config = requests->ops.config(requests->ops.context);
	struct attach_params values = {0};
	int network = 0;

	*attach = (struct daemon_attach){.netns_fd = -1};
	if (!params_read(request, params, ARRAY_COUNT(params), &values) ||
		!addresses_read(request, values.addresses, attach))
		return false;
	if (values.network)
		network = config_network_named(config, values.network);
	if (network < 0) {
		control_fail(request, CONTROL_NOT_FOUND,
			"there is no network `%.64s`: `tungate networks` lists them",
			values.network);
		return false;
	}
	if (values.mtu != 0 && (values.mtu < MTU_MIN || values.mtu > MTU_MAX)) {
		control_fail(request, CONTROL_INVALID, "bad mtu: allowed: %d to %d bytes", MTU_MIN,
			MTU_MAX);
		return false;
	}
	if (values.device && !is_interface_name(values.device)) {
		control_fail(request, CONTROL_INVALID,
			"bad device `%.64s`: allowed: the name of an interface, 1 to 15 "
			"characters, no blanks, no /, no :",
			values.device);
		return false;
	}
	if (!values.netns && !values.descriptor) {
		control_fail(request, CONTROL_BAD_REQUEST,
			"which namespace? `netns` names one, or `descriptor` says that its "
			"descriptor comes with the request");
		return false;
	}
	attach->name = values.name;
	attach->network = (uint16_t)network;
	attach->where = values.netns;
	attach->device = values.device;
	attach->mtu = (uint16_t)values.mtu;
	*hold = values.hold;
	return values.descriptor ? descriptor_take(request, attach) : true;
}

/* The resolvers that guests of this network can use: its gateway addresses. */
static json_t *resolvers_json(const struct network_config *network)
{
	json_t *list = json_array();

	if (network->dns && network->subnet4.family)
		json_array_append_new(list, address_json(AF_INET, &network->gateway4));
	if (network->dns && network->subnet6.family)
		json_array_append_new(list, address_json(AF_INET6, &network->gateway6));
	return list;
}

static json_t *attached_json(struct requests *requests, const struct daemon_link *link)
{
	const struct config *config = requests->ops.config(requests->ops.context);
	const struct network_config *network = &config->networks[link->network];
	const struct member members[] = {
		{"link", link_json(requests, link)},
		{"gateway4", address_json(AF_INET, &network->gateway4)},
		{"gateway6", address_json(AF_INET6, &network->gateway6)},
		{"dns", resolvers_json(network)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

/* A link that lives as long as the client that asked for it. */
struct hold {
	struct requests *requests;
	zone_id zone;
	uint16_t network;
	char name[CONFIG_NAME_SIZE];
};

static void on_holder_gone(void *context)
{
	struct hold *hold = context;
	const struct daemon_ops *ops = &hold->requests->ops;
	const char *name = ops->link_name(ops->context, hold->zone);
	struct request_error error;

	/* It may have been detached meanwhile, and its zone have gone to another. */
	if (name && strcmp(name, hold->name) == 0)
		(void)ops->detach(ops->context, hold->network, hold->name, &error);
	free(hold);
}

/* Answer with a stream whose only event is what was attached. */
static void attach_hold(
	struct requests *requests, struct control_request *request, const struct daemon_link *link)
{
	struct hold *hold = malloc(sizeof(*hold)), held = {requests, link->zone, link->network, ""};
	struct request_error error;

	(void)text_copy(held.name, sizeof(held.name), link->name);
	if (!hold) {
		(void)requests->ops.detach(requests->ops.context, held.network, held.name, &error);
		return control_fail(request, CONTROL_FAILED, "out of memory");
	}
	*hold = held;
	control_stream_push(
		control_stream(request, on_holder_gone, hold), attached_json(requests, link));
}

void handle_attach(void *context, struct control_request *request)
{
	struct requests *requests = context;
	struct daemon_attach attach;
	struct daemon_link link = {0};
	struct request_error error = {0};
	bool hold;

	if (!attach_read(requests, request, &attach, &hold))
		return;
	const int err = requests->ops.attach(requests->ops.context, &attach, &link, &error);
	if (attach.netns_fd >= 0)
		close(attach.netns_fd);
	if (err < 0)
		fail_with(request, err, &error);
	else if (hold)
		attach_hold(requests, request, &link);
	else
		control_reply(request, attached_json(requests, &link));
}

void handle_detach(void *context, struct control_request *request)
{
	static const struct param params[] = {
		{"name", PARAM_STRING, true, 0},
	};
	struct requests *requests = context;
	struct request_error error = {0};
	struct daemon_link link;
	const char *name;

	if (!params_read(request, params, ARRAY_COUNT(params), &name) ||
		!link_choose(requests, request, name, &link))
		return;
	const int err =
		requests->ops.detach(requests->ops.context, link.network, link.name, &error);
	if (err < 0)
		return fail_with(request, err, &error);
	control_reply(request, json_object());
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
