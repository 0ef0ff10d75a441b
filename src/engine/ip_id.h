/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_id: identifications for datagrams that leave with an address of ours.
 *
 * Guests behind one address number their datagrams without knowing of each other.  Where a receiver
 * may have to put parts together, two of them with one number would be mixed (RFC 6864, 4.3; RFC
 * 7857, 11), so they are numbered anew.  Numbers do not repeat before all others of the width have
 * been used, as a counter's, and cannot be foretold, as a counter's can (RFC 7739): they are a
 * counter's under a keyed permutation.  A counter is shared by those pairs of addresses that have
 * the same hash.
 */
#ifndef TUNGATE_ENGINE_IP_ID_H
#define TUNGATE_ENGINE_IP_ID_H

#include "base/addr.h"
#include "base/siphash.h"

#define IP_ID_COUNTERS 1024

struct ip_ids {
	struct siphash_key key;
	uint64_t counter[IP_ID_COUNTERS];
};

/* The next number from source to destination: 16 bits in IPv4, 32 in IPv6. */
uint32_t ip_id_next(struct ip_ids *ids, uint8_t family, const union addr *source,
	const union addr *destination, uint8_t protocol);

#endif
