/* SPDX-License-Identifier: BSD-2-Clause */
/* lease: see lease.h. */
#include "lan/lease.h"

#include <stdlib.h>
#include "lan/state.h"

#define OFFER_MS 30000
/* Nobody declines a network away. */
#define DECLINES_MAX 4
#define DECLINE_MS   600000
#define STEPS_MAX    4096 /* addresses that are looked at for a free one: more than can be in use */
#define RETRY_MS     1000 /* ... and how soon again, where none was found */

/* ---- the table ---- */

static uint16_t *bucket_of(struct lan *lan, const union addr *address)
{
	return &lan->leases.bucket[siphash_words(&lan->key, address->halves, 2) % LEASE_BUCKETS];
}

static struct lease *lease_find(struct lan *lan, uint8_t family, const union addr *address)
{
	for (uint16_t i = *bucket_of(lan, address); i != LEASE_NONE;
		i = lan->leases.lease[i].next) {
		struct lease *lease = &lan->leases.lease[i];

		if (lease->lease.family == family && addr_equal(&lease->lease.address, address))
			return lease;
	}
	return NULL;
}

static bool is_over(const struct lan *lan, const struct lease *lease)
{
	return lease->lease.expires_ms <= lan->now_ms;
}

static void lease_remove(struct lan *lan, struct lease *lease)
{
	const uint16_t number = (uint16_t)(lease - lan->leases.lease);
	uint16_t *link = bucket_of(lan, &lease->lease.address);

	while (*link != number)
		link = &lan->leases.lease[*link].next;
	*link = lease->next;
	*lease = (struct lease){.next = lan->leases.free};
	lan->leases.free = number;
}

/* The record whose time was over first gives way. */
static bool lease_room(struct lan *lan)
{
	struct lease *oldest = NULL;

	for (unsigned i = 0; i < lan->leases.max && lan->leases.free == LEASE_NONE; i++) {
		struct lease *lease = &lan->leases.lease[i];

		if (is_over(lan, lease) &&
			(oldest == NULL || lease->lease.expires_ms < oldest->lease.expires_ms))
			oldest = lease;
	}
	if (oldest != NULL)
		lease_remove(lan, oldest);
	return lan->leases.free != LEASE_NONE;
}

static struct lease *lease_add(struct lan *lan, uint8_t family, const union addr *address)
{
	if (!lease_room(lan)) {
		lan_count(lan, LAN_COUNT_FULL);
		return NULL;
	}
	uint16_t *bucket = bucket_of(lan, address);
	const uint16_t number = lan->leases.free;
	struct lease *lease = &lan->leases.lease[number];
	lan->leases.free = lease->next;
	*lease = (struct lease){.next = *bucket, .lease = {.family = family, .address = *address}};
	*bucket = number;
	return lease;
}

/* ---- life ---- */

bool leases_create(struct lan *lan, uint16_t max)
{
	struct leases *leases = &lan->leases;

	leases->max = max;
	leases->free = LEASE_NONE;
	for (unsigned i = 0; i < LEASE_BUCKETS; i++)
		leases->bucket[i] = LEASE_NONE;
	leases->lease = calloc(max, sizeof(*leases->lease));
	if (leases->lease == NULL)
		return false;
	for (uint16_t i = max; i-- > 0;) {
		leases->lease[i].next = leases->free;
		leases->free = i;
	}
	return true;
}

static int reservation_compare(const void *a, const void *b)
{
	const struct lan_reservation *left = a, *right = b;

	return addr_compare(&left->address, &right->address);
}

bool leases_reserve(struct lan *lan, const struct network_config *network)
{
	struct lan_reservation *copy = NULL;

	if (network->reservation_count > 0) {
		copy = calloc(network->reservation_count, sizeof(*copy));
		if (copy == NULL)
			return false;
		memcpy(copy, network->reservations, network->reservation_count * sizeof(*copy));
		qsort(copy, network->reservation_count, sizeof(*copy), reservation_compare);
	}
	free(lan->leases.reservation);
	lan->leases.reservation = copy;
	lan->leases.reservation_count = network->reservation_count;
	return true;
}

void leases_free(struct lan *lan)
{
	free(lan->leases.lease);
	free(lan->leases.reservation);
}

/* ---- who may have what ---- */

const struct lan_reservation *lease_reservation(
	const struct lan *lan, uint8_t family, const uint8_t mac[6])
{
	for (unsigned i = 0; i < lan->leases.reservation_count; i++) {
		const struct lan_reservation *reservation = &lan->leases.reservation[i];

		if (reservation->family == family && mac_equal(reservation->mac, mac))
			return reservation;
	}
	return NULL;
}

static bool is_reserved_for_another(
	const struct lan *lan, const union addr *address, const uint8_t mac[6])
{
	const struct lan_reservation key = {.address = *address};
	const struct lan_reservation *found = NULL;

	if (lan->leases.reservation_count > 0)
		found = bsearch(&key, lan->leases.reservation, lan->leases.reservation_count,
			sizeof(key), reservation_compare);
	return found != NULL && !mac_equal(found->mac, mac);
}

bool lease_is_anothers(
	struct lan *lan, uint8_t family, const union addr *address, const uint8_t mac[6])
{
	const struct lease *lease = lease_find(lan, family, address);

	return lease != NULL && lease->state == LEASE_BOUND && !is_over(lan, lease) &&
	       !mac_equal(lease->lease.mac, mac);
}

static bool is_in_pool(const struct lan *lan, uint8_t family, const union addr *address)
{
	const struct addr_range *pool = &lan->network.address_pool;

	if (family == AF_INET && pool->family != 0)
		return addr_range_contains(pool, family, address);
	return lan_subnet_has(lan, family, address);
}

/* Neither the network's own addresses nor anybody else's, as far as that can be known. */
static bool is_free_for(
	struct lan *lan, uint8_t family, const union addr *address, const uint8_t mac[6])
{
	const struct prefix *subnet =
		family == AF_INET ? &lan->network.subnet4 : &lan->network.subnet6;
	const struct addr_range range = addr_range_of(subnet);
	const struct lease *lease = lease_find(lan, family, address);

	if (lease != NULL && !is_over(lan, lease) &&
		(lease->state == LEASE_DECLINED || !mac_equal(lease->lease.mac, mac)))
		return false;
	return lan_subnet_has(lan, family, address) && !addr_equal(address, &range.first) &&
	       !(family == AF_INET && addr_equal(address, &range.last)) &&
	       !addr_equal(address, lan_gateway(lan, family)) &&
	       !is_reserved_for_another(lan, address, mac) &&
	       !neighbour_is_anothers(lan, family, address, mac) &&
	       !lan_is_elsewhere(lan, family, address);
}

/* ---- choosing ---- */

static bool id_matches(const struct lan_lease *lease, const struct lease_client *client)
{
	return client->id_length > 0 && lease->id_length == client->id_length &&
	       memcmp(lease->id, client->id, client->id_length) == 0;
}

/* The machine's own record; else one that is over, of the same identifier. */
static struct lease *lease_remembered(struct lan *lan, const struct lease_client *client)
{
	struct lease *by_id = NULL;

	for (unsigned i = 0; i < lan->leases.max; i++) {
		struct lease *lease = &lan->leases.lease[i];

		if (lease->state == LEASE_FREE || lease->state == LEASE_DECLINED ||
			lease->lease.family != client->family)
			continue;
		if (mac_equal(lease->lease.mac, client->mac))
			return lease;
		if (is_over(lan, lease) && id_matches(&lease->lease, client))
			by_id = lease;
	}
	return by_id;
}

/* May the client have this address for a reason that it has? */
static bool may_have(struct lan *lan, const struct lease_client *client, const union addr *address)
{
	const struct lan_reservation *reservation =
		lease_reservation(lan, client->family, client->mac);

	if (reservation != NULL)
		return addr_equal(&reservation->address, address) &&
		       is_free_for(lan, client->family, address, client->mac);
	return is_in_pool(lan, client->family, address) &&
	       is_free_for(lan, client->family, address, client->mac);
}

/* A free address, from the client's place in the pool on; with `again` also those that others had
 * once. */
static bool address_search(
	struct lan *lan, const struct lease_client *client, bool again, union addr *address)
{
	const struct prefix *subnet =
		client->family == AF_INET ? &lan->network.subnet4 : &lan->network.subnet6;
	const bool has_pool = client->family == AF_INET && lan->network.address_pool.family != 0;
	const struct addr_range pool = has_pool ? lan->network.address_pool : addr_range_of(subnet);
	const uint64_t count = addr_range_count(&pool);
	uint64_t words[2] = {client->family};

	if (subnet->family == 0)
		return false;
	memcpy(&words[1], client->mac, 6);
	/* The key must be the same after a restart, and nobody gains by guessing the place. */
	const struct siphash_key place = {0};
	const uint64_t start = siphash_words(&place, words, 2);
	for (uint64_t i = 0; i < count && i < STEPS_MAX; i++) {
		*address = addr_range_at(&pool, (start % count + i) % count);
		if (is_free_for(lan, client->family, address, client->mac) &&
			(again || lease_find(lan, client->family, address) == NULL))
			return true;
	}
	return false;
}

static bool address_choose(struct lan *lan, const struct lease_client *client, union addr *address)
{
	const struct lan_reservation *reservation =
		lease_reservation(lan, client->family, client->mac);
	const struct lease *remembered = lease_remembered(lan, client);

	if (reservation != NULL) {
		*address = reservation->address;
		return may_have(lan, client, address);
	}
	if (remembered != NULL && may_have(lan, client, &remembered->lease.address)) {
		*address = remembered->lease.address;
		return true;
	}
	if (!addr_is_zero(&client->wish) && may_have(lan, client, &client->wish)) {
		*address = client->wish;
		return true;
	}
	if (lan->leases.none_until_ms > lan->now_ms)
		return false;
	if (address_search(lan, client, false, address) ||
		address_search(lan, client, true, address))
		return true;
	lan->leases.none_until_ms = lan->now_ms + RETRY_MS;
	lan_count(lan, LAN_COUNT_FULL);
	return false;
}

static void client_remember(struct lan_lease *lease, const struct lease_client *client)
{
	memcpy(lease->mac, client->mac, sizeof(lease->mac));
	lease->id_length = client->id_length;
	memcpy(lease->id, client->id_length > 0 ? client->id : lease->id, client->id_length);
}

static bool is_clients(
	const struct lan *lan, const struct lease *lease, const struct lease_client *client)
{
	return mac_equal(lease->lease.mac, client->mac) &&
	       (lease->state == LEASE_BOUND || !is_over(lan, lease));
}

struct lease *lease_offer(struct lan *lan, const struct lease_client *client)
{
	union addr address;
	struct lease *before, *lease;

	if (!address_choose(lan, client, &address))
		return NULL;
	lease = lease_find(lan, client->family, &address);
	before = lease_remembered(lan, client);
	if (before != NULL && before != lease) /* it moves: one address for a machine */
		lease_remove(lan, before);
	if (lease == NULL)
		lease = lease_add(lan, client->family, &address);
	if (lease == NULL)
		return NULL;
	if (lease->state == LEASE_BOUND && !is_over(lan, lease) && is_clients(lan, lease, client))
		return lease;
	lease->state = LEASE_OFFERED;
	client_remember(&lease->lease, client);
	lease->lease.expires_ms = lan->now_ms + OFFER_MS;
	return lease;
}

struct lease *lease_of_client(struct lan *lan, const struct lease_client *client)
{
	struct lease *lease = lease_remembered(lan, client);

	return lease != NULL && may_have(lan, client, &lease->lease.address) ? lease : NULL;
}

/* ---- what becomes of it ---- */

static void lease_tell(struct lan *lan, const struct lease *lease)
{
	if (lan->host.lease_changed != NULL)
		lan->host.lease_changed(lan->host.context, &lease->lease);
}

void lease_bind(
	struct lan *lan, struct lease *lease, const struct lease_client *client, uint32_t seconds)
{
	lease->state = LEASE_BOUND;
	client_remember(&lease->lease, client);
	lease->lease.expires_ms = lan->now_ms + seconds * UINT64_C(1000);
	neighbour_learn(lan, lease->lease.family, &lease->lease.address, client->mac);
	lease_tell(lan, lease);
}

void lease_end(struct lan *lan, struct lease *lease)
{
	if (lease->state != LEASE_BOUND) {
		lease_remove(lan, lease);
		return;
	}
	lease->lease.expires_ms = lan->now_ms;
	neighbour_forget(lan, lease->lease.family, &lease->lease.address);
	lease_tell(lan, lease);
}

/* Has this machine found as many addresses taken as one may? */
static bool declines_enough(const struct lan *lan, const uint8_t mac[6])
{
	unsigned count = 0;

	for (unsigned i = 0; i < lan->leases.max; i++)
		count += lan->leases.lease[i].state == LEASE_DECLINED &&
			 mac_equal(lan->leases.lease[i].lease.mac, mac);
	return count >= DECLINES_MAX;
}

void lease_decline(struct lan *lan, struct lease *lease)
{
	if (lease->state == LEASE_BOUND)
		lease_end(lan, lease);
	if (declines_enough(lan, lease->lease.mac)) {
		lease_remove(lan, lease);
		return;
	}
	lease->state = LEASE_DECLINED;
	lease->lease.expires_ms = lan->now_ms + DECLINE_MS;
}

void lease_withdraw(struct lan *lan, struct lease *lease)
{
	if (lease->state == LEASE_OFFERED)
		lease_remove(lan, lease);
}

bool lan_lease_restore(struct lan *lan, const struct lan_lease *known)
{
	struct lease *lease;

	if (!lan->settings.many || !lan_subnet_has(lan, known->family, &known->address) ||
		addr_equal(&known->address, lan_gateway(lan, known->family)) ||
		lease_find(lan, known->family, &known->address) != NULL)
		return false;
	lease = lease_add(lan, known->family, &known->address);
	if (lease == NULL)
		return false;
	lease->state = LEASE_BOUND;
	lease->lease = *known;
	return true;
}
