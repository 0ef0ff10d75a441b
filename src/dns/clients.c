/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clients: how many questions one guest may have waiting.
 *
 * A guest is its link and its address, as a link may have many guests behind it.
 */
#include <errno.h>
#include <stdlib.h>
#include "dns/parts.h"

static unsigned bucket_of(const struct dns_request *request)
{
	const uint64_t folded =
		request->address.halves[0] ^ request->address.halves[1] * 31 ^ request->zone;

	return (unsigned)((folded * 0x9e3779b97f4a7c15u) >> 56) % DNS_CLIENT_BUCKETS;
}

static struct dns_client *client_get(
	struct dns_forwarder *forwarder, const struct dns_request *request)
{
	const unsigned bucket = bucket_of(request);
	struct dns_client *client;

	LIST_FOREACH(client, &forwarder->client_buckets[bucket], bucket)
	{
		if (client->zone == request->zone && client->network == request->network &&
			client->family == request->family &&
			addr_equal(&client->address, &request->address))
			return client;
	}
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		return NULL;
	client->zone = request->zone;
	client->network = request->network;
	client->family = request->family;
	client->address = request->address;
	TAILQ_INIT(&client->requests);
	LIST_INSERT_HEAD(&forwarder->client_buckets[bucket], client, bucket);
	LIST_INSERT_HEAD(&forwarder->clients, client, all);
	return client;
}

static struct dns_client *client_with_most(const struct dns_forwarder *forwarder)
{
	struct dns_client *client, *most = LIST_FIRST(&forwarder->clients);

	LIST_FOREACH(client, &forwarder->clients, all)
	{
		if (client->count > most->count)
			most = client;
	}
	return most;
}

static void oldest_gives_way(struct dns_forwarder *forwarder, const struct dns_client *client)
{
	struct dns_request *oldest = TAILQ_FIRST(&client->requests);

	dns_count(forwarder, oldest->network)->dropped++;
	dns_respond_error(forwarder, oldest, DNS_SERVFAIL, EDE_NONE, NULL);
	dns_request_free(forwarder, oldest);
}

int dns_client_admit(struct dns_forwarder *forwarder, struct dns_request *request)
{
	struct dns_client *client;

	if (forwarder->request_count >= DNS_REQUESTS_MAX)
		oldest_gives_way(forwarder, client_with_most(forwarder));
	client = client_get(forwarder, request);
	if (client == NULL)
		return -ENOMEM;
	request->client = client;
	TAILQ_INSERT_TAIL(&client->requests, request, of_client);
	client->count++;
	forwarder->request_count++;
	if (client->count > DNS_CLIENT_MAX)
		oldest_gives_way(forwarder, client);
	return 0;
}

void dns_client_release(struct dns_forwarder *forwarder, struct dns_request *request)
{
	struct dns_client *client = request->client;

	TAILQ_REMOVE(&client->requests, request, of_client);
	forwarder->request_count--;
	request->client = NULL;
	if (--client->count > 0)
		return;
	LIST_REMOVE(client, bucket);
	LIST_REMOVE(client, all);
	free(client);
}
