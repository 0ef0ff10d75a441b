/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway: what is asked of tungated, over its control socket.
 *
 * A container's link has a name that follows from the container (input.c), and its published ports
 * are made with that name.  So what belongs to a container is found again without a record of
 * ours, also after an ADD that was never finished: in the daemon's own lists.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "cni.h"
#include "control/client.h"

#define PATIENCE_S       30
#define LINK_NAME_PREFIX "cni-"
#define ENDPOINT_SIZE    128

struct gateway {
	const struct cni_call *call;
	struct control_client client;
};

/* ---- asking ---- */

struct gateway *gateway_open(const struct cni_call *call, bool *absent, struct cni_error *error)
{
	static const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct gateway *gateway = calloc(1, sizeof(*gateway));

	*absent = false;
	if (!gateway) {
		cni_fail(error, CNI_IO_FAILURE, "out of memory");
		return NULL;
	}
	gateway->call = call;
	const int failure = control_client_open(&gateway->client, call->control);
	if (failure) {
		cni_fail(error,
			failure == -EACCES         ? CNI_DENIED
			: failure == -ENAMETOOLONG ? CNI_CONFIG_INVALID
						   : CNI_TRY_AGAIN_LATER,
			"%s", gateway->client.problem);
		cni_advise(error, "`control` in the network's configuration names another socket");
		*absent = failure == -ENOENT || failure == -ECONNREFUSED;
		free(gateway);
		return NULL;
	}
	setsockopt(gateway->client.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return gateway;
}

void gateway_close(struct gateway *gateway)
{
	if (!gateway)
		return;
	control_client_close(&gateway->client);
	free(gateway);
}

static enum cni_code code_of(enum control_code code)
{
	switch (code) {
	case CONTROL_BAD_REQUEST:
	case CONTROL_INVALID:
		return CNI_CONFIG_INVALID;
	case CONTROL_DENIED:
		return CNI_DENIED;
	case CONTROL_NOT_FOUND:
		return CNI_NOT_FOUND;
	case CONTROL_EXISTS:
		return CNI_EXISTS;
	default:
		return CNI_FAILED;
	}
}

/* The result of a method (`params` taken over), a new reference; NULL with an error. */
static json_t *ask(struct gateway *gateway, const char *method, json_t *params, int passed_fd,
	struct cni_error *error)
{
	struct control_client *client = &gateway->client;
	struct control_answer answer;
	json_t *result = NULL;

	if (control_client_send(client, method, params, passed_fd) < 0) {
		cni_fail(error, CNI_IO_FAILURE, "%s", client->problem);
		return NULL;
	}
	const int failure = control_client_receive(client, &answer);
	if (failure) {
		cni_fail(error, failure == -EAGAIN ? CNI_TRY_AGAIN_LATER : CNI_IO_FAILURE, "%s",
			client->problem);
		return NULL;
	}
	if (answer.message)
		cni_fail(error, code_of(answer.code), "%s", answer.message);
	else
		result = json_incref(answer.result);
	control_answer_release(&answer);
	return result;
}

/* Whether text member `key` of an object has this value. */
static bool member_is(const json_t *object, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && strcmp(text, value) == 0;
}

/* The entry called `name` of what `method` lists (NULL: the first one), a new reference. */
static json_t *listed(
	struct gateway *gateway, const char *method, const char *name, struct cni_error *error)
{
	json_t *list = ask(gateway, method, json_object(), -1, error), *found = NULL, *item;
	size_t i;

	if (!list)
		return NULL;
	json_array_foreach(list, i, item) if (!found && (!name || member_is(item, "name", name)))
		found = json_incref(item);
	json_decref(list);
	if (!found)
		cni_fail(error, CNI_NOT_FOUND, "the gateway has no %.*s `%s`",
			(int)strlen(method) - 1, method, name ? name : "");
	return found;
}

json_t *gateway_network(struct gateway *gateway, const char *name, struct cni_error *error)
{
	return listed(gateway, "networks", name, error);
}

json_t *gateway_link(struct gateway *gateway, struct cni_error *error)
{
	return listed(gateway, "links", gateway->call->link, error);
}

/* ---- published ports ---- */

/* An entry of portMappings, as a forward of the gateway's. */
struct mapping {
	const char *protocol, *host_ip; /* NULL: all addresses */
	int host_port, guest_port;
	char host[ENDPOINT_SIZE]; /* [ADDRESS:]PORT */
};

static void endpoint(char text[ENDPOINT_SIZE], const char *address, int port)
{
	const bool ipv6 = address && strchr(address, ':');

	if (address && *address)
		snprintf(text, ENDPOINT_SIZE, "%s%.64s%s:%d", ipv6 ? "[" : "", address,
			ipv6 ? "]" : "", port);
	else
		snprintf(text, ENDPOINT_SIZE, "%d", port);
}

static bool port_read(const json_t *entry, const char *key, int least, int *port)
{
	const json_t *item = json_object_get(entry, key);
	const json_int_t value = json_integer_value(item);

	*port = (int)value;
	return (!item || json_is_integer(item)) && value >= least && value <= UINT16_MAX;
}

static bool mapping_read(const json_t *entry, struct mapping *mapping, struct cni_error *error)
{
	*mapping = (struct mapping){
		.protocol = json_string_value(json_object_get(entry, "protocol")),
		.host_ip = json_string_value(json_object_get(entry, "hostIP")),
	};
	if (!port_read(entry, "hostPort", 0, &mapping->host_port) ||
		!port_read(entry, "containerPort", 1, &mapping->guest_port))
		return cni_fail(error, CNI_CONFIG_INVALID,
			"bad port in portMappings: allowed: `hostPort` and `containerPort`, 1 to "
			"65535");
	if (!mapping->protocol || !*mapping->protocol)
		mapping->protocol = "tcp";
	if (strcmp(mapping->protocol, "tcp") != 0 && strcmp(mapping->protocol, "udp") != 0)
		return cni_fail(error, CNI_FIELD_UNSUPPORTED,
			"portMappings: protocol = %.32s: allowed: tcp, udp", mapping->protocol);
	endpoint(mapping->host, mapping->host_ip, mapping->host_port);
	return true;
}

static bool publish(struct gateway *gateway, const struct mapping *mapping, struct cni_error *error)
{
	char guest[ENDPOINT_SIZE];

	endpoint(guest, gateway->call->link, mapping->guest_port);
	json_t *result = ask(gateway, "forward.add",
		json_pack("{s:s, s:s, s:s}", "protocol", mapping->protocol, "host", mapping->host,
			"guest", guest),
		-1, error);
	json_decref(result);
	return result != NULL;
}

/* A port 0 of the host is none: the entry only tells what the container listens on. */
static bool publish_all(struct gateway *gateway, struct cni_error *error)
{
	struct mapping mapping;
	const json_t *entry;
	size_t i;

	json_array_foreach(gateway->call->ports, i, entry)
	{
		if (!mapping_read(entry, &mapping, error))
			return false;
		if (mapping.host_port && !publish(gateway, &mapping, error))
			return false;
	}
	return true;
}

static bool is_published(
	const struct gateway *gateway, const json_t *forwards, const struct mapping *mapping)
{
	const json_t *forward;
	size_t i;

	json_array_foreach(forwards, i,
		forward) if (member_is(forward, "guest_name", gateway->call->link) &&
			     member_is(forward, "protocol", mapping->protocol) &&
			     json_integer_value(json_object_get(forward, "host_port")) ==
				     mapping->host_port &&
			     json_integer_value(json_object_get(forward, "guest_port")) ==
				     mapping->guest_port) return true;
	return false;
}

bool gateway_published(struct gateway *gateway, struct cni_error *error)
{
	json_t *forwards = ask(gateway, "forward.list", json_object(), -1, error);
	struct mapping mapping;
	bool all = forwards != NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach(gateway->call->ports, i, entry)
	{
		if (!all)
			break;
		all = mapping_read(entry, &mapping, error);
		if (!all || !mapping.host_port || is_published(gateway, forwards, &mapping))
			continue;
		all = cni_fail(error, CNI_DIFFERENT, "%s %s is not published for %s",
			mapping.protocol, mapping.host, gateway->call->link);
	}
	json_decref(forwards);
	return all;
}

static bool withdraw(struct gateway *gateway, const json_t *forward, struct cni_error *error)
{
	const char *address = json_string_value(json_object_get(forward, "host_address"));
	char host[ENDPOINT_SIZE];

	endpoint(host, address, (int)json_integer_value(json_object_get(forward, "host_port")));
	json_t *result = ask(gateway, "forward.del",
		json_pack("{s:O, s:s}", "protocol", json_object_get(forward, "protocol"), "host",
			host),
		-1, error);
	json_decref(result);
	/* The other family's has gone with it. */
	return result || error->code == CNI_NOT_FOUND;
}

/* Withdraw those that were added by request and that `ours` picks. */
static bool withdraw_all(struct gateway *gateway, const void *context,
	bool (*ours)(const void *context, const char *guest), struct cni_error *error)
{
	json_t *forwards = ask(gateway, "forward.list", json_object(), -1, error);
	const json_t *forward;
	bool done = forwards != NULL;
	size_t i;

	json_array_foreach(forwards, i, forward)
	{
		const char *guest = json_string_value(json_object_get(forward, "guest_name"));

		if (done && guest && member_is(forward, "source", "live") && ours(context, guest))
			done = withdraw(gateway, forward, error);
	}
	json_decref(forwards);
	return done;
}

/* ---- the link ---- */

static bool is_link(const void *name, const char *guest)
{
	return strcmp(name, guest) == 0;
}

bool gateway_release(struct gateway *gateway, struct cni_error *error)
{
	const char *link = gateway->call->link;

	if (!withdraw_all(gateway, link, is_link, error))
		return false;
	json_t *result = ask(gateway, "detach", json_pack("{s:s}", "name", link), -1, error);
	json_decref(result);
	return result || error->code == CNI_NOT_FOUND;
}

static json_t *attach_params(const struct cni_call *call)
{
	json_t *params = json_pack("{s:s, s:s, s:b, s:s, s:s*}", "name", call->link, "netns",
		call->netns, "descriptor", 1, "device", call->ifname, "network", call->network);
	json_t *addresses = json_array();

	for (unsigned i = 0; i < STATIC_IPS_MAX; i++)
		if (*call->ip[i])
			json_array_append_new(addresses, json_string(call->ip[i]));
	if (json_array_size(addresses) > 0)
		json_object_set(params, "addresses", addresses);
	json_decref(addresses);
	if (call->mtu)
		json_object_set_new(params, "mtu", json_integer(call->mtu));
	return params;
}

/* The container's namespace as we see it: the daemon may live among other files. */
static json_t *attach(struct gateway *gateway, struct cni_error *error)
{
	const struct cni_call *call = gateway->call;
	const int netns = open(call->netns, O_RDONLY | O_CLOEXEC);

	if (netns < 0) {
		cni_fail(error, errno == ENOENT ? CNI_CONTAINER_UNKNOWN : CNI_IO_FAILURE,
			"cannot open the network namespace %.128s: %s", call->netns,
			strerror(errno));
		return NULL;
	}
	json_t *attached = ask(gateway, "attach", attach_params(call), netns, error);
	close(netns);
	return attached;
}

bool gateway_attach(struct gateway *gateway, json_t **attached, struct cni_error *error)
{
	struct cni_error ignored;

	*attached = NULL;
	/* What an earlier ADD of the same container has left. */
	if (!gateway_release(gateway, error))
		return false;
	*attached = attach(gateway, error);
	if (!*attached)
		return false;
	if (publish_all(gateway, error))
		return true;
	gateway_release(gateway, &ignored);
	json_decref(*attached);
	*attached = NULL;
	return false;
}

/* ---- what is left over ---- */

static bool is_orphan(const void *links, const char *guest)
{
	const json_t *link;
	size_t i;

	if (strncmp(guest, LINK_NAME_PREFIX, strlen(LINK_NAME_PREFIX)) != 0)
		return false;
	json_array_foreach(
		(const json_t *)links, i, link) if (member_is(link, "name", guest)) return false;
	return true;
}

bool gateway_sweep(struct gateway *gateway, struct cni_error *error)
{
	json_t *links = ask(gateway, "links", json_object(), -1, error);
	const bool done = links && withdraw_all(gateway, links, is_orphan, error);

	json_decref(links);
	return done;
}
