/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embed: IPv4 addresses inside IPv6 ones (RFC 6052, 2.2): a prefix, the four bytes behind it, and
 * zeros, byte 8 (bits 64 to 71) always being one of them.
 */
#ifndef TUNGATE_BASE_EMBED_H
#define TUNGATE_BASE_EMBED_H

#include "base/addr.h"

/* 64:ff9b::/96, for whoever does not choose a prefix of its own. */
extern const struct prefix embed_well_known;

/* May a prefix of this length carry addresses?  32, 40, 48, 56, 64, 96. */
bool embed_length_is_valid(unsigned length);
/* The IPv6 address of an IPv4 one.  The prefix's length must be valid. */
union addr embed_address(const struct prefix *prefix, const union addr *v4);
/* The IPv4 address in an IPv6 one; false where that is not what embed_address() makes. */
bool embed_extract(const struct prefix *prefix, const union addr *v6, union addr *v4);

#endif
