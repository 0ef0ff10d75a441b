/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * publish: published ports on the host.
 *
 * Adding is all or nothing: sockets first (they say whether the ports are free), then the
 * relays, the engine's forward, and last the claims, from when on packets from outside are ours.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/publish.h"
#include "daemon/relay.h"
#include "daemon/service.h"
#include "host/sockets.h"
#include "daemon/uplinks.h"
#include "host/guard.h"

#define RELAY_CLIENTS_MAX 256
#define RELAY_UDP_IDLE_MS 60000
#define RELAY_CONNECT_MS  10000

struct published_port {
	struct publish *owner;
	const struct forward *forward;
	uint16_t offset; /* of the port in the forward's range */
	struct relay *relay;
};

struct published_forward {
	struct forward forward;
	unsigned count;
	struct published_port port[]; /* one per port of the range */
};

struct publish {
	struct daemon *daemon;
	unsigned count;
	struct published_forward *forward[ENGINE_FORWARDS_MAX];
};

static bool relay_target(void *context, const struct relay_client *client, unsigned attempt,
	struct sockaddr_storage *address)
{
	const struct published_port *port = context;
	const struct forward *forward = port->forward;

	(void)client;
	if (attempt > 0)
		return false;
	socket_address(address, forward->guest_family, &forward->guest,
		(uint16_t)(forward->guest_port + port->offset));
	return true;
}

/*
 * The socket serves the host itself, and neighbours on interfaces that are no uplinks.  Whatever
 * comes over an uplink is the engine's: the guard keeps it from the socket.  Where the guard is
 * itself one of sockets it cannot, and the socket hears the host only.
 */
static int shield(const struct daemon *daemon, int fd)
{
	return uplinks_are_shielded(daemon->uplinks) ? 0 : guard_local_only(fd);
}

static int port_open(
	struct published_forward *published, uint16_t offset, struct request_error *error)
{
	struct published_port *port = &published->port[published->count];
	const struct forward *forward = &published->forward;
	struct daemon *daemon = port->owner->daemon;
	const uint16_t number = (uint16_t)(forward->ports.first + offset);
	const int type = forward->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct relay_settings settings = {
		.target_netns = service_netns(daemon->service, forward->network),
		.target = relay_target,
		.context = port,
		.connections_max = RELAY_CLIENTS_MAX,
		.udp_idle_ms = RELAY_UDP_IDLE_MS,
		.tcp_connect_ms = RELAY_CONNECT_MS,
	};
	int result;

	port->forward = forward;
	port->offset = offset;
	settings.listen_fd = socket_listen(-1, type, forward->guest_family, &forward->host, number);
	result = settings.listen_fd;
	if (result >= 0)
		result = shield(daemon, settings.listen_fd);
	if (result == 0)
		result = relay_start(daemon->loop, daemon->log, &settings, &port->relay);
	if (result == 0) {
		published->count++;
		return 0;
	}
	if (settings.listen_fd >= 0)
		close(settings.listen_fd);
	snprintf(error->text, sizeof(error->text), "%s port %u cannot be published: %s%s",
		type == SOCK_STREAM ? "tcp" : "udp", number, strerror(-result),
		result == -EADDRINUSE ? " by another program (see `ss -lntup`); choose another port"
				      : "");
	return result;
}

static void ports_close(struct published_forward *published)
{
	while (published->count > 0)
		relay_stop(published->port[--published->count].relay);
}

/* What a line `dnat` leads in from the uplink, TCP or UDP: ports of the host's addresses. */
static unsigned dnat_claims(
	const struct nat_rule *line, uint8_t protocol, struct published *claims, unsigned room)
{
	const struct rule *match = &line->match;
	const uint32_t needed = RULE_WORD(WORD_PROTO) | RULE_WORD(WORD_TO_PORT);
	const bool uplink = match->in.kind == SIDE_UPLINK || match->in.kind == SIDE_ANY;
	const bool negated = match->negated & RULE_WORD(WORD_IN);
	unsigned count = 0;

	if (line->kind != NAT_DNAT || (match->words & needed) != needed ||
		(match->negated & needed) != 0 || !rule_has_protocol(match, protocol) ||
		((match->words & RULE_WORD(WORD_IN)) && uplink == negated))
		return 0;
	for (; count < match->to_ports.count && count < room; count++)
		claims[count] = (struct published){protocol, match->to_ports.range[count]};
	return count;
}

/* Tell filters and guard what is published now, by [forwards] and by [nat]. */
int publish_renew(struct publish *publish)
{
	const struct nat_rules *nat = &publish->daemon->config->nat;
	struct published claims[ENGINE_FORWARDS_MAX];
	unsigned count = 0;

	for (; count < publish->count; count++)
		claims[count] = (struct published){
			.protocol = publish->forward[count]->forward.protocol,
			.ports = publish->forward[count]->forward.ports,
		};
	for (unsigned i = 0; i < nat->count; i++) {
		const struct nat_rule *line = &nat->rule[i];

		count +=
			dnat_claims(line, IPPROTO_TCP, claims + count, ENGINE_FORWARDS_MAX - count);
		count +=
			dnat_claims(line, IPPROTO_UDP, claims + count, ENGINE_FORWARDS_MAX - count);
	}
	return uplinks_claims_set(publish->daemon->uplinks, claims, count);
}

static int engine_add(
	struct publish *publish, const struct forward *forward, struct request_error *error)
{
	const int result = engine_forward_add(publish->daemon->engine, forward);

	if (result == -EEXIST)
		snprintf(error->text, sizeof(error->text),
			"%s port %u%s is published already; `tungate forward list` shows by what",
			forward->protocol == IPPROTO_TCP ? "tcp" : "udp", forward->ports.first,
			forward->ports.first == forward->ports.last ? "" : " or one behind it");
	else if (result != 0)
		snprintf(error->text, sizeof(error->text),
			"no room for another forward: there are %d", ENGINE_FORWARDS_MAX);
	return result;
}

int publish_add(struct publish *publish, const struct forward *forward, struct request_error *error)
{
	const unsigned ports = forward->ports.last - forward->ports.first + 1u;
	struct published_forward *published =
		calloc(1, sizeof(*published) + ports * sizeof(published->port[0]));
	int result;

	if (published == NULL) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		return -ENOMEM;
	}
	published->forward = *forward;
	for (unsigned i = 0; i < ports; i++)
		published->port[i].owner = publish;
	result = engine_add(publish, forward, error);
	if (result != 0)
		goto failed;
	for (unsigned i = 0; i < ports && result == 0; i++)
		result = port_open(published, (uint16_t)i, error);
	if (result != 0)
		goto remove;
	publish->forward[publish->count++] = published;
	result = publish_renew(publish);
	if (result == 0)
		return 0;
	snprintf(error->text, sizeof(error->text), "the packet filters cannot take the port: %s",
		strerror(-result));
	publish->count--;
	publish_renew(publish);

remove:
	ports_close(published);
	engine_forward_del(publish->daemon->engine, forward);
failed:
	free(published);
	return result;
}

static bool is_same(const struct forward *have, const struct forward *wanted)
{
	return have->protocol == wanted->protocol && have->ports.first == wanted->ports.first &&
	       have->ports.last == wanted->ports.last && have->host_family == wanted->host_family &&
	       addr_equal(&have->host, &wanted->host) &&
	       (wanted->guest_family == 0 || wanted->guest_family == have->guest_family);
}

int publish_del(struct publish *publish, const struct forward *forward, struct request_error *error)
{
	for (unsigned i = 0; i < publish->count; i++) {
		struct published_forward *published = publish->forward[i];
		if (!is_same(&published->forward, forward))
			continue;
		publish->forward[i] = publish->forward[--publish->count];
		ports_close(published);
		engine_forward_del(publish->daemon->engine, &published->forward);
		free(published);
		return publish_renew(publish);
	}
	snprintf(error->text, sizeof(error->text),
		"no such forward; `tungate forward list` shows what there is");
	return -ENOENT;
}

const struct forward *publish_get(const struct publish *publish, unsigned index)
{
	return index < publish->count ? &publish->forward[index]->forward : NULL;
}

int publish_create(struct daemon *daemon, struct publish **result)
{
	struct publish *publish = calloc(1, sizeof(*publish));

	if (publish == NULL)
		return -ENOMEM;
	publish->daemon = daemon;
	*result = publish;
	return 0;
}

void publish_free(struct publish *publish)
{
	if (publish == NULL)
		return;
	while (publish->count > 0) {
		struct published_forward *published = publish->forward[--publish->count];
		ports_close(published);
		free(published);
	}
	free(publish);
}
