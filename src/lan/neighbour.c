/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neighbour: who has which address on this link.
 *
 * On a link of many guests an entry pins an address to a MAC: the first that shows to have it, or
 * who has the lease.  Another MAC that claims it is refused, and the holder asked whether it is
 * still there; if nobody answers, the address is free for who claims it next.  While packets go to
 * it, a neighbour that has been silent for a while is asked likewise (RFC 4861, 7.3).
 *
 *	FREE -> WAITING        a packet goes to an address whose MAC is not known
 *	WAITING -> KNOWN       it answers
 *	WAITING -> FAILED      it does not, three times; packets are refused at once for a while
 *	FREE -> KNOWN          it shows itself
 *	KNOWN -> PROBED        it was silent, or another claims to be it
 *	PROBED -> KNOWN, FREE  it answers, or not
 *
 * On a link of one guest there is one MAC.  Entries are the IPv6 addresses that the guest has
 * taken, which need no asking; and WAITING ones as long as its MAC is not known.
 */
#include "lan/state.h"

#define ASK_MS     1000 /* RFC 4861, 10: RETRANS_TIMER */
#define ASK_TRIES  3    /* ... MAX_UNICAST_SOLICIT, MAX_MULTICAST_SOLICIT */
#define FAILED_MS  3000
#define STALE_MS   30000 /* ... REACHABLE_TIME */
#define CONTEST_MS 5000  /* one that showed itself just now need not be asked */
#define IDLE_MS    60000 /* gives way to a new one */
#define PER_MAC    16    /* addresses of one machine */

/* ---- the table ---- */

static uint16_t *bucket_of(struct lan *lan, const union addr *address)
{
	const uint64_t hash = siphash_words(&lan->key, address->halves, 2);

	return &lan->bucket[hash % NEIGHBOUR_BUCKETS];
}

struct neighbour *neighbour_find(struct lan *lan, uint8_t family, const union addr *address)
{
	for (uint16_t i = *bucket_of(lan, address); i != NEIGHBOUR_NONE;
		i = lan->neighbour[i].next) {
		struct neighbour *neighbour = &lan->neighbour[i];

		if (neighbour->family == family && addr_equal(&neighbour->address, address))
			return neighbour;
	}
	return NULL;
}

static uint16_t number_of(const struct lan *lan, const struct neighbour *neighbour)
{
	return (uint16_t)(neighbour - lan->neighbour);
}

static bool is_proven(const struct neighbour *neighbour)
{
	return neighbour->state == NEIGHBOUR_KNOWN || neighbour->state == NEIGHBOUR_PROBED;
}

static void neighbour_remove(struct lan *lan, struct neighbour *neighbour)
{
	const uint16_t number = number_of(lan, neighbour);
	uint16_t *link = bucket_of(lan, &neighbour->address);

	held_drop(lan, number);
	if (!lan->settings.many && is_proven(neighbour) && lan->host.address_gone != NULL)
		lan->host.address_gone(lan->host.context, neighbour->family, &neighbour->address);
	while (*link != number)
		link = &lan->neighbour[*link].next;
	*link = neighbour->next;
	*neighbour = (struct neighbour){.next = lan->neighbour_free};
	lan->neighbour_free = number;
}

/* The one that has been silent for longest, if it was for long enough. */
static struct neighbour *neighbour_idlest(struct lan *lan)
{
	struct neighbour *idlest = NULL;

	for (unsigned i = 0; i < lan->neighbour_max; i++) {
		struct neighbour *neighbour = &lan->neighbour[i];

		if (neighbour->state != NEIGHBOUR_FREE &&
			neighbour->seen_ms + IDLE_MS <= lan->now_ms &&
			(idlest == NULL || neighbour->seen_ms < idlest->seen_ms))
			idlest = neighbour;
	}
	return idlest;
}

static struct neighbour *neighbour_add(struct lan *lan, uint8_t family, const union addr *address)
{
	if (lan->neighbour_free == NEIGHBOUR_NONE) {
		struct neighbour *idlest = neighbour_idlest(lan);

		if (idlest == NULL) {
			lan_count(lan, LAN_COUNT_FULL);
			return NULL;
		}
		neighbour_remove(lan, idlest);
	}
	uint16_t *bucket = bucket_of(lan, address);
	const uint16_t number = lan->neighbour_free;
	struct neighbour *neighbour = &lan->neighbour[number];
	lan->neighbour_free = neighbour->next;
	*neighbour = (struct neighbour){
		.family = family, .address = *address, .seen_ms = lan->now_ms, .next = *bucket};
	*bucket = number;
	return neighbour;
}

void neighbours_init(struct lan *lan)
{
	for (unsigned i = 0; i < NEIGHBOUR_BUCKETS; i++)
		lan->bucket[i] = NEIGHBOUR_NONE;
	lan->neighbour_free = NEIGHBOUR_NONE;
	for (uint16_t i = lan->neighbour_max; i-- > 0;) {
		lan->neighbour[i].next = lan->neighbour_free;
		lan->neighbour_free = i;
	}
	lan->due_ms = UINT64_MAX;
}

void neighbours_forget(struct lan *lan)
{
	for (unsigned i = 0; i < lan->neighbour_max; i++)
		if (lan->neighbour[i].state != NEIGHBOUR_FREE)
			neighbour_remove(lan, &lan->neighbour[i]);
}

/* ---- asking ---- */

static void due_set(struct lan *lan, struct neighbour *neighbour, uint64_t after_ms)
{
	neighbour->due_ms = lan->now_ms + after_ms;
	if (neighbour->due_ms < lan->due_ms)
		lan->due_ms = neighbour->due_ms;
}

static void neighbour_ask(struct lan *lan, struct neighbour *neighbour)
{
	const uint8_t *mac = neighbour->state == NEIGHBOUR_PROBED ? neighbour->mac : NULL;

	neighbour->tries++;
	due_set(lan, neighbour, ASK_MS);
	if (neighbour->family == AF_INET)
		arp_ask(lan, &neighbour->address, mac);
	else
		ndp_ask(lan, &neighbour->address, mac);
}

static void neighbour_probe(struct lan *lan, struct neighbour *neighbour)
{
	if (neighbour->state != NEIGHBOUR_KNOWN)
		return;
	neighbour->state = NEIGHBOUR_PROBED;
	neighbour->tries = 0;
	neighbour_ask(lan, neighbour);
}

/* Nobody has answered. */
static void neighbour_fail(struct lan *lan, struct neighbour *neighbour)
{
	if (neighbour->state != NEIGHBOUR_WAITING) {
		neighbour_remove(lan, neighbour);
		return;
	}
	held_drop(lan, number_of(lan, neighbour));
	neighbour->state = NEIGHBOUR_FAILED;
	due_set(lan, neighbour, FAILED_MS);
}

void neighbours_tick(struct lan *lan)
{
	if (lan->now_ms < lan->due_ms)
		return;
	lan->due_ms = UINT64_MAX;
	for (unsigned i = 0; i < lan->neighbour_max; i++) {
		struct neighbour *neighbour = &lan->neighbour[i];

		if (neighbour->state == NEIGHBOUR_FREE || neighbour->state == NEIGHBOUR_KNOWN)
			continue;
		if (neighbour->due_ms > lan->now_ms)
			due_set(lan, neighbour, neighbour->due_ms - lan->now_ms);
		else if (neighbour->state == NEIGHBOUR_FAILED || neighbour->tries >= ASK_TRIES)
			neighbour_fail(lan, neighbour);
		else
			neighbour_ask(lan, neighbour);
	}
}

/* ---- learning ---- */

static void neighbour_confirm(struct lan *lan, struct neighbour *neighbour, const uint8_t mac[6])
{
	const bool was_waiting = neighbour->state == NEIGHBOUR_WAITING;

	neighbour->state = NEIGHBOUR_KNOWN;
	neighbour->seen_ms = lan->now_ms;
	memcpy(neighbour->mac, mac, sizeof(neighbour->mac));
	if (was_waiting)
		held_release(lan, number_of(lan, neighbour), mac);
}

/* It has the address, which has no entry yet where `neighbour` is NULL.  False: there is no room.
 */
static bool neighbour_settle(struct lan *lan, struct neighbour *neighbour, uint8_t family,
	const union addr *address, const uint8_t mac[6])
{
	if (neighbour == NULL)
		neighbour = neighbour_add(lan, family, address);
	if (neighbour == NULL)
		return false;
	neighbour_confirm(lan, neighbour, mac);
	return true;
}

static bool mac_has_room(const struct lan *lan, const uint8_t mac[6])
{
	unsigned count = 0;

	for (unsigned i = 0; i < lan->neighbour_max; i++)
		if (is_proven(&lan->neighbour[i]) && mac_equal(lan->neighbour[i].mac, mac))
			count++;
	return count < PER_MAC;
}

bool neighbour_is_anothers(
	struct lan *lan, uint8_t family, const union addr *address, const uint8_t mac[6])
{
	const struct neighbour *neighbour = neighbour_find(lan, family, address);

	return lease_is_anothers(lan, family, address, mac) ||
	       (neighbour != NULL && is_proven(neighbour) && !mac_equal(neighbour->mac, mac));
}

static bool learn_of_many(
	struct lan *lan, uint8_t family, const union addr *address, const uint8_t mac[6])
{
	struct neighbour *neighbour = neighbour_find(lan, family, address);

	if (neighbour != NULL && is_proven(neighbour)) {
		if (mac_equal(neighbour->mac, mac)) {
			neighbour->seen_ms = lan->now_ms;
			neighbour->state = NEIGHBOUR_KNOWN;
			return true;
		}
		if (neighbour->seen_ms + CONTEST_MS <= lan->now_ms)
			neighbour_probe(lan, neighbour);
		return false;
	}
	if (!lan_subnet_has(lan, family, address) || lan_answers_for(lan, family, address) ||
		lease_is_anothers(lan, family, address, mac) || !mac_has_room(lan, mac))
		return false;
	return neighbour_settle(lan, neighbour, family, address, mac);
}

/* The guest's IPv6 addresses: as many as it may have, the one longest unused gives way. */
static bool learn_of_one(
	struct lan *lan, uint8_t family, const union addr *address, const uint8_t mac[6])
{
	struct neighbour *neighbour = neighbour_find(lan, family, address);
	struct neighbour *idlest = NULL;
	unsigned count = 0;

	if (neighbour != NULL && is_proven(neighbour)) {
		neighbour->seen_ms = lan->now_ms;
		return true;
	}
	for (unsigned i = 0; i < lan->neighbour_max; i++) {
		struct neighbour *other = &lan->neighbour[i];

		if (!is_proven(other))
			continue;
		count++;
		if (idlest == NULL || other->seen_ms < idlest->seen_ms)
			idlest = other;
	}
	if (count >= LAN_ADDRESSES6) {
		if (idlest->seen_ms + IDLE_MS > lan->now_ms) {
			lan_count(lan, LAN_COUNT_FULL);
			return false;
		}
		neighbour_remove(lan, idlest);
	}
	if (lan->host.address_learned != NULL &&
		!lan->host.address_learned(lan->host.context, family, address))
		return false;
	return neighbour_settle(lan, neighbour, family, address, mac);
}

bool neighbour_learn(
	struct lan *lan, uint8_t family, const union addr *address, const uint8_t mac[6])
{
	if (lan->settings.many)
		return learn_of_many(lan, family, address, mac);
	if (family == AF_INET)
		return addr_equal(address, &lan->settings.address4) && !addr_is_zero(address);
	return lan_subnet_has(lan, family, address) &&
	       !addr_equal(address, lan_gateway(lan, family)) &&
	       learn_of_one(lan, family, address, mac);
}

void neighbour_forget(struct lan *lan, uint8_t family, const union addr *address)
{
	struct neighbour *neighbour = neighbour_find(lan, family, address);

	if (neighbour != NULL)
		neighbour_remove(lan, neighbour);
}

void neighbours_arrived(struct lan *lan)
{
	for (uint16_t i = 0; i < lan->neighbour_max; i++) {
		struct neighbour *neighbour = &lan->neighbour[i];

		if (neighbour->state == NEIGHBOUR_WAITING)
			held_release(lan, i, lan->guest_mac);
		if (neighbour->state == NEIGHBOUR_WAITING || neighbour->state == NEIGHBOUR_FAILED)
			neighbour_remove(lan, neighbour);
	}
}

/* ---- sending ---- */

enum lan_send neighbour_resolve(
	struct lan *lan, uint8_t family, const union addr *address, struct packet *packet)
{
	struct neighbour *neighbour = neighbour_find(lan, family, address);

	if (neighbour != NULL && is_proven(neighbour)) {
		if (neighbour->seen_ms + STALE_MS <= lan->now_ms)
			neighbour_probe(lan, neighbour);
		frame_address(packet, neighbour->mac);
		return LAN_SEND;
	}
	if (neighbour == NULL) {
		neighbour = neighbour_add(lan, family, address);
		if (neighbour == NULL)
			return LAN_UNREACHABLE;
		neighbour->state = NEIGHBOUR_WAITING;
		neighbour_ask(lan, neighbour);
	}
	if (neighbour->state == NEIGHBOUR_FAILED)
		return LAN_UNREACHABLE;
	held_add(lan, number_of(lan, neighbour), packet);
	return LAN_HELD;
}
