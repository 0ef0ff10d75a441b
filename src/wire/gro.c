/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gro: receive offload in software.
 *
 * A head collects segments that follow it immediately in the stream and say the same in their
 * headers: addresses, ports, hop limit, type of service, acknowledgment, window, options.  All
 * but the last are as long as the head's own payload, which becomes gso_size.  A shorter
 * one, PSH, or a full packet closes the head.  Only segments whose checksum is right are
 * merged, since the merged packet says that its checksum is still to be made.
 *
 * Few flows take turns within one burst, so looking back over the last HEADS heads finds the one
 * that a segment follows.
 */
#include <netinet/in.h>
#include <string.h>
#include "base/cksum.h"
#include "wire/gro.h"

#define HEADS 8
/* IPv4's total length is 16 bits. */
#define MERGED_BYTES_MAX 65535
/* Where the checksum field lies in a TCP header. */
#define TCP_CSUM_OFFSET 16

struct head {
	struct packet *packet;
	uint32_t next_sequence; /* host order */
	uint32_t payload;       /* of one segment, bytes */
	uint32_t segments;
	bool open;
	bool verified; /* its own checksum is known to be right */
};

static const struct tcp_header *tcp_of(const struct packet *packet)
{
	return packet_l4(packet);
}

/* Plain data segments with nothing special about them. */
static bool is_candidate(const struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	const uint16_t plain_l4 = headers->family == AF_INET ? sizeof(struct ipv4_header)
							     : sizeof(struct ipv6_header);

	return headers->kind == L4_TCP && headers->l4 == plain_l4 && !headers->more_fragments &&
	       (headers->tcp_flags & ~TCP_PSH) == TCP_ACK && headers->end > headers->payload &&
	       packet->offload.gso_type == OFFLOAD_GSO_NONE &&
	       !(packet->offload.flags & OFFLOAD_NEEDS_CSUM) && !headers->may_fragment;
}

static bool checksum_is_right(const struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	const uint32_t length = headers->end - headers->l4;

	if (packet->offload.flags & OFFLOAD_DATA_VALID)
		return true;
	const uint64_t sum = cksum_pseudo(
		headers->family, &headers->source, &headers->destination, IPPROTO_TCP, length);
	return cksum_fold(cksum_add(packet->data + headers->l4, length, sum)) == 0xffff;
}

static bool same_flow(const struct packet *a, const struct packet *b)
{
	return a->headers.source_port == b->headers.source_port &&
	       a->headers.destination_port == b->headers.destination_port &&
	       a->headers.family == b->headers.family &&
	       addr_equal(&a->headers.source, &b->headers.source) &&
	       addr_equal(&a->headers.destination, &b->headers.destination);
}

/* Hop limit, type of service, or traffic class and flow label. */
static bool same_marks(const struct packet *a, const struct packet *b)
{
	if (a->headers.ttl != b->headers.ttl)
		return false;
	return a->headers.family == AF_INET
		       ? packet_ipv4(a)->tos == packet_ipv4(b)->tos
		       : packet_ipv6(a)->version_class_flow == packet_ipv6(b)->version_class_flow;
}

static bool same_tcp(const struct packet *a, const struct packet *b)
{
	const struct tcp_header *x = tcp_of(a), *y = tcp_of(b);
	const size_t options = a->headers.payload - a->headers.l4 - sizeof(*x);

	return a->headers.payload == b->headers.payload && x->source_port == y->source_port &&
	       x->destination_port == y->destination_port &&
	       x->acknowledgment == y->acknowledgment && x->window == y->window &&
	       memcmp(x + 1, y + 1, options) == 0;
}

static bool follows(const struct head *head, const struct packet *packet)
{
	return head->open && head->next_sequence == ntohl(tcp_of(packet)->sequence) &&
	       same_flow(head->packet, packet) && same_tcp(head->packet, packet) &&
	       same_marks(head->packet, packet);
}

static void head_begin(struct head *head, struct packet *packet)
{
	*head = (struct head){
		.packet = packet,
		.payload = packet_payload_bytes(packet),
		.segments = 1,
		.open = !(packet->headers.tcp_flags & TCP_PSH),
	};
	head->next_sequence = ntohl(tcp_of(packet)->sequence) + head->payload;
}

/* Append a segment; false where it must stand by itself. */
static bool head_append(struct head *head, struct packet *packet)
{
	struct packet *to = head->packet;
	const uint32_t bytes = packet_payload_bytes(packet);

	if (bytes > head->payload || to->length + bytes > MERGED_BYTES_MAX ||
		to->length + bytes > to->capacity)
		return false;
	if (!head->verified && !checksum_is_right(to)) {
		head->open = false;
		return false;
	}
	head->verified = true;
	if (!checksum_is_right(packet))
		return false;
	memcpy(to->data + to->length, packet->data + packet->headers.payload, bytes);
	to->length += bytes;
	to->headers.tcp_flags |= packet->headers.tcp_flags;
	head->next_sequence += bytes;
	head->segments++;
	if (bytes < head->payload || (packet->headers.tcp_flags & TCP_PSH))
		head->open = false;
	return true;
}

/* Make the collected bytes one packet: lengths, flags, header checksum, partial TCP checksum. */
static void head_finish(struct head *head)
{
	struct packet *packet = head->packet;
	struct headers *headers = &packet->headers;
	struct tcp_header *tcp = packet_l4(packet);

	if (head->segments < 2)
		return;
	headers->end = packet->length;
	if (headers->family == AF_INET) {
		struct ipv4_header *ip = packet_ipv4(packet);
		const be16 length = htons((uint16_t)packet->length);
		ip->checksum = cksum_apply(ip->checksum, cksum_delta(ip->total_length, length));
		ip->total_length = length;
	} else {
		packet_ipv6(packet)->payload_length =
			htons((uint16_t)(packet->length - sizeof(struct ipv6_header)));
	}
	tcp->flags = headers->tcp_flags;
	tcp->checksum = cksum_fold(cksum_pseudo(headers->family, &headers->source,
		&headers->destination, IPPROTO_TCP, packet->length - headers->l4));
	packet->offload = (struct offload){
		.flags = OFFLOAD_NEEDS_CSUM,
		.gso_type = headers->family == AF_INET ? OFFLOAD_GSO_TCPV4 : OFFLOAD_GSO_TCPV6,
		.header_size = headers->payload,
		.gso_size = (uint16_t)head->payload,
		.csum_start = headers->l4,
		.csum_offset = TCP_CSUM_OFFSET,
	};
}

/* A packet that is not merged must not be overtaken by later ones of its flow. */
static void close_flow(struct head *heads, const struct packet *packet)
{
	for (unsigned i = 0; i < HEADS; i++) {
		if (heads[i].packet != NULL && same_flow(heads[i].packet, packet))
			heads[i].open = false;
	}
}

/* Into a head that it follows; true if it is merged away.  Else it becomes a head itself. */
static bool merge_or_begin(struct head *heads, unsigned *next, struct packet *packet)
{
	for (unsigned i = 0; i < HEADS; i++)
		if (heads[i].packet != NULL && follows(&heads[i], packet))
			if (head_append(&heads[i], packet))
				return true;
	close_flow(heads, packet);
	struct head *head = &heads[(*next)++ % HEADS];
	if (head->packet != NULL)
		head_finish(head);
	head_begin(head, packet);
	return false;
}

unsigned gro_merge(struct packet *packets, unsigned count)
{
	struct head heads[HEADS] = {{0}};
	unsigned next = 0, kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		if (packet->parsed || packet_parse(packet)) {
			if (!is_candidate(packet))
				close_flow(heads, packet);
			else if (merge_or_begin(heads, &next, packet))
				continue;
		}
		/* Swapped into place with one that is merged away: heads keep their places. */
		if (kept != i) {
			const struct packet merged = packets[kept];
			packets[kept] = *packet;
			*packet = merged;
			for (unsigned h = 0; h < HEADS; h++)
				if (heads[h].packet == packet)
					heads[h].packet = &packets[kept];
		}
		kept++;
	}
	for (unsigned h = 0; h < HEADS; h++)
		if (heads[h].packet != NULL)
			head_finish(&heads[h]);
	return kept;
}
