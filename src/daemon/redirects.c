/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirects: a listening socket and a relay per network, family, protocol and port.
 *
 * Lines share them: what counts is where they lead.  A socket may have two duties: for connections
 * that [nat] redirects there, and for those that were addressed to it, to a service of the host.
 * A reload first opens what is missing and closes what is left over when nothing can fail any more.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/redirects.h"
#include "daemon/relay.h"
#include "daemon/service.h"
#include "host/sockets.h"
#include "wire/proxy.h"

#define REDIRECTS_MAX        512 /* listening sockets */
#define REDIRECT_CLIENTS_MAX 1024
#define REDIRECT_UDP_IDLE_MS 120000
#define REDIRECT_CONNECT_MS  10000
static_assert(PROXY_HEADER_BYTES_MAX <= RELAY_GREETING_BYTES, "the header is a greeting");

/* Where connections are led to. */
struct listener_key {
	uint16_t network;
	uint8_t family;
	uint8_t protocol;
	uint16_t port;
};

/* What a listening socket is for. */
struct duty {
	bool redirects, serves; /* connections of [nat]; those that come of their own accord */
	bool proxy_protocol;    /* of the redirected ones */
	struct host_service service;
};

struct listener {
	struct redirects *owner;
	struct listener_key key;
	struct duty duty, next; /* `next`: by the config that is being prepared */
	bool fresh;             /* opened for it */
	struct relay *relay;
};

struct redirects {
	struct daemon *daemon;
	unsigned count;
	struct listener *listener[REDIRECTS_MAX];
};

/* ---- clients ---- */

/* The client's connection as the engine knows it, if it is any of the socket's duties. */
static bool client_flow(
	const struct listener *listener, const struct relay_client *client, struct flow_info *flow)
{
	const struct flow_ends answer = {
		.zone = ZONE_SERVICE(listener->key.network),
		.family = client->family,
		.protocol = listener->key.protocol,
		.source = client->local,
		.destination = client->peer,
		.source_port = client->local_port,
		.destination_port = client->peer_port,
	};

	if (!engine_flow_find(listener->owner->daemon->engine, &answer, flow))
		return false;
	return flow->redirected ? listener->duty.redirects : listener->duty.serves;
}

/* The program is first looked for at the loopback address of the client's family, then at the
 * other: many listen at one of them only.  A service may name an address of its own. */
static bool proxy_target(void *context, const struct relay_client *client, unsigned attempt,
	struct sockaddr_storage *address)
{
	static const union addr loopback4 = {.bytes = {127, 0, 0, 1}},
				loopback6 = {.bytes = {[15] = 1}};
	const struct listener *listener = context;
	const bool ipv4 = (client->family == AF_INET) == (attempt == 0);
	struct flow_info flow;

	if (attempt > 1 || !client_flow(listener, client, &flow))
		return false;
	const struct host_service *service = flow.redirected ? NULL : &listener->duty.service;
	const uint16_t port =
		service != NULL && service->port != 0 ? service->port : listener->key.port;
	if (service != NULL && service->family != 0) {
		socket_address(address, service->family, &service->address, port);
		return attempt == 0;
	}
	socket_address(address, ipv4 ? AF_INET : AF_INET6, ipv4 ? &loopback4 : &loopback6, port);
	return true;
}

static size_t proxy_greeting(void *context, const struct relay_client *client, uint8_t *bytes)
{
	const struct listener *listener = context;
	struct flow_info flow;

	if (!client_flow(listener, client, &flow))
		return 0;
	if (!(flow.redirected ? listener->duty.proxy_protocol
			      : listener->duty.service.proxy_protocol))
		return 0;
	return proxy_header(bytes, flow.family,
		(struct proxy_end){&flow.direction[0].source, flow.direction[0].source_port},
		(struct proxy_end){
			&flow.direction[0].destination, flow.direction[0].destination_port});
}

/* ---- listening ---- */

static void listener_close(struct redirects *redirects, unsigned i)
{
	struct listener *listener = redirects->listener[i];

	relay_stop(listener->relay);
	free(listener);
	redirects->listener[i] = redirects->listener[--redirects->count];
}

static int listener_start(struct listener *listener, const union addr *gateway)
{
	struct daemon *daemon = listener->owner->daemon;
	const int type = listener->key.protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct relay_settings settings = {
		.target_netns = -1,
		.target = proxy_target,
		.greeting = proxy_greeting,
		.context = listener,
		.connections_max = REDIRECT_CLIENTS_MAX,
		.udp_idle_ms = REDIRECT_UDP_IDLE_MS,
		.tcp_connect_ms = REDIRECT_CONNECT_MS,
	};

	settings.listen_fd = socket_listen(service_netns(daemon->service, listener->key.network),
		type, listener->key.family, gateway, listener->key.port);
	if (settings.listen_fd < 0)
		return settings.listen_fd;
	const int error = relay_start(daemon->loop, daemon->log, &settings, &listener->relay);
	if (error != 0)
		close(settings.listen_fd);
	return error;
}

static int listener_open(
	struct redirects *redirects, const struct listener_key *key, const union addr *gateway)
{
	struct listener *listener;
	int error;

	if (redirects->count == REDIRECTS_MAX)
		return -ENOSPC;
	listener = calloc(1, sizeof(*listener));
	if (listener == NULL)
		return -ENOMEM;
	*listener = (struct listener){.owner = redirects, .key = *key, .fresh = true};
	error = listener_start(listener, gateway);
	if (error != 0) {
		free(listener);
		return error;
	}
	redirects->listener[redirects->count++] = listener;
	return 0;
}

static struct listener *listener_find(
	const struct redirects *redirects, const struct listener_key *key)
{
	for (unsigned i = 0; i < redirects->count; i++) {
		const struct listener_key *other = &redirects->listener[i]->key;

		if (other->network == key->network && other->family == key->family &&
			other->protocol == key->protocol && other->port == key->port)
			return redirects->listener[i];
	}
	return NULL;
}

/* ---- lines ---- */

static int line_fail(const struct daemon *daemon, unsigned line, const struct listener_key *key,
	int result, struct request_error *error)
{
	const struct network_config *network = &daemon->config->networks[key->network];

	if (result == -EADDRINUSE && key->port == 53 && network->dns)
		snprintf(error->text, sizeof(error->text),
			"line %u: port 53 of network %s's gateway relays DNS: redirect to another "
			"port, or give the network `dns = no`",
			line, network->name);
	else if (result == -ENOSPC)
		snprintf(error->text, sizeof(error->text),
			"line %u: allowed: %d ports of the host that are redirected to or served, "
			"counted for each network and family",
			line, REDIRECTS_MAX);
	else
		snprintf(error->text, sizeof(error->text),
			"line %u: network %s: port %u of the gateway cannot lead to the host: %s",
			line, network->name, key->port, strerror(-result));
	return result;
}

/* The listener there; *listener stays NULL where the network has no such family. */
static int listener_get(struct redirects *redirects, unsigned line, const struct listener_key *key,
	struct listener **listener, struct request_error *error)
{
	const struct network_config *network = &redirects->daemon->config->networks[key->network];
	const union addr *gateway =
		key->family == AF_INET ? &network->gateway4 : &network->gateway6;

	*listener = listener_find(redirects, key);
	if (*listener != NULL || addr_is_zero(gateway))
		return 0;
	const int result = listener_open(redirects, key, gateway);
	if (result != 0)
		return line_fail(redirects->daemon, line, key, result, error);
	*listener = redirects->listener[redirects->count - 1];
	return 0;
}

static int key_want(struct redirects *redirects, const struct nat_rule *rule,
	const struct listener_key *key, struct request_error *error)
{
	struct listener *listener;
	const int result = listener_get(redirects, rule->match.line, key, &listener, error);

	if (listener == NULL)
		return result;
	if (listener->next.redirects && listener->next.proxy_protocol != rule->proxy_protocol) {
		snprintf(error->text, sizeof(error->text),
			"line %u: port %u is redirected to with `proxy-protocol` and without: "
			"allowed: one of the two, the proxy cannot tell them apart",
			rule->match.line, key->port);
		return -EINVAL;
	}
	listener->next.redirects = true;
	listener->next.proxy_protocol = rule->proxy_protocol;
	return 0;
}

static bool leads_to_host(const struct nat_rule *rule)
{
	return rule->kind == NAT_REDIRECT && !rule->dns && rule->target_count == 1 &&
	       rule->target[0].addresses.family == 0;
}

/* Whether the line may lead connections of this kind anywhere. */
static bool line_is_about(const struct nat_rule *rule, const struct listener_key *key)
{
	const struct rule *match = &rule->match;
	const bool family =
		!(match->words & RULE_WORD(WORD_FAMILY)) ||
		(match->family == key->family) == !(match->negated & RULE_WORD(WORD_FAMILY));

	return family && rule_has_protocol(match, key->protocol) &&
	       (match->in.kind != SIDE_NETWORK || match->in.network == key->network);
}

/* Every port of the line's target, for connections of one network, family and protocol. */
static int ports_want(struct redirects *redirects, const struct nat_rule *rule,
	struct listener_key key, struct request_error *error)
{
	const struct port_range ports = rule->target[0].ports.range[0];
	int result = 0;

	for (uint32_t port = ports.first;
		port <= ports.last && result == 0 && line_is_about(rule, &key); port++) {
		key.port = (uint16_t)port;
		result = key_want(redirects, rule, &key, error);
	}
	return result;
}

static int line_want(
	struct redirects *redirects, const struct nat_rule *rule, struct request_error *error)
{
	static const struct {
		uint8_t family, protocol;
	} kinds[] = {{AF_INET, IPPROTO_TCP}, {AF_INET6, IPPROTO_TCP}, {AF_INET, IPPROTO_UDP},
		{AF_INET6, IPPROTO_UDP}};
	const struct config *config = redirects->daemon->config;
	int result = 0;

	for (uint16_t n = 0; n < config->network_count; n++)
		for (unsigned k = 0; k < 4 && result == 0; k++)
			result = ports_want(redirects, rule,
				(struct listener_key){
					.network = n,
					.family = kinds[k].family,
					.protocol = kinds[k].protocol,
				},
				error);
	return result;
}

/* ---- services of the host ---- */

static int service_port_want(struct redirects *redirects, const struct host_service *service,
	const struct listener_key *key, struct request_error *error)
{
	struct listener *listener;
	const int result = listener_get(redirects, service->line, key, &listener, error);

	if (listener == NULL)
		return result;
	listener->next.serves = true;
	listener->next.service = *service;
	return 0;
}

static int service_want(struct redirects *redirects, uint16_t network,
	const struct host_service *service, struct request_error *error)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int result = 0;

	for (unsigned i = 0; i < 2 * (unsigned)service->ports.count; i++) {
		const struct port_range ports = service->ports.range[i / 2];

		for (uint32_t port = ports.first; port <= ports.last && result == 0; port++)
			result = service_port_want(redirects, service,
				&(struct listener_key){network, families[i % 2], service->protocol,
					(uint16_t)port},
				error);
	}
	return result;
}

static int services_want(struct redirects *redirects, struct request_error *error)
{
	const struct config *config = redirects->daemon->config;
	int result = 0;

	for (uint16_t n = 0; n < config->network_count; n++) {
		const struct network_config *network = &config->networks[n];

		for (unsigned i = 0; i < network->host.service_count && result == 0; i++)
			result = service_want(redirects, n, &network->host.services[i], error);
	}
	return result;
}

/* ---- a new config ---- */

int redirects_prepare(struct redirects *redirects, struct request_error *error)
{
	const struct nat_rules *nat = &redirects->daemon->config->nat;
	int result = 0;

	for (unsigned i = 0; i < redirects->count; i++) {
		redirects->listener[i]->next = (struct duty){0};
		redirects->listener[i]->fresh = false;
	}
	for (unsigned i = 0; i < nat->count && result == 0; i++)
		if (leads_to_host(&nat->rule[i]))
			result = line_want(redirects, &nat->rule[i], error);
	if (result == 0)
		result = services_want(redirects, error);
	if (result != 0)
		redirects_abort(redirects);
	return result;
}

void redirects_commit(struct redirects *redirects)
{
	for (unsigned i = redirects->count; i-- > 0;) {
		struct listener *listener = redirects->listener[i];

		listener->duty = listener->next;
		if (!listener->duty.redirects && !listener->duty.serves)
			listener_close(redirects, i);
	}
}

void redirects_abort(struct redirects *redirects)
{
	for (unsigned i = redirects->count; i-- > 0;)
		if (redirects->listener[i]->fresh)
			listener_close(redirects, i);
}

/* ---- the original destination ---- */

bool redirects_find(const struct redirects *redirects, uint8_t protocol, uint8_t family,
	const union addr *peer, uint16_t port, struct flow_info *flow)
{
	struct sockaddr_storage address;
	struct relay_client client;

	socket_address(&address, family, peer, port);
	for (unsigned i = 0; i < redirects->count; i++) {
		const struct listener *listener = redirects->listener[i];

		if (listener->key.protocol == protocol &&
			relay_find(listener->relay, &address, &client))
			return client_flow(listener, &client, flow);
	}
	return false;
}

/* ---- life ---- */

int redirects_create(struct daemon *daemon, struct redirects **result)
{
	struct redirects *redirects = calloc(1, sizeof(*redirects));
	struct request_error refusal;
	int error = -ENOMEM;

	if (redirects == NULL)
		return error;
	redirects->daemon = daemon;
	error = redirects_prepare(redirects, &refusal);
	if (error != 0) {
		log_error(daemon->log, "%s", refusal.text);
		redirects_free(redirects);
		return error;
	}
	redirects_commit(redirects);
	*result = redirects;
	return 0;
}

void redirects_free(struct redirects *redirects)
{
	if (redirects == NULL)
		return;
	while (redirects->count > 0)
		listener_close(redirects, redirects->count - 1);
	free(redirects);
}
