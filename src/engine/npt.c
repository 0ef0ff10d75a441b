/* SPDX-License-Identifier: BSD-2-Clause */
/* npt: checksum-neutral prefix translation (RFC 6296, section 3). */
#include "engine/npt.h"

#include "base/cksum.h"

#define FFFF  ((be16)0xffff)
#define WORDS 8

/*
 * The word that is adjusted: the subnet's number, bits 48 to 63, where the prefix leaves it free
 * (section 3.4); else the first word behind the prefix, of the interface identifier, that is not
 * ffff (3.5).  WORDS where there is none.  Looking at the address that goes in or at the one that
 * comes out finds the same word: the words before it are the same in both, and no result is ffff.
 */
static unsigned word_to_adjust(const struct prefix *prefix, const union addr *address)
{
	unsigned i = prefix->length <= 48   ? 3
		     : prefix->length <= 64 ? 4
					    : (prefix->length + 15U) / 16;
	const unsigned last = prefix->length <= 48 ? 3 : WORDS - 1;

	while (i <= last && address->words[i] == FFFF)
		i++;
	return i <= last ? i : WORDS;
}

/* Host bits of `address` behind the prefix `to`. */
static void replace_prefix(const struct prefix *to, union addr *address)
{
	for (unsigned bit = 0; bit < to->length; bit += 8) {
		const unsigned left = to->length - bit;
		const uint8_t mask = (uint8_t)(left >= 8 ? 0xff : 0xff00 >> left);
		uint8_t *byte = &address->bytes[bit / 8];

		*byte = (uint8_t)((*byte & ~mask) | (to->base.bytes[bit / 8] & mask));
	}
}

bool npt_map(const struct prefix *from, const struct prefix *to, union addr *address)
{
	const unsigned i = word_to_adjust(from, address);
	/* What the new prefix adds to a sum is taken out again. */
	const uint16_t adjustment = cksum_delta(
		cksum_address(AF_INET6, &to->base), cksum_address(AF_INET6, &from->base));

	if (i == WORDS)
		return false;
	replace_prefix(to, address);
	address->words[i] = cksum_fold((uint64_t)address->words[i] + adjustment);
	if (address->words[i] == FFFF)
		address->words[i] = 0;
	return true;
}
