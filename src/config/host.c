/* SPDX-License-Identifier: BSD-2-Clause */
/* host: services of the host at the gateway's address, and the host as a guest. */
#include "config/host.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "config/defaults.h"
#include "config/value.h"

#define DNS_PORT 53
#define SYNTAX                                                                                     \
	"allowed: tcp or udp, PORTS, and where the program has another port or address -> PORT, "  \
	"-> ADDRESS:PORT or -> [ADDRESS]:PORT, and of tcp proxy-protocol"

/* ---- the host as a guest ---- */

bool host_link_value(
	const char *text, unsigned line, struct network_config *network, const struct sentence *why)
{
	struct host_config *host = &network->host;

	host->line = line;
	if (strcmp(text, "no") == 0)
		return true;
	if (strcmp(text, "yes") != 0)
		return interface_value(text, host->device, why);
	snprintf(host->device, sizeof(host->device), "tgh-%.11s", network->name);
	return true;
}

/* The last address of a subnet that a host may have; of IPv6 the last that attach would choose. */
static union addr last_address(const struct prefix *subnet)
{
	const unsigned bits = addr_bits(subnet->family) - subnet->length;
	const uint64_t count =
		bits > 16 && subnet->family == AF_INET6 ? 1 << 16 : UINT64_C(1) << bits;

	return prefix_address(subnet, count - 2);
}

void host_link_fill(const struct network_config *network, uint16_t index, struct link_config *link)
{
	const struct host_config *host = &network->host;

	link->kind = LINK_HOST;
	link->network = index;
	link->address4 = host->address4;
	link->address6 = host->address6;
	if (network->subnet4.family != 0 && addr_is_zero(&link->address4))
		link->address4 = last_address(&network->subnet4);
	if (network->subnet6.family != 0 && addr_is_zero(&link->address6))
		link->address6 = last_address(&network->subnet6);
	memcpy(link->device, host->device, sizeof(link->device));
}

static bool has_route(const struct link_config *link)
{
	return (link->kind == LINK_TUN || link->kind == LINK_HOST) &&
	       link->network != NETWORK_UNKNOWN;
}

static bool subnets_overlap(const struct prefix *a, const struct prefix *b)
{
	return a->family != 0 && b->family != 0 && prefix_overlaps(a, b);
}

void check_host_routes(const struct config *config, const struct link_config *link,
	const struct link_config *other, struct problems *problems)
{
	if (!has_route(link) || !has_route(other) ||
		(link->kind != LINK_HOST && other->kind != LINK_HOST))
		return;
	const struct network_config *a = &config->networks[link->network],
				    *b = &config->networks[other->network];
	if (subnets_overlap(&a->subnet4, &b->subnet4) || subnets_overlap(&a->subnet6, &b->subnet6))
		problems_add(problems, link->line,
			"the host would have two routes to the same guests, by link `%s` of "
			"network "
			"`%s` and by link `%s` of network `%s` in line %u: allowed: one "
			"`host-link` "
			"or `tun` link for an address",
			link->name, a->name, other->name, b->name, other->line);
}

/* ---- a service ---- */

static bool ports_value(const char *text, struct port_list *list, const struct sentence *why)
{
	char element[WORD_SIZE];

	for (*list = (struct port_list){0}; list_next(&text, element); list->count++) {
		if (list->count == PORT_RANGES_MAX)
			return refuse(why, "allowed: at most %d ports and ranges in a line",
				PORT_RANGES_MAX);
		if (!ports_parse(element, &list->range[list->count], why))
			return false;
	}
	return true;
}

/* "PORT", "ADDRESS:PORT" or "[ADDRESS]:PORT". */
static bool target_value(const char *text, struct host_service *service, const struct sentence *why)
{
	const char *colon = strrchr(text, ':');
	const char *port = colon != NULL ? colon + 1 : text;
	char address[WORD_SIZE] = "";
	uint32_t number;

	if (colon != NULL) {
		const bool brackets = text[0] == '[' && colon > text && colon[-1] == ']';

		memcpy(address, text + brackets, (size_t)(colon - text) - 2 * brackets);
		if (!addr_parse(address, &service->address, &service->family) ||
			brackets != (service->family == AF_INET6) ||
			addr_is_zero(&service->address) ||
			addr_is_multicast(service->family, &service->address))
			return refuse(why, "bad address `%s`: " SYNTAX, text);
	}
	if (!number_parse(port, UINT16_MAX, &number) || number == 0)
		return refuse(why, "bad port `%s`: allowed: 1 to 65535", port);
	service->port = (uint16_t)number;
	return true;
}

static bool is_one_port(const struct port_list *list)
{
	return list->count == 1 && list->range[0].first == list->range[0].last;
}

/* What stands behind the ports. */
static bool rest_value(const char *text, struct host_service *service, const struct sentence *why)
{
	char word[WORD_SIZE];
	bool more = word_next(&text, word);

	if (more && strcmp(word, "->") == 0) {
		if (!word_next(&text, word))
			return refuse(why, "nothing behind `->`: " SYNTAX);
		if (!is_one_port(&service->ports))
			return refuse(why, "`->` behind several ports: allowed: behind one");
		if (!target_value(word, service, why))
			return false;
		more = word_next(&text, word);
	}
	if (more && strcmp(word, "proxy-protocol") == 0) {
		if (service->protocol != IPPROTO_TCP)
			return refuse(why, "`proxy-protocol` with udp: allowed: with tcp");
		service->proxy_protocol = true;
		more = word_next(&text, word);
	}
	return !more || refuse(why, "unexpected `%s`: " SYNTAX, word);
}

bool host_service_value(
	const char *text, unsigned line, struct network_config *network, const struct sentence *why)
{
	struct host_service service = {.line = line};
	char protocol[WORD_SIZE] = "", ports[WORD_SIZE] = "";

	word_next(&text, protocol);
	const int index = choice_index("tcp|udp", protocol);
	if (index < 0)
		return refuse_choice(why, "protocol", protocol, "tcp|udp");
	service.protocol = index == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	if (!word_next(&text, ports))
		return refuse(why, "no port: " SYNTAX);
	if (!ports_value(ports, &service.ports, why) || !rest_value(text, &service, why))
		return false;
	if (network->host.service_count == CONFIG_HOST_SERVICES_MAX)
		return refuse(why, "allowed: at most %d lines", CONFIG_HOST_SERVICES_MAX);
	network->host.services[network->host.service_count++] = service;
	return true;
}

/* ---- against each other ---- */

static bool has_port(const struct host_service *service, uint16_t port)
{
	return port_list_overlaps(&service->ports, (struct port_range){port, port});
}

/* The first port that both have, or 0. */
static unsigned common_port(const struct host_service *a, const struct host_service *b)
{
	if (a->protocol != b->protocol)
		return 0;
	for (unsigned i = 0; i < a->ports.count; i++)
		for (uint32_t port = a->ports.range[i].first; port <= a->ports.range[i].last;
			port++)
			if (has_port(b, (uint16_t)port))
				return port;
	return 0;
}

void check_network_host(const struct network_config *network, struct problems *problems)
{
	const struct host_config *host = &network->host;

	if (host->device[0] == '\0' &&
		(!addr_is_zero(&host->address4) || !addr_is_zero(&host->address6)))
		problems_add(problems, network->line,
			"network `%s` has a `host-address` and no `host-link`: allowed: with one",
			network->name);
	for (unsigned i = 0; i < network->host.service_count; i++) {
		const struct host_service *service = &network->host.services[i];

		if (network->dns && has_port(service, DNS_PORT))
			problems_add(problems, service->line,
				"`host-service` on port 53 of network `%s`, where the gateway's "
				"DNS is: allowed: another port, or `dns = no`",
				network->name);
		for (unsigned j = 0; j < i; j++) {
			const unsigned port = common_port(service, &network->host.services[j]);

			if (port != 0)
				problems_add(problems, service->line,
					"`host-service` on port %u of network `%s` is that of line "
					"%u: allowed: each port once",
					port, network->name, network->host.services[j].line);
		}
	}
}
