/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_view: networks, links and guests as whoever asks knows them.
 */
#include <stdlib.h>
#include <string.h>
#include "base/share.h"
#include "config/networks.h"
#include "daemon/requests_parts.h"

static const struct config *config_of(struct requests *requests)
{
	return requests->ops.config(requests->ops.context);
}

bool peer_is_admin(struct requests *requests, const struct control_peer *peer)
{
	return access_is_admin(config_of(requests), peer);
}

bool requests_authorize(void *context, struct control_request *request, const char *method)
{
	struct requests *requests = context;

	return access_authorize(config_of(requests), request, method);
}

bool requests_privileged(void *context, const struct control_peer *peer)
{
	return peer_is_admin(context, peer);
}

bool peer_sees(struct requests *requests, const struct control_peer *peer, unsigned network)
{
	return access_sees(config_of(requests), peer, network);
}

int network_named(struct requests *requests, const struct control_peer *peer, const char *name)
{
	const int network = config_network_named(config_of(requests), name);

	return network >= 0 && peer_sees(requests, peer, (unsigned)network) ? network : -1;
}

/* ---- what networks have ---- */

typedef uint32_t network_counts[CONFIG_NETWORKS_MAX];

static void links_count(struct requests *requests, network_counts counts)
{
	struct daemon_link link;

	memset(counts, 0, sizeof(network_counts));
	for (unsigned i = 0; requests->ops.link(requests->ops.context, i, &link); i++)
		counts[link.network]++;
}

static void forwards_count(struct requests *requests, network_counts counts)
{
	const struct forward *forward;

	memset(counts, 0, sizeof(network_counts));
	for (unsigned i = 0; (forward = requests->ops.forward(requests->ops.context, i)); i++)
		counts[forward->network]++;
}

unsigned link_count(struct requests *requests, unsigned network)
{
	network_counts counts;

	links_count(requests, counts);
	return counts[network];
}

unsigned forward_count(struct requests *requests, unsigned network)
{
	network_counts counts;

	forwards_count(requests, counts);
	return counts[network];
}

/* The network's own limit, or a share of `all`. */
static bool has_room(struct requests *requests, unsigned network, uint32_t limit, uint32_t all,
	unsigned more, const network_counts counts)
{
	const unsigned networks = config_of(requests)->network_count;
	const struct share share = share_of(all, networks);
	uint32_t common = 0;

	if (limit != 0)
		return counts[network] + more <= limit;
	for (unsigned i = 0; i < networks; i++)
		common += share_common(&share, counts[i]);
	return share_allows(&share, counts[network], more, common);
}

bool links_have_room(struct requests *requests, unsigned network)
{
	network_counts counts;

	links_count(requests, counts);
	return has_room(requests, network, config_of(requests)->networks[network].limits.links,
		ENGINE_LINKS_MAX, 1, counts);
}

bool forwards_have_room(struct requests *requests, unsigned network, unsigned more)
{
	network_counts counts;

	forwards_count(requests, counts);
	return has_room(requests, network, config_of(requests)->networks[network].limits.forwards,
		ENGINE_FORWARDS_MAX, more, counts);
}

/* ---- guests by name ---- */

static bool view_find(void *context, uint16_t network, const char *name, uint8_t family,
	uint8_t *found_family, union addr *address)
{
	const struct peer_view *view = context;
	const struct config_names *names = &view->requests->ops.names;

	return names->find(names->context, network, name, family, found_family, address);
}

static bool view_sees(void *context, uint16_t network)
{
	const struct peer_view *view = context;

	return peer_sees(view->requests, view->peer, network);
}

struct config_names peer_names(struct peer_view *view)
{
	return (struct config_names){.find = view_find, .sees = view_sees, .context = view};
}

/* ---- links by name ---- */

static bool link_ambiguous(struct requests *requests, struct control_request *request,
	const char *name, unsigned network, unsigned other)
{
	const char *first = network_name(requests, network);
	const char *second = network_name(requests, other);

	control_fail(request, CONTROL_INVALID,
		"link `%s` is in the networks `%s` and `%s`: allowed: %s/%s or %s/%s", name, first,
		second, first, name, second, name);
	return false;
}

bool link_choose(struct requests *requests, struct control_request *request, const char *text,
	struct daemon_link *link)
{
	const struct daemon_ops *ops = &requests->ops;
	struct peer_view view = {requests, request->peer};
	const struct config_names names = peer_names(&view);
	char error[SENTENCE_SIZE];
	const struct sentence why = {error, sizeof(error)};
	struct daemon_link other;
	bool found = false;
	int network;

	if (!network_cut(config_of(requests), &names, &text, &network, &why)) {
		control_fail(request, CONTROL_NOT_FOUND, "%s", error);
		return false;
	}
	for (unsigned i = 0; ops->link(ops->context, i, &other); i++) {
		if (strcmp(other.name, text) != 0 || !network_is_seen(&names, other.network) ||
			(network != NETWORK_ANY && other.network != network))
			continue;
		if (found)
			return link_ambiguous(
				requests, request, text, link->network, other.network);
		found = true;
		*link = other;
	}
	if (!found)
		control_fail(request, CONTROL_NOT_FOUND,
			"there is no link `%.64s`: `tungate links` lists them", text);
	return found;
}

void list_reply(struct requests *requests, struct control_request *request,
	bool (*next)(void *context, json_t **item))
{
	struct list_walk *walk = calloc(1, sizeof(*walk));
	const struct control_producer producer = {
		.next = next,
		.release = free,
		.context = walk,
		.list = true,
	};

	if (walk == NULL)
		return control_fail(request, CONTROL_FAILED, "out of memory");
	walk->requests = requests;
	walk->peer = request->peer;
	control_produce(request, &producer);
}
