/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gso: what a network card would have done.
 *
 * A partial checksum field holds the pseudo-header's sum, so summing from csum_start to the end,
 * field included, and complementing completes it.  A segment is the super-packet's headers with
 * lengths, IPv4 id and TCP sequence moved on, and the segment's part of the payload.
 */
#include "wire/gso.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include "base/cksum.h"

static be16 finish_udp(uint64_t sum)
{
	const be16 checksum = (be16)~cksum_fold(sum);

	return checksum ? checksum : 0xffff; /* in UDP, 0 means "none" */
}

be16 gso_checksum(const struct packet *packet)
{
	const uint32_t start = packet->offload.csum_start;
	const uint64_t sum = cksum_add(packet->data + start, packet->length - start, 0);

	/* The field's place tells the protocol, also in a tunnel. */
	if (packet->offload.csum_offset == offsetof(struct udp_header, checksum))
		return finish_udp(sum);
	return (be16)~cksum_fold(sum);
}

void gso_complete_checksum(struct packet *packet)
{
	const struct offload *offload = &packet->offload;

	if (!(offload->flags & OFFLOAD_NEEDS_CSUM))
		return;
	const be16 checksum = gso_checksum(packet);
	memcpy(packet->data + offload->csum_start + offload->csum_offset, &checksum,
		sizeof(checksum));
	packet->offload = (struct offload){.flags = offload->flags & OFFLOAD_DATA_VALID};
}

uint32_t gso_segment_count(const struct packet *packet)
{
	const uint32_t bytes = packet_payload_bytes(packet), size = packet->offload.gso_size;

	if (packet->offload.gso_type == OFFLOAD_GSO_NONE || bytes <= size)
		return 1;
	return (bytes + size - 1) / size;
}

static void set_ip_length(const struct packet *packet, uint32_t index, struct packet *out)
{
	if (packet->headers.family == AF_INET6) {
		packet_ipv6(out)->payload_length =
			htons((uint16_t)(out->length - sizeof(struct ipv6_header)));
		return;
	}
	struct ipv4_header *ip = packet_ipv4(out);
	ip->total_length = htons((uint16_t)out->length);
	ip->id = htons((uint16_t)(ntohs(ip->id) + index));
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, packet->headers.l4));
}

static void advance_tcp(struct tcp_header *tcp, uint32_t offset, bool last)
{
	tcp->sequence = htonl(ntohl(tcp->sequence) + offset);
	if (offset > 0)
		tcp->flags &= (uint8_t)~TCP_CWR;
	if (!last)
		tcp->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

uint32_t gso_segment(const struct packet *packet, uint32_t index, struct packet *out)
{
	const struct headers *headers = &packet->headers;
	const uint32_t offset = index * packet->offload.gso_size;
	const uint32_t left = packet_payload_bytes(packet) - offset;
	const bool last = left <= packet->offload.gso_size;
	const uint32_t bytes = last ? left : packet->offload.gso_size;

	memcpy(out->data, packet->data, headers->payload);
	memcpy(out->data + headers->payload, packet->data + headers->payload + offset, bytes);
	out->length = headers->payload + bytes;
	out->offload = (struct offload){0};
	out->headers = *headers;
	out->headers.end = out->length;
	out->parsed = true;
	set_ip_length(packet, index, out);

	const uint32_t l4_bytes = out->length - headers->l4;
	const uint64_t pseudo = cksum_pseudo(headers->family, &headers->source,
		&headers->destination, headers->protocol, l4_bytes);
	if (headers->kind == L4_TCP) {
		struct tcp_header *tcp = packet_l4(out);

		advance_tcp(tcp, offset, last);
		tcp->checksum = 0;
		tcp->checksum = (be16)~cksum_fold(cksum_add(tcp, l4_bytes, pseudo));
		out->headers.tcp_flags = tcp->flags;
	} else {
		struct udp_header *udp = packet_l4(out);

		udp->length = htons((uint16_t)l4_bytes);
		udp->checksum = 0;
		udp->checksum = finish_udp(cksum_add(udp, l4_bytes, pseudo));
	}
	return out->length;
}
