/* SPDX-License-Identifier: BSD-2-Clause */
/* forwarder: its life, and what each network asks. */
#include "dns/forwarder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "dns/parts.h"
#include "host/sockets.h"

/* ---- networks ---- */

static struct dns_list *list_of(
	const struct dns_forwarder *forwarder, const struct dns_server_list *config)
{
	struct dns_list *list = dns_list_create(forwarder->servers);
	struct sockaddr_storage address;

	for (unsigned i = 0; list != NULL && i < config->count; i++) {
		const struct dns_server_address *server = &config->server[i];

		socket_address(&address, server->family, &server->address, DNS_PORT);
		dns_list_add(list, forwarder->servers, &address);
	}
	return list;
}

static void network_free(struct dns_network *network)
{
	dns_names_free(network->names);
	dns_list_unref(network->list);
	for (unsigned i = 0; i < network->zone_count; i++)
		dns_list_unref(network->zones[i]);
	free(network->zones);
}

static bool network_fill(const struct dns_forwarder *forwarder, const struct config *config,
	uint16_t index, struct dns_network *network)
{
	const struct dns_config *dns = &config->networks[index].names;

	network->names = dns_names_create(config, index, &forwarder->settings.directory);
	network->zones = calloc(dns->zone_count + 1u, sizeof(struct dns_list *));
	if (network->names == NULL || network->zones == NULL)
		return false;
	if (dns->servers.count > 0) {
		network->list = list_of(forwarder, &dns->servers);
		if (network->list == NULL)
			return false;
	}
	for (unsigned i = 0; i < dns->zone_count; i++) {
		network->zones[i] = list_of(forwarder, &dns->zones[i].servers);
		if (network->zones[i] == NULL)
			return false;
		network->zone_count++;
	}
	return true;
}

static void networks_free(struct dns_network *networks, unsigned count)
{
	for (unsigned i = 0; networks != NULL && i < count; i++)
		network_free(&networks[i]);
	free(networks);
}

static struct dns_network *networks_create(
	const struct dns_forwarder *forwarder, const struct config *config)
{
	struct dns_network *networks = calloc(config->network_count + 1u, sizeof(*networks));
	bool filled = networks != NULL;

	for (unsigned i = 0; filled && i < config->network_count; i++)
		filled = network_fill(forwarder, config, (uint16_t)i, &networks[i]);
	if (filled)
		return networks;
	networks_free(networks, config->network_count);
	return NULL;
}

int dns_forwarder_update(struct dns_forwarder *forwarder, const struct config *config)
{
	struct dns_network *networks = networks_create(forwarder, config);
	struct dns_cache *cache = dns_cache_create(config->gateway.dns_cache);

	if (networks == NULL || cache == NULL) {
		networks_free(networks, config->network_count);
		dns_cache_free(cache);
		return -ENOMEM;
	}
	networks_free(forwarder->networks, forwarder->network_count);
	dns_cache_free(forwarder->cache);
	forwarder->networks = networks;
	forwarder->network_count = config->network_count;
	forwarder->cache = cache;
	forwarder->config = config;
	return 0;
}

/* ---- life ---- */

/* Another list of servers is another view: what was remembered is of no use any more. */
static void host_changed(void *context)
{
	struct dns_forwarder *forwarder = context;

	log_info(forwarder->settings.log, "%s has changed: DNS servers are read anew",
		forwarder->settings.resolv_conf);
	dns_cache_flush(forwarder->cache);
}

int dns_forwarder_create(const struct dns_forwarder_settings *settings, const struct config *config,
	struct dns_forwarder **result)
{
	struct dns_forwarder *forwarder = calloc(1, sizeof(*forwarder));
	int error = -ENOMEM;

	if (forwarder == NULL)
		return error;
	forwarder->settings = *settings;
	TAILQ_INIT(&forwarder->fresh);
	forwarder->counters = calloc(CONFIG_NETWORKS_MAX, sizeof(*forwarder->counters));
	forwarder->servers = dns_servers_create();
	if (forwarder->counters == NULL || forwarder->servers == NULL)
		goto failed;
	forwarder->host = resolv_conf_create(settings->loop, settings->log, settings->resolv_conf,
		forwarder->servers, host_changed, forwarder);
	if (forwarder->host == NULL)
		goto failed;
	error = dns_forwarder_update(forwarder, config);
	if (error != 0)
		goto failed;
	*result = forwarder;
	return 0;

failed:
	dns_forwarder_free(forwarder);
	return error;
}

void dns_forwarder_free(struct dns_forwarder *forwarder)
{
	if (forwarder == NULL)
		return;
	resolv_conf_close(forwarder->host);
	networks_free(forwarder->networks, forwarder->network_count);
	dns_cache_free(forwarder->cache);
	dns_servers_free(forwarder->servers);
	free(forwarder->counters);
	free(forwarder);
}

int dns_forwarder_listen(
	struct dns_forwarder *forwarder, uint16_t network, int fd, struct dns_channel **listener)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	return type == SOCK_STREAM ? dns_serve_tcp(forwarder, network, fd, listener)
				   : dns_serve_udp(forwarder, network, fd, listener);
}

void dns_listener_close(struct dns_channel *listener)
{
	listener->close(listener);
}

/* ---- looking inside ---- */

void dns_forwarder_flush(struct dns_forwarder *forwarder)
{
	dns_cache_flush(forwarder->cache);
}

void dns_forwarder_cache(const struct dns_forwarder *forwarder, struct dns_cache_status *status)
{
	dns_cache_status(forwarder->cache, status);
}

const struct dns_counters *dns_forwarder_counters(
	const struct dns_forwarder *forwarder, uint16_t network)
{
	return dns_count(forwarder, network);
}

const struct dns_list *dns_forwarder_servers(struct dns_forwarder *forwarder, uint16_t network)
{
	const struct dns_list *own = forwarder->networks[network].list;

	return own != NULL ? own : resolv_conf_list(forwarder->host);
}
