/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate: IPv4 and IPv6 packets into each other.
 *
 * What an IP header says is read into struct translate_fields, from either family, and written from
 * there, to either.  Options and extension headers are left out; those that matter (source routes)
 * have been refused by the parser.
 */
#include "wire/translate_parts.h"

#include <arpa/inet.h>
#include <string.h>
#include "base/cksum.h"
#include "wire/fragment.h"
#include "wire/rewrite.h"

static_assert(PACKET_HEADROOM >= 30 + TRANSLATE_GROWTH, "and a link's own headers before it");

/* ---- headers ---- */

/* The IPv6 fragment header at `at` or behind, before the L4 header; NULL where there is none. */
static const struct ipv6_fragment *find_fragment(
	const uint8_t *data, uint32_t at, uint32_t l4, uint8_t next_header)
{
	while (at < l4 && next_header != IPPROTO_FRAGMENT) {
		const struct ipv6_extension *extension = (const void *)(data + at);

		next_header = extension->next_header;
		at += (extension->length + 1U) * 8;
	}
	return at < l4 ? (const void *)(data + at) : NULL;
}

static void read_ipv6(const uint8_t *data, uint32_t at, const struct headers *headers,
	struct translate_fields *fields)
{
	const struct ipv6_header *ip = (const void *)(data + at);
	const struct ipv6_fragment *fragment =
		find_fragment(data, at + (uint32_t)sizeof(*ip), headers->l4, ip->next_header);

	fields->tos = (uint8_t)(ntohl(ip->version_class_flow) >> 20);
	fields->l4_bytes = (uint32_t)sizeof(*ip) + ntohs(ip->payload_length) - (headers->l4 - at);
	if (fragment == NULL)
		return;
	fields->fragment = true;
	fields->position = (struct fragment_position){
		.id = ntohl(fragment->id),
		.offset = ntohs(fragment->offset) & 0xfff8,
		.more = ntohs(fragment->offset) & 1,
	};
}

static void read_ipv4(const uint8_t *data, uint32_t at, const struct headers *headers,
	struct translate_fields *fields)
{
	const struct ipv4_header *ip = (const void *)(data + at);
	const uint32_t fragment = ntohs(ip->fragment);

	fields->tos = ip->tos;
	fields->l4_bytes = ntohs(ip->total_length) - (headers->l4 - at);
	fields->fragment = fragment & (IPV4_MF | IPV4_OFFSET_MASK);
	fields->position = (struct fragment_position){
		.id = ntohs(ip->id),
		.offset = (uint16_t)((fragment & IPV4_OFFSET_MASK) * 8),
		.more = fragment & IPV4_MF,
	};
}

/* What the header at `at`, which `headers` describes, says. */
void translate_read(const uint8_t *data, uint32_t at, const struct headers *headers,
	struct translate_fields *fields)
{
	*fields = (struct translate_fields){
		.ttl = headers->ttl,
		.protocol = translate_protocol(headers->protocol),
	};
	if (headers->family == AF_INET)
		read_ipv4(data, at, headers, fields);
	else
		read_ipv6(data, at, headers, fields);
	fields->may_fragment =
		headers->family == AF_INET
			? headers->may_fragment
			: fields->fragment || sizeof(struct ipv4_header) + fields->l4_bytes <=
						      TRANSLATE_PLAIN_MAX;
}

static void write_ipv4(uint8_t *to, const struct translate_fields *fields, const union addr *source,
	const union addr *destination)
{
	const struct fragment_position *position = &fields->position;
	struct ipv4_header *ip = (void *)to;

	*ip = (struct ipv4_header){
		.version_length = 0x45,
		.tos = fields->tos,
		.total_length = htons((uint16_t)(sizeof(*ip) + fields->l4_bytes)),
		.id = fields->fragment ? htons((uint16_t)position->id) : 0,
		.fragment = htons(
			(uint16_t)(position->offset / 8 | (fields->may_fragment ? 0 : IPV4_DF) |
				   (position->more ? IPV4_MF : 0))),
		.ttl = fields->ttl,
		.protocol = fields->protocol,
		.source = source->v4,
		.destination = destination->v4,
	};
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, sizeof(*ip)));
}

/* A fragment header is for fragments alone (RFC 8021). */
static void write_ipv6(uint8_t *to, const struct translate_fields *fields, const union addr *source,
	const union addr *destination)
{
	const struct fragment_position *position = &fields->position;
	struct ipv6_header *ip = (void *)to;
	struct ipv6_fragment *fragment = (void *)(ip + 1);
	const size_t extra = fields->fragment ? sizeof(*fragment) : 0;

	*ip = (struct ipv6_header){
		.version_class_flow = htonl(6U << 28 | (uint32_t)fields->tos << 20),
		.payload_length = htons((uint16_t)(extra + fields->l4_bytes)),
		.next_header = fields->fragment ? IPPROTO_FRAGMENT : fields->protocol,
		.hop_limit = fields->ttl,
	};
	memcpy(ip->source, source, sizeof(ip->source));
	memcpy(ip->destination, destination, sizeof(ip->destination));
	if (fields->fragment)
		*fragment = (struct ipv6_fragment){
			.next_header = fields->protocol,
			.offset = htons((uint16_t)(position->offset | position->more)),
			.id = htonl(position->id),
		};
}

uint32_t translate_header_bytes(uint8_t old_family, const struct translate_fields *fields)
{
	if (old_family == AF_INET6)
		return sizeof(struct ipv4_header);
	return (uint32_t)(sizeof(struct ipv6_header) +
			  (fields->fragment ? sizeof(struct ipv6_fragment) : 0));
}

void translate_write(uint8_t old_family, uint8_t *to, const struct translate_fields *fields,
	const union addr *source, const union addr *destination)
{
	if (old_family == AF_INET6)
		write_ipv4(to, fields, source, destination);
	else
		write_ipv6(to, fields, source, destination);
}

/* ---- checksums ---- */

/* What taking one pair of addresses out of a pseudo-header and another one in makes. */
static uint16_t addresses_delta(
	const struct headers *old, const union addr *source, const union addr *destination)
{
	const uint8_t family = old->family == AF_INET ? AF_INET6 : AF_INET;

	return cksum_delta(cksum_address(old->family, &old->source) +
				   cksum_address(old->family, &old->destination),
		cksum_address(family, source) + cksum_address(family, destination));
}

/* Type and code as they lie in memory. */
static be16 icmp_first_word(const struct icmp_header *icmp)
{
	be16 word;

	memcpy(&word, icmp, sizeof(word));
	return word;
}

/* An echo gets its new type, and ICMPv6 a pseudo-header that ICMP has not. */
static void translate_echo(struct icmp_header *icmp, const struct headers *old, uint32_t l4_bytes,
	const union addr *source, const union addr *destination)
{
	uint64_t removed = icmp_first_word(icmp), added;

	translate_icmp_type(old->family, &icmp->type, &icmp->code);
	added = icmp_first_word(icmp);
	if (old->family == AF_INET)
		added += cksum_pseudo(AF_INET6, source, destination, IPPROTO_ICMPV6, l4_bytes);
	else
		removed += cksum_pseudo(
			AF_INET6, &old->source, &old->destination, IPPROTO_ICMPV6, l4_bytes);
	icmp->checksum = cksum_apply(icmp->checksum, cksum_delta(removed, added));
}

/* A UDP checksum that was not there, over all of the datagram (RFC 7915, 4.5). */
static void make_udp_checksum(struct udp_header *udp, uint32_t bytes, const union addr *source,
	const union addr *destination)
{
	udp->checksum = (be16)~cksum_fold(cksum_add(
		udp, bytes, cksum_pseudo(AF_INET6, source, destination, IPPROTO_UDP, bytes)));
	if (udp->checksum == 0)
		udp->checksum = 0xffff;
}

/* The L4 header at `l4`, of which `bytes` are there and which `old` describes.  TCP and UDP differ
 * in the addresses of their pseudo-header alone.  A UDP checksum of 0 is left. */
void translate_l4(void *l4, uint32_t bytes, const struct headers *old, uint32_t l4_bytes,
	bool partial, const union addr *source, const union addr *destination)
{
	const uint16_t delta = addresses_delta(old, source, destination);
	struct tcp_header *tcp = l4;
	struct udp_header *udp = l4;

	switch (old->kind) {
	case L4_TCP:
		if (bytes < offsetof(struct tcp_header, urgent))
			break;
		tcp->checksum = partial ? cksum_apply_partial(tcp->checksum, delta)
					: cksum_apply(tcp->checksum, delta);
		break;
	case L4_UDP:
		if (partial)
			udp->checksum = cksum_apply_partial(udp->checksum, delta);
		else if (udp->checksum != 0)
			udp->checksum = cksum_apply(udp->checksum, delta) ?: 0xffff;
		break;
	case L4_ICMP_QUERY:
		translate_echo(l4, old, l4_bytes, source, destination);
		break;
	}
}

/* ---- packets ---- */

/* In IPv6 these are no protocols of their own; ICMP of the other family belongs to nobody; IGMP
 * never leaves its link. */
bool translate_is_common(uint8_t family, uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_IGMP:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_NONE:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
		return false;
	default:
		return protocol != (family == AF_INET ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	}
}

static bool refuse(enum drop *drop, enum drop reason)
{
	*drop = reason;
	return false;
}

bool packet_may_translate(const struct packet *packet, enum drop *drop)
{
	const struct headers *headers = &packet->headers;
	const bool part = headers->kind == L4_FRAGMENT || headers->more_fragments;
	const bool icmp = headers->protocol == IPPROTO_ICMP || headers->protocol == IPPROTO_ICMPV6;
	const struct udp_header *udp = packet_l4(packet);
	uint8_t type = headers->icmp_type, code = headers->icmp_code;

	if (!translate_is_common(headers->family, headers->protocol))
		return refuse(drop, DROP_BAD_HEADER);
	if (icmp && part)
		return refuse(drop, DROP_FRAGMENT);
	if (icmp && !translate_icmp_type(headers->family, &type, &code))
		return refuse(drop, DROP_ICMP_TYPE);
	if (headers->family == AF_INET) {
		if (headers->kind == L4_UDP && part && udp->checksum == 0)
			return refuse(drop, DROP_FRAGMENT);
		return true;
	}
	/* An extension header that was divided among the fragments cannot be left out. */
	if (part && fragment_start(packet) != headers->l4)
		return refuse(drop, DROP_FRAGMENT);
	if (sizeof(struct ipv4_header) + headers->end - headers->l4 > UINT16_MAX)
		return refuse(drop, DROP_TOO_BIG);
	return true;
}

bool packet_translates_to_plain(const struct packet *packet)
{
	struct translate_fields fields;

	translate_read(packet->data, 0, &packet->headers, &fields);
	return fields.may_fragment;
}

int32_t packet_translated_growth(const struct packet *packet)
{
	const struct headers *headers = &packet->headers;

	if (headers->family == AF_INET6)
		return (int32_t)sizeof(struct ipv4_header) - headers->l4;
	return (int32_t)sizeof(struct ipv6_header) - headers->l4 +
	       (packet_is_fragment(packet) ? (int32_t)sizeof(struct ipv6_fragment) : 0);
}

static void translate_offload(struct offload *offload, int32_t shift)
{
	if (offload->flags & OFFLOAD_NEEDS_CSUM)
		offload->csum_start = (uint16_t)(offload->csum_start + shift);
	if (offload->gso_type == OFFLOAD_GSO_NONE)
		return;
	offload->header_size = (uint16_t)(offload->header_size + shift);
	if ((offload->gso_type & ~OFFLOAD_GSO_ECN) != OFFLOAD_GSO_UDP_L4)
		offload->gso_type ^= OFFLOAD_GSO_TCPV4 ^ OFFLOAD_GSO_TCPV6;
}

/* The same L4 part behind a header that is `shift` bytes longer. */
void translate_describe(struct headers *headers, const struct translate_fields *fields,
	int32_t shift, const union addr *source, const union addr *destination)
{
	headers->family = headers->family == AF_INET ? AF_INET6 : AF_INET;
	headers->protocol = fields->protocol;
	headers->l4 = (uint16_t)(headers->l4 + shift);
	headers->payload = (uint16_t)(headers->payload + shift);
	headers->end = (uint32_t)((int32_t)headers->end + shift);
	headers->source = *source;
	headers->destination = *destination;
	headers->may_fragment = fields->may_fragment;
}

/* Let the packet begin `bytes` earlier; what is there then is to be written. */
void translate_shift(struct packet *packet, int32_t bytes)
{
	packet->data -= bytes;
	packet->capacity = (uint32_t)((int32_t)packet->capacity + bytes);
	packet->hashed = false;
}

/* The checksum is made anew: that of an echo without a pseudo-header may be over nothing but zeros,
 * where adding a difference gives the wrong one of the two zeros. */
static void translate_query(struct packet *packet, uint8_t old_family)
{
	struct headers *headers = &packet->headers;
	struct icmp_header *icmp = packet_l4(packet);

	translate_icmp_type(old_family, &headers->icmp_type, &headers->icmp_code);
	icmp->type = headers->icmp_type;
	packet_icmp_checksum(packet);
}

void packet_translate(
	struct packet *packet, const union addr *source, const union addr *destination)
{
	struct headers *headers = &packet->headers;
	const uint8_t old_family = headers->family;
	void *l4 = packet_l4(packet);
	struct udp_header *udp = l4;
	struct translate_fields fields;

	translate_read(packet->data, 0, headers, &fields);
	if (packet->offload.gso_type != OFFLOAD_GSO_NONE && old_family == AF_INET6)
		fields.may_fragment = false;
	if (headers->kind != L4_ICMP_QUERY)
		translate_l4(l4, headers->end - headers->l4, headers, fields.l4_bytes,
			packet_checksum_is_partial(packet), source, destination);
	if (headers->kind == L4_UDP && udp->checksum == 0 && old_family == AF_INET)
		make_udp_checksum(udp, ntohs(udp->length), source, destination);

	const int32_t shift = (int32_t)translate_header_bytes(old_family, &fields) - headers->l4;
	translate_shift(packet, shift);
	packet->length = (uint32_t)((int32_t)packet->length + shift);
	translate_offload(&packet->offload, shift);
	translate_describe(headers, &fields, shift, source, destination);
	translate_write(old_family, packet->data, &fields, source, destination);
	if (headers->kind == L4_ICMP_QUERY)
		translate_query(packet, old_family);
}
