/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_attach: the methods that attach and detach links.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config/value.h"
#include "daemon/requests_parts.h"

#define MTU_MIN 576 /* RFC 791: what every host can take */
#define MTU_MAX 65535

struct attach_params {
	const char *name, *network, *device, *mac;
	const char *netns, *netdev, *tap, *qemu; /* where: one of them */
	const char *bridge;
	bool descriptor, hold, many, datagram;
	const json_t *addresses;
	int64_t mtu;
};

/* Is it in the file system of namespaces, of which there is one?  Nobody is asked: a file system of
 * the client's need never answer. */
static bool is_namespace(int fd)
{
	struct statx passed, own;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &passed) == 0 &&
	       statx(AT_FDCWD, "/proc/self/ns/net", 0, STATX_TYPE, &own) == 0 &&
	       passed.stx_dev_major == own.stx_dev_major &&
	       passed.stx_dev_minor == own.stx_dev_minor;
}

/* Whether a descriptor that a client passed is what it should be. */
static bool is_network_namespace(int fd)
{
	return is_namespace(fd) && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
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
		union addr *wanted =
			family == AF_INET ? &attach->link.address4 : &attach->link.address6;
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

#define OWNERS_SOCKETS "/run/tungate/qemu"

/* The one place where a network's owner may have the socket of a machine: a directory of ours that
 * nobody else can put a link into.  The socket itself will be the owner's. */
static bool owner_s_socket(const char *network, const char *name, const char *wanted)
{
	char path[CONFIG_TEXT_SIZE];

	snprintf(path, sizeof(path), OWNERS_SOCKETS "/%s/%s.sock", network, name);
	if (name[0] == '\0' || strcmp(path, wanted) != 0)
		return false;
	*strrchr(path, '/') = '\0';
	return (mkdir(OWNERS_SOCKETS, 0755) == 0 || errno == EEXIST) &&
	       (mkdir(path, 0755) == 0 || errno == EEXIST);
}

/* An owner brings a namespace of theirs, or has a socket made for a machine, and nothing that the
 * daemon would open with its own rights. */
static bool owner_may_attach(struct requests *requests, struct control_request *request,
	const struct attach_params *values, const struct daemon_attach *attach)
{
	const char *network = network_name(requests, attach->link.network);

	if (peer_is_admin(requests, request->peer))
		return true;
	if (attach->link.kind == LINK_QEMU &&
		!owner_s_socket(network, attach->link.name, attach->link.socket))
		control_fail(request, CONTROL_DENIED,
			"a socket of your machine: allowed: " OWNERS_SOCKETS
			"/%s/NAME.sock, and the same NAME for the link",
			network);
	else if (attach->link.kind != LINK_QEMU &&
		 (!values->descriptor || attach->link.kind != LINK_NETNS))
		control_fail(request, CONTROL_DENIED,
			"namespaces by name or path, and interfaces of the host, are for the "
			"administrator: allowed: the descriptor of a network namespace of yours, "
			"as `tungate run` and `tungate attach` pass it");
	else if (!links_have_room(requests, attach->link.network))
		control_fail(request, CONTROL_DENIED,
			"network `%s` has %u links: allowed: no more, unless some are detached",
			network, link_count(requests, attach->link.network));
	else
		return true;
	return false;
}

/* Take over the descriptor that came with the request; false after it was answered. */
static bool descriptor_take(
	struct requests *requests, struct control_request *request, struct daemon_attach *attach)
{
	const int fd = control_descriptor(request);

	if (fd < 0) {
		control_fail(request, CONTROL_BAD_REQUEST, "no descriptor came with the request");
		return false;
	}
	if (!is_network_namespace(fd)) {
		control_fail(request, CONTROL_INVALID,
			"the descriptor is not that of a network namespace");
		return false;
	}
	if (!peer_is_admin(requests, request->peer) && !access_owns_netns(fd, request->peer->uid)) {
		control_fail(request, CONTROL_DENIED,
			"the network namespace is not yours: allowed: one that was made in a user "
			"namespace of user id %u, as `tungate run` and `unshare -rn` make it",
			(unsigned)request->peer->uid);
		return false;
	}
	attach->netns_fd = control_take_descriptor(request);
	return true;
}

/* ---- which kind, and what goes with it ---- */

static bool kind_choose(struct control_request *request, const struct attach_params *values,
	struct link_config *link)
{
	const struct {
		bool given;
		enum link_kind kind;
	} places[] = {
		{values->netns || values->descriptor, LINK_NETNS},
		{values->netdev, LINK_NETDEV},
		{values->tap, LINK_TAP},
		{values->qemu, LINK_QEMU},
	};
	unsigned given = 0;

	for (unsigned i = 0; i < ARRAY_COUNT(places); i++)
		if (places[i].given) {
			link->kind = (uint8_t)places[i].kind;
			given++;
		}
	if (given == 1)
		return true;
	control_fail(request, CONTROL_BAD_REQUEST,
		"%s: allowed: one of `netns` (or `descriptor`, which says that its descriptor "
		"comes with the request), `netdev`, `tap` and `qemu`",
		given ? "more than one place" : "attach what?");
	return false;
}

#define KINDS(kind)  (1u << LINK_##kind)
#define KINDS_FRAMES (KINDS(TAP) | KINDS(NETDEV) | KINDS(QEMU))

static bool kind_check(
	struct control_request *request, const struct attach_params *values, enum link_kind kind)
{
	const struct {
		const char *name;
		bool given;
		unsigned allowed; /* kinds */
		const char *with;
	} words[] = {
		{"device", values->device, KINDS(NETNS), "`netns`"},
		{"bridge", values->bridge, KINDS(TAP), "`tap`"},
		{"datagram", values->datagram, KINDS(QEMU), "`qemu`"},
		{"many", values->many, KINDS_FRAMES, "`tap`, `netdev` or `qemu`"},
		{"mac", values->mac, KINDS_FRAMES, "`tap`, `netdev` or `qemu`"},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(words); i++)
		if (words[i].given && !(words[i].allowed >> kind & 1)) {
			control_fail(request, CONTROL_INVALID, "`%s`: allowed: only with %s",
				words[i].name, words[i].with);
			return false;
		}
	if ((values->many || values->bridge) && (values->addresses || values->mac)) {
		control_fail(request, CONTROL_INVALID,
			"an address or a MAC address of many guests: allowed: of one");
		return false;
	}
	return true;
}

/* The words that mean what they would in the file, checked as they would be there. */
static bool words_read(struct control_request *request, const struct attach_params *values,
	struct link_config *link)
{
	const struct {
		const char *key, *text;
	} words[] = {
		{"device", values->device},
		{"device", values->netdev},
		{"device", values->tap},
		{"netns", values->netns},
		{"socket", values->qemu},
		{"bridge", values->bridge},
		{"mac", values->mac},
	};
	char why[SENTENCE_SIZE];

	for (unsigned i = 0; i < ARRAY_COUNT(words); i++)
		if (words[i].text &&
			!config_link_set(link, words[i].key, words[i].text, why, sizeof(why))) {
			control_fail(request, CONTROL_INVALID, "%s `%.64s`: %s", words[i].key,
				words[i].text, why);
			return false;
		}
	const char *fault = values->name ? name_fault(values->name) : NULL;
	if (fault) {
		control_fail(request, CONTROL_INVALID, "bad name `%.64s`: %s", values->name, fault);
		return false;
	}
	if (values->name)
		(void)text_copy(link->name, sizeof(link->name), values->name);
	link->guests = values->many ? GUESTS_MANY : GUESTS_AUTO;
	link->socket_mode = values->datagram ? SOCKET_DATAGRAM : SOCKET_STREAM;
	return true;
}

/* Without a name an administrator means the first one, an owner the only own one. */
static bool network_read(struct requests *requests, struct control_request *request,
	const char *name, struct link_config *link)
{
	const struct config *config = requests->ops.config(requests->ops.context);
	int network = 0;

	if (name)
		network = network_named(requests, request->peer, name);
	else if (!peer_is_admin(requests, request->peer))
		network = access_only_network(config, request->peer);
	if (network < 0 && !name) {
		control_fail(request, CONTROL_INVALID,
			"to which network? several are yours: `tungate networks` lists them");
		return false;
	}
	if (network < 0) {
		control_fail(request, CONTROL_NOT_FOUND,
			"there is no network `%.64s`: `tungate networks` lists them", name);
		return false;
	}
	link->network = (uint16_t)network;
	return true;
}

static bool mtu_read(struct control_request *request, int64_t mtu, struct daemon_attach *attach)
{
	if (mtu != 0 && (mtu < MTU_MIN || mtu > MTU_MAX)) {
		control_fail(request, CONTROL_INVALID, "bad mtu: allowed: %d to %d bytes", MTU_MIN,
			MTU_MAX);
		return false;
	}
	attach->mtu = (uint16_t)mtu;
	return true;
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
		{ATTACH_PARAM(netdev, PARAM_STRING)},
		{ATTACH_PARAM(tap, PARAM_STRING)},
		{ATTACH_PARAM(bridge, PARAM_STRING)},
		{ATTACH_PARAM(qemu, PARAM_STRING)},
		{ATTACH_PARAM(datagram, PARAM_FLAG)},
		{ATTACH_PARAM(many, PARAM_FLAG)},
		{ATTACH_PARAM(mac, PARAM_STRING)},
		{ATTACH_PARAM(hold, PARAM_FLAG)},
		{ATTACH_PARAM(addresses, PARAM_STRINGS)},
		{ATTACH_PARAM(mtu, PARAM_NUMBER)},
	};
#undef ATTACH_PARAM
	struct attach_params values = {0};
	struct link_config *link = &attach->link;

	*attach = (struct daemon_attach){.netns_fd = -1};
	if (!params_read(request, params, ARRAY_COUNT(params), &values) ||
		!addresses_read(request, values.addresses, attach) ||
		!network_read(requests, request, values.network, link) ||
		!mtu_read(request, values.mtu, attach) || !kind_choose(request, &values, link) ||
		!kind_check(request, &values, (enum link_kind)link->kind) ||
		!words_read(request, &values, link) ||
		!owner_may_attach(requests, request, &values, attach))
		return false;
	*hold = values.hold;
	return values.descriptor ? descriptor_take(requests, request, attach) : true;
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
	uint32_t serial;
	uint16_t network;
	char name[CONFIG_NAME_SIZE];
};

/* It may have been detached meanwhile, and its name have gone to another; or it is attached no
 * longer, and awaits an interface. */
static bool is_still_there(const struct hold *hold)
{
	const struct daemon_ops *ops = &hold->requests->ops;
	struct daemon_link link;

	for (unsigned i = 0; ops->link(ops->context, i, &link); i++)
		if (link.live && link.serial == hold->serial && link.network == hold->network &&
			strcmp(link.name, hold->name) == 0)
			return true;
	return false;
}

static void on_holder_gone(void *context)
{
	struct hold *hold = context;
	const struct daemon_ops *ops = &hold->requests->ops;
	struct request_error error;

	if (is_still_there(hold))
		(void)ops->detach(ops->context, hold->network, hold->name, &error);
	free(hold);
}

/* Answer with a stream whose only event is what was attached. */
static void attach_hold(
	struct requests *requests, struct control_request *request, const struct daemon_link *link)
{
	struct hold *hold = malloc(sizeof(*hold)),
		    held = {requests, link->serial, link->network, ""};
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
		request_fail_with(request, err, &error);
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
		return request_fail_with(request, err, &error);
	control_reply(request, json_object());
}
