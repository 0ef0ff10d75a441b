/* SPDX-License-Identifier: BSD-2-Clause */
/* servers: whom questions are asked. */
#include "dns/servers.h"

#include <stdlib.h>
#include <string.h>

struct dns_servers {
	LIST_HEAD(, dns_server) servers;
	uint32_t views;
};

struct dns_servers *dns_servers_create(void)
{
	return calloc(1, sizeof(struct dns_servers));
}

void dns_servers_free(struct dns_servers *all)
{
	free(all);
}

const struct dns_server *dns_servers_next(
	const struct dns_servers *all, const struct dns_server *server)
{
	return server == NULL ? LIST_FIRST(&all->servers) : LIST_NEXT(server, link);
}

static struct dns_server *server_get(
	struct dns_servers *all, const struct sockaddr_storage *address)
{
	struct dns_server *server;

	LIST_FOREACH(server, &all->servers, link)
	{
		if (memcmp(&server->address, address, sizeof(*address)) == 0)
			break;
	}
	if (server == NULL) {
		server = calloc(1, sizeof(*server));
		if (server == NULL)
			return NULL;
		server->all = all;
		server->address = *address;
		LIST_INSERT_HEAD(&all->servers, server, link);
	}
	server->references++;
	return server;
}

static void server_unref(struct dns_server *server)
{
	if (--server->references > 0)
		return;
	LIST_REMOVE(server, link);
	free(server);
}

struct dns_list *dns_list_create(struct dns_servers *all)
{
	struct dns_list *list = calloc(1, sizeof(*list));

	if (list == NULL)
		return NULL;
	list->references = 1;
	list->view = ++all->views;
	list->timeout_ms = DNS_TIMEOUT_MS;
	return list;
}

bool dns_list_add(
	struct dns_list *list, struct dns_servers *all, const struct sockaddr_storage *address)
{
	struct dns_server *server = list->count < DNS_SERVERS_MAX ? server_get(all, address) : NULL;

	if (server != NULL)
		list->server[list->count++] = server;
	return server != NULL;
}

struct dns_list *dns_list_ref(struct dns_list *list)
{
	list->references++;
	return list;
}

void dns_list_unref(struct dns_list *list)
{
	if (list == NULL || --list->references > 0)
		return;
	for (unsigned i = 0; i < list->count; i++)
		server_unref(list->server[i]);
	free(list);
}

unsigned dns_list_order(
	struct dns_list *list, uint64_t now_ms, struct dns_server *order[DNS_SERVERS_MAX])
{
	const unsigned first = list->rotate && list->count > 0 ? list->next++ % list->count : 0;
	unsigned count = 0;

	for (unsigned penalty = 0; penalty < 2; penalty++) {
		for (unsigned i = 0; i < list->count; i++) {
			struct dns_server *server = list->server[(first + i) % list->count];
			if ((server->penalty_until_ms > now_ms) == (penalty == 1))
				order[count++] = server;
		}
	}
	return count;
}

void dns_server_failed(struct dns_server *server, uint64_t now_ms)
{
	server->failed++;
	server->penalty_until_ms = now_ms + DNS_PENALTY_MS;
}

void dns_server_answered(struct dns_server *server)
{
	server->penalty_until_ms = 0;
}
