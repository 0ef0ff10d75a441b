/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite: write new addresses and ports, add ready-made deltas to the checksums.
 *
 * Which delta goes where:
 *                      IPv4 header   L4, complete        L4, partial
 *   TCP, UDP           addresses     addresses + ports   addresses
 *   ICMP query         addresses     identifier          -
 *   ICMPv6             -             addresses + ident.  addresses
 *   GRE of a call      addresses     -                   -
 */
#include "wire/rewrite.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include "base/cksum.h"

void rewrite_prepare(struct rewrite *rewrite, uint8_t family, const union addr *old_source,
	const union addr *old_destination, be16 old_source_port, be16 old_destination_port)
{
	rewrite->address_delta = cksum_delta(
		cksum_address(family, old_source) + cksum_address(family, old_destination),
		cksum_address(family, rewrite->source) +
			cksum_address(family, rewrite->destination));
	rewrite->port_delta = cksum_delta((uint64_t)old_source_port + old_destination_port,
		(uint64_t)rewrite->source_port + rewrite->destination_port);
}

/* ---- addresses ---- */

static inline void write_ipv4(void *header, const union addr *source, const union addr *destination,
	uint16_t address_delta)
{
	struct ipv4_header *ip = header;

	ip->source = source->v4;
	ip->destination = destination->v4;
	ip->checksum = cksum_apply(ip->checksum, address_delta);
}

static inline void write_ipv6(void *header, const union addr *source, const union addr *destination)
{
	struct ipv6_header *ip = header;

	memcpy(ip->source, source, sizeof(ip->source));
	memcpy(ip->destination, destination, sizeof(ip->destination));
}

static inline void write_addresses(uint8_t family, void *header, const union addr *source,
	const union addr *destination, uint16_t address_delta)
{
	if (family == AF_INET)
		write_ipv4(header, source, destination, address_delta);
	else
		write_ipv6(header, source, destination);
}

void packet_rewrite_addresses(
	struct packet *packet, const union addr *source, const union addr *destination)
{
	struct rewrite rewrite = {.source = source, .destination = destination};
	struct headers *headers = &packet->headers;

	rewrite_prepare(&rewrite, headers->family, &headers->source, &headers->destination, 0, 0);
	write_addresses(headers->family, packet->data, source, destination, rewrite.address_delta);
	headers->source = *source;
	headers->destination = *destination;
}

/* ---- L4 ---- */

static inline be16 apply(be16 field, bool partial, const struct rewrite *rewrite)
{
	if (partial)
		return cksum_apply_partial(field, rewrite->address_delta);
	return cksum_apply(
		field, cksum_fold((uint64_t)rewrite->address_delta + rewrite->port_delta));
}

static inline void write_tcp_ports(struct tcp_header *tcp, const struct rewrite *rewrite)
{
	tcp->source_port = rewrite->source_port;
	tcp->destination_port = rewrite->destination_port;
}

static inline void write_udp(struct udp_header *udp, bool partial, const struct rewrite *rewrite)
{
	udp->source_port = rewrite->source_port;
	udp->destination_port = rewrite->destination_port;
	if (!partial && udp->checksum == 0) /* none was computed */
		return;
	udp->checksum = apply(udp->checksum, partial, rewrite);
	if (!partial && udp->checksum == 0)
		udp->checksum = 0xffff;
}

static inline void write_icmp(struct icmp_header *icmp, const struct headers *headers, bool partial,
	const struct rewrite *rewrite)
{
	struct rewrite delta = *rewrite;

	if (headers->family == AF_INET)
		delta.address_delta = 0;
	if (headers->kind == L4_ICMP_QUERY)
		icmp->query.id = icmp_is_reply(headers->family, headers->icmp_type)
					 ? rewrite->destination_port
					 : rewrite->source_port;
	else
		delta.port_delta = 0;
	icmp->checksum = apply(icmp->checksum, partial, &delta);
	/* Of the two zeros, the one that is right for a message of zeros as well. */
	if (!partial && icmp->checksum == 0)
		icmp->checksum = 0xffff;
}

/* Its sum is UDP's, but never absent; the ports are not ours to change. */
static inline void write_udplite(struct udp_header *udp, const struct rewrite *rewrite)
{
	udp->checksum = apply(udp->checksum, false, rewrite);
	if (udp->checksum == 0)
		udp->checksum = 0xffff;
}

/* Ports and L4 checksum, as far as they lie below `end`. */
static inline void write_l4(void *l4, const struct headers *headers, uint32_t bytes, bool partial,
	const struct rewrite *rewrite)
{
	struct tcp_header *tcp = l4;

	switch (headers->kind) {
	case L4_TCP:
		write_tcp_ports(tcp, rewrite);
		if (bytes >= offsetof(struct tcp_header, checksum) + sizeof(tcp->checksum))
			tcp->checksum = apply(tcp->checksum, partial, rewrite);
		break;
	case L4_UDP:
		write_udp(l4, partial, rewrite);
		break;
	case L4_GRE_CALL:
		((struct gre_call_header *)l4)->call = rewrite->destination_port;
		break;
	case L4_ICMP_QUERY:
	case L4_ICMP_ERROR:
	case L4_ICMP_OTHER:
		write_icmp(l4, headers, partial, rewrite);
		break;
	case L4_OTHER:
		if (headers->protocol == IPPROTO_UDPLITE && bytes >= sizeof(struct udp_header))
			write_udplite(l4, rewrite);
		break;
	}
}

void packet_rewrite(struct packet *packet, const struct rewrite *rewrite)
{
	struct headers *headers = &packet->headers;

	write_addresses(headers->family, packet->data, rewrite->source, rewrite->destination,
		rewrite->address_delta);
	write_l4(packet_l4(packet), headers, headers->end - headers->l4,
		packet_checksum_is_partial(packet), rewrite);
	headers->source = *rewrite->source;
	headers->destination = *rewrite->destination;
	if (headers->kind == L4_TCP || headers->kind == L4_UDP || headers->kind == L4_ICMP_QUERY ||
		headers->kind == L4_GRE_CALL) {
		headers->source_port = rewrite->source_port;
		headers->destination_port = rewrite->destination_port;
	}
}

void packet_rewrite_quoted(
	struct packet *packet, const struct headers *inner, const struct rewrite *rewrite)
{
	write_addresses(inner->family, packet->data + packet->headers.payload, rewrite->source,
		rewrite->destination, rewrite->address_delta);
	write_l4(packet->data + inner->l4, inner, inner->end - inner->l4, false, rewrite);
}

void packet_icmp_checksum(struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	struct icmp_header *icmp = packet_l4(packet);
	const uint32_t bytes = headers->end - headers->l4;
	uint64_t sum = 0;

	if (headers->family == AF_INET6)
		sum = cksum_pseudo(
			AF_INET6, &headers->source, &headers->destination, IPPROTO_ICMPV6, bytes);
	icmp->checksum = 0;
	icmp->checksum = (be16)~cksum_fold(cksum_add(icmp, bytes, sum));
	packet->offload = (struct offload){.flags = packet->offload.flags & OFFLOAD_DATA_VALID};
}

/* ---- single fields ---- */

void packet_decrement_ttl(struct packet *packet)
{
	/* TTL is the high byte of its word: ~old + new is -0x0100, in one's complement 0xfeff. */
	const uint16_t delta = htons(0xfeff);

	packet->headers.ttl--;
	if (packet->headers.family == AF_INET6) {
		packet_ipv6(packet)->hop_limit--;
		return;
	}
	struct ipv4_header *ip = packet_ipv4(packet);
	ip->ttl--;
	ip->checksum = cksum_apply(ip->checksum, delta);
}

bool packet_clamp_mss(struct packet *packet, uint16_t mss)
{
	struct tcp_header *tcp = packet_l4(packet);
	struct tcp_options options;
	be16 old_word, new_word = htons(mss);

	packet_tcp_options(packet, &options);
	if (options.mss_offset == 0 || options.mss <= mss)
		return false;
	memcpy(&old_word, packet->data + options.mss_offset, sizeof(old_word));
	memcpy(packet->data + options.mss_offset, &new_word, sizeof(new_word));
	if (packet_checksum_is_partial(packet))
		return true;
	/* At an odd offset the two bytes belong to two words, each in the other's place; a sum of
	 * swapped words is the swapped sum (RFC 1071, 2 B). */
	uint16_t delta = cksum_delta(old_word, new_word);
	if ((options.mss_offset - packet->headers.l4) % 2)
		delta = (uint16_t)(delta << 8 | delta >> 8);
	tcp->checksum = cksum_apply(tcp->checksum, delta);
	return true;
}
