/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ra: router advertisements, the ICMPv6 message and its options (RFC 4861, RFC 8106, RFC 8781).
 */
#ifndef TUNGATE_WIRE_RA_H
#define TUNGATE_WIRE_RA_H

#include <stddef.h>
#include "wire/headers.h"

#define RA_MANAGED 0x80 /* addresses are to be had by DHCPv6 */
#define RA_OTHER   0x40 /* other things are */

#define RA_PREFIX_ON_LINK    0x80 /* neighbours have addresses of it */
#define RA_PREFIX_AUTONOMOUS 0x40 /* hosts make themselves addresses of it */

/* What is written behind the ICMPv6 header's first four bytes. */
struct ra {
	uint8_t *bytes;
	size_t length, capacity;
};

/* Hop limit, flags RA_*, the router's lifetime; `capacity` 12 at least. */
void ra_begin(struct ra *ra, uint8_t *bytes, size_t capacity, uint8_t hop_limit, uint8_t flags,
	uint16_t lifetime_s);
/* Options.  One that there is no room for is left out. */
void ra_mac(struct ra *ra, const uint8_t mac[6]);
void ra_mtu(struct ra *ra, uint32_t mtu);
void ra_prefix(struct ra *ra, const struct prefix *prefix, uint8_t flags, uint32_t valid_s,
	uint32_t preferred_s);
void ra_dns(struct ra *ra, const union addr *servers, unsigned count, uint32_t lifetime_s);
/* `wire` in labels, of at most 255 bytes. */
void ra_search(struct ra *ra, const uint8_t *wire, size_t wire_length, uint32_t lifetime_s);
/* Of one of the lengths that NAT64 has; others are left out. */
void ra_pref64(struct ra *ra, const struct prefix *prefix, uint32_t lifetime_s);

#endif
