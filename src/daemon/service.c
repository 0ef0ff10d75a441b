/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service: the hidden namespaces, their devices, and the DNS relay.
 *
 * The DNS relay listens on the gateway's addresses in there and asks the host's resolvers from the
 * host's namespace, so that guests can use a resolver that only the host can reach (127.0.0.53,
 * one behind a VPN).  /etc/resolv.conf is read again when it has changed.
 */
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/io.h"
#include "daemon/relay.h"
#include "daemon/service.h"
#include "daemon/sockets.h"
#include "host/netns.h"

#define DNS_PORT           53
#define DNS_EXCHANGES_MAX  1024
#define DNS_IDLE_MS        10000
#define DNS_CONNECT_MS     5000
#define SERVICE_MTU        65535
#define RELAYS_PER_NETWORK 4 /* UDP and TCP, both families */

struct service_network {
	struct service *service;
	uint16_t network;
	int netns;
	struct link *link;
	uv_poll_t poll;
	struct relay *relay[RELAYS_PER_NETWORK];
	unsigned relay_count;
};

struct service {
	struct daemon *daemon;
	unsigned count;
	struct service_network *network[CONFIG_NETWORKS_MAX];
	/* The host's resolvers. */
	struct timespec resolv_mtime;
	unsigned resolver_count, resolver_next;
	struct sockaddr_storage resolver[MAXNS];
};

/* ---- the host's resolvers ---- */

static void resolvers_add(struct service *service, const char *text)
{
	struct sockaddr_storage *address = &service->resolver[service->resolver_count];
	union addr parsed;
	uint8_t family;

	if (service->resolver_count == MAXNS || !addr_parse(text, &parsed, &family))
		return;
	socket_address(address, family, &parsed, DNS_PORT);
	service->resolver_count++;
}

/* The `nameserver` lines, as resolv.conf(5) has them. */
static void resolvers_read(struct service *service)
{
	char line[512], *rest, *word;
	FILE *file;
	struct stat status;

	if (stat("/etc/resolv.conf", &status) != 0)
		return;
	if (status.st_mtim.tv_sec == service->resolv_mtime.tv_sec &&
		status.st_mtim.tv_nsec == service->resolv_mtime.tv_nsec)
		return;
	file = fopen("/etc/resolv.conf", "re");
	if (file == NULL)
		return;
	service->resolv_mtime = status.st_mtim;
	service->resolver_count = service->resolver_next = 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		word = strtok_r(line, " \t\n", &rest);
		if (word == NULL || strcmp(word, "nameserver") != 0)
			continue;
		word = strtok_r(NULL, " \t\n", &rest);
		if (word != NULL)
			resolvers_add(service, word);
	}
	fclose(file);
}

/* The resolvers take turns, so that a client's second try does not meet the same silence. */
static bool dns_target(void *context, const struct relay_client *client, unsigned attempt,
	struct sockaddr_storage *address)
{
	const struct service_network *network = context;
	struct service *service = network->service;

	(void)client;
	if (attempt > 0)
		return false;
	resolvers_read(service);
	if (service->resolver_count == 0)
		return false;
	*address = service->resolver[service->resolver_next++ % service->resolver_count];
	return true;
}

/* Has the network a prefix for names without IPv6 addresses? */
static bool dns_prefix(void *context, const struct relay_client *client, struct prefix *prefix)
{
	const struct service_network *network = context;
	const struct network_config *config =
		&network->service->daemon->config->networks[network->network];

	(void)client;
	*prefix = config->nat64;
	return config->nat64.family != 0 && config->dns64;
}

static void dns_listen(struct service_network *network, uint8_t family, int type)
{
	struct daemon *daemon = network->service->daemon;
	const struct network_config *config = &daemon->config->networks[network->network];
	const union addr *gateway = family == AF_INET ? &config->gateway4 : &config->gateway6;
	struct relay_settings settings = {
		.target_netns = -1,
		.target = dns_target,
		.dns64 = dns_prefix,
		.context = network,
		.connections_max = DNS_EXCHANGES_MAX,
		.udp_idle_ms = DNS_IDLE_MS,
		.tcp_connect_ms = DNS_CONNECT_MS,
	};

	if (addr_is_zero(gateway))
		return;
	settings.listen_fd = socket_listen(network->netns, type, family, gateway, DNS_PORT);
	if (settings.listen_fd < 0) {
		log_warning(daemon->log, "network %s: no DNS on its gateway address: %s",
			config->name, strerror(-settings.listen_fd));
		return;
	}
	if (relay_start(daemon->loop, daemon->log, &settings,
		    &network->relay[network->relay_count]) == 0)
		network->relay_count++;
	else
		close(settings.listen_fd);
}

static void dns_start(struct service_network *network)
{
	dns_listen(network, AF_INET, SOCK_DGRAM);
	dns_listen(network, AF_INET, SOCK_STREAM);
	dns_listen(network, AF_INET6, SOCK_DGRAM);
	dns_listen(network, AF_INET6, SOCK_STREAM);
}

/* ---- devices ---- */

static void service_readable(uv_poll_t *poll, int status, int events)
{
	struct service_network *network = poll->data;

	(void)status;
	(void)events;
	io_service_readable(network->service->daemon->io, network->link, network->network);
}

static int device_open(struct service_network *network)
{
	const struct daemon *daemon = network->service->daemon;
	const struct network_config *config = &daemon->config->networks[network->network];
	const struct link_settings settings = {
		.zone = ZONE_SERVICE(network->network),
		.device = "gate0",
		.mtu = SERVICE_MTU,
		.prefix_length4 = config->subnet4.family != 0 ? config->subnet4.length : 0,
		.prefix_length6 = config->subnet6.family != 0 ? config->subnet6.length : 0,
		.gateway4 = config->gateway4,
		.gateway6 = config->gateway6,
		.subnet4 = config->subnet4,
		.subnet6 = config->subnet6,
	};

	const int previous = netns_enter(network->netns);
	if (previous < 0)
		return previous;
	const int error = link_tun_open(daemon->log, &settings, &network->link);
	netns_leave(previous);
	return error;
}

static int network_start(struct service *service, uint16_t index)
{
	struct daemon *daemon = service->daemon;
	struct service_network *network = calloc(1, sizeof(*network));
	int error;

	if (network == NULL)
		return -ENOMEM;
	network->service = service;
	network->network = index;
	error = network->netns = netns_create(daemon->log);
	if (error < 0)
		goto free_network;
	error = device_open(network);
	if (error != 0)
		goto close_netns;
	uv_poll_init(daemon->loop, &network->poll, network->link->fd);
	network->poll.data = network;
	uv_poll_start(&network->poll, UV_READABLE, service_readable);
	service->network[service->count++] = network;
	if (daemon->config->networks[index].dns)
		dns_start(network);
	return 0;

close_netns:
	close(network->netns);
free_network:
	free(network);
	return error;
}

static void network_free(uv_handle_t *handle)
{
	free(handle->data);
}

static void network_stop(struct service_network *network)
{
	for (unsigned i = 0; i < network->relay_count; i++)
		relay_stop(network->relay[i]);
	uv_poll_stop(&network->poll);
	network->link->ops->close(network->link);
	close(network->netns);
	uv_close((uv_handle_t *)&network->poll, network_free);
}

/* ---- life ---- */

int service_update(struct service *service)
{
	int error = 0;

	while (service->count > service->daemon->config->network_count)
		network_stop(service->network[--service->count]);
	while (error == 0 && service->count < service->daemon->config->network_count)
		error = network_start(service, (uint16_t)service->count);
	return error;
}

int service_create(struct daemon *daemon, struct service **result)
{
	struct service *service = calloc(1, sizeof(*service));
	int error;

	if (service == NULL)
		return -ENOMEM;
	service->daemon = daemon;
	error = service_update(service);
	if (error != 0) {
		service_free(service);
		return error;
	}
	*result = service;
	return 0;
}

void service_free(struct service *service)
{
	if (service == NULL)
		return;
	while (service->count > 0)
		network_stop(service->network[--service->count]);
	free(service);
}

int service_netns(const struct service *service, uint16_t network)
{
	return network < service->count ? service->network[network]->netns : -1;
}

struct link *service_link(const struct service *service, uint16_t network)
{
	return network < service->count ? service->network[network]->link : NULL;
}
