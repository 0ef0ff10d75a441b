/* SPDX-License-Identifier: BSD-2-Clause */
/* embed: IPv4 addresses inside IPv6 ones. */
#include "base/embed.h"

#define RESERVED_BYTE 8

const struct prefix embed_well_known = {
	.base = {.bytes = {0x00, 0x64, 0xff, 0x9b}},
	.family = AF_INET6,
	.length = 96,
};

bool embed_length_is_valid(unsigned length)
{
	return length == 96 || (length >= 32 && length <= 64 && length % 8 == 0);
}

/* Where byte `i` of the IPv4 address goes. */
static unsigned byte_place(const struct prefix *prefix, unsigned i)
{
	const unsigned place = prefix->length / 8U + i;

	return prefix->length <= 64 && place >= RESERVED_BYTE ? place + 1 : place;
}

union addr embed_address(const struct prefix *prefix, const union addr *v4)
{
	union addr v6 = prefix->base;

	for (unsigned i = 0; i < 4; i++)
		v6.bytes[byte_place(prefix, i)] = v4->bytes[i];
	return v6;
}

bool embed_extract(const struct prefix *prefix, const union addr *v6, union addr *v4)
{
	*v4 = (union addr){0};
	for (unsigned i = 0; i < 4; i++)
		v4->bytes[i] = v6->bytes[byte_place(prefix, i)];
	const union addr again = embed_address(prefix, v4);
	return addr_equal(&again, v6);
}
