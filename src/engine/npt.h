/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npt: IPv6 addresses from one prefix to another and back (RFC 6296), without state and without a
 * change to any checksum: one word of the address takes up what the new prefix adds.
 *
 * Each inside address has one outside address, and the other way round; two rules for the two
 * directions are one.  That the engine makes a flow of it all the same, so that the filter stays
 * stateful, is no part of the mapping: a flow that is forgotten comes back with the same addresses.
 */
#ifndef TUNGATE_ENGINE_NPT_H
#define TUNGATE_ENGINE_NPT_H

#include "base/addr.h"

/* The longest prefix: behind it, a word of the interface identifier must be left to adjust. */
#define NPT_PREFIX_MAX 112

/*
 * The address that `address`, of prefix `from`, has in prefix `to`, both of one length.  False
 * where it has none: its word that would have to be adjusted is ffff, which one's complement cannot
 * tell from 0 (RFC 6296, 3.4 and 3.5).
 */
bool npt_map(const struct prefix *from, const struct prefix *to, union addr *address);

#endif
