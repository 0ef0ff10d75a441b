/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service: the hidden namespaces, their devices, and where the DNS forwarder listens.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/dns.h"
#include "daemon/io.h"
#include "daemon/service.h"
#include "dns/forwarder.h"
#include "host/netns.h"
#include "host/sockets.h"

#define DNS_PORT      53
#define SERVICE_MTU   65535
#define LISTENERS_MAX 4 /* UDP and TCP, both families */

struct service_network {
	struct service *service;
	uint16_t network;
	int netns;
	struct link *link;
	uv_poll_t poll;
	struct dns_channel *dns[LISTENERS_MAX];
	unsigned dns_count;
};

struct service {
	struct daemon *daemon;
	unsigned count;
	struct service_network *network[CONFIG_NETWORKS_MAX];
};

/* ---- DNS ---- */

static void dns_listen(struct service_network *network, uint8_t family, int type)
{
	struct daemon *daemon = network->service->daemon;
	const struct network_config *config = &daemon->config->networks[network->network];
	const union addr *gateway = family == AF_INET ? &config->gateway4 : &config->gateway6;
	int error;

	if (addr_is_zero(gateway))
		return;
	const int fd = socket_listen(network->netns, type, family, gateway, DNS_PORT);
	error = fd < 0 ? fd
		       : dns_forwarder_listen(daemon->dns, network->network, fd,
				 &network->dns[network->dns_count]);
	if (error == 0) {
		network->dns_count++;
		return;
	}
	log_warning(daemon->log, "network %s: no DNS on its gateway address: %s", config->name,
		strerror(-error));
	if (fd >= 0)
		close(fd);
}

static void dns_start(struct service_network *network)
{
	dns_listen(network, AF_INET, SOCK_DGRAM);
	dns_listen(network, AF_INET, SOCK_STREAM);
	dns_listen(network, AF_INET6, SOCK_DGRAM);
	dns_listen(network, AF_INET6, SOCK_STREAM);
}

static void dns_stop(struct service_network *network)
{
	while (network->dns_count > 0)
		dns_listener_close(network->dns[--network->dns_count]);
}

/* `dns` of a network may change while it runs. */
static void dns_renew(struct service *service)
{
	for (unsigned i = 0; i < service->count; i++) {
		struct service_network *network = service->network[i];
		const bool wanted = service->daemon->config->networks[i].dns;

		if (wanted && network->dns_count == 0)
			dns_start(network);
		else if (!wanted)
			dns_stop(network);
	}
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
	dns_stop(network);
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
	if (error == 0)
		error = dns_forwarder_update(service->daemon->dns, service->daemon->config);
	if (error == 0)
		dns_renew(service);
	return error;
}

int service_create(struct daemon *daemon, struct service **result)
{
	struct service *service = calloc(1, sizeof(*service));
	int error;

	if (service == NULL)
		return -ENOMEM;
	service->daemon = daemon;
	error = daemon_dns_create(daemon);
	if (error == 0)
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
	dns_forwarder_free(service->daemon->dns);
	service->daemon->dns = NULL;
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
