/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splice: payloads that grow or shrink.
 */
#include "wire/splice.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include "base/cksum.h"

static uint64_t pseudo_sum(const struct packet *packet)
{
	const struct headers *headers = &packet->headers;

	return cksum_pseudo(headers->family, &headers->source, &headers->destination,
		headers->protocol, headers->end - headers->l4);
}

bool packet_checksum_is_sound(const struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	const struct udp_header *udp = packet_l4(packet);

	if (packet_checksum_is_partial(packet) || (headers->kind == L4_UDP && udp->checksum == 0))
		return true;
	return cksum_fold(cksum_add(udp, headers->end - headers->l4, pseudo_sum(packet))) == 0xffff;
}

bool splice_has_room(const struct packet *packet, uint32_t bytes)
{
	/* IPv4 counts its header in its length, IPv6 does not. */
	const uint32_t longest = packet->headers.family == AF_INET ? 65535 : PACKET_BYTES_MAX;

	return packet->length + bytes <= packet->capacity && packet->length + bytes <= longest;
}

void splice(struct packet *packet, uint32_t offset, uint32_t old_length, const void *text,
	uint32_t length)
{
	uint8_t *at = packet->data + packet->headers.payload + offset;

	memmove(at + length, at + old_length, packet->data + packet->headers.end - at - old_length);
	memcpy(at, text, length);
	packet->headers.end += length - old_length;
	packet->length = packet->headers.end;
}

static void set_ip_length(struct packet *packet)
{
	if (packet->headers.family == AF_INET6) {
		packet_ipv6(packet)->payload_length =
			htons((uint16_t)(packet->length - sizeof(struct ipv6_header)));
		return;
	}
	struct ipv4_header *ip = packet_ipv4(packet);
	const be16 length = htons((uint16_t)packet->length);
	ip->checksum = cksum_apply(ip->checksum, cksum_delta(ip->total_length, length));
	ip->total_length = length;
}

/* The field of a packet that has a checksum, which becomes partial where `partial` says so. */
static void set_checksum(struct packet *packet, bool partial)
{
	const struct headers *headers = &packet->headers;
	uint8_t *l4 = packet_l4(packet);
	uint8_t *field = l4 + l4_checksum_offset(headers->protocol);
	be16 checksum = 0;

	memcpy(field, &checksum, sizeof(checksum));
	if (partial)
		checksum = cksum_fold(pseudo_sum(packet));
	else
		checksum = (be16)~cksum_fold(
			cksum_add(l4, headers->end - headers->l4, pseudo_sum(packet)));
	if (!partial && checksum == 0 && headers->kind == L4_UDP)
		checksum = 0xffff;
	memcpy(field, &checksum, sizeof(checksum));
}

void splice_finish(struct packet *packet)
{
	struct udp_header *udp = packet_l4(packet);
	const bool partial = packet_checksum_is_partial(packet);

	set_ip_length(packet);
	if (packet->headers.kind == L4_UDP)
		udp->length = htons((uint16_t)(packet->headers.end - packet->headers.l4));
	if (packet->headers.kind != L4_UDP || partial || udp->checksum != 0)
		set_checksum(packet, partial);
	/* What fits into one segment is no super-packet. */
	if (packet->offload.gso_type != OFFLOAD_GSO_NONE &&
		packet_payload_bytes(packet) <= packet->offload.gso_size) {
		packet->offload.gso_type = OFFLOAD_GSO_NONE;
		packet->offload.gso_size = packet->offload.header_size = 0;
	}
}

void splice_fit(struct packet *packet, uint32_t mtu)
{
	const struct headers *headers = &packet->headers;

	if (headers->kind != L4_TCP || packet->length <= mtu || mtu <= headers->payload ||
		packet->offload.gso_type != OFFLOAD_GSO_NONE)
		return;
	set_checksum(packet, true);
	packet->offload = (struct offload){
		.flags = OFFLOAD_NEEDS_CSUM,
		.gso_type = headers->family == AF_INET ? OFFLOAD_GSO_TCPV4 : OFFLOAD_GSO_TCPV6,
		.header_size = headers->payload,
		.gso_size = (uint16_t)(mtu - headers->payload),
		.csum_start = headers->l4,
		.csum_offset = offsetof(struct tcp_header, checksum),
	};
}
