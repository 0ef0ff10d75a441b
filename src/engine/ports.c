/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports: finding, taking and releasing external ports.
 */
#include <netinet/in.h>
#include "engine/ports.h"

#define PORTS 65536u
#define WORDS (PORTS / 64)
/* Random ports tried before the search: nearly always enough below half use. */
#define RANDOM_TRIES 4
/* An entry with this bit is of a free port: the second until which it rests. */
#define ENTRY_RESTS 0x80000000u

size_t ports_bytes(unsigned addresses)
{
	return (size_t)addresses * PORTS_PROTOCOLS *
	       (PORTS * sizeof(uint32_t) + WORDS * sizeof(uint64_t));
}

void ports_init(
	struct ports *ports, void *memory, unsigned addresses, const struct siphash_key *key)
{
	uint64_t *bits = memory;

	*ports = (struct ports){
		.bits = bits,
		.entries = (uint32_t *)(bits + (size_t)addresses * PORTS_PROTOCOLS * WORDS),
		.count = addresses,
		.key = *key,
	};
}

int ports_protocol(uint8_t family, uint8_t ip_protocol)
{
	switch (ip_protocol) {
	case IPPROTO_TCP:
		return PORTS_TCP;
	case IPPROTO_UDP:
		return PORTS_UDP;
	case IPPROTO_ICMP:
		return family == AF_INET ? PORTS_ICMP : -1;
	case IPPROTO_ICMPV6:
		return family == AF_INET6 ? PORTS_ICMP : -1;
	default:
		return -1;
	}
}

/* ---- tables ---- */

static uint64_t *table_bits(const struct ports *ports, struct ports_table table)
{
	return ports->bits + ((size_t)table.address * PORTS_PROTOCOLS + table.protocol) * WORDS;
}

static uint32_t *table_entry(const struct ports *ports, struct ports_table table, uint16_t port)
{
	return ports->entries + ((size_t)table.address * PORTS_PROTOCOLS + table.protocol) * PORTS +
	       port;
}

static bool is_unused(const struct ports_address *address)
{
	for (unsigned i = 0; i < PORTS_PROTOCOLS; i++)
		if (address->used[i] != 0)
			return false;
	return true;
}

bool ports_find(const struct ports *ports, uint8_t family, const union addr *address,
	uint8_t ip_protocol, struct ports_table *table)
{
	const int protocol = ports_protocol(family, ip_protocol);

	for (unsigned i = 0; protocol >= 0 && i < ports->count; i++) {
		const struct ports_address *known = &ports->address[i];
		if (known->family == 0)
			return false;
		if (known->family != family || !addr_equal(&known->address, address))
			continue;
		*table = (struct ports_table){(uint8_t)i, (uint8_t)protocol};
		return true;
	}
	return false;
}

bool ports_open(struct ports *ports, uint8_t family, const union addr *address, uint8_t ip_protocol,
	struct ports_table *table)
{
	const int protocol = ports_protocol(family, ip_protocol);

	if (protocol < 0 || ports_find(ports, family, address, ip_protocol, table))
		return protocol >= 0;
	for (unsigned i = 0; i < ports->count; i++) {
		struct ports_address *unused = &ports->address[i];
		if (!is_unused(unused))
			continue;
		*unused = (struct ports_address){.family = family, .address = *address};
		*table = (struct ports_table){(uint8_t)i, (uint8_t)protocol};
		return true;
	}
	return false;
}

/* ---- finding ---- */

uint32_t ports_random(struct ports *ports, uint32_t bound)
{
	const uint64_t word = ports->counter++;

	return (uint32_t)(((siphash_words(&ports->key, &word, 1) >> 32) * bound) >> 32);
}

struct ports_slice ports_whole(const struct port_list *list)
{
	return (struct ports_slice){.list = list, .count = port_list_size(list)};
}

static bool is_taken(const uint64_t *bits, uint16_t port)
{
	return bits[port / 64] >> (port % 64) & 1;
}

static bool is_at_rest(uint32_t entry, uint64_t now_ms)
{
	return (entry & ENTRY_RESTS) && (entry & ~ENTRY_RESTS) > now_ms / 1000;
}

bool ports_is_free(
	const struct ports *ports, struct ports_table table, uint16_t port, uint64_t now_ms)
{
	return !is_taken(table_bits(ports, table), port) &&
	       !is_at_rest(*table_entry(ports, table, port), now_ms);
}

/* The first free port from `first` to `last`, or 0. */
static uint16_t range_search(const struct ports *ports, struct ports_table table, uint32_t first,
	uint32_t last, uint64_t now_ms)
{
	const uint64_t *bits = table_bits(ports, table);

	while (first <= last) {
		const uint64_t open = ~bits[first / 64] >> (first % 64);
		if (open == 0) {
			first = (first / 64 + 1) * 64;
			continue;
		}
		first += (uint32_t)__builtin_ctzll(open);
		if (first > last)
			break;
		if (!is_at_rest(*table_entry(ports, table, (uint16_t)first), now_ms))
			return (uint16_t)first;
		first++;
	}
	return 0;
}

/* The same among `count` ports of a list from its `first`-th on. */
static uint16_t list_search(const struct ports *ports, struct ports_table table,
	const struct port_list *list, uint32_t first, uint32_t count, uint64_t now_ms)
{
	for (unsigned i = 0; i < list->count && count > 0; i++) {
		const struct port_range *range = &list->range[i];
		const uint32_t size = range->last - range->first + 1u;
		if (first >= size) {
			first -= size;
			continue;
		}
		const uint32_t here = count < size - first ? count : size - first;
		const uint32_t start = range->first + first;
		const uint16_t port = range_search(ports, table, start, start + here - 1, now_ms);
		if (port != 0)
			return port;
		count -= here;
		first = 0;
	}
	return 0;
}

uint16_t ports_find_free(struct ports *ports, struct ports_table table,
	const struct ports_slice *slice, uint64_t now_ms)
{
	uint32_t start = 0;

	if (slice->count == 0)
		return 0;
	for (unsigned i = 0; i < RANDOM_TRIES; i++) {
		start = ports_random(ports, slice->count);
		const uint16_t port = port_list_at(slice->list, slice->first + start);
		if (ports_is_free(ports, table, port, now_ms))
			return port;
	}
	const uint16_t port = list_search(
		ports, table, slice->list, slice->first + start, slice->count - start, now_ms);
	return port != 0 ? port
			 : list_search(ports, table, slice->list, slice->first, start, now_ms);
}

/* ---- taking ---- */

uint32_t ports_user(const struct ports *ports, struct ports_table table, uint16_t port)
{
	if (!is_taken(table_bits(ports, table), port))
		return PORTS_NOBODY;
	return *table_entry(ports, table, port);
}

void ports_take(struct ports *ports, struct ports_table table, uint16_t port, uint32_t user)
{
	uint64_t *bits = table_bits(ports, table);

	if (!is_taken(bits, port))
		ports->address[table.address].used[table.protocol]++;
	bits[port / 64] |= (uint64_t)1 << (port % 64);
	*table_entry(ports, table, port) = user;
}

void ports_release(
	struct ports *ports, struct ports_table table, uint16_t port, uint64_t rest_until_ms)
{
	table_bits(ports, table)[port / 64] &= ~((uint64_t)1 << (port % 64));
	*table_entry(ports, table, port) =
		rest_until_ms == 0 ? 0 : ENTRY_RESTS | (uint32_t)((rest_until_ms + 999) / 1000);
	ports->address[table.address].used[table.protocol]--;
}
