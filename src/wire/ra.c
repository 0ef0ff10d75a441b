/* SPDX-License-Identifier: BSD-2-Clause */
/* ra: see ra.h.  Options are of units of eight bytes; what is reserved is zero. */
#include "wire/ra.h"

#include <string.h>

#define OPTION_SOURCE_MAC 1
#define OPTION_PREFIX     3
#define OPTION_MTU        5
#define OPTION_DNS        25
#define OPTION_SEARCH     31
#define OPTION_PREF64     38
#define UNIT              8

static void put16(uint8_t *at, uint16_t value)
{
	const be16 wire = htons(value);

	memcpy(at, &wire, sizeof(wire));
}

static void put32(uint8_t *at, uint32_t value)
{
	const be32 wire = htonl(value);

	memcpy(at, &wire, sizeof(wire));
}

/* RFC 4861, 4.2: reachable time and retransmission timer are left to the hosts. */
void ra_begin(struct ra *ra, uint8_t *bytes, size_t capacity, uint8_t hop_limit, uint8_t flags,
	uint16_t lifetime_s)
{
	*ra = (struct ra){bytes, 12, capacity};
	memset(bytes, 0, ra->length);
	bytes[0] = hop_limit;
	bytes[1] = flags;
	put16(bytes + 2, lifetime_s);
}

/* Room for an option, all zeros but its head; NULL: there is none. */
static uint8_t *option_add(struct ra *ra, uint8_t type, size_t length)
{
	uint8_t *option = ra->bytes + ra->length;

	if (ra->length + length > ra->capacity)
		return NULL;
	memset(option, 0, length);
	option[0] = type;
	option[1] = (uint8_t)(length / UNIT);
	ra->length += length;
	return option;
}

void ra_mac(struct ra *ra, const uint8_t mac[6])
{
	uint8_t *option = option_add(ra, OPTION_SOURCE_MAC, UNIT);

	if (option != NULL)
		memcpy(option + 2, mac, 6);
}

void ra_mtu(struct ra *ra, uint32_t mtu)
{
	uint8_t *option = option_add(ra, OPTION_MTU, UNIT);

	if (option != NULL)
		put32(option + 4, mtu);
}

void ra_prefix(struct ra *ra, const struct prefix *prefix, uint8_t flags, uint32_t valid_s,
	uint32_t preferred_s)
{
	uint8_t *option = option_add(ra, OPTION_PREFIX, 4 * UNIT);

	if (option == NULL)
		return;
	option[2] = prefix->length;
	option[3] = flags;
	put32(option + 4, valid_s);
	put32(option + 8, preferred_s);
	memcpy(option + 16, prefix->base.bytes, 16);
}

/* RFC 8106, 5.1 */
void ra_dns(struct ra *ra, const union addr *servers, unsigned count, uint32_t lifetime_s)
{
	uint8_t *option = count > 0 ? option_add(ra, OPTION_DNS, UNIT + count * (size_t)16) : NULL;

	if (option == NULL)
		return;
	put32(option + 4, lifetime_s);
	for (unsigned i = 0; i < count; i++)
		memcpy(option + UNIT + i * (size_t)16, servers[i].bytes, 16);
}

/* RFC 8106, 5.2 */
void ra_search(struct ra *ra, const uint8_t *wire, size_t wire_length, uint32_t lifetime_s)
{
	const size_t length = UNIT + (wire_length + UNIT - 1) / UNIT * UNIT;
	uint8_t *option = option_add(ra, OPTION_SEARCH, length);

	if (option == NULL)
		return;
	put32(option + 4, lifetime_s);
	memcpy(option + UNIT, wire, wire_length);
}

/* RFC 8781, 4: the lifetime in units of eight seconds, then a code for the length. */
void ra_pref64(struct ra *ra, const struct prefix *prefix, uint32_t lifetime_s)
{
	static const uint8_t lengths[] = {96, 64, 56, 48, 40, 32};
	const uint8_t *found = memchr(lengths, prefix->length, sizeof(lengths));
	uint8_t *option = found != NULL ? option_add(ra, OPTION_PREF64, 2 * UNIT) : NULL;

	if (option == NULL)
		return;
	put16(option + 2, (uint16_t)(lifetime_s / 8 << 3 | (uint32_t)(found - lengths)));
	memcpy(option + 4, prefix->base.bytes, 12);
}
