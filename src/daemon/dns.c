/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns: what the DNS forwarder knows about the gateway.
 *
 * A client is the link that its packets came by, as the engine's flow to the gateway's address
 * tells: so copies of one machine, with one address, are different clients.
 */
#include "daemon/dns.h"

#include <stdio.h>
#include <sys/resource.h>
#include "daemon/domains.h"
#include "daemon/guests.h"
#include "daemon/leases.h"
#include "dns/forwarder.h"

#define DNS_PORT    53
#define DESCRIPTORS 8192 /* a socket for each question that waits, and for each TCP client */

static zone_id client_zone(void *context, uint16_t network, uint8_t protocol, uint8_t family,
	const union addr *peer, uint16_t port)
{
	const struct daemon *daemon = context;
	const struct network_config *config = &daemon->config->networks[network];
	const struct flow_ends answer = {
		.zone = ZONE_SERVICE(network),
		.family = family,
		.protocol = protocol,
		.source = family == AF_INET ? config->gateway4 : config->gateway6,
		.destination = *peer,
		.source_port = DNS_PORT,
		.destination_port = port,
	};
	struct flow_info flow;

	return engine_flow_find(daemon->engine, &answer, &flow) ? flow.link[0] : ZONE_NONE;
}

/* A link's name is its own, and no guest's that calls itself so: not in the family either in which
 * the link has no address. */
static bool guest_address(
	void *context, uint16_t network, const char *name, uint8_t family, union addr *address)
{
	const struct daemon *daemon = context;
	struct daemon_link link;

	if (!guests_find_link(daemon->guests, network, name, &link) || link.whole_subnet)
		return leases_find_name(daemon->leases, network, name, family, address);
	*address = family == AF_INET ? link.address4 : link.address6;
	return link.zone != ZONE_NONE && !addr_is_zero(address);
}

static bool guest_name(void *context, uint16_t network, uint8_t family, const union addr *address,
	char name[CONFIG_NAME_SIZE])
{
	const struct daemon *daemon = context;
	const char *known = guests_name_of_address(daemon->guests, network, family, address);

	if (known == NULL)
		known = leases_name_of(daemon->leases, network, family, address);
	if (known != NULL)
		snprintf(name, CONFIG_NAME_SIZE, "%s", known);
	return known != NULL;
}

/* Whether the host serves guests of the network anything at the gateway's address. */
static bool host_serves(void *context, uint16_t network)
{
	const struct daemon *daemon = context;

	return daemon->config->networks[network].host.service_count > 0;
}

static void descriptors_allow(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int daemon_dns_create(struct daemon *daemon)
{
	const struct dns_forwarder_settings settings = {
		.loop = daemon->loop,
		.log = daemon->log,
		.resolv_conf = "/etc/resolv.conf",
		.directory =
			{
				.context = daemon,
				.address = guest_address,
				.name = guest_name,
				.serves = host_serves,
			},
		.policy = domain_policy_hooks(daemon->domains),
		.client = client_zone,
		.context = daemon,
	};

	descriptors_allow();
	return dns_forwarder_create(&settings, daemon->config, &daemon->dns);
}
