/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate: packets of one family into packets of the other (RFC 7915), in place.
 *
 * Addresses are the caller's matter: a translator that remembers connections gives those of its
 * flow.  Ports stay; packet_rewrite() writes others afterwards.
 *
 * The L4 part does not move: the new header ends where the old one did, so `data` does, by the
 * difference between the two.  An IPv6 header takes up to TRANSLATE_GROWTH bytes of headroom.
 */
#ifndef TUNGATE_WIRE_TRANSLATE_H
#define TUNGATE_WIRE_TRANSLATE_H

#include "wire/parse.h"

/* Bytes that IPv6 needs more than IPv4: for whole packets, and for fragments. */
#define TRANSLATE_WHOLE  20
#define TRANSLATE_GROWTH 28

/* The largest IPv4 packet that is sent without DF, as an IPv6 router would have to carry it
 * (RFC 7915, 5.1). */
#define TRANSLATE_PLAIN_MAX (1280 - TRANSLATE_WHOLE)

/*
 * Can a parsed packet that is no ICMP error be translated?  Else `drop` says why not.
 *
 * ICMP_TYPE     a type that has no counterpart
 * FRAGMENT      ICMP in fragments (RFC 7915, 1.2), IPv4 UDP in fragments without a checksum, IPv6
 *               fragments of which the first has extension headers
 * BAD_HEADER    a protocol number that means something else in the other family
 * TOO_BIG       no IPv4 length can say how long it is
 */
bool packet_may_translate(const struct packet *packet, enum drop *drop);
/* May an IPv6 packet's translation be cut?  If it was a fragment, or small (RFC 7915, 5.1). */
bool packet_translates_to_plain(const struct packet *packet);
/* Bytes that the packet will be longer by; negative where it gets shorter. */
int32_t packet_translated_growth(const struct packet *packet);

/*
 * Translate a packet that packet_may_translate().  Afterwards packet->headers describes the new
 * one; where it may be cut, headers.may_fragment says so, of an IPv6 packet as well, as it is ours
 * (RFC 7915, 4).  An IPv4 packet that may be cut has identification 0, for the caller to replace.
 */
void packet_translate(
	struct packet *packet, const union addr *source, const union addr *destination);

/* What an ICMP error becomes. */
struct translate_error {
	const union addr *source, *destination;               /* of the error */
	const union addr *quoted_source, *quoted_destination; /* of the packet in it */
	uint32_t mtu; /* what the way that the quoted packet took carries at most, in the bytes of
			 the new family; 0: unknown */
};
/*
 * Translate a parsed ICMP error with the packet that it quotes, `inner` of packet_parse_quoted().
 * The quote is cut where the result would exceed what errors may be (RFC 1812 4.3.2.3, RFC 4443
 * 2.4 c) or what there is room for; RFC 4884 extensions behind it are kept while they fit.  False,
 * with packet->drop set, where there is no such error in the other family.
 */
bool packet_translate_error(
	struct packet *packet, const struct headers *inner, const struct translate_error *error);

/* The other family's name for an ICMP message of `family`; false where it has none.  Also for what
 * the filter is to be told. */
bool translate_icmp_type(uint8_t family, uint8_t *type, uint8_t *code);

/* The number of an L4 protocol in the other family: ICMP and ICMPv6 are each other's, everything
 * else is called the same. */
static inline uint8_t translate_protocol(uint8_t protocol)
{
	if (protocol == IPPROTO_ICMP)
		return IPPROTO_ICMPV6;
	return protocol == IPPROTO_ICMPV6 ? IPPROTO_ICMP : protocol;
}

#endif
