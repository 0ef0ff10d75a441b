/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment: pieces of IPv4 packets.
 *
 * Every piece but the last carries as many whole units of eight bytes as fit behind the header of
 * the first one, so that piece n begins at n times that.  Later pieces have a shorter header where
 * options are left out; that they could carry more is not worth another rule.
 */
#include "wire/fragment.h"

#include <arpa/inet.h>
#include <string.h>
#include "base/cksum.h"

#define OPTION4_END    0
#define OPTION4_NOP    1
#define OPTION4_COPIED 0x80

uint32_t fragment_start(const struct packet *packet)
{
	if (packet->headers.family == AF_INET)
		return packet->headers.l4;
	return packet_fragment_header(packet) + (uint32_t)sizeof(struct ipv6_fragment);
}

/* Payload of every piece but the last. */
static uint32_t piece_payload(const struct packet *packet, uint32_t mtu)
{
	return mtu > packet->headers.l4 ? (mtu - packet->headers.l4) & ~7U : 0;
}

uint32_t fragment_count(const struct packet *packet, uint32_t mtu)
{
	const uint32_t size = piece_payload(packet, mtu);

	if (packet->headers.end <= mtu)
		return 1;
	return size == 0 ? 0 : (packet->headers.end - packet->headers.l4 + size - 1) / size;
}

/* The options that every fragment has, padded; returns how many bytes. */
static uint32_t copy_options(uint8_t *to, const uint8_t *option, uint32_t bytes)
{
	uint32_t copied = 0;

	for (uint32_t size; bytes > 0 && option[0] != OPTION4_END; option += size, bytes -= size) {
		size = option[0] == OPTION4_NOP ? 1 : option[1];
		if (!(option[0] & OPTION4_COPIED))
			continue;
		memcpy(to + copied, option, size);
		copied += size;
	}
	while (copied % 4 != 0)
		to[copied++] = OPTION4_END;
	return copied;
}

/* Write what differs in a piece's header. */
static void set_header(struct packet *piece, uint32_t header_bytes, uint32_t offset, bool more)
{
	struct ipv4_header *ip = packet_ipv4(piece);
	const uint32_t whole = ntohs(ip->fragment);

	ip->version_length = (uint8_t)(0x40 | header_bytes / 4);
	ip->total_length = htons((uint16_t)piece->length);
	ip->fragment =
		htons((uint16_t)((whole & ~(uint32_t)IPV4_OFFSET_MASK) |
				 ((whole & IPV4_OFFSET_MASK) + offset / 8) | (more ? IPV4_MF : 0)));
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, header_bytes));
}

uint32_t fragment_piece(
	const struct packet *packet, uint32_t index, uint32_t mtu, struct packet *out)
{
	const uint32_t size = piece_payload(packet, mtu), offset = index * size;
	const uint32_t left = packet->headers.end - packet->headers.l4 - offset;
	const uint32_t bytes = left < size ? left : size;
	uint32_t header_bytes = sizeof(struct ipv4_header);

	memcpy(out->data, packet->data, index == 0 ? packet->headers.l4 : header_bytes);
	if (index == 0)
		header_bytes = packet->headers.l4;
	else
		header_bytes += copy_options(out->data + header_bytes, packet->data + header_bytes,
			packet->headers.l4 - header_bytes);
	memcpy(out->data + header_bytes, packet->data + packet->headers.l4 + offset, bytes);
	out->length = header_bytes + bytes;
	out->offload = (struct offload){0};
	out->parsed = false;
	set_header(out, header_bytes, offset, bytes < left);
	return out->length;
}

void fragment_truncate(struct packet *packet, uint32_t mtu)
{
	packet->length = packet->headers.l4 + piece_payload(packet, mtu);
	packet->headers.end = packet->length;
	set_header(packet, packet->headers.l4, 0, true);
}

void fragment_id_set(struct packet *packet, uint32_t id)
{
	if (packet->headers.family == AF_INET) {
		struct ipv4_header *ip = packet_ipv4(packet);
		const be16 old = ip->id;

		ip->id = htons((uint16_t)id);
		ip->checksum = cksum_apply(ip->checksum, cksum_delta(old, ip->id));
		return;
	}
	struct ipv6_fragment *fragment = (void *)(packet->data + packet_fragment_header(packet));
	fragment->id = htonl(id);
}
