/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment: pieces of packets.
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
static uint32_t piece_payload(uint32_t header_bytes, uint32_t mtu)
{
	return mtu > header_bytes ? (mtu - header_bytes) & ~7U : 0;
}

uint32_t fragment_pieces(uint32_t header_bytes, uint32_t bytes, uint32_t mtu)
{
	const uint32_t size = piece_payload(header_bytes, mtu);

	if (header_bytes + bytes <= mtu)
		return 1;
	return size == 0 ? 0 : (bytes + size - 1) / size;
}

uint32_t fragment_count(const struct packet *packet, uint32_t mtu)
{
	const struct headers *headers = &packet->headers;

	return fragment_pieces(headers->l4, headers->end - headers->l4, mtu);
}

void fragment_wrap(struct packet *packet, uint32_t id)
{
	struct headers *headers = &packet->headers;
	const uint32_t bytes = sizeof(struct ipv6_fragment);

	packet->data -= bytes;
	packet->capacity += bytes;
	packet->length += bytes;
	memmove(packet->data, packet->data + bytes, sizeof(struct ipv6_header));
	headers->l4 = (uint16_t)(headers->l4 + bytes);
	headers->payload = (uint16_t)(headers->payload + bytes);
	headers->end += bytes;
	headers->more_fragments = true;

	struct ipv6_header *ip = packet_ipv6(packet);
	struct ipv6_fragment *fragment = (void *)(ip + 1);
	*fragment = (struct ipv6_fragment){.next_header = ip->next_header, .id = htonl(id)};
	ip->next_header = IPPROTO_FRAGMENT;
	ip->payload_length = htons((uint16_t)(packet->length - sizeof(*ip)));
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
static void set_header6(struct packet *piece, uint32_t offset, bool more)
{
	struct ipv6_header *ip = packet_ipv6(piece);
	struct ipv6_fragment *fragment = (void *)(ip + 1);
	const uint32_t whole = ntohs(fragment->offset);

	ip->payload_length = htons((uint16_t)(piece->length - sizeof(*ip)));
	fragment->offset = htons((uint16_t)(whole + offset) | (more ? 1 : 0));
}

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
	const uint32_t size = piece_payload(packet->headers.l4, mtu), offset = index * size;
	const uint32_t left = packet->headers.end - packet->headers.l4 - offset;
	const uint32_t bytes = left < size ? left : size;
	const bool v4 = packet->headers.family == AF_INET;
	uint32_t header_bytes =
		v4 && index > 0 ? (uint32_t)sizeof(struct ipv4_header) : packet->headers.l4;

	memcpy(out->data, packet->data, header_bytes);
	if (v4 && index > 0)
		header_bytes += copy_options(out->data + header_bytes, packet->data + header_bytes,
			packet->headers.l4 - header_bytes);
	memcpy(out->data + header_bytes, packet->data + packet->headers.l4 + offset, bytes);
	out->length = header_bytes + bytes;
	out->offload = (struct offload){0};
	out->parsed = false;
	if (v4)
		set_header(out, header_bytes, offset, bytes < left);
	else
		set_header6(out, offset, bytes < left);
	return out->length;
}

void fragment_truncate(struct packet *packet, uint32_t mtu)
{
	packet->length = packet->headers.l4 + piece_payload(packet->headers.l4, mtu);
	packet->headers.end = packet->length;
	if (packet->headers.family == AF_INET)
		set_header(packet, packet->headers.l4, 0, true);
	else
		set_header6(packet, 0, true);
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
